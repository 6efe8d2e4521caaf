# SPDX-License-Identifier: Apache-2.0
"""A real terminal to look at: a tmux server of our own, one pane to a session."""
import os
import pathlib
import shlex
import subprocess

from tests.support.stack import wait_until

# What a program can switch in a terminal, beside what is drawn.
MODES = ("cursor_x cursor_y cursor_flag insert_flag keypad_flag keypad_cursor_flag origin_flag "
         "wrap_flag alternate_on mouse_any_flag mouse_sgr_flag scroll_region_upper "
         "scroll_region_lower pane_width pane_height").split()


class Tmux:
    def __init__(self, folder, history=0):
        self.folder = pathlib.Path(folder)
        self.words = ["tmux", "-S", str(self.folder / "tmux"), "-f", str(self.folder / "conf")]
        (self.folder / "conf").write_text(
            "set -g exit-empty off\nset -g status off\nset -g remain-on-exit on\n"
            "set -g default-terminal screen-256color\nset -g escape-time 0\n"
            f"set -g history-limit {history}\n")
        self("start-server")

    def __call__(self, *words):
        done = subprocess.run(
            [*self.words, *words], capture_output=True, text=True, check=True,
            env={**{name: value for name, value in os.environ.items() if name != "TMUX"},
                 "LC_ALL": "C.UTF-8"})
        return done.stdout

    def open(self, name, command, columns=80, rows=24):
        self("new-session", "-d", "-s", name, "-x", str(columns), "-y", str(rows),
             shlex.join(map(str, command)))
        return Pane(self, name)

    def stop(self):
        self("kill-server")


class Pane:
    def __init__(self, tmux, name):
        self.tmux = tmux
        self.name = name

    def type(self, text):
        self.tmux("send-keys", "-l", "-t", self.name, "--", text)

    def press(self, *keys):
        self.tmux("send-keys", "-t", self.name, *keys)

    def resize(self, columns, rows):
        self.tmux("resize-window", "-t", self.name, "-x", str(columns), "-y", str(rows))

    def text(self):
        return self.tmux("capture-pane", "-p", "-t", self.name)

    def history(self):
        return self.tmux("capture-pane", "-p", "-t", self.name, "-S", "-")

    def screen(self):
        """Characters with their attributes, cursor and modes."""
        modes = self.tmux("display-message", "-p", "-t", self.name,
                          " ".join(f"{mode}=#{{{mode}}}" for mode in MODES))
        return self.tmux("capture-pane", "-p", "-e", "-t", self.name) + modes

    def wait_for(self, condition, seconds=30, what="the screen"):
        try:
            return wait_until(lambda: condition(self.text()), seconds, what)
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.name} shows:\n{self.text()}") from None

    def close(self):
        self.tmux("kill-session", "-t", self.name)
