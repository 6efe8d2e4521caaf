# SPDX-License-Identifier: Apache-2.0
"""`sallyportctl log key` and `log checkpoint`: the real keyd signs, and what it has signed verifies
with OpenSSL and this file alone."""

import base64
import hashlib
import pathlib
import re
import subprocess

import pytest

from tests.e2e.test_vault import Keyd
from tests.support import ipc

ED25519_DER = bytes.fromhex("302a300506032b6570032100")
EMPTY = hashlib.sha256(b"").digest()


def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


@pytest.fixture
def keyd():
    daemon = Keyd()
    yield daemon
    daemon.remove()


def socket_of(keyd):
    return keyd.config / "run" / "keyd" / "socket"


def sign(keyd, size, root, proof=(), previous=""):
    with ipc.Connection(socket_of(keyd), uid=keyd_user(keyd)) as connection:
        return connection.ask("sign_checkpoint", size=size, root=root, proof=list(proof),
                              previous=previous)


def keyd_user(keyd):
    """keyd's own user may ask everything, whether it has dropped root or not."""
    status = pathlib.Path(f"/proc/{keyd.process.pid}/status").read_text()
    return int(re.search(r"^Uid:\s+(\d+)", status, re.M).group(1))


def verified_text(note, verifier, folder):
    """The text of the note, by its one signature, with stock openssl."""
    name, key_id, key = verifier.split("+", 2)
    key = base64.b64decode(key, validate=True)
    assert key[0] == 1 and len(key) == 33
    assert hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8] == key_id
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    match = re.fullmatch("\u2014 (\\S+) (\\S+)\n", signatures)
    assert match.group(1) == name
    signature = base64.b64decode(match.group(2), validate=True)
    assert signature[:4].hex() == key_id and len(signature) == 68
    (folder / "key.der").write_bytes(ED25519_DER + key[1:])
    (folder / "text").write_text(text)
    (folder / "signature").write_bytes(signature[4:])
    done = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey",
                           folder / "key.der", "-rawin", "-in", folder / "text", "-sigfile",
                           folder / "signature"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return text


def test_the_key_is_the_same_after_a_restart(keyd):
    key = keyd.run("log", "key")
    assert key.returncode == 0, key.stderr
    assert re.fullmatch(r"sallyport/[\w.-]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}\n", key.stdout)
    keyd.process.kill()
    keyd.process.wait(10)
    keyd.start()
    assert keyd.run("log", "key").stdout == key.stdout


def test_what_keyd_signs_verifies_elsewhere_and_a_rollback_is_refused(keyd, tmp_path):
    verifier = keyd.run("log", "key").stdout.strip()
    leaves = [leaf(b"entry %d" % number) for number in range(3)]
    two = node(leaves[0], leaves[1])
    three = node(two, leaves[2])
    first = sign(keyd, 2, two)
    assert first.ok, first.text
    keyd.process.kill()
    keyd.process.wait(10)
    keyd.start()
    assert not sign(keyd, 1, leaves[0]).ok
    assert not sign(keyd, 3, three).ok
    second = sign(keyd, 3, three, [leaves[2]])
    assert second.ok, second.text
    origin, size, root = verified_text(second.note, verifier, tmp_path).splitlines()
    assert origin == verifier.split("+")[0] and size == "3"
    assert base64.b64decode(root) == three

    assert keyd.stop() == 0
    (keyd.config / "state" / "keyd" / "log.state").unlink()
    keyd.start()
    lost = sign(keyd, 3, three)
    assert not lost.ok and "log.state is missing" in lost.text
    assert sign(keyd, 3, three, [leaves[2]], previous=first.note).ok


def test_log_checkpoint_prints_only_what_the_key_has_signed(keyd):
    folder = keyd.config / "state" / "stored" / "log"
    none = keyd.run("log", "checkpoint")
    assert none.returncode == 1 and "there is no checkpoint yet" in none.stderr
    note = sign(keyd, 1, leaf(b"one")).note
    folder.mkdir(parents=True)
    (folder / "checkpoint").write_text(note)
    shown = keyd.run("log", "checkpoint")
    assert shown.returncode == 0 and shown.stdout == note
    (folder / "checkpoint").write_text(note.replace("\n1\n", "\n2\n"))
    forged = keyd.run("log", "checkpoint")
    assert forged.returncode == 1 and not forged.stdout
    assert str(folder / "checkpoint") in forged.stderr and "is wrong" in forged.stderr


def test_keyd_does_not_start_with_a_log_key_that_it_cannot_open(keyd):
    key = keyd.config / "state" / "keyd" / "log.key"
    good = key.read_bytes()
    assert keyd.stop() == 0
    key.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    refused = subprocess.run([keyd.process.args[0], "--config", keyd.config], capture_output=True,
                             text=True, timeout=20)
    assert refused.returncode == 70 and "log.key: damaged" in refused.stderr
    key.write_bytes(good)
    keyd.start()


def test_a_damaged_state_leaves_the_vault_at_work(keyd):
    state = keyd.config / "state" / "keyd" / "log.state"
    assert sign(keyd, 1, leaf(b"one")).ok
    good = state.read_text()
    assert keyd.stop() == 0
    state.write_text("garbage")
    keyd.start()
    assert "log_state_unusable" in (keyd.folder / "keyd.log").read_text()
    assert keyd.vault("generate", "meanwhile").returncode == 0
    assert not sign(keyd, 2, leaf(b"x")).ok
    state.write_text(good)
    assert sign(keyd, 2, node(leaf(b"one"), leaf(b"two")), [leaf(b"two")]).ok
