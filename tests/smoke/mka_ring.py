#!/usr/bin/python3
"""mka_ring.py PREFIX WORK BUILD: the key ring of two routers, by the wall clock and by reload.

A CAK ends after the next one has started: nothing is lost. The ring's CAK no more agrees: the fallback carries. The
last CAK ends: it lives on, and with `hard-expiry` the port closes. `mka` goes from the file: refused while nothing is
in its place; static SAKs in its place close the peer's port. No clear frame is ever on the wire.
"""
import signal
import time
from pathlib import Path

import mka
import pair
from mka import SecY, configure, secured
from pair import Sak, expect, ok, wait_for
from rotation import Flow
from wire_kinds import Wire

AHEAD_S, OVERLAP_S, RATE, MOST_S = 4, 4, 1000, 60  # MOST_S: no wait is for the sake of its time
SUITE = "gcm-aes-xpn-256"


def utc(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Cak(mka.Cak):
    """With times: whole seconds since 1970."""
    start = end = None

    def text(self):
        times = [f"{name}: \"{utc(at)}\"" for name, at in (("start", self.start), ("end", self.end)) if at]
        return f"{{{', '.join([super().text()[1:-1], *times])}}}"


class Router(mka.Router):
    fallback, hard_expiry = None, False

    def secy_text(self, s):
        if isinstance(s, pair.SecY):
            return pair.Router.secy_text(self, s)
        more = f"          hard-expiry: {str(self.hard_expiry).lower()}\n"
        if self.fallback:
            more += f"          fallback: {self.fallback.text()}\n"
        return super().secy_text(s) + more

    def ckn(self):
        """Of the CAK whose SAK carries; None: the port is closed."""
        kay = self.kay()
        return kay["in_use"]["ckn"] if kay["secured"] and kay["in_use"] else None

    def key(self, cak):
        """What the ring says of it."""
        return next(p for p in self.kay()["participants"] if p["ckn"] == cak.ckn)

    def closings(self):
        return self.kay()["counters"]["port-closed"]


def reload_all(routers, ring, **more):
    configure(routers, ring)
    for router in routers:
        for name, value in more.items():
            setattr(router, name, value)
        router.reload()


def carried_by(routers, cak, seconds=MOST_S):
    for router in routers:
        wait_for(seconds, f"{router.name} carries under {cak.path.stem}", lambda r=router: r.ckn() == cak.ckn)


class Traffic:
    """Both ways, until it is ended."""

    def __init__(self, build, prefix, work):
        self.flows = [Flow(build, prefix, work, "lan", "far", "10.97.2.2", 3 * MOST_S, RATE),
                      Flow(build, prefix, work, "far", "lan", "10.97.1.2", 3 * MOST_S, RATE)]

    def end(self):
        """What was sent, and what of it never came."""
        for flow in self.flows:
            flow.sender.send_signal(signal.SIGTERM)
        reports = [flow.finish() for flow in self.flows]
        expect(all(received["reordered"] == received["duplicates"] == 0 for _, received in reports), "in order, once")
        sent = sum(s["sent"] for s, _ in reports)
        return sent, sent - sum(r["received"] for _, r in reports)


def lossless(routers, traffic, change):
    """`change` under traffic: nothing is lost, no port closes; how much was sent, in words."""
    closed = [r.closings() for r in routers]
    running = traffic()
    change()
    time.sleep(0.5)
    sent, lost = running.end()
    expect(lost == 0, f"{lost} packets of {sent} are lost")
    expect([r.closings() for r in routers] == closed, "a port closed")
    return f"{sent} packets, 0 lost"


def overlap(routers, traffic, first, second):
    """From one CAK to the next by the clock alone, after one reload."""
    def change():
        second.start = int(time.time()) + AHEAD_S
        first.end = second.start + OVERLAP_S
        reload_all(routers, [first, second])
        expect(time.time() > second.start or all(r.ckn() == first.ckn for r in routers), "the second waits")
        carried_by(routers, second)
        expect(time.time() >= second.start, "the second waited for its start")
        for router in routers:
            wait_for(MOST_S, "the first one ends", lambda r=router: r.key(first)["state"] == "ended")
            expect(not router.key(first)["speaks"], "what has ended does not speak")
        expect(time.time() >= first.end, "the first one lived to its end")
    ok(f"two CAKs that overlap by {OVERLAP_S} s: {lossless(routers, traffic, change)}")


def falls_back(routers, traffic, ring, fallback):
    """The CAK of the ring is another one on west from now on; both know the fallback."""
    west = routers[1]
    reload_all(routers, [ring], fallback=fallback)
    for router in routers:
        wait_for(MOST_S, "the fallback stands by, with a live peer",
                 lambda r=router: r.key(fallback)["state"] == "standby" and
                 any(p["live"] for p in r.key(fallback)["peers"]))
    carried_by(routers, ring)
    kept = ring.path.read_text("ascii")

    def another():
        ring.replace()
        west.reload()
        carried_by(routers, fallback)
        for router in routers:
            wait_for(MOST_S, "a wrong CAK is counted", lambda r=router: r.key(ring)["wrong_cak"] > 0)
    ok(f"a CAK that no more agrees: the fallback carries: {lossless(routers, traffic, another)}")

    def the_same():
        ring.path.write_text(kept, encoding="ascii")
        west.reload()
        carried_by(routers, ring)
    ok(f"it agrees again and takes over: {lossless(routers, traffic, the_same)}")


def lives_on(routers, traffic, last):
    def change():
        last.end = int(time.time()) + AHEAD_S
        reload_all(routers, [last], fallback=None)
        for router in routers:
            wait_for(MOST_S, "the last CAK is kept", lambda r=router: r.key(last)["state"] == "kept")
        expect(time.time() >= last.end, "its end has come")
        time.sleep(2 * mka.LIFE_MS / 1000)
        expect(all(r.ckn() == last.ckn for r in routers), "it carries")
    ok(f"the last CAK lives on beyond its end: {lossless(routers, traffic, change)}")


def expires(routers, traffic, last):
    east, west = routers
    last.end = None
    reload_all(routers, [last], hard_expiry=True)
    carried_by(routers, last)
    closed, running = [r.closings() for r in routers], traffic()
    last.end = int(time.time()) + AHEAD_S
    reload_all(routers, [last])
    for router, before in zip(routers, closed):
        wait_for(MOST_S, f"{router.name} closes", lambda r=router: r.ckn() is None)
        expect(time.time() >= last.end, f"{router.name} closes before the end")
        expect(router.key(last)["state"] == "ended" and router.closings() == before + 1, f"{router.kay()}")
        wait_for(5, "the carrier falls", lambda r=router: not r.interface("s1")["carrier"])
    sent, lost = running.end()
    expect(0 < lost < sent, f"{lost} of {sent} lost: the port was open first, then closed")
    for router in routers:
        words = router.kay()["why_not_secured"]
        expect(words and pair.ping(router, 1, 1) == 0, f"{router.name} is closed: {words}")
    ok(f"with hard-expiry the port closes at the end of the last CAK: {east.kay()['why_not_secured']}")
    last.end = None
    reload_all(routers, [last], hard_expiry=False)
    carried_by(routers, last)
    secured(routers, 10)
    ok("a later end opens it again")


def removed(routers, work, last):
    east, west = routers
    before, whole = east.sak(), east.text()
    block = whole[whole.index("        mka:\n"):whole.index("interfaces:\n")]
    east.config.write_text(whole.replace(block, ""), encoding="utf-8")
    answer = east.ask({"request": "reload"})
    rules = [d["rule"] for d in answer.get("diagnostics", [])]
    expect(not answer["ok"] and rules == ["secy-keys"], f"no keys at all are refused: {answer}")
    expect(east.sak() == before and pair.ping(east, 1, 3) == 3, "nothing has changed")
    ok("a reload without `mka` and with nothing in its place is refused, and changes nothing")
    sak = Sak(work, "static", SUITE)
    east.secys = [pair.SecY(1, 1, sak, [sak])]
    east.reload()
    expect(east.ask({"request": "show", "what": "mka"})["mka"] == [], "east has no KaY")
    expect(pair.ping(east, 1, 3) == 0, "west takes no frame of another SAK")
    wait_for(MOST_S, "west closes", lambda: west.ckn() is None)
    wait_for(5, "its carrier falls", lambda: not west.interface("s1")["carrier"])
    ok(f"static SAKs instead of `mka`: its KaY is gone, the peer's port closes: {west.kay()['why_not_secured']}")


def test(prefix, work, build):
    work, build = Path(work), Path(build)
    wire = Wire(f"{prefix}-wire", ("e1", "w1"))
    routers = [Router(name, prefix, work, build) for name in pair.SIDE]
    first, second, fallback = Cak(work, "first"), Cak(work, "second", 16), Cak(work, "fallback")
    configure(routers, [first])
    for router in routers:
        router.start()
    secured(routers, 10)
    for router, far in zip(routers, (2, 1)):
        router.route(f"10.97.{far}.0/24", 1)
    wait_for(10, "host to host", lambda: pair.inside(f"{prefix}-lan", "ping", "-c", "1", "-W", "1", "10.97.2.2",
                                                     check=False).returncode == 0)

    def traffic():
        return Traffic(build, prefix, work)
    overlap(routers, traffic, first, second)
    falls_back(routers, traffic, second, fallback)
    lives_on(routers, traffic, second)
    expires(routers, traffic, second)
    removed(routers, work, second)
    for router in routers:
        router.end()
    ok(f"on the wire, from before the start until after the end: {wire.only_secured()}")


if __name__ == "__main__":
    pair.main(test)
