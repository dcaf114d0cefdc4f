"""Two demarcd, east and west, on the links of _pair.sh: their keys, their configuration, their processes.

    east, west = pair.routers(prefix, work, build)
    sak = pair.Sak(work, "one", "gcm-aes-xpn-256", an=0)
    for router in (east, west):
        router.secys = [pair.SecY(link=1, number=1, transmit=sak, receive=[sak])]
        router.start()

A SecY's interface is `sNUMBER`: 10.98.NUMBER.1 (east) or .2 (west), fd00:98:NUMBER::1 or ::2, VLAN 1100 + NUMBER
inside.
"""
import ctypes
import json
import os
import secrets
import signal
import socket
import struct
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from ask import ask
from bad_fpm import attribute, frame, netlink, route
from frames import netns

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools" / "lab.d"))
SIDE = {"east": 1, "west": 2}  # also the SSCI
PR_SET_PDEATHSIG = 1


class Failure(Exception):
    """What a test found wrong, in a sentence."""


def main(test):
    """Runs test(prefix, work, build, *more) with the script's arguments; a failure is one line."""
    try:
        test(*sys.argv[1:])
    except Failure as e:
        sys.exit(f"FAILED: {e}")


def ok(text):
    print(f"ok: {text}", flush=True)


def expect(condition, text):
    if not condition:
        raise Failure(text)


def wait_for(seconds, what, condition):
    """The first true value of condition()."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {seconds} s")
        time.sleep(0.02)
    return value


def dies_with_us():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def spawn(namespace, argv, log, **more):
    """A process in a namespace; the kernel ends it when this program ends."""
    # pylint: disable-next=consider-using-with,subprocess-popen-preexec-fn
    return subprocess.Popen(["ip", "netns", "exec", namespace, *map(str, argv)], stdin=subprocess.DEVNULL,
                            stdout=log, stderr=subprocess.STDOUT, preexec_fn=dies_with_us, **more)


def inside(namespace, *argv, check=True):
    done = subprocess.run(["ip", "netns", "exec", namespace, *map(str, argv)], capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL)
    expect(done.returncode == 0 or not check, f"{' '.join(map(str, argv))}: {done.stderr.strip()}")
    return done


class Sak:
    """A SAK in a file of its own; both ends of a link use it, as MKA would have it."""

    def __init__(self, work, name, suite, an=0, salt=None):
        self.name, self.suite, self.an = name, suite, an
        self.octets = secrets.token_bytes(32 if suite.endswith("256") else 16)
        self.salt = salt or secrets.token_hex(12)
        self.path = Path(work) / "etc" / f"{name}.sak"
        self.path.parent.mkdir(exist_ok=True)
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(f"sak: {self.octets.hex()}\n")

    @property
    def is_xpn(self):
        return "xpn" in self.suite

    def text(self, side):
        wide = f", ssci: {side}, salt: \"{self.salt}\"" if self.is_xpn else ""
        return f"{{an: {self.an}, key-file: {self.path}{wide}}}"

    def log(self, secy):
        """For nonce_check."""
        return {"an": self.an, "sak": self.octets.hex(), "salt": self.salt,
                "sscis": {sci_of(name, secy): side for name, side in SIDE.items()}}


@dataclass
class SecY:
    link: int
    number: int
    transmit: Sak
    receive: list
    clear_tags: str = ""                      # YAML: "{vid: 7}", outermost first
    more: list = field(default_factory=list)  # further lines of YAML


def mac_of(name, link):
    return f"02:5e:00:0{'ab'[SIDE[name] - 1]}:00:0{link}"


def sci_of(name, secy):
    return mac_of(name, secy.link).replace(":", "") + f"{secy.number:04x}"


def other(name):
    return "west" if name == "east" else "east"


class Router:
    buffers = 16384  # some 4096 an AF_XDP port
    workers = 2      # the secured ports have the last one
    nodes = 1024     # of the IPv4 FIB
    driver, buffer_octets = "af_xdp", 2176
    mtu, inner_mtu = 1500, 1440  # of ports, of interfaces behind MACsec

    def __init__(self, name, prefix, work, build):
        self.name, self.prefix, self.work, self.build = name, prefix, Path(work), Path(build)
        self.side = SIDE[name]
        self.ns, self.host_ns = f"{prefix}-{name}", f"{prefix}-{name}-host"
        self.config = self.work / "etc" / f"{name}.yaml"
        self.log = self.work / f"{name}.log"
        self.run, self.state = self.work / f"{name}.run", self.work / f"{name}.state"
        self.secys, self.process, self.fpm, self.log_level = [], None, None, "info"

    def secy_text(self, s):
        peer = 3 - self.side
        lines = [f"      - clear-tags: [{s.clear_tags}]", f"        cipher-suite: {s.transmit.suite}",
                 f"        port-identifier: {s.number}", *[f"        {line}" for line in s.more], "        static:",
                 f"          transmit: {s.transmit.text(self.side)}", "          receive:",
                 f"            - sci: \"{sci_of(other(self.name), s)}\"", "              sas:",
                 *[f"                - {sak.text(peer)}" for sak in s.receive]]
        return "\n".join(lines) + "\n"

    def port_text(self, link):
        secys = "".join(self.secy_text(s) for s in self.secys if s.link == link)
        last = self.workers - 1
        return (f"  l{link}:\n    driver: {self.driver}\n    device: l{link}\n    receive-worker: {last}\n"
                f"    transmit-worker: {last}\n    mtu: {self.mtu}\n    macsec:\n{secys}")

    def interface_text(self, s):
        n = s.number
        return (f"  s{n}:\n    port: l{s.link}\n    clear-tags: [{s.clear_tags}]\n    tags: [{1100 + n}]\n"
                f"    mtu: {self.inner_mtu}\n"
                f"    addresses: [10.98.{n}.{self.side}/24, \"fd00:98:{n}::{self.side}/64\"]\n")

    def text(self):
        ports = "".join(self.port_text(n) for n in sorted({s.link for s in self.secys}))
        interfaces = "".join(self.interface_text(s) for s in self.secys)
        return f"""router: {{name: {self.name}, run-directory: {self.run}, state-directory: {self.state}}}
workers: {{idle: sleep, count: {self.workers}}}
memory: {{buffers: {self.buffers}, buffer-octets: {self.buffer_octets}}}
fib: {{ipv4-root-bits: 16, ipv6-root-bits: 16, ipv4-nodes: {self.nodes}, ipv6-nodes: 1024, groups: 256, next-hops: 256}}
host:
  netns: {self.host_ns}
  fpm: {{address: 127.0.0.1, port: 2620}}
  punt-rates: {{bfd: 10000, bgp: 20000, arp-nd: 10000, other: 100000, eapol: 1000}}
ports:
  plain: {{driver: {self.driver}, device: plain, receive-worker: 0, transmit-worker: 0, mtu: {self.mtu}}}
{ports}interfaces:
  a0:
    port: plain
    mtu: {self.mtu}
    addresses: [10.97.{self.side}.1/24, "fd00:97:{self.side}::1/64"]
{interfaces}log: {{level: {self.log_level}}}
"""

    def write(self):
        draft = self.config.with_suffix(".new")
        draft.write_text(self.text(), encoding="utf-8")
        draft.rename(self.config)

    def start(self, wait=True):
        self.write()
        with open(self.log, "ab") as log:
            self.process = spawn(self.ns, [self.build / "demarcd", "--config", self.config], log)
        if wait:
            wait_for(30, f"{self.name} answers", self.answers)

    @property
    def pid(self):
        return self.process.pid

    def thread_name(self, tid):
        return Path(f"/proc/{self.pid}/task/{tid}/comm").read_text("ascii").strip()

    def answers(self):
        expect(self.process.poll() is None, f"{self.name} ended; see its log")
        try:
            return self.status()["pid"] == self.pid
        except (OSError, ConnectionError):
            return False

    def ask(self, request):
        return ask(str(self.run / "demarc.sock"), json.dumps(request))

    def status(self):
        return self.ask({"request": "status"})

    def secy(self, number):
        """The status of a SecY."""
        return self.pick(self.status(), number)

    def pick(self, status, number):
        sci = sci_of(self.name, next(s for s in self.secys if s.number == number))
        return next(m for m in status["macsec"] if m["sci"] == sci)

    def interface(self, name):
        return next(i for i in self.status()["interfaces"] if i["name"] == name)

    def drops(self):
        total = {}
        for worker in self.status()["workers"]:
            for word, n in worker["drops"].items():
                total[word] = total.get(word, 0) + n
        return total

    def reload(self):
        self.write()
        answer = self.ask({"request": "reload"})
        expect(answer["ok"], f"{self.name} refuses: {answer}")

    def end(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        try:
            status = self.process.wait(20)
        except subprocess.TimeoutExpired as e:
            raise Failure(f"{self.name} outlives {sig!r}") from e
        expect(sig == signal.SIGKILL or status == 0, f"{self.name} ends with {status}")

    def route(self, destination, through):
        """A route by FPM, as zebra would say it: destination behind the other end of SecY `through`."""
        index = int(inside(self.host_ns, "cat", f"/sys/class/net/s{through}/ifindex").stdout)
        if self.fpm is None:
            with netns(self.host_ns):
                self.fpm = socket.socket()
            self.fpm.connect(("127.0.0.1", 2620))
        address, bits = destination.split("/")
        family, gateway = ((socket.AF_INET6, f"fd00:98:{through}::{3 - self.side}") if ":" in address else
                           (socket.AF_INET, f"10.98.{through}.{3 - self.side}"))
        told = (attribute(1, socket.inet_pton(family, address)) + attribute(5, socket.inet_pton(family, gateway)) +
                attribute(4, struct.pack("=I", index)))
        self.fpm.sendall(frame(netlink(24, route(family=int(family), bits=int(bits), attributes=told))))


def routers(prefix, work, build):
    return [Router(name, prefix, work, build) for name in SIDE]


def ping(router, number, count=3, family=4, interval=0.05, pattern=None):
    """How many pings across a SecY came back."""
    to = f"10.98.{number}.{3 - router.side}" if family == 4 else f"fd00:98:{number}::{3 - router.side}"
    words = ["-p", pattern] if pattern else []
    said = inside(router.host_ns, "ping", f"-{family}", "-n", "-q", "-c", count, "-i", interval, "-W", 2, *words, to,
                  check=False).stdout
    return int(said.split(" received")[0].split()[-1]) if " received" in said else 0


def wait_carrier(*all_routers):
    for router in all_routers:
        for s in router.secys:
            wait_for(10, f"{router.name}: s{s.number} has carrier",
                     lambda r=router, s=s: r.interface(f"s{s.number}")["carrier"])


def wait_ping(router, number):
    wait_for(10, f"{router.name}: a ping over s{number}", lambda: ping(router, number, 1) == 1)


def capture(namespace, device, path, *words):
    """tcpdump of what enters a device, running when this returns."""
    with open(str(path) + ".log", "wb") as log:
        process = spawn(namespace, ["tcpdump", "-i", device, "-Q", "in", "-n", "-p", "-U", "-B", "16384", "-Z", "root",
                                    "-w", path, *words], log)
    wait_for(5, f"tcpdump on {device}", lambda: "listening on" in Path(str(path) + ".log").read_text("utf-8"))
    return process


def end_captures(*captures):
    """(process, path) each. Everything seen is in the files afterwards; a capture that lost frames proves nothing."""
    time.sleep(1.2)
    for process, path in captures:
        process.send_signal(signal.SIGINT)
        process.wait(10)
        said = Path(f"{path}.log").read_text("utf-8")
        expect("\n0 packets dropped by kernel" in said, f"{path}: {said}")
