#!/usr/bin/python3
"""exhaustion.py PREFIX WORK BUILD: both ends of two links begin LEFT packet numbers before the end, by their leases.

1. a start learns what the leases are called; then they are written as if the keys had been used that far. 2. with
traffic from the host, frames leave with every packet number up to the last, none after it, none twice; the peer takes
them all. 3. east says why nothing leaves and that a new SAK is due; TAPs lose carrier; wire and peer see nothing more.
4. a new SAK by reload: the links carry traffic again. 5. a start with the spent SAK is refused, in words.
"""
import socket
import subprocess
import threading
import time
from pathlib import Path

import pair
from frames import netns
from lease_kill import checksum
from pair import Sak, SecY, expect, ok, wait_for

import pcap  # of tools/lab.d

SUITES = {1: "gcm-aes-128", 2: "gcm-aes-xpn-256"}
END = {1: 2**32 - 1, 2: 2**64 - 1}  # the first packet number that is never used
LEFT = 6000


class Traffic(threading.Thread):
    """UDP from the host behind east to networks behind both links, in bursts: the end lies within a batch."""

    def __init__(self, namespace):
        super().__init__(daemon=True)
        with netns(namespace):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.ends = False

    def run(self):
        while not self.ends:
            for n in SUITES:
                for _ in range(37):
                    self.socket.sendto(b"demarc" * 20, (f"10.97.{n}2.9", 9))
            time.sleep(0.008)


def write_lease(router, key, direction, pn):
    body = f"demarc-pn-lease 1\ndirection {direction}\nkey {key}\npn {pn}\n"
    path = router.state / "leases" / f"{key}.{direction}"
    path.write_text(f"{body}checksum {checksum(body.encode()):016x}\n", "ascii")


def age_keys(east, west):
    """The keys look used up to LEFT packet numbers before their end: east's leases to send, west's to receive."""
    keys = {n: east.secy(n)["transmit"]["key"] for n in SUITES}
    expect(keys == {n: west.secy(n)["receive"][0]["sas"][0]["key"] for n in SUITES}, "two names for one key")
    for router in (east, west):
        router.end()
    for n, key in keys.items():
        write_lease(east, key, "transmit", END[n] - LEFT)
        write_lease(west, key, "receive", END[n] - LEFT)


def frames_of(path, sci):
    """Lower halves of the packet numbers of a sender, in order; and how many frames are no MACsec."""
    capture = pcap.Capture(path)
    data, pns, clear = capture.data, [], 0
    for at, _, _ in capture.frames():
        if data[at + 12:at + 14] != pcap.MACSEC:
            clear += 1
        elif data[at + 20:at + 28].hex() == sci:
            pns.append(int.from_bytes(data[at + 16:at + 20], "big"))
    return pns, clear


def carrier(router, name):
    return pair.inside(router.host_ns, "cat", f"/sys/class/net/{name}/carrier").stdout.strip() == "1"


def drive_across(prefix, work, east):
    """Traffic until both SAKs are spent, and a second more; the captures."""
    captures = {n: work / "etc" / f"e{n}.pcap" for n in SUITES}
    running = [(pair.capture(f"{prefix}-wire", f"e{n}", path, "-s", 64), path) for n, path in captures.items()]
    status = east.status()
    for n in SUITES:
        secy = east.pick(status, n)
        expect(secy["secured"] and secy["transmit"]["needs_new_sak"], f"{SUITES[n]}: not secured, or no new SAK is due")
        expect(secy["transmit"]["next_pn"] < END[n] - LEFT // 2, f"{SUITES[n]}: too far already")
    traffic = Traffic(f"{prefix}-lan")
    traffic.start()
    for n in SUITES:
        wait_for(60, f"{SUITES[n]} is spent", lambda n=n: east.secy(n)["transmit"]["next_pn"] == END[n])
    time.sleep(1)
    traffic.ends = True
    traffic.join()
    pair.end_captures(*running)
    return captures


def judge_wire(captures, east):
    for n, path in captures.items():
        pns, clear = frames_of(path, pair.sci_of("east", east.secys[n - 1]))
        last = (END[n] - 1) & 0xFFFFFFFF
        expect(clear == 0, f"{SUITES[n]}: {clear} frames in clear")
        expect(pns and pns[-1] == last, f"{SUITES[n]}: the last packet number is {pns[-1]:#x}, not {last:#x}")
        expect(pns == list(range(pns[0], last + 1)), f"{SUITES[n]}: packet numbers are missing, repeat or go back")
        expect(len(pns) > LEFT // 2, f"{SUITES[n]}: only {len(pns)} frames")
        ok(f"{SUITES[n]}: {len(pns)} frames on the wire, packet numbers up to {END[n] - 1:#x}, then none; none clear")


def judge_east(east):
    status = east.status()
    for n in SUITES:
        secy = east.pick(status, n)
        expect(not secy["secured"] and "used all its packet numbers" in secy["why_not_secured"], f"says: {secy}")
        expect(secy["transmit"]["needs_new_sak"] and secy["transmit"]["next_pn"] == END[n], f"says: {secy}")
        expect(not carrier(east, f"s{n}") and not east.interface(f"s{n}")["carrier"], f"s{n} has carrier")
    spent = east.drops().get("pn-exhausted", 0)
    expect(spent > 0, f"nothing was counted: {east.drops()}")
    for words in (["status"], ["show", "macsec"]):
        said = subprocess.run([east.build / "demarc", "--socket", str(east.run / "demarc.sock"), *words],
                              capture_output=True, text=True, check=True).stdout
        expect("NEW SAK DUE" in said and "used all its" in " ".join(said.split()), f"demarc {words} says: {said}")
    ok(f"{spent} frames counted as pn-exhausted; carrier down; \"{secy['why_not_secured']}\"; a new SAK is due")


def judge_west(west):
    for n in SUITES:
        receive = west.secy(n)["receive"][0]
        bad = {k: v for k, v in receive.items() if k.startswith("in_pkts") and k != "in_pkts_ok" and v}
        expect(not bad, f"west, {SUITES[n]}: {bad}")
        expect(receive["sas"][0]["next_pn"] == END[n], f"west, {SUITES[n]}: {receive}")
    ok("the peer took every frame, the last packet number's too")


def refuses_spent(east):
    """A start with a SAK that has nothing left is one error, and nothing runs."""
    east.end()
    said = subprocess.run(["ip", "netns", "exec", east.ns, str(east.build / "demarcd"), "--config", str(east.config)],
                          capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL)
    expect(said.returncode == 1 and "has used all its packet numbers; put a new one there" in said.stderr,
           f"a start with a spent SAK: {said.returncode} {said.stderr}")
    ok("a start with the spent SAKs is refused: " + said.stderr.strip().rsplit("macsec: ", maxsplit=1)[-1])


def test(prefix, work, build):
    work, build = Path(work), Path(build)
    routers = east, west = pair.routers(prefix, work, build)
    old = {n: Sak(work, f"old{n}", suite) for n, suite in SUITES.items()}
    back = {n: Sak(work, f"back{n}", suite) for n, suite in SUITES.items()}  # from west to east
    new = {n: Sak(work, f"new{n}", suite, 1) for n, suite in SUITES.items()}
    for router in routers:
        router.buffers = 32768
    east.secys = [SecY(n, n, old[n], [back[n]]) for n in SUITES]
    west.secys = [SecY(n, n, back[n], [old[n]]) for n in SUITES]
    for router in routers:
        router.start()
    pair.wait_carrier(*routers)
    age_keys(east, west)
    for router in routers:
        router.start()
    pair.wait_carrier(*routers)
    for n in SUITES:
        east.route(f"10.97.{n}2.0/24", n)
        pair.wait_ping(east, n)
    captures = drive_across(prefix, work, east)
    judge_wire(captures, east)
    judge_east(east)
    judge_west(west)

    for router, (transmit, receive) in ((west, (back, new)), (east, (new, back))):
        router.secys = [SecY(n, n, transmit[n], [receive[n]]) for n in SUITES]
        router.reload()
    pair.wait_carrier(*routers)
    for n in SUITES:
        pair.wait_ping(east, n)
        expect(not east.secy(n)["transmit"]["needs_new_sak"], "a new SAK is due at once")
    ok("new SAKs by reload: both links carry traffic again")
    east.secys = [SecY(n, n, old[n], [back[n]]) for n in SUITES]
    east.write()
    refuses_spent(east)
    west.end()


if __name__ == "__main__":
    pair.main(test)
