# SPDX-License-Identifier: Apache-2.0
# takes minutes
# needs the machine alone
"""kill -9 of a session's processes during output: that session ends on both sides within 2 s, its
recording holds everything that the client received, and other sessions go on."""
import json
import os
import random
import signal
import subprocess
import time

import pytest

from tests.support.stack import ME

POINTS = int(os.environ.get("SALLYPORT_KILLS", "100"))
# The same lines as full frames, as pieces of any size, and so few that nothing is ever full.
COUNTS = ["seq 1 1000000000",
          "sh -c 'i=0; while i=$((i+1)); do echo $i; done'",
          "sh -c 'i=0; while i=$((i+1)); do echo $i; sleep 0.001; done'"]


def recorded_output(bastion, path):
    cast = bastion.play("export", str(path), "--format", "cast3").stdout.decode()
    events = [json.loads(line) for line in cast.splitlines()[1:] if not line.startswith("#")]
    return "".join(event[2] for event in events if event[1] == "o").encode()


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Bystander:
    """Another session, asked for an answer after each kill."""

    def __init__(self, client):
        self.process = subprocess.Popen(client.command("cat"), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.ask("ready")

    def ask(self, text):
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().decode().strip() == text

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait(10) == 0


def kill_once(bastion, client, role, chance, tmp_path):
    before = {name: set(bastion.processes(name)) for name in ("front", "monitor", "back")}
    recordings = set(bastion.recordings())
    pid_file = tmp_path / "pid"
    pid_file.unlink(missing_ok=True)
    command = f"echo $$ > {pid_file}; exec {chance.choice(COUNTS)}"
    process = subprocess.Popen(client.command(command), bufsize=0, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    received = process.stdout.read(1)
    assert received == b"1", process.stderr.read()
    target_pid = int(pid_file.read_text())
    [victim] = set(bastion.processes(role)) - before[role]
    moment = time.monotonic() + chance.random() * 0.15
    while time.monotonic() < moment:
        received += os.read(process.stdout.fileno(), chance.randrange(1, 65536))
    os.kill(victim, signal.SIGKILL)
    killed = time.monotonic()
    rest, complaint = process.communicate(timeout=10)
    client_end = time.monotonic() - killed
    received += rest
    while is_running(target_pid) and time.monotonic() - killed < 5:
        time.sleep(0.01)
    target_end = time.monotonic() - killed
    [recording] = set(bastion.recordings()) - recordings
    recorded = recorded_output(bastion, recording)
    assert recorded.startswith(received), f"{len(received)} received, {len(recorded)} recorded"
    assert process.returncode != 0
    assert client_end < 2, complaint
    assert target_end < 2
    recording.unlink()
    return complaint


@pytest.mark.parametrize("role", ["front", "monitor", "back"])
def test_a_killed_process_costs_its_session_and_no_byte(bastion, new_client, tmp_path, role):
    client = new_client()
    bystander = Bystander(client)
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    for point in range(POINTS):
        try:
            complaint = kill_once(bastion, client, role, chance, tmp_path)
        except AssertionError as error:
            raise AssertionError(f"{role}, point {point} of seed {seed}: {error}") from error
        if role != "front":  # front is who would have said it
            assert b"sallyport: " in complaint
        bystander.ask(f"still here {point}")
    bystander.stop()


def test_a_killed_daemon_is_said_and_nothing_hangs(fresh_bastion, tmp_path):
    from tests.support.stack import Client
    client = Client(fresh_bastion, tmp_path)
    client.log_in(fresh_bastion.idp.approve)
    [authd] = fresh_bastion.processes("authd")
    process = subprocess.Popen(client.command("cat"), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(b"x\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"x\n"
    os.kill(authd, signal.SIGKILL)
    assert process.wait(10) == 254  # its input is still open: nothing else ends it
    assert b"sallyport: " in process.stderr.read()
    process.stdin.close()
    assert fresh_bastion.process.wait(10) == 1
    assert [e["daemon"] for e in fresh_bastion.events("a daemon has died, so the bastion stops")] \
        == ["authd"]
