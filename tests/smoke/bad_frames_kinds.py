"""The kinds of bad frames by name, each with the verdict that has to count it."""
import os

from frames import C, E, ES, SC, SCB, V, ether, ipv4, ipv6, udp

PLAIN, SECURED = bytes.fromhex("02bd00000c01"), bytes.fromhex("02bd00000a01")
LAN, PEER = bytes.fromhex("02bd00000d01"), bytes.fromhex("02bd00000b01")
IP4, IP6, ARP, INSIDE = 0x0800, 0x86DD, 0x0806, (0x8100, 1101)
BROADCAST = b"\xff" * 6
LSRR = bytes([131, 7, 4, 10, 99, 1, 2, 0])


def good_plain(octets=200, text=b""):
    body = udp(text.ljust(octets - 42, b"."))
    return ether(PLAIN, LAN, IP4, ipv4("10.99.0.2", "10.99.1.2", body))


def good_inside(octets=200, text=b""):
    return ether(SECURED, PEER, IP4, ipv4("10.99.1.2", "10.99.0.2", udp(text.ljust(octets - 42, b"."))), (INSIDE,))


def good_secured(peer, octets=200, text=b""):
    return peer.seal(good_inside(octets, text))


def bad_ipv4(source, destination):
    """(name, verdict, packet): source and destination are good ones of the link."""
    body = udp(b"x" * 40)

    def packet(**given):
        return ipv4(given.pop("s", source), given.pop("d", destination), body, **given)
    return [
        ("IPv4 with no whole header", "ip-truncated", packet()[:10]),
        ("IPv4 longer than its frame", "ip-truncated", packet(total=1400)),
        ("IPv4 with version 5", "ip-bad-version", packet(version=5)),
        ("IPv4 with version 0", "ip-bad-version", packet(version=0)),
        ("IPv4 with IHL 4", "ip-bad-header-length", packet(ihl=4)),
        ("IPv4 with IHL 0", "ip-bad-header-length", packet(ihl=0)),
        ("IPv4 with IHL beyond its length", "ip-bad-header-length", packet(ihl=15, total=40)),
        ("IPv4 with total length 0", "ip-bad-header-length", packet(total=0)),
        ("IPv4 with a wrong checksum", "ip-bad-checksum", packet(sum_off=0x0100)),
        ("IPv4 with a source route", "ip-source-route", packet(options=LSRR)),
        *[(f"IPv4 from {a}", "ip-bad-source", packet(s=a))
          for a in ("127.0.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "240.0.0.1")],
        *[(f"IPv4 to {a}", "ip-bad-destination", packet(d=a)) for a in ("127.0.0.1", "0.0.0.1", "240.0.0.1")],
        ("IPv4 from link-local", "link-local-not-forwarded", packet(s="169.254.1.1")),
        ("IPv4 to link-local", "link-local-not-forwarded", packet(d="169.254.9.9")),
        ("IPv4 to a group", "multicast-not-wanted", packet(d="239.1.1.1")),
        ("IPv4 to nowhere", "no-route", packet(d="198.51.100.1")),
        ("IPv4 with TTL 0", "punt ttl-expired", packet(ttl=0)),
        ("IPv4 with TTL 1", "punt ttl-expired", packet(ttl=1)),
    ]


def bad_ipv6(source, destination):
    body = udp(b"x" * 40)

    def packet(**given):
        return ipv6(given.pop("s", source), given.pop("d", destination), given.pop("body", body), **given)
    return [
        ("IPv6 with no whole header", "ip-truncated", packet()[:39]),
        ("IPv6 longer than its frame", "ip-truncated", packet(length=1400)),
        ("IPv6 with length 65535", "ip-truncated", packet(length=65535)),
        ("IPv6 with version 4", "ip-bad-version", packet(version=4)),
        ("IPv6 jumbogram", "ip-bad-header-length", packet(following=0, length=0)),
        *[(f"IPv6 from {a}", "ip-bad-source", packet(s=a)) for a in ("::1", "::", "ff02::1")],
        *[(f"IPv6 to {a}", "ip-bad-destination", packet(d=a)) for a in ("::1", "::", "ff01::1", "ff00::1")],
        ("IPv6 from link-local", "link-local-not-forwarded", packet(s="fe80::1")),
        ("IPv6 to link-local", "link-local-not-forwarded", packet(d="fe80::9")),
        ("IPv6 to a site's group", "multicast-not-wanted", packet(d="ff05::1")),
        ("IPv6 to nowhere", "no-route", packet(d="2001:db8::1")),
        ("IPv6 with hop limit 0", "punt ttl-expired", packet(hop_limit=0)),
        ("IPv6 nowhere, hop-by-hop options without end", "no-route",
         packet(d="2001:db8::1", following=0, body=b"\0\xff" + bytes(40))),
        ("IPv6 nowhere, a fragment that is none", "no-route", packet(d="2001:db8::1", following=44, body=b"\xff" * 8)),
    ]


def tag_kinds(frame):
    """frame(tags, type, payload): malformed stacks for an interface without a tag of VID 7."""
    nothing, vid = b"x" * 46, (0x8100, 7)
    bad_packet = ipv4("10.99.0.2", "10.99.1.2", nothing, version=9)
    return [
        ("an unknown VID", "unknown-vlan", frame((vid,), IP4, nothing)),
        ("an unknown service VID", "unknown-vlan", frame(((0x88A8, 7),), IP4, nothing)),
        ("two unknown VIDs", "unknown-vlan", frame((vid, vid), IP4, nothing)),
        ("an unknown VID behind a priority tag", "unknown-vlan", frame(((0x8100, 0), vid), IP4, nothing)),
        ("VID 4095", "bad-vlan-stack", frame(((0x8100, 4095),), IP4, nothing)),
        ("VID 4095 inside", "bad-vlan-stack", frame((vid, (0x8100, 4095)), IP4, nothing)),
        ("three tags", "bad-vlan-stack", frame((vid, vid, vid), IP4, nothing)),
        ("ten tags", "bad-vlan-stack", frame((vid,) * 10, IP4, nothing)),
        ("tags without end", "bad-vlan-stack", frame((vid,) * 300, 0x8100, b"")),
    ], bad_packet


def constant(kinds):
    """A frame that is sent again and again as it is."""
    return [(name, verdict, lambda f=frame: f) for name, verdict, frame in kinds]


def plain_kinds():
    def frame(tags, kind, payload, to=PLAIN):
        return ether(to, LAN, kind, payload, tags)
    nothing = b"x" * 46
    tags, bad_packet = tag_kinds(frame)
    kinds = tags + [
        ("a priority tag", "ip-bad-version", frame(((0x8100, 0),), IP4, bad_packet)),
        ("a tag cut off before its VID", "bad-vlan-stack", frame((), 0x8100, b"")),
        ("a tag cut off behind its VID", "bad-vlan-stack", frame((), 0x8100, b"\0\x07")),
        ("another's address", "not-our-mac", frame((), IP4, nothing, b"\x02" * 6)),
        ("address zero", "not-our-mac", frame((), IP4, nothing, bytes(6))),
        ("MACsec on a plain port", "macsec-on-clear-port", frame((), 0x88E5, nothing)),
        ("EAPOL on a plain port", "eapol-without-kay", frame((), 0x888E, nothing, bytes.fromhex("0180c2000003"))),
        ("an unknown EtherType", "unknown-ethertype", frame((), 0x88B5, nothing)),
        ("LLC", "unknown-ethertype", frame((), 46, nothing)),
        ("no payload", "ip-truncated", frame((), IP4, b"")),
        ("a unicast packet in a broadcast", "multicast-not-wanted",
         frame((), IP4, ipv4("10.99.0.2", "10.99.1.2", nothing), BROADCAST)),
    ]
    kinds += [(n, v, frame((), IP4, p)) for n, v, p in bad_ipv4("10.99.0.2", "10.99.1.2")]
    kinds += [(n, v, frame((), IP6, p)) for n, v, p in bad_ipv6("fd00:99::2", "fd00:99:1::2")]
    return constant(kinds)


def clear_kinds():
    def frame(kind, payload=b"x" * 46, tags=(), to=SECURED):
        return ether(to, PEER, kind, payload, tags)
    packet = ipv4("10.99.1.2", "10.99.0.2", udp(b"in clear" * 8))
    clear = "clear-frame-on-secured-port"
    return constant([
        ("IPv4 in clear", clear, frame(IP4, packet)),
        ("IPv4 in clear with the tag", clear, frame(IP4, packet, (INSIDE,))),
        ("IPv6 in clear", clear, frame(IP6, ipv6("fd00:99:1::2", "fd00:99::2", udp(b"in clear" * 8)))),
        ("ARP in clear", clear, frame(ARP, to=BROADCAST)), ("nothing in clear", clear, frame(IP4, b"")),
        ("MACsec behind a tag", clear, frame(0x88E5, tags=(INSIDE,))), ("half a tag", clear, frame(0x8100, b"")),
        ("LLDP", "clear-lldp-on-secured-port", frame(0x88CC)), ("LACP", "clear-lacp-on-secured-port", frame(0x8809)),
        ("LLDP behind a tag", "clear-lldp-on-secured-port", frame(0x88CC, tags=(INSIDE,))),
        ("PTP", "clear-ptp-on-secured-port", frame(0x88F7)),
        ("EAPOL without a KaY", "eapol-without-kay", frame(0x888E, to=bytes.fromhex("0180c2000003"))),
    ])


def sectag_kinds(peer):
    """Each SecTAG field at its wrong values; those that need a verified frame before them make it."""
    def sealed(**given):
        return lambda: peer.seal(good_inside(200), **given)

    def cut(octets):
        return lambda: peer.seal(good_inside(200))[:octets]

    def damaged(at):
        return lambda: (f := bytearray(peer.seal(good_inside(200)))).__setitem__(at, f[at] ^ 1) or bytes(f)
    return [
        *[(f"a SecTAG cut at {n}", "bad-tag-short", cut(n)) for n in (14, 15, 19, 20, 27)],
        ("no room for an ICV", "bad-tag-icv-short", cut(28 + 15)),
        ("no user data", "bad-tag-short-length", cut(28 + 16)),
        ("fewer than 48 octets without SL", "bad-tag-short-length", cut(28 + 47 + 16)),
        ("SL 48", "bad-tag-short-length", sealed(sl=48)),
        ("SL with bits 7 and 8", "bad-tag-short-length", sealed(sl=0xC4)),
        ("SL beyond the frame", "bad-tag-icv-short", lambda: peer.seal(good_inside(64), sl=47)[:28 + 46 + 16]),
        ("version 1", "bad-tag-version", sealed(tci=V | SC | E | C)),
        ("all of the TCI", "bad-tag-version", sealed(tci=0xFC)),
        ("ES with SC", "bad-tag-es-with-sc", sealed(tci=ES | SC | E | C)),
        ("SCB with SC", "bad-tag-scb-with-sc", sealed(tci=SCB | SC | E | C)),
        ("E without C", "e-without-c", sealed(tci=SC | E)), ("PN 0", "bad-tag-pn-zero", sealed(pn=0)),
        ("an unknown SCI", "unknown-sci", sealed(sci=PEER + b"\0\x02")),
        ("our own SCI", "unknown-sci", sealed(sci=SECURED + b"\0\x01")),
        *[(f"AN {an}, which is not used", "unused-an", sealed(an=an)) for an in (1, 2, 3)],
        ("integrity only", "not-encrypted", sealed(tci=SC)),
        ("changed and not encrypted", "not-encrypted", sealed(tci=SC | C)),
        ("an octet changed in the user data", "not-valid", damaged(60)), ("in the ICV", "not-valid", damaged(-1)),
        ("in the source address", "not-valid", damaged(6)), ("in the PN", "not-valid", damaged(17)),
        ("an ICV of zeros", "not-valid", lambda: peer.seal(good_inside(200))[:-16] + bytes(16)),
        ("random user data", "not-valid", lambda: peer.seal(good_inside(200))[:28] + os.urandom(200)),
        ("another's address", "not-our-mac", lambda: b"\x02" * 6 + peer.seal(good_inside(200))[6:]),
    ]


def replay_kinds(peer):
    """Verified frames first move the window: these are sent by the caller, once, before the copies."""
    old, last = peer.pn + 1, peer.pn + 500
    late, again = peer.seal(good_inside(200), pn=old), peer.seal(good_inside(200), pn=last)
    return [again], constant([("a PN below the window", "late", late), ("a PN twice", "duplicate", again)])


def inside_kinds(peer):
    """Bad packets of somebody who has the key."""
    def sealed(tags, kind, payload):
        return lambda: peer.seal(ether(SECURED, PEER, kind, payload, tags))
    tags, bad_packet = tag_kinds(lambda t, k, p: (t, k, p))
    kinds = [(n, v, sealed(*f)) for n, v, f in tags]
    kinds += [("no tag", "unknown-vlan", sealed((), IP4, bad_packet)),
              ("a priority tag before it", "ip-bad-version", sealed(((0x8100, 0), INSIDE), IP4, bad_packet)),
              ("MACsec in MACsec", "unknown-ethertype", sealed((INSIDE,), 0x88E5, b"x" * 46)),
              ("EAPOL in MACsec", "unknown-ethertype", sealed((INSIDE,), 0x888E, b"x" * 46))]
    kinds += [(n, v, sealed((INSIDE,), IP4, p)) for n, v, p in bad_ipv4("10.99.1.2", "10.99.0.2")]
    kinds += [(n, v, sealed((INSIDE,), IP6, p)) for n, v, p in bad_ipv6("fd00:99:1::2", "fd00:99::2")]
    return [(f"inside: {n}", v, m) for n, v, m in kinds]


def secured_kinds(peer):
    return clear_kinds() + sectag_kinds(peer) + inside_kinds(peer)
