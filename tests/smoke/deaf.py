#!/usr/bin/python3
"""deaf.py SOCKET REQUEST: asks, and never reads the answer."""
import signal
import socket
import sys

with socket.socket(socket.AF_UNIX) as s:
    s.connect(sys.argv[1])
    s.sendall(sys.argv[2].encode() + b"\n")
    signal.pause()
