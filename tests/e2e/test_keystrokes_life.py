# SPDX-License-Identifier: Apache-2.0
"""The life of recorded keystrokes: days of their own, and what befalls the session that they are
of."""
import json

import pytest

from tests.e2e.conftest import running_stack
from tests.support import recipe
from tests.support.fast_clock import FastClock
from tests.support.shell import Watch, leave, shell
from tests.support.stack import Client, wait_until

DAY = 24 * 3600


def listed(bastion):
    return {entry["recording"]: entry
            for entry in json.loads(bastion.ctl("recordings", "list", "--json").stdout)}


def typed_session(bastion, client):
    """The paths of its recording and of its keystrokes."""
    watch = Watch(bastion)
    leave(shell(client))
    screen, keys = sorted(watch.paths(2))
    assert keys.stem == screen.stem + "k"
    wait_until(lambda: all(listed(bastion)[path.stem]["state"] == "ended" for path in (screen, keys)),
               10, "the end of both")
    return screen, keys


@pytest.fixture
def clock():
    clock = FastClock()
    yield clock
    clock.remove()


@pytest.fixture
def bastion(clock, tmp_path):
    with running_stack(tmp_path, build=clock.build, login={"remember_s": 30 * DAY}) as bastion:
        users = {**bastion.config["roles"]["users"], "record_keystrokes": True, "retention_days": 20}
        keystrokes = {"recipients": bastion.config["recording"]["recipients"], "retention_days": 2}
        with bastion.changed(recording={"keystrokes": keystrokes}, roles={"users": users}):
            yield bastion


@pytest.fixture
def client(bastion, tmp_path):
    client = Client(bastion, tmp_path)
    client.log_in(bastion.idp.approve)
    return client


def test_keystrokes_are_deleted_by_their_own_days_and_the_recording_by_its_role_s(
        bastion, client, clock):
    screen, keys = typed_session(bastion, client)
    held_screen, held_keys = typed_session(bastion, client)
    bastion.ctl("recordings", "hold", held_screen.stem.split("-")[0], "--reason", "case 12")
    clock.pass_time(DAY)
    assert "0 would be deleted" in bastion.ctl("recordings", "retention").stdout
    clock.pass_time(DAY * 3 // 2)
    wait_until(lambda: not keys.exists(), 20, "the deletion")
    assert all(path.exists() for path in (screen, held_screen, held_keys))
    assert "recording.keystrokes.retention_days is 2" in bastion.verdict(keys.stem)
    bastion.verify("--all")
    clock.pass_time(18 * DAY)
    wait_until(lambda: not screen.exists(), 20, "the deletion")
    assert held_screen.exists() and held_keys.exists()
    bastion.verify("--all")


def test_an_erased_session_loses_its_keystrokes_too(bastion, client):
    screen, keys = typed_session(bastion, client)
    before = {path: path.read_bytes() for path in (screen, keys)}
    done = bastion.ctl("recordings", "erase", screen.stem.split("-")[0], "--reason", "request 4711",
                       "--yes")
    for path in (screen, keys):
        assert path.stem in done.stdout
        assert listed(bastion)[path.stem]["state"] == "erased"
        now = path.read_bytes()
        assert len(now) == len(before[path]) and now != before[path]
        assert not (screen.parent.parent / "facts" / f"{path.stem}.json").exists()
    bastion.verify("--all")


def test_keystrokes_are_evidence_too(bastion, client, tmp_path):
    _, keys = typed_session(bastion, client)
    bastion.verify("--all")
    bastion.ctl("recordings", "export", keys.stem, "--evidence", "-o", str(tmp_path / "file.evidence"))
    done = recipe.follow(tmp_path / "file.evidence", tmp_path / "unpacked", bastion.log_key(),
                         bastion.identity_file)
    assert b"WRONG" not in done.stdout and b"OK     the name is the one in" in done.stdout, done.stdout
    assert '"part":"keystrokes"' in (tmp_path / "unpacked" / "content.cast").read_text()


def test_keystrokes_are_erased_alone(bastion, client):
    screen, keys = typed_session(bastion, client)
    bastion.ctl("recordings", "erase", keys.stem[:7] + "k", "--reason", "a password was echoed", "--yes")
    assert (listed(bastion)[screen.stem]["state"], listed(bastion)[keys.stem]["state"]) \
        == ("ended", "erased")
    bastion.play("export", str(screen), "--format", "text")
    bastion.verify("--all")
