# SPDX-License-Identifier: Apache-2.0
# needs the machine alone
"""Back-pressure: who does not read is not sent to, and every process stays under 64 MB."""
import os
import pathlib
import signal
import subprocess
import time

import pytest

from tests.support import paramiko_target
from tests.support.stack import make_key, wait_until

LIMIT_KB = 64 * 1024


def peak_kb(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def session_processes(bastion, before=frozenset()):
    roles = ("front", "monitor", "back")
    return {role: pid for role in roles for pid in set(bastion.processes(role)) - set(before)}


def check_memory(bastion, processes):
    for role, pid in processes.items():
        assert peak_kb(pid) < LIMIT_KB, f"{role} took {peak_kb(pid)} kB"


def io_bytes(pid, what):
    return int(pathlib.Path(f"/proc/{pid}/io").read_text().split(f"{what}:")[1].split()[0])


def test_a_client_that_stops_reading_stops_the_target(bastion, client, tmp_path):
    pid_file = tmp_path / "pid"
    process = subprocess.Popen(client.command(f"echo $$ > {pid_file}; exec cat /dev/zero"),
                               stdout=subprocess.PIPE)
    try:
        process.stdout.read(1 << 20)
        process.send_signal(signal.SIGSTOP)
        target = int(pid_file.read_text())

        def has_stopped():
            written = io_bytes(target, "wchar")
            time.sleep(0.5)
            return io_bytes(target, "wchar") == written

        wait_until(has_stopped, 20, "the target's output standing still")
        check_memory(bastion, session_processes(bastion))
        process.send_signal(signal.SIGCONT)
        assert len(process.stdout.read(50 << 20)) == 50 << 20  # and it goes on
        check_memory(bastion, session_processes(bastion))
    finally:
        process.kill()
        process.wait()


def test_a_target_that_stops_reading_stops_the_client(bastion, client, tmp_path):
    pid_file = tmp_path / "pid"
    process = subprocess.Popen(client.command(f"echo $$ > {pid_file}; exec sleep 1000"),
                               stdin=open("/dev/zero", "rb"), stdout=subprocess.DEVNULL)
    try:
        wait_until(pid_file.exists, 10)
        time.sleep(2)
        processes = session_processes(bastion)
        check_memory(bastion, processes)
        read = io_bytes(process.pid, "rchar")
        time.sleep(1)
        assert io_bytes(process.pid, "rchar") - read < 1 << 20
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def hostile_port(tmp_path):
    key = make_key(tmp_path / "hostile_key", "ecdsa")
    with paramiko_target.running("hostile_target.py", key) as port:
        yield port


def test_a_target_that_floods_stderr_and_opens_6000_channels(bastion, client, hostile_port,
                                                             tmp_path):
    host_key = " ".join((tmp_path / "hostile_key.pub").read_text().split()[:2])
    bastion.ctl("target", "add", "webhostile", f"127.0.0.1:{hostile_port}", "--key", "main",
                "--host-key", host_key, "--yes")
    user = f"{os.environ.get('USER', 'root')}@webhostile"
    before = {pid for role in ("front", "monitor", "back") for pid in bastion.processes(role)}
    process = subprocess.Popen(client.command("flood", user=user), stderr=subprocess.PIPE,
                               stdout=subprocess.DEVNULL)
    try:
        assert process.stderr.read(100_000).count(b"E") > 90_000
        process.send_signal(signal.SIGSTOP)  # nobody reads the flood from here on
        time.sleep(6)
        processes = session_processes(bastion, before)
        assert set(processes) == {"front", "monitor", "back"}
        check_memory(bastion, processes)
        process.send_signal(signal.SIGCONT)
        process.stderr.read(5 << 20)
        check_memory(bastion, processes)
    finally:
        process.kill()
        process.wait()
    assert client.run("echo fine").stdout == b"fine\n"
