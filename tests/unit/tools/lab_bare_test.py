#!/usr/bin/python3
"""tools/lab on a machine that lacks every package: apt is asked before any module of theirs is imported."""
import subprocess
import sys
import unittest
from pathlib import Path

LAB = Path(__file__).resolve().parents[3] / "tools" / "lab"
BARE = f"""
import os, runpy, sys
os.geteuid = lambda: 0
sys.path.insert(0, {str(LAB.parent / "lab.d")!r})
import effects, machine
sys.modules["cryptography"] = None
def asked(names):
    raise effects.LabError("apt is asked for " + " ".join(n for n in names if n == "python3-cryptography"))
machine.install_packages = asked
sys.argv = ["lab", *sys.argv[1:]]
runpy.run_path({str(LAB)!r}, run_name="__main__")
"""


def bare(*argv):
    return subprocess.run([sys.executable, "-B", "-c", BARE, *argv], capture_output=True, text=True, check=False)


class OnABareMachine(unittest.TestCase):
    def test_up_asks_apt_before_it_imports_what_apt_installs(self):
        done = bare("up")
        self.assertEqual((done.stderr, done.returncode), ("lab: apt is asked for python3-cryptography\n", 1))

    def test_other_commands_say_in_one_line_what_is_missing(self):
        said = "lab: Python's cryptography is not installed; `tools/lab up` installs what is missing\n"
        for command in ("down", "verify"):
            done = bare(command)
            self.assertEqual((done.stderr, done.returncode), (said, 1))


if __name__ == "__main__":
    unittest.main()
