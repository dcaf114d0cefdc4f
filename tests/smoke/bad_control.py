#!/usr/bin/python3
"""bad_control.py SOCKET PID: clients as they should not be. After each a good request is answered within a second."""
import json
import random
import socket
import sys
import time
from pathlib import Path

from ask import ask, frames_moved, free_buffers

STATUS = b'{"request":"status"}\n'
MOST_CLIENTS, MOST_OCTETS, TIMEOUT_S = 64, 1 << 20, 10
MOST_GROWTH_KIB = 16 << 10
SLOWEST_S = 1.0


def fail(text):
    sys.exit(f"bad_control: {text}")


def connect(path):
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)  # waits while the queue of those not accepted yet is full
    s.settimeout(TIMEOUT_S + 5)
    return s


def good(path, after):
    began = time.monotonic()
    try:
        answer = ask(path, STATUS.decode().strip(), 5)
    except (OSError, ValueError) as e:
        fail(f"after {after}: no answer: {e}")
    took = time.monotonic() - began
    if not answer["ok"] or took > SLOWEST_S:
        fail(f"after {after}: answered in {took:.2f} s: {str(answer)[:200]}")
    return took


def answer_to(s):
    got = b""
    while not got.endswith(b"\n"):
        more = s.recv(1 << 16)
        if not more:
            return None
        got += more
    return json.loads(got)


def ended(s):
    """The daemon has closed it."""
    try:
        while s.recv(1 << 16):
            pass
        return True
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def refused_requests():
    rng = random.Random(3)
    deep = 400_000
    return [
        b"", b"status", b"{", b"}", b"null", b"[]", b"1e999", b'"status"', b'{"request":}', b"\0" * 100,
        b"\xff\xfe\xfd",
        b"[" * deep, b"[" * (deep // 2) + b"]" * (deep // 2), b'{"a":' * (deep // 4) + b"1" + b"}" * (deep // 4),
        b"{}", b'{"request":null}', b'{"request":[]}', b'{"request":{"request":"status"}}', b'{"request":"stat\xffus"}',
        b'{"request":"' + b"x" * 900_000 + b'"}', b'{"request":"show"}', b'{"request":"show","what":7}',
        b'{"request":"show","what":"\\ud800"}', b'{"request":"show","what":"keys"}', b'{"request":"lookup"}',
        b'{"request":"show","what":"routes","prefix":"10.0.0.1/8"}', b'{"request":"lookup","address":"10.0.0.256"}',
        b'{"request":"show","what":"routes","prefix":"' + b"9" * 10000 + b'/8"}', b'{"request":"lookup","address":7}',
        b'{"request":"lookup","address":"::1%lo"}', b"\r", b"\t{}",
        b'{"request":"capture"}', b'{"request":"capture","port":7,"point":"after","direction":"in"}',
        b'{"request":"trace"}',
        b'{"request":"capture","port":"nosuch","point":"after","direction":"both"}', b'{"request":"clocks","on":"yes"}',
        *[rng.randbytes(200).replace(b"\n", b"") for _ in range(50)],
    ]


def refusals(path):
    """All in one connection: each has an answer of its own, with error and remedy."""
    requests = refused_requests()
    with connect(path) as s:
        for request in requests:
            s.sendall(request + b"\n")
            answer = answer_to(s)
            if answer is None or answer["ok"] or not answer["error"] or not answer["remedy"]:
                fail(f"{request[:60]!r} is answered by {str(answer)[:200]}")
    good(path, "refused requests")
    print(f"ok: {len(requests)} requests refused, each with a remedy", flush=True)


def halves(path):
    for n in range(len(STATUS)):
        with connect(path) as s:
            s.sendall(STATUS[:n])
    with connect(path) as s:
        for n in range(len(STATUS)):
            s.sendall(STATUS[n:n + 1])
        if not answer_to(s)["ok"]:
            fail("a request octet by octet is refused")
    with connect(path) as s:
        s.sendall(STATUS * 50)
        if sum(b"\n" == bytes([c]) for c in collect(s, 50)) != 50:
            fail("50 requests at once do not have 50 answers")
    good(path, "half requests")
    print("ok: half requests, octet by octet, 50 at once", flush=True)


def collect(s, lines):
    got = b""
    while got.count(b"\n") < lines:
        more = s.recv(1 << 16)
        if not more:
            break
        got += more
    return got


def too_long(path):
    for octets in (MOST_OCTETS + 1, 8 * MOST_OCTETS):
        with connect(path) as s:
            try:
                s.sendall(b"x" * octets)
            except ConnectionError:
                pass
            if not ended(s):
                fail(f"{octets} octets without an end keep the connection")
            good(path, f"{octets} octets")
    print("ok: more than 1 MiB ends the connection", flush=True)


def leaving(path):
    """Gone before the answer, also while it is made; and some that never read theirs."""
    for _ in range(500):
        with connect(path) as s:
            s.sendall(STATUS)
    deaf = [connect(path) for _ in range(8)]
    for s in deaf:
        s.setblocking(False)
        try:
            while s.send(STATUS * 1000):
                pass
        except (BlockingIOError, ConnectionError):
            pass
    good(path, "clients that do not read")
    for s in deaf:
        s.close()
    good(path, "clients that left")
    print("ok: 500 clients that left before the answer, 8 that do not read it", flush=True)


def hanging(path):
    """Every place but one taken by half a request: the one is served, a further one is turned away at once, and those
    that hang are out in time."""
    began = time.monotonic()
    served = connect(path)
    hung = [connect(path) for _ in range(MOST_CLIENTS - 1)]
    for s in hung:
        s.sendall(STATUS[:10])
    slowest = max(good_over(served) for _ in range(20))
    late = connect(path)
    if not ended(late) or time.monotonic() - began > TIMEOUT_S / 2:
        fail("client 65 is not turned away at once")
    for s in hung:
        if not ended(s):
            fail(f"a client may hang for more than {TIMEOUT_S + 5} s")
        s.close()
    took = time.monotonic() - began
    if took < TIMEOUT_S - 1:
        fail(f"clients that hang are all disconnected after {took:.1f} s already")
    served.close()
    good(path, "clients that hung")
    print(f"ok: {len(hung)} hang: others in {slowest * 1000:.0f} ms; all out after {took:.0f} s", flush=True)


def good_over(s):
    began = time.monotonic()
    s.sendall(STATUS)
    answer = answer_to(s)
    took = time.monotonic() - began
    if not answer or not answer["ok"] or took > SLOWEST_S:
        fail(f"while others hang: answered in {took:.2f} s: {str(answer)[:200]}")
    return took


def peak_kib(pid):
    """The most it ever had: what it has depends on whether free memory happens to lie at the end of the heap."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line for line in text.splitlines() if line.startswith("VmHWM")).split()[1])


def main():
    path, pid = sys.argv[1], int(sys.argv[2])
    good(path, "nothing")
    moved, free = frames_moved(path), free_buffers(path)
    refusals(path)
    before, files = peak_kib(pid), len(list(Path(f"/proc/{pid}/fd").iterdir()))
    for step in (halves, too_long, leaving, hanging, refusals):
        step(path)
    end = time.monotonic() + 5  # the daemon hears of the last client's end in its own time
    while (now := len(list(Path(f"/proc/{pid}/fd").iterdir()))) > files and time.monotonic() < end:
        time.sleep(0.02)
    grown = peak_kib(pid) - before
    if grown > MOST_GROWTH_KIB or now > files:
        fail(f"memory grew by {grown} KiB, descriptors from {files} to {now}")
    left, held = free_buffers(path), frames_moved(path) - moved
    if left < free - held:
        fail(f"buffers are lost: {free} free before, {left} after {held} frames")
    print(f"ok: {now} descriptors as before, memory grew by {max(grown, 0)} KiB, {left} buffers free, {free} before",
          flush=True)


if __name__ == "__main__":
    main()
