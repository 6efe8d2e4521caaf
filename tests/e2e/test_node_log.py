# SPDX-License-Identifier: Apache-2.0
# takes minutes
"""The node log of a running bastion, read by tests/support/node_log.py, which shares no code with
it."""
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from tests.support.brec import Recording
from tests.support.node_log import NodeLog, Verifier
from tests.support.stack import Client, wait_until

SLOW_COUNT = "i=0; while i=$((i+1)); do echo $i; sleep 0.05; done"


def stored_folder(bastion):
    return bastion.folder / "state" / "stored"


def read_log(bastion):
    verifier = Verifier(bastion.ctl("log", "key").stdout)
    return NodeLog(stored_folder(bastion) / "log", verifier)


def log_with(bastion, condition, seconds=15):
    """The log as soon as a signed checkpoint covers what is asked for."""
    def look():
        try:
            log = read_log(bastion)
        except FileNotFoundError:  # no checkpoint yet, or one that was just replaced
            return None
        return log if condition(log) else None
    return wait_until(look, seconds, "the checkpoint")


def ended(count):
    return lambda log: len(log.of("end")) == count


@pytest.fixture
def alice(fresh_bastion, tmp_path):
    client = Client(fresh_bastion, tmp_path, "alice")
    client.log_in(fresh_bastion.idp.approve)
    return client


def test_every_recording_begins_and_ends_in_the_log_with_its_chain(fresh_bastion, alice):
    for command in ("echo one", "exit 3", "head -c 300000 /dev/urandom"):
        alice.run(command)
    log = log_with(fresh_bastion, ended(4))
    starts = {entry[3]: entry for entry in log.of("start")}
    ends = {entry[3]: entry for entry in log.of("end")}
    recordings = [Recording(path, fresh_bastion.identity_file)
                  for path in fresh_bastion.recordings()]
    assert {recording.path.stem for recording in recordings} == set(starts) == set(ends)
    for recording in recordings:
        first = hashlib.sha256(b"brec/1 chain" + recording.data[:12] +
                               recording.data[16:128]).hexdigest()
        assert starts[recording.path.stem][4] == first
        _, _, _, _, frames, head, reason = ends[recording.path.stem]
        assert (int(frames), head) == (len(recording.frames) + 1, recording.chain.hex())
        assert reason in ("client", "target", "closed")
        assert abs(int(starts[recording.path.stem][1]) - recording.start_ms) < 10_000


def test_the_log_names_nobody_and_commits_to_who_it_was(fresh_bastion, alice):
    alice.run("true")
    log = log_with(fresh_bastion, ended(2))
    told = " ".join(word for entry in log.entries for word in entry)
    for secret in ("alice", "example", "web1", "127.0.0.1", "SHA256"):
        assert secret not in told
    audits = {entry[3] for entry in log.of("audit")}
    for path in (stored_folder(fresh_bastion) / "facts").iterdir():
        facts = json.loads(path.read_text())
        assert hashlib.sha256(bytes.fromhex(facts["salt"]) +
                              facts["event"].encode()).hexdigest() in audits
        event = json.loads(facts["event"])
        assert (event["person"], event["target"]) == ("alice@example.com", "web1")
        assert event["recording"] == path.stem
    assert len(audits) == 2


def test_the_start_is_in_the_tree_before_the_first_byte(fresh_bastion, alice):
    process = subprocess.Popen(alice.command(SLOW_COUNT), stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"1\n"
    # Nothing is signed at this moment; it lies in the file that crashes leave behind.
    started = set(fresh_bastion.recordings())
    [recording] = [path for path in started if not path.read_bytes().endswith(b"BREC-END")]
    pending = (stored_folder(fresh_bastion) / "log" / "pending-0").read_bytes()
    process.kill()
    process.wait()
    assert f"start {recording.stem} ".encode() in pending


def test_a_session_that_goes_on_has_its_heads_in_the_log(fresh_bastion, alice):
    process = subprocess.Popen(alice.command(SLOW_COUNT), stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"1\n"
    log = log_with(fresh_bastion, lambda log: log.heads(), seconds=45)
    [(recording, (frames, head))] = log.heads().items()
    process.kill()
    process.wait()
    data = (stored_folder(fresh_bastion) / "recordings" / f"{recording}.brec").read_bytes()
    assert chain_after(data, frames) == head


def chain_after(data, frames):
    offset = int.from_bytes(data[8:10], "little") * 256
    chain = hashlib.sha256(b"brec/1 chain" + data[:12] + data[16:128]).digest()
    for _ in range(frames):
        length = int.from_bytes(data[offset:offset + 4], "little")
        chain = hashlib.sha256(chain + data[offset:offset + 16 + length]).digest()
        offset += 16 + length
    return chain.hex()


# What a crash leaves.

def killed_while_it_prints(client, bastion, role):
    process = subprocess.Popen(client.command(SLOW_COUNT), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    assert process.stdout.readline() == b"1\n"
    [victim] = bastion.processes(role)
    os.kill(victim, signal.SIGKILL)
    process.wait(10)
    return process


def test_a_monitor_that_is_killed_leaves_an_end_that_its_file_shows(fresh_bastion, alice):
    killed_while_it_prints(alice, fresh_bastion, "monitor")
    log = log_with(fresh_bastion, ended(2))
    [end] = [entry for entry in log.of("end") if entry[6] == "killed"]
    path = stored_folder(fresh_bastion) / "recordings" / f"{end[3]}.brec"
    recording = Recording(path, fresh_bastion.identity_file)
    assert (len(recording.frames), recording.chain.hex()) == (int(end[4]), end[5])


def test_what_was_open_when_stored_was_killed_gets_its_end_from_the_next(fresh_bastion, alice):
    killed_while_it_prints(alice, fresh_bastion, "stored")
    fresh_bastion.process.wait(10)  # it started its daemons itself, and ends with them
    fresh_bastion.start()
    log = log_with(fresh_bastion, ended(2))
    [end] = [entry for entry in log.of("end") if entry[6] == "lost"]
    path = stored_folder(fresh_bastion) / "recordings" / f"{end[3]}.brec"
    recording = Recording(path, fresh_bastion.identity_file)
    frames = len(recording.frames) + (1 if recording.end else 0)
    assert (frames, recording.chain.hex()) == (int(end[4]), end[5])


def test_a_checkpoint_that_was_signed_and_not_kept_is_kept_by_the_next_start(fresh_bastion, alice):
    """stored was killed in between."""
    alice.run("true")
    log_with(fresh_bastion, ended(2))
    checkpoint = stored_folder(fresh_bastion) / "log" / "checkpoint"
    older = checkpoint.read_bytes()
    alice.run("true")
    newer = log_with(fresh_bastion, ended(3)).size
    fresh_bastion.stop()
    checkpoint.write_bytes(older)
    fresh_bastion.hand_over()
    fresh_bastion.start()
    assert read_log(fresh_bastion).size >= newer
    fresh_bastion.verify("--all")


def test_files_that_are_no_recordings_are_set_aside_at_the_start(fresh_bastion, alice):
    alice.run("true")
    log_with(fresh_bastion, ended(2))
    fresh_bastion.stop()
    folder = stored_folder(fresh_bastion) / "recordings"
    good = sorted(folder.iterdir())
    (folder / "notes.txt").write_text("hello")
    (folder / f"{'0' * 32}-0.brec").touch()
    shutil.copy(good[0], folder / f"{'1' * 32}-0.brec")
    fresh_bastion.start()
    aside = stored_folder(fresh_bastion) / "set-aside"
    wait_until(lambda: aside.exists() and len(list(aside.iterdir())) == 3, 10, "setting aside")
    assert sorted(folder.iterdir()) == good
    told = fresh_bastion.events("a file among the recordings is set aside")
    assert {event["file"] for event in told} == {path.name for path in aside.iterdir()}
    assert b"fine" in alice.run("echo fine").stdout


def test_the_index_says_which_recordings_are_set_aside(fresh_bastion, alice):
    alice.run("true")
    log = log_with(fresh_bastion, ended(2))
    gone, renamed = (entry[3] for entry in log.of("start")[:2])
    fresh_bastion.stop()
    folder = stored_folder(fresh_bastion) / "recordings"
    (folder / f"{gone}.brec").write_bytes((folder / f"{renamed}.brec").read_bytes())
    fresh_bastion.hand_over()
    fresh_bastion.start()

    def states():
        listed = json.loads(fresh_bastion.ctl("recordings", "list", "--json").stdout)
        return {entry["recording"]: entry["state"] for entry in listed}
    wait_until(lambda: states() == {gone: "set-aside", renamed: "ended"}, 10, "the index")


# A log that is not the one which was signed.

def stopped_copy(bastion, name):
    """The state of stored as a copy, while nothing runs."""
    bastion.stop()
    copy = bastion.folder / name
    shutil.copytree(stored_folder(bastion), copy, symlinks=True)
    bastion.start()
    return copy


def put_back(bastion, copy):
    bastion.stop()
    shutil.rmtree(stored_folder(bastion))
    shutil.copytree(copy, stored_folder(bastion), symlinks=True)
    bastion.hand_over()


def test_a_log_that_was_rolled_back_is_not_gone_on_with(fresh_bastion, alice):
    alice.run("true")
    log_with(fresh_bastion, ended(2))
    copy = stopped_copy(fresh_bastion, "old")
    alice.run("echo this shall never have been")
    log_with(fresh_bastion, ended(3))
    put_back(fresh_bastion, copy)
    with pytest.raises(AssertionError, match="rolled back"):
        fresh_bastion.start()


def test_a_log_in_which_an_entry_was_changed_is_not_gone_on_with(fresh_bastion, alice):
    alice.run("true")
    log_with(fresh_bastion, ended(2))
    fresh_bastion.stop()
    pending = stored_folder(fresh_bastion) / "log" / "pending-0"
    data = pending.read_bytes()
    at = data.index(b" start ")
    pending.write_bytes(data[:at - 1] + bytes([data[at - 1] ^ 1]) + data[at:])
    with pytest.raises(AssertionError, match="not those that were signed"):
        fresh_bastion.start()


def test_a_log_that_was_restored_without_its_pending_file_goes_on(fresh_bastion, alice):
    alice.run("true")
    before = log_with(fresh_bastion, ended(2))
    fresh_bastion.stop()
    for path in (stored_folder(fresh_bastion) / "log").glob("pending-*"):
        path.unlink()
    fresh_bastion.start()
    alice.run("true")
    after = log_with(fresh_bastion, ended(3))
    assert after.entries[:before.size] == before.entries


# The signer.

def test_without_a_signer_new_sessions_are_refused_and_running_ones_go_on(fresh_bastion, alice):
    running = subprocess.Popen(alice.command("cat"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    running.stdin.write(b"x\n")
    running.stdin.flush()
    assert running.stdout.readline() == b"x\n"
    with alice.connection() as control:
        alice.run("true", options=control)  # keyd also opens targets: this connection has its own
        [keyd] = fresh_bastion.processes("keyd")
        os.kill(keyd, signal.SIGSTOP)
        try:
            deadline = time.monotonic() + 60
            while True:
                done = alice.run("echo in", options=control)
                if done.returncode == 254 or time.monotonic() > deadline:
                    break
                time.sleep(1)
            assert b"cannot be signed" in done.stderr, done
            running.stdin.write(b"y\n")
            running.stdin.flush()
            assert running.stdout.readline() == b"y\n"
        finally:
            os.kill(keyd, signal.SIGCONT)
        wait_until(lambda: alice.run("echo in", options=control).stdout == b"in\n", 15,
                   "the next session")
    running.stdin.close()
    assert running.wait(10) == 0


def test_a_nearly_full_disk_refuses_new_sessions_with_a_line_that_says_it(fresh_bastion, alice):
    fresh_bastion.config["recording"]["reserve_mib"] = 1_000_000
    fresh_bastion.write_config()
    fresh_bastion.stop()
    fresh_bastion.start()
    done = alice.run("echo in")
    assert (done.returncode, done.stdout) == (254, b"")
    assert b"the bastion's disk is full; tell its operator" in done.stderr
    [alarm] = fresh_bastion.events("the disk of the recordings is nearly full")
    assert alarm["level"] == "warning"
    assert int(alarm["free_mib"]) < 2_000_000
