"""Rows 3, 5 and 6 of verify: what is on the wire, rotation of keys, cuts."""
import os
import signal
import time

import nonce_check
import routers
import topology
import traffic
import units
import wires
from effects import LabError, progress, wait_for
from plan import CE, HOLD_S, HOST_A, HOST_B, LIFE_S, REKEY_S, ROUTERS, WIRES, peer
from rows import RATE, Result, flows_between, judged
from traffic import Stream

# Row 5: rotation.

REKEYS = 3
WANT_5 = (f"{REKEYS} rekeys by MKA (every {REKEY_S} s) on each link under {RATE} frames/s: 0 lost, 0 reordered, "
          "pids and BGP uptime unchanged, NotValid/NoSA/Late +0, OutPkts = InPktsOK per SC")
UNDER_TRAFFIC_S = REKEYS * REKEY_S + 3
BAD_COUNTERS = ("in_pkts_not_valid", "in_pkts_no_sa", "in_pkts_late")


def channels():
    """Per SC (wire, transmitting router): what was sent, what was accepted, what was refused."""
    states = {r.name: {m["port"]: m for m in routers.status(r)["macsec"]} for r in ROUTERS}
    found = {}
    for wire in WIRES:
        for router in ROUTERS:
            transmit = states[router.name][wire.name]["transmit"]
            receive = {s["sci"]: s for s in states[peer(router).name][wire.name]["receive"]}.get(wire.sci(router))
            if receive is None:
                raise LabError(f"{peer(router).name} has no receive SC of {wire.end(router)}: "
                               f"{'; '.join(routers.unsecured(peer(router))) or 'though it is secured'}")
            found[wire.end(router)] = {
                "out": transmit["out_pkts_encrypted"] + transmit["out_pkts_protected"],
                "ok": receive["in_pkts_ok"], **{name: receive[name] for name in BAD_COUNTERS}}
    return found


def quiet_channels():
    """The same, once two looks agree: a frame between two reads is no loss."""
    last = channels()
    for _ in range(60):
        time.sleep(0.25)
        now = channels()
        if now == last:
            return now
        last = now
    raise LabError("MACsec counters never stand still; is something sending in the lab?")


def rekeys_between(first, last):
    """{"ch1-ce": rekeys}: by the Key Numbers of the SAKs each router transmits with; of another key server, none."""
    return {wire.end(r): last[r.name][wire.name][1] - first[r.name][wire.name][1]
            if last[r.name][wire.name][0] == first[r.name][wire.name][0] else 0 for wire in WIRES for r in ROUTERS}


def rotation(_facts):
    before, pids = quiet_channels(), routers.pids()
    sessions = {r.name: routers.bgp_sessions(r) for r in ROUTERS}
    used, drops = [], routers.drops()

    def meddle(run):
        time.sleep(0.5)
        used.append({r.name: routers.keys_in_use(r) for r in ROUTERS})
        time.sleep(max(0, run.started + UNDER_TRAFFIC_S - 0.5 - time.time()))
        used.append({r.name: routers.keys_in_use(r) for r in ROUTERS})
    streams = [Stream(4, RATE // 2, source=HOST_A), Stream(6, RATE // 2, source=HOST_B)]
    for stream in streams:   # as in row 2: the hosts know each other
        traffic.ping(stream.source, stream.family, stream.destination.address(stream.family))
    progress(f"row 5: {RATE} frames/s for {UNDER_TRAFFIC_S} s, both families, both ways, while MKA rekeys")
    outcomes = traffic.flows(streams, UNDER_TRAFFIC_S, meddle)
    after = quiet_channels()
    grown = {end: {k: after[end][k] - before[end][k] for k in ("out", "ok", *BAD_COUNTERS)} for end in after}
    checks = [o.perfect(UNDER_TRAFFIC_S) for o in outcomes]
    rekeys = rekeys_between(*used)
    checks.append((min(rekeys.values()) >= REKEYS, f"{min(rekeys.values())} rekeys at least of {len(rekeys)} SCs"
                   + "".join(f"; {why}" for r in ROUTERS for why in routers.unsecured(r))))
    checks.append((routers.pids() == pids, "pids unchanged"))
    checks.append((all(routers.same_sessions(sessions[r.name], routers.bgp_sessions(r)) for r in ROUTERS),
                   "BGP uptime unchanged"))
    dropped = {reason: n - drops.get(reason, 0) for reason, n in routers.drops().items() if n != drops.get(reason, 0)}
    checks.append((True, f"dropped by the routers: {dropped or 'nothing'}"))
    refused = sum(g[name] for g in grown.values() for name in BAD_COUNTERS)
    checks.append((refused == 0, f"NotValid/NoSA/Late +{refused}"))
    unequal = [f"{end}: OutPkts +{g['out']}, InPktsOK +{g['ok']}" for end, g in grown.items() if g["out"] != g["ok"]]
    checks.append((not unequal, "OutPkts = InPktsOK" if not unequal else "; ".join(unequal)))
    ok, value = judged(checks)
    return Result(ok, value, {"flows": [o.figures() for o in outcomes], "per_sc": grown, "rekeys": rekeys})


# Row 6: cuts.

WANT_6 = (f"carrier cut: <= 50 ms of the cut wire's flows lost, 0 of the others, back to four; silent and "
          f"one-sided cuts recover when the first of MKA's life time ({LIFE_S} s) and BGP's hold time ({HOLD_S} s) "
          "ends; the port closes, and MKA secures it again by itself")
BLIND_S = min(LIFE_S, HOLD_S)
SLACK_S = 3    # beyond that time: timers have a granularity, and routes take a moment


def carrier_cut(wire, checks):
    """Cut and mended within one run of traffic: both changes must cost nothing but the detection of the cut."""
    streams = [Stream(4, RATE // 2, source=HOST_A), Stream(6, RATE // 2, source=HOST_B)]
    sizes, moments = {}, {}
    sizes["start"] = wires.flush_captures(units.listing())

    def meddle(_run):
        time.sleep(1)
        sizes["cut"] = wires.flush_captures(units.listing())
        time.sleep(1)
        moments["cut"] = time.time()
        topology.cut(wire, "carrier")
        time.sleep(4)
        topology.mend(wire, "carrier")
        moments["mended"] = time.time()
    outcomes = traffic.flows(streams, 14, meddle)
    for outcome in outcomes:
        stream = outcome.stream
        before = flows_between(stream, sizes["start"], sizes["cut"])
        affected = {port for port, on in before.items() if on.get(wire.name)}
        lost = sum(n for port, n in outcome.lost_of.items() if port in affected)
        others = outcome.lost - lost
        rate = stream.rate * len(affected) / stream.flows
        ms = 1000 * lost / max(rate, 1)
        checks.append((bool(affected) and ms <= 50,
                       f"carrier cut v{stream.family}: {ms:.1f} ms of {len(affected)} flows"))
        checks.append((others == 0, f"{others} lost of the others"))
    routers.wait_whole(45)
    return [o.figures() for o in outcomes]


def back_to_four(checks):
    """After mending: the ways are four again, and the wires really carry it."""
    starts = wires.flush_captures(units.listing())
    outcome, = traffic.flows([Stream(4, 5000)], 1)
    ends = wires.flush_captures(units.listing())
    used = {name for on in flows_between(outcome.stream, starts, ends).values() for name in on}
    checks.append((len(used) == 4 and outcome.lost == 0, f"back to {len(used)} wires"))


def recovered(kind, outcome, cut_at):
    """Loss there was, and it ended. A flow that never arrived again shows no end of its hole: its tail is missing."""
    flows = outcome.received_report["flows"]
    ended = len(flows) == outcome.stream.flows and all(
        f["last_ns"] / 1e9 > cut_at + BLIND_S + SLACK_S for f in flows)
    seconds = outcome.last_loss_after(cut_at)
    said = f"recovered after {seconds:.1f} s" if ended else "not recovered"
    return ended and outcome.lost > 0 and seconds <= BLIND_S + SLACK_S, f"{kind} v{outcome.stream.family}: {said}"


def blind_cut(kind, wire, checks):
    """Traffic from the side that does not see the cut. Its losses must end with MKA's life time or BGP's hold time, and
    the traffic goes on beyond both: what ends second costs nothing more."""
    source = HOST_B if kind == "one-sided" else HOST_A
    moment, closed = {}, {}

    def meddle(_run):
        time.sleep(1)
        moment["cut"] = time.time()
        topology.cut(wire, kind, CE)
        time.sleep(BLIND_S + SLACK_S)
        closed.update({r.name: routers.why_unsecured(routers.kays(r)[wire.name]) for r in ROUTERS})
    try:
        streams = [Stream(4, 2000, source=source), Stream(6, 2000, source=source)]
        outcomes = traffic.flows(streams, max(LIFE_S, HOLD_S) + SLACK_S + 2, meddle)
        checks += [recovered(kind, o, moment["cut"]) for o in outcomes]
    finally:
        topology.mend(wire, kind, CE)
    seconds = secured_after(wire)
    checks.append((all(closed.values()), f"{wire.name} closed, secured again {seconds:.1f} s after mending"
                   if all(closed.values()) else f"{wire.name} is not closed, though {kind} cut: {closed}"))
    routers.wait_whole(60)
    return [o.figures() for o in outcomes] + [closed]


def secured_after(wire):
    """Seconds until both ends are secured, by MKA alone."""
    def secured():
        reasons = [f"{r.name}: {why}" for r in ROUTERS if (why := routers.why_unsecured(routers.kays(r)[wire.name]))]
        if reasons:
            raise LabError("; ".join(reasons))
        return True
    began = time.monotonic()
    wait_for(f"{wire.name} is secured again", secured, 30, 0.1)
    return time.monotonic() - began


def cuts(_facts):
    checks, details = [], {}
    routers.wait_whole(30)
    time.sleep(2)   # without link events
    progress("row 6: carrier cut of ch2, and back")
    details["carrier"] = carrier_cut(WIRES[1], checks)
    back_to_four(checks)
    for kind, wire in (("silent", WIRES[2]), ("one-sided", WIRES[3])):
        time.sleep(2)
        progress(f"row 6: {kind} cut of {wire.name}")
        details[kind] = blind_cut(kind, wire, checks)
    ok, value = judged(checks)
    return Result(ok, value, details)


# Row 3: on the wire. Last of all: it ends both routers.

WANT_3 = (">= 10000 frames of 0x88e5 on every wire, 0 of anything else but 0x888e, from before demarcd until after it, "
          "kill -9 included, after which every SAK is a new one; capture agrees, 0 dropped; 100 frames per wire "
          "decrypted with SAKs out of the MKPDUs; no (SAK, SSCI, PN) twice")
VIDS = {w.name: w.vid for w in WIRES}


def kill_and_restart(router, checks):
    """kill -9: the supervisor starts demarcd again; afterwards the lab is whole and carries traffic, under new SAKs."""
    pid, used = routers.pid(router), routers.keys_in_use(peer(router))
    began = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    wait_for(f"demarcd of {router.name} is started again",
             lambda: units.listing()[f"demarcd-{router.name}"]["pid"] not in (None, pid), 20)
    wait_for(f"{router.name} is secured again", lambda: secured(router), 30)
    seconds = time.monotonic() - began
    now = wait_for("both ends use one SAK on each wire", one_sak, 10, 0.1)   # before the next rekey
    routers.wait_whole(60)
    old = [w.name for w in WIRES if now[w.name] == used[w.name]]
    checks.append((not old, f"{router.name} killed: " + (f"an old SAK on {', '.join(old)}" if old else
                                                         f"secured by new SAKs after {seconds:.1f} s")))


def one_sak():
    """The SAKs in use, by wire. LabError: the ends differ. A key server goes on with the old one until it hears that
    who was restarted receives with the new."""
    ends = [routers.keys_in_use(r) for r in ROUTERS]
    if ends[0] != ends[1]:
        raise LabError(f"{ends[0]} and {ends[1]}")
    return ends[0]


def secured(router):
    """True. LabError: which links are not, and why."""
    reasons = routers.unsecured(router)
    if reasons:
        raise LabError("; ".join(reasons))
    return True


def all_wire_checks(listing):
    """Counters, capture and checker, while both demarcd are down: nothing moves."""
    wires.flush_captures(listing)
    count = wires.counters()
    dropped = wires.capture_drops(listing)
    keys, problems = wires.key_log()
    document = nonce_check.check({w.name: [str(wires.capture_path(w, r)) for r in ROUTERS] for w in WIRES},
                                 keys, 100, VIDS, problems)
    captured = {os.path.basename(path)[:-len(".pcap")]: kinds for w in document["wires"].values()
                for path, kinds in w["captures"].items()}
    return count, dropped, document, captured


def judge_wires(count, dropped, document, captured):
    per_wire = {w.name: sum(count[w.end(r)]["macsec"] for r in ROUTERS) for w in WIRES}
    total = {kind: sum(c[kind] for c in count.values()) for kind in wires.KINDS}
    differ = [end for end in count if captured[end] != count[end]]
    decrypted = {name: w["decrypted"] for name, w in document["wires"].items()}
    saks = {name: w["saks"] for name, w in document["wires"].items()}
    return [(min(per_wire.values()) >= 10000, f"0x88e5 {total['macsec']}, at least {min(per_wire.values())} on a wire"),
            (total["other"] == 0, f"others {total['other']}"),
            (True, f"0x888e {total['eapol']}"),
            (not differ, "capture agrees" if not differ else f"capture differs on {', '.join(differ)}"),
            (sum(dropped.values()) == 0, f"{sum(dropped.values())} dropped by the capture"),
            (min(decrypted.values()) >= 100, f"{min(decrypted.values())} decrypted on a wire"),
            (min(saks.values()) > REKEYS, f"{min(saks.values())} SAKs on a wire"),
            (document["repeats"] == 0, f"{document['nonces']} nonces, {document['repeats']} twice"),
            (document["ok"], "checker content" if document["ok"] else "; ".join(document["problems"][:3]))]


def on_the_wire(_facts):
    checks = []
    for router in ROUTERS:
        progress(f"row 3: kill -9 of demarcd of {router.name}")
        kill_and_restart(router, checks)
    traffic.flows([Stream(4, 5000, source=HOST_A), Stream(6, 5000, source=HOST_B)], 2)
    progress("row 3: stopping both demarcd, reading counters and captures")
    try:
        for router in ROUTERS:
            units.stop(f"demarcd-{router.name}")
        measured = all_wire_checks(units.listing())
    finally:
        for router in ROUTERS:
            units.start(f"demarcd-{router.name}")
    progress("row 3: both demarcd started again")
    routers.wait_whole(60)
    ok, value = judged(checks + judge_wires(*measured))
    return Result(ok, value, {"counters": measured[0], "dropped": measured[1], "checker": measured[2]})
