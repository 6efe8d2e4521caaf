# SPDX-License-Identifier: Apache-2.0
# takes minutes
"""The machine loses power under running sessions. The state lies on a disk of its own (ext4 in a
file) that writes by itself only what is synced: its journal is committed every 300 s, and pages stay
in memory for longer than a round. So a copy of the file, when every process is stopped, is what a
disk would have that lost all that was not synced. The bastion begins again from that copy: nothing
is wrong with log and recordings, not even against the last checkpoint that anybody could have seen;
what was received two seconds before is recorded; the index has what the log has."""
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import time

import pytest

from tests.e2e.conftest import running_stack
from tests.support.counting import COUNTS, Counting, recorded_output
from tests.support.stack import AS_USER, Client, parent_of, short_folder, wait_until

TIMES = int(os.environ.get("SALLYPORT_POWER_LOSS", "5"))
DISK_MIB = 2048  # more than the reserve; the file is sparse
SYNCED_S = 2.5  # what is older than this is on the disk: a sync each second, and its own time

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk")


class Disk:
    """What it holds when the power goes is what the next mount() finds."""

    def __init__(self):
        self.folder = short_folder()
        self.path = self.folder / "disk"
        self.path.mkdir()
        self.image = self.folder / "image"
        with open(self.image, "wb") as image:
            image.truncate(DISK_MIB << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", self.image], check=True)

    def mount(self):
        done = subprocess.run(["mount", "-o", "loop,commit=300,noatime", self.image, self.path],
                              capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"no disk can be mounted here: {done.stderr}")

    def keep_as_it_is(self):
        subprocess.run(["cp", "--sparse=always", self.image, self.folder / "kept"], check=True)

    def lose_power(self):
        """Everything that was not on the disk at keep_as_it_is() is gone."""
        subprocess.run(["umount", self.path], check=True)
        (self.folder / "kept").replace(self.image)

    def remove(self):
        subprocess.run(["umount", "-q", self.path])
        shutil.rmtree(self.folder)


def all_processes(bastion):
    """The bastion's, parents first."""
    pids, found = [bastion.process.pid], True
    while found:
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                pid = int(entry.name)
                if pid not in pids and parent_of(pid) in pids:
                    found.append(pid)
        pids += found
    return pids


def stop_all(bastion):
    for _ in range(2):  # what was forked meanwhile, too
        for pid in all_processes(bastion):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
    time.sleep(0.3)  # a call that waits for the disk ends first
    return all_processes(bastion)


def kill_all(bastion, pids):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    bastion.process.wait()
    for pid in pids[1:]:
        wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), 10, "its end")


@pytest.fixture(scope="module")
def powered(tmp_path_factory):
    disk = Disk()
    try:
        disk.mount()
        state = disk.path / "state"
        state.mkdir()
        shutil.chown(state, AS_USER.get("user", "root"), AS_USER.get("group", "root"))
        with running_stack(tmp_path_factory.mktemp("stack"), state_directory=str(state)) as bastion:
            client = Client(bastion, tmp_path_factory.mktemp("client"))
            client.log_in(bastion.idp.approve)
            bastion.log_key()
            os.sync()
            yield bastion, client, disk
    finally:
        disk.remove()


def listed(bastion):
    return {entry["recording"] for entry in
            json.loads(bastion.ctl("recordings", "list", "--json").stdout)}


@pytest.mark.parametrize("turn", range(TIMES))
def test_a_loss_of_power_costs_a_second_and_nothing_else(turn, powered, tmp_path):
    bastion, client, disk = powered
    sessions = [Counting(bastion, client, COUNTS[turn % 3]), Counting(bastion, client, COUNTS[2])]
    time.sleep(random.uniform(0.5, 3))
    for _ in range(random.randint(0, 3)):
        client.run("echo in between")
    safe = [bytes(session.received) for session in sessions]
    time.sleep(SYNCED_S)
    client.run("echo the last one")  # perhaps too late
    time.sleep(random.uniform(0, 1.2))

    pids = stop_all(bastion)
    # A witness may have seen it.
    kept = tmp_path / "checkpoint"
    kept.write_bytes((bastion.recordings_folder().parent / "log" / "checkpoint").read_bytes())
    disk.keep_as_it_is()
    kill_all(bastion, pids)
    for session in sessions:
        session.process.wait(30)
    disk.lose_power()
    disk.mount()
    bastion.start()

    wait_until(lambda: not bastion.findings("--all", "--checkpoint", kept), 20,
               "the proof of all that is left")
    for session, received in zip(sessions, safe):
        assert recorded_output(bastion, session.path).startswith(received)
    in_folder = {path.stem for path in bastion.recordings()}
    wait_until(lambda: listed(bastion) == in_folder, 20, "the index")
    assert client.run("echo again").stdout == b"again\n"
    bastion.verify("--all")
