# SPDX-License-Identifier: Apache-2.0
"""The terminal of a session: the target has what the client has, and the recording says so."""
import os
import re
import signal
import subprocess
import time

import pytest

from tests.support.shell import Watch, become_quiet, leave, shell, verify_all
from tests.support.stack import ME, Client, wait_until


@pytest.fixture(scope="module")
def alice(bastion, tmp_path_factory):
    """One person for the whole file; the target would take any variable."""
    bastion.target.stop()
    bastion.target.extra_config = "AcceptEnv *"
    bastion.target.start()
    client = Client(bastion, tmp_path_factory.mktemp("alice"))
    client.log_in(bastion.idp.approve)
    return client


@pytest.fixture
def watch(bastion, alice):
    return Watch(bastion)


# Its size, while output runs.

def test_a_resize_while_output_runs_stands_where_it_happened(alice, watch):
    child = shell(alice, dimensions=(24, 80))
    child.send("bash -c 'trap \"echo size \\$(stty size)\" WINCH; "
               "for i in $(seq 1 150); do echo line $i; sleep 0.02; done'\r")
    sizes = [(30, 100), (24, 132), (50, 40)]
    for i, (rows, columns) in enumerate(sizes):
        child.expect_exact(f"line {20 + 40 * i}\r\n")
        child.setwinsize(rows, columns)
    child.expect_exact("line 150\r\n")
    child.expect_exact("READY> ")
    leave(child)
    recording = watch.one()
    assert recording.codes("r") == [f"{columns}x{rows}" for rows, columns in sizes]
    size, told, text = "80x24", [], ""
    for _, code, data in recording.events:
        if code == "r":
            size = data
            assert "line 20\r\n" in text and "line 150\r\n" not in text
        elif code == "o":
            text += data
            for rows, columns in re.findall(r"size (\d+) (\d+)\r\n", text)[len(told):]:
                told.append((f"{columns}x{rows}", size))
    assert told == [(size, size) for size in recording.codes("r")]


def test_the_target_has_the_size_of_the_window(alice, watch):
    child = shell(alice, dimensions=(33, 101))
    child.send("stty size\r")
    child.expect_exact("33 101\r\n")
    child.setwinsize(20, 77)
    wait_for_size(child, "20 77")
    leave(child)
    assert watch.one().codes("r") == ["77x20"]


def test_a_resize_before_the_target_has_answered_is_not_lost(alice, bastion, watch):
    os.kill(bastion.target.process.pid, signal.SIGSTOP)
    try:
        child = alice.spawn(dimensions=(24, 80))
        wait_until(lambda: set(bastion.recordings()) - watch.before, what="a recording")
        child.setwinsize(30, 100)
        time.sleep(0.5)
    finally:
        os.kill(bastion.target.process.pid, signal.SIGCONT)
    become_quiet(child)
    child.send("stty size\r")
    child.expect_exact("30 100\r\n")
    leave(child)
    recording = watch.one()
    assert (recording.header["term"]["cols"], recording.codes("r")) in [(80, ["100x30"]), (100, [])]


def wait_for_size(child, expected):
    """The change travels apart from what is typed."""
    for _ in range(50):
        child.send("stty size\r")
        child.expect(r"(\d+ \d+)\r\n")
        if child.match.group(1).decode() == expected:
            return
        time.sleep(0.1)
    raise AssertionError(f"the size is {child.match.group(1)}")


# Its type, its signals, and the environment.

def test_language_passes_and_nothing_else(alice):
    names = {"LANG": "C.UTF-8", "LC_TIME": "POSIX", "LC_X": "x", "SECRET_X": "no", "LANGX": "no",
             "XLC_X": "no"}
    options = [word for name in names for word in ("-o", f"SendEnv={name}")]
    done = alice.run("env", options=options, env={**os.environ, **names})
    passed = dict(line.split("=", 1) for line in done.stdout.decode().splitlines() if "=" in line)
    assert {name: passed.get(name) for name in names} == {
        "LANG": "C.UTF-8", "LC_TIME": "POSIX", "LC_X": "x", "SECRET_X": None, "LANGX": None,
        "XLC_X": None}


def test_the_target_itself_would_take_any_variable(alice, bastion):
    """Else the test above proves nothing."""
    with open(bastion.target.authorized_keys, "a") as keys:
        keys.write((alice.folder / f"{alice.key.name}.pub").read_text())
    known = alice.folder / "target.known_hosts"
    known.write_text(f"[127.0.0.1]:{bastion.target.port} {bastion.target.public_host_key()}\n")
    done = subprocess.run(
        ["ssh", "-F", "/dev/null", "-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={known}",
         "-o", "SendEnv=SECRET_X", "-i", str(alice.key), "-p", str(bastion.target.port),
         f"{ME}@127.0.0.1", "echo $SECRET_X"],
        capture_output=True, env={**os.environ, "SECRET_X": "yes"})
    assert done.stdout == b"yes\n", done.stderr


@pytest.mark.parametrize("term", ["vt220", "xterm-256color"])
def test_the_terminals_type_passes(alice, watch, term):
    done = alice.run("echo $TERM", options=["-tt"], env={**os.environ, "TERM": term})
    assert done.stdout == f"{term}\r\n".encode()
    assert watch.one().header["term"]["type"] == term


@pytest.mark.parametrize("key, name", [("\x03", "INT"), ("\x1c", "QUIT")])
def test_a_key_that_signals_reaches_the_program(alice, watch, key, name):
    child = shell(alice)
    child.send(f"bash -c 'trap \"echo got {name}; exit 9\" {name}; echo wait''ing; "
               "while :; do sleep 0.1; done'; echo status $?\r")
    child.expect_exact("waiting\r\n")
    child.send(key)
    child.expect_exact(f"got {name}\r\n")
    child.expect_exact("status 9\r\n")
    leave(child)
    assert f"got {name}\r\n" in watch.one().readable()


# Last, so that it sees what the others left.

def test_every_recording_of_this_file_verifies(alice, bastion):
    assert verify_all(bastion) > 5
