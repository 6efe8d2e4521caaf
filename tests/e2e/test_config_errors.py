# SPDX-License-Identifier: Apache-2.0
"""Somebody breaks the configuration under a bastion that runs: what only asks its daemons goes on."""
import json
import subprocess

import pytest

from tests.support.shell import shell
from tests.support.stack import BUILD, Client, wait_until

WARNING = "sallyportctl: warning: the configuration has errors (see: sallyportctl --config "
NO_RECIPIENTS = "needs recording.keystrokes.recipients"


@pytest.fixture
def broken(bastion):
    """The bastion, whose configuration cannot be loaded any more."""
    before = json.dumps(bastion.config)
    bastion.config["roles"]["admins"]["record_keystrokes"] = True
    bastion.write_config()
    yield bastion
    bastion.config = json.loads(before)
    bastion.write_config()


@pytest.fixture
def unreadable(bastion):
    path = bastion.config_folder / "sallyport.json"
    before = path.read_text()
    path.write_text(before[:-3])
    yield bastion
    path.write_text(before)


def ask(bastion, *words):
    done = bastion.ctl(*words, check=False)
    assert done.returncode in (0, 3), done.stderr
    assert done.stderr.startswith(WARNING) and str(bastion.config_folder) in done.stderr
    assert done.stderr.splitlines()[0].endswith(f"runs in {bastion.folder / 'run'}")
    return done.stdout


def test_a_session_is_listed_and_ended_under_a_broken_configuration(broken, tmp_path):
    client = Client(broken, tmp_path, "alice")
    client.log_in(broken.idp.approve)
    child = shell(client)
    entry, = wait_until(lambda: json.loads(ask(broken, "sessions", "list", "--json")), 10, "it")
    assert "ended" in ask(broken, "sessions", "kill", entry["session"], "--yes")
    child.expect("ended by an administrator|administrator")
    child.close()


@pytest.mark.parametrize("words", [
    ("keys", "list"), ("vault", "list"), ("vault", "public", "main"), ("recordings", "list"),
    ("recordings", "retention"), ("recordings", "verify", "--all"), ("log", "key"),
    ("log", "checkpoint"), ("log", "verify"), ("reindex",)])
def test_who_only_asks_goes_on_with_a_warning(broken, client, words):
    wait_until(lambda: broken.recordings() and broken.ctl("log", "checkpoint", check=False)
               .returncode == 0, 10, "a checkpoint")
    assert ask(broken, *words)


def test_a_hold_is_set_and_released(broken, client):
    recording = json.loads(ask(broken, "recordings", "list", "--json"))[0]["recording"]
    assert "is held" in ask(broken, "recordings", "hold", recording, "--reason", "case 12")
    assert "is not held" in ask(broken, "recordings", "release", recording)


@pytest.mark.parametrize("words", [
    ("reload",), ("known-hosts",), ("target", "list"), ("recordings", "retention", "--now", "--yes"),
    ("recordings", "order", "0123456789", "--reason", "r"), ("vault", "remove", "main", "--yes"),
    ("recordings", "erase", "0123456789", "--reason", "r", "--yes")])
def test_what_depends_on_the_configuration_waits_for_it(broken, words):
    done = broken.ctl(*words, check=False)
    assert done.returncode == 1 and NO_RECIPIENTS in done.stderr
    assert "warning" not in done.stderr


def test_without_json_it_is_not_known_where_the_bastion_runs(unreadable):
    done = unreadable.ctl("sessions", "list", check=False)
    assert done.returncode == 1
    assert "parsing" in done.stderr or "syntax error" in done.stderr
    assert "not known where this bastion runs; mend that first" in done.stderr
    other = unreadable.config_folder / "90-where.json"
    other.write_text(json.dumps({"runtime_directory": str(unreadable.folder / "run")}))
    try:
        assert ask(unreadable, "sessions", "list")
    finally:
        other.unlink()


def can_have_another_etc():
    """Root can, but not in a chroot."""
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not can_have_another_etc(), reason="no mount namespace of one's own here")
def test_of_the_package_the_folders_are_known_without_json(tmp_path):
    (tmp_path / "sallyport").mkdir()
    (tmp_path / "sallyport" / "sallyport.json").write_text("{")
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc && exec "$1" sessions list',
         tmp_path, BUILD / "bin" / "sallyportctl"], capture_output=True, text=True, timeout=60)
    warning, error = done.stderr.splitlines()
    assert warning == ("sallyportctl: warning: the configuration has errors (see: sallyportctl "
                       "config check); this is about the bastion that runs in /run/sallyport")
    assert "authd" in error and "so it is not known" not in error
