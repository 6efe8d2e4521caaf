# SPDX-License-Identifier: Apache-2.0
"""`sallyportctl recordings` and what people type behind it."""
import shutil
import subprocess

import pytest

from tests.support.stack import BUILD

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
