#!/usr/bin/env python3
"""talk.py DEVICE MAC: what a Linux stack behind MAC would answer or forward: ARP, ICMP to it and through it, ICMPv6
echo and MLD query to all nodes. Three times each."""
import socket
import struct
import sys


def checksum(octets):
    total = sum(struct.unpack("!%dH" % (len(octets) // 2), octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


device, mac = sys.argv[1], bytes.fromhex(sys.argv[2].replace(":", ""))
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((device, 0))
own = s.getsockname()[4]
source, link_local = socket.inet_aton("10.9.0.1"), socket.inet_pton(socket.AF_INET6, "fe80::1")


def arp():
    body = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, own, source, bytes(6), socket.inet_aton("10.9.0.2"))
    return b"\xff" * 6 + own + b"\x08\x06" + body


def icmp(destination):
    echo = struct.pack("!BBHHH", 8, 0, 0, 1, 1) + bytes(32)
    echo = echo[:2] + struct.pack("!H", checksum(echo)) + echo[4:]
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(echo), 0, 0, 64, 1, 0, source, socket.inet_aton(destination))
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return mac + own + b"\x08\x00" + head + echo


def icmp6(kind, body):
    destination = socket.inet_pton(socket.AF_INET6, "ff02::1")
    pdu = struct.pack("!BBH", kind, 0, 0) + body
    pseudo = link_local + destination + struct.pack("!II", len(pdu), 58)
    pdu = pdu[:2] + struct.pack("!H", checksum(pseudo + pdu)) + pdu[4:]
    head = struct.pack("!IHBB", 6 << 28, len(pdu), 58, 1) + link_local + destination
    return b"\x33\x33\0\0\0\x01" + own + b"\x86\xdd" + head + pdu


for _ in range(3):
    for frame in (arp(), icmp("10.9.0.2"), icmp("10.8.0.1"), icmp6(128, bytes(8)), icmp6(130, bytes(20))):
        try:
            s.send(frame)
        except OSError:
            pass  # the other end is down
