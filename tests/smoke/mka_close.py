#!/usr/bin/python3
"""mka_close.py PREFIX WORK BUILD: how fast a router stops using a link once its KaY has closed the port.

The peer is killed while packets go to it. The KaY's action is a transition in `show history`; the slot of the next hop
is down from the first packet that the route stage drops for it (`trace`, time stamps of the worker); the TAP's carrier
is what a netlink listener sees. The slot is edited within 50 ms of the KaY's action. With keep-last-sak the port stays
open instead, and says so.
"""
import datetime
import json
import re
import signal
import socket
import threading
import time
from pathlib import Path

import mka
import pair
import timely
from mka import Cak, configure, secured
from pair import expect, ok, wait_for
from rotation import Flow
from wire_kinds import Wire

TIMES, RATE, SLOT_S, FLOW_S = 5, 1000, 0.05, 60


class Dropped:
    """When the route stage dropped the first packet into a port because of its next hop: seconds since 1970. With the
    carrier goes what the kernel knew of the neighbour, and the slot soon says that, too."""
    words = ("next-hop-down", "next-hop-unresolved")

    def __init__(self, router, port):
        self.at = None
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(router.run / "demarc.sock"))
        request = {"request": "trace", "port": port, "drops": True, "count": 100_000}
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        self.file = self.socket.makefile("r")
        answer = json.loads(self.file.readline())
        expect(answer["ok"], f"trace: {answer}")
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        for line in self.file:
            told = json.loads(line)
            if self.at is None and any(step["verdict"] in self.words for step in told.get("steps", ())):
                self.at = told["time_ns"] / 1e9

    def end(self):
        self.socket.shutdown(socket.SHUT_WR)


class Carrier:
    """`ip monitor` on a TAP."""

    def __init__(self, router, device):
        self.path, self.device = router.work / "monitor", device
        with open(self.path, "wb") as log:
            self.process = pair.spawn(router.host_ns, ["ip", "-ts", "monitor", "link", "dev", device], log)
        time.sleep(0.3)

    def down(self):
        """When it fell: seconds since 1970; None: not yet."""
        for line in self.path.read_text("ascii").splitlines():
            told = re.match(r"\[(\S+)\] \d+: " + self.device + r": <(\S+)>", line)
            if told and "NO-CARRIER" in told[2].split(","):
                return datetime.datetime.fromisoformat(told[1]).timestamp()
        return None

    def end(self):
        self.process.kill()
        self.process.wait()


def closed_at(router):
    """The earliest time at which the KaY can have closed the port, seconds since 1970: `age_s` is as of the answer."""
    asked = time.time()
    last = router.history()[-1]
    expect(last["to"] == "CHANGE" and last["from"] != "INIT", f"the port is closed: {last}")
    return asked - last["age_s"]


def close(prefix, work, build, routers):
    """One closing; the seconds from the KaY's action to the slot and to the carrier. Afterwards it carries again."""
    east, west = routers
    flow = Flow(build, prefix, work, "lan", "far", "10.97.2.2", FLOW_S, RATE)
    dropped, carrier = Dropped(east, "plain"), Carrier(east, "s1")
    time.sleep(0.2)
    expect(dropped.at is None, "no packet is dropped while the port is open")
    west.end(signal.SIGKILL)
    wait_for(10, "east closes when its peer is silent", lambda: not east.kay()["secured"])
    action = closed_at(east)
    wait_for(5, "the slot of the next hop is down", lambda: dropped.at)
    fell = wait_for(5, "the carrier falls", carrier.down)
    dropped.end()
    carrier.end()
    for process in (flow.sender, flow.receiver):
        process.send_signal(signal.SIGTERM)
        expect(process.wait(20) == 0, "flow failed")
    west.start()
    secured(routers, 10)
    return dropped.at - action, fell - action


def closings(prefix, work, build, routers):
    times = [close(prefix, work, build, routers) for _ in range(TIMES)]
    slots, carriers = (sorted(1000 * t for t in column) for column in zip(*times))
    ok(f"port closed {TIMES} times: slot down {slots[TIMES // 2]:.1f} ms after the KaY's action (median), "
       f"{slots[-1]:.1f} ms at worst; TAP carrier down after {carriers[TIMES // 2]:.1f} ms, {carriers[-1]:.1f} ms")
    return slots[-1] / 1000


class Router(mka.Router):
    keep_last_sak = False

    def secy_text(self, s):
        return super().secy_text(s) + f"          keep-last-sak: {str(self.keep_last_sak).lower()}\n"


def keeps_the_last_sak(build, routers, wire):
    """Told to, a port stays open without its peer, says so, and sends under the SAK it had until the peer is back."""
    east, west = routers
    east.keep_last_sak = True
    east.reload()
    sak = east.sak()
    west.end(signal.SIGKILL)
    wait_for(10, "east keeps its last SAK", lambda: east.kay()["keeps_last_sak"])
    sent = wire.counts()["e1"]["macsec"]
    expect(pair.ping(east, 1, 5) == 0, "a ping is answered by nobody")
    expect(wire.counts()["e1"]["macsec"] >= sent + 5, "frames still go out")
    expect(east.kay()["in_use"]["key"] == sak, "it is the SAK of before")
    said = pair.inside(east.ns, build / "demarc", "--socket", east.run / "demarc.sock", "show", "mka").stdout
    expect("KEEPS THE LAST SAK" in said, said)
    west.start()
    secured(routers, 10)
    expect(not east.kay()["keeps_last_sak"] and east.sak() not in (None, sak), f"another SAK: {east.kay()}")
    ok("keep-last-sak: open without the peer, told so, frames under the SAK it had; then another SAK")


def test(prefix, work, build):
    work, build = Path(work), Path(build)
    wire = Wire(f"{prefix}-wire", ("e1", "w1"))
    east, west = routers = [Router(name, prefix, work, build) for name in pair.SIDE]
    configure(routers, [Cak(work, "cak")])
    for router in routers:
        router.start()
    secured(routers, 10)
    east.route("10.97.2.0/24", 1)
    west.route("10.97.1.0/24", 1)
    wait_for(10, "host to host", lambda: pair.inside(f"{prefix}-lan", "ping", "-c", "1", "-W", "1", "10.97.2.2",
                                                     check=False).returncode == 0)
    said = timely.within(SLOT_S, "the slot is down at worst", [east.pid],
                         lambda: closings(prefix, work, build, routers))
    ok(f"{said}, {SLOT_S} s are allowed")
    keeps_the_last_sak(build, routers, wire)
    for router in routers:
        router.end()
    ok(f"on the wire: {wire.only_secured()}")


if __name__ == "__main__":
    pair.main(test)
