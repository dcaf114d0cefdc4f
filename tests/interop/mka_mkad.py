#!/usr/bin/python3
"""mka_mkad.py PREFIX BUILD GUEST WORK: demarcd and MKAdaemon agree on SAKs of each suite, as key server and not."""
import sys
import time
from pathlib import Path

from guest import GuestError
from macsec_linux import Place, RowError, set_mtu
from mka_linux import Mka, MkaRouter, Wpa, key_server, ok, restarts, secured, under_traffic
from pairwise import Row
from router import RouterError

SUITES = ("gcm-aes-256", "gcm-aes-xpn-128", "gcm-aes-xpn-256", "gcm-aes-128")
THEIR_PRIORITY, REKEYS = 20, 2


def spaced(text):
    return " ".join(text[i:i + 2] for i in range(0, len(text), 2))


class Mkad(Wpa):
    """The guest's end: MKAdaemon makes macsec0 on eth0. At a lower log level it prints SAKs."""
    name, suite = "MKAdaemon", SUITES[0]

    def start(self, mka, cak=None):
        self.must(f"""cat >/run/mkad.conf <<'END'
log_level: info
verbosity: 1
hello_time: 2000
bounded_hello_time: 500
life_time: 6000
sak_retire_time: 3000
hello_time_rampup: 100 200 400 800 800
transmit_empty_dist_sak: on
transmit_empty_sak_use: on
transmit_null_xpn: on
secy_polling_ms: 500
interfaces:
  - device: "eth0"
    protected_device: "macsec0"
    intf_mode: DYNAMIC
    macsec: CONF_0
    kay: on
    priority: {THEIR_PRIORITY}
    role: AUTO
    replay_protect: 0
    delay_protect: off
    unauth_allowed: never
    unsecure_allowed: never
    ciphers: {self.suite.upper().replace("-", "_")}
    cak: {spaced(cak or mka.cak)}
    ckn: {spaced(mka.ckn)}
    drv_macsec_mode: software
    phy_transmit_sci: true
END
/usr/bin/mkad -f -c /run/mkad.conf >/run/mkad.log 2>&1 3>&- & echo $! >/run/wpa.pid""")

    def said(self):
        return self.must("tail -60 /run/mkad.log; ip -s macsec show")


def roles(place, mkad, build, work, prefix, suite):
    """Either is key server. Only a change of members makes MKAdaemon renew a SAK of an XPN suite: Linux takes a PN that
    is nearly spent, but the other end cannot know its upper half."""
    row = Row(suite=suite, encrypt="on", ours="sci", theirs="sci", window="0", vlan="none", mtu="1500")
    set_mtu(place, row)
    mkad.suite, flow, again = suite, build / "tools" / "flow" / "flow", iter(range(9))
    for our_priority in (10, 30):
        mka, ours = Mka(work, 32 if suite.endswith("256") else 16, our_priority), our_priority < THEIR_PRIORITY

        def router_of(m=mka):
            return MkaRouter(build / "demarcd", prefix, Path(work) / f"{suite}-{next(again)}", row, m)
        mkad.start(mka)
        with router_of() as router:
            ok(f"{suite}: secured {secured(router, mkad, place, 30):.1f} s after demarcd answered")
            if ours or "xpn" not in suite:
                key_server(router, mkad, place, flow, REKEYS, ours)
            else:
                if router.kay()["is_key_server"]:
                    raise RowError(f"key server: {router.kay()}")
                sent = under_traffic(place, flow, 30, lambda: time.sleep(8))
                ok(f"MKAdaemon as key server: {sent}")
        if suite == "gcm-aes-xpn-256":
            restarts(router_of, mkad, place, mka)
        else:
            mkad.stop()


def test(prefix, build, guest, work):
    place, mkad = Place(prefix), Mkad(guest)
    mkad.set_up()
    try:
        for suite in SUITES:
            roles(place, mkad, Path(build), work, prefix, suite)
    except (RowError, RouterError):
        print(mkad.said())
        raise


if __name__ == "__main__":
    try:
        test(*sys.argv[1:5])
    except (RowError, RouterError, GuestError) as e:
        sys.exit(f"FAILED: {e}")
