"""A MACsec station of GCM-AES-128 that sends what no honest one would (AES-GCM by OpenSSL; no code of Demarc's)."""
import struct
import sys
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "smoke"))
from frames import C, E, SC, checksum, ether, ipv4  # noqa: E402

MACSEC, IP4, ICMP, ICV = 0x88E5, 0x0800, 1, 16


def octets_of(mac):
    return bytes.fromhex(mac.replace(":", ""))


def echo_request(source, destination, identifier, octets):
    """An IPv4 packet of so many octets, at least 28."""
    body = struct.pack("!BBHHH", 8, 0, 0, identifier, 1) + bytes(octets - 28)
    return ipv4(source, destination, body[:2] + struct.pack("!H", checksum(body)) + body[4:], protocol=ICMP)


def is_echo_reply(packet, identifier):
    return (len(packet) >= 28 and packet[0] == 0x45 and packet[9] == ICMP and packet[20] == 0
            and packet[24:26] == struct.pack("!H", identifier))


@dataclass
class Peer:
    """One station: our and their MAC address, SAKs and IPv4 addresses. pn: of the next frame."""
    mac: str
    their_mac: str
    sak: str
    their_sak: str
    address: str
    their_address: str
    pn: int = 1
    identifier: int = field(default=0)

    def nonce(self, mac, port, pn):
        """802.1AE 14.5: SCI and PN."""
        return octets_of(mac) + struct.pack("!HI", port, pn)

    def user_data(self, octets):
        """EtherType and an echo request, so many octets together; with too few of them, nothing known."""
        self.identifier = (self.identifier + 1) & 0xFFFF
        if octets < 30:
            return struct.pack("!H", 0x88B5) + bytes(octets - 2)
        return struct.pack("!H", IP4) + echo_request(self.address, self.their_address, self.identifier, octets - 2)

    def seal(self, user=50, *, tci=SC | E | C, an=0, sl=None, pn=None, sci=None, port=1, sak=None, before=b"",
             source=None, destination=None, inside=b""):
        """A frame with `user` octets of user data. tci, an, sl, pn and sci stand in the SecTAG as given, port in the
        nonce; before: tags before the SecTAG, inside: tags in the user data."""
        pn = self.pn if pn is None else pn
        self.pn = max(self.pn, pn + 1)
        data = inside + self.user_data(user)
        sl = (len(data) if len(data) < 48 else 0) if sl is None else sl
        tag = struct.pack("!HBBI", MACSEC, tci | an, sl, pn)
        if tci & SC:
            tag += octets_of(self.mac) + b"\0\1" if sci is None else sci
        addresses = octets_of(destination or self.their_mac) + octets_of(source or self.mac)
        aead = AESGCM(bytes.fromhex(sak or self.sak))
        nonce, head = self.nonce(self.mac, port, pn), addresses + tag
        sealed = aead.encrypt(nonce, data, head) if tci & E else data + aead.encrypt(nonce, b"", head + data)
        return addresses + before + tag + sealed

    def clear(self, source, destination):
        self.identifier = (self.identifier + 1) & 0xFFFF
        return ether(octets_of(self.their_mac), octets_of(self.mac), IP4,
                     echo_request(source, destination, self.identifier, 48))

    def packet_of(self, frame):
        """The IPv4 packet of a frame of theirs, in clear or under their SAK; nothing if it is none."""
        if frame[6:12] != octets_of(self.their_mac):
            return b""
        if frame[12:14] == struct.pack("!H", IP4):
            return frame[14:]
        if frame[12:14] != struct.pack("!H", MACSEC) or len(frame) < 28 + ICV or not frame[14] & SC:
            return b""
        secured = frame[28:28 + frame[15] + ICV] if frame[15] else frame[28:]
        nonce = self.nonce(self.their_mac, 1, struct.unpack("!I", frame[16:20])[0])
        try:
            data = AESGCM(bytes.fromhex(self.their_sak)).decrypt(nonce, secured, frame[:28])
        except InvalidTag:
            return b""
        return data[2:] if data[:2] == struct.pack("!H", IP4) else b""
