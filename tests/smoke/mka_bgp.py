#!/usr/bin/python3
"""mka_bgp.py PREFIX WORK BUILD: does BGP with a hold time of 30 s survive a restart of demarcd under MKA?

Two routers with FRR's zebra, staticd and bgpd each, one session over IPv4 and one over IPv6 on the secured link; hello
2 s, life 6 s. East's demarcd is killed, or ends, and starts at once. Whether each end keeps its sessions is said, not
judged: with the process its TAP goes, and bgpd sees an interface that is no more. Judged is that all of it comes back
without anybody's help, by another SAK, and that the wire never saw a clear frame.
"""
import json
import shutil
import signal
import subprocess
import time
from pathlib import Path

import mka
import pair
from mka import Cak, configure, secured
from pair import expect, ok, wait_for
from wire_kinds import Wire

HOLD_S, BACK_S, DAEMONS = 30, 120, ("zebra", "staticd", "bgpd")
ASN = {"east": 65010, "west": 65020}


class Frr:
    """FRR of a router, in the namespace of its TAPs."""

    def __init__(self, router, build):
        self.router, self.dir = router, router.work / f"{router.name}-frr"
        self.dir.mkdir()
        other = pair.other(router.name)
        far = 3 - router.side
        self.neighbors = [f"10.98.1.{far}", f"fd00:98:1::{far}"]
        words = [f"announce=10.97.{router.side}.0/24", f"announce=fd00:97:{router.side}::/64", f"hold={HOLD_S}",
                 f"accept=10.97.{far}.0/24", f"accept=fd00:97:{far}::/64",
                 *[f"neighbor={address},{ASN[other]},lab-only-md5" for address in self.neighbors]]
        subprocess.run([build / "tests/smoke/frr_texts", self.dir, router.name, str(ASN[router.name]),
                        f"10.255.0.{router.side}", "2620", *words], check=True)
        for path in (self.dir, *self.dir.iterdir()):
            shutil.chown(path, "frr", "frr")
        self.processes = [self.start(daemon) for daemon in DAEMONS]

    def start(self, daemon):
        more = ["-M", "dplane_fpm_nl"] if daemon == "zebra" else []
        with open(self.dir / f"{daemon}.log", "wb") as log:
            process = pair.spawn(self.router.host_ns, [
                f"/usr/lib/frr/{daemon}", "-f", self.dir / f"{daemon}.conf", "-i", self.dir / f"{daemon}.pid", "-z",
                self.dir / "zserv", "--vty_socket", self.dir, "-P", "0", "-A", "127.0.0.1", "--log", "stdout", *more],
                log)
        wait_for(20, f"{daemon} of {self.router.name}", (self.dir / f"{daemon}.vty").exists)
        return process

    def sessions(self):
        """{address: {"state", "dropped": how often}}"""
        done = subprocess.run(["vtysh", "--vty_socket", self.dir, "-c", "show bgp neighbors json"],
                              capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        said = json.loads(done.stdout or "{}") if done.returncode == 0 else {}
        return {a: {"state": said.get(a, {}).get("bgpState"), "dropped": said.get(a, {}).get("connectionsDropped")}
                for a in self.neighbors}

    def established(self):
        return all(s["state"] == "Established" for s in self.sessions().values())

    def end(self):
        for process in self.processes:
            process.kill()
            process.wait()


def reached(prefix):
    """Host to host, over both families, by what BGP told."""
    return all(pair.inside(f"{prefix}-lan", "ping", "-n", "-q", "-c", 1, "-W", 1, address, check=False).returncode == 0
               for address in ("10.97.2.2", "fd00:97:2::2"))


def kept(frr, before):
    """The addresses whose session has not been dropped since."""
    now = frr.sessions()
    return [address for address in frr.neighbors if now[address]["dropped"] == before[address]["dropped"]]


def fate(frr, before, began):
    """What became of a router's sessions, in words. A session survives when it lives longer than its hold time."""
    if kept(frr, before):
        time.sleep(max(0.0, began + HOLD_S + 2 - time.monotonic()))
    surviving = kept(frr, before)
    return f"{frr.router.name}: " + ", ".join(
        f"the session with {a} {'survives' if a in surviving else 'is dropped and set up again'}"
        for a in frr.neighbors)


def restart(prefix, routers, frrs, sig):
    east, west = routers
    before, old = [frr.sessions() for frr in frrs], east.sak()
    closed = west.kay()["counters"]["port-closed"]
    east.end(sig)
    began = time.monotonic()
    east.start()
    wait_for(30, "both carry with another SAK", lambda: east.sak() == west.sak() not in (None, old))
    took = time.monotonic() - began
    wait_for(BACK_S, "packets go from host to host again", lambda: reached(prefix))
    forwards = time.monotonic() - began
    time.sleep(1)
    for frr in frrs:
        wait_for(BACK_S, f"{frr.router.name}: BGP is established", frr.established)
    settled = time.monotonic() - began
    wait_for(BACK_S, "packets go from host to host", lambda: reached(prefix))
    ports = "stayed open" if west.kay()["counters"]["port-closed"] == closed else "closed meanwhile"
    ok(f"demarcd {'killed' if sig == signal.SIGKILL else 'ended'} and started, hold time {HOLD_S} s: secured by "
       f"another SAK after {took:.1f} s (west's port {ports}), host to host after {forwards:.1f} s, BGP established "
       f"after {settled:.1f} s at both ends")
    for frr, sessions in zip(frrs, before):
        ok(fate(frr, sessions, began))


def test(prefix, work, build):
    work, build = Path(work), Path(build)
    wire = Wire(f"{prefix}-wire", ("e1", "w1"))
    routers = [mka.Router(name, prefix, work, build) for name in pair.SIDE]
    configure(routers, [Cak(work, "cak")])
    for router in routers:
        router.hello_ms, router.life_ms = mka.STANDARD_MS
        router.start()
    secured(routers, 20)
    frrs = [Frr(router, build) for router in routers]
    for frr in frrs:
        wait_for(BACK_S, f"{frr.router.name}: BGP is established", frr.established)
    wait_for(BACK_S, "host to host by BGP", lambda: reached(prefix))
    ok("BGP over the secured link, IPv4 and IPv6, hosts reach each other")
    for sig in (signal.SIGKILL, signal.SIGTERM):
        restart(prefix, routers, frrs, sig)
    for frr in frrs:
        frr.end()
    for router in routers:
        router.end()
    ok(f"on the wire: {wire.only_secured()}")


if __name__ == "__main__":
    pair.main(test)
