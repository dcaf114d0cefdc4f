#!/usr/bin/python3
"""A Linux of its own, as a process: Debian's user-mode-linux with the initramfs of image.py.

    guest.py boot DIRECTORY NAMESPACE/TAP=MAC...    boots and stays; eth0, eth1, ... of the guest are these TAPs
    guest.py run DIRECTORY COMMAND                  runs a command in the guest: its output and its status

The TAPs exist already. Ending `boot` in any way ends the guest and all its processes: they are a PID namespace, whose
first process dies with `boot`, and `boot` dies with its own parent. DIRECTORY holds the console and the two pipes.
"""
import base64
import ctypes
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import image

MEMORY, MTU = "96M", 9200  # MTU: room for 9000 octets of payload, MACsec and tags
BOOT_S, RUN_S = 120, 60
FIRST_TAP = 10  # descriptor of eth0's TAP
CLONE_NEWNET, CLONE_NEWPID, PR_SET_PDEATHSIG = 0x40000000, 0x20000000, 1
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
LIBC = ctypes.CDLL(None, use_errno=True)


class GuestError(Exception):
    """What a guest did not do."""


def call(name, *arguments):
    if getattr(LIBC, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), name)


def die_with_parent():
    """The process that calls it ends when the one that started it does, however that ends."""
    call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def open_tap(namespace, name):
    """A TAP without virtio-net headers: user-mode-linux's own way to open one leaves checksums and segmentation to the
    other side, and whoever reads the frames finds wrong checksums and frames above the MTU."""
    with open("/proc/thread-self/ns/net", "rb") as home, open(f"/run/netns/{namespace}", "rb") as there:
        call("setns", there.fileno(), CLONE_NEWNET)
        try:
            tap = os.open("/dev/net/tun", os.O_RDWR)
            fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
        finally:
            call("setns", home.fileno(), CLONE_NEWNET)
    return tap


def become_kernel(directory, initrd, nics):
    """Replaces this process by the guest's kernel, with the TAPs from FIRST_TAP and the pipes behind them."""
    arguments = []
    for i, nic in enumerate(nics):
        where, mac = nic.split("=")
        os.dup2(open_tap(*where.split("/")), FIRST_TAP + i)
        arguments.append(f"vec{i}:transport=fd,fd={FIRST_TAP + i},vec=0,depth=128,mac={mac},mtu={MTU}")
    pipes = FIRST_TAP + len(nics)
    for i, name in enumerate(("commands", "answers")):
        os.dup2(os.open(directory / name, os.O_RDWR), pipes + i)
    # The guest's memory is an unlinked file there.
    shm = subprocess.run(["stat", "-f", "-c", "%T", "/dev/shm"], capture_output=True, text=True, check=False).stdout
    os.environ["TMPDIR"] = "/dev/shm" if shm.strip() == "tmpfs" else str(directory)
    # Each terminal it announces costs the kernel a process: none of the 512 old ones.
    os.execv(image.KERNEL, [
        str(image.KERNEL), f"mem={MEMORY}", f"initrd={initrd}", "rdinit=/init", "umid=guest", f"uml_dir={directory}/",
        "con=null", "con0=null,fd:1", "ssl=null", f"ssl0=fd:{pipes},fd:{pipes + 1}", "pty.legacy_count=0", "quiet",
        "panic=1", *arguments])


def go_ahead():
    """The slowest part of a test goes ahead of whatever else the machine does: alone, and as a session, which is what
    some kernels share time between."""
    os.setsid()
    os.nice(-10)
    group = Path("/proc/self/autogroup")
    if group.exists():
        group.write_text("-10", encoding="ascii")


def boot(directory, nics):
    """Does not return before the guest ends."""
    die_with_parent()
    go_ahead()
    initrd = image.ensure()
    directory.mkdir()
    for name in ("commands", "answers"):
        os.mkfifo(directory / name)
    answers = os.open(directory / "answers", os.O_RDWR)
    call("unshare", CLONE_NEWPID)
    child = os.fork()
    if child == 0:
        die_with_parent()
        become_kernel(directory, initrd, nics)
    said = b""
    while not said.endswith(b"READY\r\n") and not said.endswith(b"READY\n"):
        if not select.select([answers], [], [], BOOT_S)[0]:
            raise GuestError(f"no agent answers within {BOOT_S} s")
        said += os.read(answers, 4096)
    os.close(answers)
    (directory / "ready").touch()
    _, status = os.waitpid(child, 0)
    raise GuestError(f"the guest ended, status {status:#x}")


def wait_ready(directory):
    end = time.monotonic() + BOOT_S
    while not (directory / "ready").exists():
        if time.monotonic() > end:
            raise GuestError(f"the guest is not up within {BOOT_S} s")
        time.sleep(0.02)


def run(directory, command, timeout_s=RUN_S):
    """(status, what it printed). One command at a time, whoever asks."""
    wait_ready(directory)
    identifier = f"{os.getpid()}-{time.monotonic_ns()}".encode()
    with open(directory / "lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        commands = os.open(directory / "commands", os.O_RDWR)
        answers = os.open(directory / "answers", os.O_RDWR)
        try:
            os.write(commands, identifier + b" " + base64.b64encode(command.encode()) + b"\n")
            return answer_to(identifier, answers, time.monotonic() + timeout_s)
        finally:
            os.close(commands)
            os.close(answers)


def answer_to(identifier, answers, end):
    said = b""
    while True:
        left = end - time.monotonic()
        if left <= 0 or not select.select([answers], [], [], left)[0]:
            raise GuestError("the guest does not answer in time")
        said += os.read(answers, 1 << 16)
        *lines, said = said.split(b"\n")
        for line in lines:
            words = line.split()
            if words and words[0] == identifier:  # not a late answer to somebody who waits no more
                return int(words[1]), base64.b64decode(words[2] if len(words) > 2 else b"").decode()


def must(directory, command, timeout_s=RUN_S):
    """What a command printed that has to succeed."""
    status, said = run(directory, command, timeout_s)
    if status != 0:
        raise GuestError(f"`{command}` ended with {status}: {said.strip()}")
    return said


def main():
    what, directory, *rest = sys.argv[1:]
    if what == "boot":
        boot(Path(directory), rest)
    status, said = run(Path(directory), " ".join(rest))
    print(said, end="")
    sys.exit(status)


if __name__ == "__main__":
    try:
        main()
    except (GuestError, image.ImageError, OSError) as e:
        sys.exit(f"guest: {e}")
