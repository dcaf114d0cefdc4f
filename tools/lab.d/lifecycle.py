"""up and down."""
import fcntl
import os
import shutil
import time
from contextlib import contextmanager
from pathlib import Path

import configs
import machine
import routers
import topology
import units
import verify
import wires
from effects import LabError, progress, wait_for
from plan import CAPTURES, LOGS, PREFIX, ROUTERS, RUN

FREE_DISK = 2 << 30


@contextmanager
def only_one():
    """Two `up` at once would fight. The lock file is gone with the last holder."""
    path = Path(f"/run/demarc-{PREFIX}.lock")
    with open(path, "w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            raise LabError("another `tools/lab up` or `down` is at work; wait for it") from e
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def leftovers():
    return [str(p) for p in (RUN, CAPTURES) if p.exists()] + topology.existing()


def runs():
    """Whether everything the supervisor should run does."""
    if units.supervisor_pid() is None or len(topology.existing()) != 7:
        return False
    return all(u["pid"] for u in units.listing().values())


def up(with_verify=True, as_json=False):
    machine.build()
    with only_one():
        if runs():
            progress("the lab is up already: nothing changed; only row 1 is looked at")
            return verify.verify(as_json, only=[1])
        if leftovers():
            progress("cleaning up after a lab that did not end well")
            remove_everything()
        start_everything()
    try:
        routers.wait_whole(60)
    except LabError as e:
        progress(f"the lab is not ready: {e}")
        verify.verify(as_json, patience_s=1)
        return 1
    progress("the lab is ready")
    return verify.verify(as_json) if with_verify else 0


def create_run_directory():
    if shutil.disk_usage("/var/tmp").free < FREE_DISK:
        raise LabError("less than 2 GiB free in /var/tmp, where the captures go; make room")
    RUN.mkdir(mode=0o710)
    os.chown(RUN, 0, configs.frr_group())
    LOGS.mkdir(mode=0o700)


def start_everything():
    began = time.monotonic()
    create_run_directory()
    progress("reserving huge pages")
    machine.reserve()
    progress("making namespaces, wires and hosts")
    topology.create()
    wires.create_counters()
    configs.create()
    progress("capturing on every wire")
    units.start_supervisor()
    units.start_captures()
    progress("starting demarcd, then FRR")
    for router in ROUTERS:
        units.start(f"demarcd-{router.name}")
    for router in ROUTERS:
        wait_for(f"demarcd of {router.name} answers (log: {LOGS}/demarcd-{router.name}.log)",
                 lambda r=router: routers.status(r), 20)
        units.start(f"zebra-{router.name}")
        units.start(f"staticd-{router.name}")
        units.start(f"bgpd-{router.name}")
    progress(f"started in {time.monotonic() - began:.1f} s; waiting for BGP and routes")


def down():
    """Removes every trace, also of half a lab. Tells what was on the wires until the end."""
    with only_one():
        if not leftovers():
            progress("there is no lab")
            return 0
        strangers = stop_daemons()
        remove_everything()
    return 1 if strangers else 0


def stop_daemons():
    """Both demarcd first; then the wires are read for the last time: how many frames were no MACsec or EAPOL. 1 too if
    they cannot be read though the lab runs: nobody knows then."""
    whole = runs()
    try:
        for name in (f"demarcd-{r.name}" for r in ROUTERS):
            progress(f"stopping {name}: {units.stop(name)['end']}")
        count = wires.counters()
    except (LabError, KeyError) as e:
        progress(f"the lab was not whole ({e}); cleaning up")
        return int(whole)
    total = {kind: sum(c[kind] for c in count.values()) for kind in wires.KINDS}
    progress(f"on the wires from before demarcd started until after it ended: {total['macsec']} frames of 0x88e5, "
             f"{total['eapol']} of 0x888e, {total['other']} others")
    return total["other"]


def remove_everything():
    progress("removing processes, namespaces, directories")
    units.stop_supervisor()
    topology.kill_processes()
    topology.remove()
    machine.give_back()
    for path in (RUN, CAPTURES):
        if path.exists():
            shutil.rmtree(path)
