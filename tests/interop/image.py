#!/usr/bin/python3
"""image.py: the initramfs of the interop guest; prints its path.

Debian's user-mode-linux brings kernel and modules; busybox, iproute2 and wpa_supplicant are this machine's. An image
is made once for what goes into it and kept as CACHE/initrd-KEY.img; CACHE is $DEMARC_INTEROP_CACHE, or build/interop.
It appears whole or not at all, so that two tests may make it at once.
"""
import gzip
import hashlib
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
KERNEL = Path("/usr/bin/linux.uml")
MODULES = Path("/usr/lib/uml/modules")
WANTED = ("ipv6", "macsec", "8021q", "gcm", "ctr", "ghash-generic")
PROGRAMS = {"bin/busybox": "busybox", "usr/bin/ip": "ip",  # where it lies in the guest, and what it is here
            "usr/bin/wpa_supplicant": "wpa_supplicant"}
if "DEMARC_MKADAEMON" in os.environ:  # somebody else's program, built elsewhere: see mka_mkad_test.sh
    PROGRAMS["usr/bin/mkad"] = os.environ["DEMARC_MKADAEMON"]
SCRIPTS = {"init": "guest/init", "agent": "guest/agent"}
FOLDERS = ("bin", "dev", "etc", "lib", "lib/modules", "lib64", "proc", "run", "sys", "tmp", "usr", "usr/bin")


class ImageError(Exception):
    """What is missing, and what to install."""


def cache():
    return Path(os.environ.get("DEMARC_INTEROP_CACHE") or HERE.parents[1] / "build" / "interop")


def program(name):
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if not found and "/" in name:
        raise ImageError(f"DEMARC_MKADAEMON: {name} is no program")
    if not found:
        raise ImageError(f"{name} is not installed; run: apt install busybox-static iproute2 wpasupplicant")
    return Path(found).resolve()


def libraries(path):
    """The shared libraries of a program as the dynamic linker finds them here, the linker included."""
    said = subprocess.run(["ldd", path], capture_output=True, text=True, check=False)  # fails where there are none
    return {Path(p) for p in re.findall(r"(/\S+) \(0x", said.stdout)}


def modules():
    """What /lib/modules of the guest holds: the wanted modules and those they need."""
    try:
        folder = next(MODULES.iterdir())
        lines = (folder / "modules.dep").read_text(encoding="ascii").splitlines()
    except (OSError, StopIteration) as e:
        raise ImageError("user-mode-linux is not installed; run: apt install user-mode-linux") from e
    known = {Path(line.split(":")[0]).stem: line for line in lines}
    builtin = {Path(line).stem for line in (folder / "modules.builtin").read_text(encoding="ascii").split()}
    wanted = [m for m in WANTED if m not in builtin]
    if missing := [m for m in wanted if m not in known]:
        raise ImageError(f"{folder} lacks {', '.join(missing)}")
    names = {name for m in wanted for name in known[m].replace(":", "").split()}
    there = f"lib/modules/{folder.name}"
    files = {f"{there}/{name}": folder / name for name in names}
    files[f"{there}/modules.dep"] = "".join(known[Path(n).stem] + "\n" for n in sorted(names)).encode()
    files["lib/modules/wanted"] = "\n".join(wanted).encode()
    return files


def contents():
    """{path in the guest: file here, or octets}."""
    files = {where: program(name) for where, name in PROGRAMS.items()}
    for path in set().union(*(libraries(p) for p in files.values())):
        files[str(path).lstrip("/")] = path.resolve()
    files |= modules() | {where: HERE / script for where, script in SCRIPTS.items()}
    files["etc/passwd"] = b"root:x:0:0:root:/:/bin/sh\n"
    return files


def octets(source):
    return source if isinstance(source, bytes) else source.read_bytes()


def entry(number, path, mode, body=b"", device=(0, 0)):
    """A file of a cpio archive of the "newc" kind."""
    name = path.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(body), 0, 0, *device, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + name
    return head + bytes(-len(head) % 4) + body + bytes(-len(body) % 4)


def archive(files):
    """The cpio archive of a root file system with these files, and a link to busybox for each of its applets."""
    applets = subprocess.run([files["bin/busybox"], "--list"], capture_output=True, text=True, check=True)
    folders = set(FOLDERS) | {str(p) for f in files for p in Path(f).parents if str(p) != "."}
    taken = {Path(f).name for f in PROGRAMS}
    parts = [(f, stat.S_IFDIR | 0o755, b"", (0, 0)) for f in sorted(folders)]
    parts += [(f, stat.S_IFREG | 0o755, octets(source), (0, 0)) for f, source in sorted(files.items())]
    parts += [(f"bin/{a}", stat.S_IFLNK | 0o777, b"busybox", (0, 0))
              for a in applets.stdout.split() if a not in taken]
    parts += [("dev/console", stat.S_IFCHR | 0o600, b"", (5, 1)), ("TRAILER!!!", 0, b"", (0, 0))]
    return b"".join(entry(i + 1, *part) for i, part in enumerate(parts))


def key(files):
    """What the image is made of, this script included."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for where, source in sorted(files.items()):
        digest.update(where.encode() + b"\0" + hashlib.sha256(octets(source)).digest())
    return digest.hexdigest()[:16]


def ensure():
    """The image's path; made if it is not there."""
    if not KERNEL.exists():
        raise ImageError("user-mode-linux is not installed; run: apt install user-mode-linux")
    files = contents()
    path = cache() / f"initrd-{key(files)}.img"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".initrd-", delete=False) as draft:
        try:
            draft.write(gzip.compress(archive(files), 6, mtime=0))
            draft.close()
            os.rename(draft.name, path)
        except BaseException:
            os.unlink(draft.name)
            raise
    return path


if __name__ == "__main__":
    try:
        print(ensure())
    except ImageError as e:
        sys.exit(f"image: {e}")
