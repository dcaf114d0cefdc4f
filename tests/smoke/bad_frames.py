#!/usr/bin/python3
"""bad_frames.py SOCKET PREFIX KEY-FILE SALT SEED: sends bad frames to both ports of the daemon that answers at SOCKET.

1. every named kind, some copies each: exactly as many drops of its verdict, and the buffers are back after each kind.
2. every length. 3. three rounds of a seeded generator at each port. 4. larger than the port takes. After each: every
frame is counted once, nothing unverified got through the secured port, and the pool's buffers are back. 5. good packets
pass both ways.
"""
import random
import socket
import struct
import sys
import time
from dataclasses import dataclass

from ask import ask, free_buffers
from bad_frames_kinds import (LAN, PEER, PLAIN, SECURED, good_plain, good_secured, plain_kinds, replay_kinds,
                              secured_kinds)
from frames import Peer, raw_socket, read_sak

ROUNDS = 3


@dataclass
class Driver:
    """What it holds of the pool at most, changing; how many frames at once it takes; copies of a kind, so many that a
    loss of each is told whatever the driver happens to hold; generated frames for each port and round."""
    held: int
    pace: int
    copies: int
    generated: int


DRIVERS = {
    # How far the fill and completion rings were emptied: two rings of two ports.
    "af_xdp": Driver(held=2 * 2 * 64, pace=800, copies=2 * (2 * 2 * 64) + 8, generated=17000),
    "af_packet": Driver(held=0, pace=200, copies=20, generated=8500),  # copies frames into buffers and out of them
}


def fail(text):
    sys.exit(f"bad_frames: {text}")


class Router:
    """What the daemon says of itself, and frames sent to it no faster than it takes them."""

    def __init__(self, path, prefix):
        self.path = path
        self.driver_word = next(p["driver"] for p in self.status()["ports"] if p["name"] == "sec")
        self.driver = DRIVERS[self.driver_word]
        self.sockets = {"plain": raw_socket(f"{prefix}-lan", "eth0"), "sec": raw_socket(f"{prefix}-peer", "eth0")}

    def status(self):
        return ask(self.path, '{"request":"status"}')

    def drops(self, kind="drops"):
        total = {}
        for worker in self.status()["workers"]:
            for word, n in worker[kind].items():
                total[word] = total.get(word, 0) + n
        return total

    def received(self, port):
        return next(p["in_frames"] for p in self.status()["ports"] if p["name"] == port)

    def send(self, port, frames):
        """Returns how many the kernel took; each of those has been received when this returns."""
        taken, before = 0, self.received(port)
        for start in range(0, len(frames), self.driver.pace):
            for frame in frames[start:start + self.driver.pace]:
                try:
                    self.sockets[port].send(frame)
                    taken += self.reaches(frame)
                except OSError:
                    pass  # shorter than an Ethernet header, or longer than the link takes
            self.wait_received(port, before + taken)
        return taken

    def reaches(self, frame):
        return self.driver_word != "af_packet" or not kernel_keeps(frame)

    def wait_received(self, port, wanted):
        end = time.monotonic() + 5
        while self.received(port) < wanted:
            if time.monotonic() > end:
                fail(f"{port}: {wanted - self.received(port)} frames were sent and not counted as received")
            time.sleep(0.001)

    def settled(self):
        """The status once every frame is accounted for in every worker."""
        end = time.monotonic() + 5
        while True:
            s = self.status()
            wrong = [w for w in s["workers"] if w["received"] + w["injected"] + w["collected"] !=
                     w["transmitted"] + w["punted"] + w["handed_over"] + w["dropped"]]
            if not wrong:
                return s
            if time.monotonic() > end:
                fail(f"frames that went nowhere: {wrong}")
            time.sleep(0.02)

    def free(self):
        """Free buffers, when they do not change any more."""
        self.settled()
        return free_buffers(self.path)

    def buffers_back(self, start, after):
        """All but what the driver may hold are free again."""
        end = time.monotonic() + 2
        while (now := self.settled()["pool"]["free"]) < start - self.driver.held:
            if time.monotonic() > end:
                fail(f"buffers are lost by {after}: {start} free before, {now} after")


def kernel_keeps(frame):
    """What never comes to an AF_PACKET port: the kernel drops a frame without a whole tag and type before any socket
    sees it, and collects IPv4 fragments, for DPDK's driver asks for that."""
    kind, packet = frame[12:14], frame[14:]
    if kind in (b"\x81\x00", b"\x88\xa8"):
        if len(packet) < 6:
            return True
        kind, packet = packet[2:4], packet[4:]
    if kind != b"\x08\x00" or len(packet) < 20 or packet[0] >> 4 != 4:
        return False
    header = (packet[0] & 15) * 4
    total, fragment = struct.unpack("!H2xH", packet[2:8])
    return 20 <= header <= total <= len(packet) and fragment & 0x3FFF != 0


def let_in(status):
    """Packets that came through the secured port."""
    return next(i["in_packets"] for i in status["interfaces"] if i["name"] == "s0")


def named_kinds(router, port, kinds):
    """Frames of every kind; exactly its verdict counts them, and their buffers are free again."""
    copies, kept = router.driver.copies, 0
    start = router.free()
    for name, verdict, make in kinds:
        what = "punts" if verdict.startswith("punt ") else "drops"
        word = verdict.removeprefix("punt ")
        frames = [make() for _ in range(copies)]
        wanted = copies if router.reaches(frames[0]) else 0
        before = router.drops(what).get(word, 0)
        taken = router.send(port, frames)
        router.settled()
        counted = router.drops(what).get(word, 0) - before
        if taken != wanted or counted != wanted:
            fail(f"{port}: {name}: {taken} sent, {counted} counted as {verdict}; all: {router.drops(what)}")
        router.buffers_back(start, f"{port}: {name}")
        kept += not wanted
    print(f"ok: {port}: {len(kinds)} kinds, {copies} frames each, every one counted by its own verdict"
          f"{f', but {kept} that the kernel keeps' if kept else ''}; no buffer lost by any", flush=True)


def garbage(rng):
    kinds = (0x0800, 0x86DD, 0x88E5, 0x8100, 0x88A8, 0x0806, 0x888E, rng.getrandbits(16))
    addresses = (PLAIN + LAN, SECURED + PEER, b"\xff" * 6 + LAN, b"\x33\x33\0\0\0\x01" + PEER, rng.randbytes(12))
    return rng.choice(addresses) + struct.pack("!H", rng.choice(kinds)) + rng.randbytes(rng.randrange(0, 1500))


def mutated(rng, frame):
    """At least one octet differs, or is missing, or is too many."""
    what = rng.randrange(4)
    if what == 0:
        return frame[:rng.randrange(14, len(frame))]
    if what == 1:
        return frame + rng.randbytes(rng.randrange(1, 40))
    octets = bytearray(frame)
    first = 12 if what == 2 else 0
    for at in rng.sample(range(first, min(len(octets), 80)), rng.randrange(1, 6)):
        octets[at] ^= rng.randrange(1, 256)
    return bytes(octets)


def generated(rng, good, count):
    return [garbage(rng) if rng.random() < 0.3 else mutated(rng, good()) for _ in range(count)]


def rounds(router, peer, seed):
    rng, count = random.Random(seed), router.driver.generated
    start, after = router.free(), []
    for _ in range(ROUNDS):
        router.send("plain", generated(rng, good_plain, count))
        before = let_in(router.settled())
        router.send("sec", generated(rng, lambda: good_secured(peer, rng.randrange(64, 1400)), count))
        if let_in(router.settled()) != before:
            fail(f"{let_in(router.settled()) - before} frames that nobody sealed came in by the secured port")
        after.append(router.free())
    router.buffers_back(start, f"generated frames, {after}")
    print(f"ok: {2 * ROUNDS * count} generated frames of seed {seed}, all counted, none let in", flush=True)
    return after


def lengths(router, peer):
    """Every length from nothing up to the largest the ports' link carries, cut from good frames."""
    before, start = let_in(router.settled()), router.free()
    for port, whole in (("plain", good_plain(1480)), ("sec", good_secured(peer, 1470))):
        sent = router.send(port, [whole[:n] for n in range(0, len(whole))])
        router.settled()
        print(f"ok: {port}: {sent} of {len(whole)} lengths could be sent, each is counted", flush=True)
    if let_in(router.settled()) != before:
        fail("a cut frame came in by the secured port")
    router.buffers_back(start, "cut frames")


def too_large(router):
    """The link ends at the port's MTU: what is larger never reaches a worker, and harms nobody."""
    refused, start = 0, router.free()
    for port, source in (("plain", PLAIN + LAN), ("sec", SECURED + PEER)):
        frames = [source + struct.pack("!H", kind) + bytes(octets - 14) for kind in (0x0800, 0x88E5)
                  for octets in (1514, 1518, 1519, 1600, 1664, 1665, 2000, 2048, 3000)]
        refused += len(frames) - router.send(port, frames)
    if refused == 0:
        fail("frames of 3,000 octets reach ports for 1,500")
    router.buffers_back(start, "frames that are too large")
    print(f"ok: larger than the ports' MTU: {refused} frames end at the link, the others are counted", flush=True)


def passes(router, peer, prefix):
    """A hundred good packets each way, octet by octet."""
    lan, wire = (raw_socket(f"{prefix}-{n}", "eth0", 3) for n in ("lan", "peer"))
    for s in (lan, wire):
        s.settimeout(5)
    for n in range(100):
        text = b"to the peer %03d" % n
        router.send("plain", [good_plain(200, text)])
        if text not in receive(wire, lambda f: opened(peer, f)):
            fail("a good packet came out changed")
        text = b"from the peer %03d" % n
        router.send("sec", [good_secured(peer, 200, text)])
        receive(lan, lambda f, t=text: f if t in f else None)
    print("ok: good packets pass both ways, 100 each", flush=True)


def opened(peer, frame):
    clear = peer.open(frame, 1) if frame[12:14] == b"\x88\xe5" and frame[6:12] == SECURED else b""
    return clear if b"to the peer" in clear else None


def receive(s, wanted):
    while True:
        try:
            frame, address = s.recvfrom(4096)
        except TimeoutError:
            fail("a good packet does not arrive")
        found = wanted(frame) if address[2] != socket.PACKET_OUTGOING else None
        if found:
            return found


def main():
    path, prefix, key_file, salt, seed = sys.argv[1:]
    router = Router(path, prefix)
    peer = Peer(read_sak(key_file), bytes.fromhex(salt), 2, PEER + b"\0\x01")
    passes(router, peer, prefix)
    start = router.free()
    named_kinds(router, "plain", plain_kinds())
    named_kinds(router, "sec", secured_kinds(peer))
    first, kinds = replay_kinds(peer)
    router.send("sec", first)
    named_kinds(router, "sec", kinds)
    lengths(router, peer)
    after = rounds(router, peer, int(seed))
    for s in router.sockets.values():
        s.close()
    router = Router(path, prefix)
    too_large(router)
    passes(router, peer, prefix)
    router.buffers_back(start, f"all of it, {after} after the rounds")
    print(f"ok: {router.driver_word}: free buffers: {start} before, {after} after the rounds, {router.free()} now",
          flush=True)


if __name__ == "__main__":
    main()
