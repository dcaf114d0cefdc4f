#!/usr/bin/python3
"""clear_tags.py PREFIX WORK BUILD: SecYs behind 0, 1 and 2 clear tags, and two on one port.

1. pings of both families cross each. 2. on the wire stand exactly the SecY's clear tags, then 0x88E5, and nothing else
ever. 3. what one VLAN's key protected is refused behind the other VLAN's tag, as are frames behind other tags or none.
4. EAPOL frames, also with a configured address and EtherType, reach nobody: there is no KaY.
"""
import struct
import time
from pathlib import Path

import pair
from frames import Peer, ether, ipv4, raw_socket, udp
from pair import Sak, SecY, expect, ok, wait_for

import pcap  # of tools/lab.d

XPN = "gcm-aes-xpn-256"
# SecY: link, suite, clear tags as YAML and as octets
SECYS = {1: (1, "gcm-aes-128", "", ""), 2: (2, XPN, "{vid: 7}", "81000007"),
         3: (3, "gcm-aes-256", "{tpid: 0x88a8, vid: 20}, {vid: 30}", "88a800148100001e"),
         4: (4, XPN, "{vid: 7}", "81000007"), 5: (4, XPN, "{vid: 8}", "81000008")}
EAPOL = {1: ("01:80:c2:00:00:0e", 0x876F), 2: ("ff:ff:ff:ff:ff:ff", 0x888E), 5: ("02:5e:00:00:00:99", 0x1234)}
COPIES = 5


def octets(mac):
    return bytes.fromhex(mac.replace(":", ""))


def secy(number, sak):
    link, _, clear_tags, _ = SECYS[number]
    more = []
    if number in EAPOL:
        more.append(f"eapol: {{destination: \"{EAPOL[number][0]}\", ethertype: {EAPOL[number][1]:#06x}}}")
    return SecY(link, number, sak, [sak], clear_tags, more)


def judge_wire(captures):
    """Every frame is of a SecY of its link: that one's clear tags, then the SecTAG, then its SCI."""
    counts = {n: 0 for n in SECYS}
    for (link, name), path in captures.items():
        capture = pcap.Capture(path)
        for at, kept, _ in capture.frames():
            frame = capture.data[at:at + kept]
            for n, (of, _, _, tags) in SECYS.items():
                head = frame[12:12 + len(tags) // 2 + 2].hex()
                if of == link and head == tags + "88e5":
                    sci = frame[12 + len(tags) // 2 + 8:][:8].hex()
                    expect(sci == pair.mac_of(name, link).replace(":", "") + f"{n:04x}", f"SecY {n}: SCI {sci}")
                    counts[n] += 1
                    break
            else:
                raise pair.Failure(f"on link {link} from {name}: {frame[:40].hex()}")
    expect(min(counts.values()) > 40, f"too few frames: {counts}")
    ok(f"on the wire, by SecY: {counts} frames, each with its clear tags, then 0x88e5; nothing else")


class Injector:
    """Frames put on the wire towards west."""

    def __init__(self, prefix, west):
        self.west = west
        self.sockets = {link: raw_socket(f"{prefix}-wire", f"w{link}") for link in (1, 2, 3, 4)}

    def in_frames(self, link):
        return next(p["in_frames"] for p in self.west.status()["ports"] if p["name"] == f"l{link}")

    def grown(self, link, frame):
        """What COPIES of a frame add to west's drops, by SecY to frames accepted, and to packets for its host."""
        before, copies = self.look(), self.in_frames(link) + COPIES
        for _ in range(COPIES):
            self.sockets[link].send(frame)
        wait_for(5, "west receives", lambda: self.in_frames(link) >= copies)
        time.sleep(0.05)
        after = self.look()
        return {k: after.get(k, 0) - before.get(k, 0) for k in after if after.get(k, 0) != before.get(k, 0)}

    def look(self):
        status = self.west.status()
        found = {f"ok {n}": self.west.pick(status, n)["receive"][0]["in_pkts_ok"] for n in SECYS}
        found.update({word: n for worker in status["workers"] for word, n in worker["drops"].items()})
        found["to host"] = status["host"]["to_host"]
        return found


def behind(tags, frame):
    return frame[:12] + bytes.fromhex(tags) + frame[12:]


def other_keys(injector, saks):
    """VLAN 8 of link 4 takes what its own key protected, and nothing that VLAN 7's did."""
    west = injector.west
    inner = ether(octets(pair.mac_of("west", 4)), octets(pair.mac_of("east", 4)), 0x0800,
                  ipv4("10.98.5.1", "10.98.5.2", udp(b"demarc")), [(0x8100, 1105)])
    for name, sak in (("the other VLAN's key", saks[4]), ("own key", saks[5])):
        sci = bytes.fromhex(pair.sci_of("east", next(s for s in west.secys if s.number == 5)))
        peer = Peer(sak.octets, bytes.fromhex(sak.salt), pair.SIDE["east"], sci)
        frame = peer.seal(inner, pn=west.secy(5)["receive"][0]["sas"][0]["next_pn"] + 20)
        grown = injector.grown(4, behind("81000008", frame))
        if sak is saks[4]:
            expect(grown == {"not-valid": COPIES}, f"{name}: {grown}")
        else:  # once; then it has been seen, in the same batch or before
            repeated = grown.get("duplicate", 0) + grown.get("late", 0)
            expect(grown.get("ok 5") == 1 and repeated == COPIES - 1, f"{name}: {grown}")
        for tags, where in (("", "no tag"), ("81000009", "VLAN 9"), ("8100000781000008", "two tags")):
            grown = injector.grown(4, behind(tags, frame))
            expect(grown == {"clear-frame-on-secured-port": COPIES}, f"{name}, behind {where}: {grown}")
    grown = injector.grown(4, behind("81000007", frame))
    expect(grown == {"unknown-sci": COPIES}, f"VLAN 8's frame behind VLAN 7's tag: {grown}")
    ok("each clear VLAN takes frames of its own key only; behind other tags, or none, they are clear frames: dropped")


def eapol(injector):
    """The configured address and EtherType, and the usual EtherType: to the KaY, and there is none."""
    east = {link: octets(pair.mac_of("east", link)) for link in (1, 2, 3, 4)}
    pdu = bytes.fromhex("03050020") + bytes(60)
    for number, (destination, kind) in EAPOL.items():
        link, _, _, tags = SECYS[number]
        for to, of in ((destination, kind), (destination, 0x888E), ("01:80:c2:00:00:03", kind),
                       ("01:80:c2:00:00:03", 0x888E)):
            grown = injector.grown(link, behind(tags, octets(to) + east[link] + struct.pack("!H", of) + pdu))
            expect(grown == {"eapol-without-kay": COPIES}, f"SecY {number}: EAPOL {of:#x} to {to}: {grown}")
        foreign = behind("8100000c", octets(destination) + east[link] + struct.pack("!H", kind) + pdu)
        grown = injector.grown(link, foreign)
        expect(grown == {"clear-frame-on-secured-port": COPIES}, f"SecY {number}: EAPOL behind VLAN 12: {grown}")
    grown = injector.grown(3, behind(SECYS[3][3], octets("01:80:c2:00:00:0e") + east[3] + b"\x87\x6f" + pdu))
    expect(grown == {"clear-frame-on-secured-port": COPIES}, f"another SecY's EtherType: {grown}")
    ok("EAPOL frames of every configured address and EtherType reach nobody; behind other tags they are clear frames")


def test(prefix, work, build):
    work, build = Path(work), Path(build)
    routers = east, west = pair.routers(prefix, work, build)
    saks = {n: Sak(work, f"secy{n}", suite) for n, (_, suite, _, _) in SECYS.items()}
    captures = {(link, name): work / "etc" / f"{name}{link}.pcap" for link in (1, 2, 3, 4) for name in pair.SIDE}
    running = [(pair.capture(f"{prefix}-wire", f"{name[0]}{link}", path), path)
               for (link, name), path in captures.items()]
    for router in routers:
        router.buffers, router.secys = 32768, [secy(n, sak) for n, sak in saks.items()]
        router.start()
    pair.wait_carrier(*routers)
    for n in SECYS:
        pair.wait_ping(east, n)
        for router in routers:
            for family in (4, 6):
                wait_for(10, f"{router.name}: 10 pings over s{n}, IPv{family}",
                         lambda r=router, n=n, f=family: pair.ping(r, n, 10, f) == 10)
    ok("pings of both families cross every SecY, both ways")
    pair.end_captures(*running)
    judge_wire(captures)
    east.end()  # from here on only what is injected comes to west
    injector = Injector(prefix, west)
    other_keys(injector, saks)
    eapol(injector)
    west.end()


if __name__ == "__main__":
    pair.main(test)
