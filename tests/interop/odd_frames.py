#!/usr/bin/python3
"""odd_frames.py PREFIX BUILD GUEST WORK TABLE DOC: what a live Linux and a demarcd make of each odd frame.

After each frame a good one is sent: once its reply is here, the odd one's would be, too. A verdict is the counters of
802.1AE that moved, and `reply` if one came. Both have to be as TABLE says, and so has the word of `show drops`; where
they differ, the frame's name stands in DOC below the heading DIFFERENCES, and nowhere else there.
"""
import re
import select
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from echo import netns
from guest import GuestError
from keys import OURS, THEIRS, draw
from linux import LINK4, Linux
from odd_kinds import kinds, scb_kinds
from odd_peer import Peer, is_echo_reply
from pairwise import Row
from router import Router, RouterError

DIFFERENCES = "## Where we differ from Linux, on purpose"
ROW = Row("gcm-aes-128", "on", "sci", "sci", "0", "none", "1500")
SCB = Row("gcm-aes-128", "on", "sci", "scb", "0", "none", "1500")
CLEAR4 = "10.99.4"  # a subnet of the guest's bare NIC
LINUX_WORDS = {"InPktsOK": "ok", "InPktsUnchecked": "unchecked", "InPktsDelayed": "delayed", "InPktsLate": "late",
               "InPktsInvalid": "invalid", "InPktsNotValid": "not-valid", "InPktsNotUsingSA": "no-sa",
               "InPktsUnusedSA": "unused-sa", "InPktsBadTag": "bad-tag", "InPktsNoSCI": "unknown-sci",
               "InPktsUnknownSCI": "unknown-sci", "InPktsNoTag": "no-tag", "InPktsUntagged": "untagged",
               "InPktsOverrun": "overrun"}
OUR_WORDS = {"in_pkts_ok": "ok", "in_pkts_unchecked": "unchecked", "in_pkts_delayed": "delayed",
             "in_pkts_late": "late", "in_pkts_duplicate": "duplicate", "in_pkts_invalid": "invalid",
             "in_pkts_not_valid": "not-valid", "in_pkts_no_sa": "no-sa", "in_pkts_bad_tag": "bad-tag",
             "in_pkts_unknown_sci": "unknown-sci", "in_pkts_no_tag": "no-tag", "in_pkts_untagged": "untagged"}


class OddError(Exception):
    """What a target did not do."""


def counted(words, *documents):
    """The documents' counters by our words."""
    total = Counter()
    for document in documents:
        for name, word in words.items():
            total[word] += document.get(name, 0)
    return total


class Target:
    """One receiver of odd frames: a raw socket on its wire, a Peer that it knows, what it counts."""

    def __init__(self, namespace, device, peer, counters):
        with netns(namespace):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((device, 3))
        self.peer, self.counters, self.last = peer, counters, (Counter(), Counter())

    def send(self, make):
        """The identifier of the echo request in it."""
        self.socket.send(make())
        return self.peer.identifier

    def replies(self, wanted, seconds):
        """Identifiers of echo replies up to the wanted one."""
        found, end = set(), time.monotonic() + seconds
        while wanted not in found:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                return found
            frame, address = self.socket.recvfrom(4096)
            if address[2] == socket.PACKET_OUTGOING:
                continue
            packet = self.peer.packet_of(frame)
            found |= {i for i in {self.peer.identifier, self.peer.identifier - 1} if is_echo_reply(packet, i)}
        return found

    def ready(self, probe):
        """Until a good frame is answered."""
        for _ in range(40):
            wanted = self.send(probe)
            if wanted in self.replies(wanted, 0.5):
                time.sleep(0.5)  # until those before it are answered, too
                self.last = self.counters()
                return
        raise OddError("a good frame has no reply")

    def verdict(self, make, probe):
        """(words that moved, drops that moved) by a frame; the good one behind it is taken off."""
        before, drops_before = self.last
        odd = self.send(make)
        good = self.send(probe)
        found = self.replies(good, 20)
        if good not in found:
            raise OddError("the good frame behind it has no reply")
        self.last = self.counters()
        after, drops = (Counter(c) for c in self.last)
        after.subtract(before)
        after.subtract({"ok": 1})
        drops.subtract(drops_before)
        words = [w if n == 1 else f"{w}{n:+}" for w, n in sorted(after.items()) if n != 0]
        words += ["reply"] if odd in found else []
        return " ".join(words) or "-", " ".join(w for w, n in sorted(drops.items()) if n > 0) or "-"


def linux_verdicts(prefix, linux):
    """{name: verdict}, by the guest's kernel."""
    ours, theirs = draw(ROW.suite)
    peer = Peer(OURS, THEIRS, ours.sak, theirs.sak, f"{LINK4}.1", f"{LINK4}.2")
    linux.set_up()
    linux.address(linux.secure(ROW, ours, theirs))
    linux.batch(f"""
address add {CLEAR4}.2/24 dev eth0
neighbor replace {LINK4}.1 lladdr {OURS} nud permanent dev msec0
neighbor replace {CLEAR4}.1 lladdr {OURS} nud permanent dev eth0
""")

    def counters():
        document = linux.counters()
        return counted(LINUX_WORDS, document, *document["rx_sc"]), {}
    target = Target(f"{prefix}-wire", "guest0", peer, counters)
    target.ready(peer.seal)
    frames = kinds(peer, (f"{CLEAR4}.1", f"{CLEAR4}.2")) + scb_kinds(peer)
    return {name: target.verdict(make, peer.seal)[0] for name, make in frames}


def our_verdicts(prefix, build, work, row, frames, probe):
    """{name: (verdict, drop)}, by a demarcd."""
    ours, theirs = sas = draw(row.suite)
    peer = Peer(THEIRS, OURS, theirs.sak, ours.sak, f"{LINK4}.2", f"{LINK4}.1")
    with Router(build / "demarcd", prefix, work, row, sas) as router:
        router.wait("no carrier", 20, router.has_carrier)
        subprocess.run(["ip", "-n", f"{prefix}-router-host", "neighbor", "replace", f"{LINK4}.2", "lladdr", THEIRS,
                        "nud", "permanent", "dev", "s0"], check=True)

        def counters():
            secy = router.secy()
            return counted(OUR_WORDS, secy, *secy["receive"]), router.drops()
        target = Target(f"{prefix}-wire", "sec0", peer, counters)
        target.ready(probe(peer))
        return {name: target.verdict(make, probe(peer)) for name, make in frames(peer)}


def documented(text):
    """Names of frames below the heading, up to the next one."""
    _, found, rest = text.partition(f"\n{DIFFERENCES}\n")
    if not found:
        raise OddError(f"no heading `{DIFFERENCES}`")
    return re.findall(r"^\| `([a-z0-9-]+)`", rest.split("\n## ")[0], re.MULTILINE)


def parse(text):
    """{name: (Linux's verdict, ours, our drop)}."""
    lines = [line.split("#")[0].split("|") for line in text.splitlines()]
    return {words[0].strip(): tuple(w.strip() for w in words[1:]) for words in lines if len(words) == 4}


def faults(expected, seen, listed):
    wrong = [f"{name}: expected {expected.get(name)}, seen {seen.get(name)}"
             for name in sorted(expected.keys() | seen.keys()) if expected.get(name) != seen.get(name)]
    differ = {name for name, (linux, ours, _) in seen.items() if linux != ours}
    wrong += [f"{name}: differs, and is not listed" for name in sorted(differ - set(listed))]
    return wrong + [f"{name}: listed, and does not differ" for name in sorted(set(listed) - differ)]


def main():
    prefix, build, guest, work, table, doc = sys.argv[1:]
    build, work = Path(build), Path(work)
    linux = linux_verdicts(prefix, Linux(guest))
    ours = our_verdicts(prefix, build, work / "odd", ROW, lambda peer: kinds(peer, (f"{CLEAR4}.2", f"{CLEAR4}.1")),
                        lambda peer: peer.seal)
    ours |= our_verdicts(prefix, build, work / "scb", SCB, scb_kinds, lambda peer: scb_kinds(peer)[0][1])
    seen = {name: (linux[name], *ours[name]) for name in linux}
    width = max(map(len, seen))
    for name, (a, b, drop) in seen.items():
        print(f"{name:{width}} | {a:15} | {b:15} | {drop}", flush=True)
    wrong = faults(parse(Path(table).read_text(encoding="ascii")), seen,
                   documented(Path(doc).read_text(encoding="utf-8")))
    differ = sum(linux != ours for linux, ours, _ in seen.values())
    print(*wrong, f"{len(seen)} frames, {differ} differ, {len(wrong)} faults", sep="\n")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    try:
        main()
    except (OddError, RouterError, GuestError, OSError) as e:
        sys.exit(f"odd_frames: {e}")
