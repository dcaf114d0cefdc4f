#!/usr/bin/env python3
"""Replays a recorded FPM stream and prints the routes it ends with, sorted. Shares no code with Demarc."""
import argparse
import ipaddress
import struct

RTM_NEWROUTE, RTM_DELROUTE, RTM_NEWNEXTHOP, RTM_DELNEXTHOP = 24, 25, 104, 105
KINDS = {1: "unicast", 6: "blackhole", 7: "unreachable", 8: "unreachable"}
SENTINEL = "fec0:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"


def attributes(octets):
    found = {}
    while octets:
        length, kind = struct.unpack_from("=HH", octets)
        found[kind & 0x3FFF] = octets[4:length]
        octets = octets[(length + 3) & ~3:]
    return found


def hop(oif, gateway, weight=1):
    return (oif, gateway is not None, ipaddress.ip_address(gateway).packed if gateway else b"", weight, gateway)


def address(octets):
    return str(ipaddress.ip_address(octets)) if octets else None


def own_hops(a):
    hops, multipath = [], a.get(9, b"")
    while multipath:
        length, _, weight, oif = struct.unpack_from("=HBBi", multipath)
        inner = attributes(multipath[8:length])
        hops.append(hop(oif, address(inner.get(5)), weight + 1))
        multipath = multipath[(length + 3) & ~3:]
    if 4 in a:
        hops.append(hop(struct.unpack("=I", a[4])[0], address(a.get(5))))
    return hops


def resolve(next_hops, ident):
    blackhole, oif, gateway, members = next_hops[ident]
    if members:
        parts = [(next_hops[m], w) for m, w in members]
        return "unicast", [hop(p[1], p[2], w) for p, w in parts if not p[0]]
    return ("blackhole", []) if blackhole else ("unicast", [hop(oif, gateway)])


def messages(stream):
    at = 0
    while at < len(stream):
        version, kind, length = struct.unpack_from("!BBH", stream, at)
        assert (version, kind) == (1, 1)
        frame, at = stream[at + 4:at + length], at + length
        while frame:
            size, message = struct.unpack_from("=IH", frame)
            yield message, frame[16:size]
            frame = frame[(size + 3) & ~3:]


def replay(stream, route_messages):
    routes, next_hops, seen = {}, {}, 0
    for message, body in messages(stream):
        if message in (RTM_NEWNEXTHOP, RTM_DELNEXTHOP):
            a = attributes(body[8:])
            ident = struct.unpack("=I", a[1])[0]
            members = [(m, w + 1) for m, w, _, _ in struct.iter_unpack("=IBBH", a.get(2, b""))]
            oif = struct.unpack("=I", a[5])[0] if 5 in a else 0
            assert message == RTM_NEWNEXTHOP
            next_hops[ident] = (4 in a, oif, address(a.get(6)), members)
            continue
        if seen == route_messages:
            break
        seen += 1
        family, length, _, _, table, protocol, _, kind = struct.unpack_from("=8B", body)
        a = attributes(body[12:])
        prefix = f"{ipaddress.ip_address(a[1])}/{length}"
        key = (table, family, a[1], length, prefix)
        if message == RTM_DELROUTE:
            routes.pop(key, None)
        elif prefix != SENTINEL:
            metric = struct.unpack("=I", a[6])[0] if 6 in a else 0
            by_id = struct.unpack("=I", a[30])[0] if 30 in a and kind == 1 else None
            routes[key] = (KINDS[kind], protocol, metric, by_id, own_hops(a))
    for key in sorted(routes):
        kind, protocol, metric, by_id, hops = routes[key]
        if by_id is not None:
            kind, hops = resolve(next_hops, by_id)
        hops = [(f"via {h[4]} " if h[1] else "") + f"dev {h[0]} weight {h[3]}" for h in sorted(hops)]
        print(f"{key[0]} {key[4]} {kind} proto {protocol} metric {metric}" + (" " + ", ".join(hops) if hops else ""))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--route-messages", type=int, help="stop after this many RTM_NEWROUTE and RTM_DELROUTE")
    parser.add_argument("file")
    arguments = parser.parse_args()
    with open(arguments.file, "rb") as f:
        replay(f.read(), arguments.route_messages)
