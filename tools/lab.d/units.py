"""What the supervisor runs, and talking to it."""
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import wires
from effects import LabError, inside, wait_for
from plan import CAPTURES, LOGS, ROUTERS, RUN, WIRES, binary

ZEBRA, BGPD, STATICD = (Path("/usr/lib/frr") / daemon for daemon in ("zebra", "bgpd", "staticd"))


def unit(name, argv, **more):
    return {"name": name, "argv": [str(a) for a in argv], "log": str(LOGS / f"{name}.log"), **more}


def specifications():
    """In the order of starting; the supervisor stops in the opposite order."""
    units = [unit(f"capture-{wire.end(router)}", wires.capture_argv(wire, router), restart=False)
             for wire in WIRES for router in ROUTERS]
    for router in ROUTERS:
        demarcd = inside(router.ports_ns, [binary("demarcd"), "--config", router.config])
        units.append(unit(f"demarcd-{router.name}", demarcd, stop_timeout_s=10))
    for router in ROUTERS:
        frr = ["-z", router.frr / "zserv", "--vty_socket", router.frr, "-P", "0", "-A", "127.0.0.1", "--log", "stdout"]
        units.append(unit(f"zebra-{router.name}", inside(router.ns, [
            ZEBRA, "-f", router.frr / "zebra.conf", "-i", router.frr / "zebra.pid", *frr, "-M", "dplane_fpm_nl"]),
            stop_timeout_s=3))
        # bgpd tries zebra again only after 10 s, and refuses IPv6 routes of sessions that came up before that.
        for name, program in (("staticd", STATICD), ("bgpd", BGPD)):
            units.append(unit(f"{name}-{router.name}", inside(router.ns, [
                program, "-f", router.frr / f"{name}.conf", "-i", router.frr / f"{name}.pid", *frr]),
                stop_timeout_s=3, needs=str(router.frr / "zserv")))
    return units


def ask(request, timeout_s=60):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        s.settimeout(timeout_s)
        try:
            s.connect(str(RUN / "supervisor.sock"))
            s.sendall(json.dumps(request).encode())
            octets = b"".join(iter(lambda: s.recv(65536), b""))
        except OSError as e:
            raise LabError(f"the supervisor does not answer ({e}); `tools/lab down` cleans up") from e
    reply = json.loads(octets or b"{}")
    if not reply.get("ok"):
        raise LabError(f"the supervisor refused: {reply.get('error', 'no answer')}")
    return reply


def start_supervisor():
    (RUN / "units.json").write_text(json.dumps(specifications()))
    log = open(LOGS / "supervisor.log", "ab")
    program = Path(__file__).with_name("supervise.py")
    subprocess.Popen([sys.executable, "-B", str(program), str(RUN)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                     start_new_session=True, cwd="/")
    log.close()
    wait_for("the supervisor starts", lambda: ask({"do": "list"}), 5)


def supervisor_pid():
    """Of the running supervisor of this lab, or nothing: a pid file may be stale and its number reused."""
    try:
        pid = int((RUN / "supervisor.pid").read_text())
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except (OSError, ValueError):
        return None
    return pid if str(RUN) in words and any(w.endswith("supervise.py") for w in words) else None


def stop_supervisor():
    pid = supervisor_pid()
    if pid is None:
        return
    try:
        ask({"do": "quit"}, timeout_s=90)
    except LabError:
        pass
    for sig, patience_s in ((signal.SIGTERM, 20), (signal.SIGKILL, 2)):
        end = time.monotonic() + (1 if sig == signal.SIGTERM else 0)
        while supervisor_pid() == pid and time.monotonic() < end:
            time.sleep(0.05)
        if supervisor_pid() != pid:
            return
        os.kill(pid, sig)
        end = time.monotonic() + patience_s
        while supervisor_pid() == pid and time.monotonic() < end:
            time.sleep(0.05)


def start(name):
    return ask({"do": "start", "unit": name})


def stop(name):
    return ask({"do": "stop", "unit": name})


def listing():
    return ask({"do": "list"})["units"]


def start_captures():
    """Before demarcd: a capture misses nothing only if it listens first."""
    CAPTURES.mkdir(mode=0o700, exist_ok=True)
    names = [s["name"] for s in specifications() if s["name"].startswith("capture-")]
    for name in names:
        start(name)
    for name in names:
        wait_for(f"{name} listens", lambda n=name: "listening on" in (LOGS / f"{n}.log").read_text(), 10, 0.05)
