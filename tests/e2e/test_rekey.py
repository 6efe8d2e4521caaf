# SPDX-License-Identifier: Apache-2.0
"""A target that exchanges keys again: the host key is compared with the pins at every exchange,
before anything that comes after it is read."""
import pathlib
import subprocess

import pytest

from tests.support import paramiko_target
from tests.support.stack import ME, make_key


def fingerprint(key):
    shown = subprocess.run(["ssh-keygen", "-l", "-f", key], capture_output=True, text=True)
    return shown.stdout.split()[1]


@pytest.fixture
def keys(tmp_path):
    made = [make_key(tmp_path / name, "ecdsa") for name in ("first", "second")]
    for key in made:  # paramiko reads PEM
        subprocess.run(["ssh-keygen", "-q", "-p", "-N", "", "-m", "PEM", "-f", key], check=True)
    return made


@pytest.fixture
def run(bastion, client, keys):
    """Runs a command at a target that goes from the first key to `then`; `pinned` are its pins."""
    def started(then, pinned):
        pins = [word for key in pinned for word in
                ("--host-key", pathlib.Path(f"{key}.pub").read_text().strip())]
        with paramiko_target.running("rekeying_target.py", keys[0], then) as port:
            bastion.ctl("target", "add", "web2", f"127.0.0.1:{port}", "--key", "main", *pins,
                        "--yes")
            try:
                return client.run("anything", user=f"{ME}@web2")
            finally:
                bastion.ctl("target", "remove", "web2", "--yes")

    return started


def test_another_key_at_a_later_exchange_ends_the_session_before_its_first_byte(run, keys):
    done = run(then=keys[1], pinned=keys[:1])
    assert b"after" not in done.stdout
    assert done.stderr.decode() == (
        f"sallyport: the host key of web2 is not the pinned one: pinned {fingerprint(keys[0])}, "
        f"offered {fingerprint(keys[1])}; ask your administrator before anything else\r\n")
    assert done.returncode == 254


@pytest.mark.parametrize("then, pinned", [(0, 1), (1, 2)], ids=["the same", "another pinned one"])
def test_a_pinned_key_at_a_later_exchange_is_fine(run, keys, then, pinned):
    done = run(then=keys[then], pinned=keys[:pinned])
    assert (done.returncode, done.stdout) == (0, b"before\nafter\n"), done.stderr
