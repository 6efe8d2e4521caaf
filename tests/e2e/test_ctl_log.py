# SPDX-License-Identifier: Apache-2.0
"""`sallyportctl log verify` and `log export`, `recordings verify` and `recordings export`: what the
operator verifies on the bastion, and copies that others verify without it."""
import contextlib
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import threading

import pytest

from tests.e2e.test_vault import Keyd
from tests.support.evidence import MAKE_LOG, Evidence
from tests.support.node_log import NodeLog, Verifier, number_path
from tests.support.player import PLAY, auditor  # noqa: F401
from tests.support.stack import BUILD, Client, wait_until

VERIFIER = pathlib.Path(__file__).resolve().parents[1] / "support" / "evidence_verifier.py"
CTL = BUILD / "bin" / "sallyportctl"
WHOLE, WRONG, OPEN, USAGE = 0, 1, 3, 2


@pytest.fixture
def alice(fresh_bastion, tmp_path):
    client = Client(fresh_bastion, tmp_path, "alice")
    client.log_in(fresh_bastion.idp.approve)
    return client


@pytest.fixture
def keyd():
    daemon = Keyd()
    yield daemon
    daemon.remove()


def log_folder(bastion):
    return bastion.folder / "state" / "stored" / "log"


def log_of(bastion, folder=None):
    return NodeLog(folder or log_folder(bastion), Verifier(bastion.log_key()))


def log_size(bastion):
    path = log_folder(bastion) / "checkpoint"
    return int(path.read_text().splitlines()[1]) if path.exists() else 0


def wait_for_ends(bastion, count):
    def is_signed():
        with contextlib.suppress(FileNotFoundError):
            return len(log_of(bastion).of("end")) == count
    wait_until(is_signed, 15, "the signed ends")


def bytes_below(folder):
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*") if path.is_file()}


def verify_copy(bastion, folder, *more):
    return subprocess.run(
        [PLAY, "verify", "--log-only", "--log", folder, "--log-key", bastion.log_key(), *more],
        capture_output=True, text=True, timeout=60, env={"HOME": "/nonexistent"})


# A bastion that runs.

def test_a_log_that_lost_its_checkpoint_is_no_empty_log(fresh_bastion, tmp_path):
    client = Client(fresh_bastion, tmp_path, "alice")
    client.log_in(fresh_bastion.idp.approve)
    wait_until(lambda: log_size(fresh_bastion), 10, "a checkpoint")
    (log_folder(fresh_bastion) / "checkpoint").unlink()
    looked = fresh_bastion.ctl("log", "verify", check=False)
    assert looked.returncode == 1 and "has no checkpoint" in looked.stdout


def test_the_log_is_whole_and_continues_what_was_kept(bastion, client, tmp_path):
    kept = tmp_path / "kept"
    size = wait_until(lambda: log_size(bastion), 10, "a checkpoint")
    kept.write_text(bastion.ctl("log", "checkpoint").stdout)
    client.run("true")
    wait_until(lambda: log_size(bastion) > size, 10, "a later checkpoint")
    words = bastion.ctl("log", "verify", "--checkpoint", str(kept))
    assert "was signed by the key of sallyport/test-node" in words.stdout
    assert f"The log continues {kept}, checkpoint 1" in words.stdout
    assert words.stdout.endswith("the log: proven\n") and not words.stderr
    report = json.loads(bastion.ctl("log", "verify", "--json").stdout)
    assert (report["verdict"], report["recordings"]) == ("proven", [])
    assert report["log"]["folder"] == str(log_folder(bastion))


def test_recordings_are_verified_and_exported_where_they_lie(bastion, client, tmp_path):
    client.run("echo hello")
    bastion.verify("--all")
    recording = bastion.recordings()[-1].stem
    sealed = bastion.ctl("recordings", "verify", "--all", "--json", check=False)
    assert sealed.returncode == OPEN, sealed.stderr
    report = json.loads(sealed.stdout)
    assert report["log"]["verdict"] == "proven"
    assert {path.stem for path in bastion.recordings()} == \
        {one["id"] for one in report["recordings"]}
    assert {one["verdict"] for one in report["recordings"]} == {"open"}

    settings = tmp_path / ".config" / "sallyport" / "play.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"identity": str(bastion.identity_file), "log": "/nowhere"}))
    opened = subprocess.run(
        [CTL, "--config", bastion.config_folder, "recordings", "verify", recording],
        capture_output=True, text=True, timeout=60, env={"HOME": str(tmp_path)})
    assert opened.returncode == WHOLE, opened.stdout + opened.stderr
    assert recording.split("-")[0] in opened.stdout

    path = tmp_path / "case.evidence"
    bastion.ctl("recordings", "export", recording, "--evidence", "-o", str(path))
    theirs = subprocess.run([sys.executable, "-I", VERIFIER, path, bastion.log_key(),
                             bastion.identity_file], capture_output=True, text=True, timeout=120)
    assert theirs.returncode == 0, theirs.stdout + theirs.stderr
    again = bastion.ctl("recordings", "export", recording, "--evidence", "-o", str(path),
                        check=False)
    assert again.returncode == 1 and str(path) in again.stderr


@pytest.mark.parametrize("words", [["verify"], ["verify", "3f9a01", "--all"], ["verify", ""],
                                   ["export", "3f9a01", "-o", "x"]])
def test_a_command_that_names_nothing_is_refused(bastion, words):
    refused = bastion.ctl("recordings", *words, check=False)
    assert refused.returncode == USAGE and not refused.stdout


class Sessions:
    """Goes on with one session after another, until it is told to stop."""

    def __init__(self, client, control):
        self.client, self.control = client, control
        self.running = True
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while self.running:
            self.client.run("true", options=self.control)

    def stop(self):
        self.running = False
        self.thread.join(60)


def tiles_of(entries):
    """What C2SP tlog-tiles wants of a log with these entries, {path: bytes}."""
    files, level = {}, 0
    hashes = [hashlib.sha256(b"\0" + entry).digest() for entry in entries]
    bundled = [len(entry).to_bytes(2, "big") + entry for entry in entries]
    while hashes:
        above = []
        for number in range((len(hashes) + 255) // 256):
            part = hashes[256 * number:256 * number + 256]
            name = number_path(number) + ("" if len(part) == 256 else f".p/{len(part)}")
            files[f"tile/{level}/{name}"] = b"".join(part)
            if level == 0:
                files[f"tile/entries/{name}"] = b"".join(bundled[256 * number:256 * number + 256])
            if len(part) == 256:
                while len(part) > 1:
                    part = [hashlib.sha256(b"\1" + a + b).digest()
                            for a, b in zip(part[::2], part[1::2])]
                above += part
        hashes, level = above, level + 1
    return files


def check_copy(bastion, folder):
    """The copy as a reader has it who knows nothing of ours; how many entries it has."""
    log = log_of(bastion, folder)
    there = bytes_below(folder)
    for name, data in tiles_of([" ".join(entry).encode() for entry in log.entries]).items():
        assert there[name] == data, name
    assert log.heads() is not None  # each heads file is there, and has its hash
    verified = verify_copy(bastion, folder)
    assert verified.returncode == WHOLE, verified.stdout + verified.stderr
    return log.size


def test_a_copy_grows_while_sessions_go_on_and_is_a_whole_log_each_time(fresh_bastion, alice,
                                                                        tmp_path):
    copy, sizes = tmp_path / "copy", [0]
    full = copy / "tile" / "0" / "000"
    with alice.connection() as control:
        sessions = Sessions(alice, control)
        try:
            while sizes[-1] < 600:
                wait_until(lambda: log_size(fresh_bastion) > sizes[-1], 20, "more of the log")
                was_there = full.stat() if full.exists() else None
                done = fresh_bastion.ctl("log", "export", str(copy))
                size = check_copy(fresh_bastion, copy)
                assert size > sizes[-1]
                assert done.stdout == (f"{copy} has {size} entries of the log, "
                                       f"{size - sizes[-1]} of them new\n")
                assert not done.stderr
                if was_there:
                    now = full.stat()
                    assert (now.st_ino, now.st_mtime_ns) == \
                        (was_there.st_ino, was_there.st_mtime_ns)
                sizes.append(size)
        finally:
            sessions.stop()
    assert len(sizes) > 3
    assert not list(copy.glob("pending-*")) and not list(copy.rglob("*.new"))
    assert not (copy / "tile" / "0" / "000.p").exists()


def test_a_changed_entry_is_found_and_not_exported(fresh_bastion, alice, tmp_path):
    alice.run("true")
    wait_for_ends(fresh_bastion, 2)
    copy = tmp_path / "copy"
    fresh_bastion.ctl("log", "export", str(copy))
    before = bytes_below(copy)
    path = log_folder(fresh_bastion) / "tile" / "entries" / "000.p" / str(log_size(fresh_bastion))
    data = path.read_bytes()
    at = data.index(b" start ") - 1
    path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
    verified = fresh_bastion.ctl("log", "verify", check=False)
    assert verified.returncode == WRONG
    assert "entry 0 of the log (" in verified.stdout and "was changed" in verified.stdout
    assert "of recording " in verified.stdout
    refused = fresh_bastion.ctl("log", "export", str(copy), check=False)
    assert refused.returncode == 1
    assert "the log is damaged: entry 0 is not what was signed" in refused.stderr
    assert "`sallyportctl log verify`" in refused.stderr
    assert bytes_below(copy) == before


# A bastion that stands.

def test_a_log_that_was_rolled_back_contradicts_what_was_kept(fresh_bastion, alice, tmp_path):
    old, new, kept = (tmp_path / name for name in ("old", "new", "kept"))
    wait_for_ends(fresh_bastion, 1)
    fresh_bastion.ctl("log", "export", str(old))
    alice.run("echo this shall never have been")
    wait_for_ends(fresh_bastion, 2)
    fresh_bastion.ctl("log", "export", str(new))
    kept.write_text(fresh_bastion.ctl("log", "checkpoint").stdout)
    fresh_bastion.log_key()
    fresh_bastion.stop()
    shutil.rmtree(log_folder(fresh_bastion))
    shutil.copytree(old, log_folder(fresh_bastion))

    # Without keyd it is not known whose signature it is.
    unproven = fresh_bastion.ctl("log", "verify", check=False)
    assert unproven.returncode == OPEN, unproven.stdout
    assert "sallyportctl: the log's key is not known: keyd does not run" in unproven.stderr
    assert "That the bastion signed the log: its key is not known" in unproven.stdout
    rolled_back = fresh_bastion.ctl("log", "verify", "--checkpoint", str(kept), check=False)
    assert rolled_back.returncode == WRONG
    assert "The log was rolled back" in rolled_back.stdout

    before = bytes_below(new)
    refused = fresh_bastion.ctl("log", "export", str(new), check=False)
    assert refused.returncode == 1 and bytes_below(new) == before
    assert f"{new}/checkpoint has " in refused.stderr and "was rolled back" in refused.stderr
    assert "name another folder" in refused.stderr
    again = fresh_bastion.ctl("log", "export", str(old))
    assert "0 of them new" in again.stdout and "the log's key is not known" in again.stderr
    assert check_copy(fresh_bastion, old) < check_copy(fresh_bastion, new)


@pytest.mark.parametrize("origin,why", [
    ("sallyport/other-node", "is of another log, sallyport/other-node; this one is sallyport/test"),
    ("sallyport/test-node", "covers 1 entries that are not the first of our log")])
def test_no_copy_of_another_log_is_continued(bastion, client, tmp_path, origin, why):
    copy = tmp_path / "copy"
    entry = f"1 1790000000000 audit {'0' * 64}\nsign\n"
    subprocess.run([MAKE_LOG, copy, origin, "another key"], input=entry, text=True, check=True,
                   capture_output=True)
    before = bytes_below(copy)
    refused = bastion.ctl("log", "export", str(copy), check=False)
    assert refused.returncode == 1 and why in refused.stderr, refused.stderr
    assert "name another folder" in refused.stderr
    assert bytes_below(copy) == before


def test_no_copy_is_made_among_the_bastions_own_folders(bastion, client, tmp_path):
    state = bastion.folder / "state"
    link = tmp_path / "link"
    link.symlink_to(log_folder(bastion))
    for folder in (log_folder(bastion), link, link / "copy", state / "stored", state / "copy",
                   state / "stored" / "log" / ".." / "copy"):
        refused = bastion.ctl("log", "export", str(folder), check=False)
        assert refused.returncode == 1 and "the bastion's own" in refused.stderr, refused.stderr
    assert not list(state.rglob("copy"))
    missing = bastion.ctl("log", "export", str(tmp_path / "not" / "there"), check=False)
    assert missing.returncode == 1 and "No such file or directory" in missing.stderr


def test_where_nothing_was_signed_there_is_nothing_to_verify(keyd, tmp_path):
    verified = keyd.run("log", "verify")
    assert verified.returncode == 0 and not verified.stderr
    assert "it begins with the first session" in verified.stdout
    elsewhere = keyd.run("log", "verify", "--log", tmp_path)
    assert elsewhere.returncode == WRONG
    assert f"{tmp_path} has no checkpoint: no log" in elsewhere.stdout
    exported = keyd.run("log", "export", tmp_path / "copy")
    assert exported.returncode == 1 and "there is no checkpoint yet" in exported.stderr
    assert not list((tmp_path / "copy").iterdir())


def test_the_verifier_is_found_where_it_is_installed(keyd, tmp_path):
    """As `cmake --install` lays them out: bin/sallyport-play, sbin/sallyportctl."""
    for folder, program in (("bin", PLAY), ("sbin", CTL)):
        (tmp_path / folder).mkdir()
        shutil.copy(program, tmp_path / folder)
    command = [tmp_path / "sbin" / "sallyportctl", "--config", keyd.config, "log", "verify",
               "--log", tmp_path]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert found.returncode == WRONG and "no checkpoint" in found.stdout, found.stderr
    (tmp_path / "bin" / "sallyport-play").rename(tmp_path / "sallyport-play")
    alone = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert alone.returncode == 1 and not alone.stdout
    assert f"there is no sallyport-play beside {tmp_path}/sbin" in alone.stderr


# What verify --log-only looks at.

RUNNING, ENDED, ERASED = ("%s-0" % (digit * 32) for digit in "abc")
ORDER_OF_ERASED = "of recording %s: its order of erasure" % ERASED


@pytest.fixture(scope="module")
def untouched(tmp_path_factory, auditor):  # noqa: F811
    tree = Evidence(tmp_path_factory.mktemp("node") / "state", auditor)
    tree.start(RUNNING, tree.record(RUNNING, ["hello\r\n"], "cut"))
    for name in (ENDED, ERASED):
        frames = tree.record(name, ["hello\r\n"] * 5)
        tree.start(name, frames)
        tree.heads((name, 2, frames.heads()[2]))
        tree.end(name, frames)
    tree.erase(ERASED, "request 4711")
    for i in range(300):
        tree.audit("filler %d" % i)
    tree.sign()
    return tree


@pytest.fixture
def tree(untouched, tmp_path):
    return untouched.copy(tmp_path / "state")


def change(path):
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def any_of(tree, kind):
    return next((tree.log / kind).iterdir())


def test_only_the_log_is_looked_at(tree):
    shutil.rmtree(tree.recordings)
    tree.identity = "/nowhere/identity"
    done = tree.verify("--log-only")
    assert done.returncode == WHOLE, done.stdout + done.stderr
    assert "The log's 311 entries make the root" in done.stdout
    assert tree.verify("--log-only", key="").returncode == OPEN
    other = tree.key[:-2] + "AA"
    assert tree.verify("--log-only", key=other).returncode == WRONG
    (tree.log / "checkpoint").unlink()
    assert tree.verify("--log-only", key="").returncode == WRONG


@pytest.mark.parametrize("break_it,said", [
    (lambda tree: change(any_of(tree, "heads")), "/heads/"),
    (lambda tree: any_of(tree, "heads").unlink(), "/heads/"),
    (lambda tree: change(any_of(tree, "orders")), ORDER_OF_ERASED),
    (lambda tree: any_of(tree, "orders").unlink(), ORDER_OF_ERASED),
    (lambda tree: change(tree.log / "tile/entries/000"), "entry 255 of the log"),
    (lambda tree: change(tree.log / "tile/0/000"), "entry 255 of the log"),
    (lambda tree: (tree.log / "checkpoint").unlink(), "has no checkpoint: no log"),
    (lambda tree: change(tree.log / "checkpoint"), "checkpoint"),
    (lambda tree: tree.rebuild(tree.lines() + [tree.lines()[0]]),
     "of recording %s: it starts twice" % RUNNING)])
def test_what_is_wrong_with_the_log_is_found_without_a_recording(tree, break_it, said):
    break_it(tree)
    status, report = tree.verify_json("--log-only")
    assert status == WRONG and report["verdict"] == "wrong"
    assert [finding for finding in report["log"]["findings"]
            if finding["level"] == "wrong" and said in finding["text"]], report


def test_log_only_goes_with_nothing_that_names_recordings(tree):
    for more in (["--all"], [ENDED]):
        refused = subprocess.run([PLAY, "verify", "--log-only", "--log", tree.log, *more],
                                 capture_output=True, text=True)
        assert refused.returncode == USAGE and "excludes" in refused.stderr, refused
