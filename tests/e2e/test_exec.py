# SPDX-License-Identifier: Apache-2.0
# takes minutes
"""Commands without a terminal: what goes in and comes out is what a direct connection gives."""
import hashlib
import os
import subprocess

import pytest

from tests.support.raw_ssh import RawSsh, Success
from tests.support.stack import ME

GIB = 1 << 30


@pytest.mark.parametrize("status", [0, 1, 255])
def test_exit_status_is_the_commands(client, status):
    assert client.run(f"exit {status}").returncode == status


def test_output_and_errors_come_apart(client):
    done = client.run("echo out; echo err >&2")
    assert done.stdout == b"out\n"
    assert done.stderr == b"err\n"


@pytest.mark.parametrize("name", ["TERM", "KILL", "SEGV"])
def test_the_signal_that_killed_a_command_has_its_name(bastion, client, name):
    with RawSsh(bastion.port) as raw:
        assert raw.prove(f"{ME}@web1", client.key) == Success()
        assert raw.run(f"kill -{name} $$")[0] == name


def test_death_by_signal_is_told(client):
    done = client.run("kill -TERM $$", options=["-o", "LogLevel=INFO"])
    assert done.returncode == 255
    assert b"exited on signal" in client.run("kill -TERM $$", options=["-v"]).stderr \
        or b"exit-signal" in client.run("kill -TERM $$", options=["-v"]).stderr


@pytest.mark.parametrize("command, given, expected", [
    ("cat", b"one\ntwo\n", b"one\ntwo\n"),
    ("sort", b"b\na\n", b"a\nb\n"),
    ("wc -c", b"\0" * 100_000, b"100000\n"),
    ("cat", bytes(range(256)) * 300, bytes(range(256)) * 300),
    ("cat", b"", b""),
], ids=["cat", "sort", "wc", "bytes", "nothing"])
def test_the_end_of_input_reaches_the_command(client, command, given, expected):
    assert client.run(command, input=given).stdout == expected


def test_input_sent_with_the_request_is_not_lost(client):
    # The client sends data before the command's start is answered.
    done = client.run("sleep 0.5; cat", input=b"early")
    assert done.stdout == b"early"


def test_a_gibibyte_in_and_out_is_unchanged(client, tmp_path):
    data = tmp_path / "random"
    with open(data, "wb") as out:
        for _ in range(64):
            out.write(os.urandom(GIB // 64))
    expected = subprocess.run(["sha256sum", data], capture_output=True, text=True).stdout.split()[0]
    with open(data, "rb") as given:
        there = client.run("sha256sum", stdin=given, timeout=300)
    assert there.stdout.decode().split()[0] == expected
    with subprocess.Popen(client.command(f"cat {data}"), stdout=subprocess.PIPE) as process:
        digest = hashlib.sha256()
        while piece := process.stdout.read(1 << 20):
            digest.update(piece)
    assert process.returncode == 0
    assert digest.hexdigest() == expected


def test_several_commands_at_once_on_one_connection(client):
    with client.connection() as control:
        running = [subprocess.Popen(client.command(f"echo {i}; sleep 0.3; exit {i}",
                                                   options=control), stdout=subprocess.PIPE)
                   for i in range(8)]
        for i, process in enumerate(running):
            assert process.communicate()[0] == f"{i}\n".encode()
            assert process.returncode == i


def test_a_connection_has_128_channels_and_no_more(bastion, client):
    with RawSsh(bastion.port) as raw:
        assert raw.prove(f"{ME}@web1", client.key) == Success()
        assert None not in [raw.open(number) for number in range(128)]
        assert [raw.open(number) for number in range(128, 136)] == [None] * 8
