# SPDX-License-Identifier: Apache-2.0
"""What docs/operations.md says of backups: in which order they are made, what comes back from them,
and what they can hide."""
import json
import shutil

import pytest

from tests.support.stack import Client, wait_until

WRONG = 1


@pytest.fixture
def alice(fresh_bastion, tmp_path):
    client = Client(fresh_bastion, tmp_path, "alice")
    client.log_in(fresh_bastion.idp.approve)
    fresh_bastion.verify("--all")
    return client


def listed(bastion, *options):
    return json.loads(bastion.ctl("recordings", "list", "--json", *options).stdout)


def state_of(bastion, daemon):
    return bastion.folder / "state" / daemon


def back_up(bastion, daemon):
    """While it runs; stored's index is no part of it."""
    copy = bastion.folder / f"{daemon}.copy"
    shutil.copytree(state_of(bastion, daemon), copy, ignore=shutil.ignore_patterns("index.db*"))
    return copy


def restore(bastion, *copies):
    bastion.stop()
    for copy in copies:
        shutil.rmtree(state_of(bastion, copy.stem))
        shutil.copytree(copy, state_of(bastion, copy.stem))
    bastion.start()


def record(bastion, client):
    assert client.run("echo hello").stdout == b"hello\n"
    bastion.verify("--all")


def test_keyd_first_then_stored_is_a_pair_that_starts(fresh_bastion, alice):
    keyd = back_up(fresh_bastion, "keyd")
    record(fresh_bastion, alice)
    stored = back_up(fresh_bastion, "stored")
    restore(fresh_bastion, keyd, stored)
    record(fresh_bastion, alice)
    assert len(fresh_bastion.recordings()) == 3


def test_stored_first_then_keyd_is_a_log_that_was_rolled_back(fresh_bastion, alice):
    stored = back_up(fresh_bastion, "stored")
    record(fresh_bastion, alice)
    keyd = back_up(fresh_bastion, "keyd")
    with pytest.raises(AssertionError, match="rolled back"):
        restore(fresh_bastion, keyd, stored)


def test_an_old_log_without_keyds_state_is_seen_by_what_was_kept_alone(fresh_bastion, alice,
                                                                       tmp_path):
    stored = back_up(fresh_bastion, "stored")
    record(fresh_bastion, alice)
    (tmp_path / "kept").write_text(fresh_bastion.ctl("log", "checkpoint").stdout)
    (state_of(fresh_bastion, "keyd") / "log.state").unlink()
    restore(fresh_bastion, stored)
    record(fresh_bastion, alice)
    assert fresh_bastion.ctl("log", "verify").returncode == 0
    record(fresh_bastion, alice)
    kept = fresh_bastion.ctl("log", "verify", "--checkpoint", str(tmp_path / "kept"), check=False)
    assert kept.returncode == WRONG


def test_an_export_takes_the_place_of_a_damaged_log(fresh_bastion, alice, tmp_path):
    record(fresh_bastion, alice)
    fresh_bastion.ctl("log", "export", str(tmp_path / "copy"))
    fresh_bastion.stop()
    log = state_of(fresh_bastion, "stored") / "log"
    pending = log / "pending-0"
    data = pending.read_bytes()
    at = data.index(b" start ")
    pending.write_bytes(data[:at - 1] + bytes([data[at - 1] ^ 1]) + data[at:])
    with pytest.raises(AssertionError, match="The log was rolled back or damaged"):
        fresh_bastion.start()
    fresh_bastion.stop()
    shutil.rmtree(log)
    shutil.copytree(tmp_path / "copy", log)
    fresh_bastion.start()
    record(fresh_bastion, alice)


def test_who_it_was_goes_from_a_recording_whose_file_is_gone(fresh_bastion, alice):
    record(fresh_bastion, alice)
    wait_until(lambda: all(e["state"] == "ended" for e in listed(fresh_bastion)), 10, "the end")
    gone = fresh_bastion.recordings()[-1]
    gone.unlink()
    refused = fresh_bastion.ctl("recordings", "erase", gone.stem, "--reason", "request 4711", "--yes",
                                check=False)
    assert refused.returncode == 1 and "has no file any more" in refused.stderr
    (gone.parent.parent / "facts" / f"{gone.stem}.json").unlink()
    fresh_bastion.ctl("reindex")
    entry, = [e for e in listed(fresh_bastion) if e["recording"] == gone.stem]
    assert (entry["state"], entry["person"], entry["address"]) == ("missing", "", "")
    assert listed(fresh_bastion, "--state", "missing") == [entry]
    findings = fresh_bastion.findings("--all")
    assert {recording for _, recording, _ in findings} == {gone.stem}
    assert "missing" in " ".join(text for _, _, text in findings)
