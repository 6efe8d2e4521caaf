# SPDX-License-Identifier: Apache-2.0
"""Keystrokes, where a role wants them: what was echoed is there exactly, for recipients of its own;
what was not echoed is nowhere, neither as a whole nor in part."""
import base64
import os
import re
import signal
import time

import pexpect
import pytest

from tests.e2e.conftest import running_stack
from tests.support.auditor import Auditor
from tests.support.brec import Recording
from tests.support.shell import Watch
from tests.support.stack import Client, Target, wait_until

SECRET = "Zq7#xVw9!kB"
PROMPT = "READY> "
PART = 4  # no four characters of a secret either
MARK = "[not echoed]"


@pytest.fixture(scope="module")
def listener(tmp_path_factory):
    return Auditor(tmp_path_factory.mktemp("listener"), "listener")


@pytest.fixture(scope="module")
def typed_bastion(listener, tmp_path_factory):
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        users = {**running.config["roles"]["users"], "record_keystrokes": True}
        with running.changed(recording={"keystrokes": {"recipients": [listener.recipient]}},
                             roles={"users": users}):
            yield running


@pytest.fixture(scope="module")
def alice(typed_bastion, tmp_path_factory):
    client = Client(typed_bastion, tmp_path_factory.mktemp("alice"))
    client.log_in(typed_bastion.idp.approve)
    return client


def typed_text(recording):
    """What stands in a recording of keystrokes: exact bytes, and its markers."""
    text, skip = b"", False
    for _, code, data in recording.events:
        if code == "m":
            assert data == "not echoed"
            text += MARK.encode()
        elif code == "I":
            text += base64.b64decode(data)
        elif code == "i" and not skip:
            text += data.encode()
        skip = code == "I"
    return text.decode()


class Session:
    """Somebody who types into a shell; afterwards `typed` and `printed`."""

    def __init__(self, bastion, client, listener, shell="bash --norc --noprofile", **more):
        self.bastion = bastion
        self.listener = listener
        self.watch = Watch(bastion)
        self.child = client.spawn(**more)
        self.child.expect(r"is recorded, with keystrokes\r+\n")
        self.child.send(f"exec env PS1='REA''DY> ' PROMPT_COMMAND= HISTFILE=/dev/null "
                        f"LC_ALL=C.UTF-8 {shell}\r")
        self.ready()

    def ready(self):
        self.child.expect_exact(PROMPT)

    def rest(self, seconds):
        """What is printed meanwhile is read, and no prompt in it is waited for later."""
        until = time.monotonic() + seconds
        while self.child.expect([pexpect.TIMEOUT, b"(?s).+"],
                                timeout=max(until - time.monotonic(), 0)):
            pass

    def slowly(self, text):
        """Each key when the one before was echoed."""
        for key in text:
            self.child.send(key.encode())
            self.child.expect_exact(key.encode())

    def line(self, text):
        self.slowly(text)
        self.child.send("\r")

    def command(self, text):
        self.line(text)
        self.ready()

    def leave(self, line="exit"):
        self.line(line)
        self.child.expect(pexpect.EOF)
        self.child.close()
        return self.read()

    def read(self):
        paths = sorted(self.watch.paths(2))
        assert [path.name[32:] for path in paths] == ["-0.brec", "-0k.brec"]
        self.paths = paths
        self.printed = Recording(paths[0], self.bastion.identity_file)
        self.keys = Recording(paths[1], self.listener.file)
        self.typed = typed_text(self.keys)
        return self.typed


@pytest.fixture
def session(typed_bastion, alice, listener):
    def begin(shell="bash --norc --noprofile", **more):
        return Session(typed_bastion, alice, listener, shell, **more)
    return begin


# --- two files

def test_the_two_recordings_are_two_of_everything(session, typed_bastion, listener, alice):
    typing = session()
    typing.leave()
    channel, keys = typing.paths
    assert channel.stem + "k" == keys.stem
    assert typing.keys.facts["part"] == "keystrokes" and "part" not in typing.printed.facts
    assert {**typing.keys.facts, "part": ""} == {**typing.printed.facts, "part": ""}
    assert typing.keys.data[108] == 1 and typing.printed.data[108] == 0
    assert {code for _, code, _ in typing.keys.events} <= {"i", "m"}
    # Each for its own people.
    for path, whose in ((channel, listener.file), (keys, typed_bastion.identity_file)):
        with pytest.raises(Exception, match="does not open"):
            Recording(path, whose)
    # Each in the log, and proven.
    recorded = {event["recording"] for event in typed_bastion.events("recorded")}
    assert {channel.stem, keys.stem} <= recorded
    wait_until(lambda: typed_bastion.play(
        "verify", "--all", "-i", str(listener.file), "--recordings", str(channel.parent),
        check=False).returncode in (0, 3))
    # Who may not read keystrokes verifies everything else, and is told.
    known = typed_bastion.play("verify", str(keys), check=False)
    assert known.returncode == 3 and b"has readers of its own" in known.stdout
    # By its id.
    session_id = channel.stem[:32]
    folder = ("--recordings", str(channel.parent), "-i", str(listener.file))
    for name in (session_id + "k", session_id[:12] + "-0k"):
        text = typed_bastion.play("export", "--format", "text", name, *folder).stdout.decode()
        assert "exit\u2039Enter\u203a" in text
    cast = typed_bastion.play("export", "--format", "cast3", session_id + "k", *folder).stdout
    assert re.search(rb'"i","\\r"|"i","t"', cast)
    plain = typed_bastion.play("export", "--format", "text", session_id, *folder).stdout.decode()
    assert "with keystrokes" in plain and "\u2039Enter\u203a" not in plain
    # A command without a terminal, and a connection, have no keys.
    watch = Watch(typed_bastion)
    assert alice.run("cat", input=b"piped").stdout == b"piped"
    assert [path.name[32:] for path in watch.paths(1)] == ["-0.brec"]


def test_keystrokes_survive_their_monitor(session, typed_bastion, listener):
    typing = session()
    typing.command("echo before")
    typing.slowly("echo never ended")
    [monitor] = typed_bastion.processes("monitor")
    os.kill(monitor, signal.SIGKILL)
    typing.child.expect(pexpect.EOF)
    new = [path for path in typed_bastion.recordings() if path not in typing.watch.before]
    assert sorted(path.name[32:] for path in new) == ["-0.brec", "-0k.brec"]
    [keys] = [path for path in new if path.stem.endswith("k")]
    wait_until(lambda: keys.stem in {e["recording"] for e in typed_bastion.events("recorded")})
    typed = typed_text(Recording(keys, listener.file))
    assert typed.endswith("echo before\r") and "never" not in typed


# --- what is echoed

SHELLS = {"readline": "bash --norc --noprofile", "no readline": "bash --norc --noprofile --noediting",
          "dash": "dash"}


@pytest.mark.parametrize("shell", SHELLS.values(), ids=SHELLS)
def test_what_is_echoed_is_there_exactly(session, shell):
    typing = session(shell)
    typing.command("echo one")
    typing.slowly("echo twx")
    typing.child.send("\x7f")
    typing.child.expect_exact("\b")
    typing.command("o")
    typing.child.send("echo 'in one go'\r")
    typing.ready()
    typing.child.send("\r")
    typing.ready()
    typing.slowly("echo never run")
    typing.child.send("\x03")
    typing.ready()
    typing.command("echo caf\u00e9")
    typing.leave()
    typed = typing.typed[typing.typed.index("echo one"):]
    assert typed == ("echo one\recho twx\x7fo\recho 'in one go'\r\recho never run\x03"
                     "echo caf\u00e9\rexit\r")
    times = [time for time, _, _ in typing.keys.events]
    assert times == sorted(times)
    # Its keys stand at the times at which they were typed, not when the line was done.
    ends = [time for time, code, data in typing.keys.events if data == "\r"]
    assert len(set(times)) > len(ends)


def test_keys_that_edit_a_line_are_there(session):
    typing = session()
    typing.command("echo first")
    typing.child.send("\x1b[A")
    typing.child.expect_exact("echo first")
    typing.child.send("\r")
    typing.ready()
    typing.slowly("echo ac")
    typing.child.send("\x1b[D")
    typing.child.expect_exact("\b")
    typing.slowly("b")
    typing.child.expect_exact("\b")
    typing.child.send("\r")
    typing.child.expect_exact("abc")
    typing.ready()
    typing.child.send("\x1b[200~echo pasted\x1b[201~")
    typing.child.expect_exact("echo pasted")
    typing.child.send("\r")
    typing.ready()
    typing.command("echo " + "long " * 40)  # several rows
    typing.leave()
    assert typing.typed.endswith(
        "echo first\r\x1b[A\recho ac\x1b[Db\r\x1b[200~echo pasted\x1b[201~\recho "
        + "long " * 40 + "\rexit\r")


def test_the_python_prompt(session):
    typing = session()
    typing.line("/usr/bin/python3 -q")
    typing.child.expect_exact(">>> ")
    typing.line("print(6 * 7)")
    typing.child.expect_exact(">>> ")
    typing.line("exit()")
    typing.ready()
    typing.leave()
    assert typing.typed.endswith("/usr/bin/python3 -q\rprint(6 * 7)\rexit()\rexit\r")


def test_full_screen_programs_leave_markers_and_what_follows_is_there(session):
    typing = session()
    typing.line("vi -u NONE -n")
    typing.child.expect_exact("~")
    for keys in ("ix", "\x1b", "yyp", "jjkk", "dd", "u", ":q!\r"):
        typing.rest(0.2)
        typing.child.send(keys)
    typing.ready()
    typing.command("echo between")
    typing.line("seq 500 | less")
    typing.child.expect_exact(":")
    for key in ("j", " ", "q"):
        typing.rest(0.2)
        typing.child.send(key)
    typing.ready()
    typing.command("echo after")
    typing.leave()
    assert "vi -u NONE -n\r" in typing.typed and "echo between\r" in typing.typed
    assert typing.typed.endswith("seq 500 | less\r" + MARK + "echo after\rexit\r")


# --- what is not

# A program that shows a star for each key.
STARS = """import sys, termios, tty
old = termios.tcgetattr(0)
tty.setcbreak(0)
new = termios.tcgetattr(0); new[3] &= ~termios.ECHO; termios.tcsetattr(0, termios.TCSANOW, new)
sys.stdout.write("stars: "); sys.stdout.flush()
while sys.stdin.read(1) not in "\\r\\n": sys.stdout.write("*"); sys.stdout.flush()
termios.tcsetattr(0, termios.TCSADRAIN, old); print()
"""

READ = "read -rs -p 'secret: ' x; echo"
PROMPTS = {
    "read": (READ, "secret: "),
    "read, no newline": ("read -rs -p 'secret: ' x", "secret: "),
    "stty": ("stty -echo; printf 'secret: '; read -r x; stty echo", "secret: "),
    "getpass": ("/usr/bin/python3 -c 'import getpass; getpass.getpass()'", "Password: "),
    "stars": ("/usr/bin/python3 {folder}/stars.py", "stars: "),
    "su": ("/sbin/runuser -u nobody -- su daemon -s /bin/sh -c true" if os.geteuid() == 0
           else "su daemon -s /bin/sh -c true", "Password: "),
    "passwd": ("passwd", "assword: "),
    "ssh": ("ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "
            "-o NumberOfPasswordPrompts=1 -o PreferredAuthentications=password -p {port} "
            "nobody@127.0.0.1", "password: "),
}


@pytest.fixture(scope="module")
def password_sshd(tmp_path_factory):
    target = Target(tmp_path_factory.mktemp("passwords"), "PasswordAuthentication yes")
    yield target
    target.stop()


def paste(typing, secret):
    typing.child.send(f"{secret}\r")


def paste_in_brackets(typing, secret):
    typing.child.send(f"\x1b[200~{secret}\x1b[201~")
    typing.rest(0.3)
    typing.child.send("\r")


def by_hand(typing, secret):
    for key in secret:
        typing.child.send(key)
        typing.rest(0.06)
    typing.child.send("\r")


def slowly(typing, secret):
    """With a rest that is longer than any echo takes, a wrong key and its correction."""
    typing.child.send(secret[:3])
    typing.rest(2.4)
    typing.child.send(secret[3:7] + "x")
    typing.rest(0.2)
    typing.child.send("\x7f" + secret[7:])
    typing.rest(0.2)
    typing.child.send("\r")


WAYS = {"paste": paste, "paste in brackets": paste_in_brackets, "by hand": by_hand,
        "slowly": slowly}


def parts(secret):
    return [secret[at:at + PART] for at in range(len(secret) - PART + 1)]


def contents(typing):
    """All that anybody can get out of these two recordings, and the files as they are."""
    yield "the keystrokes", typing.typed
    yield "the keystrokes' text", typing.keys.cast.decode()
    yield "the output", typing.printed.cast.decode()
    yield "the output's bytes", typing.printed.printed().decode("utf-8", "replace")


def assert_nowhere(typing, secret):
    for where, text in contents(typing):
        for part in parts(secret):
            assert part not in text, f"{part} of the secret stands in {where}: {text}"
    for path in typing.bastion.folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            for part in parts(secret):
                assert part.encode() not in data or len(data) > 1 << 20, path


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("way", WAYS)
def test_a_password_is_nowhere(session, password_sshd, typed_bastion, tmp_path, prompt, way):
    (tmp_path / "stars.py").write_text(STARS)
    os.chmod(tmp_path, 0o755)
    command, words = PROMPTS[prompt]
    typing = session()
    typing.command("echo before")
    typing.line(command.format(folder=tmp_path, port=password_sshd.port))
    typing.child.expect_exact(words)
    WAYS[way](typing, SECRET)
    if prompt == "passwd":  # it asks once more, or has seen enough
        typing.child.expect_exact(["assword: ", PROMPT], timeout=20)
        typing.child.send("\x03")
        typing.rest(0.5)
        typing.child.send("\r")
    typing.ready()
    typing.rest(0.2)
    typing.child.send("\r")
    typing.ready()
    typing.command("echo after")
    typing.leave()
    assert "echo before\r" in typing.typed and "echo after\rexit\r" in typing.typed
    after = typing.typed[typing.typed.index("echo before"):]
    assert MARK in after
    if prompt != "passwd":
        assert after.count(MARK) == 1, after
    assert_nowhere(typing, SECRET)


NOISES = {"text": "abc def", "its first character": SECRET[0], "its beginning": SECRET[:3],
          "stars": "***", "without newlines": None, "itself": SECRET}


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("way", WAYS)
def test_a_password_while_something_else_prints(session, tmp_path, noise, way):
    text = NOISES[noise]
    script = tmp_path / "noise.sh"  # not typed: an echo of it would be found
    script.write_text(f"while [ -e {tmp_path}/go ]; do "
                      + (f"printf '%s' '{SECRET[0]}'" if text is None else f"echo '{text}'")
                      + "; sleep 0.05; done\n")
    (tmp_path / "go").touch()
    os.chmod(tmp_path, 0o755)
    typing = session("bash --norc --noprofile --noediting")
    typing.command(f"sh {script} &")
    typing.child.send(f"{READ}\r")
    typing.child.expect_exact("secret: ")
    typing.rest(0.3)
    WAYS[way](typing, SECRET)
    typing.rest(0.3)
    (tmp_path / "go").unlink()
    typing.rest(0.5)
    typing.child.send("\r")
    typing.rest(0.5)
    typing.command("echo after")
    typing.leave()
    assert MARK in typing.typed and "echo after\rexit\r" in typing.typed
    for part in parts(SECRET):
        assert part not in typing.typed, typing.typed
    if noise != "itself":
        assert_nowhere(typing, SECRET)


def test_the_search_would_find_a_secret_that_was_echoed(session):
    typing = session()
    typing.command(f"true {SECRET}")
    typing.leave()
    with pytest.raises(AssertionError, match="of the secret stands in the keystrokes"):
        assert_nowhere(typing, SECRET)


def test_off_by_default(typed_bastion, tmp_path_factory, alice, listener):
    users = {**typed_bastion.config["roles"]["users"], "record_keystrokes": False}
    with typed_bastion.changed(roles={"users": users}):
        watch = Watch(typed_bastion)
        child = alice.spawn()
        child.expect(r"is recorded\r+\n")
        child.send("exit\r")
        child.expect(pexpect.EOF)
        assert [path.name[32:] for path in watch.paths(1)] == ["-0.brec"]
