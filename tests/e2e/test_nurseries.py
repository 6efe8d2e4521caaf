# SPDX-License-Identifier: Apache-2.0
"""Session processes are forked from nurseries that gate has executed."""
import contextlib
import os
import signal
import socket

import pytest

from tests.support.raw_ssh import RawSsh
from tests.support.stack import wait_until

ROLES = ("monitor", "front", "back")
LIFE = 64  # children of one nursery


def nurseries(bastion):
    return {role: set(bastion.processes(f"{role} nursery")) for role in ROLES}


@contextlib.contextmanager
def a_session(bastion, client):
    """The process ids of a session that is up, by role."""
    before = {role: set(bastion.processes(role)) for role in ROLES}
    child = client.spawn("echo up; cat")
    try:
        child.expect("up\r\n")
        yield {role: (set(bastion.processes(role)) - before[role]).pop() for role in ROLES}
    finally:
        child.close(force=True)


def descriptors(pid):
    return sorted(int(entry) for entry in os.listdir(f"/proc/{pid}/fd"))


def test_a_nursery_holds_one_socket_and_standard_streams(bastion):
    for role, pids in nurseries(bastion).items():
        [pid] = pids
        with contextlib.suppress(PermissionError):  # it is not dumpable: root alone can look
            assert descriptors(pid) == [0, 1, 2, 3], role


@pytest.mark.parametrize("role", ROLES)
def test_a_killed_nursery_is_replaced_when_somebody_comes(bastion, client, role):
    [pid] = nurseries(bastion)[role]
    os.kill(pid, signal.SIGKILL)
    assert client.run("echo here").stdout == b"here\n"
    [successor] = nurseries(bastion)[role]
    assert successor != pid


@pytest.mark.parametrize("role", ROLES)
def test_a_nursery_that_does_not_answer_is_replaced(bastion, client, role):
    [pid] = nurseries(bastion)[role]
    os.kill(pid, signal.SIGSTOP)
    assert client.run("echo here").stdout == b"here\n"
    wait_until(lambda: nurseries(bastion)[role] and pid not in nurseries(bastion)[role])


@pytest.mark.parametrize("role", ROLES)
def test_a_crash_changes_the_layout_of_memory(bastion, client, role):
    before = nurseries(bastion)[role]
    with a_session(bastion, client) as processes:
        os.kill(processes[role], signal.SIGSEGV)
        wait_until(lambda: nurseries(bastion)[role] and not nurseries(bastion)[role] & before)
    assert client.run("echo here").stdout == b"here\n"


def test_a_nursery_serves_some_sessions_only(bastion):
    before = nurseries(bastion)["front"]
    for _ in range(LIFE):
        socket.create_connection(("127.0.0.1", bastion.port)).close()
    wait_until(lambda: not nurseries(bastion)["front"] & before)


def test_two_children_of_a_nursery_share_no_random_numbers(bastion):
    seen = set()
    for _ in range(5):
        with RawSsh(bastion.port) as raw:
            seen.update(raw.server_random)
    assert len(seen) == 10
