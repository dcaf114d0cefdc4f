"""Our end of the link: a demarcd with one secured and one plain port, and what it counts."""
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from guest import die_with_parent
from keys import THEIRS, key_file, sci
from linux import CLEAR_VID, INNER_VID, LINK4, LINK6

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "smoke"))
from ask import ask  # noqa: E402

JUMBO = 3000  # the largest MTU at which a veth takes an XDP program is a little above


class RouterError(Exception):
    """What demarcd did not do."""


def sa_text(row, path, sa):
    xpn = f', ssci: {sa.ssci}, salt: "{sa.salt}"' if row.xpn else ""
    return f"{{an: 0, key-file: {path}{xpn}}}"


def static_keys(row, directory, ours, theirs):
    """The lines of a SecY with SAKs from files."""
    peer = sci(THEIRS, 0 if row.theirs == "scb" else 1)
    return f"""        static:
          transmit: {sa_text(row, key_file(directory, "ours", ours), ours)}
          receive:
            - {{sci: "{peer}", sas: [{sa_text(row, key_file(directory, "theirs", theirs), theirs)}]}}"""


def configuration(row, directory, host, keys):
    """Written for a row. host: the namespace of the TAPs. keys: lines."""
    jumbo = int(row.mtu) > JUMBO
    driver = "af_packet" if jumbo else "af_xdp"
    memory = "{buffers: 4096, buffer-octets: 9312}" if jumbo else "{buffers: 8192, buffer-octets: 2176}"
    clear = f"[{{vid: {CLEAR_VID}}}]" if row.vlan == "outside" else "[]"
    tags = f"[{INNER_VID}]" if row.vlan == "inside" else "[]"
    port = f"driver: {driver}, receive-worker: 0, transmit-worker: 0, mtu: {row.mtu}"
    return f"""router:
  name: live
  run-directory: {directory}/run
  state-directory: {directory}/state
workers: {{idle: sleep, count: 1}}
memory: {memory}
fib: {{ipv4-root-bits: 16, ipv6-root-bits: 16, ipv4-nodes: 256, ipv6-nodes: 256, groups: 64, next-hops: 64}}
host: {{netns: {host}, fpm: {{address: 127.0.0.1, port: 2620}}}}
ports:
  plain: {{device: plain, {port}}}
  sec:
    {port.replace(", ", chr(10) + "    ")}
    device: sec
    macsec:
      - cipher-suite: {row.suite}
        clear-tags: {clear}
        confidentiality: {"true" if row.encrypt == "on" else "false"}
        sci-form: {row.ours}
        replay-window: {row.window}
{keys}
interfaces:
  a0: {{port: plain, mtu: {row.mtu}, addresses: [10.99.0.1/24, "fd00:99::1/64"]}}
  s0:
    port: sec
    tags: {tags}
    clear-tags: {clear}
    mtu: {row.mtu}
    addresses: [{LINK4}.1/24, "{LINK6}:1/64"]
log: {{level: info}}
"""


class Router:
    """`with Router(...) as r`: it runs; a clean end or none."""

    def __init__(self, binary, prefix, directory, row, sas=None, keys=None):
        self.binary, self.prefix, self.directory = binary, prefix, Path(directory)
        self.directory.mkdir(mode=0o700)
        self.log = self.directory / "log"
        path = self.directory / "demarc.yaml"
        keys = keys or static_keys(row, self.directory, *sas)
        path.write_text(configuration(row, self.directory, f"{prefix}-router-host", keys), encoding="ascii")
        self.command = ["ip", "netns", "exec", f"{prefix}-router", str(binary), "--config", str(path)]

    def __enter__(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=die_with_parent)
        try:
            self.wait("demarcd does not answer", 30, lambda: os.path.exists(self.socket) and self.status())
        except RouterError:
            self.kill()
            raise
        return self

    def __exit__(self, kind, *_):
        self.process.terminate()
        try:
            if self.process.wait(20) != 0 and kind is None:
                raise RouterError(f"demarcd ended with {self.process.returncode}")
        except subprocess.TimeoutExpired as e:
            raise RouterError("demarcd outlives SIGTERM") from e
        finally:
            self.kill()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def socket(self):
        return str(self.directory / "run" / "demarc.sock")

    def status(self):
        try:
            return ask(self.socket, json.dumps({"request": "status"}))
        except OSError:
            return None

    def secy(self):
        return self.status()["macsec"][0]

    def drops(self):
        total = {}
        for worker in self.status()["workers"]:
            for word, n in worker["drops"].items():
                total[word] = total.get(word, 0) + n
        return total

    def has_carrier(self):
        return next(i["carrier"] for i in self.status()["interfaces"] if i["name"] == "s0")

    def wait(self, what, seconds, condition):
        """Until it holds; what: said when it does not within the time, or demarcd ends."""
        end = time.monotonic() + seconds
        while not condition():
            if self.process.poll() is not None:
                raise RouterError(f"demarcd ended with {self.process.returncode}")
            if time.monotonic() > end:
                raise RouterError(f"{what} within {seconds} s")
            time.sleep(0.02)
