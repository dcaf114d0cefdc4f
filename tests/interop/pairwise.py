#!/usr/bin/python3
"""The table of live rows: every pair of values that can meet, in about 20 rows.

    pairwise.py print            a table made anew: the same one every time
    pairwise.py check TABLE      whether every pair that can meet stands in it, and no row that cannot be
    pairwise.py full             the whole matrix of rows whose ends send one form of the SCI, and the table's others

A row's values: cipher suite, encryption, SCI form we send, SCI form Linux sends, replay window at both ends, where the
VLAN tag is, and the largest packet. Linux has no confidentiality offset: it is not here.
"""
import itertools
import sys
from dataclasses import astuple, dataclass, fields

VALUES = {
    "suite": ("gcm-aes-128", "gcm-aes-256", "gcm-aes-xpn-128", "gcm-aes-xpn-256"),
    "encrypt": ("on", "off"),
    "ours": ("sci", "es", "scb", "none"),
    "theirs": ("sci", "es", "scb", "none"),
    "window": ("0", "64", "off"),
    "vlan": ("none", "inside", "outside"),
    "mtu": ("1500", "9000"),
}
# With SCB the port identifier is 0 (802.1AE 9.5, 9.9) and Linux takes 1: it opens such frames of ours only where the
# SCI is no part of the nonce, under an XPN suite. Linux itself can be told to send as the standard has it.
IMPOSSIBLE = {(("suite", suite), ("ours", "scb")) for suite in ("gcm-aes-128", "gcm-aes-256")}


@dataclass(frozen=True)
class Row:
    suite: str
    encrypt: str
    ours: str
    theirs: str
    window: str
    vlan: str
    mtu: str

    def pairs(self):
        """Each two of its values, with their names."""
        return set(itertools.combinations(zip(VALUES, astuple(self)), 2))

    def possible(self):
        return not self.pairs() & IMPOSSIBLE

    @property
    def xpn(self):
        return "xpn" in self.suite

    def __str__(self):
        return " ".join(astuple(self))


assert [f.name for f in fields(Row)] == list(VALUES)


def every_row():
    return [row for row in itertools.starmap(Row, itertools.product(*VALUES.values())) if row.possible()]


def every_pair():
    """Those that can meet: some possible row has them."""
    return set().union(*(row.pairs() for row in every_row()))


def make():
    """Always the row with the most pairs that are missing yet; the first of them, so that the table is always one."""
    rows, missing, table = every_row(), every_pair(), []
    while missing:
        best = max(rows, key=lambda row: len(row.pairs() & missing))
        table.append(best)
        missing -= best.pairs()
    return table


def full():
    """Every row whose ends send the same form, and the table's for those that do not."""
    alike = [row for row in every_row() if row.ours == row.theirs]
    return alike + [row for row in make() if row not in alike]


def parse(text):
    lines = (line.split("#")[0].split() for line in text.splitlines())
    return [Row(*words) for words in lines if words]


def faults(table):
    """What is wrong with a table: rows that cannot be, and pairs that are missing."""
    possible = set(every_row())
    wrong = [f"no such row: {row}" for row in table if row not in possible]
    missing = every_pair() - set().union(*(row.pairs() for row in table))
    return wrong + [f"missing: {a[0]} {a[1]} with {b[0]} {b[1]}" for a, b in sorted(missing)]


def self_test():
    """A table loses a pair with its first row, and an unknown value is seen."""
    table = make()
    assert not faults(table) and faults(table[1:]) and len(faults([])) == len(every_pair())
    assert not faults(full())
    assert faults([*table, Row("gcm-aes-512", *astuple(table[0])[1:])])


def main():
    what, *rest = sys.argv[1:]
    if what == "check":
        self_test()
        with open(rest[0], encoding="ascii") as file:
            table = parse(file.read())
        wrong = faults(table)
        print(*wrong, f"{len(table)} rows, {len(every_pair())} pairs that can meet, {len(wrong)} faults", sep="\n")
        sys.exit(1 if wrong else 0)
    names = " ".join(VALUES)
    print(f"# {names}", *(full() if what == "full" else make()), sep="\n")


if __name__ == "__main__":
    main()
