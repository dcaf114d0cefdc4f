#!/usr/bin/python3
"""macsec_linux.py PREFIX BUILD GUEST WORK TABLE|full: each row of the table between demarcd and a live Linux.

Per row: a SecY in the guest, a demarcd, pings of the smallest and the largest packet both ways, flows both ways, TCP.
Then nothing was lost, every frame that one end counts as sent the other counts as good, neither counts a bad one, and
the wire saw exactly those, each with the TCI of the row's SCI form. Needs the namespaces of macsec_linux_test.sh.
"""
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pairwise
from echo import HEADER, Echo
from guest import GuestError, die_with_parent
from keys import draw
from linux import LAN4, LAN6, LINK4, LINK6, Linux
from router import Router, RouterError

PORT = 9000
FLOW_RATE, FLOW_S, TCP_OCTETS = 500, 0.5, 1 << 20
BAD_OURS = ("in_pkts_unchecked", "in_pkts_delayed", "in_pkts_late", "in_pkts_invalid", "in_pkts_not_valid",
            "in_pkts_no_sa", "in_pkts_duplicate")
BAD_OURS_SECY = ("in_pkts_untagged", "in_pkts_no_tag", "in_pkts_bad_tag", "in_pkts_no_sa_error", "in_pkts_unknown_sci")
BAD_LINUX = ("InPktsUnchecked", "InPktsDelayed", "InPktsInvalid", "InPktsLate", "InPktsNotValid", "InPktsNotUsingSA",
             "InPktsUnusedSA")
BAD_LINUX_SECY = ("OutPktsUntagged", "InPktsUntagged", "OutPktsTooLong", "InPktsNoTag", "InPktsBadTag",
                  "InPktsUnknownSCI", "InPktsNoSCI", "InPktsOverrun")
TCI = {"sci": 0x20, "es": 0x40, "scb": 0x10, "none": 0x00}


class RowError(Exception):
    """What a row did not do."""


class Place:
    """The namespaces, and commands in them."""

    def __init__(self, prefix):
        self.prefix = prefix

    def argv(self, name, *words):
        return ["nsenter", f"--net=/run/netns/{self.prefix}-{name}", *map(str, words)]

    def run(self, name, *words, text=None, check=True):
        done = subprocess.run(self.argv(name, *words), input=text, capture_output=True, text=True, timeout=60,
                              check=False)
        if check and done.returncode != 0:
            raise RowError(f"{name}: {' '.join(map(str, words))}: {(done.stderr + done.stdout).strip()[-400:]}")
        return done.stdout

    def start(self, name, *words):
        return subprocess.Popen(self.argv(name, *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                preexec_fn=die_with_parent)


def wire_rules(row):
    """Counts at both ends of the wire: frames with exactly this row's tags and TCI, and all others."""
    def chain(name, device, form):
        tci = TCI[form] | (0x0C if row.encrypt == "on" else 0)
        at, tag = (128, "@ll,96,32 & 0xffff0fff == 0x81000007 ") if row.vlan == "outside" else (96, "")
        return f"""
    counter {name} {{}}
    counter {name}-other {{}}
    chain {name} {{
        type filter hook ingress device "{device}" priority 0;
        {tag}@ll,{at},16 0x88e5 @ll,{at + 16},8 {tci} counter name {name} accept
        counter name {name}-other
    }}"""
    return ("table netdev wire {}\ndelete table netdev wire\ntable netdev wire {"
            + chain("ours", "sec0", row.ours) + chain("theirs", "guest0", row.theirs) + "\n}\n")


def wire_counts(place):
    listed = json.loads(place.run("wire", "nft", "-j", "list", "counters"))["nftables"]
    return {c["counter"]["name"]: c["counter"]["packets"] for c in listed if "counter" in c}


def set_mtu(place, row):
    """A veth takes an XDP program only while its peer's frames are small."""
    outside = 9200 if row.mtu == "9000" else 3000
    for name, device, mtu in (("router", "sec", 1500), ("router", "plain", 1500), ("wire", "sec0", outside),
                              ("lan", "eth0", row.mtu), ("far", "far0", row.mtu)):
        place.run(name, "ip", "link", "set", device, "mtu", mtu)


def pings(echo, row):
    """Both families, both ways, the smallest and the largest packet; none lost once neighbours are known."""
    ways = ((4, "lan", f"{LINK4}.3"), (6, "lan", f"{LINK6}:3"), (4, "far", f"{LAN4}.2"), (6, "far", f"{LAN6}:2"),
            (4, "lan", f"{LINK4}.2"), (6, "lan", f"{LINK6}:2"))
    smallest, largest = [(way, HEADER[way[0]]) for way in ways], [(way, int(row.mtu)) for way in ways]
    end = time.monotonic() + 30
    while lost := echo.lost(smallest, 2, 1):
        if time.monotonic() > end:
            raise RowError(f"no ping passes: {lost}")
    if lost := echo.lost(smallest + largest, 3, 20):
        raise RowError(f"pings are lost: {lost}")


def finish(process, what, timeout_s=60):
    """What it printed, as JSON."""
    try:
        out, err = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired as e:
        process.kill()
        process.communicate()
        raise RowError(f"{what} does not end") from e
    if process.returncode != 0:
        raise RowError(f"{what}: {err.strip()}")
    return json.loads(out)


def flows(place, flow, row):
    """UDP both ways at once; all of it arrives, once and in order. So slow that a guest that gets no time at all for
    the whole run still has room for all."""
    size = int(row.mtu) // 2
    ways = (("lan", "far", f"{LINK4}.3", PORT), ("far", "lan", f"{LAN6}:2", PORT + 1))
    receivers = [place.start(to, flow, "receive", "--port", port, "--seconds", 90) for _, to, _, port in ways]
    try:
        for receiver in receivers:
            if receiver.stderr.readline().strip() != "ready":
                raise RowError(f"flow receive: {receiver.stderr.read().strip()}")
        senders = [place.start(source, flow, "send", "--to", address, "--port", port, "--flows", 8, "--rate",
                               FLOW_RATE, "--seconds", FLOW_S, "--size", size) for source, _, address, port in ways]
        sent = [finish(sender, "flow send") for sender in senders]
        time.sleep(0.1)
    finally:
        for receiver in receivers:
            receiver.send_signal(signal.SIGTERM)
    for report, receiver, (source, to, *_) in zip(sent, receivers, ways):
        got = finish(receiver, "flow receive")
        if got["received"] != report["sent"] or report["errors"] or got["reordered"] or got["duplicates"]:
            raise RowError(f"flows {source} to {to}: {report['sent']} sent, {got['received']} received, "
                           f"{got['reordered']} reordered, {got['duplicates']} twice")
    return sum(report["sent"] for report in sent)


def tcp(place):
    """A short iperf3 run; its window is so small that nothing on the way overflows."""
    server = place.start("far", "iperf3", "-s", "-1", "-p", 5201)
    try:
        def listening():
            return place.run("far", "ss", "-Hltn", "sport = 5201").strip()
        end = time.monotonic() + 20
        while not listening():
            if time.monotonic() > end or server.poll() is not None:
                raise RowError("iperf3 does not listen")
        done = json.loads(place.run("lan", "iperf3", "-c", f"{LINK4}.3", "-p", 5201, "-n", TCP_OCTETS, "-w", "64K",
                                    "-J", check=False) or "{}")
    finally:
        server.kill()
        server.communicate()
    if done.get("error") or done["end"]["sum_sent"]["bytes"] < TCP_OCTETS:
        raise RowError(f"iperf3: {done.get('error') or done['end']['sum_sent']}")


def compare(row, ours, linux, wire):
    """What does not agree. ours: `macsec` of status; linux: `ip -s macsec`; wire: the counters of wire_rules()."""
    transmit, (receive,), (rx,) = ours["transmit"], ours["receive"], linux["rx_sc"]
    used, unused = ("encrypted", "protected") if row.encrypt == "on" else ("protected", "encrypted")
    sent, linux_sent = transmit[f"out_pkts_{used}"], linux[f"OutPkts{used.title()}"]
    octets = "decrypted" if row.encrypt == "on" else "validated"
    equal = {
        "we sent, Linux took": (sent, rx["InPktsOK"]), "Linux sent, we took": (linux_sent, receive["in_pkts_ok"]),
        "octets we sent, Linux took": (transmit[f"out_octets_{used}"], rx[f"InOctets{octets.title()}"]),
        "octets Linux sent, we took": (linux[f"OutOctets{used.title()}"], receive[f"in_octets_{octets}"]),
        "we sent, on the wire": (sent, wire["ours"]), "Linux sent, on the wire": (linux_sent, wire["theirs"]),
        "sent unlike the row": (0, transmit[f"out_pkts_{unused}"] + linux[f"OutPkts{unused.title()}"]),
        "other frames on the wire": (0, wire["ours-other"] + wire["theirs-other"]),
    }
    equal |= {name: (0, receive[name]) for name in BAD_OURS} | {name: (0, ours[name]) for name in BAD_OURS_SECY}
    equal |= {name: (0, rx[name]) for name in BAD_LINUX} | {name: (0, linux[name]) for name in BAD_LINUX_SECY}
    return {what: pair for what, pair in equal.items() if pair[0] != pair[1]}, min(sent, linux_sent)


def agree(row, router, linux, place, least):
    """Waits until everything under way has arrived and all counters agree."""
    end = time.monotonic() + 20
    while True:
        wrong, sent = compare(row, router.secy(), linux.counters(), wire_counts(place))
        if not wrong and sent >= least:
            return sent
        if time.monotonic() > end:
            raise RowError(f"counters differ: {wrong or f'only {sent} frames sent'}; drops: {router.drops()}")
        time.sleep(0.05)


def one_row(row, place, echo, linux, build, directory):
    sas = draw(row.suite)
    set_mtu(place, row)
    place.run("wire", "nft", "-f", "-", text=wire_rules(row))
    device = linux.secure(row, *sas)
    try:
        with Router(build / "demarcd", place.prefix, directory, row, sas) as router:
            try:
                router.wait("no carrier", 20, router.has_carrier)
                linux.address(device)
                pings(echo, row)
                sent = flows(place, build / "tools" / "flow" / "flow", row)
                tcp(place)
                return agree(row, router, linux, place, sent // 2)
            except (RowError, GuestError) as e:
                raise RowError(f"{e}\n  ours: {router.secy()}\n  Linux: {linux.counters()}\n"
                               f"  wire: {wire_counts(place)}") from e
    finally:
        linux.forget(row)


def main():
    prefix, build, guest, work, table = sys.argv[1:]
    rows = pairwise.full() if table == "full" else pairwise.parse(Path(table).read_text(encoding="ascii"))
    place, linux = Place(prefix), Linux(guest)
    echo = Echo({name: f"{prefix}-{name}" for name in ("lan", "far")})
    linux.set_up()
    failed = 0
    for number, row in enumerate(rows):
        began = time.monotonic()
        directory = Path(work) / f"row-{number}"
        try:
            frames = one_row(row, place, echo, linux, Path(build), directory)
            print(f"ok: {row}: at least {frames} frames each way, {time.monotonic() - began:.1f} s", flush=True)
        except (RowError, RouterError, GuestError, subprocess.SubprocessError) as e:
            failed += 1
            log = (directory / "log").read_text(errors="replace") if (directory / "log").exists() else ""
            print(f"FAILED: {row}: {e}\n{log[-1500:]}", flush=True)
    print(f"{len(rows)} rows, {failed} failed")
    sys.exit(1 if failed or not rows else 0)


if __name__ == "__main__":
    main()
