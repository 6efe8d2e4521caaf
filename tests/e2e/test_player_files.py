# SPDX-License-Identifier: Apache-2.0
"""What sallyport-play does with files: export, verify, keys, finding a recording, exit statuses."""

import json
import os
import re
import resource
import shutil
import subprocess

import pytest

from tests.support.player import (  # the fixtures, too
    PLAY, SESSION, TICKS, Terminal, auditor, make_recording, play, recorder, run, write_v3)


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
    terminal = Terminal("sh", "-c", "exec asciinema cat '%s' > '%s'" % (out, shown),
                        env={"ASCIINEMA_CONFIG_HOME": str(tmp_path)})
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
    terminal = Terminal("asciinema", "play", "-s", "10", out,
                        env={"ASCIINEMA_CONFIG_HOME": str(tmp_path)})
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


def test_text_keeps_all_of_a_long_line(recorder, auditor):
    sent = b"".join(b"%07d." % i for i in range(25000))
    done = run(PLAY, "export", recorder([(0.1, sent)]), "--format", "text", "-i", auditor[0])
    assert done.stdout.replace(b"\n", b"") == sent


def test_text_survives_a_flood_of_patterns(tmp_path):
    flood = b"\x1b#8\x1b[2J" * 5000
    path = write_v3(tmp_path / "c", [(0.1, b"before\r\n"), (0.1, flood), (0.1, b"\x1b[Hafter")], 200, 60)
    done = run(PLAY, "export", path, "--format", "text")
    assert (done.returncode, done.stderr) == (0, b"")
    shown = done.stdout.split(b"\n")
    assert shown[0] == b"before" and shown[-2] == b"after"
    assert set(b"".join(shown[1:-2])) == {ord("E")} and len(done.stdout) < 200000


def test_text_that_was_seen_is_written_when_the_emulator_dies(tmp_path):
    seen = [b"line %d" % i for i in range(1000)]
    busy = b"\x1b[?69h\x1b[1;499s\x1b[200;1H" + b"\n" * 2000000  # each moves the screen's cells
    path = write_v3(tmp_path / "c", [(0.1, b"\r\n".join(seen) + b"\x1b[2J"), (0.1, busy)], 500, 200)
    done = run(PLAY, "export", path, "--format", "text",
               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (1, 1)))
    assert done.returncode == 1 and b"emulator ended" in done.stderr
    assert done.stdout.split() == b" ".join(seen).split()


def test_text_shows_hidden_characters(recorder, auditor):
    done = run(PLAY, "export", recorder([(0.1, "a\u200bb\u202ec".encode())]), "--format", "text", "-i",
               auditor[0])
    assert done.stdout == rb"a\u{200b}b\u{202e}c" + b"\n"


HOSTILE_LINE = b'[1,"o","\xc2\x9b31m\xc2\x9d0;title\x7f \x9b31m"]'


@pytest.mark.parametrize("end", [b"\n", b""], ids=["broken", "cut off"])
def test_what_was_recorded_stays_out_of_errors(end, tmp_path):
    path = tmp_path / "hostile.cast"
    path.write_bytes(b'{"version":2,"width":80,"height":24}\n' + HOSTILE_LINE + end)
    done = run(PLAY, "export", path, "--format", "text")
    assert b"line 2: not JSON" in done.stderr
    assert re.fullmatch(rb"[ -~]+\n", done.stderr), done.stderr


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
    assert with_key.returncode == 3 and b"there is no log here" in with_key.stderr
    assert b"content, order and times are as they were recorded" in with_key.stdout
    without = run(PLAY, "verify", path, env={**os.environ, "HOME": "/nonexistent"})
    assert without.returncode == 3 and b"without an identity" in without.stderr
    assert b"\n  The header and the content" in without.stdout


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
    assert done.returncode == 3 and b"has no end" in done.stderr
    assert b"\n  The header: session" in done.stdout  # these recordings do not repeat it


@pytest.mark.parametrize("form", ["cast2", "cast3", "text", "stdout"])
def test_an_export_sees_a_changed_header(form, recorder, auditor, tmp_path):
    good = recorder(TICKS).read_bytes()
    path = tmp_path / "changed"
    path.write_bytes(good[:16] + bytes([good[16] ^ 1]) + good[17:])
    done = run(PLAY, "export", path, "--format", form, "-i", auditor[0])
    assert done.returncode == 1 and b"header" in done.stderr


def test_a_full_disk_is_no_success(recorder, auditor):
    path = recorder(TICKS)
    for arguments in (["verify", path, "-i", auditor[0]], ["--help"], ["--version"],
                      ["export", path, "--format", "text", "-i", auditor[0]]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([PLAY, *arguments], stdout=full, stderr=subprocess.PIPE)
        assert done.returncode == 1 and done.stderr, arguments
    gone = run("bash", "-c", "'%s' --help | true; echo ${PIPESTATUS[0]}" % PLAY)
    assert (gone.stdout, gone.stderr) == (b"0\n", b"")


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
