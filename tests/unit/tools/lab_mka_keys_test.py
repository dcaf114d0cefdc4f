"""The lab's reader of MKPDUs: against wpa_supplicant's captures, and against MKPDUs made here octet by octet."""
import json
import secrets
import struct
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools" / "lab.d"))

from cryptography.hazmat.primitives.keywrap import aes_key_wrap  # noqa: E402

import mka_keys  # noqa: E402
import nonce_check  # noqa: E402
from lab_checker_test import SCI_A, SCI_B, protect, udp  # noqa: E402

GOLDEN = ROOT / "tests" / "golden" / "mka"
XPN_256 = bytes.fromhex("0080c20001000004")
SECOND = 1_000_000_000


def parameter_set(kind, head, body):
    return bytes([kind, head, len(body) >> 8, len(body) & 0xFF]) + body + bytes(-len(body) % 4)


class Network:
    """A wire with a CAK; what was captured on it."""

    def __init__(self, path):
        self.cak = mka_keys.Cak(secrets.token_bytes(16), secrets.token_bytes(32))
        self.path, self.frames = path, []

    def say(self, time_s, sci, mi, *sets, cak=None):
        cak = cak or self.cak
        basic = bytes.fromhex(sci) + mi + struct.pack(">I", 1) + bytes.fromhex("0080c201") + cak.ckn
        body = bytes([3, 16, 0xF0, len(basic)]) + basic + b"".join(sets)
        frame = (bytes.fromhex("0180c2000003" + sci[:12] + "888e") + b"\x03\x05"
                 + struct.pack(">H", len(body) + mka_keys.ICV) + body)
        self.put(time_s, frame + mka_keys.cmac(cak.ick, frame))

    def distribute(self, time_s, mi, live, *, an, number, sak, ssci=0, sci=SCI_A):
        wrapped = aes_key_wrap(self.cak.kek, sak)
        self.say(time_s, sci, mi, parameter_set(1, ssci, live + struct.pack(">I", 1)),
                 parameter_set(4, an << 6 | 0x10, struct.pack(">I", number) + XPN_256 + wrapped))

    def put(self, time_s, frame, kept=None):
        self.frames.append((time_s, frame, len(frame) if kept is None else kept))

    def write(self):
        with open(self.path, "wb") as file:
            file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 256, 1))
            for time_s, frame, kept in self.frames:
                file.write(struct.pack("<IIII", time_s, 0, kept, len(frame)) + frame[:kept])
        return mka_keys.WireKeys(self.cak, [self.path]).read()


class Golden(unittest.TestCase):
    def test_keys_and_saks_are_those_wpa_supplicant_used(self):
        for name, saks in (("mka-wpa210-cak128", 4), ("mka-wpa210-cak256", 1)):
            document = json.loads((GOLDEN / f"{name}.vectors.json").read_text())
            cak = mka_keys.Cak.from_hex(document)
            self.assertEqual((cak.kek.hex(), cak.ick.hex()), (document["kek"], document["ick"]))
            told = {s["sak"]: s["an"] for p in document["mkpdus"] for s in p["sets"] if s["type"] == "dist-sak"}
            reader = mka_keys.WireKeys(cak, [GOLDEN / f"{name}.pcap"]).read()
            found = {key["sak"]: key["an"] for key in reader.keys()}
            self.assertEqual(reader.problems, [])
            self.assertLessEqual(told.items(), found.items())
            self.assertGreaterEqual(len(found), saks)


class Mkpdus(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.network = Network(Path(self.directory.name) / "a.pcap")
        self.server, self.other, self.sak = secrets.token_bytes(12), secrets.token_bytes(12), secrets.token_bytes(32)

    def tearDown(self):
        self.directory.cleanup()

    def two_members(self, **more):
        self.network.say(1, SCI_B, self.other)
        self.network.distribute(2, self.server, self.other, **{"an": 1, "number": 1, "sak": self.sak, **more})

    def test_a_sak_comes_with_the_salt_of_its_key_identifier_and_ssci_1_for_the_greater_sci(self):
        self.two_members(number=0x00020001, ssci=2)
        reader = self.network.write()
        key, = reader.keys()
        mi = self.server
        self.assertEqual(key["salt"], (bytes([mi[0], mi[1] ^ 1, mi[2], mi[3] ^ 2]) + mi[4:]).hex())
        self.assertEqual(key["sscis"], {SCI_B: 1, SCI_A: 2})
        self.assertEqual((key["sak"], key["an"], key["since"]), (self.sak.hex(), 1, 2 * SECOND))
        self.assertEqual(reader.problems, [])

    def test_a_sak_that_is_sent_again_counts_once_and_from_the_first_time(self):
        self.two_members()
        self.network.distribute(5, self.server, self.other, an=1, number=1, sak=self.sak)
        self.assertEqual([key["since"] for key in self.network.write().keys()], [2 * SECOND])

    def problem(self):
        reader = self.network.write()
        reader.keys()
        return " ".join(reader.problems)

    def test_a_key_number_with_two_saks_is_a_problem(self):
        self.two_members()
        self.network.distribute(5, self.server, self.other, an=1, number=1, sak=secrets.token_bytes(32))
        self.assertIn("two contents", self.problem())

    def test_a_sak_under_two_key_numbers_is_a_problem(self):
        self.two_members()
        self.network.distribute(5, self.server, self.other, an=2, number=2, sak=self.sak)
        self.assertIn("two key identifiers", self.problem())

    def test_a_wrong_icv_another_ckn_and_a_cut_mkpdu_are_problems(self):
        wrong = mka_keys.Cak(self.network.cak.ckn, secrets.token_bytes(32))
        self.network.say(1, SCI_B, self.other, cak=wrong)
        self.assertIn("wrong ICV", self.problem())
        self.network.say(1, SCI_B, self.other, cak=mka_keys.Cak(secrets.token_bytes(16), self.network.cak.cak))
        self.assertIn("another CKN", self.problem())
        self.network.put(3, self.network.frames[0][1], 60)
        self.assertIn("capture cut", self.problem())

    def test_an_ssci_that_the_key_server_counts_otherwise_is_a_problem(self):
        self.two_members(ssci=1)
        self.assertIn("its SSCI is 1", self.problem())

    def test_a_member_that_never_spoke_is_a_problem(self):
        self.network.distribute(2, self.server, self.other, an=0, number=1, sak=self.sak)
        self.assertIn("never spoke", self.problem())

    def checked(self):
        reader = self.network.write()
        return nonce_check.check({"ch1": [str(self.network.path)]}, {"ch1": reader.keys()}, 100, {"ch1": 1101},
                                 reader.problems)

    def send(self, time_s, key, pns, plain=None, kept=None):
        for pn in pns:
            self.network.put(time_s, protect(key, SCI_A, pn, plain or udp(20000)), kept)

    def restart(self):
        """The sender starts again under a new SAK with the same AN; both SAKs, as the reader tells them."""
        self.two_members(an=0)
        self.network.distribute(10, secrets.token_bytes(12), self.other, an=0, number=1, sak=secrets.token_bytes(32))
        return self.network.write().keys()

    def test_a_restart_with_the_same_an_and_a_new_sak_is_no_reuse(self):
        first, second = self.restart()
        self.send(3, first, range(1, 200))
        self.send(11, second, range(1, 200))
        found = self.checked()
        self.assertTrue(found["ok"], found["problems"])
        self.assertEqual(found["wires"]["ch1"]["saks"], 2)

    def test_a_restart_that_goes_on_with_the_old_sak_is_found(self):
        first, _ = self.restart()
        self.send(3, first, range(1, 200))
        self.send(11, first, range(100, 130))
        self.assertEqual(self.checked()["repeats"], 30)

    def test_a_first_sak_may_be_used_a_moment_before_it_is_on_the_wire(self):
        first, second = self.restart()
        self.send(3, first, range(1, 200))
        self.send(9, second, range(1, 200))
        found = self.checked()
        self.assertTrue(found["ok"], found["problems"])
        self.assertEqual(found["wires"]["ch1"]["saks"], 2)

    def test_frames_long_before_their_sak_was_distributed_are_found(self):
        first, second = self.restart()
        self.send(3, first, range(1, 200))
        self.send(4, {**second, "an": 1}, range(1, 20))
        self.assertIn("no SAK", " ".join(self.checked()["problems"]))

    def test_a_run_of_cut_frames_only_is_tied_to_its_sak_too(self):
        first, second = self.restart()
        self.send(3, first, range(1, 200))
        self.send(11, second, range(1, 200), udp(20000) + bytes(1200), 256)
        found = self.checked()
        self.assertTrue(found["ok"], found["problems"])
        self.assertEqual(found["wires"]["ch1"]["saks"], 2)


if __name__ == "__main__":
    unittest.main()
