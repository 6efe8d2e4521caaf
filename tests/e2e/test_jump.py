# SPDX-License-Identifier: Apache-2.0
"""`ssh -J bastion root@web1`: the bastion answers the inner SSH itself, and records it."""
import json
import re
import subprocess

import pytest

from tests.support.brec import Recording
from tests.support.stack import ME, wait_until


@pytest.fixture
def jump(bastion, client, tmp_path):
    """Runs the stock client with -J; the bastion's keys for its targets are known."""
    known = tmp_path / "known_hosts"
    known.write_text(client.known_hosts.read_text() + bastion.ctl("known-hosts").stdout)
    config = tmp_path / "ssh_config"
    config.write_text(f"""
Host *
  UserKnownHostsFile {known}
  IdentityFile {client.key}
  IdentitiesOnly yes
  IdentityAgent none
  BatchMode yes
  LogLevel ERROR
  StrictHostKeyChecking yes
Host bastion
  HostName 127.0.0.1
  Port {bastion.port}
  User somebody
Host web* db* nowhere
  ProxyJump bastion
""")

    def run(*words, program="ssh", **more):
        more.setdefault("timeout", 60)
        more.setdefault("capture_output", True)
        if "input" not in more:
            more.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run([program, "-F", str(config), *words], **more)

    run.config = config
    run.known = known
    return run


def test_a_command_through_a_jump_is_as_direct(jump):
    done = jump(f"{ME}@web1", "cat; echo err >&2; exit 7", input=b"in")
    assert (done.stdout, done.stderr, done.returncode) == (b"in", b"err\n", 7)


def test_a_jump_is_recorded_as_a_session_of_its_own(bastion, jump):
    before = set(bastion.recordings())
    assert jump(f"{ME}@web1", "echo by jump").stdout == b"by jump\n"
    made = set(bastion.recordings()) - before
    assert len(made) == 1
    session = Recording(made.pop(), bastion.identity_file)
    assert session.readable() == "by jump\n"
    assert session.facts["target"] == "web1"


def test_each_target_has_a_host_key_of_its_own_that_stays(bastion, jump):
    lines = bastion.ctl("known-hosts").stdout.splitlines()
    keys = {line.split()[0].split(",")[0]: line.split()[2] for line in lines}
    assert set(keys) == {"db1", "web1"} and len(set(keys.values())) == 2
    for name in keys:
        assert jump(f"{ME}@{name}", "true").returncode == 0
    jump.known.write_text(jump.known.read_text().replace(keys["web1"], keys["db1"]))
    changed = jump(f"{ME}@web1", "true")
    assert changed.returncode == 255 and b"Host key verification failed" in changed.stderr


def test_a_destination_outside_the_inventory_is_refused(bastion, jump):
    done = jump(f"{ME}@nowhere", "true")
    assert done.returncode == 255
    assert b"stdio forwarding failed" in done.stderr
    for place in (f"127.0.0.1:{bastion.port}", "127.0.0.1:1", "web1:23", "web1,db1:22"):
        done = jump("-v", "-o", "LogLevel=DEBUG1", "-W", place, "bastion")
        assert done.returncode == 255 and b"administratively prohibited" in done.stderr, place
        assert b"Remote: sallyport: no" in done.stderr, place  # the reason, for ssh -v


def test_a_target_is_found_by_its_address(bastion, jump):
    done = jump("-J", "bastion", "-p", str(bastion.target.port), f"{ME}@127.0.0.1", "echo here")
    assert done.stdout == b"here\n", done.stderr


def test_a_target_out_of_reach_is_refused_as_one_that_does_not_exist(bastion, client, jump):
    with bastion.changed(roles={"admins": {"groups": ["nobody"], "targets": ["*"],
                                           "logins": [ME]}}):
        words = [jump("-v", "-o", "LogLevel=DEBUG1", "-W", f"{name}:22", "bastion").stderr
                 for name in ("db1", "db7")]
    said = [re.search(rb"Remote: (sallyport: .*)", text).group(1) for text in words]
    assert said[0].replace(b"db1", b"db7") == said[1]


def test_a_login_that_no_role_allows_is_told(jump):
    done = jump("nobody-here@web1", "true")
    assert done.returncode == 254
    assert b"sallyport: no role of yours allows login nobody-here on web1" in done.stderr


def test_the_outer_session_itself_says_why_it_reaches_nothing(jump):
    done = jump("bastion", "true")
    assert done.returncode == 254
    assert done.stderr.startswith(b"sallyport: no role of yours reaches somebody")


def test_files_go_through_a_jump(jump, tmp_path):
    data = bytes(range(256)) * 40_000
    (tmp_path / "here").write_bytes(data)
    there = tmp_path / "there"
    assert jump(str(tmp_path / "here"), f"{ME}@web1:{there}", program="scp").returncode == 0
    assert there.read_bytes() == data
    assert jump(f"{ME}@web1:{there}", str(tmp_path / "back"), program="scp").returncode == 0
    assert (tmp_path / "back").read_bytes() == data


def test_the_end_of_the_outer_session_is_the_end_of_the_inner_one(bastion, jump, tmp_path):
    process = subprocess.Popen(["ssh", "-F", str(jump.config), f"{ME}@web1", "sleep 60"],
                               stderr=subprocess.PIPE)
    try:
        wait_until(lambda: bastion.processes("back"), what="the inner session")
        listed = json.loads(bastion.ctl("sessions", "list", "--json").stdout)
        (outer,) = [session for session in listed if not session["target"]]
        crashes = len(bastion.events("a session process ended"))
        bastion.ctl("sessions", "kill", outer["session"], "--yes")
        process.wait(4)
        wait_until(lambda: not bastion.processes("back"), 8, "the end of the inner session")
        wait_until(lambda: not bastion.processes("front"), 12, "the end of both")
        assert len(bastion.events("a session process ended")) == crashes
    finally:
        process.kill()
        process.communicate()
