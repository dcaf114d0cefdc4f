"""The lab's supervisor: starts programs, restarts those that die, stops them on request.

One process, one thread. It listens on a Unix socket (mode 0600) for one JSON request a connection:
{"do":"start"|"stop","unit":NAME}, {"do":"list"}, {"do":"quit"}. Units come from a JSON file:
[{"name","argv","log","restart":true,"stop_timeout_s":5,"needs":SOCKET}]; a unit
waits until somebody listens on the socket it needs. Nothing runs before it is started by name.
"""
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

FIRST_DELAY_S, LAST_DELAY_S = 0.3, 5.0


def answers(path):
    """Somebody listens on that Unix socket; true when there is nothing to wait for."""
    if not path:
        return True
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        try:
            s.connect(path)
        except OSError:
            return False
    return True


class Unit:
    def __init__(self, spec):
        self.spec = spec
        self.process = None
        self.wanted = False
        self.starts = 0
        self.delay_s = FIRST_DELAY_S
        self.started_at = 0.0
        self.next_start = None

    def start(self):
        self.wanted, self.next_start = True, None
        if self.process and self.process.poll() is None:
            return
        if not answers(self.spec.get("needs")):
            self.next_start = time.monotonic() + 0.05
            return
        log = open(self.spec["log"], "ab", buffering=0)
        log.write(f"--- start {self.starts + 1}\n".encode())
        self.process = subprocess.Popen(self.spec["argv"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        start_new_session=True, close_fds=True)
        log.close()
        self.starts += 1
        self.started_at = time.monotonic()

    def stop(self):
        """SIGTERM, then SIGKILL: zebra hangs on SIGTERM now and then."""
        self.wanted, self.next_start = False, None
        if not self.process or self.process.poll() is not None:
            return "was not running"
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(self.spec.get("stop_timeout_s", 5))
            return f"exit {self.process.returncode}"
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return "killed"

    def tend(self, now):
        """Plans a restart of what died, and carries a planned one out."""
        if not self.wanted or (self.process and self.process.poll() is None):
            return
        if not self.spec.get("restart", True):
            self.wanted = False
        elif self.next_start is None:
            self.delay_s = FIRST_DELAY_S if now - self.started_at > 10 else min(self.delay_s * 2, LAST_DELAY_S)
            self.next_start = now + self.delay_s
        elif now >= self.next_start:
            self.start()

    def describe(self):
        alive = self.process is not None and self.process.poll() is None
        return {"pid": self.process.pid if alive else None, "wanted": self.wanted, "starts": self.starts,
                "exit": None if alive or not self.process else self.process.returncode}


def answer(units, request):
    """The answer to a request, and whether to go on."""
    do, name = request.get("do"), request.get("unit")
    if do == "list":
        return {"ok": True, "units": {n: u.describe() for n, u in units.items()}}, True
    if do == "quit":
        ends = {n: u.stop() for n, u in reversed(units.items())}
        return {"ok": True, "ends": ends}, False
    if do in ("start", "stop") and name in units:
        return {"ok": True, "end": getattr(units[name], do)(), **units[name].describe()}, True
    return {"ok": False, "error": f"cannot {do} {name}"}, True


def serve(units, listener):
    while True:
        readable, _, _ = select.select([listener], [], [], 0.05)
        now = time.monotonic()
        for unit in units.values():
            unit.tend(now)
        if not readable:
            continue
        connection, _ = listener.accept()
        connection.settimeout(2)
        try:
            reply, go_on = answer(units, json.loads(connection.recv(65536)))
            connection.sendall(json.dumps(reply).encode())
        except (OSError, ValueError):
            go_on = True
        finally:
            connection.close()
        if not go_on:
            return


def main(directory):
    directory = Path(directory)
    units = {spec["name"]: Unit(spec) for spec in json.loads((directory / "units.json").read_text())}
    path = directory / "supervisor.sock"
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    os.umask(0o177)
    listener.bind(str(path))
    os.umask(0o022)
    listener.listen(8)
    (directory / "supervisor.pid").write_text(str(os.getpid()))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        serve(units, listener)
    finally:
        for unit in reversed(units.values()):
            unit.stop()


if __name__ == "__main__":
    main(sys.argv[1])
