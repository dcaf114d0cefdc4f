"""The odd frames by name, in the order to send them: what a Peer makes of each. Most carry an echo request."""
import struct

from odd_peer import SC, C, E

ES, SCB, V = 0x40, 0x10, 0x80
TAG_100 = struct.pack("!HH", 0x8100, 100)
OTHER_MAC = "02:de:00:00:00:77"


def damaged(frame):
    return frame[:-1] + bytes([frame[-1] ^ 1])


def kinds(peer, clear):
    """[(name, function that makes the frame)]. clear: source and destination of the packet in clear."""
    def sealed(user=50, **given):
        return lambda: peer.seal(user, **given)

    def padded(octets, user, **given):
        return lambda: peer.seal(user, **given) + bytes(octets)
    jumped = []

    def jump():
        jumped.append(peer.pn + 100)
        return peer.seal(pn=jumped[0])
    return [
        ("normal", sealed()), ("data-48", sealed(48)), ("data-47", sealed(47)), ("data-30", sealed(30)),
        ("data-30-without-sl", sealed(30, sl=0)), ("sl-over-47", sealed(50, sl=50)),
        ("sl-shorter-than-data", sealed(50, sl=30)), ("padding-behind-icv", padded(6, 30)),
        ("short-frame", sealed(14, tci=ES | E | C)), ("short-frame-padded", padded(10, 14, tci=ES | E | C)),
        ("padding-without-sl", padded(6, 80)),
        ("integrity-only", sealed(tci=SC)), ("changed-not-encrypted", sealed(tci=SC | C)),
        ("encrypted-not-changed", sealed(tci=SC | E)),
        ("form-es", sealed(tci=ES | E | C)), ("form-none", sealed(tci=E | C)),
        ("form-scb-port-1", sealed(tci=SCB | E | C)), ("form-scb-port-0", sealed(tci=SCB | E | C, port=0)),
        ("es-with-sc", sealed(tci=ES | SC | E | C)), ("scb-with-sc", sealed(tci=SCB | SC | E | C)),
        ("version-1", sealed(tci=V | SC | E | C)), ("pn-0", sealed(pn=0)),
        ("pn-jumps-ahead", jump), ("pn-twice", lambda: peer.seal(pn=jumped[0])),
        ("pn-older", lambda: peer.seal(pn=jumped[0] - 50)),
        ("icv-wrong", lambda: damaged(peer.seal())), ("sci-unknown", sealed(sci=bytes.fromhex("02de000000990001"))),
        ("an-unused", sealed(an=1)), ("key-wrong", sealed(sak="5a" * 16)), ("in-clear", lambda: peer.clear(*clear)),
        ("tag-before-sectag", sealed(before=TAG_100)), ("tag-inside", sealed(inside=TAG_100)),
        ("to-another-address", sealed(destination=OTHER_MAC)), ("source-not-of-sci", sealed(source=OTHER_MAC)),
        ("normal-again", sealed()),
    ]


def scb_kinds(peer):
    """To a receiver whose secure channel is that of SCB: SCI with port identifier 0."""
    return [("scb-channel-port-0", lambda: peer.seal(tci=SCB | E | C, port=0)),
            ("scb-channel-port-1", lambda: peer.seal(tci=SCB | E | C))]
