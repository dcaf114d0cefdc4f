#!/usr/bin/python3
"""bad_fpm.py SOCKET PID GOLDEN: talks FPM to 127.0.0.1:2620 as no zebra does; then replays what zebra did say.

Each bad stream ends with the connection closed by the daemon or kept for more, never with the daemon gone; errors are
counted; memory stays. The golden streams then end in the routes of their dumps.
"""
import random
import socket
import struct
import sys
import time
from pathlib import Path

from ask import ask

HEADER = 4
MOST_GROWTH_KIB = 24 << 10  # ten times as many bad octets are sent
SEED = 7
GOLDEN_1000 = ("fpm-1000.bin", "fpm-1000.routes", 1 << 30)


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


def bad_frames():
    """Streams whose framing is wrong: (name, octets); the daemon closes the connection on each."""
    return [
        ("nonsense", b"\xde\xad\xbe\xef" * 1000), ("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("version 0", frame(b"x" * 16, version=0)), ("version 2", frame(b"x" * 16, version=2)),
        ("version 255", frame(b"x" * 16, version=255)),
        ("length 0", frame(b"", length=0)), ("length 3", frame(b"", length=3)), ("zeros", bytes(65536)),
    ]


def bad_messages():
    """Whole frames with something wrong inside: (name, payload). The next frame must still be understood."""
    rng = random.Random(SEED)
    hop = struct.pack("=HBBI", 8, 0, 0, 2)
    destination = attribute(1, bytes([198, 51, 100, 0]))
    nested = b""
    for _ in range(2000):
        nested = attribute(0x8009, nested[:65000])
    return [
        ("a message shorter than its header", netlink(24, b"", length=3)), ("length 0", netlink(24, b"", length=0)),
        ("longer than the frame", netlink(24, route(), length=4000)),
        ("length 4 GiB", netlink(24, b"", length=2**32 - 1)),
        ("no route header", netlink(24, b"\x02")), ("family 99", netlink(24, route(family=99, attributes=destination))),
        ("prefix of 255 bits", netlink(24, route(bits=255, attributes=destination))),
        ("IPv4 of 33 bits", netlink(24, route(bits=33, attributes=destination))),
        ("IPv6 with an IPv4 destination", netlink(24, route(family=10, bits=64, attributes=destination))),
        ("an attribute of length 0", netlink(24, route(attributes=attribute(1, b"", 0)))),
        ("an attribute longer than its message", netlink(24, route(attributes=attribute(1, bytes(4), 400)))),
        ("next hops in next hops without end", netlink(24, route(attributes=destination + nested))),
        ("next hops of no length", netlink(24, route(attributes=destination + attribute(9, bytes(64))))),
        ("8,000 next hops", netlink(24, route(attributes=destination + attribute(9, hop * 8000)))),
        ("group without members", netlink(104, struct.pack("=BBBBI", 0, 0, 186, 0, 0) + attribute(2, b""))),
        ("group of itself", netlink(104, struct.pack("=BBBBI", 0, 0, 186, 0, 0) + attribute(1, struct.pack("=I", 5))
                                    + attribute(2, struct.pack("=IBBH", 5, 0, 0, 0)))),
        ("unknown kinds", b"".join(netlink(k, bytes(20)) for k in range(300, 900))),
        *[(f"random octets {n}", rng.randbytes(rng.randrange(1, 65531))) for n in range(40)],
        *[(f"a random message {n}", netlink(rng.choice((24, 25, 104, 105)), rng.randbytes(rng.randrange(0, 600))))
          for n in range(200)],
    ]


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


def halves(path, whole):
    """Cut off at every place of the first frames, and octet by octet: half a frame is no route."""
    end = HEADER + struct.unpack("!H", whole[2:4])[0]
    for n in range(0, end):
        with connect(path) as s:
            send(s, whole[:n])
    with connect(path) as s:
        for n in range(0, 400):
            send(s, whole[n:n + 1])
    print(f"ok: half frames, {end} cuts, and octet by octet", flush=True)


def messages(path):
    """All in one connection: the frames around them are right."""
    good = frame(netlink(24, route(attributes=attribute(1, bytes([203, 0, 113, 0])), kind=6)))
    wanted = status(path)["fpm"]["frames"]
    with connect(path) as s:
        for n, (name, payload) in enumerate(bad_messages()):
            if not send(s, frame(payload[:65531]) + good):
                fail(f"{name}, or one of 20 before it: the connection was closed")
            wanted += 2
            if n % 20 == 19:
                wait_until(path, name, lambda st, w=wanted: st["fpm"]["frames"] >= w)
        wait_until(path, name, lambda st: st["fpm"]["frames"] >= wanted)
    found = ask(path, '{"request":"lookup","address":"203.0.113.9"}')
    if found["kind"] != "blackhole":
        fail(f"a good route among bad ones is {found}")
    errors = status(path)["fpm"]["errors"]
    if errors < 20:
        fail(f"only {errors} errors counted")
    print(f"ok: {len(bad_messages())} frames with bad messages, a good one behind each is understood", flush=True)


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
    """Prefixes of a dump with how many next hops each has; connected routes of our own are no next hops."""
    routes = {}
    for line in (golden / name).read_text(encoding="ascii").splitlines():
        words = line.split()
        routes[words[1]] = line.count(" via ")
    return routes


def known(path):
    """What came by FPM, as the daemon lists it."""
    listed = ask(path, '{"request":"show","what":"routes"}')["routes"]
    return {r["prefix"]: len(r["hops"]) for r in listed if r["source"] == "fpm"}


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
    wanted = {p: n for p, n in expected(golden, dump).items() if n > 0}
    octets = cut((golden / stream).read_bytes(), most)
    with connect(path) as s:
        s.sendall(octets)
        end = time.monotonic() + 15
        while True:
            found = known(path)
            if {p: n for p, n in found.items() if n > 0} == wanted:
                break
            if time.monotonic() > end:
                differ = sorted(set(found.items()) ^ set(wanted.items()))
                fail(f"{stream}: {len(found)} routes, {len(wanted)} wanted; they differ in {differ[:6]}")
            time.sleep(0.1)
    print(f"ok: {stream} ends in the {len(wanted)} routes of {dump}", flush=True)


def main():
    path, pid, golden = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    framing(path)
    halves(path, (golden / "fpm-1000.bin").read_bytes())
    messages(path)
    large(path, pid)
    connects(path, pid)
    for stream, dump, most in (("fpm-mixed-nonhg.bin", "fpm-mixed.1203.routes", 1203), GOLDEN_1000,
                               ("fpm-mixed-nhg.bin", "fpm-mixed.2303.routes", 2303), GOLDEN_1000,
                               ("fpm-mixed-nonhg.bin", "fpm-mixed.2303.routes", 2303),
                               ("fpm-mixed-nhg.bin", "fpm-mixed.routes", 1 << 30)):
        replay(path, golden, stream, dump, most)
    print(f"ok: {status(path)['fpm']['errors']} errors counted, status still answers", flush=True)


if __name__ == "__main__":
    main()
