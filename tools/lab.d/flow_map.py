"""Which flow went over which wire: the captures, decrypted with the SAKs of the moment.

Only the cipher's stream is computed, many frames in one call; whether frames are authentic is nonce_check's business.
"""
import bisect
from collections import Counter

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

import pcap

BLOCKS = 4            # of 16 octets, behind the SecTAG: VLAN tag, IP header, UDP ports of both families


def stream_blocks(key, ssci, pns):
    """The first BLOCKS blocks of AES-GCM's stream for each PN (counter 2 and up; counter 1 is the ICV's)."""
    salt = int.from_bytes(bytes.fromhex(key["salt"]), "big")
    counters = b"".join((((salt ^ (ssci << 64 | pn)) << 32) | n).to_bytes(16, "big")
                        for pn in pns for n in range(2, 2 + BLOCKS))
    encryptor = Cipher(algorithms.AES(bytes.fromhex(key["sak"])), modes.ECB()).encryptor()
    return encryptor.update(counters)


def source_port(plain, destination_port):
    """Of a UDP packet to `destination_port` behind one VLAN tag, or nothing."""
    kind = plain[4:6]
    if kind == b"\x08\x00" and plain[6] == 0x45 and plain[15] == 17:
        udp = 26
    elif kind == b"\x86\xdd" and plain[12] == 17:
        udp = 46
    else:
        return None
    if int.from_bytes(plain[udp + 2:udp + 4], "big") != destination_port:
        return None
    return int.from_bytes(plain[udp:udp + 2], "big")


def newest_keys(keys):
    """(moments, [{AN: key}]): the newest key of each AN before the first moment and from each on. Oldest first."""
    moments, newest = [], [{}]
    for key in keys:
        moments.append(key.get("since", 0))
        newest.append({**newest[-1], key["an"]: key})
    return moments, newest


def ports_in(capture, keys, start, end, destination_port):
    """Counter of source ports in part of a capture."""
    data, groups = capture.data, {}
    moments, newest = newest_keys(keys)
    for at, kept, _ in capture.frames(start, end):
        if kept >= 28 + 16 * BLOCKS and data[at + 12:at + 14] == pcap.MACSEC:
            turn = bisect.bisect_right(moments, capture.time(at))
            groups.setdefault((data[at + 14] & 3, data[at + 20:at + 28].hex(), turn), []).append(at)
    found = Counter()
    for (an, sci, turn), places in groups.items():
        key = newest[turn].get(an)
        if key is None:
            continue   # no SAK was distributed with this AN: nonce_check complains
        stream = stream_blocks(key, key["sscis"][sci], [int.from_bytes(data[at + 16:at + 20], "big") for at in places])
        for n, at in enumerate(places):
            size = 16 * BLOCKS
            cipher = int.from_bytes(data[at + 28:at + 28 + size], "big")
            plain = (cipher ^ int.from_bytes(stream[n * size:(n + 1) * size], "big")).to_bytes(size, "big")
            port = source_port(plain, destination_port)
            if port is not None:
                found[port] += 1
    return found


def flow_wires(captures, key_log, starts, ends, stream):
    """{source port: {wire: frames}} of a stream's flows. captures: {wire: path}; starts, ends: {wire: octets}."""
    found = {}
    for wire, path in captures.items():
        ports = ports_in(pcap.Capture(path), key_log[wire], starts[wire], ends[wire], stream.port)
        for port, frames in ports.items():
            found.setdefault(port, {})[wire] = frames
    return found
