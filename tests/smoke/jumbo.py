#!/usr/bin/python3
"""jumbo.py PREFIX WORK BUILD: an L3 MTU of 9,001.

1. packets of 9,001 octets cross, both families, both ways. 2. one octet more is answered with the MTU. 3. on the wire
the longest frames have the length that MACsec and the tag make of it, and all are of MACsec.
"""
import re
from pathlib import Path

import pair
from pair import Sak, SecY, expect, inside, ok, wait_for

import pcap  # of tools/lab.d

MTU = 9001
SUITE = {1: "gcm-aes-xpn-256", 2: "gcm-aes-128"}
HEADERS = {4: 28, 6: 48}                   # IP and ICMP
LONGEST = 14 + 4 + MTU + 16 + 16           # Ethernet, tag, packet, SecTAG with SCI, ICV
ETHERTYPE_MACSEC = b"\x88\xe5"


def host_ping(namespace, to, family, octets, count=20):
    """What ping says of packets with so many octets that may not be fragmented."""
    return inside(namespace, "ping", f"-{family}", "-n", "-q" if octets <= MTU else "-v", "-M", "do", "-c", count, "-i",
                  0.02, "-W", 2, "-s", octets - HEADERS[family], to, check=False).stdout


def cross(prefix):
    places = {"lan": {4: "10.97.2.2", 6: "fd00:97:2::2"}, "far": {4: "10.97.1.2", 6: "fd00:97:1::2"}}
    for place, others in places.items():
        for family, to in others.items():
            namespace = f"{prefix}-{place}"
            wait_for(10, f"{place}: a ping of IPv{family}",
                     lambda n=namespace, t=to, f=family: " 1 received" in host_ping(n, t, f, 1000, 1))
            said = host_ping(namespace, to, family, MTU)
            expect(" 20 received" in said, f"{place}, IPv{family}, {MTU} octets: {said}")
            said = host_ping(namespace, to, family, MTU + 1, 3)
            expect(re.search(rf"mtu ?= ?{MTU}\b", said) and " 0 received" in said, f"{MTU + 1} octets: {said}")
    ok(f"packets of {MTU} octets cross, both families, both ways; one octet more is answered with the MTU")


def judge_wire(captures):
    for name, path in captures.items():
        capture = pcap.Capture(path)
        frames = [(capture.data[at:at + kept], on_wire) for at, kept, on_wire in capture.frames()]
        expect(all(frame[12:14] == ETHERTYPE_MACSEC for frame, _ in frames), f"{name}: a frame in clear")
        longest = max(on_wire for _, on_wire in frames)
        expect(longest == LONGEST, f"{name}: the longest frame has {longest} octets, not {LONGEST}")
        expect(sum(on_wire == LONGEST for _, on_wire in frames) >= 20, f"{name}: too few frames of {LONGEST} octets")
    ok(f"on the wire: frames of up to {LONGEST} octets, all of MACsec")


def test(prefix, work, build):
    work, build = Path(work), Path(build)
    routers = east, west = pair.routers(prefix, work, build)
    saks = {n: Sak(work, f"secy{n}", suite) for n, suite in SUITE.items()}
    captures = {f"{name}{link}": work / "etc" / f"{name}{link}.pcap" for link in SUITE for name in pair.SIDE}
    running = [(pair.capture(f"{prefix}-wire", f"{name[0]}{name[-1]}", path, "-s", "64"), path)
               for name, path in captures.items()]
    for router in routers:
        router.driver, router.buffers, router.buffer_octets = "af_packet", 4096, 9312
        router.mtu = router.inner_mtu = MTU
        router.secys = [SecY(n, n, sak, [sak]) for n, sak in saks.items()]
        router.start()
    pair.wait_carrier(*routers)
    for router, behind in ((east, 2), (west, 1)):
        # To the kernel, too, as zebra does: it writes the answers to what is too long.
        for destination, through, gateway in ((f"10.97.{behind}.0/24", 1, f"10.98.1.{behind}"),
                                              (f"fd00:97:{behind}::/64", 2, f"fd00:98:2::{behind}")):
            inside(router.host_ns, "ip", "route", "add", destination, "via", gateway, "dev", f"s{through}")
            router.route(destination, through)
    cross(prefix)
    for router in routers:
        for n in SUITE:
            receive = router.secy(n)["receive"][0]
            expect(receive["in_pkts_ok"] >= 20, f"{router.name}, s{n}: {receive}")
    pair.end_captures(*running)
    judge_wire(captures)
    east.end()
    west.end()


if __name__ == "__main__":
    pair.main(test)
