"""Huge pages for a run: what is free, and no more than what lacks is added and taken back."""
from pathlib import Path

PAGES = Path("/sys/kernel/mm/hugepages/hugepages-2048kB")


def _read(name):
    return int((PAGES / name).read_text())


class Reservation:
    """`with Reservation(pages) as r`: r.enough tells whether so many pages of 2 MiB are free now."""

    def __init__(self, pages):
        self._pages = pages
        self._added = 0
        self.enough = False

    def __enter__(self):
        try:
            free = _read("free_hugepages")
            if free < self._pages:
                before = _read("nr_hugepages")
                (PAGES / "nr_hugepages").write_text(str(before + self._pages - free))
                self._added = _read("nr_hugepages") - before
            self.enough = _read("free_hugepages") >= self._pages
        except OSError:
            self.enough = False
        return self

    def __exit__(self, *_):
        if self._added > 0:
            (PAGES / "nr_hugepages").write_text(str(max(0, _read("nr_hugepages") - self._added)))
