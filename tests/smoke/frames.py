"""Frames octet by octet, for tests that send what no kernel would: Ethernet, VLAN, IP, and a MACsec peer of its own
(AES-GCM by OpenSSL; shares no code with Demarc)."""
import ctypes
import socket
import struct
from contextlib import contextmanager

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

V, ES, SC, SCB, E, C = 0x80, 0x40, 0x20, 0x10, 0x08, 0x04
CLONE_NEWNET = 0x40000000


@contextmanager
def netns(name):
    """Sockets opened inside belong to the namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net", "rb") as home, open(f"/run/netns/{name}", "rb") as there:
        if libc.setns(there.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {name}")
        try:
            yield
        finally:
            libc.setns(home.fileno(), CLONE_NEWNET)


def raw_socket(namespace, device, protocol=0):
    with netns(namespace):
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
    s.bind((device, protocol))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
    return s


def checksum(octets):
    if len(octets) % 2:
        octets += b"\0"
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ether(destination, source, kind, payload, tags=()):
    """tags: (TPID, VID), outermost first."""
    stack = b"".join(struct.pack("!HH", tpid, vid) for tpid, vid in tags)
    return destination + source + stack + struct.pack("!H", kind) + payload


def ipv4(source, destination, payload, *, protocol=17, version=4, ihl=None, total=None, ttl=64, options=b"", sum_off=0,
         flags=0):
    ihl = 5 + len(options) // 4 if ihl is None else ihl
    total = 20 + len(options) + len(payload) if total is None else total
    head = struct.pack("!BBHHHBBH4s4s", version << 4 | ihl, 0, total, 7, flags, ttl, protocol, 0,
                       socket.inet_aton(source), socket.inet_aton(destination)) + options
    right = checksum(head[:max(ihl * 4, 20)]) ^ sum_off
    return head[:10] + struct.pack("!H", right) + head[12:] + payload


def ipv6(source, destination, payload, *, following=17, version=6, length=None, hop_limit=64):
    length = len(payload) if length is None else length
    addresses = b"".join(socket.inet_pton(socket.AF_INET6, a) for a in (source, destination))
    return struct.pack("!IHBB", version << 28, length, following, hop_limit) + addresses + payload


def udp(payload, source=4000, destination=4001):
    return struct.pack("!HHHH", source, destination, 8 + len(payload), 0) + payload


class Peer:
    """The other end of a secured link: GCM-AES-XPN-256 (802.1AE 14.8): the nonce is the salt with SSCI and PN."""

    def __init__(self, sak, salt, ssci, sci, an=0):
        self.aead, self.salt, self.ssci, self.sci, self.an, self.pn = AESGCM(sak), salt, ssci, sci, an, 1

    def nonce(self, ssci, pn):
        return bytes(a ^ b for a, b in zip(self.salt, struct.pack("!IQ", ssci, pn)))

    def seal(self, frame, *, pn=None, tci=SC | E | C, sl=None, an=None, sci=None):
        """A frame as the peer would send it; what is given is put into the SecTAG as it is."""
        pn = self.pn if pn is None else pn
        self.pn = max(self.pn, pn) + 1
        user = frame[12:]
        sl = (len(user) if len(user) < 48 else 0) if sl is None else sl
        tag = struct.pack("!HBBI", 0x88E5, tci | (self.an if an is None else an), sl, pn & 0xFFFFFFFF)
        if tci & SC:
            tag += sci or self.sci
        head, nonce = frame[:12] + tag, self.nonce(self.ssci, pn)
        if not tci & E:
            return head + user + self.aead.encrypt(nonce, b"", head + user)
        return head + self.aead.encrypt(nonce, user, head)

    def open(self, frame, ssci):
        """The clear frame of one that came from the router with an explicit SCI."""
        pn = struct.unpack("!I", frame[16:20])[0]
        sl, rest = frame[15], frame[28:]
        rest = rest[:sl + 16] if sl else rest
        return frame[:12] + self.aead.decrypt(self.nonce(ssci, pn), rest, frame[:28])


def read_sak(path):
    with open(path, encoding="ascii") as file:
        return bytes.fromhex(file.read().split()[1])

