#!/usr/bin/python3
"""route_load.py NAMESPACE SECONDS INDEX GATEWAY INDEX GATEWAY: zebra with a million routes, as FPM tells them:
16.0.0.0/24 and what follows, through GATEWAY out of interface INDEX; then all of them through the other one, and so on,
until the time is over, at least once. Prints how many route messages. They are sent as fast as they are taken.
"""
import itertools
import socket
import struct
import sys
import time

from bad_fpm import attribute, frame, netlink, route
from frames import netns

NEW = 24
SIXTEENS = 4096  # of 256 routes each: 1,048,576


def template(index, gateway):
    """A frame of 256 routes, and where in it each destination stands."""
    more = attribute(5, socket.inet_aton(gateway)) + attribute(4, struct.pack("=I", index))
    one = netlink(NEW, route(attributes=attribute(1, bytes(4)) + more))
    payload = bytearray(frame(one * 256))
    at = payload.index(attribute(1, bytes(4))) + 4
    places = [at + n * len(one) for n in range(256)]
    for n, place in enumerate(places):
        payload[place + 2] = n
    return payload, places


def blocks(index, gateway):
    payload, places = template(index, gateway)
    for n in range(SIXTEENS):
        two = struct.pack("!H", 0x1000 + n)
        for place in places:
            payload[place:place + 2] = two
        yield payload


def main(namespace, seconds, *through):
    with netns(namespace):
        s = socket.socket()
    s.connect(("127.0.0.1", 2620))
    end, told = time.monotonic() + float(seconds), 0
    for index, gateway in itertools.cycle(zip(through[::2], through[1::2])):
        for block in blocks(int(index), gateway):
            s.sendall(block)
            told += 256
        if time.monotonic() > end:
            break
    print(told, flush=True)
    sys.stdin.read()  # a connection that ends leaves its routes stale


if __name__ == "__main__":
    main(*sys.argv[1:])
