"""Keys and configuration files, written into the run directory.

A wire has a CAK, from which MKA makes its SAKs, a new one every REKEY_S seconds. Nothing leaves the run directory.
"""
import grp
import os
import secrets
import shutil

from effects import LabError, run
from machine import load, save
from plan import (HELLO_S, HOLD_S, KEYS, LIFE_S, MAXIMUM_PREFIX, REKEY_S, REPLAY_WINDOW, ROUTERS, WIRE_MTU, WIRES,
                  binary, peer)


def private(path, text, *, mode=0o600, group=0):
    """A file that was never readable by others, whole or not at all."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w") as file:
        os.fchown(fd, 0, group)
        os.fchmod(fd, mode)
        file.write(text)
    draft.rename(path)


def frr_group():
    try:
        return grp.getgrnam("frr").gr_gid
    except KeyError as e:
        raise LabError("group frr does not exist; reinstall the package frr") from e


def create_directories():
    """FRR runs as user frr and must reach its own directory; everything else is root's."""
    group = frr_group()
    for router in ROUTERS:
        router.run.mkdir(mode=0o750)
        os.chown(router.run, 0, group)
        (router.run / "state").mkdir(mode=0o700)
        router.frr.mkdir(mode=0o770)
        router.frr.chmod(0o770)
        shutil.chown(router.frr, "frr", "frr")
    KEYS.mkdir(mode=0o700, exist_ok=True)


def caks():
    """{"ch1": {"ckn": HEX, "cak": HEX}, ...}: what the checker opens MKPDUs with."""
    return load("keys/caks")


def draw_caks():
    """A CAK and its name for every wire. Every SAK comes of MKA."""
    drawn = {wire.name: {"ckn": secrets.token_hex(16), "cak": secrets.token_hex(32)} for wire in WIRES}
    for wire in WIRES:
        private(cak_file(wire), f"cak: {drawn[wire.name]['cak']}\n")
    save("keys/caks", drawn)


def cak_file(wire):
    return KEYS / f"{wire.name}.cak"


def draw_passwords():
    for wire in WIRES:
        private(KEYS / f"bgp-{wire.name}.md5", secrets.token_hex(16) + "\n")


def port_text(router, wire, ckn):
    worker = router.port_workers.get(wire.name, 0)
    return f"""  {wire.name}:
    driver: af_xdp
    device: {wire.name}
    facility: {wire.facility}
    receive-worker: {worker}
    transmit-worker: {worker}
    mtu: 1500
    macsec:
      - cipher-suite: gcm-aes-xpn-256
        replay-window: {REPLAY_WINDOW}
        mka:
          key-server-priority: {wire.priority(router)}
          sak-rekey: {REKEY_S}s
          hello: {HELLO_S}s
          life: {LIFE_S}s
          key-ring: [{{ckn: "{ckn}", cak-file: {cak_file(wire)}}}]
"""


def interface_text(router, wire):
    return f"""  {wire.interface}:
    port: {wire.name}
    tags: [{wire.vid}]
    mtu: {WIRE_MTU}
    addresses: [{wire.address4(router)}/30, "{wire.address6(router)}/126"]
"""


def neighbors_text(router, wire):
    other = peer(router)
    return "".join(f"    - {{address: \"{address}\", asn: {other.asn}, interface: {wire.interface}, "
                   f"password-file: {KEYS}/bgp-{wire.name}.md5, maximum-prefix: {MAXIMUM_PREFIX}}}\n"
                   for address in (wire.address4(other), wire.address6(other)))


def quoted(prefixes):
    return ", ".join(f'"{p}"' for p in prefixes)


def router_text(router, drawn):
    """The configuration of a router. drawn: as caks() gives it."""
    lan = router.port_workers.get("lan", 0)
    ports = "".join(port_text(router, w, drawn[w.name]["ckn"]) for w in WIRES)
    interfaces = "".join(interface_text(router, w) for w in WIRES)
    neighbors = "".join(neighbors_text(router, w) for w in WIRES)
    return f"""# Written by tools/lab.
router:
  name: {router.name}
  run-directory: {router.run}
  state-directory: {router.run}/state
workers:
  idle: sleep
  count: {router.workers}
memory:
  buffers: 32768
  buffer-octets: 2176
fib:
  ipv4-root-bits: 16
  ipv6-root-bits: 16
  ipv4-nodes: 4096
  ipv6-nodes: 8192
  groups: 1024
  next-hops: 1024
host:
  netns: {router.ns}
  fpm: {{address: 127.0.0.1, port: 2620}}
ports:
{ports}  lan:
    driver: af_xdp
    device: lan
    receive-worker: {lan}
    transmit-worker: {lan}
    mtu: 1500
interfaces:
{interfaces}  lan0:
    port: lan
    mtu: 1500
    addresses: [{router.host.gateway4}/24, "{router.host.gateway6}/64"]
bgp:
  asn: {router.asn}
  router-id: {router.router_id}
  timers: {{hold: {HOLD_S}s, keepalive: {HOLD_S // 3}s, connect: 2s}}
  announce: [{quoted(router.announce)}]
  accept: [{quoted(router.accept)}]
  neighbors:
{neighbors}log:
  level: info
"""


def write_configs():
    for router in ROUTERS:
        private(router.config, router_text(router, caks()))


def write_frr():
    """FRR's configuration as demarc makes it from the router's."""
    for router in ROUTERS:
        for daemon in ("zebra", "staticd", "bgpd"):
            text = run([binary("demarc"), "frr-config", router.config, "--daemon", daemon]).stdout
            private(router.frr / f"{daemon}.conf", text, mode=0o640, group=frr_group())


def create():
    """Everything a first start needs."""
    create_directories()
    draw_passwords()
    draw_caks()
    write_configs()
    write_frr()
