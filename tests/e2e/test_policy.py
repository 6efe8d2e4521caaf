# SPDX-License-Identifier: Apache-2.0
"""Who may go where: a refusal is one line on stderr and exit status 254, which nothing else uses."""
import re
import time

import pytest

from tests.support.raw_ssh import RawSsh, Success
from tests.support.screen import Screen, normalised
from tests.support.stack import ME, Client

ROLES = {
    "users": {"groups": ["ssh-users"], "targets": ["web*"], "logins": [ME, "deploy"]},
    "guests": {"groups": ["guests"], "targets": ["web1"], "logins": ["deploy"],
               "channels": ["exec"]},
    "nobody-yet": {"groups": ["nobody"], "targets": ["*"], "logins": ["*"]},
}
WHOM_TO_ASK = "; ask an administrator of this bastion"
ALICES = "your groups: ssh-users, admins"


@pytest.fixture(scope="module", autouse=True)
def roles(bastion):
    bastion.config["roles"] = ROLES
    bastion.write_config()
    bastion.ctl("reload")


@pytest.fixture(scope="module")
def people(bastion, tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    made = {}
    for person, target in (("alice", f"{ME}@web1"), ("bob", "deploy@web1")):
        made[person] = Client(bastion, folder, person)
        child = made[person].spawn("true", user=target)
        child.expect(r"Code\s+(\S+)")
        bastion.idp.approve(child.match.group(1).decode(), person)
        child.expect("Press Enter")
        child.sendline("")
        child.wait()
    return made


def assert_refused(done, why):
    assert done.stderr.decode() == f"sallyport: {why}\r\n"
    assert (done.returncode, done.stdout) == (254, b"")


@pytest.mark.parametrize("person, user, why", [
    ("alice", f"{ME}@db1", f"no role of yours reaches db1 ({ALICES})" + WHOM_TO_ASK),
    ("alice", f"{ME}@web9", f"no role of yours reaches web9 ({ALICES})" + WHOM_TO_ASK),
    ("alice", "nowhere", f"no role of yours reaches nowhere ({ALICES})" + WHOM_TO_ASK),
    ("alice", "oracle@web1", "no role of yours allows login oracle on web1 (allowed there: deploy, "
     f"{ME})" + WHOM_TO_ASK),
    ("bob", f"{ME}@web1", f"no role of yours allows login {ME} on web1 (allowed there: deploy)" +
     WHOM_TO_ASK),
    ("bob", "deploy@db1", "no role of yours reaches db1 (your groups: guests)" + WHOM_TO_ASK),
], ids=["target", "unknown-target", "unknown-name", "login", "another-role's-login", "group"])
def test_refused_by_policy(people, person, user, why):
    assert_refused(people[person].run("echo in", user=user), why)


def test_unknown_target_reads_like_one_out_of_reach(people):
    """Who may not go there does not learn whether it exists."""
    unknown = people["alice"].run("true", user=f"{ME}@db2").stderr
    out_of_reach = people["alice"].run("true", user=f"{ME}@db1").stderr
    assert unknown.replace(b"db2", b"db1") == out_of_reach


@pytest.mark.parametrize("target", ["db1", "web9"])
def test_refusal_on_the_screen(people, tmp_path, target):
    with Screen(tmp_path / "tmux", people["alice"].command(user=f"{ME}@{target}")) as terminal:
        assert normalised(terminal.wait_for_end(), ME) == (
            f"sallyport: no role of yours reaches {target} ({ALICES}){WHOM_TO_ASK}\n"
            "[exit status 254]")


def test_channel_that_no_role_gives(people):
    done = people["bob"].run(user="deploy@web1", input=b"echo in\n", options=["-T"])
    assert_refused(done, "no role of yours allows a shell on web1")


def test_refused_user_gets_no_session(bastion, people):
    before = len(bastion.events("session begins")), len(bastion.recordings())
    assert people["alice"].run("true", user=f"{ME}@db1").returncode == 254
    assert (len(bastion.events("session begins")), len(bastion.recordings())) == before
    logged = bastion.events("login_refused")[-1]
    assert (logged["person"], logged["user"]) == ("alice@example.com", f"{ME}@db1")
    assert re.match("no role of yours reaches db1", logged["why"])


def test_refused_connection_stays_refused(bastion, people):
    """What authd has said once, no later request of the same connection changes."""
    with RawSsh(bastion.port) as raw:
        assert raw.prove(f"{ME}@db1", people["alice"].key) == Success()
        time.sleep(0.2)
        raw.none(f"{ME}@web1")
    assert bastion.events("login_refused")[-1]["user"] == f"{ME}@db1"
    assert "session begins" not in [line["event"] for line in bastion.log()[-5:]]
