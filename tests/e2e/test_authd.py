# SPDX-License-Identifier: Apache-2.0
"""authd alone, asked over its own socket as monitor, gate, keyd, stored and sallyportctl ask it,
with a real identity provider (oidc-provider) behind it."""
import base64
import contextlib
import hashlib
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import tempfile
import time

import pytest

from tests.support import idp, ipc

PROGRAM = pathlib.Path(os.environ["SALLYPORT_BUILD_DIR"]) / "libexec" / "sallyport-authd"
RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
CLIENT_SECRET = "secret+with/odd:chars&100%"
DIAL, SIGN, RECORD = 0, 1, 2


def text_field(data):
    return struct.pack(">I", len(data)) + data


def new_key():
    """A public key blob. Nobody signs here: that a key is proven is what monitor says."""
    return text_field(b"ssh-ed25519") + text_field(secrets.token_bytes(32))


def key_line(blob):
    return "ssh-ed25519 " + base64.b64encode(blob).decode() + " test"


def fingerprint(blob):
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


# Root's authd would become a user of its own: here it is somebody without any, and so are we.
UID = 65534 if os.geteuid() == 0 else os.geteuid()
HOST_KEY = " ".join(key_line(new_key()).split()[:2])


class Authd:
    def __init__(self, issuer, **changes):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sp-", dir="/tmp"))
        for name in ("etc", "state/authd", "run/authd"):
            (self.folder / name).mkdir(parents=True, mode=0o700)
        self.write_private("seal.key", secrets.token_hex(32) + "\n")
        self.write_private("client.secret", CLIENT_SECRET + "\n")
        self.config = {
            "development": True, "node": "test", "host_keys": ["host_key"],
            "state_directory": str(self.folder / "state"),
            "runtime_directory": str(self.folder / "run"),
            "seal": {"key_file": "seal.key"},
            "vault": {"key_file": "vault.key"},
            "recording": {"recipients": [RECIPIENT]},
            "identity": {"issuer": issuer, "client_id": "bastion-basic",
                         "client_authentication": "basic", "client_secret_file": "client.secret"},
            "roles": {"users": {"groups": ["ssh-users"], "targets": ["web*"], "logins": ["root"]},
                      "admins": {"groups": ["db-admins"], "targets": ["db*"], "logins": ["root"],
                                 "channels": ["exec"]}},
            "targets": {name: {"address": "127.0.0.1:22", "host_keys": [HOST_KEY], "key": "main"}
                        for name in ("web1", "db1")},
        }
        for key, value in changes.items():
            self.config[key] = {**self.config.get(key, {}), **value}
        self.write_config()
        if UID != os.geteuid():
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, UID, -1)
        self.process = None
        self.start()

    def write_private(self, name, text):
        path = self.folder / "etc" / name
        path.write_text(text)
        path.chmod(0o600)
        if UID != os.geteuid():
            os.chown(path, UID, -1)

    def write_config(self):
        (self.folder / "etc" / "sallyport.json").write_text(json.dumps(self.config))

    def start(self):
        self.process = subprocess.Popen(
            [PROGRAM, "--config", self.folder / "etc"], stderr=open(self.folder / "log", "ab"),
            user=UID if UID != os.geteuid() else None)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError):
                self.connect().close()
                return
            time.sleep(0.02)
        raise AssertionError((self.folder / "log").read_text())

    def connect(self):
        return ipc.Connection(self.folder / "run" / "authd" / "socket", uid=UID)

    def admin(self, name, **values):
        with self.connect() as connection:
            return connection.ask_all(name, **values)

    def log(self):
        return (self.folder / "log").read_text()

    def stop(self):
        self.process.terminate()
        return self.process.wait(10)

    def remove(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Login:
    """What monitor does for one client."""

    def __init__(self, authd, key=None, user="root@web1", address="203.0.113.7"):
        self.connection = authd.connect()
        self.who = {"session": secrets.token_bytes(16), "address": address, "user": user}
        self.key = key or new_key()

    def prove(self, key=None, **changes):
        return self.connection.ask("ask_key_login", algorithm="ssh-ed25519",
                                   blob=key or self.key, **{**self.who, **changes})

    def want_prompt(self):
        return self.connection.ask("ask_prompt_login", **self.who)

    def begin(self):
        """As far as the prompt; returns the code in it."""
        assert verdict_of(self.prove()) == "more"
        prompt = self.want_prompt()
        assert prompt.name == "prompt", prompt
        return re.search(r"Code +(\S+)", prompt.text).group(1)

    def press_enter(self):
        return self.connection.ask("prompt_answer", text="")

    def finish(self):
        """Enter until it is decided: a poll may be due only later."""
        for _ in range(20):
            reply = self.press_enter()
            if reply.name != "prompt":
                return reply
            time.sleep(0.2)
        raise AssertionError("never decided")

    def leave(self):
        self.connection.close()


def verdict_of(message):
    assert message.name == "verdict", message
    return ipc.LOGIN[message.login]


def until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def provider():
    with idp.start("oidc-provider", interval=1) as running:
        yield running


@pytest.fixture
def start_authd(provider):
    started = []

    def start(**changes):
        started.append(Authd(provider.issuer, **changes))
        return started[-1]

    yield start
    for authd in started:
        authd.remove()


@pytest.fixture
def authd(start_authd):
    return start_authd()


@pytest.fixture
def log_in(provider):
    def run(authd, user="alice", **who):
        login = Login(authd, **who)
        provider.approve(login.begin(), user)
        grant = login.finish()
        assert grant.name == "grant", grant
        return login, grant

    return run


def test_first_login_asks_the_second_asks_nothing(authd, log_in):
    login, grant = log_in(authd)
    assert (grant.person, grant.subject) == ("alice@example.org", "alice")
    assert (grant.target, grant.login, grant.allowed) == ("web1", "root", 3)
    assert grant.recipients == [RECIPIENT] and grant.environment == ["LANG", "LC_*"]
    assert grant.fingerprint == fingerprint(login.key)
    again = Login(authd, key=login.key, address="198.51.100.1").prove()
    assert again.name == "grant" and again.grant != grant.grant
    assert verdict_of(Login(authd, address="203.0.113.7").prove()) == "more"


@pytest.mark.parametrize("client", ["public", "basic", "post"])
def test_a_login_at_glewlwyd(client):
    with idp.start("glewlwyd") as provider:
        who = provider.clients[client]
        secret = {} if who.authentication == "none" else {"client_secret_file": "client.secret"}
        authd = Authd(provider.issuer, identity={
            "discovery_url": provider.discovery_url, "client_id": who.id,
            "client_authentication": who.authentication, **secret})
        try:
            if who.secret:
                authd.write_private("client.secret", who.secret)
                assert authd.admin("reload")[1].ok
            login = Login(authd)
            provider.approve(login.begin())
            assert login.finish().name == "grant"
            assert Login(authd, key=login.key).prove().name == "grant"
        finally:
            authd.remove()


def test_the_key_is_remembered_across_a_restart(authd, log_in):
    login, _ = log_in(authd)
    assert authd.stop() == 0
    authd.start()
    assert Login(authd, key=login.key).prove().name == "grant"


def test_the_prompt_is_the_documented_one(authd):
    login = Login(authd)
    login.prove()
    text = login.want_prompt().text
    print_of = fingerprint(login.key)
    assert re.fullmatch(
        r"Sign in to reach root@web1\n\n"
        r"  Open    http://127\.0\.0\.1:\d+/device\n"
        r"  Code    \S+ {2,}valid until \d\d:\d\d:\d\d \(3 min\)\n\n"
        r"  From 203\.0\.113\.7 with key " + re.escape(print_of[:9] + "…" + print_of[-2:]) +
        r"\.  Never approve a code that you did not start yourself\.\n\n"
        r"Press Enter when you have approved it: ", text), text


def test_enter_too_early_asks_again(authd, provider):
    login = Login(authd)
    code = login.begin()
    again = login.press_enter()
    assert again.name == "prompt" and again.text.startswith("Not approved yet, ")
    provider.approve(code)
    assert login.finish().name == "grant"


def test_denial_disconnects_while_the_prompt_stands(authd, provider):
    login = Login(authd)
    provider.deny(login.begin())
    verdict = login.connection.receive()
    assert verdict_of(verdict) == "disconnected" and "denied" in verdict.text
    # An Enter that crosses it on its way is no offence, another login is.
    login.connection.send("prompt_answer", text="")
    with pytest.raises(socket.timeout):
        login.connection.receive(0.3)
    assert login.prove() is None


def test_a_code_that_runs_out_disconnects(start_authd):
    authd = start_authd(login={"deadline_s": 2})
    login = Login(authd)
    login.begin()
    verdict = login.connection.receive()
    assert verdict_of(verdict) == "disconnected" and "ran out" in verdict.text


def test_a_wrong_person_is_refused_logged_and_shown(start_authd, provider, log_in):
    authd = start_authd(login={"remember_s": 1})
    login, _ = log_in(authd)
    login.leave()
    time.sleep(1.1)
    other = Login(authd, key=login.key)
    provider.approve(other.begin(), "bob")
    verdict = other.finish()
    assert verdict_of(verdict) == "disconnected"
    assert "bob approved" in verdict.text and "alice" not in verdict.text
    assert '"sign_in_wrong_person"' in authd.log()
    # The key is still alice's.
    owner = Login(authd, key=login.key)
    provider.approve(owner.begin(), "alice")
    assert owner.finish().name == "grant"


def test_a_provider_that_is_gone_refuses_new_logins_and_keeps_sessions(log_in):
    with idp.start("oidc-provider", interval=1) as provider:
        authd = Authd(provider.issuer)
        try:
            login = Login(authd)
            provider.approve(login.begin())
            grant = login.finish()
            assert grant.name == "grant"
            provider.stop()
            late = Login(authd)
            late.prove()
            verdict = late.want_prompt()
            assert verdict_of(verdict) == "disconnected"
            assert "identity provider" in verdict.text
            with authd.connect() as stored:
                facts = stored.ask("confirm_grant", purpose=RECORD, grant=grant.grant,
                                   session=login.who["session"])
            assert facts.valid
            assert Login(authd, key=login.key).prove().name == "grant"
        finally:
            authd.remove()


def test_polling_stops_within_one_interval_when_the_client_leaves(authd, provider):
    login = Login(authd)
    login.begin()
    time.sleep(1.5)
    login.leave()
    time.sleep(1.2)
    polls = provider.counts()
    time.sleep(3)
    assert provider.counts() == polls


def test_a_second_sign_in_with_the_same_key_waits_for_its_turn(authd, provider):
    first = Login(authd)
    first.begin()
    second = Login(authd, key=first.key)
    assert verdict_of(second.prove()) == "more"
    assert verdict_of(second.want_prompt()) == "disconnected"
    first.leave()
    until(lambda: '"sign_in_started"' in authd.log())
    time.sleep(0.2)
    third = Login(authd, key=first.key)
    provider.approve(third.begin())
    assert third.finish().name == "grant"


def test_twenty_sign_ins_at_once_are_all_answered(authd, provider):
    logins = [Login(authd) for _ in range(20)]
    codes = [login.begin() for login in logins]
    assert len(set(codes)) == 20
    for code in codes:
        provider.approve(code)
    assert [login.finish().name for login in logins] == ["grant"] * 20


def test_a_refusal_says_why_and_hides_which_targets_exist(authd, log_in):
    login, _ = log_in(authd, user="bob")  # ssh-users alone
    for target in ("db1", "nowhere"):
        verdict = Login(authd, key=login.key, user=f"root@{target}").prove()
        assert verdict_of(verdict) == "refused"
        assert verdict.text.startswith(
            f"no role of yours reaches {target} (your groups: ssh-users)")


def test_roles_of_two_groups_give_different_channels(authd, log_in):
    login, grant = log_in(authd, user="alice")  # ssh-users and db-admins
    assert grant.allowed == 3
    assert Login(authd, key=login.key, user="db1").prove().allowed == 2


def test_each_way_of_typing_the_name_reaches_the_target(authd, log_in):
    login, _ = log_in(authd)
    for user in ("root@web1", "root%web1", "root+web1", "web1"):
        grant = Login(authd, key=login.key, user=user).prove()
        assert (grant.login, grant.target) == ("root", "web1")
    for user in ("root@web1,web2", "-x@web1", "root@../etc", "root@web1\x1b", "a" * 20_000):
        assert verdict_of(Login(authd, key=login.key, user=user).prove()) == "disconnected"


def test_a_user_name_that_changes_ends_the_login(authd):
    login = Login(authd)
    login.prove()
    assert verdict_of(login.prove(key=new_key(), user="root@db1")) == "disconnected"


def test_a_client_without_a_key_needs_leave(start_authd, provider):
    authd = start_authd()
    assert verdict_of(Login(authd).want_prompt()) == "disconnected"
    authd = start_authd(login={"without_key": True})
    login = Login(authd)
    code = re.search(r"Code +(\S+)", login.want_prompt().text).group(1)
    provider.approve(code)
    grant = login.finish()
    assert grant.name == "grant" and grant.fingerprint == ""
    assert authd.admin("keys_list")[0] == []


def test_automatic_prompts_need_no_enter(start_authd, provider):
    authd = start_authd(login={"prompt": "auto"})
    login = Login(authd)
    login.prove()
    prompt = login.want_prompt()
    assert prompt.automatic and prompt.text.isascii()
    login.connection.send("prompt_answer", text="")
    provider.approve(re.search(r"Code +(\S+)", prompt.text).group(1))
    assert login.connection.receive().name == "grant"


def test_closed_enrolment_takes_registered_keys_from_their_person(start_authd, provider):
    authd = start_authd(login={"enrolment": "closed"})
    login = Login(authd)
    assert verdict_of(login.prove()) == "try_another"
    verdict = login.want_prompt()
    assert verdict_of(verdict) == "disconnected" and "is not registered" in verdict.text

    key = new_key()
    _, answer = authd.admin("key_register", public_key=key_line(key), person="alice@example.org")
    assert answer.ok
    wrong = Login(authd, key=key)
    provider.approve(wrong.begin(), "bob")
    assert verdict_of(wrong.finish()) == "disconnected"
    right = Login(authd, key=key)
    provider.approve(right.begin(), "alice")
    assert right.finish().name == "grant"
    _, answer = authd.admin("key_register", public_key=key_line(key), person="bob@example.org")
    assert not answer.ok and "revoke it first" in answer.text


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
    assert verdict_of(refused) == "refused" and "db-admins" in refused.text
    assert len(authd.admin("sessions_list")[0]) == 2
    assert Login(authd, key=bob.key).prove().name == "grant"


def test_sessions_are_listed_and_killed(authd, log_in):
    login, grant = log_in(authd)
    entries, _ = authd.admin("sessions_list")
    assert [(e.session, e.person, e.target) for e in entries] == [
        (login.who["session"], "alice@example.org", "web1")]
    assert authd.admin("session_kill", session=login.who["session"])[1].ok
    assert login.connection.receive(2).name == "grant_revoked"
    assert authd.admin("sessions_list")[0] == []
    assert not authd.admin("session_kill", session=login.who["session"])[1].ok


def test_grants_are_confirmed_once_and_end_with_the_login(authd, log_in):
    login, grant = log_in(authd)
    with authd.connect() as daemon:
        def confirm(purpose, session=login.who["session"]):
            return daemon.ask("confirm_grant", purpose=purpose, grant=grant.grant, session=session)

        facts = confirm(DIAL)
        assert facts.valid and facts.target_address == "127.0.0.1:22" and facts.login == "root"
        assert facts.host_keys == [HOST_KEY] and facts.key_name == "main"
        assert not confirm(DIAL).valid
        assert not confirm(SIGN, session=secrets.token_bytes(16)).valid
        assert confirm(SIGN).valid and not confirm(SIGN).valid
        assert confirm(RECORD).valid and confirm(RECORD).valid
        login.leave()
        until(lambda: not confirm(RECORD).valid)


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
    mixed.send("ask_prompt_login", session=bytes(16), address="x", user="web1")
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
