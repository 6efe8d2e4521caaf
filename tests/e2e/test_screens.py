# SPDX-License-Identifier: Apache-2.0
"""One session twice, side by side in real terminals (tmux): straight to the target's sshd, and
through the bastion. The same keys must give the same screen: characters, colours, cursor and modes.
Then the recording so far is exported and shown in a third terminal, which must look the same too."""
import json
import os
import re
import shutil
import subprocess
import sys
import time

import pytest

from tests.support.brec import Recording, exact_text
from tests.support.stack import ME, Client, short_folder, wait_until
from tests.support.tmux import Tmux

REPLAY = os.path.join(os.path.dirname(__file__), "..", "support", "replay_cast.py")
VIM = shutil.which("vim") or "vim.tiny"
# The same shell on both ways, whatever the account's files say.
PLAIN_SHELL = ('exec env -i TERM="$TERM" PATH="$PATH" HOME=/nonexistent LC_ALL=C.UTF-8 PS1="$ " '
               "HISTFILE= INPUTRC=/dev/null bash --norc --noprofile")
SIZE = (80, 24)


@pytest.fixture(scope="module")
def alice(bastion, tmp_path_factory):
    client = Client(bastion, tmp_path_factory.mktemp("alice"))
    client.log_in(bastion.idp.approve)
    with open(bastion.target.authorized_keys, "a") as keys:
        keys.write((client.folder / f"{client.key.name}.pub").read_text())
    return client


def direct_command(client):
    target = client.bastion.target
    known = client.folder / "target.known_hosts"
    known.write_text(f"[127.0.0.1]:{target.port} {target.public_host_key()}\n")
    return ["ssh", "-F", "/dev/null", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none",
            "-o", f"UserKnownHostsFile={known}", "-o", "LogLevel=ERROR", "-i", client.key,
            "-p", str(target.port), f"{ME}@127.0.0.1"]


class SideBySide:
    def __init__(self, client, tmux):
        self.bastion = client.bastion
        self.folder = tmux.folder
        self.tmux = tmux
        before = set(self.bastion.recordings())
        self.direct = self.tmux.open("direct", direct_command(client), *SIZE)
        self.through = self.tmux.open("through", client.command(), *SIZE)
        self.panes = (self.direct, self.through)
        for pane in self.panes:
            pane.wait_for(lambda text: re.search(r"[#$%>] *$", text.rstrip("\n")), what="a prompt")
        self.first_screen = self.through.text()
        self.recording = wait_until(lambda: set(self.bastion.recordings()) - before).pop()
        self.type(PLAIN_SHELL, "Enter")
        self.each_shows(r"\n[$] ?\Z")
        self.clear()

    def type(self, text, *keys):
        for pane in self.panes:
            pane.type(text)
        self.press(*keys)

    def press(self, *keys):
        if keys:
            for pane in self.panes:
                pane.press(*keys)

    def resize(self, columns, rows):
        for pane in self.panes:
            pane.resize(columns, rows)

    def each_shows(self, pattern, seconds=30):
        for pane in self.panes:
            pane.wait_for(lambda text: re.search(pattern, text.rstrip("\n")), seconds, pattern)

    def clear(self):
        self.type("clear", "Enter")
        self.each_shows(r"\A[$] ?\Z")

    def same_screen(self, pattern, seconds=30):
        """Both show `pattern`, and all the rest alike."""
        self.each_shows(pattern, seconds)
        self.alike(self.direct.screen, self.through.screen, seconds)
        return self.through.screen()

    def alike(self, one, other, seconds=20):
        deadline = time.monotonic() + seconds
        while one() != other() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert other() == one()

    def export(self):
        """What has been recorded by now; the session goes on."""
        path = self.folder / f"{time.monotonic_ns()}.cast"
        self.bastion.play("export", str(self.recording), "--format", "cast2", "-o", str(path))
        return path

    def replays(self):
        cast = self.export()
        with open(cast, encoding="utf-8") as lines:
            header = json.loads(next(lines))
        name = cast.stem
        pane = self.tmux.open(
            name, [sys.executable, REPLAY, cast, *self.tmux.words, "resize-window", "-t", name],
            header["width"], header["height"])
        self.alike(self.through.screen, pane.screen)
        pane.close()


@pytest.fixture
def history():
    """Lines. A terminal that grows takes lines back from there; what stood before the first clear
    differs by the notice."""
    return 0


@pytest.fixture
def side_by_side(alice, history):
    folder = short_folder()
    tmux = Tmux(folder, history)
    try:
        yield SideBySide(alice, tmux)
    finally:
        tmux.stop()
        shutil.rmtree(folder, ignore_errors=True)


def test_the_notice_is_the_only_difference_and_comes_first(side_by_side):
    session = side_by_side.recording.name[:8]
    lines = side_by_side.first_screen.splitlines()
    assert lines[0] == f"alice@example.com \u00b7 web1 \u00b7 session {session}\u2026 is recorded"
    side_by_side.same_screen(r"\A[$] ?\Z")
    side_by_side.replays()


def test_bash(side_by_side):
    both = side_by_side
    both.type("seq 1 40", "Enter")
    both.each_shows(r"40\n[$] ?\Z")
    both.type("echo one two three")
    both.press("C-a", "M-f", "C-k")           # at the beginning, over a word, cut the rest
    both.type(" four")
    both.press("C-a", "C-t", "C-e", "C-y", "Enter")
    both.each_shows(r"three\n[$] ?\Z")
    both.press("Up", "Up", "Up", "Down", "Home")
    both.type("#")
    both.press("Enter")
    both.type(r"printf '\033[1;31mred\033[0m \033[44;97mblue\033[0m \033[4munder\033[m\033[7m rev '",
              "Enter")
    both.same_screen("rev")
    both.replays()
    both.press("C-r")
    both.type("seq")
    both.same_screen(r"\(reverse-i-search\)`seq'")
    both.replays()
    both.press("C-g")
    both.type("x" * 200)                      # wraps
    both.same_screen("xxx$")
    both.replays()


def test_vim(side_by_side, tmp_path):
    both = side_by_side
    (tmp_path / "text").write_text("".join(f"line {i}\t{'word ' * (i % 9)}\n" for i in range(200)))
    both.type(f"cd {tmp_path} && clear", "Enter")  # a line that fills the row wraps otherwise
    both.same_screen(r"\A[$] ?\Z")
    both.type(f"{VIM} -u NONE -i NONE -n -N -R text", "Enter")
    both.each_shows("line 0")
    both.type(":set number list ruler showcmd", "Enter")
    both.same_screen(r"1 line 0\^I")
    both.replays()
    both.type("100Gzt")
    both.same_screen("100 line 99")
    both.type("Onew text \u00e4\u20ac\U0001f600 \u4e16\u754c")
    both.press("Escape")
    both.type("yypxdw")
    both.same_screen("new text \u00e4\u20ac\U0001f600 \u4e16")
    both.replays()
    both.resize(100, 35)
    both.same_screen("130 line 127")          # beyond the old last row; drawing would wipe the answer
    both.type(":set columns?", "Enter")       # vim.tiny has no :echo
    both.same_screen("columns=100")
    both.type(":set lines?", "Enter")
    both.same_screen("lines=35")
    both.replays()
    both.type(":q!", "Enter")
    both.same_screen(r"text\n[$] ?\Z")        # the screen from before
    both.replays()


NUMBERS = r"[\s\d.,:]+"


def test_top(side_by_side):
    both = side_by_side
    sleeper = subprocess.Popen(["sleep", "600"])
    try:
        both.type(f"top -d 900 -p {sleeper.pid}", "Enter")
        both.each_shows(r"PID USER.*\n.*sleep")
        time.sleep(0.5)
        # Times and loads differ; words, layout of the rows and colours of the heading must not.
        direct, through = (re.sub(NUMBERS, " ", pane.text()) for pane in both.panes)
        assert direct == through
        headings = [next(line for line in pane.screen().splitlines() if "PID" in line)
                    for pane in both.panes]
        assert headings[0] == headings[1]
        assert "\x1b[" in headings[0]
        both.replays()
        both.press("?")
        both.same_screen("Help for Interactive Commands")
        both.replays()
        both.press("Escape")
        both.each_shows("PID USER")
        both.press("q")
        both.each_shows(r"\n[$] ?\Z")
    finally:
        sleeper.kill()
        sleeper.wait()


def test_resize(side_by_side):
    both = side_by_side
    both.type("for i in 1 2 3 4 5; do printf '%s ' $i wide wide wide wide wide wide; done", "Enter")
    for columns, rows in ((120, 30), (40, 10), (61, 24), (80, 24)):
        both.resize(columns, rows)
        # tmux tells a new size late; what is typed can be there first.
        both.type(f'until [ "$(stty size)" = "{rows} {columns}" ]; do sleep .1; done; '
                  "clear; stty size", "Enter")
        both.same_screen(rf"\A{rows} {columns}\n[$] ?\Z")
        both.type("echo " + "long " * 30)
        both.same_screen(r"long\s*$")
        both.press("Enter")
        both.same_screen(r"long *\n[$] ?\Z")
        both.replays()


def test_an_interrupt_stops_a_flood_of_output(side_by_side):
    both = side_by_side
    both.type("yes 0123456789", "Enter")
    both.each_shows("0123456789\n0123456789")
    time.sleep(1)
    pressed = time.monotonic()
    both.press("C-c")
    both.each_shows(r"(\n|\^C)[$] ?\Z")
    assert time.monotonic() - pressed < 20
    both.type("clear; echo status $?", "Enter")
    both.same_screen(r"\Astatus 0\n[$] ?\Z")
    both.replays()


ALPHABETS = ("Gr\u00fc\u00dfe, \u0395\u03bb\u03bb\u03b7\u03bd\u03b9\u03ba\u03ac, "
             "\u041f\u0440\u0438\u0432\u0435\u0442\r\n\u4f60\u597d\u4e16\u754c \u2500\u253c\u2500 "
             "\U0001f600\U0001f680 e\u0301 \u0928\u092e\u0938\u094d\u0924\u0947 "
             "\x1b[1;38;5;208mcolour\x1b[0m end\r\n")


def test_utf8_split_at_every_byte(side_by_side, tmp_path):
    both = side_by_side
    script = tmp_path / "bytes.py"
    script.write_text("import os, time\n"
                      f"for byte in {ALPHABETS.encode()!r}:\n"
                      "    os.write(1, bytes([byte])); time.sleep(0.01)\n")
    both.type(f"stty -opost; /usr/bin/python3 {script}; stty opost", "Enter")
    both.same_screen(r"colour end\n[$] ?\Z")
    both.replays()
    recording = Recording(both.recording, both.bastion.identity_file)
    assert len(recording.codes("O")) > 20, "the text was not split"
    assert ALPHABETS.encode() in exact_text(recording.events)
    assert ALPHABETS in recording.readable()


@pytest.mark.parametrize("history", [500])
def test_100_mb_of_text(side_by_side, tmp_path):
    both = side_by_side
    line = "%08d the quick brown fox jumps over the lazy dog; 0123456789 ABCDEFGHIJKLMNOPQR\n"
    text = tmp_path / "text"
    with open(text, "w") as out:
        for i in range(0, 1_250_000, 1000):
            out.write("".join(line % n for n in range(i, i + 1000)))
    assert text.stat().st_size >= 100_000_000
    both.type(f"cat {text}; echo through", "Enter")
    both.same_screen(r"\nthrough\n[$] ?\Z", seconds=180)
    scrolled = [pane.history().splitlines()[-400:] for pane in both.panes]
    assert scrolled[0] == scrolled[1]
    assert len(scrolled[0]) == 400
    shown = both.folder / "shown"
    with open(both.export(), encoding="utf-8") as cast, open(shown, "wb") as out:
        next(cast)
        for event in map(json.loads, cast):
            assert event[1] == "o"
            out.write(event[2].encode())
    assert text.read_bytes().replace(b"\n", b"\r\n") in shown.read_bytes()
    pane = both.tmux.open("replay", ["sh", "-c", f"stty raw -echo; cat {shown}; sleep 600"], *SIZE)
    both.alike(both.through.screen, pane.screen, seconds=120)
    assert both.recording.stat().st_size < text.stat().st_size / 2
