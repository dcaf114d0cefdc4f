#!/usr/bin/python3
"""mka_eapol.py PREFIX WORK BUILD: two KaYs of each router on one wire, each behind a clear VLAN tag, the second with an
EAPOL address and an EtherType of its own.

Both agree with their own peer and carry; on the wire each has its MKPDUs behind its own tag, under its own address and
EtherType, and nowhere else. With another EtherType at one end the second closes and the first stays; set right again it
is secured again.
"""
from pathlib import Path

import mka
import pair
import pcap
from pair import expect, ok, wait_for

ADDRESS, ETHERTYPE = "01:80:c2:00:00:03", 0x888E
OWN_ADDRESS, OWN_ETHERTYPE, OTHER_ETHERTYPE = "03:5e:00:00:00:01", 0x876F, 0x876E


class SecY(mka.SecY):
    def __init__(self, number, ring, eapol=""):
        super().__init__(ring)
        self.number, self.clear_tags, self.eapol = number, f"{{vid: {6 + number}}}", eapol


class Router(mka.Router):
    def secy_text(self, s):
        text = super().secy_text(s)
        assert text.count("clear-tags: []\n") == 1
        return text.replace("clear-tags: []\n", f"clear-tags: [{s.clear_tags}]\n        port-identifier: {s.number}\n"
                                                f"{s.eapol}")

    def kays(self):
        return self.ask({"request": "show", "what": "mka"})["mka"]

    def ring_of(self, caks, ethertype):
        own = f"        eapol: {{destination: \"{OWN_ADDRESS}\", ethertype: {ethertype:#06x}}}\n"
        self.secys = [SecY(1, [caks[0]]), SecY(2, [caks[1]], own)]


def secured(routers, *wanted):
    return [kay["secured"] for r in routers for kay in r.kays()] == [*wanted] * len(routers)


def mkpdus(path):
    """{(VID, destination, EtherType): frames} of what is no MACsec."""
    seen, capture = {}, pcap.Capture(path)
    for start, kept, _ in capture.frames():
        frame = capture.data[start:start + kept]
        expect(frame[12:14] == b"\x81\x00", f"a frame without its clear tag: {frame[:16].hex()}")
        kind = int.from_bytes(frame[16:18], "big")
        if kind != 0x88E5:
            at = int.from_bytes(frame[14:16], "big") & 0xFFF, frame[:6].hex(":"), kind
            seen[at] = seen.get(at, 0) + 1
    return seen


def test(prefix, work, build):
    work = Path(work)
    east, west = routers = [Router(name, prefix, work, Path(build)) for name in pair.SIDE]
    caks = [mka.Cak(work, "vlan7"), mka.Cak(work, "vlan8", 16)]
    files = {device: work / f"wire.{device}.pcap" for device in ("e1", "w1")}
    captures = [(pair.capture(f"{prefix}-wire", device, file), file) for device, file in files.items()]
    for router in routers:
        router.ring_of(caks, OWN_ETHERTYPE)
        router.start()
    wait_for(15, "both KaYs of both routers are secured", lambda: secured(routers, True, True))
    pair.wait_carrier(*routers)
    for number in (1, 2):
        pair.wait_ping(east, number)
    ok("two KaYs on one wire, each behind its clear tag: both are secured and carry")

    west.ring_of(caks, OTHER_ETHERTYPE)
    west.reload()
    wait_for(15, "the second KaYs close, the first stay", lambda: secured(routers, True, False))
    pair.wait_ping(east, 1)
    ok("with another EtherType at one end the second KaY closes, the first stays")
    west.ring_of(caks, OWN_ETHERTYPE)
    west.reload()
    wait_for(15, "both are secured again", lambda: secured(routers, True, True))
    pair.wait_ping(east, 2)
    ok("set right again it is secured again")

    pair.end_captures(*captures)
    usual, own = (7, ADDRESS, ETHERTYPE), (8, OWN_ADDRESS, OWN_ETHERTYPE)
    for device, more in (("e1", set()), ("w1", {(8, OWN_ADDRESS, OTHER_ETHERTYPE)})):
        seen = mkpdus(files[device])
        expect(set(seen) == {usual, own} | more, f"{device}: {seen}")
        expect(min(seen.values()) >= 3, f"{device}: {seen}")
    ok(f"MKPDUs only where they were configured: {seen}")
    for router in routers:
        router.end()


if __name__ == "__main__":
    pair.main(test)
