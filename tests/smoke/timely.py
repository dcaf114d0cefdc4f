#!/usr/bin/python3
"""Bounds on time and on loss, on a machine that does not always give the time they need.

    took = timely.within(6, "secured again", [pid, ...], once)    once() does it, and says how many seconds it took
    said = timely.once_more([pid, ...], once, restore)            once() does it, and raises Missed
    timely.py now PID...    for scripts, see _timely.sh: a moment, as one word
    timely.py since MOMENT  what the machine took since then, in words; ends with 0 if it stole time

Later than the bound, or missed, is a failure, unless the machine stole time meanwhile (machine.Noise of the lab, and
how long these processes waited for a CPU: who sleeps and is woken late is not switched away from): then it is done once
more, and what was seen is printed. What is missed at the second try is a failure, stolen time or not; later than the
bound of within() a second time while time was stolen is said and not judged, up to five times the bound.
"""
import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools" / "lab.d"))
from machine import Noise  # noqa: E402
from pair import Failure  # noqa: E402

MOST = 5  # times the bound: later is a failure, whatever was stolen


class Missed(Failure):
    """What a machine that steals time can cause, too: a loss, a delay."""


class Stolen(Noise):
    """With what the processes' threads waited for a CPU, together; 1 % of the time blames the machine, as of steal."""

    def __init__(self, pids):
        self.pids = list(pids)
        super().__init__(self.pids)
        self.began, self.waited = time.monotonic(), self.waiting()

    def waiting(self):
        """Nanoseconds, so far."""
        total = 0
        for task in (task for pid in self.pids for task in Path(f"/proc/{pid}/task").glob("*/schedstat")):
            try:
                total += int(task.read_text("ascii").split()[1])
            except (OSError, IndexError):
                pass  # it has ended
        return total

    def read(self):
        waited_s, took_s = max(0, self.waiting() - self.waited) / 1e9, time.monotonic() - self.began
        told = super().read()
        return told | {"waited_ms": round(1000 * waited_s), "noisy": told["noisy"] or waited_s >= 0.01 * took_s}


def attempt(pids, once):
    noise = Stolen([os.getpid(), *pids])
    return once(), noise.read()


def said_of(noise):
    return (f"steal {noise['steal_percent']} %, {noise['involuntary_switches']} involuntary switches, "
            f"{noise['waited_ms']} ms of waiting for a CPU")


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


def caught(once):
    """What once() says, and what it missed."""
    try:
        return once(), None
    except Missed as e:
        return None, e


def once_more(pids, once, restore=lambda: None):
    """What once() says. restore() comes before a second try, which decides."""
    (said, missed), noise = attempt(pids, lambda: caught(once))
    if not missed:
        return said
    if not noise["noisy"]:
        raise Failure(f"{missed}; {said_of(noise)}")
    print(f"note: {missed}, while the machine stole time ({said_of(noise)}): once more", flush=True)
    restore()
    (said, missed), noise = attempt(pids, lambda: caught(once))
    if missed:
        raise Failure(f"at the second try, too: {missed}; {said_of(noise)}")
    print(f"note: not so at the second try ({said_of(noise)})", flush=True)
    return said


def main(word, *rest):
    if word == "now":
        print(json.dumps(vars(Stolen(map(int, rest))), separators=(",", ":")))
        return
    noise = Stolen([])
    vars(noise).update(json.loads(rest[0]))
    told = noise.read()
    print(said_of(told))
    sys.exit(not told["noisy"])


if __name__ == "__main__":
    main(*sys.argv[1:])
