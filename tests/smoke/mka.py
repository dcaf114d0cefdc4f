#!/usr/bin/python3
"""mka.py PREFIX WORK BUILD: two routers that agree on their SAKs by MKA, over one wire.

Secured from nothing; rekeys under traffic; a key added to both rings and the first one removed; a router killed and
started again, at once and after its peer has closed, by the standard's timers: secured by another SAK within 6 s; a
wrong CAK told in words; and never a clear frame on the wire.
"""
import os
import secrets
import signal
import time
from pathlib import Path

import pair
import timely
from pair import expect, ok, wait_for
from rotation import Flow

HELLO_MS, LIFE_MS = 500, 1500
STANDARD_MS, BACK_S = (2000, 6000), 6  # hello and life of Table 9-3; secured again after a restart
BAD = ("in_pkts_not_valid", "in_pkts_late", "in_pkts_no_sa")


class Cak:
    """A CAK in a file of its own."""

    def __init__(self, work, name, octets=32):
        self.ckn, self.path = secrets.token_hex(16), Path(work) / "etc" / f"{name}.cak"
        self.path.parent.mkdir(exist_ok=True)
        self.octets = octets
        self.replace()

    def replace(self):
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(f"cak: {secrets.token_hex(self.octets)}\n")

    def text(self):
        return f"{{ckn: \"{self.ckn}\", cak-file: {self.path}}}"


class SecY:
    """As pair.SecY, with a key ring instead of SAKs."""

    def __init__(self, ring, rekey="0s", suite="gcm-aes-xpn-256", link=1):
        self.link, self.number, self.clear_tags = link, link, ""
        self.ring, self.rekey, self.suite = ring, rekey, suite


class Router(pair.Router):
    hello_ms, life_ms = HELLO_MS, LIFE_MS

    def secy_text(self, s):
        keys = ", ".join(cak.text() for cak in s.ring)
        return (f"      - clear-tags: []\n        cipher-suite: {s.suite}\n        replay-window: 64\n        mka:\n"
                f"          key-server-priority: {15 + self.side}\n          sak-rekey: {s.rekey}\n"
                f"          hello: {self.hello_ms}ms\n          life: {self.life_ms}ms\n          key-ring: [{keys}]\n")

    def kay(self):
        answer = self.ask({"request": "show", "what": "mka"})
        expect(answer["ok"], f"{self.name}: show mka: {answer}")
        return answer["mka"][0]

    def key_number(self):
        sak = self.kay()["in_use"]
        return sak["key_number"] if sak and sak["transmits"] else None

    def sak(self):
        """The key identifier of the SAK that carries: its maker's MI and its number. None: closed."""
        kay = self.kay()
        return kay["in_use"]["key"] if kay["secured"] and kay["in_use"] and kay["in_use"]["transmits"] else None

    def history(self):
        return self.ask({"request": "show", "what": "history", "port": "l1"})["history"][0]["transitions"]


def configure(routers, *args, **kw):
    for router in routers:
        router.secys = [SecY(*args, **kw)]


def secured(routers, seconds, since=None):
    """Waits until both carry; how long that took."""
    began = since or time.monotonic()
    for router in routers:
        wait_for(seconds, f"{router.name} is secured", lambda r=router: r.kay()["secured"])
    took = time.monotonic() - began
    pair.wait_carrier(*routers)
    for family in (4, 6):
        for router in routers:
            wait_for(10, f"{router.name}: ping over IPv{family}",
                     lambda r=router, f=family: pair.ping(r, 1, 1, family=f) == 1)
    return took


def bad_of(router):
    """A frame of an SC without any SA is of an unknown SCI."""
    secy = router.secy(1)
    return {k: secy["receive"][0][k] for k in BAD} | {"in_pkts_unknown_sci": secy["in_pkts_unknown_sci"]}


def by_traffic(routers, prefix, work, build, seconds, change):
    """`change` happens under traffic both ways; nothing is lost."""
    east, west = routers
    for router, far in ((east, 2), (west, 1)):
        router.route(f"10.97.{far}.0/24", 1)
    wait_for(10, "host to host", lambda: pair.inside(f"{prefix}-lan", "ping", "-c", "1", "-W", "1", "10.97.2.2",
                                                     check=False).returncode == 0)
    bad = [bad_of(r) for r in routers]
    flows = [Flow(build, prefix, work, "lan", "far", "10.97.2.2", seconds),
             Flow(build, prefix, work, "far", "lan", "10.97.1.2", seconds)]
    change()
    expect(all(flow.sender.poll() is None for flow in flows), "the traffic ended before the change did")
    for flow in flows:
        sent, received = flow.finish()
        expect(received["received"] == sent["sent"] and received["reordered"] == 0,
               f"sent {sent['sent']}, arrived {received['received']}, out of order {received['reordered']}")
    for router, before in zip(routers, bad):
        after = bad_of(router)
        expect(after == before, f"{router.name}: bad frames: {before} -> {after}")


def rekeys(routers, times, seconds):
    began = routers[0].key_number()
    wait_for(seconds, f"{times} rekeys", lambda: (routers[0].key_number() or 0) >= began + times)


def kill_and_start(router, peer, closes):
    """The seconds from the router's new start until both carry with one SAK that is another than before; closes: after
    the peer has closed its port, and not at once."""
    old = peer.sak()
    expect(old and old == router.sak(), f"one SAK: {old}, {router.sak()}")
    closed = peer.kay()["counters"]["port-closed"]
    router.end(signal.SIGKILL)
    if closes:
        wait_for(2 * STANDARD_MS[1] / 1000, f"{peer.name} closes when its peer is silent",
                 lambda: not peer.kay()["secured"])
        expect("peer" in peer.kay()["why_not_secured"], f"it says why: {peer.kay()['why_not_secured']}")
        wait_for(5, "its carrier falls", lambda: not peer.interface("s1")["carrier"])
    began = time.monotonic()
    router.start()
    wait_for(30, "both carry with another SAK", lambda: peer.sak() == router.sak() not in (None, old))
    took = time.monotonic() - began
    secured((router, peer), 10)
    expect(not closes or peer.kay()["counters"]["port-closed"] == closed + 1, "the peer's port closed once")
    return took


def restarts(east, west):
    """Of the key server and of the other one."""
    for router, peer, closes in ((east, west, False), (west, east, False), (west, east, True)):
        said = timely.within(BACK_S, "both carry with another SAK", [peer.pid],
                             lambda r=router, p=peer, c=closes: kill_and_start(r, p, c))
        when = "after its peer closed" if closes else "at once"
        ok(f"{router.name} killed by SIGKILL and started {when}, hello 2 s, life 6 s: {said} from its start")


def test(prefix, work, build):
    work, build = Path(work), Path(build)
    east, west = routers = [Router(name, prefix, work, build) for name in pair.SIDE]
    first, second = Cak(work, "first"), Cak(work, "second", 16)
    files = {device: work / f"wire.{device}.pcap" for device in ("e1", "w1")}
    captures = [(pair.capture(f"{prefix}-wire", device, file), file) for device, file in files.items()]
    configure(routers, [first])
    for router in routers:
        router.start()
    took = secured(routers, 10)
    expect(east.kay()["is_key_server"] and not west.kay()["is_key_server"], "east has the better priority")
    ok(f"two routers agree on a SAK and carry IPv4 and IPv6, {took:.1f} s after both answered")

    by_traffic(routers, prefix, work, build, 12, lambda: east.ask({"request": "mka-rekey", "port": "l1"}))
    ok("a rekey that the operator asks for loses nothing")
    refused = west.ask({"request": "mka-rekey", "port": "l1"})
    expect(not refused["ok"] and "key server" in refused["error"], f"west is no key server: {refused}")

    configure(routers, [first, second], rekey="2s")
    for router in routers:
        router.reload()

    def move_to_second():
        rekeys(routers, 3, 30)
        for router in routers:
            router.secys = [SecY([second], rekey="2s")]
            router.reload()
        rekeys(routers, 1, 20)
    by_traffic(routers, prefix, work, build, 30, move_to_second)
    expect(all(r.kay()["in_use"]["ckn"] == second.ckn for r in routers), "the SAK comes by the second CAK")
    ok("rekeys every 2 s, a second CAK added and the first removed by reload: nothing lost, nothing out of order")

    configure(routers, [second])
    for router in routers:
        router.hello_ms, router.life_ms = STANDARD_MS
        router.reload()
    restarts(east, west)

    second.replace()
    west.reload()
    wait_for(30, "east notices the wrong CAK",
             lambda: sum(p["wrong_cak"] for p in east.kay()["participants"]) > 0 and not east.kay()["secured"])
    expect("CAK" in east.kay()["why_not_secured"], f"in words: {east.kay()['why_not_secured']}")
    ok(f"a wrong CAK: {east.kay()['why_not_secured']}")
    expect(len(east.history()) > 5, "a history")
    for router in routers:
        router.end()
    pair.end_captures(*captures)
    total = 0
    for _, path in captures:
        kinds = pair.inside(f"{prefix}-wire", "tcpdump", "-n", "-r", path,
                            "not ether proto 0x88e5 and not ether proto 0x888e").stdout
        expect(not kinds.strip(), f"clear frames on the wire: {kinds[:500]}")
        total += path.stat().st_size
    expect(total > 1_000_000, "the capture saw the traffic")
    ok("on the wire, from before the start until after the end: MACsec and MKPDUs, nothing else")


if __name__ == "__main__":
    pair.main(test)
