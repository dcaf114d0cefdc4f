#!/usr/bin/python3
"""An independent look at captured MACsec: shares no code with Demarc, only OpenSSL (through python3-cryptography).

    nonce_check.py --caks FILE [--frames 100] WIRE=CAPTURE... [--vid WIRE=VID...]

The SAKs come out of the captured MKPDUs (mka_keys.py), opened with the CAKs: {WIRE: {"ckn": HEX, "cak": HEX}}.

1. Every frame of every capture is MACsec with an explicit SCI, or EAPOL. Frames of one SCI and AN in a row are a run.
2. Frames of every run are decrypted and authenticated with the SAKs: that tells which SAK the run used, and the upper
   half of its packet numbers. At least --frames frames per wire.
3. No (SAK, SSCI, PN) occurs twice, over all runs of all captures: AES-GCM would be broken.

One JSON document: per wire the frames, runs and decrypted frames; the repeats; "ok". Exit 0 only if all of it holds.
"""
import argparse
import bisect
import json
import struct
import sys
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import mka_keys
import pcap

ICV = 16
SECTAG = 16           # EtherType, TCI/AN, SL, PN, SCI
SAMPLE = 120          # frames of a run that are opened from its start; later one in 499, and the last
EARLY_NS = 2_000_000_000   # a key server may transmit with its first SAK before the MKPDU with it has gone
MAX_UPPER = 4         # upper halves of a PN that are tried for a run's first frame


@dataclass
class Run:
    wire: str
    capture: object
    sci: str
    an: int
    began: int = 0                                  # when its first frame was captured
    first: tuple = None                             # (offset, octets kept, pn) of that frame
    intervals: list = field(default_factory=list)   # [first, last] of PNs, as if the first had upper half 0; disjoint
    whole: list = field(default_factory=list)       # (offset, length, pn) of frames kept whole
    last_whole: tuple = None
    frames: int = 0
    repeats: int = 0
    upper: int = 0          # of the newest PN, relative to the run's first
    key: dict = None
    base: int = 0           # upper half of the run's first PN, once known

    def add(self, pn):
        """A frame's 32-bit PN: unwrapped against the newest one, noted. A repeat within the run is counted here."""
        newest = self.intervals[-1][1] if self.intervals else None
        if newest is not None:
            low = newest & 0xFFFFFFFF
            pn |= newest & ~0xFFFFFFFF
            if low >= 0xC0000000 and (pn & 0xFFFFFFFF) < 0x40000000:
                pn += 1 << 32
            elif low < 0x40000000 and (pn & 0xFFFFFFFF) >= 0xC0000000 and pn >= 1 << 32:
                pn -= 1 << 32
        self.frames += 1
        if newest is not None and pn == newest + 1:
            self.intervals[-1][1] = pn
        elif newest is None or pn > newest:
            self.intervals.append([pn, pn])
        else:
            self.repeats += not insert(self.intervals, pn)
        return pn


def insert(intervals, pn):
    """Adds a number to ascending disjoint intervals; False if it was there."""
    at = bisect.bisect_right(intervals, [pn, float("inf")]) - 1
    if at >= 0 and intervals[at][0] <= pn <= intervals[at][1]:
        return False
    intervals.insert(at + 1, [pn, pn])
    return True


def begins_anew(run, pn, time, keys):
    """A PN that does not grow, and since the run began a SAK with its AN was made: it may be that one. Whether it
    is, identify() tells; if not, both runs are of one SAK, and repeats_between() finds what they have in common."""
    if pn > run.intervals[-1][1] & 0xFFFFFFFF:
        return False
    return any(key["an"] == run.an and run.began < key.get("since", 0) <= time + EARLY_NS for key in keys)


def read_runs(wire, path, keys, problems):
    """The runs of one capture, and how many frames of each kind it holds."""
    capture = pcap.Capture(path)
    data, run, runs, key = capture.data, None, [], None
    kinds = {"macsec": 0, "eapol": 0, "other": 0}
    for at, kept, length in capture.frames():
        ether_type = data[at + 12:at + 14]
        if ether_type != pcap.MACSEC:
            kinds["eapol" if ether_type == pcap.EAPOL else "other"] += 1
            continue
        kinds["macsec"] += 1
        if kept < 28 or not data[at + 14] & 0x20:
            problems.append(f"{path}: a MACsec frame without SCI at octet {at}")
            continue
        here, pn = (data[at + 14] & 3, data[at + 20:at + 28]), int.from_bytes(data[at + 16:at + 20], "big")
        if here != key or begins_anew(run, pn, capture.time(at), keys):
            key = here
            run = Run(wire, capture, here[1].hex(), here[0], capture.time(at), (at, kept, pn))
            runs.append(run)
        pn = run.add(pn)
        if kept == length:
            if run.frames <= SAMPLE or run.frames % 499 == 0:
                run.whole.append((at, length, pn))
            run.last_whole = (at, length, pn)
    for r in runs:
        if r.last_whole and r.last_whole not in r.whole:
            r.whole.append(r.last_whole)
    return runs, kinds


def iv_of(run, key, pn):
    """802.1AE 10.6 and 14.7, XPN: salt XOR (SSCI || PN)."""
    nonce = struct.pack(">IQ", key["sscis"][run.sci], pn)
    return bytes(a ^ b for a, b in zip(bytes.fromhex(key["salt"]), nonce))


def open_frame(run, frame, key, base):
    """The plaintext, or nothing."""
    at, length, pn = frame
    octets = run.capture.data[at:at + length]
    short = octets[15] & 0x3F
    end = 28 + short + ICV if short else length
    iv = iv_of(run, key, (base << 32) + pn)
    try:
        return AESGCM(bytes.fromhex(key["sak"])).decrypt(iv, octets[28:end], octets[:28])
    except InvalidTag:
        return None


def opens_in_part(run, frame, key, base):
    """Of a cut frame: whether it begins with a VLAN tag and a type we know, decrypted. The cipher's stream without the
    ICV: chance makes that of one wrong SAK in a billion."""
    at, kept, pn = frame
    counter = iv_of(run, key, (base << 32) + pn) + b"\0\0\0\2"
    stream = Cipher(algorithms.AES(bytes.fromhex(key["sak"])), modes.CTR(counter)).decryptor()
    plain = stream.update(run.capture.data[at + 28:at + min(kept, 44)])
    return plain[:2] == b"\x81\0" and plain[4:6] in (b"\x08\0", b"\x86\xdd", b"\x08\x06")


def identify(run, keys):
    """Finds the run's SAK, one that was distributed by then: by opening its first whole frame, or when the capture cut
    all of them, the beginning of its first one."""
    opens, frame = (open_frame, run.whole[0]) if run.whole else (opens_in_part, run.first)
    for key in reversed(keys):
        if key["an"] == run.an and run.sci in key["sscis"] and key.get("since", 0) <= run.began + EARLY_NS:
            for base in range(MAX_UPPER):
                if opens(run, frame, key, base) not in (None, False):
                    run.key, run.base = key, base
                    return True
    return False


def decrypt_some(runs, vid, problems):
    """Opens the frames that were put aside of a wire's runs, first and last among them. How many opened."""
    opened = 0
    for run in runs:
        for frame in run.whole:
            plain = open_frame(run, frame, run.key, run.base)
            if plain is None:
                problems.append(f"{run.wire}: the frame with PN {frame[2]} of SCI {run.sci} AN {run.an} does not open")
            elif vid and (plain[:2] != b"\x81\x00" or int.from_bytes(plain[2:4], "big") & 0xFFF != vid):
                problems.append(f"{run.wire}: the frame with PN {frame[2]} does not carry VLAN {vid} inside")
            else:
                opened += 1
    return opened


def repeats_between(runs):
    """How many (SAK, SSCI, PN) occur in more than one run, or twice in one."""
    spaces, repeats = {}, sum(r.repeats for r in runs)
    for run in runs:
        space = spaces.setdefault((run.key["sak"], run.key["sscis"][run.sci]), [])
        space += [(first + (run.base << 32), last + (run.base << 32)) for first, last in run.intervals]
    for space in spaces.values():
        space.sort()
        reach = -1
        for first, last in space:
            repeats += max(0, min(last, reach) - first + 1)
            reach = max(reach, last)
    return repeats


def check_wire(wire, captures, keys, wanted, vid, problems):
    runs, kinds = [], {}
    for path in captures:
        found, kinds[path] = read_runs(wire, path, keys, problems)
        runs += found
    for run in runs:
        if not identify(run, keys):
            problems.append(f"{wire}: {run.frames} frames of SCI {run.sci} AN {run.an} open with no SAK of the wire")
    known = [r for r in runs if r.key]
    opened = decrypt_some(known, vid, problems)
    if opened < wanted:
        problems.append(f"{wire}: only {opened} frames decrypted, {wanted} wanted")
    return known, {"captures": kinds, "runs": len(runs), "saks": len({r.key["sak"] for r in known}),
                   "decrypted": opened, "jumps": sum(len(r.intervals) - 1 for r in known)}


def check(captures, key_log, wanted=100, vids=None, problems=()):
    """captures: {wire: [paths]}; the document. key_log: {wire: what WireKeys.keys() gives}, problems: of it."""
    problems, wires, runs = list(problems), {}, []
    for wire, paths in captures.items():
        known, wires[wire] = check_wire(wire, paths, key_log.get(wire, []), wanted, (vids or {}).get(wire), problems)
        runs += known
    repeats = repeats_between(runs)
    if repeats:
        problems.append(f"{repeats} (SAK, SSCI, PN) were used more than once")
    return {"ok": not problems, "wires": wires, "nonces": sum(r.frames for r in runs), "repeats": repeats,
            "problems": problems[:20]}


def pairs(words):
    found = {}
    for word in words:
        name, _, value = word.partition("=")
        found.setdefault(name, []).append(value)
    return found


def key_log_of(path, captures):
    """The SAKs of each wire, and what was wrong with the MKPDUs."""
    with open(path, encoding="ascii") as file:
        caks = json.load(file)
    wires = {wire: mka_keys.WireKeys(mka_keys.Cak.from_hex(caks[wire]), paths).read()
             for wire, paths in captures.items()}
    return {wire: w.keys() for wire, w in wires.items()}, [text for w in wires.values() for text in w.problems]


def main():
    parser = argparse.ArgumentParser(description="Decrypts captured MACsec frames and looks for nonces used twice.")
    parser.add_argument("--caks", metavar="FILE", required=True)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--vid", action="append", default=[], metavar="WIRE=VID")
    parser.add_argument("captures", nargs="+", metavar="WIRE=CAPTURE")
    args = parser.parse_args()
    captures = pairs(args.captures)
    key_log, problems = key_log_of(args.caks, captures)
    vids = {name: int(values[0]) for name, values in pairs(args.vid).items()}
    document = check(captures, key_log, args.frames, vids, problems)
    print(json.dumps(document))
    return 0 if document["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
