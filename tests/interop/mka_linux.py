#!/usr/bin/python3
"""mka_linux.py PREFIX BUILD GUEST WORK REKEYS: demarcd and wpa_supplicant agree on SAKs; traffic does not notice."""
import json
import os
import secrets
import signal
import sys
import time
from pathlib import Path

from guest import GuestError
from linux import LAN4, LINK4, LINK6, Linux
from macsec_linux import Place, RowError, finish, set_mtu
from pairwise import Row
from router import Router, RouterError

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "smoke"))
from ask import ask  # noqa: E402
from pair import Failure  # noqa: E402
from timely import attempt, said_of  # noqa: E402
from wire_kinds import Wire  # noqa: E402

RATE, PORT, SUITE = 2000, 9000, "gcm-aes-128"
BEHIND_S = 20                        # for a ping behind the packets
LEAST_RATE = 0.9 * RATE              # of each sender, or the traffic proves less than it says
PAIRS = ((16, 10), (32, 30))         # octets of the CAK, our priority: 10 makes us key server
FULL_PAIRS = (*PAIRS, (16, 30), (32, 10))
BACK_OURS_S, BACK_THEIRS_S = 12, 20  # secured again after our restart, after theirs
NEXT_PN = 3221225473                 # 0xC0000001: wpa_supplicant as key server makes a new SAK
WORST_REKEY_S = 20


class Mka:
    """A CAK, and who has the better priority."""

    def __init__(self, directory, octets, our_priority):
        self.ckn, self.cak, self.our_priority = secrets.token_hex(16), secrets.token_hex(octets), our_priority
        self.file = Path(directory) / f"cak-{self.ckn}"
        self.write(self.cak)

    def lines(self):
        return (f"        mka:\n          key-server-priority: {self.our_priority}\n"
                f"          key-ring: [{{ckn: \"{self.ckn}\", cak-file: {self.file}}}]")

    def write(self, cak):
        self.file.unlink(missing_ok=True)
        with os.fdopen(os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"cak: {cak}\n")


class MkaRouter(Router):
    """Our end, its SAKs by MKA."""

    def __init__(self, binary, prefix, directory, row, mka):
        super().__init__(binary, prefix, directory, row, keys=mka.lines())

    def kay(self):
        try:
            return ask(self.socket, json.dumps({"request": "show", "what": "mka"}))["mka"][0]
        except OSError:
            return {"secured": False, "in_use": None, "why_not_secured": "no answer"}

    def rekey(self):
        return ask(self.socket, json.dumps({"request": "mka-rekey", "port": "sec"}))

    def number(self):
        """Of the SAK in use: its maker and its number."""
        sak = self.kay()["in_use"]
        return sak["key"] if sak and sak["transmits"] else None


class Wpa(Linux):
    """The guest's end: wpa_supplicant makes macsec0 on eth0."""
    name = "wpa_supplicant"

    def start(self, mka, cak=None):
        self.must(f"""cat >/run/wpa.conf <<'END'
eapol_version=3
ap_scan=0
network={{
 key_mgmt=NONE
 eapol_flags=0
 macsec_policy=1
 mka_cak={cak or mka.cak}
 mka_ckn={mka.ckn}
 mka_priority=20
}}
END
/usr/bin/wpa_supplicant -B -P /run/wpa.pid -i eth0 -D macsec_linux -c /run/wpa.conf""")

    def stop(self, sig="KILL"):
        self.must(f"kill -{sig} $(cat /run/wpa.pid); rm -f /run/wpa.pid; ip link del dev macsec0 2>/dev/null; true")

    def has_device(self):
        return "macsec0" in self.must("ls /sys/class/net")

    def spend(self):
        """All but the last quarter of the transmit SA's packet numbers."""
        shown = json.loads(self.must("ip -j macsec show macsec0"))[0]
        an = shown["encoding_sa"]
        self.must(f"ip macsec set macsec0 tx sa {an} pn {NEXT_PN}")


def passes(place, address):
    return " 1 received" in place.run("lan", "ping", "-n", "-c", 1, "-W", 1, address, check=False)


def secured(router, wpa, place, seconds, began=None):
    """Waits until packets pass; how long it took to be secured, since now or `began`."""
    began = began or time.monotonic()
    try:
        router.wait("not secured", began + seconds - time.monotonic(), lambda: router.kay()["secured"])
        took = time.monotonic() - began
        router.wait("no carrier", 10, router.has_carrier)
        router.wait(f"{wpa.name} has no macsec0", 10, wpa.has_device)
        wpa.must("ip link set dev macsec0 up")
        wpa.address("macsec0")  # a new device, or one whose routes went when it was down
        router.wait("no ping passes", 20, lambda: passes(place, f"{LINK4}.3"))
        router.wait("no IPv6 ping passes", 20, lambda: passes(place, f"{LINK6}:3"))
        return took
    except RouterError as e:
        raise RouterError(f"{e}\n{router.log.read_text('utf-8')[-4000:]}\n{router.kay()}\n"
                          f"{wpa.must('ip -s macsec show; ip address; ip route; ip neighbor')}") from e


WAYS = (("lan", "far", f"{LINK4}.3", PORT), ("far", "lan", f"{LAN4}.2", PORT + 1))


def wait_behind(place, ways):
    """What a ping behind the packets finds gone has arrived: the guest may be kept from running for as long as it
    likes."""
    for source, to, address, _ in ways:
        if " 1 received" not in place.run(source, "ping", "-n", "-c", 1, "-W", BEHIND_S, address, check=False):
            raise RowError(f"{source} to {to}: no ping behind the packets")


def traffic(place, flow, seconds, change, ways):
    """`change` happens within the seconds, while packets go both ways. What the senders and the receivers report, and
    what the machine took from the senders."""
    receivers = [place.start(to, flow, "receive", "--port", port, "--seconds", seconds + 60) for _, to, _, port in ways]
    try:
        for receiver in receivers:
            if receiver.stderr.readline().strip() != "ready":
                raise RowError(f"flow receive: {receiver.stderr.read().strip()}")
        senders = [place.start(source, flow, "send", "--to", address, "--port", port, "--flows", 8, "--rate", RATE,
                               "--seconds", seconds, "--size", 200) for source, _, address, port in ways]
        _, noise = attempt([sender.pid for sender in senders], lambda: (change(), time.sleep(1)))
        if any(sender.poll() is not None for sender in senders):
            raise RowError("the traffic ended before the change did")
        for sender in senders:
            sender.send_signal(signal.SIGTERM)
        sent = [finish(sender, "flow send") for sender in senders]
        wait_behind(place, ways)
    finally:
        for receiver in receivers:
            receiver.send_signal(signal.SIGTERM)
    return sent, [finish(receiver, "flow receive") for receiver in receivers], noise


def faults(sent, arrived, ways):
    """What did not arrive once and in order, way by way, in words."""
    return [f"{source} to {to}: {report['sent']} sent, {got['received']} received, {got['reordered']} reordered, "
            f"{got['duplicates']} twice; {got['socket_drops']} lost by the receiving socket, sender stalled for "
            f"{report['longest_stall_ms']:.0f} ms, first gaps {got['losses'][:2]}"
            for report, got, (source, to, *_) in zip(sent, arrived, ways)
            if got["received"] != report["sent"] or got["reordered"] or got["duplicates"]]


def under_traffic(place, flow, seconds, change, ways=WAYS, again=True):
    """In words, what went through while `change` happened: all of it, at the rate that was meant. What is lost is a
    failure. A sender that is slow while the machine stole time is given a second try, where the change can happen
    again, and judged only if the machine stole nothing."""
    sent, arrived, noise = traffic(place, flow, seconds, change, ways)
    lost, slowest = faults(sent, arrived, ways), min(report["rate"] for report in sent)
    slow = f"a sender came to {slowest:.0f}/s of {RATE}/s only" if slowest < LEAST_RATE else ""
    if lost or (slow and not noise["noisy"]):
        raise RowError(f"{'; '.join([*lost, slow])} ({said_of(noise)})")
    if slow and again:
        print(f"note: {slow} ({said_of(noise)}): once more", flush=True)
        return under_traffic(place, flow, seconds, change, ways, again=False)
    return (f"{sum(report['sent'] for report in sent)} packets, each way at {slowest:.0f}/s or more, "
            f"none lost{f' ({slow}: {said_of(noise)})' if slow else ''}")


def rekeys(router, times, ask_for_one):
    """Waits for each: the next SAK is asked for when the last one is in use and no other under way."""
    for _ in range(times):
        before = router.number()
        router.wait("the last rekey is under way", WORST_REKEY_S,
                    lambda: router.kay()["cp_state"] == "RETIRE")
        ask_for_one()
        router.wait("no new SAK in use", WORST_REKEY_S, lambda b=before: router.number() not in (None, b))


def ok(text):
    print(f"ok: {text}", flush=True)


def key_server(router, wpa, place, flow, times, ours):
    if router.kay()["is_key_server"] != ours:
        raise RowError(f"key server: {router.kay()}")
    ask_for_one = router.rekey if ours else wpa.spend
    try:
        said = under_traffic(place, flow, 2 * WORST_REKEY_S * times, lambda: rekeys(router, times, ask_for_one))
    except RowError as e:
        raise RowError(f"{e}\ndemarcd: {router.drops()} {router.secy()}\n"
                       f"the guest: {wpa.must('ip -s -s link; ip -s macsec show')}") from e
    ok(f"{'demarcd' if ours else wpa.name} as key server: {times} rekeys, {said}")


def working_sak(router):
    sak = router.number()
    if not sak:
        raise RowError(f"no SAK transmits: {router.kay()}")
    return sak


def restarts(router_of, wpa, place, mka):
    """Who was killed comes back, with a new SAK, and nobody helps."""
    with router_of() as router:
        secured(router, wpa, place, 20)
        before = working_sak(router)
        wpa.stop()
        router.wait("the port stays open without a peer", 10, lambda: not router.kay()["secured"])
        wpa.start(mka)
        took = secured(router, wpa, place, BACK_THEIRS_S)
        if working_sak(router) == before:
            raise RowError("the old SAK is used again")
        ok(f"{wpa.name} killed and started again: secured by another SAK after {took:.1f} s")
        before = working_sak(router)
        router.kill()
        began = time.monotonic()
        router.__enter__()
        took = secured(router, wpa, place, BACK_OURS_S, began)
        if working_sak(router) == before:
            raise RowError("after our restart the old SAK is used again")
        ok(f"demarcd killed and started again: secured by another SAK after {took:.1f} s")
        wpa.stop()
        wpa.start(mka, cak=secrets.token_hex(len(mka.cak) // 2))
        router.wait("a wrong CAK is not told", 15, lambda: "CAK" in router.kay()["why_not_secured"])
        ok(f"a wrong CAK: {router.kay()['why_not_secured']}")
    wpa.stop()


def test(prefix, build, guest, work, times):
    place, wpa, build = Place(prefix), Wpa(guest), Path(build)
    row = Row(suite=SUITE, encrypt="on", ours="sci", theirs="sci", window="0", vlan="none", mtu="1500")
    set_mtu(place, row)
    wpa.set_up()
    flow = build / "tools" / "flow" / "flow"
    wire = Wire(f"{prefix}-wire", ("sec0", "guest0"))
    full = os.environ.get("DEMARC_FULL", "0") == "1"
    pairs = FULL_PAIRS if full else PAIRS
    for number, (octets, our_priority) in enumerate(pairs):
        mka = Mka(work, octets, our_priority)

        def router_of(n=number, m=mka, again=iter(range(9))):
            return MkaRouter(build / "demarcd", prefix, Path(work) / f"mka-{n}-{next(again)}", row, m)
        wpa.start(mka)
        with router_of() as router:
            took = secured(router, wpa, place, 20)
            ok(f"CAK of {8 * octets} bits: secured {took:.1f} s after demarcd answered")
            key_server(router, wpa, place, flow, times, our_priority < 20)
        if number == 0 or full:
            restarts(router_of, wpa, place, mka)
        else:
            wpa.stop()
    ok(f"on the wire, kills and restarts included: {wire.only_secured()}")


if __name__ == "__main__":
    try:
        test(*sys.argv[1:5], int(sys.argv[5]))
    except (RowError, RouterError, GuestError, Failure) as e:
        sys.exit(f"FAILED: {e}")
