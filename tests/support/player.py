# SPDX-License-Identifier: Apache-2.0
"""What the tests of sallyport-play share: recordings of chosen bytes, a pseudo terminal that is
looked at through pyte, and the list of what may be sent to it."""

import array
import base64
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import struct
import subprocess
import termios
import time

import pyte
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SALLYPORT_BUILD_DIR") or os.environ.get("SALLYPORT_BUILD") or
                     ROOT / "build" / "dev")
PLAY = BUILD / "bin" / "sallyport-play"
MAKE_RECORDING = BUILD / "tests" / "make_recording"
SESSION = "0123456789abcdef0123456789abcdef"
PATIENCE = 60  # seconds; a machine may be busy, a test must not depend on it


def exact_event(delay, data):
    """What the recorder writes: exact bytes for us, readable text for others."""
    events = [[delay, "O", base64.b64encode(data).decode()]] if not is_utf8(data) else []
    return events + [[0 if events else delay, "o", data.decode("utf-8", "replace")]]


def is_utf8(data):
    try:
        data.decode("utf-8")
        return True
    except UnicodeDecodeError:
        return False


def write_v3(path, events, cols=80, rows=24):
    """events: (delay, bytes) or (delay, code, text)."""
    lines = [json.dumps({"version": 3, "term": {"cols": cols, "rows": rows}})]
    for event in events:
        if len(event) == 3:
            lines.append(json.dumps(list(event)))
        else:
            lines += [json.dumps(e) for e in exact_event(*event)]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_v2(path, events, cols=80, rows=24):
    lines = [json.dumps({"version": 2, "width": cols, "height": rows})]
    now = 0
    for delay, data in events:
        now += delay
        lines.append(json.dumps([now, "o", data.decode("utf-8", "replace")]))
    path.write_text("\n".join(lines) + "\n")
    return path


def write_v1(path, events, cols=80, rows=24):
    stdout = [[delay, data.decode()] for delay, data in events]
    path.write_text(json.dumps({"version": 1, "width": cols, "height": rows,
                                "duration": 1.0, "stdout": stdout}))
    return path


def make_recording(path, cast, recipient, channel=0, pty_mode="pty", end="end", session=SESSION):
    subprocess.run([MAKE_RECORDING, cast, path, recipient, session, str(channel), pty_mode, end],
                   check=True)
    return path


class Terminal:
    """Runs a command in a pseudo terminal; `screen` is what a person would see, `raw` all bytes."""

    def __init__(self, *command, cols=80, rows=24, term="xterm-256color", env=None):
        self.screen = pyte.Screen(cols, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.status = None
        # The slave stays open here: what somebody types into it could be read even afterwards.
        master, self.slave = pty.openpty()
        self.size(cols, rows, master)
        environment = {"TERM": term, "LANG": "C.UTF-8", "PATH": os.environ["PATH"],
                       "HOME": "/nonexistent", **(env or {})}
        self.process = subprocess.Popen([str(c) for c in command], stdin=self.slave,
                                        stdout=self.slave, stderr=self.slave, env=environment,
                                        start_new_session=True, preexec_fn=self._own_terminal)
        self.master = master

    def _own_terminal(self):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def size(self, cols, rows, master=None):
        fcntl.ioctl(self.master if master is None else master, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, cols, 0, 0))

    def resize(self, cols, rows):
        self.screen.resize(rows, cols)
        self.size(cols, rows)

    def pump(self, seconds=0.05):
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.master, 1 << 16)
        except OSError:
            return False
        self.raw += data
        # xterm's title stack, which pyte 0.8 draws as text
        self.stream.feed(re.sub(rb"\x1b\[2[23];0;0t", b"", data))
        return True

    def wait(self, condition, what="", patience=PATIENCE):
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if condition():
                return
            self.pump()
        raise AssertionError("waited in vain for %s; the screen:\n%s" % (what, self.text()))

    def see(self, text, patience=PATIENCE):
        self.wait(lambda: text in self.text(), repr(text), patience)

    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display)

    def bar(self):
        return self.screen.display[-1]

    def type(self, keys):
        os.write(self.master, keys)

    def quit(self):
        if self.status is None:
            self.type(b"q")
            self.wait(lambda: self.process.poll() is not None, "the end")
            while self.pump(0.05):
                pass
            self.status = self.process.returncode
        return self.status

    def unread_input(self):
        """Bytes that wait for whoever reads this terminal next."""
        mode = termios.tcgetattr(self.slave)
        mode[3] &= ~termios.ICANON
        termios.tcsetattr(self.slave, termios.TCSANOW, mode)
        count = array.array("i", [0])
        fcntl.ioctl(self.slave, termios.FIONREAD, count)
        return count[0]

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


ALLOWED = re.compile(
    rb"[\x20-\x7e]+"  # text
    rb"|[\r\n\b]"
    rb"|\x1b\[\d*(?:;\d*)*m"  # colours
    rb"|\x1b\[\d*;?\d*H|\x1b\[\d*[ABCDGdXPLM@ST]|\x1b\[[0-2]?[JK]|\x1b\[\d+;\d+r"  # moving, erasing
    rb"|\x1b\[\d+b"  # repeat
    rb"|\x1b\[\?(?:1|7|12|25|1049|12;25)[hl]|\x1b\[4[hl]"
    rb"|\x1b\([B0]|\x1b[=>78M]"
    rb"|\x1b\[2[23];0;0t"  # xterm's title stack: in smcup and rmcup
)
# Invisible, turning or control characters, as UTF-8 would carry them.
FORBIDDEN_TEXT = re.compile("[\u0080-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
                            "\U000e0000-\U000e0fff]")


def assert_only_allowed(raw):
    """Every byte belongs to a sequence that ncurses has for xterm-256color, or is text."""
    position = 0
    while position < len(raw):
        match = ALLOWED.match(raw, position)
        if match is None and raw[position] >= 0x80:
            match = re.compile(rb"[\x80-\xff]+").match(raw, position)
            text = match.group().decode("utf-8")  # raises when it is not
            assert not FORBIDDEN_TEXT.search(text), ascii(text)
        assert match, "not allowed at %d: %r" % (position, raw[position:position + 40])
        position = match.end()


@pytest.fixture(scope="module")
def auditor(tmp_path_factory):
    """An identity that the product made, and its recipient."""
    path = tmp_path_factory.mktemp("auditor") / "identity.txt"
    made = subprocess.run([PLAY, "keygen", "-o", path], capture_output=True, text=True, check=True)
    return path, made.stdout.strip()


@pytest.fixture
def recorder(tmp_path, auditor):
    def record(events, name="r.brec", cols=80, rows=24, **options):
        cast = write_v3(tmp_path / (name + ".cast"), events, cols, rows)
        return make_recording(tmp_path / name, cast, auditor[1], **options)
    return record


@pytest.fixture
def play(auditor):
    open_terminals = []

    def start(path, *options, **terminal):
        command = [PLAY, path, "-i", auditor[0], *options]
        open_terminals.append(Terminal(*command, **terminal))
        return open_terminals[-1]

    yield start
    for terminal in open_terminals:
        terminal.close()


def run(*command, **options):
    return subprocess.run([str(c) for c in command], capture_output=True, **options)


# A tick a second, for a minute.
TICKS = [(0.0, b"tick 0\r\n")] + [(1.0, b"tick %d\r\n" % i) for i in range(1, 61)]
