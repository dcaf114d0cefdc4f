"""What both ends of a link have to agree on, drawn anew for every router."""
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

OURS, THEIRS = "02:de:00:00:00:01", "02:de:00:00:00:02"  # MAC addresses of the secured port and of the guest


def sci(mac, port):
    return f"{mac.replace(':', '')}{port:04x}"


@dataclass(frozen=True)
class Sa:
    """One direction's secure association, AN 0. sak and salt: hexadecimal."""
    sak: str
    salt: str
    ssci: int


def draw(suite):
    """(ours, theirs): a SAK for each direction; under XPN one salt, and SSCI 1 for the greater SCI."""
    octets = 16 if suite.endswith("128") else 32
    salt = secrets.token_hex(12)
    return Sa(secrets.token_hex(octets), salt, 2), Sa(secrets.token_hex(octets), salt, 1)


def key_file(directory, name, sa):
    """A file that was never readable by others."""
    path = Path(directory) / f"{name}.sak"
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"sak: {sa.sak}\n")
    return path
