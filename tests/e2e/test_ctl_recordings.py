# SPDX-License-Identifier: Apache-2.0
"""`sallyportctl recordings` and what people type behind it."""
import json
import shutil
import subprocess

import pytest

from tests.support.stack import BUILD, wait_until

CTL = BUILD / "bin" / "sallyportctl"


@pytest.mark.parametrize("words, said", [
    (["recordings", "export", "3f9a01", "--evidence", "-o", ""], "the value of -o"),
    (["recordings", "verify", "3f9a01", "--checkpoint", ""], "the value of --checkpoint"),
    (["recordings", "verify", "--checkpoint=", "3f9a01"], "the value of --checkpoint"),
    (["log", "verify", "--checkpoint", ""], "the value of --checkpoint"),
    (["recordings", "list", "--person", ""], "the value of --person"),
    (["recordings", "list", "--since", "", "--json"], "the value of --since"),
    (["recordings", "erase", "", "--reason", "r"], "argument 5")])
def test_what_is_empty_is_refused_and_takes_nothing_else_in(bastion, tmp_path, words, said):
    done = subprocess.run([CTL, "--config", bastion.config_folder, *words], capture_output=True,
                          text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 2 and not done.stdout
    assert done.stderr == f"sallyportctl: {said} is empty; name one, or leave it out\n"
    assert not list(tmp_path.iterdir())


def test_what_the_verifier_asks_for_can_be_given(bastion, client, tmp_path):
    client.run("echo hello")
    bastion.verify("--all")
    recording = bastion.recordings()[-1].stem
    opened = bastion.ctl("recordings", "verify", recording, "-i", str(bastion.identity_file))
    assert "without an identity" not in opened.stdout
    shutil.copytree(bastion.recordings_folder().parent / "log", tmp_path / "log")
    shutil.copytree(bastion.recordings_folder(), tmp_path / "elsewhere")
    places = ("--log", str(tmp_path / "log"), "--log-key", bastion.log_key())
    for words in (("recordings", "verify", "--all", "--recordings", str(tmp_path / "elsewhere"),
                   "-i", str(bastion.identity_file)), ("log", "verify")):
        assert bastion.ctl(*words, *places).stdout
    bastion.ctl("recordings", "export", recording, "--evidence", "-o", str(tmp_path / "case"),
                "--recordings", str(tmp_path / "elsewhere"), *places)
    other = "sallyport/other+00000000+" + bastion.log_key().split("+", 2)[2]
    assert bastion.ctl("log", "verify", "--log-key", other, check=False).returncode == 1


def listed(bastion, *options):
    return json.loads(bastion.ctl("recordings", "list", "--json", *options).stdout)


@pytest.fixture
def recording(bastion, client):
    """One that has ended."""
    client.run("echo hello")
    return wait_until(lambda: all(e["state"] == "ended" for e in listed(bastion)) and
                      listed(bastion)[0]["recording"], 10, "its end")


def test_a_second_reason_of_a_hold_is_refused_with_the_first(bastion, recording):
    bastion.ctl("recordings", "hold", recording, "--reason", "case 12")
    bastion.ctl("recordings", "hold", recording, "--reason", "case 12")
    second = bastion.ctl("recordings", "hold", recording, "--reason", "case 13", check=False)
    assert second.returncode == 1 and not second.stdout
    assert 'is held already, for the reason "case 12"' in second.stderr
    assert f"sallyportctl recordings release {recording}" in second.stderr
    entry, = listed(bastion, "--held")
    assert (entry["hold"], entry["hold_reason"]) == (True, "case 12")
    assert bastion.ctl("recordings", "list", "--held").stdout.rstrip().endswith("held: case 12")
    bastion.ctl("recordings", "release", recording)
    assert listed(bastion)[0]["hold_reason"] == ""
    bastion.ctl("recordings", "hold", recording, "--reason", "case 13")
    assert listed(bastion, "--held")[0]["hold_reason"] == "case 13"
    bastion.ctl("recordings", "release", recording)


def test_one_that_cannot_be_held_keeps_no_other_from_it(bastion, recording):
    other = listed(bastion)[1]["recording"]
    first, last = sorted([recording, other])
    bastion.ctl("recordings", "hold", first, "--reason", "case 12")
    done = bastion.ctl("recordings", "hold", first, last, "--reason", "case 13", check=False)
    assert done.returncode == 1 and f"{last} is held" in done.stdout
    assert "case 12" in done.stderr
    bastion.ctl("recordings", "release", first, last)


def test_recordings_are_held_by_the_ids_that_verify_takes(bastion, recording):
    session = recording.split("-")[0]
    for name in (session[:6], session[:6].upper(), f"{session[:8]}-0", recording):
        assert f"{recording} is held" in bastion.ctl("recordings", "hold", name, "--reason", "r").stdout
        bastion.ctl("recordings", "release", name)
    for name, why in ((session[:5], "at least 6 digits"), (f"{session[:6]}k", "no recording"),
                      (f"{session[:6]}-7", "no recording"), ("hello!", "no recording's id")):
        for words in (["hold"], ["release"], ["erase", "--yes"]):
            reason = [] if words == ["release"] else ["--reason", "r"]
            done = bastion.ctl("recordings", *words, name, *reason, check=False)
            assert done.returncode == 1 and why in done.stderr, done.stderr
