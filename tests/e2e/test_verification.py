# SPDX-License-Identifier: Apache-2.0
# takes minutes
"""What verification says of recordings that were cut, flipped, still run, or stand without a log;
test_tampering.py has the list of what somebody may do to them."""
import os
import struct
import subprocess

from tests.support.evidence import Evidence, Frames
from tests.support.five_recordings import (  # noqa: F401
    LOG, OPEN, WHOLE, WRONG, A, B, C, D, E, named, reframe, untouched)
from tests.support.player import PLAY, auditor  # noqa: F401


def test_a_recording_cut_at_every_length(untouched, tmp_path):
    tree = untouched.copy(tmp_path / "state")
    good = tree.path(E).read_bytes()
    lengths = list(range(0, 200, 9)) + list(range(1000, len(good), 1 if len(good) < 2500 else 7)) + \
        list(range(len(good) - 30, len(good)))
    for length in lengths:
        tree.path(E).write_bytes(good[:length])
        assert said_wrong(tree, E), "cut to %d of %d" % (length, len(good))


def said_wrong(tree, name):
    done = tree.verify(tree.path(name))
    return done.returncode == WRONG and name in done.stderr


def test_every_byte_flipped(untouched, tmp_path):
    tree = untouched.copy(tmp_path / "state")
    good = tree.path(E).read_bytes()
    size = struct.unpack_from("<H", good, 8)[0] * 256
    places = list(range(0, 600)) + list(range(600, size, 9)) + list(range(size, len(good), 2))
    for place in places:
        data = bytearray(good)
        data[place] ^= 1
        tree.path(E).write_bytes(data)
        assert said_wrong(tree, E), "byte %d of %d" % (place, len(good))


def test_one_that_still_runs_is_open_and_may_have_grown(untouched, tmp_path):
    tree = untouched.copy(tmp_path / "state")
    running = "f5" * 16 + "-0"
    frames = tree.record(running, ["line %d\r\n" % i for i in range(9)], end="cut")
    tree.start(running, frames)
    tree.heads((running, 6, frames.heads()[6]))
    tree.sign()
    status, report = tree.verify_json()
    assert (status, named(report)) == (OPEN, {running, D, C})
    one = tree.verify(running)
    assert one.returncode == OPEN and "of 10 frames the log has 6" in one.stdout
    reframe(tree, running, lambda frames: frames.pop(4))
    assert tree.verify(running).returncode == WRONG


def test_one_without_heads_is_held_by_its_start(untouched, tmp_path):
    tree = untouched.copy(tmp_path / "state")
    running = "f5" * 16 + "-0"
    tree.start(running, tree.record(running, ["hello\r\n"], end="cut"))
    tree.sign()
    assert tree.verify(running).returncode == OPEN
    tree.path(running).unlink()
    tree.record(running, ["something else\r\n"], end="cut")
    done = tree.verify(running)
    assert done.returncode == WRONG and "not the one that was logged when it started" in done.stdout


def test_a_start_that_is_not_signed_yet_is_open(untouched, tmp_path):
    tree = untouched.copy(tmp_path / "state")
    name = "f6" * 16 + "-0"
    tree.start(name, tree.record(name, ["hello\r\n"]))
    checkpoint = (tree.log / "checkpoint").read_bytes()
    tree.sign()
    (tree.log / "checkpoint").write_bytes(checkpoint)
    one = tree.verify(name)
    assert one.returncode == OPEN and "not yet signed" in one.stdout


def test_one_is_verified_by_its_id_with_what_is_open(untouched):
    whole = untouched.verify(A)
    assert whole.returncode == WHOLE and "Not proven" not in whole.stdout
    count = len(Frames(untouched.path(A).read_bytes()).frames)
    assert "All of its %d frames are those that were logged at its end" % count in whole.stdout
    no_identity = untouched.verify(A, identity=False)
    assert no_identity.returncode == OPEN and "The content: without an identity" in no_identity.stdout
    no_key = untouched.verify(A, key="")
    assert no_key.returncode == OPEN and "its key is not known to you" in no_key.stdout
    erased = untouched.verify(D)
    assert erased.returncode == WHOLE and "nobody can read it any more" in erased.stdout
    killed = untouched.verify(C)
    assert killed.returncode == WHOLE and "without its monitor" in killed.stdout


def test_without_a_log_something_stays_open(untouched, tmp_path):
    alone = tmp_path / "r.brec"
    alone.write_bytes(untouched.path(A).read_bytes())
    done = untouched.verify(alone, key="")
    assert done.returncode == OPEN and "there is no log here" in done.stdout
    gone = untouched.verify("0123456789")
    assert gone.returncode == WRONG and "no recording in" in gone.stderr


def test_a_deleted_one_is_named_by_its_id(untouched, tmp_path):
    tree = untouched.copy(tmp_path / "state")
    tree.path(B).unlink()
    done = tree.verify(B[:8])
    assert done.returncode == WRONG and B in done.stderr and "file is missing" in done.stdout


def test_a_session_that_lost_a_channel_is_not_proven_by_the_other(untouched, tmp_path):
    tree = untouched.copy(tmp_path / "state")
    second = A[:32] + "-1"
    frames = tree.record(second, ["hello\r\n"])
    tree.start(second, frames)
    tree.end(second, frames)
    tree.sign()
    assert "name one of them" in tree.verify(A[:32]).stderr
    tree.path(second).unlink()
    done = tree.verify(A[:32])
    assert done.returncode == WRONG and second + ": Its file is missing" in done.stderr
    assert "All of its" in done.stdout  # the other
    assert tree.verify(A).returncode == WHOLE


def test_a_checkpoint_that_another_key_signed_is_refused(untouched, tmp_path, auditor):  # noqa: F811
    other = Evidence(tmp_path / "other", auditor, "another node's")
    other.entry("audit " + "00" * 32)
    (tmp_path / "kept").write_bytes(other.sign())
    status, report = untouched.verify_json("--all", "--checkpoint", tmp_path / "kept")
    assert (status, named(report)) == (WRONG, {LOG, C, D})
    (tmp_path / "kept").write_text("nonsense\n\n")
    assert untouched.verify("--all", "--checkpoint", tmp_path / "kept").returncode == WRONG


def test_the_settings_may_have_log_and_key(untouched, tmp_path):
    (tmp_path / "sallyport").mkdir()
    (tmp_path / "sallyport" / "play.json").write_text(
        '{"recordings": "%s", "log": "%s", "log_key": "%s", "identity": "%s"}' %
        (untouched.recordings, untouched.log, untouched.key, untouched.identity))
    done = subprocess.run([PLAY, "verify", "--all"], capture_output=True,
                          env={"PATH": os.environ["PATH"], "XDG_CONFIG_HOME": str(tmp_path)})
    assert done.returncode == WHOLE, done.stdout
