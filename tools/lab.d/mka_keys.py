"""The SAKs that MKA gave a wire, out of its captured MKPDUs: shares no code with Demarc, only OpenSSL (through
python3-cryptography). Layouts and rules of IEEE 802.1X-2020 (clauses 6.2, 9.3, 11.11) and 802.1AE-2018 (10.7.13, 14.7).

1. ICK and KEK from the CAK by the KDF, AES-CMAC in counter mode. 2. Every MKPDU's ICV, over the whole frame. 3. Which
SCI stands behind each MI. 4. From a Distributed SAK: AN, the SAK unwrapped with the KEK, and, as XPN wants them, the
salt from the key identifier and an SSCI for each member: 1 for the greatest SCI.
"""
import struct
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

import pcap

EAPOL, MKA = 14, 5       # where the EAPOL header begins; its type of an MKPDU
BASIC = 18               # where the MKPDU begins
ICV = 16
LIVE_PEERS, DISTRIBUTED_SAK = 1, 4
XPN_SUITES = (bytes.fromhex("0080c20001000003"), bytes.fromhex("0080c20001000004"))


class BadMkpdu(Exception):
    """What is wrong with it, in a sentence."""


def cmac(key, octets):
    made = CMAC(algorithms.AES(key))
    made.update(octets)
    return made.finalize()


def kdf(key, label, context, octets):
    """802.1X 6.2.1, from AES-CMAC; `octets` of it."""
    made, turn = b"", 1
    while len(made) < octets:
        made += cmac(key, bytes([turn]) + label + b"\0" + context + struct.pack(">H", 8 * octets))
        turn += 1
    return made[:octets]


@dataclass(frozen=True)
class Cak:
    ckn: bytes
    cak: bytes = field(repr=False)

    @staticmethod
    def from_hex(of_file):
        """As the lab's file has it: {"ckn": HEX, "cak": HEX}."""
        return Cak(bytes.fromhex(of_file["ckn"]), bytes.fromhex(of_file["cak"]))

    @property
    def kek(self):
        return kdf(self.cak, b"IEEE8021 KEK", self.ckn[:16].ljust(16, b"\0"), len(self.cak))

    @property
    def ick(self):
        return kdf(self.cak, b"IEEE8021 ICK", self.ckn[:16].ljust(16, b"\0"), len(self.cak))


@dataclass(frozen=True)
class Mkpdu:
    time: int
    sci: str
    mi: bytes
    live: tuple               # MIs
    server_ssci: int          # what the key server says its own SSCI is; 0: nothing
    sak: tuple = None         # (AN, KN, suite or nothing, wrapped)


def parameter_sets(body):
    """(type, octet 1, body) of each behind the Basic set."""
    at = 0
    while at + 4 <= len(body):
        length = (body[at + 2] & 0x0F) << 8 | body[at + 3]
        if at + 4 + length > len(body):
            raise BadMkpdu("a parameter set reaches beyond its MKPDU")
        yield body[at], body[at + 1], body[at + 4:at + 4 + length]
        at += 4 + (length + 3) // 4 * 4


def distributed(head, body):
    """(AN, KN, suite, wrapped SAK); GCM-AES-128 goes without its name."""
    named = len(body) > 28
    if len(body) not in (28, 36, 52):
        raise BadMkpdu(f"a Distributed SAK of {len(body)} octets")
    return head >> 6, int.from_bytes(body[:4], "big"), body[4:12] if named else None, body[12 if named else 4:]


def read_mkpdu(frame, time, cak):
    """An authentic MKPDU as a value. BadMkpdu: what is wrong."""
    if len(frame) < BASIC + 48 + ICV or frame[EAPOL + 1] != MKA:
        raise BadMkpdu("an EAPOL frame that is no whole MKPDU")
    end = BASIC + int.from_bytes(frame[EAPOL + 2:EAPOL + 4], "big")
    if end > len(frame):
        raise BadMkpdu("an MKPDU that is cut")
    length = (frame[BASIC + 2] & 0x0F) << 8 | frame[BASIC + 3]
    if BASIC + 4 + length + ICV > end or frame[BASIC + 32:BASIC + 4 + length] != cak.ckn:
        raise BadMkpdu("an MKPDU with another CKN")
    if cmac(cak.ick, frame[:end - ICV]) != frame[end - ICV:end]:
        raise BadMkpdu("an MKPDU with a wrong ICV")
    live, server_ssci, sak = (), 0, None
    for kind, head, body in parameter_sets(frame[BASIC + 4 + (length + 3) // 4 * 4:end - ICV]):
        if kind == LIVE_PEERS:
            live, server_ssci = tuple(body[n:n + 12] for n in range(0, len(body), 16)), head
        elif kind == DISTRIBUTED_SAK and body:
            sak = distributed(head, body)
    return Mkpdu(time, frame[BASIC + 4:BASIC + 12].hex(), frame[BASIC + 12:BASIC + 24], live, server_ssci, sak)


def salt(server_mi, key_number):
    """802.1AE 10.7.13: the MI, its first octets XOR the KN's low half, the next two XOR its high half."""
    mask = struct.pack(">HH", key_number & 0xFFFF, key_number >> 16) + bytes(8)
    return bytes(a ^ b for a, b in zip(server_mi, mask))


class WireKeys:
    """The SAKs of a wire, from its captures. read() goes on where it ended; keys() are all so far."""

    def __init__(self, cak, captures):
        self.cak = cak
        self.problems = []
        self._places = {str(path): pcap.HEADER for path in captures}
        self._sci_of = {}        # MI: SCI
        self._saks = {}          # (server MI, KN): (first time, AN, suite, SAK, live MIs, server's SSCI)

    def read(self):
        for path, start in self._places.items():
            capture = pcap.Capture(path)
            for at, kept, length in capture.frames(start):
                if capture.data[at + 12:at + 14] == pcap.EAPOL:
                    self._take(capture, at, kept, length)
                self._places[path] = at + kept
        return self

    def _take(self, capture, at, kept, length):
        try:
            if kept < length:
                raise BadMkpdu("an MKPDU that the capture cut")
            pdu = read_mkpdu(capture.data[at:at + kept], capture.time(at), self.cak)
            if self._sci_of.setdefault(pdu.mi, pdu.sci) != pdu.sci:
                raise BadMkpdu(f"MI {pdu.mi.hex()} is used by two SCIs")
            if pdu.sak:
                self._note(pdu)
        except BadMkpdu as e:
            self.problems.append(f"{capture.path}: {e}, at octet {at}")

    def _note(self, pdu):
        an, number, suite, wrapped = pdu.sak
        try:
            sak = aes_key_unwrap(self.cak.kek, wrapped)
        except InvalidUnwrap as e:
            raise BadMkpdu(f"SAK {number} does not unwrap") from e
        found = (an, suite, sak, frozenset(pdu.live), pdu.server_ssci)
        since, known = self._saks.get((pdu.mi, number), (pdu.time, found))
        if known != found:
            raise BadMkpdu(f"SAK {number} of one key server is distributed with two contents")
        self._saks[(pdu.mi, number)] = min(since, pdu.time), known

    def keys(self):
        """[{"an","sak","salt","sscis","since"}], oldest first, as nonce_check wants them. `since`: when it
        was on the wire first, in nanoseconds. Without XPN the salt is empty and there are no SSCIs."""
        made = []
        for (mi, number), (since, (an, suite, sak, live, server_ssci)) in self._saks.items():
            key = {"an": an, "sak": sak.hex(), "since": since, "salt": "", "sscis": {}}
            if suite in XPN_SUITES:
                key["salt"], key["sscis"] = salt(mi, number).hex(), self._sscis(mi, number, live, server_ssci)
            made.append(key)
        if len({key["sak"] for key in made}) != len(made):
            self._complain("one SAK is distributed under two key identifiers")
        return sorted(made, key=lambda key: key["since"])

    def _sscis(self, mi, number, live, server_ssci):
        strangers = live - self._sci_of.keys()
        if strangers:
            self._complain(f"SAK {number} goes to a member that never spoke")
        scis = sorted({self._sci_of[m] for m in (live - strangers) | {mi}}, reverse=True)
        sscis = {sci: n for n, sci in enumerate(scis, 1)}
        if server_ssci not in (0, sscis[self._sci_of[mi]]):
            self._complain(f"the key server of SAK {number} says its SSCI is {server_ssci}")
        return sscis

    def _complain(self, text):
        if text not in self.problems:
            self.problems.append(text)
