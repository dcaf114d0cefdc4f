#!/usr/bin/python3
"""flood.py KIND SECONDS NAMESPACE DEVICE DESTINATION SOURCE...: sends all it can through devices of a namespace, in
turn; prints how many frames. DEVICE DESTINATION SOURCE: any number of them; MAC addresses.

macsec   MACsec frames of SOURCE's SC, port 1, for every AN; their ICV is wrong, which only the cipher can tell
arp      questions for 10.97.1.1 and 10.97.2.1 by hosts that do not exist, each another one
"""
import itertools
import os
import socket
import struct
import sys
import time

from frames import C, E, SC, ether, raw_socket

SOL_PACKET, PACKET_QDISC_BYPASS = 263, 20
AHEAD = 0x70000000  # a PN that no replay window refuses
BROADCAST = b"\xff" * 6


def octets(mac):
    return bytes.fromhex(mac.replace(":", ""))


def macsec(destination, source, n):
    tag = struct.pack("!BBI", SC | E | C | n % 4, 0, AHEAD + n) + source + b"\0\1"
    return ether(destination, source, 0x88E5, tag + os.urandom(200))


def arp(_, source, n):
    mac = source[:3] + struct.pack("!I", n)[1:]
    host = socket.inet_aton(f"10.97.{1 + n % 2}.{3 + n % 250}")
    asked = socket.inet_aton(f"10.97.{1 + n % 2}.1")
    return ether(BROADCAST, mac, 0x0806, struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac + host + bytes(6) + asked)


def main(kind, seconds, namespace, *where):
    make = {"macsec": macsec, "arp": arp}[kind]
    turns = []
    for device, destination, source in zip(*[iter(where)] * 3):
        s = raw_socket(namespace, device)
        s.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
        turns += [(s, make(octets(destination), octets(source), n)) for n in range(256)]
    turns.sort(key=lambda turn: turn[1][-8:])  # mixed
    end, sent = time.monotonic() + float(seconds), 0
    for s, frame in itertools.cycle(turns):
        try:
            sent += s.send(frame) > 0
        except OSError:  # its queue is full
            pass
        if sent % 64 == 0 and time.monotonic() > end:
            break
    print(sent)


if __name__ == "__main__":
    main(*sys.argv[1:])
