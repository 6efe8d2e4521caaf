# SPDX-License-Identifier: Apache-2.0
"""Who can read recordings: two people together, others after a re-wrap, others after a reload,
nobody after an erasure. The stock age is the second opinion."""
import os
import pathlib
import re
import shutil
import struct
import subprocess

import pytest

from tests.support.auditor import Auditor
from tests.support.brec import Recording, envelope_of
from tests.support.player import make_recording, write_v3
from tests.support.shell import Watch
from tests.support.stack import BUILD, Client
from tests.e2e.conftest import running_stack

PLAY = str(BUILD / "bin" / "sallyport-play")
HEAD = re.compile(r"its head is ([0-9a-f]{64})\.$", re.MULTILINE)


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    return {name: Auditor(folder, name) for name in ("ann", "ben", "cat", "dan")}


@pytest.fixture(scope="module")
def two_person_bastion(people, tmp_path_factory):
    recording = {"recipients": [people["ann"].recipient],
                 "second_recipients": [people["ben"].recipient, people["cat"].recipient]}
    with running_stack(tmp_path_factory.mktemp("stack"), recording=recording) as running:
        yield running


@pytest.fixture(scope="module")
def alice(two_person_bastion, tmp_path_factory):
    client = Client(two_person_bastion, tmp_path_factory.mktemp("alice"))
    client.log_in(two_person_bastion.idp.approve)
    return client


def play(*arguments, who=(), check=True):
    keys = [word for person in who for word in ("-i", str(person.file))]
    done = subprocess.run([PLAY, *map(str, arguments), *keys], capture_output=True, text=True,
                          timeout=60, env={**os.environ, "HOME": "/nonexistent"})
    # A file without a log: something stays open.
    good = 3 if arguments[0] == "verify" else 0
    assert not check or done.returncode == good, done.stdout + done.stderr
    return done


def text_of(path, *who):
    return play("export", path, "--format", "stdout", who=who).stdout


def refused(path, *who):
    """What somebody is told who cannot read it."""
    done = play("export", path, "--format", "stdout", who=who, check=False)
    assert done.returncode == 1 and done.stdout == ""
    return done.stderr


def head_of(path, *who):
    return HEAD.search(play("verify", path, who=who, check=bool(who)).stdout).group(1)


def stock_age(envelope, *who):
    """Layer after layer; None where the stock age refuses one."""
    for person in who:
        done = subprocess.run(["age", "-d", "-i", str(person.file)], input=envelope,
                              capture_output=True)
        if done.returncode != 0:
            return None
        envelope = done.stdout
    return envelope


@pytest.fixture
def recorded(alice, two_person_bastion, tmp_path):
    """A copy of a session's recording, on the auditors' machine."""
    watch = Watch(two_person_bastion)
    assert alice.run("echo seen").stdout == b"seen\n"
    folder = tmp_path / "recordings"
    folder.mkdir()
    return pathlib.Path(shutil.copy(watch.paths(1)[0], folder))


def test_two_people_read_together_and_one_is_told_who_is_missing(people, recorded):
    ann, ben, cat, dan = people.values()
    assert text_of(recorded, ann, ben) == text_of(recorded, cat, ann) == "seen\n"
    assert "needs a second person's identity as well (of recording.second_recipients)" in \
        refused(recorded, ann)
    assert "needs a second person's identity" in refused(recorded, ann, dan)
    assert "the first one's identity (of recording.recipients) is missing" in \
        refused(recorded, ben, cat)
    assert "-i" in refused(recorded, ann)


def test_one_file_with_both_identities_and_a_list_in_the_settings_do_too(
        people, recorded, tmp_path):
    ann, ben = people["ann"], people["ben"]
    both = tmp_path / "both"
    both.write_text(ann.file.read_text() + ben.file.read_text())
    play("verify", recorded, "-i", both)
    (tmp_path / "sallyport").mkdir()
    (tmp_path / "sallyport" / "play.json").write_text(
        '{ "identity": ["%s", "%s"] }' % (ann.file, ben.file))
    done = subprocess.run([PLAY, "verify", str(recorded)], capture_output=True,
                          env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path)})
    assert done.returncode == 3 and b"content, order and times" in done.stdout, done.stderr


def test_the_stock_age_opens_the_outer_layer_and_then_the_inner_one(people, recorded):
    ann, ben, cat, dan = people.values()
    envelope = envelope_of(recorded)
    key = stock_age(envelope, ann, ben)
    assert len(key) == 32 and stock_age(envelope, ann, cat) == key
    assert stock_age(envelope, ann).startswith(b"age-encryption.org/v1\n")
    for wrong in ((ben, ann), (ann, ann), (ann, dan), (ben,), (dan,)):
        assert stock_age(envelope, *wrong) is None


def test_after_a_rewrap_the_new_person_reads_and_the_old_ones_do_not(people, recorded):
    ann, ben, _, dan = people.values()
    before, head = recorded.read_bytes(), head_of(recorded, ann, ben)
    status = recorded.stat()
    done = play("rewrap", recorded, "--to", dan.recipient, who=(ann, ben))
    assert "1 recording re-wrapped" in done.stdout and dan.recipient in done.stdout
    assert "second person" not in done.stdout
    assert text_of(recorded, dan) == "seen\n"
    refused(recorded, ann, ben)
    assert "content, order and times are as they were recorded" in \
        play("verify", recorded, who=(dan,)).stdout
    assert head_of(recorded, dan) == head_of(recorded) == head
    assert Recording(recorded, dan.file).printed() == b"seen\n"  # the other reader
    after, size = recorded.read_bytes(), struct.unpack_from("<H", before, 8)[0] * 256
    assert after[:12] + after[16:128] + after[size:] == before[:12] + before[16:128] + before[size:]
    now = recorded.stat()
    assert (now.st_ino, now.st_mode, now.st_uid, now.st_mtime_ns) == \
        (status.st_ino, status.st_mode, status.st_uid, status.st_mtime_ns)
    assert list(recorded.parent.iterdir()) == [recorded]


def test_a_rewrap_of_a_recording_for_two_needs_both(people, recorded):
    ann, ben, _, dan = people.values()
    before = recorded.read_bytes()
    for who in ((ann,), (ben,), (dan,)):
        done = play("rewrap", recorded, "--to", dan.recipient, who=who, check=False)
        assert done.returncode == 1 and "takes two people" in done.stderr
        assert "1 of 1 not re-wrapped" in done.stderr
    assert recorded.read_bytes() == before


def test_a_rewrap_makes_two_person_recordings_of_a_whole_folder(people, tmp_path):
    ann, ben, cat, dan = people.values()
    cast = write_v3(tmp_path / "c", [(0.1, b"seen\r\n")])
    paths = [make_recording(tmp_path / f"{number:032x}-0.brec", cast, ann.recipient,
                            session=f"{number:032x}") for number in range(3)]
    erase(paths[2])
    erased = paths[2].read_bytes()
    done = play("rewrap", "--all", "--recordings", tmp_path, "--to", ben.recipient,
                "--to", cat.recipient, "--second", dan.recipient, who=(ann,))
    assert "2 recordings re-wrapped" in done.stdout and "second person" in done.stdout
    assert "was erased" in done.stderr and paths[2].read_bytes() == erased
    for path in paths[:2]:
        assert "content, order and times" in play("verify", path, who=(cat, dan)).stdout
        assert "second person" in refused(path, ben)


def test_a_rewrap_says_what_stands_against_it(people, recorded, tmp_path):
    ann, ben, _, dan = people.values()
    before = recorded.read_bytes()

    def told(*arguments, who=(ann, ben)):
        done = play("rewrap", *arguments, who=who, check=False)
        assert done.returncode == 1 and recorded.read_bytes() == before
        return done.stderr

    spoilt = tmp_path / "spoilt.brec"
    spoilt.write_bytes(before[:100])
    done = play("rewrap", spoilt, shutil.copy(recorded, tmp_path), tmp_path / "spoilt.brec", "--to",
                dan.recipient, who=(ann, ben), check=False)
    assert done.returncode == 1 and "2 of 3 not re-wrapped" in done.stderr
    assert "1 recording re-wrapped" in done.stdout
    many = [word for _ in range(16) for word in ("--to", dan.recipient)]
    secret = dan.file.read_text().splitlines()[-1]
    (tmp_path / "text").write_text("hello")
    assert "no room for that many recipients" in told(recorded, *many)
    assert "not a recording" in told(tmp_path / "text", "--to", dan.recipient)
    assert "both layers" in told(recorded, "--to", dan.recipient, "--second", dan.recipient)
    assert secret[20:] not in told(recorded, "--to", secret)
    assert "-i" in told(recorded, "--to", dan.recipient, who=())
    assert "--all" in told("--to", dan.recipient)
    assert "neither a file" in told(recorded, "nothing", "--to", dan.recipient)
    assert play("rewrap", recorded, who=(ann,), check=False).returncode == 2  # no --to


def erase(path):
    """As the specification has it."""
    with open(path, "r+b") as file:
        size, = struct.unpack_from("<H", file.read(16), 8)
        file.seek(12)
        file.write(bytes(4))
        file.seek(128)
        file.write(bytes(size * 256 - 128))


def test_an_erased_recording_says_so_and_keeps_its_chain(people, recorded):
    ann, ben, _, dan = people.values()
    head = head_of(recorded, ann, ben)
    erase(recorded)
    assert "was erased" in refused(recorded, ann, ben)
    for who in ((), (ann, ben)):
        done = play("verify", recorded, who=who, check=False)
        assert done.returncode == 3
        assert "the recording was erased" in done.stdout and "was erased" in done.stderr
        assert HEAD.search(done.stdout).group(1) == head
    done = play("rewrap", recorded, "--to", dan.recipient, who=(ann, ben), check=False)
    assert done.returncode == 1 and "was erased" in done.stderr


# Rotation.

def test_a_reload_with_new_recipients_changes_later_recordings_alone(
        alice, people, two_person_bastion):
    ann, ben, _, dan = people.values()
    watch = Watch(two_person_bastion)
    alice.run("echo earlier")
    earlier, = watch.paths(1)
    before = earlier.read_bytes()
    with two_person_bastion.changed(recording={"recipients": [dan.recipient],
                                               "second_recipients": [ann.recipient]}):
        alice.run("echo later")
        later = next(path for path in watch.paths(2) if path != earlier)
    assert text_of(later, dan, ann) == "later\n"
    refused(later, ann, ben)
    assert earlier.read_bytes() == before
    assert text_of(earlier, ann, ben) == "earlier\n"


def test_a_reload_can_end_the_reading_by_two(alice, people, two_person_bastion):
    ann, ben, _, dan = people.values()
    watch = Watch(two_person_bastion)
    config = two_person_bastion.config
    try:
        two_person_bastion.config = {**config, "recording": {"recipients": [dan.recipient]}}
        two_person_bastion.write_config()
        two_person_bastion.ctl("reload")
        alice.run("echo alone")
    finally:
        two_person_bastion.config = config
        two_person_bastion.write_config()
        two_person_bastion.ctl("reload")
    path, = watch.paths(1)
    assert text_of(path, dan) == "alone\n"
    refused(path, ann, ben)


def test_a_configuration_in_which_one_could_read_alone_is_refused(people, two_person_bastion):
    ann = people["ann"]
    for second in ([], [ann.recipient]):
        config = two_person_bastion.config
        try:
            two_person_bastion.config = {**config, "recording": {
                "recipients": [ann.recipient], "second_recipients": second}}
            two_person_bastion.write_config()
            done = two_person_bastion.ctl("config", "check", check=False)
        finally:
            two_person_bastion.config = config
            two_person_bastion.write_config()
        assert done.returncode != 0
        assert "recording.second_recipients: " in done.stdout and "alone" in done.stdout
