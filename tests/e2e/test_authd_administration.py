# SPDX-License-Identifier: Apache-2.0
"""What authd alone keeps and forgets, and what it answers to whom: keys, sessions, grants, reload."""
import contextlib
import secrets
import signal
import socket
import sqlite3

import pytest

from tests.support import ipc
from tests.support.authd import (CLIENT_SECRET, DIAL, HOST_KEY, RECORD, SIGN, Login, fingerprint,
                                 verdict_of)
from tests.support.stack import wait_until

def test_keys_are_listed_and_revoked_with_their_sessions(authd, log_in):
    login, grant = log_in(authd)
    entries, _ = authd.admin("keys_list")
    assert [(e.fingerprint, e.person, e.address) for e in entries] == [
        (fingerprint(login.key), "alice@example.org", "203.0.113.7")]
    assert entries[0].until_ms - entries[0].since_ms == 8 * 3600 * 1000
    _, answer = authd.admin("key_revoke", fingerprint=fingerprint(login.key))
    assert answer.ok and "1 session" in answer.text
    assert login.connection.receive(2).name == "grant_revoked"
    assert login.connection.receive(5) is None  # and hung up on when it does not go
    assert authd.admin("keys_list")[0] == []
    assert verdict_of(Login(authd, key=login.key).prove()) == "more"
    assert not authd.admin("key_revoke", fingerprint="SHA256:unknown")[1].ok


def test_revoking_ends_sessions_and_sign_ins_though_nothing_can_be_deleted(authd, log_in):
    login, _ = log_in(authd)
    waiting = Login(authd)
    waiting.begin()
    with contextlib.closing(sqlite3.connect(authd.folder / "state/authd/keys.sqlite")) as keys:
        keys.execute("CREATE TRIGGER no_deletions BEFORE DELETE ON remembered "
                     "BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    _, answer = authd.admin("key_revoke", fingerprint=fingerprint(login.key))
    assert not answer.ok
    assert "1 session(s) ended" in answer.text and "disk full" in answer.text
    assert login.connection.receive(2).name == "grant_revoked"
    assert verdict_of(Login(authd, key=login.key).prove()) == "disconnected"
    _, answer = authd.admin("key_revoke", fingerprint=fingerprint(waiting.key))
    assert "1 waiting sign-in(s)" in answer.text
    assert verdict_of(waiting.connection.receive(2)) == "disconnected"


def test_groups_that_were_taken_away_are_gone_for_every_key_and_session(authd, log_in, provider):
    login, _ = log_in(authd)
    bob, _ = log_in(authd, "bob")
    try:
        provider.set_groups("alice", ["db-admins"])
        other = Login(authd, user="root@db1")
        provider.approve(other.begin())
        assert other.finish().name == "grant"
    finally:
        provider.set_groups("alice", ["ssh-users", "db-admins"])
    ended = login.connection.receive(2)
    assert ended.name == "grant_revoked" and "groups" in ended.text
    refused = Login(authd, key=login.key).prove()
    assert refused.target == "" and "db-admins" in refused.refusal
    assert len(authd.admin("sessions_list")[0]) == 2
    assert Login(authd, key=bob.key).prove().name == "grant"


def test_sessions_are_listed_and_killed(authd, log_in):
    login, grant = log_in(authd)
    entries, _ = authd.admin("sessions_list")
    assert [(e.session, e.person, e.target) for e in entries] == [
        (login.session, "alice@example.org", "web1")]
    assert authd.admin("session_kill", session=login.session)[1].ok
    assert login.connection.receive(2).name == "grant_revoked"
    assert authd.admin("sessions_list")[0] == []
    assert not authd.admin("session_kill", session=login.session)[1].ok


def test_grants_are_confirmed_once_and_end_with_the_login(authd, log_in):
    login, grant = log_in(authd)
    with authd.connect() as daemon:
        def confirm(purpose, session=login.session):
            return daemon.ask("confirm_grant", purpose=purpose, grant=grant.grant, session=session)

        facts = confirm(DIAL)
        assert facts.valid and facts.target_address == "127.0.0.1:22" and facts.login == "root"
        assert facts.host_keys == [HOST_KEY] and facts.key_name == "main"
        assert not confirm(DIAL).valid
        assert not confirm(SIGN, session=secrets.token_bytes(16)).valid
        assert confirm(SIGN).valid and not confirm(SIGN).valid
        assert confirm(RECORD).valid and confirm(RECORD).valid
        login.leave()
        wait_until(lambda: not confirm(RECORD).valid)


@pytest.mark.parametrize("by_signal", [False, True])
def test_reload_ends_sessions_that_have_lost_their_right(authd, log_in, by_signal):
    web, _ = log_in(authd, user="alice")
    db = Login(authd, key=web.key, user="db1")
    assert db.prove().name == "grant"
    del authd.config["roles"]["admins"]
    authd.write_config()
    if by_signal:
        authd.process.send_signal(signal.SIGHUP)
    else:
        assert authd.admin("reload")[1].ok
    assert db.connection.receive(5).name == "grant_revoked"
    assert [e.target for e in authd.admin("sessions_list")[0]] == ["web1"]
    with pytest.raises(socket.timeout):
        web.connection.receive(0.3)


def test_a_wrong_configuration_is_not_taken_up(authd, log_in):
    login, _ = log_in(authd)
    authd.config["roles"] = {}
    authd.config["lisen"] = []
    authd.write_config()
    _, answer = authd.admin("reload")
    assert not answer.ok and "lisen" in answer.text
    assert Login(authd, key=login.key).prove().name == "grant"


def test_messages_out_of_order_or_malformed_drop_that_connection_only(authd, log_in):
    bystander, _ = log_in(authd)
    for data in (ipc.encode("prompt_answer", text=""),
                 ipc.encode("grant_revoked", text="x"),
                 ipc.encode("keys_list") + b"x",
                 ipc.encode("session_kill", session=bytes(16))[:-1],
                 b"\xff\xff\x01\x00\0\0\0\0", b"x"):
        connection = authd.connect()
        connection.socket.send(data)
        assert connection.receive(5) is None
    mixed = authd.connect()
    mixed.ask("sessions_list")
    mixed.send("login_origin", session=bytes(16), address="x", outer=bytes(16), jump_target="")
    while (message := mixed.receive(5)) is not None:
        assert message.name == "answer"
    assert [e.target for e in authd.admin("sessions_list")[0]] == ["web1"]
    with pytest.raises(socket.timeout):
        bystander.connection.receive(0.3)


def test_no_token_code_name_or_secret_stands_in_any_file(authd, log_in):
    login, grant = log_in(authd)
    authd.stop()
    kept = b"".join(path.read_bytes() for path in (authd.folder / "state").rglob("*")
                    if path.is_file())
    assert len(kept) > 4096
    for canary in (b"alice", b"example.org", b"ssh-users", b"203.0.113.7", b"SHA256:",
                   fingerprint(login.key)[7:].encode(), login.key, CLIENT_SECRET.encode(), b"eyJ"):
        assert canary not in kept
    log = authd.log()
    for canary in (CLIENT_SECRET, "eyJ", "device_code", "access_token"):
        assert canary not in log
    assert '"login_accepted"' in log and '"alice@example.org"' in log


def test_the_code_is_not_logged(authd):
    login = Login(authd)
    code = login.begin()
    assert code not in authd.log() and code.replace("-", "") not in authd.log()


def test_a_secret_that_others_can_read_is_refused(authd):
    (authd.folder / "etc" / "client.secret").chmod(0o644)
    _, answer = authd.admin("reload")
    assert not answer.ok and "chmod" in answer.text


def test_sigterm_ends_it_cleanly_also_while_codes_wait(authd):
    Login(authd).begin()
    assert authd.stop() == 0
    assert not (authd.folder / "run" / "authd" / "socket").exists()
