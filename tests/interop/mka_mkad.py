#!/usr/bin/python3
"""mka_mkad.py PREFIX BUILD GUEST WORK: demarcd and MKAdaemon agree on SAKs of each suite, as key server and not."""
import os
import sys
from pathlib import Path

from guest import GuestError
from linux import Linux
from macsec_linux import Place, RowError, set_mtu
from mka_linux import Mka, MkaRouter, ok, rekeys, secured, under_traffic
from pairwise import Row
from router import RouterError

SUITES = ("gcm-aes-256", "gcm-aes-xpn-128", "gcm-aes-xpn-256", "gcm-aes-128")
THEIR_PRIORITY = 20
LOG_LEVEL = os.environ.get("DEMARC_MKADAEMON_LOG", "info")  # with debug it prints SAKs


def spaced(text):
    return " ".join(text[i:i + 2] for i in range(0, len(text), 2))


class Mkad(Linux):
    """The guest's end: MKAdaemon makes macsec0 on eth0."""
    suite = "gcm-aes-256"

    def start(self, mka):
        cipher = self.suite.upper().replace("-", "_")
        self.must(f"""cat >/run/mkad.conf <<'END'
log_level: {LOG_LEVEL}
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
    ciphers: {cipher}
    cak: {spaced(mka.cak)}
    ckn: {spaced(mka.ckn)}
    drv_macsec_mode: software
    phy_transmit_sci: true
END
/usr/bin/mkad -f -c /run/mkad.conf >/run/mkad.log 2>&1 3>&- & echo $! >/run/mkad.pid""")

    def stop(self, sig="KILL"):
        self.must(f"kill -{sig} $(cat /run/mkad.pid); ip link del dev macsec0 2>/dev/null; true")

    def has_device(self):
        return "macsec0" in self.must("ls /sys/class/net")

    def said(self):
        return self.must("tail -60 /run/mkad.log; ip -s macsec show")


def with_suite(place, mkad, build, work, prefix, suite, our_priority):
    row = Row(suite=suite, encrypt="on", ours="sci", theirs="sci", window="0", vlan="none", mtu="1500")
    set_mtu(place, row)
    mka = Mka(work, 32 if suite.endswith("256") else 16, our_priority)
    mkad.suite = suite
    mkad.start(mka)
    ours = our_priority < THEIR_PRIORITY
    try:
        with MkaRouter(build / "demarcd", prefix, Path(work) / f"mkad-{suite}-{our_priority}", row, mka) as router:
            took = secured(router, mkad, place, 30)
            if router.kay()["is_key_server"] != ours:
                raise RowError(f"key server: {router.kay()}")
            sent = under_traffic(place, build / "tools" / "flow" / "flow", 12, lambda: ours and rekeys(router, 2, router.rekey))
            ok(f"{suite}, {'demarcd' if ours else 'MKAdaemon'} as key server: secured after {took:.1f} s; {sent} packets, "
               f"none lost{', 2 rekeys' if ours else ''}")
    except (RowError, RouterError):
        print(mkad.said())
        raise
    finally:
        mkad.stop()


def test(prefix, build, guest, work):
    place, mkad = Place(prefix), Mkad(guest)
    mkad.set_up()
    only = os.environ.get("DEMARC_SUITE")
    for suite in [only] if only else SUITES:
        for our_priority in (10, 30):
            with_suite(place, mkad, Path(build), work, prefix, suite, our_priority)


if __name__ == "__main__":
    try:
        test(*sys.argv[1:5])
    except (RowError, RouterError, GuestError) as e:
        sys.exit(f"FAILED: {e}")
