"""The two programs that are measured in turn: ours and dpdk-testpmd."""
import json
import os
import re
import select
import shutil
import subprocess
import time
from pathlib import Path


class BenchError(Exception):
    """What is wrong, and the remedy, in a sentence or two."""


class Pipeline:
    """bench-pipeline: a line in, a JSON document out."""

    def __init__(self, program, directory, scenarios, suite, hugepages):
        argv = [str(program), "--suite", suite, *([] if hugepages else ["--no-huge"])]
        for name in scenarios:
            argv += ["--scenario", name]
        self._log = Path(directory) / "bench-pipeline.log"
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen([*argv, str(directory)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                             stderr=log, text=True)
        self.about = self._answer()

    def ask(self, line):
        print(line, file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self):
        for line in self._process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        self._process.wait()
        raise BenchError(f"bench-pipeline ended: {self._said()}")

    def _said(self):
        return self._log.read_text(errors="replace").strip()[-600:] or f"exit {self._process.returncode}"

    def close(self):
        """Its verdict: every frame that came in went out."""
        self._process.stdin.close()
        if self._process.wait(timeout=30) != 0:
            raise BenchError(f"the numbers do not count: {self._said()}")

    def kill(self):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


class Testpmd:
    """dpdk-testpmd in io mode, one port per capture file, one of them at work at a time."""
    BURST = 64          # as the router's
    SLICE_S = 0.03
    LEAST_CPU_NS = 4e6

    def __init__(self, files, hugepages):
        program = shutil.which("dpdk-testpmd")
        if not program:
            raise BenchError("dpdk-testpmd is not installed; apt install dpdk")
        cpus = ",".join(str(c) for c in sorted(os.sched_getaffinity(0)))
        memory = ["--in-memory"] if hugepages else ["--no-huge", "--no-shconf", "-m", "256"]
        # Into a pipe it would keep its words to itself until there are 4,096 octets of them.
        argv = ["stdbuf", "-oL", program, *memory, "--no-pci", "--no-telemetry", "--iova-mode=va", "--log-level=4",
                "--force-max-simd-bitwidth=512", "--lcores", f"(0-1)@({cpus})"]
        for i, file in enumerate(files):
            argv += ["--vdev", f"net_pcap{i},rx_pcap={file},infinite_rx=1"]
        argv += ["--", "-i", "--forward-mode=io", f"--burst={self.BURST}", "--port-topology=loop", "--nb-cores=1",
                 "--no-mlockall", f"--total-num-mbufs={512 * len(files) + 4096}"]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.STDOUT, bufsize=0)
        self._buffer = b""
        self._read_until(rb"testpmd> ", 60)
        self._thread = self._worker()

    def _read_until(self, pattern, timeout_s):
        end = time.monotonic() + timeout_s
        while not (found := re.search(pattern, self._buffer)):
            ready, _, _ = select.select([self._process.stdout], [], [], max(0, end - time.monotonic()))
            more = os.read(self._process.stdout.fileno(), 65536) if ready else b""
            if not more:
                tail = self._buffer.decode(errors="replace").strip()[-400:]
                raise BenchError(f"dpdk-testpmd said nothing more: {tail}")
            self._buffer += more
        text, self._buffer = self._buffer[:found.end()], self._buffer[found.end():]
        return text.decode(errors="replace")

    def _say(self, *commands):
        self._process.stdin.write("".join(c + "\n" for c in commands).encode())

    def _worker(self):
        for task in Path(f"/proc/{self._process.pid}/task").iterdir():
            if re.search(r"worker-?1$", (task / "comm").read_text().strip()):
                return task
        raise BenchError("dpdk-testpmd has no worker thread whose time could be read")

    def _cpu_ns(self):
        return int((self._thread / "schedstat").read_text().split()[0])

    def measure(self, port):
        """Nanoseconds of its worker's CPU time per packet of that port."""
        self._say(f"set portlist {port}")
        before, packets = self._cpu_ns(), 0
        while self._cpu_ns() - before < self.LEAST_CPU_NS:
            self._say("start")
            time.sleep(self.SLICE_S)
            self._say("stop")
            said = self._read_until(rb"\+{20,}\s+Done\.", 30)
            accumulated = said[said.rindex("Accumulated forward statistics"):]
            packets += int(re.search(r"RX-packets: (\d+)", accumulated)[1])
        return (self._cpu_ns() - before) / max(packets, 1)

    def close(self):
        if self._process.poll() is None:
            self._process.stdin.close()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
