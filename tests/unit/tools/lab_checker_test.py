"""The lab's checker against captures it must accept and captures it must refuse: made here, frame by frame."""
import os
import secrets
import struct
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools" / "lab.d"))

from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: E402

import flow_map  # noqa: E402
import nonce_check  # noqa: E402
import pcap  # noqa: E402

SCI_A, SCI_B = "02de00000c010001", "02de00000e010001"


def new_key(an=0):
    return {"an": an, "sak": secrets.token_hex(32), "salt": secrets.token_hex(12), "sscis": {SCI_A: 2, SCI_B: 1}}


def udp(source_port, family=4, destination_port=9004, vid=1101):
    ports = struct.pack(">HHHH", source_port, destination_port, 40, 0) + bytes(64)
    if family == 4:
        packet = b"\x08\x00" + bytes([0x45, 0, 0, 92]) + bytes(5) + b"\x11" + bytes(10) + ports
    else:
        packet = b"\x86\xdd" + bytes([0x60, 0, 0, 0, 0, 72, 17, 64]) + bytes(32) + ports
    return b"\x81\x00" + struct.pack(">H", vid) + packet


def protect(key, sci, pn, plain):
    """A MACsec frame, as IEEE 802.1AE says; written apart from the checker."""
    head = bytes.fromhex("ffffffffffff") + bytes.fromhex(sci)[:6]
    short = len(plain) if len(plain) < 48 else 0
    tag = b"\x88\xe5" + bytes([0x2C | key["an"], short]) + struct.pack(">I", pn & 0xFFFFFFFF) + bytes.fromhex(sci)
    iv = int.from_bytes(bytes.fromhex(key["salt"]), "big") ^ (key["sscis"][sci] << 64 | pn)
    return head + tag + AESGCM(bytes.fromhex(key["sak"])).encrypt(iv.to_bytes(12, "big"), plain, head + tag)


def write(path, frames, snap=192):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, snap, 1))
        for frame in frames:
            file.write(struct.pack("<IIII", 1, 2, min(len(frame), snap), len(frame)) + frame[:snap])
    return str(path)


class Checker(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.key = new_key()
        self.path = Path(self.directory.name) / "a.pcap"

    def tearDown(self):
        self.directory.cleanup()

    def frames(self, pns, key=None, sci=SCI_A, plain=None):
        return [protect(key or self.key, sci, pn, plain or udp(20000 + pn % 256)) for pn in pns]

    def check(self, frames, keys=None, wanted=100, vids=None):
        captures = {"ch1": [write(self.path, frames)]}
        return nonce_check.check(captures, {"ch1": keys or [self.key]}, wanted, vids or {"ch1": 1101})

    def test_a_clean_capture_is_accepted_and_a_hundred_frames_are_opened(self):
        found = self.check(self.frames(range(1, 400)))
        self.assertTrue(found["ok"], found["problems"])
        self.assertGreaterEqual(found["wires"]["ch1"]["decrypted"], 100)
        self.assertEqual(found["nonces"], 399)

    def test_a_packet_number_used_twice_in_a_run_is_found(self):
        found = self.check(self.frames([*range(1, 300), 150, *range(300, 310)]))
        self.assertEqual(found["repeats"], 1)
        self.assertFalse(found["ok"])

    def test_a_restart_that_begins_again_at_one_is_found(self):
        found = self.check(self.frames([*range(1, 300), *range(1, 50)]))
        self.assertEqual(found["repeats"], 49)
        self.assertFalse(found["ok"])

    def test_a_restart_at_the_lease_is_accepted(self):
        self.assertTrue(self.check(self.frames([*range(1, 300), *range(1 << 20, (1 << 20) + 50)]))["ok"])

    def test_reuse_in_a_later_run_of_the_same_sak_is_found(self):
        other = new_key(1)
        frames = self.frames(range(1, 200)) + self.frames(range(1, 100), other) + self.frames(range(190, 250))
        found = self.check(frames, [self.key, other])
        self.assertEqual(found["repeats"], 10)

    def test_the_same_numbers_under_another_sak_or_ssci_are_no_reuse(self):
        other = new_key(1)
        found = self.check(self.frames(range(1, 200)) + self.frames(range(1, 200), other), [self.key, other])
        self.assertTrue(found["ok"], found["problems"])
        self.assertEqual(found["wires"]["ch1"]["saks"], 2)
        there = write(Path(self.directory.name) / "b.pcap", self.frames(range(1, 200), sci=SCI_B))
        here = write(self.path, self.frames(range(1, 200)))
        self.assertTrue(nonce_check.check({"ch1": [here, there]}, {"ch1": [self.key]}, 100)["ok"])

    def test_a_new_sak_with_the_same_an_is_told_from_the_old_one(self):
        same_an = new_key(0)
        middle = new_key(1)
        frames = self.frames(range(1, 99)) + self.frames(range(1, 99), middle) + self.frames(range(1, 99), same_an)
        found = self.check(frames, [self.key, middle, same_an])
        self.assertTrue(found["ok"], found["problems"])
        self.assertEqual(found["wires"]["ch1"]["saks"], 3)

    def test_packet_numbers_cross_two_to_the_32(self):
        found = self.check(self.frames([*range(2**32 - 150, 2**32 + 150)]))
        self.assertTrue(found["ok"], found["problems"])
        again = self.check(self.frames([*range(2**32 - 150, 2**32 + 150), 2**32 + 7]))
        self.assertEqual(again["repeats"], 1)

    def test_a_forged_frame_is_found(self):
        frames = self.frames(range(1, 200))
        frames[-1] = frames[-1][:-1] + bytes([frames[-1][-1] ^ 1])
        self.assertIn("does not open", self.check(frames)["problems"][0])

    def test_an_unknown_sak_is_found(self):
        self.assertIn("no SAK", self.check(self.frames(range(1, 200), new_key()))["problems"][0])

    def test_plaintext_under_another_vlan_is_found(self):
        self.assertFalse(self.check(self.frames(range(1, 200)), vids={"ch1": 1102})["ok"])

    def test_frames_that_are_not_macsec_are_counted(self):
        clear, eapol = bytes(12) + b"\x08\x00" + bytes(50), bytes(12) + b"\x88\x8e" + bytes(50)
        found = self.check(self.frames(range(1, 200)) + [clear, eapol, eapol])
        self.assertEqual(list(found["wires"]["ch1"]["captures"].values())[0], {"macsec": 199, "eapol": 2, "other": 1})

    def test_long_frames_count_as_nonces_though_they_are_cut(self):
        frames = self.frames(range(1, 150)) + self.frames([149], plain=udp(20001) + bytes(1200))
        self.assertEqual(self.check(frames)["repeats"], 1)

    def test_too_few_frames_to_open_fail(self):
        self.assertFalse(self.check(self.frames(range(1, 20)))["ok"])

    def test_garbage_is_refused_with_a_sentence(self):
        for octets in (b"", b"x" * 100, struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 192, 113)):
            self.path.write_bytes(octets)
            with self.assertRaises(pcap.BadCapture):
                pcap.Capture(self.path)

    def test_a_capture_that_is_still_written_ends_at_its_last_whole_frame(self):
        write(self.path, self.frames(range(1, 5)))
        whole = os.path.getsize(self.path)
        with open(self.path, "ab") as file:
            file.write(struct.pack("<IIII", 1, 2, 100, 100) + bytes(50))
        self.assertEqual(pcap.Capture(self.path).boundary(), whole)

    def test_flows_are_found_on_their_wires_over_both_families(self):
        for family in (4, 6):
            frames = [protect(self.key, SCI_A, pn, udp(20000 + pn % 8, family)) for pn in range(1, 81)]
            frames += [protect(self.key, SCI_A, 100, udp(30000, family, destination_port=53))]
            write(self.path, frames)
            stream = type("Stream", (), {"port": 9004})
            size = os.path.getsize(self.path)
            found = flow_map.flow_wires({"ch1": self.path}, {"ch1": [self.key]}, {"ch1": pcap.HEADER},
                                        {"ch1": size}, stream)
            self.assertEqual(found, {20000 + n: {"ch1": 10} for n in range(8)})


if __name__ == "__main__":
    unittest.main()
