# SPDX-License-Identifier: Apache-2.0
"""sallyportctl and a running authd: keys, sessions, reload, and who may ask."""
import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess

import pexpect
import pytest

from tests.support.stack import BUILD, Target, free_port, make_key, short_folder, wait_until

CTL = str(BUILD / "bin" / "sallyportctl")
RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"


class Authd:
    def __init__(self):
        self.folder = short_folder()
        self.etc = self.folder / "etc"
        self.ctl("init", "--directory", self.etc, "--development", "--recipient", RECIPIENT)
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            [str(BUILD / "libexec" / "sallyport-authd"), "--config", str(self.etc)],
            stderr=self.log)
        socket = self.etc / "run" / "authd" / "socket"
        wait_until(socket.exists, what="authd's socket")

    def ctl(self, *arguments, status=0, **more):
        done = subprocess.run([CTL, "--config", str(self.etc), *map(str, arguments)],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              timeout=60, **more)
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def keys(self):
        return json.loads(self.ctl("keys", "list", "--json").stdout)

    def remove(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(10) == 0
        self.log.close()
        shutil.rmtree(self.folder)


@pytest.fixture(scope="module")
def authd():
    running = Authd()
    yield running
    running.remove()


def next_steps(said):
    """What init says to type; the prose beside it is three spaces away."""
    steps = [re.split(" {3,}", line.strip())[0] for line in said.partition("Next:\n")[2].splitlines()]
    return [step for step in steps if not step.startswith("edit ")]


def test_the_next_steps_of_init_work_in_their_order(tmp_path):
    folder = short_folder()
    target = Target(tmp_path / "target")
    said = subprocess.run(
        [CTL, "init", "--directory", folder / "etc", "--recipient", RECIPIENT, "--client-id", "sallyport",
         "--issuer", "https://idp.example.com", "--listen", f"127.0.0.1:{free_port()}"],
        capture_output=True, text=True, check=True).stdout
    start, *steps = next_steps(said)
    environment = {**os.environ, "PATH": f"{BUILD / 'bin'}:{os.environ['PATH']}"}
    log = open(folder / "log", "ab")
    bastion = subprocess.Popen(start.split(), env=environment, stderr=log)
    try:
        for daemon in ("authd", "keyd"):
            wait_until((folder / "etc" / "run" / daemon / "socket").exists, what=daemon)
        assert [step.split()[3] for step in steps] == ["vault", "target", "config", "reload"]
        for step in steps:
            step = step.replace("KEYNAME", "main").replace("NAME ADDRESS", f"web1 127.0.0.1:{target.port} --yes")
            done = subprocess.run(step.split(), env=environment, capture_output=True, text=True)
            assert done.returncode == 0, (step, done.stderr)
    finally:
        bastion.terminate()
        bastion.wait(20)
        target.stop()
        log.close()
        shutil.rmtree(folder)


def fingerprint(key):
    shown = subprocess.run(["ssh-keygen", "-l", "-f", f"{key}.pub"], capture_output=True,
                           text=True, check=True)
    return shown.stdout.split()[1]


@pytest.fixture
def registered(authd, tmp_path):
    key = make_key(tmp_path / "k")
    said = authd.ctl("keys", "register", f"{key}.pub", "alice@example.com").stdout
    assert said == f"registered {fingerprint(key)} for alice@example.com\n"
    yield fingerprint(key)
    authd.ctl("keys", "revoke", fingerprint(key), "--yes")


def test_a_registered_key_is_listed(authd, registered):
    entry, = authd.keys()
    assert (entry["fingerprint"], entry["person"]) == (registered, "alice@example.com")
    assert entry["since"] == "-"
    table = authd.ctl("keys", "list").stdout
    assert re.search(rf"^{re.escape(registered)} +alice@example.com .*never logged in", table, re.M)


def test_a_key_is_revoked_by_the_beginning_of_its_fingerprint(authd, tmp_path):
    key = make_key(tmp_path / "k")
    authd.ctl("keys", "register", f"{key}.pub", "bob")
    beginning = fingerprint(key).removeprefix("SHA256:")[:6]
    child = pexpect.spawn(CTL, ["--config", str(authd.etc), "keys", "revoke", beginning],
                          timeout=20)
    child.expect(r"Revoke the key SHA256:\S+ of bob\?.*\[y/N\]")
    child.sendline("y")
    child.expect("revoked SHA256:")
    child.expect(pexpect.EOF)
    assert authd.keys() == []


def test_an_unknown_key_is_one_line(authd, registered):
    wrong = registered[:-3] + "zz"
    done = authd.ctl("keys", "revoke", wrong, "--yes", status=1)
    assert done.stderr.count("\n") == 1
    assert f'there is no key "{wrong}"; did you mean "{registered}"?' in done.stderr
    whole = authd.ctl("keys", "revoke", registered[:-2] + "zz", "--yes", status=1)
    assert whole.stderr.count("\n") == 1 and "is remembered" in whole.stderr
    short = authd.ctl("keys", "revoke", "SHA256:", "--yes", status=1)
    assert "give the key's fingerprint" in short.stderr


def test_a_key_whose_row_cannot_be_read_is_counted_and_revoked(authd, registered, tmp_path):
    broken = make_key(tmp_path / "broken")
    rows = "SELECT name FROM remembered"
    path = authd.etc / "state" / "authd" / "keys.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as keys:
        before = set(keys.execute(rows))
        authd.ctl("keys", "register", f"{broken}.pub", "carol")
        (name,), = set(keys.execute(rows)) - before
        keys.execute("UPDATE remembered SET sealed = x'00' WHERE name = ?", (name,))
        keys.commit()
    listed = authd.ctl("keys", "list")
    assert registered in listed.stdout and fingerprint(broken) not in listed.stdout
    assert "1 more cannot be read" in listed.stderr
    said = authd.ctl("keys", "revoke", fingerprint(broken), "--yes").stdout
    assert said.startswith(f"revoked {fingerprint(broken)}")
    assert authd.ctl("keys", "list").stderr == ""


def test_no_session_is_an_empty_list(authd):
    assert json.loads(authd.ctl("sessions", "list", "--json").stdout) == []
    assert authd.ctl("sessions", "list").stdout.startswith("SESSION")
    done = authd.ctl("sessions", "kill", "0123abcd", "--yes", status=1)
    assert "there is no session" in done.stderr and "sallyportctl sessions list" in done.stderr


def test_a_change_is_applied_and_a_wrong_one_is_not(authd):
    added = authd.ctl("target", "add", "web1", "127.0.0.1:22", "--yes").stdout
    assert "applied; running sessions go on" in added
    assert authd.ctl("reload").returncode == 0
    wrong = authd.etc / "20-wrong.json"
    wrong.write_text('{"lisen": []}')
    try:
        done = authd.ctl("reload", status=1)
        assert 'did you mean "listen"?' in done.stderr
    finally:
        wrong.unlink()
    authd.ctl("reload")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a second user")
def test_another_user_may_not_ask(authd):
    for words in (("keys", "list"), ("sessions", "list"), ("reload",)):
        done = authd.ctl(*words, status=1, user="nobody", group="nogroup", extra_groups=[])
        assert "authd does not answer this user; run as root" in done.stderr
