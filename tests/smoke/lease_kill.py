#!/usr/bin/python3
"""lease_kill.py PREFIX WORK BUILD KILLS [SEED]: kills east KILLS times while its host sends across the secured link.

A third of the moments lie anywhere from the start on, a third while the lease is being written, a third after the first
frame. 1. every lease file is whole and its ceiling never falls. 2. the captured frames' PNs only rise; nonce_check
opens some of every run and looks for repeats. 3. the peer, up all the time, took every frame as good.
"""
import os
import random
import secrets
import signal
import socket
import threading
import time
from pathlib import Path

import pair
from frames import netns
from pair import Sak, SecY, expect, ok, wait_for

import nonce_check  # of tools/lab.d
import pcap

SUITE = "gcm-aes-xpn-256"


class Sender(threading.Thread):
    """Small packets to the peer, some 2,000 a second, whether or not there is a way."""

    def __init__(self, namespace, address):
        super().__init__(daemon=True)
        with netns(namespace):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.address, self.ends = (address, 9), False

    def run(self):
        while not self.ends:
            try:
                self.socket.sendto(b"demarc", self.address)
            except OSError:
                pass  # the TAP is gone with the daemon
            time.sleep(0.0005)


def checksum(text):
    """FNV-1a, 64 bits."""
    total = 0xCBF29CE484222325
    for octet in text:
        total = (total ^ octet) * 0x100000001B3 & (1 << 64) - 1
    return total


def lease_of(path):
    """The ceiling a lease file holds; nothing yet: 0."""
    try:
        octets = path.read_bytes()
    except FileNotFoundError:
        return 0
    body, _, end = octets.rpartition(b"checksum ")
    expect(end.strip().decode("ascii") == f"{checksum(body):016x}", f"a torn lease: {octets}")
    return int(body.split(b"\npn ")[1])


def lease_files(router):
    return list((router.state / "leases").glob("*.transmit"))


class Moments:
    """When to kill; `seed` repeats it."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.written, self.kinds = 0, {"start": 0, "lease write": 0, "traffic": 0}

    def wait(self, router, starts_in, transmits):
        """Returns at the moment to kill."""
        began, kind = time.monotonic(), "traffic" if transmits else self.random.choice(list(self.kinds))
        self.kinds[kind] += 1
        delay = self.random.random()
        if kind == "start":
            time.sleep(delay * 1.2 * starts_in)
        elif kind == "lease write":
            self.until_written(router, began)
            time.sleep(0.002 * delay)
        else:
            wait_for(30, "east transmits", lambda: sent(router) > 10)
            time.sleep(0.2 * delay)

    def until_written(self, router, began):
        """Until the lease's new file is there, or has just taken the old one's place."""
        directory = router.state / "leases"
        before = {f: f.stat().st_mtime_ns for f in lease_files(router)}
        while time.monotonic() < began + 30:
            names = os.listdir(directory) if directory.exists() else []
            if any(n.endswith(".new") for n in names):
                self.written += 1
                return
            if {f: f.stat().st_mtime_ns for f in lease_files(router)} != before:
                return
            time.sleep(0.0002)
        raise pair.Failure("east never writes its lease")


def state(router):
    """Of its SecY; nothing while it does not answer."""
    try:
        return router.secy(1)
    except (OSError, ConnectionError):
        expect(router.process.poll() is None, "east ended by itself")
        return {"secured": False, "transmit": {"out_pkts_encrypted": 0}}


def sent(router):
    return state(router)["transmit"]["out_pkts_encrypted"]


def pns_of(path, sci):
    """The PNs of a sender's frames in a capture, in order."""
    capture = pcap.Capture(path)
    data = capture.data
    return [int.from_bytes(data[at + 16:at + 20], "big") for at, kept, _ in capture.frames()
            if kept >= 28 and data[at + 12:at + 14] == pcap.MACSEC and data[at + 20:at + 28].hex() == sci]


def judge_wire(path, sak, secy):
    sci = pair.sci_of("east", secy)
    pns = pns_of(path, sci)
    falls = [(a, b) for a, b in zip(pns, pns[1:]) if b <= a]
    expect(not falls, f"packet numbers fall or repeat: {falls[:5]}")
    jumps = sum(b - a > 1 << 16 for a, b in zip(pns, pns[1:]))
    document = nonce_check.check({"l1": [str(path)]}, {"l1": [sak.log(secy)]}, 100)
    expect(document["ok"], f"nonce_check: {document['problems']}")
    expect(document["wires"]["l1"]["captures"][str(path)]["other"] == 0, "frames in clear on the wire")
    return len(pns), jumps, document["wires"]["l1"]["decrypted"]


def test(prefix, work, build, kills, seed=""):
    work, build, kills = Path(work), Path(build), int(kills)
    seed = int(seed) if seed else secrets.randbelow(10**9)
    print(f"seed {seed}", flush=True)
    east, west = pair.routers(prefix, work, build)
    sak = Sak(work, "one", SUITE)
    secy = SecY(1, 1, sak, [sak])
    for router in (east, west):
        router.secys, router.workers, router.log_level = [secy], 1, "warning"
    wire = work / "etc" / "e1.pcap"
    capture = pair.capture(f"{prefix}-wire", "e1", wire, "-s", 192)
    west.start()
    sender = Sender(east.host_ns, "10.98.1.2")
    sender.start()
    moments, ceilings, starts, began = Moments(seed), [0], [], time.monotonic()
    for n in range(kills):
        spawned = time.monotonic()
        east.start(wait=False)
        measured = n % 8 == 0
        if measured:
            wait_for(30, "east transmits", lambda: state(east)["secured"])
            starts.append(time.monotonic() - spawned)
        moments.wait(east, sum(starts) / len(starts), measured)
        east.end(signal.SIGKILL)
        for path in lease_files(east):
            ceilings.append(lease_of(path))
            expect(ceilings[-1] >= ceilings[-2], f"kill {n}: the ceiling falls from {ceilings[-2]} to {ceilings[-1]}")
    took = time.monotonic() - began
    east.start()
    pair.wait_carrier(east)
    pair.wait_ping(east, 1)
    sender.ends = True
    sender.join()
    east.end()
    pair.end_captures((capture, wire))

    expect(len({f.name for f in lease_files(east)}) == 1, "more than one lease for one key")
    ok(f"{kills} kills in {took:.0f} s ({moments.kinds}, {moments.written} with the new file half written); a start "
       f"transmits after {1000 * sum(starts) / len(starts):.0f} ms; the ceiling rose {len(set(ceilings)) - 1} times")
    frames, jumps, opened = judge_wire(wire, sak, secy)
    expect(jumps >= moments.kinds["traffic"] > 0, f"only {jumps + 1} starts sent anything")
    ok(f"{frames} frames of {jumps + 1} starts on the wire: packet numbers only rise, {opened} opened, no nonce twice")
    receive = west.secy(1)["receive"][0]
    bad = {k: receive[f"in_pkts_{k}"] for k in ("not_valid", "late", "duplicate", "no_sa", "invalid")}
    expect(not any(bad.values()) and receive["in_pkts_ok"] > 0, f"west: {bad}")
    ok(f"the peer took {receive['in_pkts_ok']} frames, refused none")
    west.end()


if __name__ == "__main__":
    pair.main(test)
