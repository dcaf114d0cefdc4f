#!/usr/bin/python3
"""pcapng.py FILE: one line a packet: in or out, length, octets kept, EtherTypes. Shares no code with Demarc; a file cut
in the middle of a block is an error. The last line: "statistics: received N dropped N accepted N"."""
import struct
import sys

TAGS = (0x8100, 0x88A8)


def blocks(octets):
    at = 0
    while at < len(octets):
        kind, length = struct.unpack_from("<II", octets, at)
        if length % 4 or length < 12 or octets[at + length - 4:at + length] != octets[at + 4:at + 8]:
            sys.exit(f"a bad or cut block at {at} of {len(octets)}")
        yield kind, octets[at + 8:at + length - 4]
        at += length


def options(octets):
    found, at = {}, 0
    while at < len(octets):
        code, length = struct.unpack_from("<HH", octets, at)
        found[code] = octets[at + 4:at + 4 + length]
        at += 4 + (length + 3) // 4 * 4
    return found


def types(frame):
    said, at = [], 12
    while True:
        kind = int.from_bytes(frame[at:at + 2], "big")
        if kind not in TAGS:
            return [*said, f"{kind:04x}"]
        said.append(f"{kind:04x}.{int.from_bytes(frame[at + 2:at + 4], 'big') & 0xFFF}")
        at += 4


def main():
    with open(sys.argv[1], "rb") as file:
        for kind, body in blocks(file.read()):
            if kind == 6:
                _, high, low, kept, length = struct.unpack_from("<IIIII", body)
                flags = options(body[20 + (kept + 3) // 4 * 4:])[2]
                print({1: "in", 2: "out"}[flags[0] & 3], length, kept, *types(body[20:20 + kept]))
                if not (1 << 60) < (high << 32 | low) < (1 << 61):  # nanoseconds: 2006 to 2043
                    sys.exit("no time of these days")
            elif kind == 5:
                n = options(body[12:])
                received, dropped, accepted = (int.from_bytes(n[c], "little") for c in (4, 5, 6))
                print(f"statistics: received {received} dropped {dropped} accepted {accepted}")


main()
