#!/usr/bin/python3
"""route_load.py NAMESPACE SECONDS INDEX GATEWAY: zebra with a million routes, as FPM tells them: 16.0.0.0/24 and what
follows, through GATEWAY out of interface INDEX. All told, all withdrawn, and again, until the time is over; prints how
many route messages. They are sent as fast as they are taken.
"""
import socket
import struct
import sys
import time

from bad_fpm import attribute, frame, netlink, route
from frames import netns

NEW, DELETE = 24, 25
SIXTEENS = 4096  # of 256 routes each: 1,048,576


def template(kind, index, gateway):
    """A frame of 256 routes, and where in it each destination stands."""
    more = attribute(5, socket.inet_aton(gateway)) + attribute(4, struct.pack("=I", index))
    one = netlink(kind, route(attributes=attribute(1, bytes(4)) + more))
    payload = bytearray(frame(one * 256))
    at = payload.index(attribute(1, bytes(4))) + 4
    places = [at + n * len(one) for n in range(256)]
    for n, place in enumerate(places):
        payload[place + 2] = n
    return payload, places


def blocks(kind, index, gateway):
    payload, places = template(kind, index, gateway)
    for n in range(SIXTEENS):
        two = struct.pack("!H", 0x1000 + n)
        for place in places:
            payload[place:place + 2] = two
        yield payload


def main(namespace, seconds, index, gateway):
    with netns(namespace):
        s = socket.socket()
    s.connect(("127.0.0.1", 2620))
    end, told = time.monotonic() + float(seconds), 0
    while True:
        for kind in (NEW, DELETE):
            for block in blocks(kind, int(index), gateway):
                s.sendall(block)
                told += 256
                if time.monotonic() > end:
                    print(told, flush=True)
                    return


if __name__ == "__main__":
    main(*sys.argv[1:])
