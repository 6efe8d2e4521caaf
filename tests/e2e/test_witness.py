# SPDX-License-Identifier: Apache-2.0
"""The node log's checkpoints are shown to witnesses; a log that does not continue what one of them
knows is refused, and one that cannot be reached is an alarm or, where it is required, the end of new
sessions."""
import contextlib
import os
import pathlib
import shutil
import signal
import time

import pexpect
import pytest

from tests.e2e.conftest import running_stack
from tests.support.certificate import self_signed
from tests.support.stack import AS_USER, Client, free_port, read_code, short_folder, wait_until
from tests.support.witness import Checkpoint, Witness, notes_of


@contextlib.contextmanager
def stack(tmp_path, **witnesses):
    with running_stack(tmp_path, log={"witnesses": witnesses}) as bastion:
        yield bastion


@pytest.fixture
def archive():
    """A folder that the bastion's user may write to."""
    folder = short_folder()
    if AS_USER:
        shutil.chown(folder, AS_USER["user"], AS_USER["group"])
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def witness():
    running = Witness()
    yield running
    running.stop()


def log_size(bastion):
    """Of the latest checkpoint that is signed."""
    path = bastion.folder / "state" / "stored" / "log" / "checkpoint"
    return int(path.read_text().splitlines()[1]) if path.exists() else 0


def log_key(bastion):
    return bastion.ctl("log", "key").stdout.strip()


def run_session(client, bastion):
    """A session whose end is signed."""
    before = log_size(bastion)
    done = client.run("echo hello")
    assert done.stdout == b"hello\n", done
    wait_until(lambda: log_size(bastion) >= before + 2, 10, "a checkpoint with the session's end")


def known_size(path):
    notes = notes_of(path.read_text()) if path.exists() else []
    return notes[-1].size if notes else 0


def copy_of_log(bastion, to):
    bastion.stop()
    for name in ("stored", "keyd"):
        shutil.copytree(bastion.folder / "state" / name, to / name, copy_function=copy_owned)


def copy_owned(source, target):
    shutil.copy2(source, target)
    os.chown(target, os.stat(source).st_uid, os.stat(source).st_gid)


def put_back(bastion, kept):
    bastion.stop()
    for name in ("stored", "keyd"):
        shutil.rmtree(bastion.folder / "state" / name)
        shutil.copytree(kept / name, bastion.folder / "state" / name)
    bastion.start()


def crash_with_a_session(bastion, client):
    """Leaves a recording without an end, whose start is signed."""
    before = log_size(bastion)
    child = client.spawn("sleep 100")
    wait_until(lambda: log_size(bastion) > before, 10, "its start")
    pid, = bastion.processes("stored")
    os.kill(pid, signal.SIGKILL)
    child.expect(pexpect.EOF)
    bastion.process.wait(20)


def alarms(bastion, event):
    return [line for line in bastion.log() if event in line["event"]]


def refused_session(client):
    done = client.run("echo hello")
    assert done.returncode == 254 and done.stdout == b"", done
    return done.stderr.decode()


def test_a_file_gets_checkpoints_that_verify(tmp_path, archive):
    path = archive / "notes"
    with stack(tmp_path, archive={"file": str(path), "interval_s": 0}) as bastion:
        client = Client(bastion, tmp_path)
        client.log_in(bastion.idp.approve)
        run_session(client, bastion)
        run_session(client, bastion)
        wait_until(lambda: known_size(path) == log_size(bastion), 10, "the last checkpoint")
        key = log_key(bastion)
        notes = notes_of(path.read_text())
        assert len(notes) > 1
        assert all(note.is_signed_by(key) for note in notes)
        assert [n.size for n in notes] == sorted({n.size for n in notes})
        assert path.read_text().endswith("\n\n")


def test_a_file_gets_one_in_its_interval_and_one_at_the_end(tmp_path, archive):
    path = archive / "notes"
    with stack(tmp_path, archive={"file": str(path), "interval_s": 3600}) as bastion:
        client = Client(bastion, tmp_path)
        client.log_in(bastion.idp.approve)
        run_session(client, bastion)
        run_session(client, bastion)
        time.sleep(1)
        size = log_size(bastion)
        assert len(notes_of(path.read_text())) == 1
        bastion.stop()
        assert size <= log_size(bastion) == known_size(path)
        assert len(notes_of(path.read_text())) == 2


def test_a_torn_note_is_passed_over(tmp_path, archive):
    path = archive / "notes"
    with stack(tmp_path, archive={"file": str(path), "interval_s": 0}) as bastion:
        client = Client(bastion, tmp_path)
        client.log_in(bastion.idp.approve)
        bastion.stop()
        whole = path.read_text()
        path.write_text(whole + "sallyport/test-node\n17\nAAAA")
        bastion.start()
        run_session(client, bastion)
        wait_until(lambda: path.read_text().endswith("\n\n"), 10)
        assert path.read_text().startswith(whole)


def test_a_witness_with_a_url_cosigns(tmp_path, witness):
    config = {"url": witness.url, "key": witness.key, "interval_s": 0}
    with stack(tmp_path, other=config) as bastion:
        client = Client(bastion, tmp_path)
        client.log_in(bastion.idp.approve)
        wait_until(lambda: alarms(bastion, "does not take checkpoints"), 10)
        assert "answers 404" in alarms(bastion, "does not take checkpoints")[0]["why"]
        key = log_key(bastion)
        witness.trust(key)
        wait_until(lambda: witness.known, 20, "another try")
        run_session(client, bastion)
        run_session(client, bastion)
        wait_until(lambda: witness.known["sallyport/test-node"].size == log_size(bastion), 20)
        assert witness.proofs > 0
        cosigned = bastion.folder / "state" / "stored" / "log" / "cosigned" / "other"
        wait_until(lambda: notes_of(cosigned.read_text())[0].size == log_size(bastion), 5)
        note, = notes_of(cosigned.read_text())
        assert note.is_signed_by(key) and note.is_signed_by(witness.key)


def test_a_witness_is_reached_by_tls_with_an_authority_of_ones_own_and_by_its_name(archive, tmp_path):
    (archive / "other").mkdir()
    certificate = self_signed(archive)
    of_another_name = self_signed(archive / "other", "DNS:other.example")
    for file in (certificate[0], of_another_name[0]):
        file.chmod(0o644)
    witness, other = Witness(certificate=certificate), Witness(certificate=of_another_name)

    def config(one, **more):
        return {"url": one.url, "key": one.key, "interval_s": 0, **more}
    try:
        with stack(tmp_path, good=config(witness, ca_file=str(certificate[0])),
                   unknown=config(witness),
                   misnamed=config(other, ca_file=str(of_another_name[0]))) as bastion:
            witness.trust(log_key(bastion))
            other.trust(log_key(bastion))
            client = Client(bastion, tmp_path)
            client.log_in(bastion.idp.approve)
            run_session(client, bastion)
            wait_until(lambda: witnessed_size("url", archive, witness) == log_size(bastion), 20)
            for name in ("unknown", "misnamed"):
                why = wait_until(lambda: {
                    line["why"] for line in alarms(bastion, "does not take checkpoints")
                    if line["witness"] == name}, 10, f"an alarm about {name}")
                assert all("certificate" in one for one in why), (name, why)
            assert not other.known
    finally:
        witness.stop()
        other.stop()


def test_a_cosignature_of_another_key_does_not_count(tmp_path, witness):
    other = Witness()
    config = {"url": witness.url, "key": other.key, "interval_s": 0}
    other.stop()
    with stack(tmp_path, other=config) as bastion:
        witness.trust(log_key(bastion))
        Client(bastion, tmp_path).log_in(bastion.idp.approve)
        wait_until(lambda: any("it is not cosigned by the key of" in line["why"] for line in
                               alarms(bastion, "does not take checkpoints")), 10)


def documented_keeper():
    """The lines of docs/formats/log.md, "A command"."""
    text = (pathlib.Path(__file__).resolve().parents[2] / "docs/formats/log.md").read_text()
    section = text.split("### A command\n")[1].split("###")[0]
    return "".join(line[4:] + "\n" for line in section.splitlines() if line.startswith("    "))


COMMAND = """#!/bin/sh
cd "$(dirname "$1")" && mkdir -p notes && echo >> notes.runs
""" + documented_keeper()


def kept_notes(folder):
    return [path.read_text() for path in sorted(folder.iterdir())] if folder.exists() else []


def write_script(path, text):
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def test_a_command_takes_checkpoints(tmp_path, archive):
    path = archive / "notes"
    script = write_script(archive / "keep", COMMAND)
    config = {"command": [script, str(path)], "interval_s": 0}
    with stack(tmp_path, vault=config) as bastion:
        client = Client(bastion, tmp_path)
        client.log_in(bastion.idp.approve)
        run_session(client, bastion)
        key = log_key(bastion)
        wait_until(lambda: Checkpoint(kept_notes(path)[-1]).size == log_size(bastion), 10)
        assert (archive / "notes.runs").exists()
        assert all(Checkpoint(note).is_signed_by(key) for note in kept_notes(path))


def test_a_command_that_fails_or_hangs_is_named(tmp_path, archive):
    fails = write_script(archive / "fails", "#!/bin/sh\necho the archive is full >&2\nexit 3\n")
    with stack(tmp_path, vault={"command": [fails], "interval_s": 0}) as bastion:
        alarm, = wait_until(lambda: alarms(bastion, "does not take checkpoints"), 10)
        assert alarm["why"] == f"{fails} ended with status 3: the archive is full"
        assert alarm["witness"] == "vault"
        client = Client(bastion, tmp_path)
        client.log_in(bastion.idp.approve)
        assert client.run("echo hello").stdout == b"hello\n"


def make_config(kind, archive, witness):
    if kind == "file":
        return {"file": str(archive / "notes"), "interval_s": 0}
    if kind == "command":
        script = write_script(archive / "keep", COMMAND)
        return {"command": [script, str(archive / "notes")], "interval_s": 0}
    return {"url": witness.url, "key": witness.key, "interval_s": 0}


def witnessed_size(kind, archive, witness):
    if kind == "url":
        known = witness.known.get("sallyport/test-node")
        return known.size if known else 0
    if kind == "file":
        return known_size(archive / "notes")
    return max((Checkpoint(note).size for note in kept_notes(archive / "notes")), default=0)


KINDS = ("file", "command", "url")


@pytest.mark.parametrize("kind", KINDS)
def test_a_log_that_was_rolled_back_is_refused(tmp_path, archive, witness, kind):
    config = make_config(kind, archive, witness)
    with stack(tmp_path, memory=config) as bastion:
        witness.trust(log_key(bastion))
        client = Client(bastion, tmp_path)
        client.log_in(bastion.idp.approve)
        run_session(client, bastion)
        crash_with_a_session(bastion, client)
        copy_of_log(bastion, tmp_path / "kept")
        bastion.start()
        run_session(client, bastion)
        wait_until(lambda: witnessed_size(kind, archive, witness) == log_size(bastion), 20)
        size = log_size(bastion)
        put_back(bastion, tmp_path / "kept")
        older = log_size(bastion)
        said = refused_session(client)
        assert f'its witness "memory" knows {size} entries, and it has {older}' in said
        assert "rolled back" in said
        if kind == "file":  # who looks on the bastion sees it, too
            looked = bastion.ctl("log", "verify", check=False)
            assert looked.returncode == 1 and "The log was rolled back" in looked.stdout
        # The session that crashed gets its end in the log, which nobody signs.
        wait_until(lambda: [e for e in bastion.events("recorded") if e["reason"] == "lost"][1:], 10)
        time.sleep(2)
        assert log_size(bastion) == older, "nothing is signed any more"
        alarm = alarms(bastion, "contradicts a witness")[-1]
        assert alarm["witness"] == "memory"
        # It stays so, until the right copy is there.
        bastion.stop()
        bastion.start()
        assert "rolled back" in refused_session(client)


@pytest.mark.parametrize("kind", KINDS)
def test_a_log_that_went_on_from_an_old_copy_is_refused(tmp_path, archive, witness, kind):
    config = make_config(kind, archive, witness)
    with stack(tmp_path, memory=config) as bastion:
        witness.trust(log_key(bastion))
        client = Client(bastion, tmp_path)
        client.log_in(bastion.idp.approve)
        run_session(client, bastion)
        copy_of_log(bastion, tmp_path / "kept")
        bastion.start()
        run_session(client, bastion)
        wait_until(lambda: witnessed_size(kind, archive, witness) == log_size(bastion), 20)
        size = log_size(bastion)
        # Without its witness the log goes on from the copy, past what the witness knows.
        bastion.config["log"] = {}
        bastion.write_config()
        put_back(bastion, tmp_path / "kept")
        while log_size(bastion) <= size:
            run_session(client, bastion)
        bastion.stop()
        bastion.config["log"] = {"witnesses": {"memory": config}}
        bastion.write_config()
        bastion.start()
        said = refused_session(client)
        assert f"the first {size} of its" in said and 'witness "memory"' in said
        assert witnessed_size(kind, archive, witness) == size, "the fork is not given to it"


def test_a_log_whose_key_was_lost_is_refused(tmp_path, archive):
    path = archive / "notes"
    with stack(tmp_path, memory={"file": str(path), "interval_s": 0}) as bastion:
        client = Client(bastion, tmp_path)
        client.log_in(bastion.idp.approve)
        run_session(client, bastion)
        bastion.stop()
        shutil.rmtree(bastion.folder / "state" / "stored")
        for file in (bastion.folder / "state" / "keyd").glob("log.*"):
            file.unlink()
        bastion.start()
        assert 'its witness "memory" knows' in refused_session(client)


def test_sessions_go_on_without_a_witness_that_cannot_be_reached(tmp_path, archive, witness):
    config = {"url": f"http://127.0.0.1:{free_port()}/w", "interval_s": 0,
              "key": witness.key}
    with stack(tmp_path, far=config, near={"file": str(archive / "notes")}) as bastion:
        client = Client(bastion, tmp_path)
        client.log_in(bastion.idp.approve)
        alarm = wait_until(lambda: alarms(bastion, "does not take checkpoints"), 10)[0]
        assert alarm["witness"] == "far" and "127.0.0.1" in alarm["why"]
        assert alarm["level"] == "error"
        bastion.stop()
        bastion.start()
        size = log_size(bastion)
        # Nothing is signed for 20 s: it may come back and know more. Sessions do not wait.
        assert client.run("echo hello").stdout == b"hello\n"
        time.sleep(3)
        assert log_size(bastion) == size
        wait_until(lambda: log_size(bastion) > size, 30, "a checkpoint")
        assert client.run("echo hello").stdout == b"hello\n"


def test_a_witness_that_is_required_and_silent_stops_new_sessions(tmp_path, archive):
    folder = archive / "not-there"
    config = {"file": str(folder / "notes"), "required": True, "interval_s": 0}
    with stack(tmp_path, memory=config) as bastion:
        client = Client(bastion, tmp_path)
        child = client.spawn("true")
        bastion.idp.approve(read_code(child), "alice")
        child.sendline("")
        child.expect(pexpect.EOF)
        assert b'the witness "memory" of the log of recordings does not take' in child.before
        assert "No such file" in alarms(bastion, "does not take checkpoints")[0]["why"]
        folder.mkdir()
        if AS_USER:
            shutil.chown(folder, AS_USER["user"], AS_USER["group"])
        wait_until(lambda: alarms(bastion, "a witness of the log answers"), 40)
        assert client.run("echo hello").stdout == b"hello\n"
        wait_until(lambda: known_size(folder / "notes") == log_size(bastion) > 0, 30)
        # And when it goes later: half a minute.
        shutil.rmtree(folder)
        assert client.run("echo hello").stdout == b"hello\n"
        wait_until(lambda: client.run("echo hello").returncode == 254, 60, "the refusal")
        assert 'the witness "memory"' in refused_session(client)


def test_the_bastion_outlives_its_witness_daemon(tmp_path, archive):
    with stack(tmp_path, memory={"file": str(archive / "notes")}) as bastion:
        client = Client(bastion, tmp_path)
        client.log_in(bastion.idp.approve)
        pid, = bastion.processes("witness")
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: alarms(bastion, "the witness daemon"), 10)
        assert client.run("echo hello").stdout == b"hello\n"


def test_without_witnesses_there_is_no_daemon(bastion):
    assert bastion.processes("witness") == []
    assert not (bastion.folder / "run" / "stored" / "witness").exists()


@pytest.mark.parametrize("witness_config, says", [
    ({}, "says not where checkpoints go"),
    ({"file": "/srv/notes", "syslog": True}, "is of several kinds (file and syslog)"),
    ({"url": "https://w.example/"}, 'needs "key"'),
    ({"url": "https://w.example/", "key": "no"}, "is not the key of a witness"),
    ({"command": ["cat"]}, "whole path"),
    ({"syslog": True, "ca_file": "/x"}, "without a url"),
])
def test_config_check_says_what_is_wrong(bastion, witness_config, says):
    before = dict(bastion.config)
    try:
        bastion.config["log"] = {"witnesses": {"memory": witness_config}}
        bastion.write_config()
        done = bastion.ctl("config", "check", check=False)
        assert done.returncode != 0
        assert says in done.stdout + done.stderr and "log.witnesses.memory" in done.stdout + done.stderr
    finally:
        bastion.config = before
        bastion.write_config()
