# SPDX-License-Identifier: Apache-2.0
"""What a session leaves behind. Recordings are read by tests/support/brec.py, which shares no code
with the product, and by what auditors have: age, asciinema, sallyport-play."""
import json
import os
import subprocess
import time

import pexpect
import pytest

from tests.support.brec import ERROR, OUTPUT, TO_TARGET, Recording, exact_text, open_envelope
from tests.support.shell import Watch, leave, shell, verify_all
from tests.support.stack import BUILD, ME, Client, end_client


@pytest.fixture(scope="module")
def alice(bastion, tmp_path_factory):
    """One person for the whole file."""
    client = Client(bastion, tmp_path_factory.mktemp("alice"))
    client.log_in(bastion.idp.approve)
    return client


@pytest.fixture
def watch(bastion, alice):
    return Watch(bastion)


def asciinema_cat(path):
    """Debian's asciinema wants a terminal, even to print into a file."""
    child = pexpect.spawn("/bin/sh", ["-c", f"asciinema cat {path} >{path}.out"],
                          env={**os.environ, "LC_ALL": "C.UTF-8"}, timeout=60)
    said = child.read()
    child.close()
    assert child.exitstatus == 0, said
    return path.with_name(f"{path.name}.out").read_bytes()


def export(bastion, recording, form, folder):
    path = folder / f"{recording.path.stem}.{form}"
    bastion.play("export", str(recording.path), "--format", form, "-o", str(path))
    return path


# Facts.

def test_a_command_is_recorded_with_who_where_and_what(alice, bastion, watch):
    alice.run("printf 'a\tb'; exit 3")
    recording = watch.one()
    facts = dict(recording.facts)
    key = subprocess.run(["ssh-keygen", "-lf", f"{alice.key}.pub"], capture_output=True, text=True)
    assert facts.pop("address").startswith("127.0.0.1")
    assert len(facts.pop("subject")) > 0
    assert facts == {
        "session": recording.session.hex(), "channel": 0, "node": "test-node",
        "who": "alice@example.com", "issuer": bastion.idp.url, "target": "web1", "login": ME,
        "fingerprint": key.stdout.split()[1], "kind": "exec", "pty": False,
        "command": "printf 'a\tb'; exit 3"}
    assert recording.path.name == f"{recording.session.hex()}-0.brec"
    assert recording.node == "test-node"
    assert abs(recording.start_ms / 1000 - time.time()) < 120
    assert recording.header["version"] == 3


def test_a_shell_is_recorded_with_its_terminal_and_without_a_command(alice, watch):
    child = shell(alice, dimensions=(31, 97))
    leave(child)
    recording = watch.one()
    assert recording.facts["kind"] == "shell"
    assert recording.facts["pty"] is True
    assert "command" not in recording.facts
    assert recording.header["term"] == {"cols": 97, "rows": 31, "type": "xterm-256color"}


def test_a_terminal_of_a_size_that_nobody_has_is_recorded_and_plays(alice, bastion, watch, tmp_path):
    child = shell(alice, dimensions=(40000, 20000))
    child.setwinsize(65535, 65535)
    child.send("printf 'still %s' here\r")
    child.expect_exact("still here")
    leave(child)
    recording = watch.one()
    assert (recording.header["term"]["cols"], recording.header["term"]["rows"]) == (10000, 10000)
    assert set(recording.codes("r")) <= {"10000x10000"}
    assert "still here" in export(bastion, recording, "text", tmp_path).read_text()


def test_a_terminal_without_a_size_has_the_usual_one(alice, watch):
    alice.run("tty", options=["-tt"])  # there is no terminal here whose size ssh could tell
    term = watch.one().header["term"]
    assert (term["cols"], term["rows"]) == (80, 24)


def test_a_command_with_a_terminal_says_both(alice, watch):
    alice.run("tty", options=["-tt"])
    facts = watch.one().facts
    assert (facts["kind"], facts["pty"], facts["command"]) == ("exec", True, "tty")


def test_what_a_shell_is_told_first_names_the_session(alice, watch):
    child = alice.spawn()
    child.expect("^alice@example.com \u00b7 web1 \u00b7 session (\\w{8})\u2026 is recorded\r\n"
                 .encode())
    told = child.match.group(1).decode()
    leave(child)
    recording = watch.one()
    assert recording.session.hex().startswith(told)
    assert recording.readable().startswith(f"alice@example.com \u00b7 web1 \u00b7 session {told}")


@pytest.mark.parametrize("command, written", [
    ("exit 0", "0"), ("exit 1", "1"), ("exit 255", "255"),
    ("kill -TERM $$", "143"), ("kill -KILL $$", "137"), ("kill -SEGV $$", "139"),
])
def test_how_a_command_ended_is_the_last_event(alice, watch, command, written):
    alice.run(f"ulimit -c 0; echo before; {command}")
    recording = watch.one()
    assert recording.codes("x") == [written]
    assert recording.events[-1][1] == "x"
    assert recording.printed() == b"before\n"


# The envelope.

def test_the_stock_age_opens_it_for_the_auditor_and_for_nobody_else(
        alice, bastion, watch, tmp_path):
    canary = os.urandom(16).hex()
    alice.run(f"echo {canary[:16]}'{canary[16:]}'")
    path = watch.paths(1)[0]
    other = tmp_path / "other.age"
    subprocess.run(["age-keygen", "-o", str(other)], check=True, capture_output=True)
    assert open_envelope(path, other) is None
    assert len(open_envelope(path, bastion.identity_file)) == 32
    for line in (canary, canary[:16], "alice@example.com", "web1", bastion.idp.url):
        assert line.encode() not in path.read_bytes()
    assert Recording(path, bastion.identity_file).printed() == canary.encode() + b"\n"


# Playing elsewhere.

def test_asciinema_shows_byte_for_byte_what_the_client_received(alice, bastion, watch, tmp_path):
    script = ("ls --color=always -l /usr/bin | head -200; printf 'tab\\there \\033[1;31mred\\033[0m "
              "\\a\\b\\x7f \\302\\205 caf\u00e9 \u20ac \U0001f600\\n'; seq 1 5000; exit 7\n")
    done = alice.run(options=["-tt"], input=script.encode())
    assert done.returncode == 7
    assert b"5000\r\n" in done.stdout
    recording = watch.one()
    for form in ("cast2", "cast3"):
        exported = export(bastion, recording, form, tmp_path)
        lines = exported.read_text().splitlines()
        assert json.loads(lines[0])["version"] == int(form[-1])
        assert "".join(e[2] for e in map(json.loads, lines[1:]) if e[1] == "o").encode() == \
            done.stdout
        if form == "cast2":
            assert asciinema_cat(exported) == done.stdout


def test_the_player_and_the_other_reader_agree_on_every_event(alice, bastion, watch, tmp_path):
    child = shell(alice)
    child.send("printf '\\303\\050 \\377 invalid'; seq 1 100\r")
    child.expect_exact("100\r\n")
    child.setwinsize(40, 120)
    child.expect_exact("READY> ")
    leave(child, 5)
    recording = watch.one()
    events = [json.loads(line) for line in
              export(bastion, recording, "cast3", tmp_path).read_text().splitlines()[1:]]
    ours = [(code, data) for _, code, data in recording.events if code in "orx"]
    assert [(code, data) for _, code, data in events] == ours
    assert recording.codes("r") == ["120x40"]
    assert sum(interval for interval, _, _ in events) == pytest.approx(recording.events[-1][0],
                                                                       abs=0.01)


# Commands: their two outputs and their input.

STREAMS = {"stdin": TO_TARGET, "stdout": OUTPUT, "stderr": ERROR}


def test_the_player_gives_out_each_stream_byte_for_byte(alice, bastion, watch, tmp_path):
    given = os.urandom(50_000)
    done = alice.run("echo begun; echo working >&2; sleep 0.2; cat; echo caf\u00e9 >&2; "
                     "sleep 0.2; printf '\\377\\376' >&2; echo done >&2", input=given)
    recording = watch.one()
    exported = {name: export(bastion, recording, name, tmp_path).read_bytes() for name in STREAMS}
    assert exported["stdin"] == given
    assert exported["stdout"] == done.stdout == b"begun\n" + given
    assert exported["stderr"] == done.stderr
    assert {name: recording.printed(stream) if stream else recording.binary(stream)
            for name, stream in STREAMS.items()} == exported


def test_recorded_bytes_do_not_go_to_the_auditors_terminal(alice, bastion, watch):
    alice.run("printf '\\033]0;title\\007'")
    player = str(BUILD / "bin" / "sallyport-play")
    child = pexpect.spawn(player, ["export", str(watch.paths(1)[0]), "--format", "stdout",
                                   "-i", str(bastion.identity_file)])
    said = child.read()
    child.close()
    assert child.exitstatus == 1
    assert b"-o" in said and b"\033" not in said


def test_random_bytes_are_recorded_without_loss(alice, watch, tmp_path):
    random = os.urandom(300_000)
    (tmp_path / "random").write_bytes(random)
    assert alice.run(f"cat {tmp_path}/random").stdout == random
    recording = watch.one()
    assert recording.has_binary(OUTPUT)
    assert recording.printed() == random


def test_binary_errors_and_binary_output_are_recorded_apart(alice, watch, tmp_path):
    out, err = b"\0\xff" * 20_000, bytes(range(256)) * 200
    (tmp_path / "out").write_bytes(out)
    (tmp_path / "err").write_bytes(err)
    done = alice.run(f"cat {tmp_path}/out; cat {tmp_path}/err >&2")
    assert (done.stdout, done.stderr) == (out, err)
    recording = watch.one()
    assert recording.printed(OUTPUT) == out
    assert recording.printed(ERROR) == err
    assert recording.has_binary(OUTPUT) and recording.has_binary(ERROR)


def test_text_of_both_outputs_is_readable_and_kept_apart(alice, watch):
    alice.run("for i in 1 2 3; do echo out $i; sleep 0.1; echo err $i >&2; sleep 0.1; done")
    recording = watch.one()
    assert recording.readable() == "".join(f"out {i}\nerr {i}\n" for i in (1, 2, 3))
    assert recording.printed(OUTPUT) == b"out 1\nout 2\nout 3\n"
    assert recording.printed(ERROR) == b"err 1\nerr 2\nerr 3\n"
    assert not recording.has_binary(OUTPUT) and not recording.has_binary(ERROR)


def test_a_text_that_becomes_binary_is_whole(alice, watch):
    alice.run("echo header; sleep 0.3; printf '\\0\\1\\2'; sleep 0.3; echo text again; "
              "echo warning >&2")
    recording = watch.one()
    assert recording.readable() == "header\nwarning\n"
    assert recording.printed() == b"header\n\0\1\2text again\n"
    assert recording.printed(ERROR) == b"warning\n"


@pytest.mark.parametrize("given", [b"typed text\n", bytes(range(256)) * 1000],
                         ids=["text", "bytes"])
def test_what_is_piped_into_a_command_is_recorded_as_bytes(alice, watch, given):
    alice.run("wc -c", input=given)
    recording = watch.one()
    assert recording.binary(TO_TARGET) == given
    assert recording.codes("i", "I") == []
    assert recording.printed() == f"{len(given)}\n".encode()


# Text that arrives in pieces.

MANY_LENGTHS = "a\u00e9\u20ac\U0001f600\u4e16\u0301z" * 3


def byte_by_byte(folder, data):
    """A command that prints `data` one byte at a time, each in a packet of its own."""
    script = folder / "bytes.py"
    script.write_text("import os, time\n"
                      f"for byte in {data!r}:\n    os.write(1, bytes([byte])); time.sleep(0.01)\n")
    return f"/usr/bin/python3 {script}"


@pytest.mark.parametrize("options", [["-tt"], []], ids=["terminal", "pipe"])
def test_a_text_split_at_every_byte_is_kept_exactly_and_readably(alice, watch, tmp_path, options):
    command = byte_by_byte(tmp_path, MANY_LENGTHS.encode())
    assert alice.run(command, options=options).stdout == MANY_LENGTHS.encode()
    recording = watch.one()
    assert len(recording.codes("O")) > 10, "the text was not split"
    assert exact_text(recording.events) == MANY_LENGTHS.encode()
    assert recording.readable() == MANY_LENGTHS
    assert not recording.has_binary(OUTPUT)


def test_bytes_that_are_no_text_survive_a_terminal(alice, watch, tmp_path):
    data = b"\xff\xfe latin \xe9 \xc3(\xed\xa0\x80 \xe2\x82 \xf0\x9f\x98 end\x80"
    command = byte_by_byte(tmp_path, data)
    assert alice.run(f"stty raw; {command}", options=["-tt"]).stdout == data
    recording = watch.one()
    assert recording.printed() == data
    assert "\ufffd" in recording.readable() and "latin" in recording.readable()


# What must not be there.

def test_a_typed_password_is_nowhere(alice, watch):
    secret = "Canary" + os.urandom(8).hex()
    child = shell(alice)
    child.send("read -rsp 'Password: ' pw; echo; echo length ${#pw}\r")
    child.expect(r"length \$.*Password: ")
    child.send(secret + "\r")
    child.expect_exact(f"length {len(secret)}\r\n")
    child.expect_exact("READY> ")
    child.send("echo visible\r")
    child.expect_exact("visible\r\nREADY> ")
    leave(child)
    recording = watch.one()
    everything = recording.cast + exact_text(recording.events) + \
        b"".join(data for _, _, data in recording.frames)
    assert secret.encode() not in everything
    assert not recording.has_binary(TO_TARGET)
    assert recording.codes("i", "I") == []
    assert b"echo visible" in everything, "what the target echoes is there"


# Channels and sessions.

def test_two_shells_on_one_connection_are_two_recordings_of_one_session(alice, watch, tmp_path):
    control = ["-o", f"ControlPath={tmp_path}/c"]
    first = shell(alice, options=["-M", *control])
    second = shell(alice, options=control)
    for child, word in ((first, "ALPHA"), (second, "BETA"), (first, "GAMMA")):
        child.send(f"echo is''{word}\r")
        child.expect_exact(f"is{word}\r\nREADY> ")
    leave(second, 4)
    leave(first, 6)
    recordings = sorted(watch.all(2), key=lambda r: r.channel)
    assert [r.channel for r in recordings] == [0, 1]
    assert [r.facts["channel"] for r in recordings] == [0, 1]
    assert recordings[0].session == recordings[1].session
    assert recordings[0].facts["session"] == recordings[1].facts["session"]
    texts = [r.readable() for r in recordings]
    assert ["isALPHA" in text for text in texts] == [True, False]
    assert ["isBETA" in text for text in texts] == [False, True]
    assert ["isGAMMA" in text for text in texts] == [True, False]
    assert [r.codes("x") for r in recordings] == [["6"], ["4"]]


def test_two_connections_are_two_sessions(alice, watch):
    alice.run("true")
    alice.run("true")
    first, second = watch.all(2)
    assert first.session != second.session


def test_a_connection_without_a_channel_has_no_recording(alice, bastion, watch):
    process = subprocess.Popen(alice.command(options=["-N", "-o", "BatchMode=yes"]))
    try:
        time.sleep(1.5)
        assert process.poll() is None
    finally:
        end_client(process)
    assert set(bastion.recordings()) == watch.before


# Last, so that it sees what the others left.

def test_every_recording_of_this_file_verifies(alice, bastion):
    assert verify_all(bastion) > 20
