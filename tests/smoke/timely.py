"""A bound on time, on a machine that does not always give it.

    took = timely.within(6, "secured again", [pid, ...], once)    once() does it, and says how many seconds it took

Later than the bound is a failure, unless the machine stole time meanwhile (machine.Noise of the lab, of these
processes): then it is done once more; late again while time was stolen is said and not judged, up to five times the
bound.
"""
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools" / "lab.d"))
from machine import Noise  # noqa: E402
from pair import Failure  # noqa: E402

MOST = 5  # times the bound: later is a failure, whatever was stolen


def attempt(pids, once):
    noise = Noise([os.getpid(), *pids])
    return once(), noise.read()


def said_of(noise):
    return f"steal {noise['steal_percent']} %, {noise['involuntary_switches']} involuntary switches"


def within(limit_s, what, pids, once):
    """The seconds it took, in words."""
    for last in (False, True):
        took, noise = attempt(pids, once)
        if took <= limit_s:
            return f"{what} after {took:.3f} s"
        if not noise["noisy"] or took > MOST * limit_s:
            raise Failure(f"{what} after {took:.3f} s, {limit_s} s are allowed; {said_of(noise)}")
        if not last:
            print(f"note: {what} after {took:.3f} s while the machine stole time ({said_of(noise)}): once more")
    return f"{what} after {took:.3f} s, not judged: the machine stole time ({said_of(noise)})"
