"""Asking the routers: demarcd through `demarc`, FRR through vtysh, the kernel through /proc."""
import re

from effects import LabError, inside, json_of, run, run_in, wait_for
from plan import ROUTERS, WIRES, binary, peer
from units import listing


def demarc(router, *words):
    return json_of([binary("demarc"), "--socket", router.socket, *words], timeout=20)


def status(router):
    return demarc(router, "status", "--json")


def kays(router):
    """{port: its KaY}, of `show mka`."""
    return {k["port"]: k for k in demarc(router, "show", "mka", "--json")["mka"]}


def unsecured(router):
    """["ch2: no peer", ...]: the wires without a SAK in use, each with the KaY's own reason."""
    found = kays(router)
    return [f"{w.name}: {why_unsecured(found.get(w.name))}" for w in WIRES if why_unsecured(found.get(w.name))]


def why_unsecured(kay):
    """Nothing if it is secured."""
    if kay is None:
        return "has no KaY"
    if kay["secured"] and kay["in_use"] and kay["in_use"]["transmits"]:
        return ""
    return kay["why_not_secured"] or f"no SAK in use, {kay['cp_state']}"


def keys_in_use(router):
    """{port: (key server's MI, Key Number)} of the SAKs that transmit."""
    return {port: (k["in_use"]["key"].split("/")[0], k["in_use"]["key_number"]) if k["in_use"] else (None, 0)
            for port, k in kays(router).items()}


def lookup(router, address):
    return demarc(router, "lookup", address, "--json")


def pid(router):
    """Of the running demarcd."""
    found = listing()[f"demarcd-{router.name}"]["pid"]
    if found is None:
        raise LabError(f"demarcd of {router.name} does not run; see the log of demarcd-{router.name}")
    return found


def pids():
    """Of every daemon that must survive a rotation."""
    return {name: u["pid"] for name, u in listing().items() if not name.startswith("capture-")}


def vtysh_json(router, command):
    return json_of(inside(router.ns, ["vtysh", "--vty_socket", router.frr, "-c", command]), timeout=20)


def bgp_sessions(router):
    """{neighbour address: (established, when, times established)} of both families."""
    summary = vtysh_json(router, "show bgp summary json")
    sessions = {}
    for family in ("ipv4Unicast", "ipv6Unicast"):
        for address, peer_ in (summary.get(family) or {}).get("peers", {}).items():
            sessions[address] = (peer_.get("state") == "Established", peer_.get("peerUptimeEstablishedEpoch", 0),
                                 peer_.get("connectionsEstablished", 0))
    return sessions


def established(router):
    return sum(up for up, _, _ in bgp_sessions(router).values())


def same_sessions(before, after):
    """The same sessions, never down between: established since the same second (rounding moves it by one)."""
    return before.keys() == after.keys() and all(
        after[a][0] and abs(after[a][1] - before[a][1]) <= 2 and after[a][2] == before[a][2] for a in before)


def members(router, address):
    """The usable members of the group an address is looked up to: interface names."""
    answer = lookup(router, address)
    found = answer.get("members")
    if found is None and isinstance(answer.get("group"), dict):
        found = answer["group"].get("members")
    return sorted({m["interface"] for m in found or [] if m.get("usable")})


def forwarding_ways():
    """{"ce 4": ["ch1-1101", ...], ...}: over which interfaces each router reaches the other's host."""
    return {f"{r.name} v{f}": members(r, peer(r).host.address(f)) for r in ROUTERS for f in (4, 6)}


def all_interfaces():
    return sorted(w.interface for w in WIRES)


def whole():
    """Every session up, every lookup over all four wires, every wire secured."""
    for r in ROUTERS:
        reasons = unsecured(r)
        if reasons:
            raise LabError(f"{r.name}: {len(WIRES) - len(reasons)} of {len(WIRES)} links secured; {'; '.join(reasons)}")
    for r in ROUTERS:
        up = established(r)
        if up != 2 * len(WIRES):
            raise LabError(f"{r.name}: BGP {up}/{2 * len(WIRES)}")
    short = {k: v for k, v in forwarding_ways().items() if v != all_interfaces()}
    if short:
        raise LabError("; ".join(f"{k} over {', '.join(v) or 'nothing'}" for k, v in short.items()))
    return True


def wait_whole(timeout_s=45):
    wait_for("four links, BGP 8/8 and four ways everywhere", whole, timeout_s, 0.3)


def kernel_forwarded(router):
    """IpForwDatagrams + Ip6OutForwDatagrams over all of a router's namespaces: packets the kernel forwarded, not we."""
    total = 0
    for namespace in router.namespaces:
        text = run_in(namespace, ["cat", "/proc/net/snmp", "/proc/net/snmp6"]).stdout
        names, values = (line.split() for line in re.findall(r"^Ip: .*$", text, re.M)[:2])
        total += int(values[names.index("ForwDatagrams")])
        total += int(re.search(r"^Ip6OutForwDatagrams\s+(\d+)", text, re.M)[1])
    return total


def sums(router):
    """Counters of a router, all workers together."""
    workers = status(router)["workers"]
    return {key: sum(w[key] for w in workers) for key in ("received", "transmitted", "punted", "dropped")}


def drops():
    """{"ce next-hop-unresolved": frames, ...}: what the routers dropped, by reason."""
    found = {}
    for router in ROUTERS:
        for worker in status(router)["workers"]:
            for reason, frames in worker["drops"].items():
                found[f"{router.name} {reason}"] = found.get(f"{router.name} {reason}", 0) + frames
    return found


def xdp_program(router, port):
    """Name of the XDP program on a port, as the kernel tells it."""
    link = json_of(["ip", "-j", "-d", "-n", router.ports_ns, "link", "show", "dev", port])[0]
    program = (link.get("xdp") or {}).get("prog") or {}
    if "id" not in program:
        return None
    return program.get("name") or json_of(["bpftool", "-j", "prog", "show", "id", program["id"]]).get("name")
