"""verify's judgement: what makes a row fail, when it is tried again, and what the table says."""
import copy
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools" / "lab.d"))

import effects  # noqa: E402
import rows  # noqa: E402
import rows_change  # noqa: E402
import traffic  # noqa: E402
import verify  # noqa: E402
import wires  # noqa: E402
from plan import PE, ROUTERS, WIRES, peer  # noqa: E402

ENDS = [w.end(r) for w in WIRES for r in ROUTERS]
QUIET = {"steal_percent": 0.0, "involuntary_switches": 0, "noisy": False}
NOISY = {"steal_percent": 7.0, "involuntary_switches": 900, "noisy": True}


def clean_wires():
    count = {end: {"macsec": 6000, "eapol": 1, "other": 0} for end in ENDS}
    document = {"ok": True, "repeats": 0, "nonces": 48000, "problems": [],
                "wires": {w.name: {"decrypted": 250, "saks": 9, "captures": {}} for w in WIRES}}
    return count, dict.fromkeys(ENDS, 0), document, copy.deepcopy(count)


class Row3(unittest.TestCase):
    def holds(self, parts):
        return rows.judged(rows_change.judge_wires(*parts))[0]

    def test_clean_wires_hold(self):
        self.assertTrue(self.holds(clean_wires()))

    def test_one_clear_frame_fails_it(self):
        parts = clean_wires()
        for p in (parts[0], parts[3]):
            p["ch3-pe"]["other"] = 1
        self.assertFalse(self.holds(parts))

    def test_a_capture_that_missed_a_frame_fails_it(self):
        parts = clean_wires()
        parts[3]["ch1-ce"]["macsec"] -= 1
        self.assertFalse(self.holds(parts))

    def test_a_dropped_frame_a_quiet_wire_a_repeat_and_too_few_opened_fail_it(self):
        for spoil in (lambda p: p[1].update({"ch1-ce": 1}),
                      lambda p: [c["ch2-ce"].update(macsec=3999) for c in (p[0], p[3])],
                      lambda p: p[2].update(repeats=1),
                      lambda p: p[2]["wires"]["ch4"].update(decrypted=99),
                      lambda p: p[2]["wires"]["ch4"].update(saks=3),
                      lambda p: p[2].update(ok=False, problems=["a frame does not open"])):
            parts = clean_wires()
            spoil(parts)
            self.assertFalse(self.holds(parts))


class Row7(unittest.TestCase):
    def test_a_worker_balances_only_if_every_frame_is_accounted_for(self):
        worker = {"received": 10, "injected": 2, "collected": 3, "transmitted": 8, "punted": 1, "handed_over": 4,
                  "drops": {"no-route": 2}}
        self.assertEqual(rows.balance(worker), 0)
        worker["received"] = 11
        self.assertEqual(rows.balance(worker), 1)

    def test_wires_agree_only_if_sender_wire_and_receiver_count_the_same(self):
        def moment(frames):
            ports = [{"name": w.name, "in_frames": frames, "out_frames": frames} for w in WIRES]
            return {"wires": {e: {"macsec": frames, "eapol": 0, "other": 0} for e in ENDS},
                    "states": {r.name: {"ports": copy.deepcopy(ports)} for r in ROUTERS}}
        before, after = moment(0), moment(50)
        self.assertTrue(all(ok for ok, _ in rows.wire_checks(before, after)))
        after["states"][peer(PE).name]["ports"][2]["in_frames"] -= 1
        wrong = [text for ok, text in rows.wire_checks(before, after) if not ok]
        self.assertEqual(wrong, ["ch3-pe: sent 50, on the wire 50, received 49"])


class Outcomes(unittest.TestCase):
    def outcome(self, sent, received, **more):
        report = {"sent": sent, "errors": 0, "rate": 20000, "longest_stall_ms": 0,
                  "flows": [{"flow": 0, "source_port": 20000, "sent": sent}]}
        arrived = {"received": received, "reordered": 0, "duplicates": 0, "socket_drops": 0, "longest_gap_ms": 0,
                   "losses": [], "flows": [{"flow": 0, "received": received}] if received else [], **more}
        return traffic.Outcome(traffic.Stream(4), report, arrived)

    def test_the_lost_end_of_a_flow_counts(self):
        self.assertEqual(self.outcome(200000, 199990).lost, 10)
        self.assertEqual(self.outcome(200000, 0).lost_of, {20000: 200000})

    def test_a_run_is_perfect_only_if_everything_arrived_once_in_order_and_in_time(self):
        self.assertTrue(self.outcome(200000, 200000).perfect(10)[0])
        self.assertFalse(self.outcome(200000, 199999).perfect(10)[0])
        self.assertFalse(self.outcome(100000, 100000).perfect(10)[0])
        self.assertFalse(self.outcome(200000, 200000, reordered=1).perfect(10)[0])
        slow = self.outcome(200000, 200000)
        slow.sent_report["rate"] = 12000
        self.assertFalse(slow.perfect(10)[0])


class Tries(unittest.TestCase):
    """verify with rows of our own: only the order of tries is looked at."""

    def setUp(self):
        self.kept = {name: getattr(verify, name) for name in ("ROWS", "prepare", "Noise", "_pids", "progress")}
        self.tried = []
        verify.prepare = lambda patience_s: rows.Facts()
        verify.progress = lambda text: None
        verify._pids = lambda: []
        self.accounts_now, rows.accounts_now = rows.accounts_now, lambda: {"from": len(self.tried)}

    def tearDown(self):
        rows.accounts_now = self.accounts_now
        for name, value in self.kept.items():
            setattr(verify, name, value)

    def run_rows(self, failing, noise):
        verify.Noise = lambda pids: type("N", (), {"read": lambda self: noise})()

        def row(number):
            def measure(facts):
                self.tried.append(number)
                self.accounts = facts.accounts
                if number == 1 and "not built" in failing:
                    raise rows.NotBuilt("status has no 'macsec'")
                if number == 4 and "error" in failing:
                    raise effects.LabError("no answer")
                return rows.Result(number not in failing, "measured")
            return measure
        verify.ROWS = {n: (name, row(n), want) for n, (name, _, want) in self.kept["ROWS"].items()}
        return verify.document(verify.run_rows(list(verify.ROWS), 1))

    def test_all_rows_run_once_and_hold(self):
        self.assertTrue(self.run_rows([], QUIET)["ok"])
        self.assertEqual(sorted(self.tried), [1, 2, 3, 4, 5, 6, 7])

    def test_a_row_is_not_tried_again_on_a_quiet_machine(self):
        self.assertFalse(self.run_rows([2], QUIET)["ok"])
        self.assertEqual(self.tried.count(2), 1)

    def test_only_one_of_rows_2_5_and_6_is_tried_again_and_json_keeps_every_try(self):
        found = self.run_rows([2, 5, 3], NOISY)
        self.assertEqual([self.tried.count(n) for n in (2, 5, 3)], [2, 1, 1])
        self.assertEqual(len(found["rows"][1]["tries"]), 2)
        self.assertEqual(found["rows"][1]["tries"][0]["noise"], NOISY)

    def test_row_7_counts_from_before_the_second_try(self):
        self.run_rows([2], NOISY)
        self.assertEqual(self.tried[:3], [1, 2, 2])
        self.assertEqual(self.accounts, {"from": 2})

    def test_a_row_that_is_not_built_says_so_and_fails_verify(self):
        found = self.run_rows(["not built"], QUIET)
        self.assertEqual(found["rows"][0]["value"], "not built")
        self.assertFalse(found["ok"])

    def test_an_error_fails_its_row_and_the_others_still_run(self):
        found = self.run_rows(["error"], QUIET)
        self.assertEqual([r["ok"] for r in found["rows"]], [True, True, True, False, True, True, True])

    def test_the_table_fits_its_width_and_has_colour_only_when_asked(self):
        document = self.run_rows([2], QUIET)
        for width in (80, 120):
            self.assertTrue(all(len(line) <= width for line in verify.table(document, width, False).splitlines()))
        self.assertNotIn("\033", verify.table(document, 80, False))
        self.assertIn("\033[31mFAIL", verify.table(document, 80, True))


class Rules(unittest.TestCase):
    def test_every_bridge_port_has_three_counters(self):
        text = wires.counter_rules()
        self.assertEqual(text.count("hook ingress"), 8)
        self.assertEqual(text.count("counter name"), 24)


if __name__ == "__main__":
    unittest.main()
