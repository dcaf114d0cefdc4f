"""The machine: packages, the build, huge pages, sysctls, and how much of it others took."""
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from effects import LabError, progress, run
from plan import BUILD, ROOT, RUN, binary

BUILD_PACKAGES = (
    "g++ meson ninja-build ccache pkg-config clang libdpdk-dev libipsec-mb-dev libssl-dev libbpf-dev libxdp-dev "
    "libmnl-dev libyaml-cpp-dev nlohmann-json3-dev libcli11-dev libfmt-dev libspdlog-dev libpcap-dev catch2 "
    "librapidcheck-dev libbenchmark-dev linux-libc-dev libelf-dev").split()
LAB_PACKAGES = (
    "frr iproute2 nftables ethtool iperf3 tcpdump traceroute iputils-ping bpftool python3-cryptography").split()
TEST_PACKAGES = (
    "dpdk gdb jq patch procps user-mode-linux busybox-static iproute2 wpasupplicant util-linux nftables iperf3 "
    "python3-cryptography").split()
HUGEPAGES_PER_ROUTER = 100   # of 2 MiB
HUGEPAGES = Path("/sys/kernel/mm/hugepages/hugepages-2048kB")
# Veth hands frames to the receiver's CPU through this queue; a burst must not end there.
SYSCTLS = {"net/core/netdev_max_backlog": 20000}


def missing_packages(names):
    said = run(["dpkg-query", "-W", "-f=${Package} ${db:Status-Status}\n", *names], check=False).stdout
    installed = {line.split()[0] for line in said.splitlines() if line.endswith(" installed")}
    return [n for n in names if n not in installed]


def install_packages(names):
    """Installs what is missing with apt and says what. Debian's own FRR service is masked before it can start."""
    names = missing_packages(names)
    if not names:
        return
    if "frr" in names and shutil.which("systemctl"):
        progress("masking Debian's frr.service: the lab runs its own FRR (undo: systemctl unmask frr)")
        run(["systemctl", "mask", "frr.service"], check=False)
    progress(f"installing with apt: {' '.join(names)}")
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        for argv in (["apt-get", "update", "-q"],
                     ["apt-get", "install", "-y", "-q", "--no-install-recommends", *names]):
            done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
            if done.returncode != 0 and "install" in argv:
                raise LabError(f"{' '.join(argv)} failed: {done.stderr.strip()[-400:]}")
    finally:
        if ours:
            policy.unlink()


def build():
    """The release build; meson and ninja do nothing when nothing changed."""
    if not (BUILD / "build.ninja").exists():
        progress(f"configuring {BUILD}")
        run(["meson", "setup", str(BUILD), str(ROOT), "--buildtype=release"], timeout=300)
    progress(f"building {BUILD}")
    ninja = subprocess.Popen(["ninja", "-C", str(BUILD)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    tail = []
    for line in ninja.stdout:
        tail = (tail + [line.rstrip()])[-40:]
        step = re.match(r"\[(\d+)/(\d+)\]", line)
        if step and int(step[1]) % 10 == 0:
            progress(f"building {step[0]}")
    if ninja.wait() != 0:
        raise LabError("the build failed:\n" + "\n".join(tail))
    for name in ("demarcd", "demarc", "flow"):
        if not binary(name).is_file():
            raise LabError(f"the build made no {name}; look into {BUILD}")


def read_number(path):
    return int(Path(path).read_text().split()[0])


def reserve():
    """Huge pages and sysctls. The old state is on disk before the first change: `down` finds it after a crash."""
    want = 2 * HUGEPAGES_PER_ROUTER
    before = read_number(HUGEPAGES / "nr_hugepages")
    add = max(0, want - read_number(HUGEPAGES / "free_hugepages"))
    old = {name: read_number(f"/proc/sys/{name}") for name in SYSCTLS}
    save("machine", {"hugepages_before": before, "hugepages_added": add, "sysctls": old})
    if add:
        (HUGEPAGES / "nr_hugepages").write_text(str(before + add))
        free = read_number(HUGEPAGES / "free_hugepages")
        if free < want:
            raise LabError(f"only {free} of {want} huge pages of 2 MiB are free: memory is short or fragmented; "
                           "free some memory, or reboot, and try again")
    for name, value in SYSCTLS.items():
        if old[name] < value:
            Path(f"/proc/sys/{name}").write_text(str(value))


def give_back():
    state = load("machine")
    if state.get("hugepages_added"):
        now = read_number(HUGEPAGES / "nr_hugepages")
        (HUGEPAGES / "nr_hugepages").write_text(str(max(0, now - state["hugepages_added"])))
    for name, value in state.get("sysctls", {}).items():
        Path(f"/proc/sys/{name}").write_text(str(value))


def save(name, value):
    """A value in the run directory, whole or not at all."""
    path = RUN / f"{name}.json"
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(value))
    draft.rename(path)


def load(name):
    try:
        return json.loads((RUN / f"{name}.json").read_text())
    except (OSError, json.JSONDecodeError):
        return {}


class Noise:
    """What the machine took from us between two moments: steal, and involuntary switches of the given processes."""

    def __init__(self, pids):
        self._pids = list(pids)
        self._steal, self._total = self._cpu()
        self._switches = self._involuntary()

    @staticmethod
    def _cpu():
        fields = [int(f) for f in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
        return fields[7], sum(fields[:8])

    def _involuntary(self):
        total = 0
        for pid in self._pids:
            for task in Path(f"/proc/{pid}/task").glob("*/status"):
                try:
                    found = re.search(r"nonvoluntary_ctxt_switches:\s+(\d+)", task.read_text())
                    total += int(found[1]) if found else 0
                except OSError:
                    pass
        return total

    def read(self):
        """steal in percent of all CPU time; involuntary switches; whether that is enough to blame the machine."""
        steal, total = self._cpu()
        ticks = max(1, total - self._total)
        percent = 100 * (steal - self._steal) / ticks
        seconds = ticks / os.sysconf("SC_CLK_TCK") / (os.cpu_count() or 1)
        switches = max(0, self._involuntary() - self._switches)
        noisy = percent >= 1 or switches / max(seconds, 0.1) >= 100
        return {"steal_percent": round(percent, 2), "involuntary_switches": switches, "noisy": noisy}
