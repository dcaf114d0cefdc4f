"""What a SAK looks like in memory, and where it was found. AES by hand: shares no code with Demarc."""
import os
import struct
import subprocess
from collections import defaultdict
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from pair import Failure, expect, spawn, wait_for

NT_PRSTATUS, NT_FPREGSET, NT_X86_XSTATE, PT_NOTE = 1, 2, 0x202, 4


def multiply(a, b):
    """In GF(2^8) of AES."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a = (a << 1) ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


def s_box():
    box = []
    for x in range(256):
        inverse = next((y for y in range(256) if multiply(x, y) == 1), 0)
        rotated = [(inverse << n | inverse >> (8 - n)) & 0xFF for n in range(5)]
        box.append(rotated[0] ^ rotated[1] ^ rotated[2] ^ rotated[3] ^ rotated[4] ^ 0x63)
    return box


S_BOX = s_box()


def round_keys(key):
    """FIPS 197 5.2: 11 or 15 round keys of 16 octets."""
    n = len(key) // 4
    words = [key[4 * i:4 * i + 4] for i in range(n)]
    constant = 1
    for i in range(n, 4 * (n + 7)):
        word = words[-1]
        if i % n == 0:
            word = bytes(S_BOX[b] for b in word[1:] + word[:1])
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = multiply(constant, 2)
        elif n == 8 and i % n == 4:
            word = bytes(S_BOX[b] for b in word)
        words.append(bytes(a ^ b for a, b in zip(words[i - n], word)))
    return [b"".join(words[i:i + 4]) for i in range(0, len(words), 4)]


def hash_key(key):
    """H of GCM, and H times x in the bit order PCLMULQDQ wants: what a GHASH table begins with."""
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    h = encryptor.update(bytes(16))
    number = int.from_bytes(h, "big") << 1
    if number >> 128:
        number = (number ^ 0xC2000000000000000000000000000001) & ((1 << 128) - 1)
    return h, number.to_bytes(16, "little")


def swapped(octets):
    """Every 32-bit word turned round, as a hash function keeps its message."""
    return b"".join(octets[i:i + 4][::-1] for i in range(0, len(octets), 4))


def forms(sak):
    """(name, octets) of everything from which the SAK follows, in pieces of 8: half a register, a torn copy."""
    key = sak.octets
    h, shifted = hash_key(key)
    found = [(f"round-key-{i}", k) for i, k in enumerate(round_keys(key))]
    found += [("swapped", swapped(key)), ("reversed", key[::-1]), ("hash-key", h), ("hash-key", h[::-1]),
              ("hash-key-shifted", shifted), ("hex", key.hex().encode()), ("HEX", key.hex().upper().encode())]
    return [(f"{sak.name}:{name}", octets[i:i + 8]) for name, octets in found for i in range(0, len(octets), 8)]


def write_needles(path, saks, canaries):
    """Half of a key never occurs by chance, but eight equal octets do: those are no needle."""
    lines = [f"{label} {octets.hex()}" for sak in saks for label, octets in forms(sak) if len(set(octets)) > 2]
    lines += [f"{name} {octets.hex()}" for name, octets in canaries.items()]
    path.write_text("\n".join(lines) + "\n", "ascii")


class Search:
    def __init__(self, build, needles):
        self.program, self.needles = build / "tests" / "smoke" / "find_octets", needles

    def __call__(self, *words):
        """{place: {labels}}, and what was searched."""
        done = subprocess.run([self.program, self.needles, *map(str, words)], capture_output=True, text=True,
                              check=False)
        expect(done.returncode == 0, done.stderr)
        *lines, summary = done.stdout.splitlines()
        found = defaultdict(set)
        for line in lines:
            where, _, label = line.rsplit(" ", 2)
            found[where].add(label)
        numbers = summary.split()[1:]
        return found, {name: int(n) for name, n in zip(numbers[::2], numbers[1::2])}


def core_of(pid, path):
    """A core with everything gdb can be made to write: every kind of mapping, but those marked `not to be dumped`."""
    Path(f"/proc/{pid}/coredump_filter").write_text("0x1ff", "ascii")
    done = subprocess.run(["gdb", "-q", "-nx", "-batch", "-p", str(pid), "-ex", "set use-coredump-filter on",
                           "-ex", "set dump-excluded-mappings off", "-ex", f"gcore {path}", "-ex", "detach"],
                          capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if not path.exists():
        raise Failure(f"no core of {pid}: {done.stdout[-300:]} {done.stderr[-300:]}")


def notes(core):
    """(kind, octets) of each note of a core: registers of every thread."""
    with open(core, "rb") as file:
        head = file.read(64)
        offset, = struct.unpack_from("<Q", head, 32)
        size, count = struct.unpack_from("<HH", head, 54)
        file.seek(offset)
        for entry in struct.iter_unpack("<IIQQQQQQ", file.read(size * count)):
            if entry[0] != PT_NOTE:
                continue
            file.seek(entry[2])
            data, at = file.read(entry[5]), 0
            while at + 12 <= len(data):
                name, length, kind = struct.unpack_from("<III", data, at)
                start = at + 12 + (name + 3 & ~3)
                yield kind, data[start:start + length]
                at = start + (length + 3 & ~3)


def registers_of(core, path):
    """The vector registers of all threads in a file of their own; how many threads had them."""
    states = [octets for kind, octets in notes(core) if kind in (NT_FPREGSET, NT_X86_XSTATE)]
    threads = sum(kind == NT_PRSTATUS for kind, _ in notes(core))
    path.write_bytes(b"\0".join(states))
    expect(sum(kind == NT_X86_XSTATE for kind, _ in notes(core)) == threads > 0,
           f"{core}: not every thread's vector registers are in it")
    return threads


def vector_octets(core):
    """{thread: how many octets of its vector registers are not zero}: xmm, and all behind the header of XSAVE."""
    counts, thread = {}, None
    for kind, octets in notes(core):
        if kind == NT_PRSTATUS:
            thread, = struct.unpack_from("<I", octets, 32)
        elif kind == NT_X86_XSTATE:
            counts[thread] = sum(map(bool, octets[160:416] + octets[576:]))
    return counts


REGISTERS = ("in-xmm", "in-ymm", "in-zmm")  # what `find_octets --hold` fills, 16 octets each


def search_finds_registers(build, work, search, octets):
    """Control: what a sleeping process holds in every kind of vector register is found in its core."""
    log = work / "hold.log"
    with open(log, "wb") as out:
        program = build / "tests" / "smoke" / "find_octets"
        holder = spawn(f"{work.name.rsplit('.', 1)[0]}-wire", [program, "--hold", octets.hex()], out)
    try:
        wait_for(5, "find_octets holds registers", lambda: "holding" in log.read_text("ascii"))
        core, kept = work / "hold.core", work / "hold.registers"
        core_of(holder.pid, core)
        registers_of(core, kept)
        found, _ = search(kept)
        core.unlink()
    finally:
        holder.kill()
        holder.wait()
    wide = "avx512f" in Path("/proc/cpuinfo").read_text("ascii")
    missing = set(REGISTERS if wide else REGISTERS[:2]) - found.get(str(kept), set())
    expect(not missing, f"the search does not find what stands in vector registers: {missing}")


def all_files(*directories):
    return [Path(folder) / name for d in directories for folder, _, names in os.walk(d) for name in names
            if (Path(folder) / name).is_file()]
