"""Pings out of several namespaces at once, without a process for each; nothing is given up before its time."""
import os
import select
import socket
import struct
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "smoke"))
from frames import checksum, netns  # noqa: E402

REQUEST, REPLY = {4: 8, 6: 128}, {4: 0, 6: 129}
HEADER = {4: 28, 6: 48}  # octets of IP and ICMP
IPV6_DONTFRAG, IP_MTU_DISCOVER, IP_PMTUDISC_DO, IPV6_MTU_DISCOVER = 62, 10, 2, 23


def icmp_socket(namespace, family):
    """Fragments nothing."""
    with netns(namespace):
        if family == 4:
            s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
            s.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
        else:
            s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
            s.setsockopt(socket.IPPROTO_IPV6, IPV6_DONTFRAG, 1)
            s.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, IP_PMTUDISC_DO)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    s.setblocking(False)
    return s


class Echo:
    """namespaces: {name: real name}. A way is (family, name, address)."""

    def __init__(self, namespaces):
        self.sockets = {(name, family): icmp_socket(real, family) for name, real in namespaces.items()
                        for family in (4, 6)}
        self.identifier, self.sequence = os.getpid() & 0xFFFF, 0

    def send(self, way, octets):
        """A packet of so many octets; its sequence number."""
        family, name, address = way
        self.sequence = (self.sequence + 1) & 0xFFFF
        body = struct.pack("!HH", self.identifier, self.sequence) + bytes(octets - HEADER[family])
        head = struct.pack("!BBH", REQUEST[family], 0, 0)
        if family == 4:
            head = struct.pack("!BBH", REQUEST[4], 0, checksum(head + body))  # over IPv6 the kernel does it
        try:
            self.sockets[name, family].sendto(head + body, (address, 0))
        except OSError:
            pass  # no neighbour, or an error of an earlier packet: no reply will come
        return self.sequence

    def replies(self, seconds):
        """Sequence numbers of replies that are there, or come within the time."""
        ready = select.select(list(self.sockets.values()), [], [], seconds)[0]
        found = set()
        for (_, family), s in self.sockets.items():
            while s in ready:
                try:
                    packet = s.recv(65535)
                except BlockingIOError:
                    break
                packet = packet[(packet[0] & 15) * 4:] if family == 4 else packet
                if len(packet) >= 8 and packet[0] == REPLY[family]:
                    identifier, sequence = struct.unpack("!HH", packet[4:8])
                    found |= {sequence} if identifier == self.identifier else set()
        return found

    def lost(self, ways, copies, seconds):
        """ways: [(way, octets of the packet)]. Those with a packet that no reply came to, each with how many."""
        waiting = {}
        for _ in range(copies):
            waiting |= {self.send(way, octets): (way, octets) for way, octets in ways}
            time.sleep(0.01)
        end = time.monotonic() + seconds
        while waiting and time.monotonic() < end:
            for sequence in self.replies(max(0.0, end - time.monotonic())):
                waiting.pop(sequence, None)
        return {key: list(waiting.values()).count(key) for key in set(waiting.values())}
