"""Rows 1, 2, 4 and 7 of verify. A row measures and returns a Result; it knows nothing of tables."""
import os
import re
import secrets
import signal
from dataclasses import dataclass, field

import flow_map
import routers
import traffic
import units
import wires
from effects import LabError, progress, run
from plan import HOST_A, HOST_B, PE, ROUTERS, WIRE_MTU, WIRES, peer, router_of
from traffic import Stream

FLOW_SECONDS = 10
RATE = 20000


class NotBuilt(Exception):
    """The router lacks what the row measures: what it lacks."""


@dataclass
class Result:
    ok: bool
    value: str
    details: dict = field(default_factory=dict)


@dataclass
class Facts:
    """What one row measured and another judges."""
    punted: dict = field(default_factory=dict)      # {"ce v4": packets} over row 2's flows
    forwarded: dict = field(default_factory=dict)   # the same by the kernel
    accounts: dict = field(default_factory=dict)    # row 7's snapshot from before the traffic


def judged(checks):
    """checks: [(ok, text)]; the failed ones first, so that a reader sees them."""
    failed = [text for ok, text in checks if not ok]
    return all(ok for ok, _ in checks), "; ".join([f"WRONG: {t}" for t in failed] + [t for ok, t in checks if ok])


def need(document, key, where):
    if key not in document:
        raise NotBuilt(f"{where} has no {key!r}")
    return document[key]


# Row 1: links, sessions, ways, XDP.

WANT_1 = ("4 links secured by MKA, both ends with one SAK, BGP 8/8, four ways each way and family, XDP program "
          "steer on every AF_XDP port")


def secured_links(router, state, checks):
    """The wires with a SAK of MKA in use and must-secure; why the others are none, in the KaY's words."""
    lax = [f"{m['port']}: policy {m['policy']}" for m in need(state, "macsec", "status")
           if m["policy"] != "must-secure"]
    wrong = routers.unsecured(router) + lax
    checks.append((not wrong, f"{router.name}: {'UNSECURED ' + '; '.join(wrong) if wrong else '4/4 secured'}"))


def one_sak_each(checks):
    """Both ends transmit with the same SAK. A rekey may fall between two looks."""
    used = []
    for _ in range(3):
        used = [routers.keys_in_use(r) for r in ROUTERS]
        if used[0] == used[1]:
            break
        traffic.settle(1)
    same = sum(used[0].get(w.name, 0) == used[1].get(w.name, 1) and used[0][w.name][0] is not None for w in WIRES)
    checks.append((same == len(WIRES), f"one SAK at both ends of {same}/{len(WIRES)}"))


def links(_facts):
    checks, details = [], {}
    for router in ROUTERS:
        state = routers.status(router)
        secured_links(router, state, checks)
        up = routers.established(router)
        checks.append((up == 8, f"{router.name}: BGP {up}/8"))
        xdp_ports = [p for p in state["ports"] if p["driver"] == "af_xdp"]
        programs = {p["name"]: routers.xdp_program(router, p["device"]) for p in xdp_ports}
        told = {p["name"]: p.get("xdp_program") for p in xdp_ports}
        steer = bool(programs) and all(n == "steer" for n in [*programs.values(), *told.values()])
        count = sum(n == "steer" for n in programs.values())
        checks.append((steer, f"{router.name}: steer on {count}/{len(programs)} ports"))
        details[router.name] = {"sak": routers.keys_in_use(router), "established": up, "xdp": programs,
                                "routes": state.get("routes")}
    one_sak_each(checks)
    ways = routers.forwarding_ways()
    checks += [(found == routers.all_interfaces(), f"{who}: {len(found)} ways") for who, found in ways.items()]
    ok, value = judged(checks)
    return Result(ok, value, {**details, "ways": ways})


# Row 2: traffic.

WANT_2 = (f"{RATE}/s for {FLOW_SECONDS} s, v4 and v6: 0 lost, 0 reordered; each wire 15-35 %, each flow on one wire; "
          "TCP >= 300 Mbit/s, < 1 % retransmits; traceroute, path MTU discovery, first packet to a silent neighbour")


def flows_between(stream, starts, ends):
    """{source port: {wire: frames}} of a stream between two moments of the captures."""
    router = router_of(stream.source)
    paths = {w.name: wires.capture_path(w, router) for w in WIRES}
    return flow_map.flow_wires(paths, wires.key_log()[0], {w.name: starts[w.end(router)] for w in WIRES},
                               {w.name: ends[w.end(router)] for w in WIRES}, stream)


def one_family(family, source, facts, checks):
    stream = Stream(family, RATE, source=source)
    # Of packets to a neighbour nobody has asked for, 8 a second wait for the answer and the rest is a counted drop, by
    # design: the hosts know each other before the flows begin. The silent neighbour has a check of its own.
    traffic.ping(source, family, stream.destination.address(family))
    before = {r: (routers.sums(r), routers.kernel_forwarded(r)) for r in ROUTERS}
    starts = wires.flush_captures(units.listing())
    outcome, = traffic.flows([stream], FLOW_SECONDS)
    for r in ROUTERS:
        facts.punted[f"{r.name} v{family}"] = routers.sums(r)["punted"] - before[r][0]["punted"]
        facts.forwarded[f"{r.name} v{family}"] = routers.kernel_forwarded(r) - before[r][1]
    ends = wires.flush_captures(units.listing())
    found = flows_between(stream, starts, ends)
    seen = sum(sum(on.values()) for on in found.values())
    share = {w.name: 100 * sum(on.get(w.name, 0) for on in found.values()) / max(1, seen) for w in WIRES}
    split = [port for port, on in found.items() if len(on) > 1]
    checks += [
        outcome.perfect(FLOW_SECONDS),
        (all(15 <= s <= 35 for s in share.values()),
         f"v{family} wires " + "/".join(f"{s:.0f}" for s in share.values()) + " %"),
        (len(found) == stream.flows and not split and seen >= outcome.received,
         f"v{family}: {len(found) - len(split)}/{stream.flows} flows on one wire")]
    return {**outcome.figures(), "share_percent": {k: round(s, 1) for k, s in share.items()}, "split_flows": len(split)}


def tcp(family, source, checks):
    figures = traffic.iperf(family, source, HOST_B if source is HOST_A else HOST_A)
    checks.append((figures["mbit"] >= 300 and figures["retransmits_percent"] < 1,
                   f"TCP v{family} {figures['mbit']} Mbit/s, {figures['retransmits_percent']:.2f} % again"))
    return figures


def route_traced(family, checks):
    hops = traffic.traceroute(HOST_A, family, HOST_B.address(family))
    first = HOST_A.gateway4 if family == 4 else HOST_A.gateway6
    # A router answers from any of its addresses.
    own = {getattr(w, f"address{family}")(PE) for w in WIRES} | {HOST_B.gateway4, HOST_B.gateway6}
    good = len(hops) == 3 and hops[0] == first and hops[1] in own and hops[2] == HOST_B.address(family)
    checks.append((good, f"traceroute v{family} " + (f"{len(hops)} hops" if good else " ".join(hops) or "nothing")))


def mtu_discovered(family, checks):
    run(["ip", f"-{family}", "-n", HOST_A.ns, "route", "flush", "cache"], check=False)
    size = 1500 - (28 if family == 4 else 48)
    said = traffic.ping(HOST_A, family, HOST_B.address(family), "-s", size, "-M", "do")
    found = re.search(r"mtu ?=? ?(\d+)", said.stdout + said.stderr)
    after = traffic.ping(HOST_A, family, HOST_B.address(family), "-s", size - 1500 + WIRE_MTU, "-M", "do")
    good = bool(found) and int(found[1]) == WIRE_MTU and after.returncode == 0
    checks.append((good, f"path MTU v{family} {found[1] if found else 'not told'}"))


def silent_neighbour(family, checks):
    """One packet to an address of host-b that never spoke and that pe has not resolved."""
    prefix = HOST_B.spare4 if family == 4 else HOST_B.spare6
    number = 10 + secrets.randbelow(240)
    address = f"{prefix}{number if family == 4 else format(0x1000 + secrets.randbelow(0xE000), 'x')}"
    run(["ip", "-n", HOST_B.ns, "address", "add", f"{address}/{24 if family == 4 else 64}", "dev", "eth0"]
        + (["nodad"] if family == 6 else []))
    try:
        outcome, = traffic.flows([Stream(family, 1, 1, HOST_A, address)], 1)
        arrived = outcome.received == 1
        checks.append((arrived, f"first packet v{family} {'arrived' if arrived else 'lost'}"))
    finally:
        run(["ip", "-n", HOST_B.ns, "address", "del", f"{address}/{24 if family == 4 else 64}", "dev", "eth0"])


def host_to_host(facts):
    checks, details = [], {}
    for family, source in ((4, HOST_A), (6, HOST_B)):
        progress(f"row 2: {RATE} frames/s for {FLOW_SECONDS} s over IPv{family}")
        details[f"flow_v{family}"] = one_family(family, source, facts, checks)
    for family, source in ((4, HOST_A), (6, HOST_B)):
        progress(f"row 2: TCP, traceroute, path MTU and a silent neighbour over IPv{family}")
        details[f"tcp_v{family}"] = tcp(family, source, checks)
        route_traced(family, checks)
        mtu_discovered(family, checks)
        silent_neighbour(family, checks)
    ok, value = judged(checks)
    return Result(ok, value, details)


# Row 4: it is us.

WANT_4 = ("over row 2's packets at most 1000 punted and 100 forwarded by the kernel, per router; demarcd stopped: "
          "100 % lost")


def it_is_us(facts):
    if not facts.punted:
        raise LabError("row 2 did not run, so there is nothing to count")
    checks = [(max(facts.punted.values()) <= 1000, f"punted {max(facts.punted.values())} at most"),
              (max(facts.forwarded.values()) <= 100, f"kernel forwarded {max(facts.forwarded.values())} at most")]
    for router in ROUTERS:
        progress(f"row 4: demarcd of {router.name} stopped for 3 s")
        for outcome in traffic_while_stopped(router):
            share = 100 * outcome.lost / max(1, outcome.sent)
            checks.append((outcome.sent > 0 and outcome.received == 0,
                           f"{router.name} stopped, v{outcome.stream.family}: {share:.4g} % lost"))
    routers.wait_whole(60)
    ok, value = judged(checks)
    return Result(ok, value, {"punted": facts.punted, "kernel_forwarded": facts.forwarded})


def traffic_while_stopped(router):
    """The receivers end before demarcd goes on: what waited in its rings then arrives at nobody."""
    pid = routers.pid(router)
    os.kill(pid, signal.SIGSTOP)
    try:
        traffic.settle(0.1)
        return traffic.flows([Stream(4, 2000), Stream(6, 2000)], 2.2)
    finally:
        os.kill(pid, signal.SIGCONT)


# Row 7: accounts.

WANT_7 = ("per worker: received + injected + collected = transmitted + punted + handed over + dropped by reason; wire "
          "counters agree; pe: >= 50 % cross a hand-over ring, both ways")


def accounts_now():
    """Counters of routers and wires once nothing moved between two looks. MKA and BGP speak several times a second: the
    looks follow each other closely."""
    def look():
        states = {r.name: routers.status(r) for r in ROUTERS}
        return {"wires": wires.counters(), "states": states}

    def signature(a):
        return [[(w["received"], w["transmitted"]) for w in s["workers"]] for s in a["states"].values()], a["wires"]
    last = look()
    for _ in range(200):
        traffic.settle(0.05)
        now = look()
        if signature(now) == signature(last):
            return now
        last = now
    raise LabError("the routers are never quiet for two looks; is something sending in the lab?")


def balance(worker):
    into = worker["received"] + worker["injected"] + worker["collected"]
    out = worker["transmitted"] + worker["punted"] + worker["handed_over"] + sum(worker["drops"].values())
    return into - out


def wire_checks(before, after):
    """What a router says it sent into a wire against what entered the wire; and what it got out of it."""
    on_wire = wires.difference(after["wires"], before["wires"])
    moved = {r.name: {p["name"]: (p["in_frames"] - q["in_frames"], p["out_frames"] - q["out_frames"]) for p, q in zip(
        after["states"][r.name]["ports"], before["states"][r.name]["ports"])} for r in ROUTERS}
    for wire in WIRES:
        for router in ROUTERS:
            frames = sum(on_wire[wire.end(router)].values())
            sent, got = moved[router.name][wire.name][1], moved[peer(router).name][wire.name][0]
            yield (frames == sent == got, f"{wire.end(router)}: sent {sent}, on the wire {frames}, received {got}")


def accounts(facts):
    traffic.settle(2)
    after = accounts_now()
    checks = []
    for name, state in after["states"].items():
        for worker in need(state, "workers", "status"):
            off = balance(worker)
            checks.append((off == 0 and worker["dropped"] == sum(worker["drops"].values()),
                           f"{name} worker {worker['id']} balances" if off == 0 else
                           f"{name} worker {worker['id']}: {off:+d} frames unaccounted for"))
    agree = list(wire_checks(facts.accounts, after))
    wrong = [text for ok, text in agree if not ok]
    checks.append((not wrong, "wires agree" if not wrong else "; ".join(wrong)))
    old = {w["id"]: w for w in facts.accounts["states"]["pe"]["workers"]}
    new = {w["id"]: w for w in after["states"]["pe"]["workers"]}
    crossed = {i: new[i]["handed_over"] - old[i]["handed_over"] for i in new}
    share = 100 * sum(crossed.values()) / max(1, sum(new[i]["received"] - old[i]["received"] for i in new))
    checks.append((len(crossed) == 2 and min(crossed.values()) > 0 and share >= 50,
                   f"pe: {share:.0f} % crossed ({', '.join(map(str, crossed.values()))})"))
    ok, value = judged(checks)
    return Result(ok, value, {"crossings": crossed, "share_percent": round(share, 1), "wires": [t for _, t in agree]})
