#!/usr/bin/env python3
"""tags.py send|receive DEVICE: frames with one and two VLAN tags, and whether they arrive with the same ones. The
kernel hands the outermost tag over beside the frame: it is put back."""
import socket
import struct
import sys

PACKET_AUXDATA, SOL_PACKET, VLAN_VALID, TPID_VALID = 8, 263, 1 << 4, 1 << 6
STACKS = {"8100.1101": "8100044d", "88a8.20": "88a80014", "88a8.20 8100.30": "88a800148100001e",
          "8100.20 8100.30": "810000148100001e"}
HEAD = bytes.fromhex("ffffffffffff020000000001")
TAIL = bytes.fromhex("88b5") + b"demarc" + bytes(60)

device = sys.argv[2]
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind((device, 0x0003))
if sys.argv[1] == "send":
    for stack in STACKS.values():
        s.send(HEAD + bytes.fromhex(stack) + TAIL)
    sys.exit()
s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
s.settimeout(5)
print("listening", flush=True)
missing = {HEAD + bytes.fromhex(stack) + TAIL: name for name, stack in STACKS.items()}
try:
    while missing:
        frame, control, _, _ = s.recvmsg(2048, 256)
        for level, kind, data in control:
            status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", data[:20])
            if level == SOL_PACKET and kind == PACKET_AUXDATA and status & VLAN_VALID:
                frame = frame[:12] + struct.pack("!HH", tpid if status & TPID_VALID else 0x8100, tci) + frame[12:]
        missing.pop(frame, None)
except TimeoutError:
    sys.exit("did not arrive: " + ", ".join(missing.values()))
print("complete: tags", ", ".join(STACKS), "arrived as sent", flush=True)
