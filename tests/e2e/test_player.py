# SPDX-License-Identifier: Apache-2.0
"""sallyport-play in a real pseudo terminal, looked at through a terminal emulator (pyte, tmux)."""

import base64
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

from tests.support.player import (  # the fixtures, too
    PATIENCE, PLAY, ROOT, TICKS, assert_only_allowed, auditor, make_recording, play, recorder, run,
    write_v1, write_v2, write_v3)

HOSTILE = sorted((ROOT / "tests" / "data" / "hostile-output").glob("*.bin"))


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


def test_a_stopped_player_does_not_play(recorder, play):
    terminal = play(recorder(TICKS))
    terminal.see("tick 1")
    os.kill(terminal.process.pid, signal.SIGSTOP)
    while terminal.pump(0.2):
        pass
    before = position(terminal)
    time.sleep(5)
    terminal.type(b" ")  # it waits there when the player goes on
    os.kill(terminal.process.pid, signal.SIGCONT)
    terminal.wait(lambda: "||" in terminal.bar(), "the pause")
    assert position(terminal) <= before + 2
    terminal.quit()


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
    terminal.see("restarted")
    terminal.type(b"\x1bOC")
    terminal.see("tick 7")
    assert "tick 0" in terminal.text()  # the whole screen is there again
    assert emulator_of(terminal) != first
    assert terminal.quit() == 0
    assert_only_allowed(terminal.raw)


def test_an_interrupt_ends_the_wait_for_an_emulator_that_hangs(recorder, play):
    terminal = play(recorder(TICKS))
    terminal.see("tick 0")
    os.kill(emulator_of(terminal), signal.SIGSTOP)
    while terminal.pump(3):  # until the clock in the bar stands still: the player waits
        pass
    terminal.type(b"\x03")
    terminal.wait(lambda: terminal.process.poll() is not None, "the end")
    while terminal.pump():
        pass
    assert terminal.process.returncode == 0
    assert b"restarted" not in terminal.raw


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
