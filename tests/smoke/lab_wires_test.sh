#!/bin/bash
# The lab's wires count and capture every frame a router sends into them, clear ones too, through every kind of cut.
set -euo pipefail
[ "$(id -u)" = 0 ] || exec sudo -- "$0" "$@"
cd "$(dirname "$0")/../.."
export DEMARC_LAB=labwires$$
trap 'tools/lab down 2>/dev/null' EXIT
/usr/bin/python3 -B - <<'PYTHON'
import socket
import sys

sys.path.insert(0, "tools/lab.d")
import lifecycle
import pcap
import topology
import units
import wires
from effects import run_in
from plan import CE, PE, ROUTERS, WIRES

SENDER = """
import socket, sys
device, count = sys.argv[1], int(sys.argv[2])
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((device, 0))
for word in sys.argv[3:]:
    for _ in range(count):
        s.send(bytes.fromhex("ffffffffffff" + "02de00000c01" + word).ljust(80, bytes(1)))
"""


def send(router, wire, count, *words):
    run_in(router.ports_ns, ["/usr/bin/python3", "-c", SENDER, wire.name, str(count), *words])


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: {found}, not {wanted}")
    print(f"{what}: {found}")


lifecycle.create_run_directory()
lifecycle.machine.reserve()
topology.create()
wires.create_counters()
units.start_supervisor()
units.start_captures()
expect("frames before anybody sent", sum(sum(c.values()) for c in wires.counters().values()), 0)
for router in ROUTERS:
    for wire in WIRES:
        run_in(router.ports_ns, ["ip", "link", "set", wire.name, "up"])
expect("frames of ports that came up", sum(sum(c.values()) for c in wires.counters().values()), 0)

macsec, eapol, clear, tagged = "88e5", "888e", "0800", "8100000588e5"
send(CE, WIRES[0], 100, macsec, eapol, clear, tagged)
send(PE, WIRES[3], 70, macsec)
expect("ce into ch1", wires.counters()["ch1-ce"], {"macsec": 100, "eapol": 100, "other": 200})
expect("pe into ch4", wires.counters()["ch4-pe"], {"macsec": 70, "eapol": 0, "other": 0})

for kind in ("carrier", "silent", "one-sided"):
    topology.cut(WIRES[1], kind)
    expect(f"{kind} cut: ce's link", "LOWER_UP" in topology.link(CE.ports_ns, "ch2")["flags"], kind == "silent")
    expect(f"{kind} cut: pe's link", "LOWER_UP" in topology.link(PE.ports_ns, "ch2")["flags"], kind != "carrier")
    topology.mend(WIRES[1], kind)
send(CE, WIRES[1], 50, macsec)
expect("ce into ch2 after the cuts", wires.counters()["ch2-ce"]["macsec"], 50)

wires.flush_captures(units.listing())
for end, counted in wires.counters().items():
    frames = len(list(pcap.Capture(wires.CAPTURES / f"{end}.pcap").frames()))
    expect(f"captured on {end}", frames, sum(counted.values()))
expect("dropped by the captures", sum(wires.capture_drops(units.listing()).values()), 0)
PYTHON
if tools/lab down; then
    echo "down did not complain about clear frames"
    exit 1
fi
[ ! -e "/run/demarc-$DEMARC_LAB" ] && [ ! -e "/var/tmp/demarc-$DEMARC_LAB" ]
! ip netns list | grep -q "^$DEMARC_LAB-"
