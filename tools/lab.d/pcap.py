"""Reading capture files of MACsec frames. Classic pcap only, as tcpdump writes it. No effects but reading."""
import mmap
import os
import struct

HEADER = 24
MACSEC = b"\x88\xe5"
EAPOL = b"\x88\x8e"


class BadCapture(Exception):
    pass


class Capture:
    """A capture file in memory: `data`, and frames() over it."""

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size < HEADER:
                raise BadCapture(f"{path} is too short for a capture")
            self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        magic, = struct.unpack_from("<I", self.data)
        self._fraction_ns = 1 if magic == 0xA1B23C4D else 1000
        if magic not in (0xA1B2C3D4, 0xA1B23C4D):
            raise BadCapture(f"{path} is no little-endian pcap file")
        if struct.unpack_from("<I", self.data, 20)[0] & 0x0FFFFFFF != 1:
            raise BadCapture(f"{path} does not hold Ethernet frames")

    def frames(self, start=HEADER, end=None):
        """(offset of the frame's first octet, octets kept, octets on the wire) of each frame."""
        data, at = self.data, start
        end = len(data) if end is None else min(end, len(data))
        unpack = struct.Struct("<8xII").unpack_from
        while at + 16 <= end:
            kept, length = unpack(data, at)
            at += 16
            if kept > 262144:
                raise BadCapture(f"{self.path}: broken at octet {at}")
            if at + kept > end:
                return   # still being written
            yield at, kept, length
            at += kept

    def time(self, at):
        """Nanoseconds since 1970 when the frame at `at` was captured."""
        seconds, fraction = struct.unpack_from("<II", self.data, at - 16)
        return seconds * 1_000_000_000 + fraction * self._fraction_ns

    def boundary(self, start=HEADER):
        """Where the last frame ends that is in the file whole; `start` is such a place too."""
        place = start
        for at, kept, _ in self.frames(start):
            place = at + kept
        return place
