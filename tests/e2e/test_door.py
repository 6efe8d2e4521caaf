# SPDX-License-Identifier: Apache-2.0
"""What the bastion says to clients that do not behave, before anybody has logged in."""
import socket
import time

import pytest

from tests.e2e.conftest import running_stack
from tests.support.raw_ssh import Disconnected, Failure, KeyAccepted, RawSsh
from tests.support.stack import ME, Client, wait_until

USER = f"{ME}@web1"


@pytest.fixture(scope="module")
def known(bastion, tmp_path_factory):
    """A client whose key is remembered: with any other name it would be let in."""
    client = Client(bastion, tmp_path_factory.mktemp("known"), "known")
    client.log_in(bastion.idp.approve)
    return client


# Warpgate, russh: the user name changed between authentication requests.

@pytest.mark.parametrize("first, then", [
    (f"{ME}@web2", USER), (USER, f"{ME}@web2"), ("", USER), (USER, ""), (USER, USER.upper())],
    ids=["to-a-target", "from-a-target", "from-nothing", "to-nothing", "case"])
def test_changing_user_name_ends_the_connection(bastion, known, first, then):
    with RawSsh(bastion.port) as raw:
        assert isinstance(raw.none(first), Failure)
        assert raw.prove(then, known.key) == Disconnected("the user name changed during the login")


def test_user_name_that_changes_with_the_prompt_ends_the_connection(bastion, known):
    with RawSsh(bastion.port) as raw:
        assert raw.offer(USER, known.key) == KeyAccepted()
        assert raw.interactive(f"{ME}@db1") == Disconnected(
            "the user name changed during the login")


# OpenSSH 2026-35414 and others: names that become something else further on.

@pytest.mark.parametrize("name", [
    "root,admin@web1", "root@web1,db1", "root/x@web1", "../web1", "root@../web1", "a b@web1",
    "a\tb@web1", "a\nb@web1", "a\x1b[2J@web1", "a\x7f@web1", "root@web1@db1", "@web1", "root@", "",
    "a;id@web1", "$(id)@web1", "-oProxyCommand=id", "root@-web1", "r\u00f6t@web1", "root\u202e@web1",
    "*", "root@*", "a" * 200], ids=lambda name: ascii(name[:16]))
def test_silly_name_is_refused_at_the_door(bastion, known, name):
    with RawSsh(bastion.port) as raw:
        refused = raw.prove(name, known.key)
        assert isinstance(refused, Disconnected), refused
        assert "names no target: type LOGIN@TARGET or TARGET" in refused.text
        assert refused.text.isascii() or refused.text.isprintable(), "nothing acts on the terminal"
    assert bastion.events("login_refused")[-1]["user"] == name


def test_name_with_a_nul_is_not_its_first_half(bastion, known):
    with RawSsh(bastion.port) as raw:
        raw.none(f"{USER}\0x")
        assert raw.prove(f"{USER}\0x", known.key) == Failure("publickey,keyboard-interactive", False)


@pytest.mark.parametrize("size", [201, 200_000])
def test_long_name_is_refused(bastion, size):
    with RawSsh(bastion.port) as raw:
        assert raw.none("a" * size) == Disconnected("the user name is too long")


# libssh: no limit of attempts.

def test_two_thousand_attempts_end_early(bastion, known, tmp_path):
    stranger = Client(bastion, tmp_path, "stranger").key
    for attempt in (lambda raw: raw.none(USER),
                    lambda raw: raw.password(USER, "secret"),
                    lambda raw: raw.offer(USER, stranger),
                    lambda raw: raw.prove(USER, known.key, signed_by=stranger)):
        with RawSsh(bastion.port) as raw:
            raw.none(USER)
            for tried in range(2000):
                answer = attempt(raw)
                if isinstance(answer, Disconnected):
                    break
            assert answer == Disconnected("too many attempts")
            assert tried <= 64


# hoop: one silent client stops every login.

def seconds_of_a_login(client):
    begin = time.monotonic()
    assert client.run("true").returncode == 0
    return time.monotonic() - begin


def test_silent_connections_stop_nobody(tmp_path):
    limits = {"max_unauthenticated": 202}
    with running_stack(tmp_path, limits=limits, login={"grace_s": 40}) as bastion:
        client = Client(bastion, tmp_path)
        client.log_in(bastion.idp.approve)
        alone = min(seconds_of_a_login(client) for _ in range(3))
        silent = [socket.create_connection(("127.0.0.1", bastion.port)) for _ in range(200)]
        try:
            wait_until(lambda: len(bastion.processes("front")) == 200, 60, "the start of 200 fronts")
            among_many = min(seconds_of_a_login(client) for _ in range(3))
            assert among_many < 2 * alone + 1

            more = [socket.create_connection(("127.0.0.1", bastion.port)) for _ in range(5)]
            wait_until(lambda: bastion.events("connection refused"), 10, "a refusal")
            assert bastion.events("connection refused")[-1]["why"] == (
                "limits.max_unauthenticated is reached")
            for one in more:
                one.close()
        finally:
            for one in silent:
                one.close()
        wait_until(lambda: not bastion.processes("front"), 20, "the end of the fronts")


def test_connection_that_does_not_log_in_ends(tmp_path):
    with running_stack(tmp_path, login={"grace_s": 3}) as bastion:
        client = Client(bastion, tmp_path)
        child = client.spawn("true")
        child.expect("Press Enter")
        with socket.create_connection(("127.0.0.1", bastion.port)) as silent:
            silent.settimeout(10)
            assert silent.recv(100).startswith(b"SSH-2.0-")
            while silent.recv(4096):
                pass  # until the bastion hangs up
        child.sendline("")
        child.expect("sallyport: the time to log in is over; connect again")
        wait_until(lambda: not bastion.processes("front") and not bastion.processes("monitor"), 5,
                   "the end of both")


def test_the_configured_ciphers_are_offered(tmp_path):
    only = "chacha20-poly1305@openssh.com"
    with running_stack(tmp_path, ciphers=[only]) as bastion:
        client = Client(bastion, tmp_path)
        client.log_in(bastion.idp.approve)
        assert client.run("echo fine", options=["-c", only]).stdout == b"fine\n"
        refused = client.run("true", options=["-c", "aes256-gcm@openssh.com"])
        assert refused.returncode == 255
