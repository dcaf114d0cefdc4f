"""The guest's end of the link: a SecY of the kernel's, and what it counts."""
import json
from pathlib import Path

import guest
from keys import OURS, THEIRS, sci

CLEAR_VID, INNER_VID = 7, 1101
# Behind us, on the link, behind the guest.
LAN4, LAN6 = "10.99.0", "fd00:99:"
LINK4, LINK6 = "10.99.1", "fd00:99:1:"
FAR4, FAR6 = "10.99.2", "fd00:99:2:"


def form_lines(form, options):
    """The device, by the SCI form it sends. 802.1AE 9.5: with SCB the port identifier is 0, which takes two steps."""
    add = "link add link {parent} name msec0 type macsec"
    if form == "scb":
        return f"{add} sci {sci(THEIRS, 0)} {options}\nlink set dev msec0 type macsec send_sci off scb on"
    form = {"sci": "send_sci on", "es": "send_sci off end_station on", "none": "send_sci off"}[form]
    return f"{add} port 1 {form} {options}"


def sa_options(row, sa):
    number = f"xpn 1 salt {sa.salt} ssci {sa.ssci}" if row.xpn else "pn 1"
    return f"{number} on key"


def secy(row, parent, ours, theirs):
    """Lines for `ip -batch`: msec0 on parent, up, and silent."""
    replay = "" if row.window == "off" else f"replay on window {row.window}"  # off, said to an XPN suite, is refused
    options = f"cipher {row.suite} encrypt {row.encrypt} {replay} validate strict"
    return f"""{form_lines(row.theirs, options).format(parent=parent)}
macsec add msec0 tx sa 0 {sa_options(row, theirs)} 01 {theirs.sak}
macsec add msec0 rx port 1 address {OURS}
macsec add msec0 rx port 1 address {OURS} sa 0 {sa_options(row, ours)} 02 {ours.sak}
"""


class Linux:
    """directory: the guest's. eth0 is on the wire, eth1 leads to the host `far`."""

    def __init__(self, directory):
        self.directory = Path(directory)

    def must(self, command):
        return guest.must(self.directory, command)

    def batch(self, lines):
        """Several `ip` commands in one go: a process is what costs most in the guest."""
        return self.must(f"ip -batch - <<'END'\n{lines.strip()}\nEND")

    def set_up(self):
        """Once: forwarding, and the way to the host behind."""
        self.must("echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding; "
                  "echo 0 >/proc/sys/net/ipv6/conf/eth1/disable_ipv6; "
                  "echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad; "
                  "for f in /proc/sys/net/ipv[46]/neigh/default/proxy_delay; do echo 0 >$f; done")
        self.batch(f"""
link set eth0 up
link set eth1 up
address add {FAR4}.1/24 dev eth1
address add {FAR6}:1/64 dev eth1 nodad
route add {LINK4}.3/32 via {FAR4}.3 dev eth1
route add {LINK6}:3/128 via {FAR6}:3 dev eth1
""")

    def secure(self, row, ours, theirs):
        """The SecY, up; nothing has an address yet, so nothing is sent."""
        parent, device = "eth0", "msec0"
        lines = ""
        if row.vlan == "outside":
            parent = f"eth0.{CLEAR_VID}"
            lines += f"link add link eth0 name {parent} type vlan id {CLEAR_VID}\nlink set dev {parent} up\n"
        lines += secy(row, parent, ours, theirs)
        lines += f"link set dev msec0 mtu {int(row.mtu) + 4} up\n"
        if row.vlan == "inside":
            device = f"msec0.{INNER_VID}"
            lines += f"link add link msec0 name {device} type vlan id {INNER_VID}\n"
        lines += f"link set dev {device} mtu {row.mtu} up\n"
        self.batch(lines)
        return device

    def address(self, device):
        """Now it speaks: for itself and, by proxy ARP and ND, for the host behind."""
        conf = f"/proc/sys/net/ipv6/conf/{device}"
        self.must(f"echo 0 >{conf}/disable_ipv6; echo 1 >{conf}/proxy_ndp")
        self.batch(f"""
address replace {LINK4}.2/24 dev {device}
address replace {LINK6}:2/64 dev {device} nodad
route replace {LAN4}.0/24 via {LINK4}.1
route replace {LAN6}:/64 via {LINK6}:1
neighbor replace proxy {LINK4}.3 dev {device}
neighbor replace proxy {LINK6}:3 dev {device}
""")

    def forget(self, row):
        """No SecY, and no keys."""
        self.batch("link del dev msec0\n" + (f"link del dev eth0.{CLEAR_VID}\n" if row.vlan == "outside" else ""))

    def counters(self):
        """{"tx": {...}, "rx": {...}}: of the transmit SC and the receive SC; the SecY's own go with the latter."""
        document, = json.loads(self.must("ip -s -j macsec show msec0"))
        return document
