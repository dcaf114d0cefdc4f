"""What is on the wires: lossless counters by EtherType, and a capture of all headers.

Both sit on the bridge ports, where a frame enters that a router sent: nft counts at the ingress hook of the port,
tcpdump copies there. A cut wire still shows what a router sends into it, as long as the port is up.
"""
import os
import re
import signal
import time

import configs
import mka_keys
import pcap
from effects import LabError, inside, json_of, run, wait_for
from plan import CAPTURES, LOGS, ROUTERS, WIRE_NS, WIRES

SNAP = 256          # octets kept of a frame: all headers, and all of a small frame and of an MKPDU
KINDS = ("macsec", "eapol", "other")
boundaries = {}     # where flush_captures() last found the end of each capture
readers = {}        # of each wire: the SAKs found in its captures so far


def ports():
    return [(wire, router) for wire in WIRES for router in ROUTERS]


def counter_rules():
    lines = ["table netdev wires {"]
    for wire, router in ports():
        end = wire.end(router).replace("-", "_")
        lines += [f"  counter {end}_{kind} {{ }}" for kind in KINDS]
        lines += [f"  chain {end} {{",
                  f"    type filter hook ingress device \"{wire.end(router)}\" priority -500; policy accept;",
                  f"    ether type 0x88e5 counter name {end}_macsec accept",
                  f"    ether type 0x888e counter name {end}_eapol accept",
                  f"    counter name {end}_other", "  }"]
    return "\n".join(lines + ["}"]) + "\n"


def create_counters():
    run(inside(WIRE_NS, ["nft", "-f", "-"]), input_text=counter_rules())


def counters():
    """{"ch1-ce": {"macsec": 5, "eapol": 0, "other": 0}, ...}: frames that ce sent into ch1."""
    found = json_of(inside(WIRE_NS, ["nft", "-j", "list", "counters", "table", "netdev", "wires"]))
    packets = {c["counter"]["name"]: c["counter"]["packets"] for c in found["nftables"] if "counter" in c}
    return {wire.end(router): {kind: packets[f"{wire.end(router).replace('-', '_')}_{kind}"] for kind in KINDS}
            for wire, router in ports()}


def difference(after, before):
    return {end: {kind: after[end][kind] - before[end][kind] for kind in KINDS} for end in after}


def capture_path(wire, router):
    return CAPTURES / f"{wire.end(router)}.pcap"


def key_log():
    """({"ch1": [key, ...], ...}, problems): every SAK distributed until now, oldest first, from captured MKPDUs."""
    if not readers:
        for name, cak in configs.caks().items():
            paths = [capture_path(wire, router) for wire, router in ports() if wire.name == name]
            readers[name] = mka_keys.WireKeys(mka_keys.Cak.from_hex(cak), paths)
    found = {name: reader.read().keys() for name, reader in readers.items()}
    return found, [text for reader in readers.values() for text in reader.problems]


def capture_argv(wire, router):
    return inside(WIRE_NS, ["tcpdump", "-i", wire.end(router), "-Q", "in", "-n", "-p", "-s", str(SNAP), "-B", "32768",
                            "-Z", "root", "-w", capture_path(wire, router)])


def capture_pids(listing):
    """Fails when a capture ended: then it misses frames."""
    pids = {}
    for wire, router in ports():
        unit = listing[f"capture-{wire.end(router)}"]
        if unit["pid"] is None:
            raise LabError(f"the capture on {wire.end(router)} ended; see {LOGS}/capture-{wire.end(router)}.log")
        pids[wire.end(router)] = unit["pid"]
    return pids


def flush_captures(listing):
    """Everything captured until now is in the files afterwards; where each file then ends, at a whole frame."""
    pids = capture_pids(listing)
    time.sleep(1.3)   # tcpdump's kernel buffer hands blocks over after at most a second
    for pid in pids.values():
        os.kill(pid, signal.SIGUSR2)
    time.sleep(0.3)
    for end in pids:
        boundaries[end] = pcap.Capture(CAPTURES / f"{end}.pcap").boundary(boundaries.get(end, pcap.HEADER))
    return dict(boundaries)


def capture_drops(listing):
    """Frames the kernel dropped before tcpdump saw them, per port; by asking each tcpdump."""
    drops = {}
    for end, pid in capture_pids(listing).items():
        log = LOGS / f"capture-{end}.log"
        said = len(re.findall(r"dropped by kernel", log.read_text()))
        os.kill(pid, signal.SIGUSR1)

        def told(log=log, said=said):
            found = re.findall(r"(\d+) packets? dropped by kernel", log.read_text())
            return found if len(found) > said else None
        drops[end] = int(wait_for(f"the capture on {end} tells its drops", told, 5, 0.05)[-1])
    return drops
