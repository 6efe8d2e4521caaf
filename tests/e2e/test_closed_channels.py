# SPDX-License-Identifier: Apache-2.0
"""Channels whose client leaves: right after its last byte, without having read, while programs go
on. What arrives at the target is what arrives there directly."""
import contextlib
import os
import signal
import socket
import struct
import threading

import paramiko
import pytest

from tests.e2e.test_more_clients import WAYS, bastion, lab, place  # noqa: F401
from tests.support.raw_ssh import (CHANNEL_OPEN, CHANNEL_REQUEST, CLOSE, OPEN_REFUSED, OPENED, RawSsh,
                                   Success, string)
from tests.support.stack import ME, wait_until


@contextlib.contextmanager
def session(lab, host):
    user, port = place(lab, host)
    with paramiko.SSHClient() as ssh:
        ssh.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        ssh.connect("127.0.0.1", port, user, key_filename=str(lab.client.key), allow_agent=False,
                    look_for_keys=False)
        yield ssh.get_transport().open_session()


def answer_to_open(raw):
    """Whatever comes before it."""
    raw.send(bytes([CHANNEL_OPEN]) + string("session") + struct.pack(">III", 0, 1 << 20, 32768))
    while (answer := raw.receive()[0]) not in (OPENED, OPEN_REFUSED):
        pass
    return answer


@pytest.mark.parametrize("host", ["direct", "us"])
def test_a_client_that_closes_right_after_its_last_byte(lab, host):
    """As PHP's ssh2_scp_send."""
    there, data = lab.folder / f"hurry-{host}", os.urandom(3_000_000)
    with session(lab, host) as channel:
        channel.exec_command(f"sleep 1; /bin/echo first; cat > {there}.part && "
                             f"mv {there}.part {there}")
        channel.sendall(data)
        channel.close()
        wait_until(there.exists, 10, "the end")
        assert there.read_bytes() == data


@pytest.mark.parametrize("host", ["direct", "us"])
@pytest.mark.parametrize("where", ["", ">&2"])
@pytest.mark.parametrize("megabytes", [2.4, 3], ids=["input waits at back", "and at front"])
def test_who_writes_and_does_not_read_ends_with_its_channel(lab, host, where, megabytes):
    """The target takes 2.1 MB of its input, its connection 0.5 more."""
    pid_file = lab.folder / f"writer-{host}-{len(where)}-{megabytes}"
    with session(lab, host) as channel:
        channel.exec_command(f"echo $$ > {pid_file}; while sleep 0.2; do echo tick {where}; done")
        wait_until(lambda: pid_file.exists() and pid_file.read_text(), 10, "its start")
        channel.settimeout(2)
        with contextlib.suppress(TimeoutError):
            for _ in range(int(megabytes * 100)):
                channel.sendall(bytes(10_000))
        channel.close()
        wait_until(lambda: not os.path.exists(f"/proc/{pid_file.read_text().strip()}"), 10, "its end")


def test_channels_that_are_gone_take_no_room(lab, bastion):
    """However long the monitor takes to hear that they were closed."""
    before = set(bastion.processes("monitor"))
    with RawSsh(bastion.port) as raw:
        assert raw.prove(f"{ME}@web1", lab.client.key) == Success()
        (monitor,) = set(bastion.processes("monitor")) - before
        os.kill(monitor, signal.SIGSTOP)
        raw.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Timer(2, os.kill, (monitor, signal.SIGCONT)).start()
        for _ in range(128):
            raw.send(bytes([CLOSE]) + struct.pack(">I", raw.open()))
        assert answer_to_open(raw) == OPENED


def test_an_open_does_not_wait_for_programs_that_go_on(lab, bastion):
    with RawSsh(bastion.port) as raw:
        assert raw.prove(f"{ME}@web1", lab.client.key) == Success()
        channels = [raw.open() for _ in range(128)]
        for channel in channels:
            raw.send(bytes([CHANNEL_REQUEST]) + struct.pack(">I", channel) + string("exec") +
                     b"\0" + string("exec sleep 30"))
            raw.send(bytes([CLOSE]) + struct.pack(">I", channel))
        raw.socket.settimeout(15)
        assert answer_to_open(raw) == OPEN_REFUSED


@pytest.mark.parametrize("way", WAYS)
def test_input_goes_on_when_the_reader_has_left(lab, way):
    for host in ("direct", way):
        there = lab.folder / f"reader-{way}-{host}"
        lab.run("bash", "-c", f"ssh -F {lab.config} {host} 'echo start; cat > {there}' "
                f"< {lab.folder}/big | true")
        wait_until(lambda: there.exists() and there.stat().st_size == 3_000_000, 5,
                   f"the whole of it, {host},")
        there.unlink()
        lab.run("bash", "-c", f"ssh -F {lab.config} {host} 'seq 300000; cat > {there}' "
                f"< {lab.folder}/big | head -1")
        wait_until(lambda: there.exists() and there.stat().st_size == 3_000_000, 5,
                   f"the whole of it, {host},")
        done = lab.run("bash", "-c", f"yes | timeout 20 ssh -F {lab.config} {host} cat | head -1")
        assert done.stdout == b"y\n", host
        done = lab.run("timeout", "20", "bash", "-c",
                       f"ssh -F {lab.config} {host} yes < /dev/zero | head -1")
        assert (done.returncode, done.stdout) == (0, b"y\n"), host
