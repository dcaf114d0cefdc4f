#!/usr/bin/python3
"""ask.py SOCKET REQUEST [PATH...]: one request to demarcd; its answer, or the value of each PATH on a line.

REQUEST is a word (`status`) or a JSON object. A PATH is `pool.free`, `workers.0.drops` or
`interfaces[name=s0].carrier`.
"""
import json
import re
import socket
import sys
import time


def ask(path, request, timeout_s=10):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        s.settimeout(timeout_s)
        s.sendall(request.encode() + b"\n")
        got = b""
        while not got.endswith(b"\n"):
            more = s.recv(1 << 16)
            if not more:
                raise ConnectionError("closed without an answer")
            got += more
    return json.loads(got)


def free_buffers(path):
    """Free buffers of the daemon's pool, when they do not change any more, or after 5 s."""
    last, same, end = -1, 0, time.monotonic() + 5
    while same < 5 and time.monotonic() < end:
        now = ask(path, '{"request":"status"}')["pool"]["free"]
        last, same = now, same + 1 if now == last else 0
        time.sleep(0.02)
    return last


def frames_moved(path):
    """Received and sent by all workers: so many buffers a port's rings may hold more, or fewer, than before."""
    return sum(w["received"] + w["transmitted"] for w in ask(path, '{"request":"status"}')["workers"])


def value(document, path):
    for name, key, wanted in re.findall(r"([^.\[\]]+)(?:\[(\w+)=([^\]]*)\])?", path):
        document = document[int(name)] if isinstance(document, list) else document.get(name)
        if key:
            document = next(e for e in document if str(e[key]) == wanted)
    return document


def main():
    path, request, *wanted = sys.argv[1:]
    document = ask(path, request if request.startswith("{") else json.dumps({"request": request}))
    for each in wanted or [""]:
        found = value(document, each)
        print(found if isinstance(found, str) else json.dumps(found))


if __name__ == "__main__":
    try:
        main()
    except (OSError, ConnectionError) as e:
        sys.exit(f"{sys.argv[1]}: {e}")
