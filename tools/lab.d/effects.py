"""Running programs, and telling the user what goes on."""
import json
import os
import subprocess
import sys
import textwrap
import threading
import time


class LabError(Exception):
    """What is wrong, and the remedy, in a sentence or two."""


def run(argv, *, check=True, timeout=60, input_text=None):
    """Runs a program to its end; its output. A failure names the program and what it said."""
    argv = [str(a) for a in argv]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, input=input_text, check=False)
    except FileNotFoundError as e:
        raise LabError(f"{argv[0]} is not installed; `tools/lab up` installs what is missing") from e
    except subprocess.TimeoutExpired as e:
        raise LabError(f"{' '.join(argv)}: no end within {timeout} s") from e
    if check and done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise LabError(f"{' '.join(argv)}: exit {done.returncode}: {said}")
    return done


def inside(namespace, argv):
    """The same program, in a network namespace."""
    return ["ip", "netns", "exec", namespace, *[str(a) for a in argv]]


def run_in(namespace, argv, **how):
    return run(inside(namespace, argv), **how)


def json_of(argv, **how):
    done = run(argv, **how)
    try:
        return json.loads(done.stdout or "null")
    except json.JSONDecodeError as e:
        raise LabError(f"{' '.join(map(str, argv))}: not JSON: {done.stdout[:200]!r}") from e


def wait_for(what, condition, timeout_s, step_s=0.2):
    """Calls condition() until it is true; what it returned. Its last LabError tells why not."""
    end = time.monotonic() + timeout_s
    why = ""
    while True:
        try:
            value = condition()
            if value:
                return value
        except LabError as e:
            why = f" ({e})"
        if time.monotonic() >= end:
            raise LabError(f"{what}: not within {timeout_s:g} s{why}")
        time.sleep(step_s)


class Progress:
    """A line for every step, on standard error, and at least one every 5 s."""

    def __init__(self):
        self._start = time.monotonic()
        self._last = self._start
        self._what = ""
        self._lock = threading.Lock()
        self._thread = None

    def __call__(self, what):
        with self._lock:
            self._what = what
            self._print(what)
        if self._thread is None:
            self._thread = threading.Thread(target=self._beat, daemon=True)
            self._thread.start()

    def _print(self, text):
        self._last = time.monotonic()
        print(f"[{self._last - self._start:5.1f} s] {text}", file=sys.stderr, flush=True)

    def _beat(self):
        while True:
            time.sleep(0.5)
            with self._lock:
                if time.monotonic() - self._last > 4:
                    self._print(f"... {textwrap.shorten(self._what, 70, placeholder=' ...')}")


progress = Progress()


def colour_wanted(stream):
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
