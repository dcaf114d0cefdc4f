"""Namespaces, wires, hosts: making them, cutting wires, removing them.

A wire is two veth pairs joined by a bridge in the namespace `wire`: it can be tapped and cut. The routers' ends stay
down and their namespaces have IPv6 off by default until demarcd raises them. Both ends of a veth pair get different
indexes: equal ones make carrier events up to a second late.
"""
import os
import signal
import time
from pathlib import Path

from effects import LabError, json_of, run, run_in
from machine import load, save
from plan import CE, HOSTS, NAMESPACES, PE, ROUTERS, WIRE_NS, WIRES, router_of

OFFLOADS = "tx off tso off gso off sg off gro off rx off".split()
NETNS = Path("/run/netns")


def existing():
    return [n for n in NAMESPACES if (NETNS / n).exists()]


def create():
    """Everything of the network but what demarcd does itself."""
    save("mounts", {"netns_mounted": os.path.ismount(NETNS), "netns_existed": NETNS.exists()})
    for name in NAMESPACES:
        run(["ip", "netns", "add", name])
        run(["ip", "-n", name, "link", "set", "lo", "up"])
    for name in (WIRE_NS, CE.ports_ns, PE.ports_ns):
        sysctl(name, {"net/ipv6/conf/all/disable_ipv6": 1, "net/ipv6/conf/default/disable_ipv6": 1})
    for wire in WIRES:
        create_wire(wire)
    for number, host in enumerate(HOSTS):
        create_host(host, number)


def sysctl(namespace, values):
    run_in(namespace, ["sysctl", "-qw", *[f"{k.replace('/', '.')}={v}" for k, v in values.items()]])


def create_wire(wire):
    batch = [f"link add {wire.name} type bridge stp_state 0 mcast_snooping 0 group_fwd_mask 8"]
    for side, router in enumerate(ROUTERS):
        near, far = 1000 + 20 * side + wire.number, 1010 + 20 * side + wire.number
        batch += [f"link add {wire.end(router)} index {far} type veth peer name {wire.name} index {near} "
                  f"address {wire.mac(router)} netns {router.ports_ns}",
                  f"link set {wire.end(router)} master {wire.name}",
                  f"link set {wire.end(router)} up"]
    batch.append(f"link set {wire.name} up")
    run(["ip", "-n", WIRE_NS, "-batch", "-"], input_text="\n".join(batch) + "\n")


def create_host(host, number):
    router = router_of(host)
    near, far = 1101 + 20 * number, 1111 + 20 * number
    run(["ip", "-n", host.ns, "link", "add", "eth0", "index", str(near), "type", "veth", "peer", "name", "lan",
         "index", str(far), "address", router.lan_mac, "netns", router.ports_ns])
    run_in(host.ns, ["ethtool", "-K", "eth0", *OFFLOADS])
    sysctl(host.ns, {"net/ipv6/conf/eth0/accept_ra": 0, "net/ipv6/conf/eth0/accept_dad": 0})
    batch = [f"address add {host.address4}/24 dev eth0", f"address add {host.address6}/64 dev eth0 nodad",
             "link set eth0 up", f"route add default via {host.gateway4}",
             f"route add ::/0 via {host.gateway6} dev eth0"]
    run(["ip", "-n", host.ns, "-batch", "-"], input_text="\n".join(batch) + "\n")


# Cuts. `carrier`: both ends see it. `silent`: nobody sees it. `one-sided`: only `router` sees it.

def set_links(names, state):
    run(["ip", "-n", WIRE_NS, "-batch", "-"], input_text="".join(f"link set {n} {state}\n" for n in names))


def cut_links(wire, kind, router):
    if kind == "carrier":
        return [wire.end(CE), wire.end(PE)]
    return [wire.name] if kind == "silent" else [wire.end(router)]


def cut(wire, kind, router=CE):
    set_links(cut_links(wire, kind, router), "down")


def mend(wire, kind, router=CE):
    set_links(cut_links(wire, kind, router), "up")


def link(namespace, name):
    return json_of(["ip", "-j", "-d", "-n", namespace, "link", "show", "dev", name])[0]


# Removal, also after a crash.

def processes():
    """Pids in our namespaces, but for this program."""
    pids = set()
    for name in existing():
        pids |= {int(p) for p in run(["ip", "netns", "pids", name], check=False).stdout.split()}
    return pids - {os.getpid()}


def kill_processes():
    for sig, patience_s in ((signal.SIGTERM, 3), (signal.SIGKILL, 3)):
        for pid in processes():
            try:
                os.kill(pid, signal.SIGCONT)
                os.kill(pid, sig)
            except ProcessLookupError:
                pass
        end = time.monotonic() + patience_s
        while processes() and time.monotonic() < end:
            time.sleep(0.05)
    if processes():
        raise LabError(f"processes {sorted(processes())} do not end; look at them with ps")


def remove():
    for name in existing():
        run(["ip", "netns", "del", name])
    mounts = load("mounts")
    # The first namespace of a machine makes `ip` mount /run/netns on itself.
    if mounts and not mounts["netns_mounted"] and os.path.ismount(NETNS) and not any(NETNS.iterdir()):
        run(["umount", NETNS], check=False)
        if not mounts["netns_existed"]:
            NETNS.rmdir()

