#!/usr/bin/python3
"""secrets_mka.py PREFIX WORK BUILD: as secrets_memory.py, where SAKs come by MKA: CAK, KEK, ICK and SAKs.

Link 1: GCM-AES-XPN-256 under CAKs of 32 octets; link 2: GCM-AES-128 under CAKs of 16. A second CAK comes into both
rings, the first goes, its SAKs are retired; then only what belongs to the second stands in locked memory, and nothing
anywhere else. The SAKs are taken from the captured MKPDUs.
"""
import time
from dataclasses import dataclass, field
from pathlib import Path

import mka
import mka_keys
import pair
from pair import expect, ok
from secrets_memory import PATTERN, held_of, judge_core, judge_files, judge_memory, traffic
from secrets_search import Search, write_needles

SUITES, OCTETS = ("gcm-aes-xpn-256", "gcm-aes-128"), (32, 16)
RETIRED_S = 4  # SAK Retire Time is 3 s


@dataclass
class Key:
    name: str
    octets: bytes = field(repr=False)


def keys_of(cak):
    """Of a CAK file: the CAK, what follows from it, and itself as mka_keys wants it."""
    text = cak.path.read_text("ascii").split(":", 1)[1].strip()
    known = mka_keys.Cak(bytes.fromhex(cak.ckn), bytes.fromhex(text))
    return known, [Key(f"{cak.path.stem}-{name}", getattr(known, name)) for name in ("cak", "kek", "ick")]


def configure(routers, rings):
    for router in routers:
        router.secys = [mka.SecY(ring, suite=suite, link=n)
                        for n, (ring, suite) in enumerate(zip(rings, SUITES), 1)]


def kays(router):
    return router.ask({"request": "show", "what": "mka"})["mka"]


def carry(router, caks):
    """Every link carries with a SAK under its CAK of `caks`."""
    return all(kay["secured"] and kay["in_use"]["transmits"] and kay["in_use"]["ckn"] == cak.ckn
               for kay, cak in zip(kays(router), caks))


def move(routers, first, second):
    """From one CAK of each link to another; the first is forgotten."""
    configure(routers, [[a, b] for a, b in zip(first, second)])
    for router in routers:
        router.reload()
    time.sleep(3 * mka.HELLO_MS / 1000)
    configure(routers, [[b] for b in second])
    for router in routers:
        router.reload()
    for router in routers:
        pair.wait_for(20, f"{router.name} carries under the second CAKs alone", lambda r=router: carry(r, second))
    time.sleep(RETIRED_S)


def saks_of(cak, name, captures):
    found = mka_keys.WireKeys(keys_of(cak)[0], captures).read().keys()
    expect(found, f"no SAK of {name} was captured")
    return [Key(f"{name}-sak{n}", bytes.fromhex(k["sak"])) for n, k in enumerate(found)], found[-1]["salt"]


def test(prefix, work, build):
    work, build = Path(work), Path(build)
    east, west = routers = [mka.Router(name, prefix, work, build) for name in pair.SIDE]
    first, second = ([mka.Cak(work, f"{name}{n}", octets) for n, octets in enumerate(OCTETS, 1)]
                     for name in ("first", "second"))
    files = [[work / f"{end}{n}.pcap" for end in "ew"] for n in (1, 2)]
    captures = [(pair.capture(f"{prefix}-wire", file.stem, file, "ether", "proto", "0x888e"), file)
                for ends in files for file in ends]
    configure(routers, [[cak] for cak in first])
    for router in routers:
        router.log_level, router.buffers = "debug", 32768
        router.start()
    pair.wait_carrier(*routers)
    for n in (1, 2):
        pair.wait_ping(east, n)
    traffic(routers, 2)
    move(routers, first, second)
    traffic(routers, 2)
    time.sleep(1)

    gone, held, labels, salt = [], [], set(), ""
    pair.end_captures(*captures)
    for n, ends in enumerate(files):
        old, _ = saks_of(first[n], f"first{n + 1}", ends)
        new, its_salt = saks_of(second[n], f"second{n + 1}", ends)
        gone += keys_of(first[n])[1] + old + new[:-1]
        held += keys_of(second[n])[1] + new[-1:]
        labels |= held_of(new[-1:]) | {f"{key.name}:round-key-0" for key in keys_of(second[n])[1]}
        salt = salt or its_salt
    controls = {"salt": bytes.fromhex(salt), "payload": PATTERN}
    needles = work / "etc" / "needles"
    write_needles(needles, gone + held, controls)
    search = Search(build, needles)
    for router in routers:
        totals = judge_memory(router, search, labels, {key.name for key in gone}, controls)
        ok(f"{router.name}: {totals['needles']} pieces of {len(gone + held)} CAKs, KEKs, ICKs and SAKs in "
           f"{totals['octets'] >> 20} MiB: live keys in locked memory only, those of the first CAKs nowhere")
    for router in routers:
        size, threads = judge_core(router, search, work, controls)
        ok(f"{router.name}: a core of {size >> 20} MiB and the vector registers of {threads} threads hold no key")
        count = judge_files(router, search, work, held[0], least=3)
        ok(f"{router.name}: {count} logs, answers and state files hold no key")
    for router in routers:
        expect(router.process.poll() is None, f"{router.name} ended")
        router.end()


if __name__ == "__main__":
    pair.main(test)
