#!/usr/bin/python3
"""mka_group.py PREFIX WORK BUILD: three members of a CA, one of them wpa_supplicant; who stays loses nothing.

Traffic at 2,000 packets/s each way goes between the hosts behind the two demarcd, while the third member dies, comes
back, and the SAK is renewed. Then a demarcd dies, and the third member goes on with the other one.
"""
import signal
import sys
import time
from pathlib import Path

from guest import GuestError
from macsec_linux import Place, RowError
from mka_linux import Wpa, under_traffic

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "smoke"))
import mka  # noqa: E402
import pair  # noqa: E402
from pair import expect, ok, wait_for  # noqa: E402
from wire_kinds import Wire  # noqa: E402

GUEST4, GUEST6 = "10.98.1.3", "fd00:98:1::3"
LIFE_S, JOIN_S, TRAFFIC_S = 6, 20, 60
WAYS = (("lan", "far", "10.97.2.2", 9000), ("far", "lan", "10.97.1.2", 9001))
BAD = ("in_pkts_not_valid", "in_pkts_late", "in_pkts_no_sa")


class Router(mka.Router):
    hello_ms, life_ms = 2000, 6000  # as wpa_supplicant has it

    def interface_text(self, s):
        return (f"  s1:\n    port: l1\n    clear-tags: []\n    tags: []\n    mtu: 1440\n"
                f"    addresses: [10.98.1.{self.side}/24, \"fd00:98:1::{self.side}/64\"]\n")

    def members(self):
        sak = self.kay()["in_use"]
        return sak["members"] if sak and sak["transmits"] and self.kay()["secured"] else 0

    def sak(self):
        return self.kay()["in_use"]["key"]

    def bad(self):
        return {(sc["sci"], word): sc[word] for sc in self.status()["macsec"][0]["receive"] for word in BAD}

    def ping(self, address):
        return " 1 received" in pair.inside(self.host_ns, "ping", "-n", "-c", 1, "-W", 1, address, check=False).stdout

    def closings(self):
        return self.kay()["counters"]["port-closed"]


class Guest(Wpa):
    def up(self):
        """macsec0 as wpa_supplicant makes it is down and has no address."""
        wait_for(JOIN_S, "wpa_supplicant has macsec0", self.has_device)
        self.must(f"ip link set dev macsec0 mtu 1440 up; ip address replace {GUEST4}/24 dev macsec0; "
                  f"echo 0 >/proc/sys/net/ipv6/conf/macsec0/disable_ipv6; "
                  f"ip address replace {GUEST6}/64 dev macsec0 nodad")

    def receives_from(self):
        """The SCIs of its receive SCs."""
        shown = self.must("ip macsec show macsec0")
        return sorted(line.split()[1].rstrip(",") for line in shown.splitlines() if "RXSC:" in line)

    def ping(self, address):
        return "1 packets received" in self.must(f"ping -c 1 -W 1 {address} || true")


def joined(routers, guest, count):
    """All of them use one SAK that has so many members; how long that took."""
    began = time.monotonic()
    wait_for(JOIN_S, f"a SAK of {count} members",
             lambda: all(r.members() == count for r in routers) and len({r.sak() for r in routers}) == 1)
    took = time.monotonic() - began
    if guest:
        guest.up()
    return took


def all_pairs(routers, guest):
    """Everybody reaches everybody, over IPv4 and IPv6."""
    number = 0
    for router in routers:
        for address in (*[f for o in routers if o is not router for f in (f"10.98.1.{o.side}", f"fd00:98:1::{o.side}")],
                        *((GUEST4, GUEST6) if guest else ())):
            wait_for(10, f"{router.name} reaches {address}", lambda r=router, a=address: r.ping(a))
            number += 1
        if guest:
            for address in (f"10.98.1.{router.side}", f"fd00:98:1::{router.side}"):
                wait_for(10, f"the guest reaches {address}", lambda a=address: guest.ping(a))
                number += 1
    return number


def changes(routers, place, flow, change, again=False):
    """Under traffic; nothing is lost, no frame is refused, no port closes."""
    before = [(r.bad(), r.closings()) for r in routers]
    said = under_traffic(place, flow, TRAFFIC_S, change, WAYS, again)
    for router, (bad, closings) in zip(routers, before):
        after = router.bad()
        expect(all(after.get(key, n) == n for key, n in bad.items()), f"{router.name}: bad frames: {bad} -> {after}")
        expect(router.closings() == closings, f"{router.name}: its port closed")
    return said


def test(prefix, work, build):
    work, build = Path(work), Path(build)
    place, flow = Place(prefix), build / "tools" / "flow" / "flow"
    cak = mka.Cak(work, "cak", 16)
    cak.cak = cak.path.read_text("ascii").split()[1]  # as wpa_supplicant's configuration wants it
    guest = Guest(work / "guest")
    guest.must("ip link set eth0 up; echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad")
    wire = Wire(f"{prefix}-wire", ("e1", "w1", "guest0"))
    east, west = routers = [Router(name, prefix, work, build) for name in pair.SIDE]
    for router in routers:
        router.secys = [mka.SecY([cak], suite="gcm-aes-128")]
        router.start()
    guest.start(cak)
    joined(routers, guest, 3)
    pair.wait_carrier(*routers)
    scs = [len({sc["sci"] for sc in r.status()["macsec"][0]["receive"] if sc["sas"]}) for r in routers]
    expect(scs == [2, 2], f"receive SCs: {scs}")
    ok(f"three members: {all_pairs(routers, guest)} pairs and directions ping; two receive SCs each, the guest has "
       f"{' '.join(guest.receives_from())}")
    for router, far in ((east, 2), (west, 1)):
        router.route(f"10.97.{far}.0/24", 1)
    wait_for(10, "host to host", lambda: " 1 received" in place.run("lan", "ping", "-c", 1, "-W", 1, "10.97.2.2",
                                                                    check=False))
    took = {}

    def rekey():
        old = east.sak()
        expect(east.ask({"request": "mka-rekey", "port": "l1"})["ok"], "east is key server")
        wait_for(JOIN_S, "a new SAK", lambda: east.sak() != old)
        joined(routers, None, 3)
    said = changes(routers, place, flow, rekey, again=True)
    all_pairs(routers, guest)
    ok(f"a rekey of all three: {said}")

    def leave():
        guest.stop()
        took["left"] = joined(routers, None, 2)
    said = changes(routers, place, flow, leave)
    ok(f"the third member killed: a SAK of two after {took['left']:.1f} s; the others: {said}")

    def come():
        guest.start(cak)
        took["back"] = joined(routers, None, 3)
    said = changes(routers, place, flow, come)
    guest.up()
    all_pairs(routers, guest)
    ok(f"the third member is back after {took['back']:.1f} s: {said}")

    old = west.sak()
    west.end(signal.SIGKILL)
    took = joined([east], None, 2)
    all_pairs([east], guest)
    expect(east.closings() == 0, "east's port stays open")
    ok(f"a demarcd killed: a SAK of two after {took:.1f} s, east and the guest talk, east's port never closed")
    west.start()
    took = joined(routers, None, 3)
    all_pairs(routers, guest)
    expect(west.sak() != old, "after its restart the old SAK is used again")
    ok(f"it is back: another SAK, of three, after {took:.1f} s")

    east.end(signal.SIGKILL)
    took = joined([west], guest, 2)  # who loses the key server closes its port: Linux forgets IPv6 addresses
    expect(west.kay()["is_key_server"], "west is key server now")
    all_pairs([west], guest)
    ok(f"the key server killed: the next one's SAK after {took:.1f} s, west and the guest talk")
    west.end()
    ok(f"on the wire, from before the start until after the end: {wire.only_secured()}")


if __name__ == "__main__":
    try:
        pair.main(test)
    except (GuestError, RowError) as e:
        sys.exit(f"FAILED: {e}")
