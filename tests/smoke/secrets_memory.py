#!/usr/bin/python3
"""secrets_memory.py PREFIX WORK BUILD: which octets of keys are in the memory of two running routers, and where.

1. traffic under all four suites; new SAKs by reload, the old ones retired; more traffic; a second of quiet. 2. every
readable mapping, hugepages included: live keys stand in locked memory and nowhere else, old ones nowhere at all. 3. a
core that leaves out only what is marked so; the vector registers of every thread. 4. logs, run and state directories,
answers of the control socket. The same search finds what it must: salts, payload, octets held in registers.
"""
import json
import secrets
import time
from pathlib import Path

import pair
from pair import Sak, SecY, expect, ok
from secrets_search import (REGISTERS, Search, all_files, core_of, registers_of, search_finds_registers,
                            vector_octets, write_needles)

SUITES = ("gcm-aes-128", "gcm-aes-256", "gcm-aes-xpn-128", "gcm-aes-xpn-256")
PATTERN = secrets.token_bytes(16)


def held_of(saks):
    """A SAK in use: the key schedule of its AES, its first GHASH power."""
    return {f"{sak.name}:{form}" for sak in saks for form in ("round-key-0", "round-key-10", "hash-key-shifted")}


def secys(transmit, receive):
    """Link and SecY number n have suite n; transmit and receive say which generations of SAKs."""
    return [SecY(n, n, transmit[n - 1], [generation[n - 1] for generation in receive])
            for n in range(1, len(SUITES) + 1)]


def traffic(routers, links=len(SUITES), number_of=50):
    for router in routers:
        for n in range(1, links + 1):
            for family in (4, 6):
                back = pair.ping(router, n, number_of, family, 0.002, PATTERN.hex())
                expect(back > number_of // 2, f"{router.name}: {back} of {number_of} pings, link {n}, v{family}")


def rotate(routers, old, new):
    for transmit, receive in ((old, (old, new)), (new, (old, new)), (new, (new,))):
        for router in routers:
            router.secys = secys(transmit, receive)
            router.reload()
        for router in routers:
            for n, sak in enumerate(transmit, 1):
                pair.wait_for(5, f"{router.name} sends with {sak.name}",
                              lambda r=router, n=n, sak=sak: r.secy(n)["transmit"].get("an") == sak.an)
        time.sleep(0.3)


def judge_memory(router, search, held, gone, controls):
    """Every readable mapping of the process. held: labels that locked memory must have; gone: names of wiped keys."""
    found, totals = search("--pid", router.pid)
    expect(totals["hugepages"] > 0, f"{router.name}: no hugepages were searched")
    locked = set().union(*[labels for where, labels in found.items() if where.startswith("locked:")])
    opened = {where: labels for where, labels in found.items() if not where.startswith("locked:")}
    leaks = {where: sorted(labels - set(controls)) for where, labels in opened.items() if labels - set(controls)}
    expect(not leaks, f"{router.name}: keys in open memory: {leaks}")
    expect(set(held) <= locked, f"{router.name}: not in locked memory: {sorted(set(held) - locked)}: the search would "
           "not find them elsewhere either")
    left = sorted(label for label in locked if label.split(":")[0] in gone)
    expect(not left, f"{router.name}: retired keys are not wiped: {left}")
    seen = set().union(*opened.values())
    expect({"salt", "payload"} <= seen, f"{router.name}: the search finds no salt or no payload: {seen}")
    expect(any("payload" in labels for where, labels in opened.items() if where.startswith("huge:")),
           f"{router.name}: the search finds no payload in hugepages")
    return totals


def judge_core(router, search, work, controls):
    """The core, and apart from it the registers: of workers, asleep but for an instant, nothing at all is in them."""
    core, registers = work / f"{router.name}.core", work / f"{router.name}.registers"
    for _ in range(5):
        core_of(router.pid, core)
        threads = registers_of(core, registers)
        for path in (core, registers):
            labels = search(path)[0].get(str(path), set())
            expect(not labels - set(controls), f"{path.name}: keys: {sorted(labels - set(controls))}")
            expect(path == registers or "salt" in labels, "the search finds no salt in the core")
        used = {tid: n for tid, n in vector_octets(core).items() if router.thread_name(tid).startswith("rte-worker")}
        size = core.stat().st_size
        core.unlink()
        if not any(used.values()):
            break
    expect(used and not any(used.values()), f"{router.name}: workers sleep with full vector registers: {used}")
    return size, threads


def judge_files(router, search, work, key, least=6):
    """Logs, answers and files; key: one that the search must find where it is planted."""
    (work / f"{router.name}.answers").write_text(json.dumps([router.status(), router.ask(
        {"request": "show", "what": "macsec"}), router.ask({"request": "show", "what": "mka"})]), "utf-8")
    files = [router.log, router.config, work / f"{router.name}.answers", *all_files(router.run, router.state)]
    expect(len(files) > least, "too few files are searched")
    found, _ = search(*files)
    leaks = {where: sorted(labels) for where, labels in found.items() if labels - {"salt", "payload"}}
    expect(not leaks, f"{router.name}: keys in files: {leaks}")
    planted = router.run / "planted"
    planted.write_text(f"the key is {key.octets.hex()}\n", "ascii")
    found, _ = search(*all_files(router.run))
    planted.unlink()
    expect(str(planted) in found, "the search does not find a key that was planted in a file")
    return len(files)


def test(prefix, work, build):
    work, build = Path(work), Path(build)
    routers = pair.routers(prefix, work, build)
    old, new = ([Sak(work, f"{name}{n}", suite, an, salt=f"{n}a1b2c3d4e5f60718293a4b5"[:24])
                 for n, suite in enumerate(SUITES, 1)] for an, name in enumerate(("old", "new")))
    for router in routers:
        router.log_level, router.buffers, router.secys = "debug", 32768, secys(old, (old,))
        router.start()
    pair.wait_carrier(*routers)
    for n in range(1, len(SUITES) + 1):
        pair.wait_ping(routers[0], n)
    traffic(routers)
    rotate(routers, old, new)
    traffic(routers)
    time.sleep(1)

    held = secrets.token_bytes(16 * len(REGISTERS))
    controls = {"salt": bytes.fromhex(new[3].salt), "payload": PATTERN}
    controls.update({name: held[16 * i:16 * i + 16] for i, name in enumerate(REGISTERS)})
    needles = work / "etc" / "needles"
    write_needles(needles, old + new, controls)
    search = Search(build, needles)
    for router in routers:
        totals = judge_memory(router, search, held_of(new), {sak.name for sak in old}, controls)
        ok(f"{router.name}: {totals['needles']} pieces of 8 keys in {totals['octets'] >> 20} MiB of {totals['places']} "
           f"mappings, {totals['hugepages'] >> 20} MiB of hugepages: live keys in locked memory only, old nowhere; "
           f"{totals['unreadable']} mappings the kernel shows nobody")
    for router in routers:
        size, threads = judge_core(router, search, work, controls)
        ok(f"{router.name}: a core of {size >> 20} MiB and the vector registers of {threads} threads hold no key; "
           "those of sleeping workers hold nothing")
    search_finds_registers(build, work, search, held)
    for router in routers:
        count = judge_files(router, search, work, new[0])
        ok(f"{router.name}: {count} logs, answers and state files hold no key")
    for router in routers:
        expect(router.process.poll() is None, f"{router.name} ended")
        router.end()
    ok("salts, payload, planted keys and held registers are found")


if __name__ == "__main__":
    pair.main(test)
