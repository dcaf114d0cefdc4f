"""Traffic between the hosts: flows, iperf3, pings; and what became of it."""
import json
import re
import secrets
import signal
import subprocess
import time
from dataclasses import dataclass

from effects import LabError, inside, json_of, run_in
from plan import HOST_A, HOST_B, binary

PORT = 9000
SOURCE_PORT = {4: 20000, 6: 21000}


@dataclass(frozen=True)
class Stream:
    """Flows from one host to the other, over one family."""
    family: int
    rate: int = 20000
    flows: int = 256
    source: object = HOST_A
    to: str = ""          # another address of the destination than its usual one

    @property
    def destination(self):
        return HOST_B if self.source is HOST_A else HOST_A

    @property
    def port(self):
        return PORT + self.family


class Run:
    """Streams that run at once. start(), sleep or meddle, finish()."""

    def __init__(self, streams, seconds):
        self.streams, self.seconds = list(streams), seconds
        self._receivers, self._senders = [], []
        self.started = 0.0

    def start(self):
        sessions = [secrets.randbelow(2**32 - 1) + 1 for _ in self.streams]
        for stream, session in zip(self.streams, sessions):
            self._receivers.append(self._spawn(stream.destination.ns, "receive", "--port", stream.port, "--seconds",
                                               self.seconds + 60, "--session", session))
        for receiver in self._receivers:
            if receiver.stderr.readline().strip() != "ready":
                raise LabError("flow receive did not start: " + receiver.stderr.read())
        for stream, session in zip(self.streams, sessions):
            self._senders.append(self._spawn(
                stream.source.ns, "send", "--to", stream.to or stream.destination.address(stream.family),
                "--port", stream.port, "--source-port", SOURCE_PORT[stream.family], "--flows", stream.flows,
                "--rate", stream.rate, "--seconds", self.seconds, "--session", session))
        self.started = time.time()
        return self

    @staticmethod
    def _spawn(namespace, *words):
        return subprocess.Popen(inside(namespace, [binary("flow"), *words]), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def finish(self, settle_s=0.7):
        """The outcome of each stream, once the last packets had time to arrive."""
        sent = [self._result(s) for s in self._senders]
        time.sleep(settle_s)
        return self._outcomes(sent)

    def _outcomes(self, sent):
        for receiver in self._receivers:
            receiver.send_signal(signal.SIGTERM)
        return [Outcome(*parts) for parts in zip(self.streams, sent, [self._result(r) for r in self._receivers])]

    def _result(self, process):
        out, err = process.communicate(timeout=self.seconds * 3 + 30)
        if process.returncode != 0:
            raise LabError(f"flow: {err.strip()}")
        return json.loads(out)

    def abandon(self):
        for process in self._senders + self._receivers:
            if process.poll() is None:
                process.kill()
            process.communicate()


class Outcome:
    """What a stream sent and what arrived: loss counts the end of a flow too, which the receiver alone cannot see."""

    def __init__(self, stream, sent, received):
        self.stream, self.sent_report, self.received_report = stream, sent, received
        arrived = {f["flow"]: f for f in received["flows"]}
        self.sent = sent["sent"]
        self.received = received["received"]
        self.lost = self.sent - self.received
        self.reordered = received["reordered"]
        self.duplicates = received["duplicates"]
        self.socket_drops = received["socket_drops"]
        self.longest_gap_ms = received["longest_gap_ms"]
        self.lost_of = {f["source_port"]: f["sent"] - arrived.get(f["flow"], {"received": 0})["received"]
                        for f in sent["flows"]}
        self.sent_of = {f["source_port"]: f["sent"] for f in sent["flows"]}
        self.losses = received["losses"]

    def last_loss_after(self, moment):
        """Seconds from `moment` (time.time()) to the first arrival behind the last hole of any flow; 0: none."""
        ends = [h["after_ns"] / 1e9 - moment for h in self.losses]
        return max([0.0, *ends])

    def perfect(self, seconds):
        """A check: everything was sent, at the wanted rate, and arrived once and in order."""
        wanted, rate = self.stream.rate * seconds, self.sent_report["rate"]
        text = (f"v{self.stream.family}: {self.sent} sent at {rate:.0f}/s, {self.lost} lost, "
                f"{self.reordered} reordered, {self.duplicates} twice")
        if self.socket_drops:
            text += f" ({self.socket_drops} lost by the receiving socket)"
        whole = self.sent == wanted and rate >= 0.97 * self.stream.rate
        return whole and self.lost == self.reordered == self.duplicates == 0, text

    def figures(self):
        return {"family": self.stream.family, "sent": self.sent, "errors": self.sent_report["errors"],
                "lost": self.lost, "reordered": self.reordered, "duplicates": self.duplicates,
                "socket_drops": self.socket_drops,
                "rate": round(self.sent_report["rate"]), "longest_gap_ms": round(self.longest_gap_ms, 1),
                "sender_stall_ms": round(self.sent_report["longest_stall_ms"], 1)}


def flows(streams, seconds, meddle=None):
    """Runs streams to their end; meddle(run) is called once they run."""
    run = Run(streams, seconds).start()
    try:
        if meddle:
            meddle(run)
        return run.finish()
    finally:
        run.abandon()


def iperf(family, source, destination, seconds=4, bitrate="600M"):
    """Mbit/s received, and retransmitted segments in percent of all."""
    server = subprocess.Popen(inside(destination.ns, ["iperf3", "-s", "-1", "-p", "5201", "--forceflush"]),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        server.stdout.readline()
        time.sleep(0.2)
        result = json_of(inside(source.ns, [
            "iperf3", f"-{family}", "-c", destination.address(family), "-p", "5201", "-J", "-t", seconds, "-b", bitrate,
            "--connect-timeout", "3000"]), timeout=seconds + 30, check=False)
    finally:
        server.kill()
        server.communicate()
    if "error" in result or "end" not in result:
        raise LabError(f"iperf3 over IPv{family}: {result.get('error', 'no result')}")
    sent = result["end"]["sum_sent"]
    segments = max(1, sent["bytes"] / result["start"].get("tcp_mss_default", 1388))
    return {"mbit": round(result["end"]["sum_received"]["bits_per_second"] / 1e6),
            "retransmits_percent": round(100 * sent["retransmits"] / segments, 3)}


def ping(host, family, address, *options):
    return run_in(host.ns, ["ping", f"-{family}", "-n", "-c1", "-W2", *options, address], check=False, timeout=10)


def traceroute(host, family, address):
    """The hops, as addresses; '*' where nobody answered."""
    out = run_in(host.ns, ["traceroute", f"-{family}", "-n", "-q1", "-w2", "-m6", address], timeout=60).stdout
    return re.findall(r"^\s*\d+\s+(\S+)", out, re.M)


def settle(seconds):
    """Long enough for what is under way to arrive."""
    time.sleep(seconds)
