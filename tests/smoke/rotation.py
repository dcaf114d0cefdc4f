#!/usr/bin/python3
"""rotation.py PREFIX WORK BUILD SECONDS: a SAK rotation every second between two routers under traffic both ways.

Every second: both receive with the next SAK, too; both transmit with it; 300 ms later the old one goes. What the hosts
sent arrived, once and in order; no SC counted a bad frame; what one SecY sent the other accepted.
"""
import json
import secrets
import signal
import subprocess
import time
from pathlib import Path

import pair
from lease_kill import lease_of
from pair import Sak, SecY, expect, ok, wait_for

SUITE, RATE, FLOWS, RETIRE_S = "gcm-aes-xpn-256", 20000, 64, 0.3
BAD = ("in_pkts_not_valid", "in_pkts_no_sa", "in_pkts_late", "in_pkts_invalid", "in_pkts_unchecked",
       "in_pkts_duplicate", "in_pkts_delayed")


class Flow:
    """Half of the traffic: from one host to the other."""

    def __init__(self, build, prefix, work, source, destination, address, seconds, rate=RATE // 2):
        session = secrets.randbelow(2**32 - 1) + 1
        self.reports = {}
        to, sends = work / f"etc/to-{destination}", work / f"etc/from-{source}"
        self.receiver = self.run(build, f"{prefix}-{destination}", to, "receive", "--port", 9000, "--seconds",
                                 seconds * 3 + 60, "--session", session)
        wait_for(5, "flow receives", lambda: "ready" in (work / f"etc/to-{destination}.err").read_text("ascii"))
        self.sender = self.run(build, f"{prefix}-{source}", sends, "send", "--to", address, "--port",
                               9000, "--rate", rate, "--flows", FLOWS, "--seconds", seconds, "--session", session)

    def run(self, build, namespace, path, *words):
        with open(f"{path}.json", "wb") as out, open(f"{path}.err", "wb") as errors:
            # pylint: disable-next=consider-using-with,subprocess-popen-preexec-fn
            process = subprocess.Popen(["ip", "netns", "exec", namespace, str(build / "tools/flow/flow"),
                                        *map(str, words)], stdin=subprocess.DEVNULL, stdout=out, stderr=errors,
                                       preexec_fn=pair.dies_with_us)
        self.reports[process] = Path(f"{path}.json")
        return process

    def finish(self):
        """What was sent and what arrived, once the last packets had time to arrive."""
        expect(self.sender.wait(60) == 0, "flow send failed")
        time.sleep(1)
        self.receiver.send_signal(signal.SIGTERM)
        expect(self.receiver.wait(20) == 0, "flow receive failed")
        return [json.loads(self.reports[p].read_text("ascii")) for p in (self.sender, self.receiver)]


def configure(routers, transmit, receive):
    """Reloads both; how long that took."""
    began = time.monotonic()
    for router in routers:
        router.secys = [SecY(1, 1, transmit, receive)]
        router.reload()
    return time.monotonic() - began


def rotate(routers, old, new):
    """Receivers first, then senders, then the old SAK goes; the longest reload of both."""
    took = [configure(routers, old, [old, new]), configure(routers, new, [old, new])]
    for router in routers:
        wait_for(5, f"{router.name} sends with AN {new.an}", lambda r=router: r.secy(1)["transmit"]["an"] == new.an)
    time.sleep(RETIRE_S)
    return max(*took, configure(routers, new, [new]))


def rotate_for(routers, work, seconds):
    """A rotation at every whole second; the ANs that were used, and the longest reload. They keep up."""
    ans, longest, began = set(), 0.0, time.monotonic()
    for n in range(1, seconds):
        time.sleep(max(0.0, began + n - time.monotonic()))
        fresh = Sak(work, f"sak{n}", SUITE, n % 4)
        longest = max(longest, rotate(routers, routers[0].secys[0].transmit, fresh))
        ans.add(fresh.an)
    late = time.monotonic() - began - seconds
    expect(late < 0.5, f"the last of {seconds - 1} rotations ended {late:.1f} s after the traffic")
    return seconds - 1, sorted(ans), longest


def totals(router):
    """What its SecY sent, and of its receive SCs what was accepted and what was not."""
    secy = router.secy(1)
    receive = secy["receive"][0]
    bad = {name: receive[name] for name in BAD}
    bad.update({k: v for k, v in secy.items() if k.startswith("in_pkts")})
    return {"out": secy["transmit"]["out_pkts_encrypted"], "ok": receive["in_pkts_ok"], "bad": bad,
            "drops": router.drops()}


def quiet_totals(routers):
    """The same of both, once two looks agree."""
    last = None
    for _ in range(40):
        now = [totals(r) for r in routers]
        if now == last:
            return now
        last = now
        time.sleep(0.25)
    raise pair.Failure("the SecYs' counters never stand still")


def judge_flow(name, sent, received):
    lost = sent["sent"] - received["received"]
    text = (f"{name}: {sent['sent']} sent at {sent['rate']:.0f}/s, {lost} lost, {received['reordered']} reordered, "
            f"{received['duplicates']} twice; longest gap {received['longest_gap_ms']:.1f} ms, longest stall of the "
            f"sender {sent['longest_stall_ms']:.1f} ms")
    expect(sent["rate"] >= 0.95 * RATE / 2, f"{text}; that is not {RATE // 2}/s")
    expect(lost == received["reordered"] == received["duplicates"] == 0,
           f"{text}; {received['socket_drops']} lost by the receiving socket")
    ok(text)


def test(prefix, work, build, seconds):
    work, build, seconds = Path(work), Path(build), int(seconds)
    routers = east, west = pair.routers(prefix, work, build)
    first = Sak(work, "first", SUITE)
    for router in routers:
        # With two, a worker that the machine keeps from running for 100 ms loses what the other one hands over.
        router.workers = 1
        router.secys = [SecY(1, 1, first, [first])]
        router.start()
    pair.wait_carrier(east, west)
    pair.wait_ping(east, 1)
    east.route("10.97.2.0/24", 1)
    west.route("10.97.1.0/24", 1)
    for host, address in (("lan", "10.97.2.2"), ("far", "10.97.1.2")):
        wait_for(10, "hosts reach each other", lambda h=host, a=address: pair.inside(
            f"{prefix}-{h}", "ping", "-n", "-q", "-c", 1, "-W", 1, a, check=False).returncode == 0)

    before, pids = quiet_totals(routers), [r.status()["pid"] for r in routers]
    flows = [Flow(build, prefix, work, "lan", "far", "10.97.2.2", seconds),
             Flow(build, prefix, work, "far", "lan", "10.97.1.2", seconds)]
    rotations, ans, longest = rotate_for(routers, work, seconds)
    outcomes = [flow.finish() for flow in flows]
    after = quiet_totals(routers)
    expect(ans == [0, 1, 2, 3], f"only ANs {ans} were used")
    ok(f"{rotations} rotations, ANs {ans}; the longest reload of both routers took {1000 * longest:.0f} ms")
    grown = [{k: now[k] - then[k] for k in ("out", "ok")} for now, then in zip(after, before)]
    for name, outcome in zip(("east to west", "west to east"), outcomes):
        try:
            judge_flow(name, *outcome)
        except pair.Failure:
            print(json.dumps({"before": before, "after": after, "first losses": outcome[1]["losses"][:2]}))
            raise
    for then, now, router in zip(before, after, routers):
        expect(then["bad"] == now["bad"], f"{router.name}: {then['bad']}, then {now['bad']}")
        expect(then["drops"] == now["drops"], f"{router.name} drops: {then['drops']}, then {now['drops']}")
    expect(grown[0]["out"] == grown[1]["ok"] and grown[1]["out"] == grown[0]["ok"], f"OutPkts and InPktsOK: {grown}")
    expect([r.status()["pid"] for r in routers] == pids, "another pid answers")
    ok(f"OutPkts = InPktsOK ({grown[0]['out']}, {grown[1]['out']}); nothing NotValid, NoSA, Late or dropped; pids same")
    for router in routers:
        lowest = router.secy(1)["receive"][0]["sas"][0]
        router.end()
        leases = {f.stem: lease_of(f) for f in (router.state / "leases").glob("*.receive")}
        expect(leases.get(lowest["key"]) == lowest["lowest_pn"], f"{router.name}: {lowest}, and on disk {leases}")
        expect(len(leases) == rotations + 1 and min(leases.values()) > 1000, f"{router.name}: leases on disk {leases}")
    ok(f"every receive SA left its lowest packet number on disk: {rotations} when removed, the last at the end")


if __name__ == "__main__":
    pair.main(test)
