# SPDX-License-Identifier: Apache-2.0
# takes minutes
"""The disk of the recordings runs full under a session, again and again: nothing that the client
received is missing, the session says why it ends, and with room again everything goes on."""
import contextlib
import json
import os
import random
import shutil
import subprocess
import threading

import pytest

from tests.e2e.conftest import running_stack
from tests.support.counting import recorded_output
from tests.support.stack import AS_USER, Client, short_folder, wait_until

TIMES = int(os.environ.get("SALLYPORT_DISK_FULL", "100"))
DISK_MIB = 1000
MIB = 1 << 20

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a small disk")


class Disk:
    """A file system of its own that can be filled and emptied."""

    def __init__(self, path):
        self.path = path
        self.filler = path / "filler"

    def free(self):
        info = os.statvfs(self.path)
        return info.f_bavail * info.f_frsize

    def leave(self, free):
        with open(self.filler, "ab") as filler:
            while self.free() > free:  # somebody else may take room, too: then it does not get all
                with contextlib.suppress(OSError):
                    os.posix_fallocate(filler.fileno(), filler.seek(0, os.SEEK_END),
                                       (self.free() - free) // 4096 * 4096 + 4096)

    def empty(self):
        self.filler.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A bastion whose state is on a small disk, and that disk."""
    path = short_folder()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=755", "tmpfs",
                           str(path)], capture_output=True, text=True)
    if done.returncode != 0:
        path.rmdir()
        pytest.skip(f"no file system can be mounted here: {done.stderr}")
    try:
        state = path / "state"
        state.mkdir()
        shutil.chown(state, AS_USER["user"], AS_USER["group"])
        with running_stack(tmp_path_factory.mktemp("stack"), state_directory=str(state)) as bastion:
            bastion.config["recording"]["reserve_mib"] = 1
            bastion.write_config()
            bastion.stop()
            bastion.start()
            yield bastion, Disk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
        path.rmdir()


def run_full(bastion, client, disk, chance):
    """One session that prints until the disk is full."""
    before = set(bastion.recordings())
    process = subprocess.Popen(client.command("echo up; read go; cat /dev/urandom | base64"),
                               bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    received = bytearray(process.stdout.readline())
    assert received, process.stderr.read()
    disk.leave(chance.randrange(0, MIB))
    process.stdin.write(b"go\n")
    complaint = []
    listener = threading.Thread(target=lambda: complaint.append(process.stderr.read()))
    listener.start()
    try:
        while data := process.stdout.read(65536):
            received += data
        assert process.wait(10) == 254, complaint
    finally:
        process.kill()
        listener.join(10)
    assert b"cannot be recorded any more, so it ends here" in complaint[0]
    assert b"No space left on device" in complaint[0]
    [path] = set(bastion.recordings()) - before
    recorded = recorded_output(bastion, path)
    assert recorded.startswith(received), f"{len(received)} received, {len(recorded)} recorded"


def listed(bastion):
    return json.loads(bastion.ctl("recordings", "list", "--json").stdout)


def test_what_an_operator_asks_of_a_full_disk_says_that_it_is_full(full, tmp_path):
    bastion, disk = full
    client = Client(bastion, tmp_path, "ada")
    client.log_in(bastion.idp.approve)
    first, = wait_until(lambda: [e for e in listed(bastion) if e["state"] == "ended"], 10, "it")
    running = subprocess.Popen(client.command("read end"), stdin=subprocess.PIPE)
    wait_until(lambda: len(listed(bastion)) == 2, 10, "the second recording")
    disk.leave(1)
    try:
        for words in (("recordings", "hold", first["recording"], "--reason", "case 12"),
                      ("reindex",), ("recordings", "erase", first["recording"], "--reason", "r",
                                     "--yes")):
            done = bastion.ctl(*words, check=False)
            assert done.returncode == 1
            assert "No space left on device" in done.stderr or "disk is full" in done.stderr
            assert "sallyportctl reindex" not in done.stderr
        assert not any(entry["hold"] for entry in listed(bastion))
        running.kill()
        running.wait(10)
        lacks = wait_until(lambda: bastion.ctl("recordings", "list").stderr, 10, "a warning")
        assert "could not be written: " in lacks and "disk is full" in lacks
        by_session = bastion.ctl("recordings", "hold", first["recording"][:8], "--reason", "r",
                                 check=False)
        assert by_session.returncode == 1 and "disk is full" in by_session.stderr
    finally:
        disk.empty()
    bastion.ctl("recordings", "hold", first["recording"], "--reason", "case 12")
    wait_until(lambda: not bastion.ctl("recordings", "list").stderr, 90, "the whole index")
    entries = {entry["recording"]: entry for entry in listed(bastion)}
    assert entries[first["recording"]]["hold_reason"] == "case 12"
    assert "running" not in [entry["state"] for entry in entries.values()]
    bastion.ctl("recordings", "release", first["recording"])
    bastion.ctl("recordings", "erase", first["recording"], "--reason", "r", "--yes")
    bastion.verify("--all")


def test_a_full_disk_ends_the_session_with_a_line_and_costs_no_byte(full, tmp_path):
    bastion, disk = full
    client = Client(bastion, tmp_path, "alice")
    client.log_in(bastion.idp.approve)
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    for number in range(TIMES):
        try:
            run_full(bastion, client, disk, chance)
            refused = client.run("echo in")
            assert refused.returncode == 254, refused
            assert b"the bastion's disk is full; tell its operator" in refused.stderr
        except AssertionError as error:
            raise AssertionError(f"time {number} of seed {seed}: {error}") from error
        disk.empty()
        again = client.run("echo room again")
        assert again.stdout == b"room again\n", (again.stderr, disk.free())
    bastion.verify("--all")
