"""What the lab is, as values: names, addresses, paths. No effects.

    host-a - ce = four wires = pe - host-b

A router has two namespaces: `ce` with the TAPs and FRR, `ce-ports` with the ports, where demarcd runs.
DEMARC_LAB=NAME gives a second lab its own namespaces and directories.
"""
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

PREFIX = os.environ.get("DEMARC_LAB", "lab")
if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,15}", PREFIX):
    raise SystemExit(f"lab: DEMARC_LAB={PREFIX!r} is no name; use up to 16 letters, digits and dashes")

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("DEMARC_BUILD", ROOT / "build" / "release"))
RUN = Path(f"/run/demarc-{PREFIX}")            # configs, keys, logs, pids: mode 0710 root:frr, keys 0700
CAPTURES = Path(f"/var/tmp/demarc-{PREFIX}")   # on disk: they grow with the traffic
KEYS = RUN / "keys"
LOGS = RUN / "log"

HOLD_S = 9             # BGP's
HELLO_S = 2            # MKA's: between MKPDUs,
LIFE_S = 6             # until a silent peer is dead,
REKEY_S = 7            # between SAKs
WIRE_MTU = 1440        # below the hosts' 1500: path MTU discovery has something to discover
REPLAY_WINDOW = 64
MAXIMUM_PREFIX = 100


def ns(name):
    """The namespace of a place of the lab: ns("ce") is "lab-ce"."""
    return f"{PREFIX}-{name}"


def binary(name):
    """A program of the build, wherever the build puts it."""
    for path in (BUILD / name, BUILD / "tools" / name / name):
        if path.is_file():
            return path
    return BUILD / name


@dataclass(frozen=True)
class Wire:
    number: int
    facility: str

    @property
    def name(self):
        return f"ch{self.number}"

    @property
    def vid(self):
        return 1100 + self.number

    @property
    def interface(self):
        return f"{self.name}-{self.vid}"

    def address4(self, router):
        return f"172.31.{100 + self.number}.{router.host_number}"

    def address6(self, router):
        return f"fd00:1:{100 + self.number}::{router.host_number}"

    def mac(self, router):
        return f"02:de:00:00:{router.mac_octet}:{self.number:02x}"

    def sci(self, router):
        """48 bits of MAC address, 16 bits of port identifier: always 1 here."""
        return self.mac(router).replace(":", "") + "0001"

    def priority(self, router):
        """The lowest is key server: ce on the wires of facility east, pe on those of west."""
        return 16 if (router.name == "ce") == (self.facility == "east") else 32

    def end(self, router):
        """The bridge port that faces a router; frames enter it that the router sent."""
        return f"{self.name}-{router.name}"


@dataclass(frozen=True)
class Host:
    name: str
    address4: str
    address6: str
    gateway4: str
    gateway6: str
    spare4: str   # prefix of addresses nobody uses, for a first packet to a silent neighbour
    spare6: str

    @property
    def ns(self):
        return ns(self.name)

    def address(self, family):
        return self.address4 if family == 4 else self.address6


@dataclass(frozen=True)
class Router:
    name: str
    asn: int
    router_id: str
    host_number: int     # last part of its addresses on the wires
    mac_octet: str
    host: Host
    announce: tuple
    accept: tuple
    lan_mac: str
    workers: int
    port_workers: dict = field(default_factory=dict, hash=False)  # port: worker of both directions

    @property
    def ns(self):
        return ns(self.name)

    @property
    def ports_ns(self):
        return ns(f"{self.name}-ports")

    @property
    def run(self):
        return RUN / self.name

    @property
    def socket(self):
        return self.run / "demarc.sock"

    @property
    def config(self):
        return self.run / "demarc.yaml"

    @property
    def frr(self):
        return self.run / "frr"

    @property
    def namespaces(self):
        return (self.ns, self.ports_ns)


WIRES = (Wire(1, "east"), Wire(2, "east"), Wire(3, "west"), Wire(4, "west"))
HOST_A = Host("host-a", "10.10.0.2", "fd00:10::2", "10.10.0.1", "fd00:10::1", "10.10.0.", "fd00:10::")
HOST_B = Host("host-b", "10.20.0.2", "fd00:20::2", "10.20.0.1", "fd00:20::1", "10.20.0.", "fd00:20::")
CE = Router("ce", 65010, "10.255.0.1", 1, "0c", HOST_A, ("10.10.0.0/24", "fd00:10::/64"),
            ("10.20.0.0/16", "fd00:20::/32"), "02:de:00:00:0c:10", 1)
# The host port belongs to one worker, the wires to the other: whatever wire a flow takes, its packets cross a hand-over
# ring. (A wire on the host port's worker would make the share depend on where one large flow happens to go.)
PE = Router("pe", 64512, "10.255.0.2", 2, "0e", HOST_B, ("10.20.0.0/24", "fd00:20::/64"),
            ("10.10.0.0/16", "fd00:10::/32"), "02:de:00:00:0e:10", 2,
            {"lan": 0, "ch1": 1, "ch2": 1, "ch3": 1, "ch4": 1})
ROUTERS = (CE, PE)
HOSTS = (HOST_A, HOST_B)
WIRE_NS = ns("wire")
NAMESPACES = (HOST_A.ns, CE.ns, CE.ports_ns, WIRE_NS, PE.ns, PE.ports_ns, HOST_B.ns)
PLACES = ("host-a", "ce", "ce-ports", "wire", "pe", "pe-ports", "host-b")


def peer(router):
    return PE if router is CE else CE


def router_of(host):
    return CE if host is HOST_A else PE
