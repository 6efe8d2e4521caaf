# SPDX-License-Identifier: Apache-2.0
"""A real terminal, tmux, with one command in it: what a person sees."""
import os
import re
import shlex
import subprocess
import time


class Screen:
    """Runs `words` in a tmux server of its own; afterwards the exit status stands on the screen."""

    def __init__(self, socket, words, columns=120, rows=30):
        self.base = ["tmux", "-u", "-S", str(socket), "-f", "/dev/null"]
        line = shlex.join(words) + '; echo "[exit status $?]"; exec sleep 600'
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
        environment.pop("TMUX", None)
        subprocess.run([*self.base, "new-session", "-d", "-x", str(columns), "-y", str(rows), line],
                       check=True, env=environment)

    def text(self):
        shown = subprocess.run([*self.base, "capture-pane", "-p", "-J", "-t", ":0"], check=True,
                               capture_output=True).stdout.decode()
        return "\n".join(line.rstrip() for line in shown.split("\n")).rstrip("\n")

    def wait_for(self, pattern, seconds=30):
        """Returns the whole screen as soon as the pattern stands on it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            shown = self.text()
            if re.search(pattern, shown):
                return shown
            time.sleep(0.1)
        raise AssertionError(f"{pattern!r} is not on the screen:\n{self.text()}")

    def wait_for_end(self, seconds=30):
        return self.wait_for(r"\[exit status \d+\]", seconds)

    def type(self, text):
        subprocess.run([*self.base, "send-keys", "-t", ":0", "-l", text], check=True)

    def press(self, key):
        subprocess.run([*self.base, "send-keys", "-t", ":0", key], check=True)

    def close(self):
        subprocess.run([*self.base, "kill-server"], check=False, capture_output=True)

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()


# The first login, as a person sees it: with the stock client's own prefix to each prompt.
PROMPT = """\
(root@web1@127.0.0.1) Sign in to reach root@web1

  Open    https://idp.example.com/device
  Code    WDJB-MJHT                       valid until 14:32:10 (3 min)

  From 127.0.0.1 with key SHA256:3q…Zk.  Never approve a code that you did not start yourself.

Press Enter when you have approved it:"""
NOT_YET = "(root@web1@127.0.0.1) Not approved yet, 3 min left. Press Enter when you have approved it:"
NOTICE = "alice@example.com · web1 · session 01k4abcd… is recorded"


def normalised(text, user):
    """What differs from run to run becomes what stands above."""
    for pattern, plain in (
            (re.escape(user), "root"),
            (r"https?://127\.0\.0\.1:\d+/\S*", "https://idp.example.com/device"),
            # The code's column is 32 wide: what is shorter or longer keeps what follows in place.
            (r"Code    (?=.{32}valid)\S+ +", "Code    WDJB-MJHT                       "),
            (r"until \d\d:\d\d:\d\d", "until 14:32:10"),
            (r"\d min( \d+ s)?(?=\)| left)", "3 min"),
            (r"SHA256:\S{2}…\S{2}", "SHA256:3q…Zk"),
            (r"SHA256:\S{43}", "SHA256:full"),
            (r"session [0-9a-f]{8}…", "session 01k4abcd…"),
            (r"127\.0\.0\.1 port \d+", "127.0.0.1 port 2222")):
        text = re.sub(pattern, plain, text)
    return text


def code_on(text):
    return re.search(r"Code +(\S+)", text).group(1)
