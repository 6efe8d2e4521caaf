# SPDX-License-Identifier: Apache-2.0
"""R7: a session ends at most 5 s after its right to exist does, on both sides, with a line that
says why. And what does not end one."""
import json
import pathlib
import re
import subprocess
import time

import pexpect
import pytest

from tests.support import ipc
from tests.support.stack import ME, parent_of, wait_until


@pytest.fixture
def running(client, tmp_path):
    """A command that runs through the bastion, and the target's sshd for it: a command without a
    terminal survives its connection, as it does without a bastion."""
    pid_file = tmp_path / "pid"
    child = client.spawn(f"echo $$ > {pid_file}; echo up; exec sleep 300")
    child.expect("up\r\n")
    yield child, parent_of(int(pid_file.read_text()))
    child.close(force=True)


@pytest.fixture
def shell(client):
    child = client.spawn()
    child.expect("is recorded")
    child.sendline("echo pid is $$.")
    child.expect(r"pid is (\d+)\.\r")
    yield child, int(child.match.group(1))
    child.close(force=True)


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def assert_ends(session, begin, line):
    child, pid = session
    child.expect(f"sallyport: {re.escape(line)}\r+\n", timeout=5)
    child.expect(pexpect.EOF, timeout=5)
    assert child.before.strip() == b"", "one line"
    child.wait()
    wait_until(lambda: not is_alive(pid), begin + 5 - time.monotonic(), "the end at the target")
    assert child.exitstatus == 254


def sessions_of(bastion, client):
    fingerprint = subprocess.run(["ssh-keygen", "-l", "-f", client.key], capture_output=True,
                                 text=True).stdout.split()[1]
    return [entry for entry in json.loads(bastion.ctl("sessions", "list", "--json").stdout)
            if fingerprint in entry.values()], fingerprint


@pytest.mark.parametrize("kind", ["running", "shell"])
def test_killed_session_ends_on_both_sides(request, bastion, client, kind):
    session = request.getfixturevalue(kind)
    (entry,), _ = sessions_of(bastion, client)
    assert (entry["person"], entry["target"], entry["login"]) == ("alice@example.com", "web1", ME)
    begin = time.monotonic()
    bastion.ctl("sessions", "kill", entry["session"][:12], "--yes")
    assert_ends(session, begin, "this session was ended by an administrator")
    assert sessions_of(bastion, client)[0] == []
    assert client.run("echo again").stdout == b"again\n", "the key is still known"


def test_killing_one_leaves_the_others(bastion, client, new_client, running):
    other = new_client("other")
    staying = other.spawn("echo up; read line; echo got $line")
    staying.expect("up\r\n")
    (entry,), _ = sessions_of(bastion, client)
    bastion.ctl("sessions", "kill", entry["session"], "--yes")
    running[0].expect(pexpect.EOF)
    staying.sendline("this")
    staying.expect("got this\r\n")


def test_revoked_key_ends_its_sessions(bastion, client, running):
    _, fingerprint = sessions_of(bastion, client)
    begin = time.monotonic()
    shown = bastion.ctl("keys", "revoke", fingerprint, "--yes").stdout
    assert "1 session(s) ended" in shown
    assert_ends(running, begin, "the key of this session was revoked by an administrator")


class Roles:
    """`changed` merges; here roles go away."""

    def __init__(self, bastion, roles):
        self.bastion, self.roles, self.before = bastion, roles, bastion.config

    def __enter__(self):
        self.bastion.config = {**self.before, "roles": self.roles}
        self.bastion.write_config()
        return self.bastion.ctl("reload").stdout

    def __exit__(self, *args):
        self.bastion.config = self.before
        self.bastion.write_config()
        self.bastion.ctl("reload")


def test_role_that_is_gone_ends_its_sessions(bastion, client, running):
    begin = time.monotonic()
    with Roles(bastion, {"others": {"groups": ["others"], "targets": ["*"], "logins": ["*"]}}) as said:
        assert "1 session(s) ended" in said
        assert_ends(running, begin, "the bastion's configuration gives you no right to this session "
                                    "any more")
        assert client.run("true").returncode == 254


def test_login_that_is_over_opens_no_new_session(bastion, client):
    """One connection can stay for weeks; the account may be gone by then."""
    with client.connection() as control:
        staying = subprocess.Popen(client.command("echo up; read line; echo got $line",
                                                  options=control),
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert staying.stdout.readline() == b"up\n"
        with bastion.changed(login={"remember_s": 1}):
            time.sleep(1)
            refused = subprocess.run(client.command("echo again", options=control),
                                     capture_output=True)
            assert (refused.returncode, refused.stdout) == (254, b"")
            assert refused.stderr.decode().splitlines() == [
                "sallyport: this login is over; connect again"]
            assert staying.communicate(b"this\n")[0] == b"got this\n", "what runs goes on"


def test_reload_that_takes_nothing_away_ends_nobody(bastion, client):
    child = client.spawn("echo up; read line; echo got $line")
    child.expect("up\r\n")
    roles = {**bastion.config["roles"], "more": {"groups": ["others"], "targets": ["*"],
                                                 "logins": ["*"]}}
    with Roles(bastion, roles) as said:
        assert "0 session(s) ended" in said
        child.sendline("this")
        child.expect("got this\r\n")


def test_broken_configuration_keeps_the_old_one(bastion, client, running):
    path = bastion.config_folder / "sallyport.json"
    text = path.read_text()
    try:
        path.write_text(text.replace('"groups"', '"gruops"', 1))
        failed = bastion.ctl("reload", check=False)  # looks at it before it asks authd
        assert failed.returncode != 0
        assert re.search(r'sallyport\.json:\d+: \S*gruops', failed.stderr)
        with ipc.Connection(bastion.folder / "run" / "authd" / "socket") as authd:
            answer = authd.ask("reload")
        assert not answer.ok and re.search(r"sallyport\.json:\d+: \S*gruops", answer.text)
        assert bastion.events("reload_failed")
        assert client.run("echo in").stdout == b"in\n", "logins go on by the old one"
        assert is_alive(running[1]) and running[0].isalive()
    finally:
        path.write_text(text)
        bastion.ctl("reload")


def test_expired_memory_of_a_key_ends_no_session(bastion, client):
    child = client.spawn("echo up; read line; echo got $line")
    child.expect("up\r\n")
    with bastion.changed(login={"remember_s": 0}):
        assert client.run("true").returncode == 255
        child.sendline("this")
        child.expect("got this\r\n")
