# SPDX-License-Identifier: Apache-2.0
"""sallyport-play in a real pseudo terminal, looked at through a terminal emulator (pyte, tmux)."""

import array
import base64
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
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
HOSTILE = sorted((ROOT / "tests" / "data" / "hostile-output").glob("*.bin"))
SESSION = "0123456789abcdef0123456789abcdef"
PATIENCE = 60  # seconds; a machine may be busy, a test must not depend on it

# ---------------------------------------------------------------- recordings


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


@pytest.fixture(scope="module")
def auditor(tmp_path_factory):
    """An identity that the product made, and its recipient."""
    path = tmp_path_factory.mktemp("auditor") / "identity.txt"
    made = subprocess.run([PLAY, "keygen", "-o", path], capture_output=True, text=True, check=True)
    return path, made.stdout.strip()


def make_recording(path, cast, recipient, channel=0, pty_mode="pty", end="end", session=SESSION):
    subprocess.run([MAKE_RECORDING, cast, path, recipient, session, str(channel), pty_mode, end],
                   check=True)
    return path


@pytest.fixture
def recorder(tmp_path, auditor):
    def record(events, name="r.brec", cols=80, rows=24, **options):
        cast = write_v3(tmp_path / (name + ".cast"), events, cols, rows)
        return make_recording(tmp_path / name, cast, auditor[1], **options)
    return record


# ---------------------------------------------------------------- a terminal


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


# ---------------------------------------------------------------- what may come out

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


@pytest.mark.parametrize("bad", [b"\x1b]0;t\x07", b"\x1b[5n", b"\x1b[c", b"\x1bP$qm\x1b\\", b"\x05",
                                 b"\x1b[?2004l", b"\x1b[21t", b"\xc2\x9b5n", b"\x1b(A", b"\x07",
                                 b"\xe2\x80\xae", b"\xff", b"\x1b[8;1;1t", b"\x1b[?1000h"])
def test_the_allow_list_would_see_it(bad):
    with pytest.raises((AssertionError, UnicodeDecodeError)):
        assert_only_allowed(b"text" + bad + b"text")


# ---------------------------------------------------------------- hostile output

AFTERWARDS = b"\x1b\\\x18\x1bc\x1b[3;5Hstill here"


def hostile_events(data):
    pieces = [data[i:i + 20000] for i in range(0, len(data), 20000)]
    return ([(0.1, b"before\r\n")] + [(0.01, piece) for piece in pieces] +
            [(0.1, AFTERWARDS), (0.01, b"\r\n")])


def play_hostile(play, path):
    terminal = play(path)
    terminal.wait(lambda: "/" in terminal.bar(), "the bar")
    for key in (b"..", b"g", b"G"):  # single steps show the hostile moment itself
        terminal.type(key)
        terminal.wait(lambda: True, patience=1)
    terminal.wait(lambda: "END" in terminal.bar() and "still here" in terminal.text(), "the end")
    assert terminal.quit() == 0
    assert_only_allowed(terminal.raw)
    assert terminal.unread_input() == 0
    assert "restarted" not in terminal.raw.decode()  # the emulator lived


@pytest.mark.parametrize("path", HOSTILE, ids=lambda p: p.stem)
def test_hostile_output_in_a_recording(path, recorder, play):
    play_hostile(play, recorder(hostile_events(path.read_bytes())))


@pytest.mark.parametrize("number,path", enumerate(HOSTILE), ids=lambda p: getattr(p, "stem", ""))
def test_hostile_output_in_an_asciicast(number, path, tmp_path, play):
    write = write_v3 if number % 2 else write_v2
    play_hostile(play, write(tmp_path / "h.cast", hostile_events(path.read_bytes())))


def test_there_is_hostile_output_to_play():
    assert len(HOSTILE) >= 34


def test_hidden_characters_are_not_drawn(recorder, play):
    text = "a\u202eb\u200bc\u2066d\U000e0041e".encode()
    terminal = play(recorder([(0.1, text + b"\r\n"), (0.1, b"end")]))
    terminal.type(b"G")
    # What takes no cell is gone, what takes one shows as a replacement.
    terminal.wait(lambda: re.search("a\ufffd?b\ufffd?c\ufffd?d\ufffd?e", terminal.text()), "the letters")
    terminal.quit()
    assert_only_allowed(terminal.raw)


def test_names_in_errors_are_printable(tmp_path, auditor):
    path = tmp_path / "bad\x1b[2Jname"
    path.write_text("nothing")
    done = subprocess.run([PLAY, path, "-i", auditor[0]], capture_output=True)
    assert done.returncode == 1
    assert b"\x1b" not in done.stderr and b"\\x1b" in done.stderr


# ---------------------------------------------------------------- playing

TICKS = [(0.0, b"tick 0\r\n")] + [(1.0, b"tick %d\r\n" % i) for i in range(1, 61)]


@pytest.mark.parametrize("write", [write_v1, write_v2, write_v3])
def test_every_asciicast_version_plays(write, tmp_path, play):
    terminal = play(write(tmp_path / "c.cast", [(0.1, b"first\r\n"), (0.2, b"second")]))
    terminal.see("second")
    terminal.wait(lambda: "END" in terminal.bar(), "the end")
    assert terminal.quit() == 0


@pytest.mark.parametrize("cols,rows", [(40, 12), (80, 24), (200, 50)])
def test_any_terminal_size(cols, rows, recorder, play):
    wide = "\u65e5\u672c\u8a9e".encode()
    path = recorder([(0.1, b"\x1b[31mtop\x1b[0m " + wide + b"\x1b[24;1Hbottom\x1b[24;70Hright")])
    terminal = play(path, cols=cols, rows=rows)
    terminal.type(b"G")
    terminal.wait(lambda: "END" in terminal.bar(), "the end")
    terminal.see("right")  # the view follows the cursor
    if rows > 24:
        assert "top" in terminal.text() and "bottom" in terminal.text()
    else:
        terminal.type(b"hhhhhhhhhhkkkkkkkkkk")
        terminal.see("top \u65e5")
        if cols >= 80:
            assert "part" in terminal.bar() and "of 80x24" in terminal.bar()
    assert terminal.quit() == 0
    assert_only_allowed(terminal.raw)


def position(terminal):
    match = re.search(r"(\d+):(\d+)/", terminal.bar())
    return int(match[1]) * 60 + int(match[2]) if match else -1


def test_keys(recorder, play):
    terminal = play(recorder(TICKS))
    terminal.see("tick 0")
    terminal.type(b" ")
    terminal.wait(lambda: "||" in terminal.bar(), "the pause")
    before = position(terminal)
    terminal.pump(1.5)
    assert position(terminal) == before
    terminal.type(b"\x1bOC")  # right
    terminal.wait(lambda: position(terminal) == before + 5, "5 s forward")
    terminal.see("tick %d" % (before + 5))
    terminal.type(b"\x1bOD")  # left
    terminal.wait(lambda: position(terminal) == before, "5 s back")
    assert "tick %d" % (before + 5) not in terminal.text()
    terminal.type(b".")
    terminal.see("tick %d" % (before + 1))
    terminal.type(b"]]")
    terminal.wait(lambda: "x2 " in terminal.bar(), "twice the speed")
    terminal.type(b"[[[")
    terminal.wait(lambda: "x0.75" in terminal.bar(), "a lower speed")
    terminal.type(b"G")
    terminal.wait(lambda: "END" in terminal.bar() and position(terminal) == 60, "the end")
    terminal.see("tick 60")
    terminal.type(b"g")
    terminal.wait(lambda: position(terminal) == 0 and "tick 60" not in terminal.text(), "the start")
    terminal.type(b"?")
    terminal.see("skip idle times")
    terminal.type(b"?")
    terminal.wait(lambda: "skip idle times" not in terminal.text(), "no help")
    assert terminal.quit() == 0
    assert terminal.raw.rstrip().endswith(b"\x1b[?1l\x1b>")  # the terminal was given back


def test_speed_makes_it_faster(recorder, play):
    terminal = play(recorder(TICKS))
    terminal.type(b"]" * 7)  # x32
    began = time.monotonic()
    terminal.wait(lambda: "END" in terminal.bar(), "the end")
    assert time.monotonic() - began < 45
    terminal.quit()


def test_idle_times_are_skipped_or_not(recorder, play):
    path = recorder([(0.0, b"begin\r\n"), (3600.0, b"an hour later\r\n")])
    terminal = play(path)
    terminal.see("an hour later", patience=60)
    terminal.quit()
    terminal = play(path)
    terminal.type(b"i")
    terminal.wait(lambda: "idle" in terminal.bar(), "the idle mark")
    time.sleep(4)
    while terminal.pump(0.1):
        pass
    assert "an hour later" not in terminal.text()
    terminal.quit()


def test_the_auditors_terminal_may_change_its_size(recorder, play):
    terminal = play(recorder([(0.1, b"some text"), (60.0, b"")]))
    terminal.see("some text")
    for cols, rows in [(40, 12), (132, 43), (80, 24)]:
        terminal.resize(cols, rows)
        terminal.wait(lambda: "/01:00" in terminal.bar() and "some text" in terminal.text(),
                      "the new size")
    assert terminal.quit() == 0
    assert_only_allowed(terminal.raw)


def test_a_recorded_resize_is_followed(recorder, play):
    path = recorder([(0.1, b"narrow"), (0.1, "r", "120x40"), (0.1, b"\x1b[40;100Hfar")])
    terminal = play(path, cols=140, rows=50)
    terminal.type(b"G")
    terminal.see("far")
    assert "narrow" in terminal.text()
    terminal.quit()


def test_without_a_terminal_line_feeds_begin_lines(recorder, play):
    terminal = play(recorder([(0.1, b"one\ntwo\nthree")], pty_mode="no-pty"))
    terminal.type(b"G")
    terminal.see("three")
    columns = {line.index(word) for word in ("one", "two", "three")
               for line in terminal.screen.display[:-1] if word in line}
    assert len(columns) == 1
    terminal.quit()


def test_bytes_that_are_no_text_are_only_counted(recorder, play):
    path = recorder([(0.1, b"start\r\n"), (0.1, "B", base64.b64encode(b"\x1b]0;x\x07" * 100).decode()),
                     (0.0, b"")] , pty_mode="no-pty")
    terminal = play(path)
    terminal.type(b"G")
    terminal.see("600 bytes to the target")
    terminal.quit()
    assert_only_allowed(terminal.raw)


def test_in_tmux(recorder, tmp_path, auditor):
    path = recorder([(0.1, "wide \u65e5\u672c and \u001b[1mbold\u001b[0m".encode())])
    socket = str(tmp_path / "tmux")
    tmux = ["tmux", "-S", socket, "-f", "/dev/null"]
    environment = {**os.environ, "LANG": "C.UTF-8", "TERM": "xterm-256color"}
    subprocess.run([*tmux, "-u", "new-session", "-d", "-x", "100", "-y", "30", str(PLAY), str(path), "-i",
                    str(auditor[0])], check=True, env=environment)
    try:
        end = time.monotonic() + PATIENCE
        shown = ""
        while "wide \u65e5\u672c and bold" not in shown and time.monotonic() < end:
            shown = subprocess.run([*tmux, "capture-pane", "-p"], capture_output=True, text=True,
                                   env=environment).stdout
            time.sleep(0.1)
        assert "wide \u65e5\u672c and bold" in shown
    finally:
        subprocess.run([*tmux, "kill-server"], env=environment)


# ---------------------------------------------------------------- the emulator's process


def emulator_of(terminal):
    """The pid of the player's only child."""
    children = "/proc/{0}/task/{0}/children".format(terminal.process.pid)
    return int(pathlib.Path(children).read_text().split()[0])


def test_a_killed_emulator_costs_a_restart(recorder, play):
    terminal = play(recorder(TICKS))
    terminal.see("tick 2")
    terminal.type(b" ")
    first = emulator_of(terminal)
    os.kill(first, signal.SIGKILL)
    terminal.type(b"\x1bOC")
    terminal.see("restarted")
    terminal.see("tick 7")
    assert "tick 0" in terminal.text()  # the whole screen is there again
    assert emulator_of(terminal) != first
    assert terminal.quit() == 0
    assert_only_allowed(terminal.raw)


def test_the_emulator_is_sandboxed(recorder, play):
    terminal = play(recorder(TICKS))
    terminal.see("tick 0")
    child = emulator_of(terminal)
    status = pathlib.Path("/proc/%d/status" % child).read_text()
    assert re.search(r"^Seccomp:\s+2$", status, re.M)
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.M)
    if os.geteuid() == 0:
        links = {fd.name: os.readlink(fd) for fd in pathlib.Path("/proc/%d/fd" % child).iterdir()}
        assert links.pop("0").startswith("socket:")
        assert links == {"1": "/dev/null", "2": "/dev/null"}
        assert pathlib.Path("/proc/%d/environ" % child).read_bytes().strip(b"\0") == b""
    terminal.quit()
    assert not pathlib.Path("/proc/%d" % child).exists()


# ---------------------------------------------------------------- long recordings


@pytest.fixture(scope="module")
def long_cast(tmp_path_factory):
    path = tmp_path_factory.mktemp("long") / "long.cast"
    with open(path, "w") as out:
        out.write('{"version":3,"term":{"cols":80,"rows":24}}\n')
        for second in range(120):
            for part in range(10):
                text = "".join("second %d part %d: \x1b[3%dma line of ordinary output\x1b[0m of some "
                               "length, as builds and logs print them\r\n" % (second, part, n % 8)
                               for n in range(1000))
                out.write('[0.1,"o",%s]\n' % json.dumps(text))
    assert path.stat().st_size > 100e6
    return path


def seconds_until(terminal, keys, condition):
    began = time.monotonic()
    terminal.type(keys)
    terminal.wait(condition, repr(keys), patience=200)
    return time.monotonic() - began


def check_long(terminal):
    opened = seconds_until(terminal, b"]", lambda: "second 0 " in terminal.text())
    seconds_until(terminal, b" ", lambda: "||" in terminal.bar())
    to_end = seconds_until(terminal, b"G", lambda: "END" in terminal.bar() and
                           "second 119 " in terminal.text())
    back = seconds_until(terminal, b"\x1bOD", lambda: position(terminal) == 115)
    begin = seconds_until(terminal, b"g", lambda: position(terminal) == 0)
    again = seconds_until(terminal, b"G", lambda: "END" in terminal.bar() and
                          "second 119 " in terminal.text())
    print("opened %.2f, to the end %.2f, back %.2f, to the beginning %.2f, again %.2f s" %
          (opened, to_end, back, begin, again))
    assert opened < to_end / 2 + 1
    assert back < to_end / 4 + 0.5
    assert begin < to_end / 4 + 0.5
    assert again < to_end / 4 + 0.5
    assert terminal.quit() == 0


def test_a_long_asciicast_opens_and_seeks_at_once(long_cast, play):
    check_long(play(long_cast))


def test_a_long_recording_opens_and_seeks_at_once(long_cast, auditor, tmp_path, play):
    path = make_recording(tmp_path / "long.brec", long_cast, auditor[1])
    check_long(play(path))


# ---------------------------------------------------------------- export


def run(*command, **options):
    return subprocess.run([str(c) for c in command], capture_output=True, **options)


SESSION_EVENTS = [(0.1, b"$ ls\r\n"), (0.2, "caf\u00e9 \u65e5".encode()), (0.1, b"\xff\xfe raw\r\n"),
                  (0.1, "r", "100x30"), (0.1, "\u65e5".encode()[:2]), (0.1, "\u65e5".encode()[2:]),
                  (0.1, b"\x1b[31mred\x1b[0m \x1b]0;title\x07"), (0.3, "x", "0")]


def readable(events):
    """The output as text, a character cut by two reads in one piece."""
    return b"".join(e[1] for e in events if len(e) == 2).decode("utf-8", "replace").encode()


def test_asciinema_plays_an_export_byte_for_byte(recorder, auditor, tmp_path):
    path = recorder(SESSION_EVENTS)
    out = tmp_path / "out.cast"
    assert run(PLAY, "export", path, "--format", "cast2", "-o", out, "-i", auditor[0]).returncode == 0
    shown = tmp_path / "shown"  # asciinema wants a /dev/tty, even for this
    terminal = Terminal("sh", "-c", "exec asciinema cat '%s' > '%s'" % (out, shown))
    try:
        terminal.wait(lambda: terminal.process.poll() is not None, "asciinema's end")
        assert terminal.process.returncode == 0, terminal.text()
        assert shown.read_bytes() == readable(SESSION_EVENTS)
    finally:
        terminal.close()


def test_asciinema_play_shows_an_export_byte_for_byte(recorder, auditor, tmp_path):
    path = recorder(SESSION_EVENTS)
    out = tmp_path / "out.cast"
    run(PLAY, "export", path, "--format", "cast2", "-o", out, "-i", auditor[0])
    terminal = Terminal("asciinema", "play", "-s", "10", out)
    try:
        terminal.wait(lambda: terminal.process.poll() is not None, "asciinema's end")
        while terminal.pump(0.2):
            pass
        # The line discipline turns LF into CR LF unless asciinema has set it raw.
        assert terminal.raw.replace(b"\r\r\n", b"\r\n") == readable(SESSION_EVENTS)
    finally:
        terminal.close()


def test_cast3_holds_the_readable_events(recorder, auditor, tmp_path):
    done = run(PLAY, "export", recorder(SESSION_EVENTS), "--format", "cast3", "-i", auditor[0])
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[0]["version"] == 3 and lines[0]["term"]["cols"] == 80
    assert {line[1] for line in lines[1:]} == {"o", "r", "x"}
    assert "".join(line[2] for line in lines[1:] if line[1] == "o").encode() == readable(SESSION_EVENTS)
    assert ["r", "100x30"] in [line[1:] for line in lines[1:]]


def test_an_export_plays_here_too(recorder, auditor, tmp_path, play):
    out = tmp_path / "again.cast"
    run(PLAY, "export", recorder(TICKS), "--format", "cast3", "-o", out, "-i", auditor[0])
    terminal = play(out)
    terminal.type(b"G")
    terminal.see("tick 60")
    terminal.quit()


def test_text_is_what_was_seen(recorder, auditor):
    lines = b"".join(b"line %d\r\n" % i for i in range(100))
    events = [(0.1, lines), (0.1, b"typo\b\b\b\bfixed\r\n"), (0.1, b"\x1b]0;title\x07\x1b[31mred\x1b[0m\r\n"),
              (0.1, b"x" * 200 + b"\r\n"), (0.1, b"\x1b[2J\x1b[Hafter"),
              (0.1, b"\x1b[?1049h\x1b[Heditor\x1b[?1049l")]
    done = run(PLAY, "export", recorder(events), "--format", "text", "-i", auditor[0])
    assert done.returncode == 0
    expected = ["line %d" % i for i in range(100)] + ["fixed", "red", "x" * 200, "after"]
    assert done.stdout.decode().split("\n") == expected + [""]


def test_text_shows_hidden_characters(recorder, auditor):
    done = run(PLAY, "export", recorder([(0.1, "a\u200bb\u202ec".encode())]), "--format", "text", "-i",
               auditor[0])
    assert done.stdout == rb"a\u{200b}b\u{202e}c" + b"\n"


def test_an_export_never_overwrites(recorder, auditor, tmp_path):
    out = tmp_path / "precious"
    out.write_text("mine")
    done = run(PLAY, "export", recorder(TICKS), "--format", "text", "-o", out, "-i", auditor[0])
    assert done.returncode == 1 and out.read_text() == "mine"


def test_a_reader_that_goes_is_no_error(recorder, auditor):
    path = recorder([(0.1, b"".join(b"line %d\r\n" % i for i in range(40000)))])
    shell = "'%s' export '%s' --format text -i '%s' | head -n 1" % (PLAY, path, auditor[0])
    done = run("bash", "-o", "pipefail", "-c", shell)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"line 0\n", b"")


# ---------------------------------------------------------------- verify, keys, names


def test_verify_says_what_is_proven(recorder, auditor):
    path = recorder(TICKS)
    with_key = run(PLAY, "verify", path, "-i", auditor[0])
    assert with_key.returncode == 0
    assert b"content, order and times are as they were recorded" in with_key.stdout
    without = run(PLAY, "verify", path, env={**os.environ, "HOME": "/nonexistent"})
    assert without.returncode == 0
    assert b"Not proven:\n  The content" in without.stdout


def test_verify_sees_every_kind_of_change(recorder, auditor, tmp_path):
    good = recorder(TICKS).read_bytes()
    for number, place in enumerate([16, 40, 90, 1100, len(good) // 2, len(good) - 40]):
        path = tmp_path / ("t%d" % number)
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1:])
        done = run(PLAY, "verify", path, "-i", auditor[0])
        assert done.returncode == 1, "a change at %d" % place
    cut = tmp_path / "cut"
    cut.write_bytes(good[:len(good) // 2])
    done = run(PLAY, "verify", cut, "-i", auditor[0])
    assert done.returncode == 1 and b"has no end" in done.stderr


def test_a_changed_recording_plays_up_to_the_change(recorder, play, tmp_path):
    good = recorder(TICKS).read_bytes()
    path = tmp_path / "changed"
    place = len(good) // 2
    path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1:])
    terminal = play(path, cols=160)
    terminal.type(b"G")
    terminal.see("changed here")
    assert "tick 3" in terminal.text() and "tick 60" not in terminal.text()
    terminal.quit()


def test_a_recording_that_was_cut_off_plays(recorder, play):
    terminal = play(recorder(TICKS, end="cut"), cols=160)
    terminal.type(b"G")
    terminal.see("tick 60")
    terminal.see("cut off, or is still running")
    terminal.quit()


def test_only_the_right_identity_opens(recorder, tmp_path):
    path = recorder(TICKS)
    other = tmp_path / "other.txt"
    assert run(PLAY, "keygen", "-o", other).returncode == 0
    assert (other.stat().st_mode & 0o777) == 0o600
    assert run(PLAY, "keygen", "-o", other).returncode == 1
    assert run(PLAY, "export", path, "--format", "text", "-i", other).returncode == 1
    assert run(PLAY, "verify", path, "-i", other).returncode == 1
    none = run(PLAY, "export", path, "--format", "text", env={**os.environ, "HOME": "/nonexistent"})
    assert none.returncode == 1 and b"-i" in none.stderr


@pytest.mark.skipif(shutil.which("age") is None, reason="age is not installed")
def test_age_takes_the_identity(auditor, tmp_path):
    sealed = run("age", "-r", auditor[1], input=b"hello")
    assert run("age", "-d", "-i", auditor[0], input=sealed.stdout).stdout == b"hello"


def test_recordings_are_found_by_id(tmp_path, auditor):
    folder = tmp_path / "recordings"
    folder.mkdir()
    for channel in (0, 1):
        cast = write_v3(tmp_path / "c", [(0.1, b"channel %d\r\n" % channel)])
        make_recording(folder / ("%s-%d.brec" % (SESSION, channel)), cast, auditor[1], channel)
    export = [PLAY, "export", "--format", "text", "-i", auditor[0]]
    both = run(*export, "012345", "--recordings", folder)
    assert both.returncode == 1 and b"01234567-0" in both.stderr and b"01234567-1" in both.stderr
    one = run(*export, "01234567-1", "--recordings", folder)
    assert one.stdout == b"channel 1\n"
    by_environment = run(*export, "012345-0", env={**os.environ, "SALLYPORT_RECORDINGS": str(folder)})
    assert by_environment.stdout == b"channel 0\n"
    (tmp_path / "sallyport").mkdir()
    (tmp_path / "sallyport" / "play.json").write_text(
        '{ // mine\n "recordings": "%s", "identity": "%s" }' % (folder, auditor[0]))
    by_file = run(PLAY, "export", "--format", "text", "012345-0",
                  env={"PATH": os.environ["PATH"], "XDG_CONFIG_HOME": str(tmp_path)})
    assert by_file.stdout == b"channel 0\n"


@pytest.mark.parametrize("arguments,status", [([], 2), (["--nonsense"], 2), (["export", "x"], 2),
                                              (["export", "x", "--format", "gif"], 2),
                                              (["/nonexistent"], 1), (["--help"], 0)])
def test_exit_statuses(arguments, status):
    assert run(PLAY, *arguments).returncode == status


def test_playing_needs_a_terminal(recorder, auditor):
    done = run(PLAY, recorder(TICKS), "-i", auditor[0], stdin=subprocess.DEVNULL)
    assert done.returncode == 1 and b"needs a terminal" in done.stderr


@pytest.mark.parametrize("term,env", [("xterm-256color", {"COLORTERM": "truecolor"}), ("linux", {}),
                                      ("screen-256color", {}), ("vt100", {})])
def test_terminals_of_every_kind(term, env, recorder, play):
    path = recorder([(0.1, b"\x1b[38;2;10;20;30;48;5;200mcolour\x1b[0m")])
    terminal = play(path, term=term, env=env)
    terminal.see("colour")
    assert terminal.quit() == 0
    for forbidden in (b"\x1b]", b"\x1bP", b"\x1b[5n", b"\x1b[6n", b"\x1b[c"):
        assert forbidden not in terminal.raw


def test_an_ascii_locale_gets_ascii_only(recorder, play):
    terminal = play(recorder([(0.1, "caf\u00e9 \u015b".encode())]), env={"LANG": "C"})
    terminal.see("caf? ?")
    terminal.quit()
    assert max(terminal.raw) < 0x80
