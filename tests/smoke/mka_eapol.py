#!/usr/bin/python3
"""mka_eapol.py PREFIX WORK BUILD: two KaYs of each router on one wire, each behind a clear VLAN tag, the second with an
EAPOL address and an EtherType of its own.

Both agree with their own peer and carry; a rekey of the port goes to the KaY that is key server, in each router the
other one; on the wire each has its MKPDUs behind its own tag, under its own address and
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
        for old, new in (("clear-tags: []\n", f"clear-tags: [{s.clear_tags}]\n        port-identifier: {s.number}\n"
                                              f"{s.eapol}"),
                         (f"priority: {15 + self.side}\n", f"priority: {14 + (self.side * s.number) % 3}\n")):
            assert text.count(old) == 1
            text = text.replace(old, new)
        return text

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


def saks(router):
    """The key identifier of each KaY's SAK that transmits."""
    return [kay["in_use"]["key"] if kay["in_use"] else None for kay in router.kays()]


def rekey(router, peer, refuses):
    """The KaY of number 1 has its key server east, that of number 2 west. Both ends go on to one new SAK."""
    before = saks(router)
    answer = router.ask({"request": "mka-rekey", "port": "l1"})
    expect(answer["ok"] and answer["asked"] == len(answer["refused"]) == 1, f"{router.name}: {answer}")
    expect(answer["refused"][0]["clear_tags"] == router.kays()[refuses]["clear_tags"], f"{router.name}: {answer}")
    expect("key server" in answer["refused"][0]["reason"], f"{router.name}: {answer}")
    wait_for(10, "one new SAK at both ends", lambda: saks(router) == saks(peer) and
             [new == old for new, old in zip(saks(router), before)] == [n == refuses for n in range(2)])


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
    rekey(east, west, 1)
    rekey(west, east, 0)
    ok("a rekey goes to the KaY that is key server, and the other one's refusal is told")

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
