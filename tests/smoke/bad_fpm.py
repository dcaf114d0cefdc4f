#!/usr/bin/python3
"""bad_fpm.py SOCKET PID GOLDEN: talks FPM to 127.0.0.1:2620 as no zebra does; then replays what zebra did say.

Each bad stream ends with the connection closed by the daemon or kept for more, never with the daemon gone. Each bad
message is counted, as an error or as skipped, and no route comes or goes by it; memory and buffers stay. The golden
streams then end in the routes of their dumps, hop by hop.
"""
import ipaddress
import random
import re
import socket
import struct
import sys
import time
from pathlib import Path

from ask import ask, frames_moved, free_buffers

HEADER = 4
MOST_GROWTH_KIB = 24 << 10  # ten times as many bad octets are sent
SEED = 7
GOLDEN_1000 = ("fpm-1000.bin", "fpm-1000.routes", 1 << 30)
TAPS = {2: "a0"}  # by the interface numbers in the recorded streams


def fail(text):
    sys.exit(f"bad_fpm: {text}")


def status(path):
    return ask(path, '{"request":"status"}')


def rss_kib(pid):
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line for line in text.splitlines() if line.startswith("VmRSS")).split()[1])


def frame(payload, *, version=1, kind=1, length=None):
    return struct.pack("!BBH", version, kind, HEADER + len(payload) if length is None else length) + payload


def netlink(kind, body, *, length=None, flags=0x401):
    return struct.pack("=IHHII", 16 + len(body) if length is None else length, kind, flags, 0, 0) + body


def attribute(kind, value, length=None):
    text = struct.pack("=HH", 4 + len(value) if length is None else length, kind) + value
    return text + bytes(-len(text) % 4)


def route(*, family=2, bits=24, table=254, kind=1, attributes=b""):
    return struct.pack("=BBBBBBBBI", family, bits, 0, 0, table, 186, 0, kind, 0) + attributes


def number(value):
    return struct.pack("=I", value)


NEXT_HOP = struct.pack("=BBBBI", 0, 0, 186, 0, 0)  # the header of a message about one
GOOD_PREFIX, GOOD_KIND = "203.0.113.0/24", "blackhole"
GOOD = frame(netlink(24, route(attributes=attribute(1, bytes([203, 0, 113, 0])), kind=6)))
SENTINEL = frame(netlink(24, route(family=10, bits=128, attributes=attribute(1, b"\xfe\xc0" + b"\xff" * 14), kind=6)))
CROWDED_PREFIX = "198.51.100.0/24"


def bad_frames():
    """Streams whose framing is wrong: (name, octets); the daemon closes the connection on each."""
    return [
        ("nonsense", b"\xde\xad\xbe\xef" * 1000), ("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("version 0", frame(b"x" * 16, version=0)), ("version 2", frame(b"x" * 16, version=2)),
        ("version 255", frame(b"x" * 16, version=255)),
        ("length 0", frame(b"", length=0)), ("length 3", frame(b"", length=3)), ("zeros", bytes(65536)),
    ]


def bad_messages():
    """Whole frames with one thing wrong inside: (name, which counter rises, payload). A random one may be either. The
    next frame must still be understood."""
    rng = random.Random(SEED)
    destination = attribute(1, bytes([198, 51, 100, 0]))
    good = destination + attribute(4, number(2))  # out of an interface: with a right header it is a route
    nested = b""
    for _ in range(2000):
        nested = attribute(0x8009, nested[:65000])
    wrong = [
        ("a message shorter than its header", netlink(24, route(attributes=good), length=3)),
        ("length 0", netlink(24, route(attributes=good), length=0)),
        ("longer than the frame", netlink(24, route(attributes=good), length=4000)),
        ("length 4 GiB", netlink(24, route(attributes=good), length=2**32 - 1)),
        ("no route header", netlink(24, b"\x02")),
        ("prefix of 255 bits", netlink(24, route(bits=255, attributes=good))),
        ("IPv4 of 33 bits", netlink(24, route(bits=33, attributes=good))),
        ("IPv6 with an IPv4 destination", netlink(24, route(family=10, bits=64, attributes=good))),
        ("an attribute of length 0", netlink(24, route(attributes=good + attribute(6, b"", 0)))),
        ("an attribute longer than its message", netlink(24, route(attributes=good + attribute(6, bytes(4), 400)))),
        ("no destination", netlink(24, route(attributes=attribute(4, number(2))))),
        ("no next hop", netlink(24, route(attributes=destination))),
        ("next hops in next hops without end", netlink(24, route(attributes=destination + nested))),
        ("next hops of no length", netlink(24, route(attributes=destination + attribute(9, bytes(64))))),
        ("group without members", netlink(104, NEXT_HOP + attribute(1, number(5)) + attribute(2, b""))),
        ("group of itself", netlink(104, NEXT_HOP + attribute(1, number(5)) + attribute(2, number(5) + bytes(4)))),
        *[(f"random octets {n}", rng.randbytes(rng.randrange(1, 65531))) for n in range(40)],
    ]
    skipped = [
        ("family 99", netlink(24, route(family=99, attributes=good))),
        ("a multicast route", netlink(24, route(kind=5, attributes=good))),
        ("unknown kinds", b"".join(netlink(k, bytes(20)) for k in range(300, 900))),
    ]
    either = [(f"a random message {n}", netlink(rng.choice((24, 25, 104, 105)), rng.randbytes(rng.randrange(0, 600))))
              for n in range(200)]
    return [(name, counter, payload[:65531])
            for counter, kinds in (("errors", wrong), ("skipped", skipped), ("", either)) for name, payload in kinds]


MADE = [0]


def connect(path):
    """No more at a time than the daemon's queue of new connections holds: the next would wait a second for its SYN."""
    s = socket.create_connection(("127.0.0.1", 2620), timeout=10)
    MADE[0] += 1
    if MADE[0] % 6 == 0:
        wait_until(path, "connections", lambda st: st["fpm"]["connections"] >= MADE[0])
    return s


def send(s, octets):
    """false: the daemon has closed the connection."""
    try:
        s.sendall(octets)
        return True
    except OSError:
        return False


def closed(s):
    try:
        return s.recv(1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def wait_until(path, what, wanted, seconds=15):
    end = time.monotonic() + seconds
    while True:
        s = status(path)
        if wanted(s):
            return s
        if time.monotonic() > end:
            fail(f"{what}: {s['fpm']} {s['routes']}")
        time.sleep(0.002)


def framing(path):
    for name, octets in bad_frames():
        before = status(path)["fpm"]["errors"]
        with connect(path) as s:
            send(s, octets)
            if not closed(s):
                fail(f"{name}: the connection stays open")
        if status(path)["fpm"]["errors"] <= before:
            fail(f"{name}: no error is counted")
    print(f"ok: {len(bad_frames())} streams of nonsense: the connection is closed, the error counted", flush=True)


def by_fpm(path):
    """What came by FPM, as the daemon lists it: of each prefix its kind and its hops."""
    listed = ask(path, '{"request":"show","what":"routes"}')
    if listed["more"]:
        fail(f"only {len(listed['routes'])} routes are listed")
    return {r["prefix"]: (r["kind"], sorted((h["interface"], h["neighbor"], h["weight"]) for h in r["hops"]))
            for r in listed["routes"] if r["source"] == "fpm"}


def only_good(path, after):
    found = by_fpm(path)
    if found != {GOOD_PREFIX: (GOOD_KIND, [])}:
        fail(f"after {after} the routes are {found}")


def taken(path, frames):
    """The status when so many frames have come and what they said is in the FIB."""
    return wait_until(path, f"{frames} frames", lambda s: s["fpm"]["frames"] >= frames and not s["routes"]["pending"])


def withdrawals(path, keep):
    """Of all that came by FPM but these. A replay does not take away what it does not mention, not for a minute."""
    networks = [ipaddress.ip_network(prefix) for prefix in by_fpm(path) if prefix not in keep]
    return b"".join(frame(netlink(25, route(family=2 if n.version == 4 else 10, bits=n.prefixlen,
                                            attributes=attribute(1, n.network_address.packed)))) for n in networks)


def begin_good(path, s):
    """The one good route, and the end of the replay."""
    send(s, GOOD + withdrawals(path, [GOOD_PREFIX]) + SENTINEL)
    wait_until(path, "the good route", lambda st: st["fpm"]["synced"] and not st["routes"]["pending"])
    only_good(path, "the end of a replay")


def ends(octets):
    """Where each FPM frame ends."""
    at = 0
    while at < len(octets):
        at += struct.unpack("!H", octets[at + 2:at + 4])[0]
        yield at


def halves(path, octets, wanted):
    """A frame with a route cut off at every place, and octet by octet: half a frame is no frame, no route, an error."""
    places = list(ends(octets))
    octets = octets[places[1]:]  # behind two connected routes: one BGP route in each frame
    with connect(path) as s:
        begin_good(path, s)
    wait_until(path, "the good connection's end", lambda st: not st["fpm"]["connected"])
    whole = next(ends(octets))
    for n in range(1, whole):
        before = status(path)["fpm"]
        with connect(path) as s:
            send(s, octets[:n])
        after = wait_until(path, f"{n} octets", lambda st: st["fpm"]["connections"] >= MADE[0] and
                           not st["fpm"]["connected"])["fpm"]
        if after["frames"] != before["frames"] or after["errors"] != before["errors"] + 1:
            fail(f"{n} octets of a frame of {whole}: before {before}, after {after}")
        only_good(path, f"{n} octets of a frame")
    octet_by_octet(path, octets, wanted)
    print(f"ok: half frames, {whole - 1} cuts, and octet by octet: each is one error and no route", flush=True)


def octet_by_octet(path, octets, wanted):
    """Six whole frames and half of one are six routes; the next octets would be the seventh."""
    *whole, seventh = [end for end, _ in zip(ends(octets), range(7))]
    before = status(path)["fpm"]["frames"]
    with connect(path) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for n in range(0, (whole[-1] + seventh) // 2):
            send(s, octets[n:n + 1])
        taken(path, before + len(whole))
    after = wait_until(path, "its end", lambda st: not st["fpm"]["connected"])["fpm"]
    routes = by_fpm(path)
    routes.pop(GOOD_PREFIX, None)
    strange = {p: r for p, r in routes.items() if r[1] != wanted.get(p)}
    if after["frames"] != before + len(whole) or len(routes) != len(whole) or strange:
        fail(f"{len(whole)} frames octet by octet are {after} and {routes}")


def messages(path):
    """All in one connection: the frames around them are right."""
    with connect(path) as s:
        begin_good(path, s)
        for name, counter, payload in bad_messages():
            before = status(path)["fpm"]
            if not send(s, frame(payload) + GOOD):
                fail(f"{name}: the connection was closed")
            judge(name, counter, before, taken(path, before["frames"] + 2)["fpm"])
            only_good(path, name)
        crowded(path, s)
    print(f"ok: {len(bad_messages())} frames with bad messages: each counted, no route by any; a good one behind each "
          "is understood", flush=True)


def judge(name, counter, before, after):
    """Every message but the good one is counted, by the counter it is meant for."""
    rose = {what: after[what] - before[what] for what in ("messages", "errors", "skipped")}
    if rose["messages"] < 2 or rose["errors"] + rose["skipped"] != rose["messages"] - 1 or not rose.get(counter, 1):
        fail(f"{name}: {rose}; wanted is {counter or 'errors or skipped'} for all messages but one")


def crowded(path, s):
    """4,000 times the same next hop is one, and goes again."""
    destination, gateway = attribute(1, bytes([198, 51, 100, 0])), attribute(5, bytes([10, 99, 0, 2]))
    hop = struct.pack("=HBBI", 16, 0, 0, 2) + gateway
    frames = status(path)["fpm"]["frames"]
    send(s, frame(netlink(24, route(attributes=destination + attribute(9, hop * 4000)))))
    taken(path, frames + 1)
    found = by_fpm(path).get(CROWDED_PREFIX)
    if found != ("group", [(TAPS[2], "10.99.0.2", 1)]):
        fail(f"a route with 4,000 equal hops is {found}")
    send(s, frame(netlink(25, route(attributes=destination))))
    taken(path, frames + 2)
    only_good(path, "the withdrawal of a route with 4,000 hops")


def large(path, pid):
    """64 KiB frames without end, and random ones: memory is bounded."""
    rng = random.Random(SEED)
    before = rss_kib(pid)
    with connect(path) as s:
        for _ in range(2000):
            if not send(s, frame(netlink(999, bytes(65515)))):
                fail("large frames of an unknown kind close the connection")
    for _ in range(400):
        with connect(path) as s:
            send(s, rng.randbytes(65536))
    wait_until(path, "large frames", lambda s: s["routes"]["pending"] == 0)
    grown = rss_kib(pid) - before
    if grown > MOST_GROWTH_KIB:
        fail(f"memory grew by {grown} KiB")
    print(f"ok: 150 MiB in frames of 64 KiB; memory grew by {max(grown, 0)} KiB", flush=True)


def connects(path, pid):
    before = status(path)["fpm"]["connections"]
    grown = rss_kib(pid)
    for _ in range(2000):
        connect(path).close()
    held = [connect(path) for _ in range(200)]
    wait_until(path, "connects", lambda s: s["fpm"]["connections"] >= before + 2200)
    for s in held:
        s.close()
    wait_until(path, "connects", lambda s: not s["fpm"]["connected"])
    grown = rss_kib(pid) - grown
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    if grown > MOST_GROWTH_KIB or files > 100:
        fail(f"memory grew by {grown} KiB, {files} descriptors are open")
    print(f"ok: 2,200 connections, {files} descriptors and {max(grown, 0)} KiB more afterwards", flush=True)


def expected(golden, name):
    """Prefixes of a dump with their next hops; connected routes of our own have none."""
    routes = {}
    for line in (golden / name).read_text(encoding="ascii").splitlines():
        hops = re.findall(r"via (\S+) dev (\d+) weight (\d+)", line)
        if len(hops) != line.count(" via "):
            fail(f"{name}: what is this: {line}")
        routes[line.split()[1]] = sorted((TAPS[int(dev)], via, int(weight)) for via, dev, weight in hops)
    return {prefix: hops for prefix, hops in routes.items() if hops}


def cut(octets, most):
    """The frames with the first `most` route messages (types 24 and 25)."""
    at = count = 0
    while at < len(octets) and count < most:
        end = at + struct.unpack("!H", octets[at + 2:at + 4])[0]
        message = at + HEADER
        while message < end:
            length, kind = struct.unpack("=IH", octets[message:message + 6])
            count += kind in (24, 25)
            message += (length + 3) & ~3
        at = end
    return octets[:at]


def replay(path, golden, stream, dump, most):
    wanted = expected(golden, dump)
    octets = cut((golden / stream).read_bytes(), most)
    with connect(path) as s:
        s.sendall(withdrawals(path, wanted) + octets)
        end = time.monotonic() + 15
        while True:
            found = {p: hops for p, (_, hops) in by_fpm(path).items() if hops}
            if found == wanted:
                break
            if time.monotonic() > end:
                differ = sorted(p for p in found.keys() | wanted.keys() if found.get(p) != wanted.get(p))
                fail(f"{stream}: {len(found)} routes, {len(wanted)} wanted; {len(differ)} differ: " + "; ".join(
                    f"{p} is {found.get(p)}, not {wanted.get(p)}" for p in differ[:4]))
            time.sleep(0.1)
    print(f"ok: {stream} ends in the {len(wanted)} routes of {dump}, hop by hop", flush=True)


def main():
    path, pid, golden = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    moved, free = frames_moved(path), free_buffers(path)
    framing(path)
    halves(path, (golden / "fpm-1000.bin").read_bytes(), expected(golden, "fpm-1000.routes"))
    messages(path)
    large(path, pid)
    connects(path, pid)
    for stream, dump, most in (("fpm-mixed-nonhg.bin", "fpm-mixed.1203.routes", 1203), GOLDEN_1000,
                               ("fpm-mixed-nhg.bin", "fpm-mixed.2303.routes", 2303), GOLDEN_1000,
                               ("fpm-mixed-nonhg.bin", "fpm-mixed.2303.routes", 2303),
                               ("fpm-mixed-nhg.bin", "fpm-mixed.routes", 1 << 30)):
        replay(path, golden, stream, dump, most)
    now, held = free_buffers(path), frames_moved(path) - moved  # ARP for the gateways
    if now < free - held:
        fail(f"buffers are lost: {free} free before, {now} after {held} frames")
    print(f"ok: {status(path)['fpm']['errors']} errors counted, {now} buffers free, {free} before", flush=True)


if __name__ == "__main__":
    main()
