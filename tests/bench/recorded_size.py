# SPDX-License-Identifier: Apache-2.0
"""How many bytes a recording has for each byte that the terminal showed: for a person at work in a
shell, and for a lot of text."""
import subprocess
import time

import pexpect

from tests.bench.lab import recorded_bytes
from tests.bench.processes import tree
from tests.bench.transfer import drop, wait_for
from tests.bench.ways import complain, must_work, running
from tests.support.stack import wait_until

PROMPT = "bench-shell> "
KEY_PAUSE_S = 0.02
WORK = [
    "ls -la /usr", "cd /etc", "ls", "cat /etc/os-release", "ls -la --color=always /etc | head -60",
    "head -40 /etc/ssh/sshd_config", "grep -rn Port /etc/ssh", "df -h", "free", "ps aux | head -40",
    "top -b -n1 | head -40", "find /usr/share/doc -maxdepth 1 | head -100", "date", "uptime",
    "dpkg -l | head -60", "cat /etc/services | head -80", "wc -l /etc/passwd", "env | sort",
    "tail -30 /var/log/dpkg.log", "id; who; pwd", "du -sh /usr/share/doc/openssh-client", "history",
]


class RecordedSize:
    name = "recording"
    once = True

    def __init__(self, material, sizes):
        self.text = material.recorded_text
        self.size = sizes.recorded_text_mb * 1000 * 1000

    def applies(self, way):
        return bool(way.records_to)

    def check(self, way):
        must_work(way.ssh("echo works", tty=True), b"works", stdin=subprocess.PIPE)

    def run(self, way):
        return {"recorded_work": recorded(way, work_in_a_shell),
                "recorded_text": recorded(way, lambda way: print_text(way, self.text, self.size))}


def recorded(way, act):
    idle = len(tree(way.roots[0]))
    before = recorded_bytes(way)
    shown = act(way)
    wait_until(lambda: len(tree(way.roots[0])) <= idle, 30, "the end of the session")
    return (recorded_bytes(way) - before) / shown


def work_in_a_shell(way):
    words = way.ssh(tty=True)
    shell = pexpect.spawn(words[0], words[1:], dimensions=(40, 120), timeout=60, encoding=None)
    shell.delaybeforesend = None
    shown = Counter()
    shell.logfile_read = shown
    try:
        shell.expect(rb"[#$] ")  # tlog throws away what is typed before it is ready
        # This line itself does not hold the prompt.
        shell.sendline(f"PS1=bench''-shell'> '")
        for command in [*WORK, "exit"]:
            shell.expect_exact(PROMPT)
            for key in command + "\r":
                time.sleep(KEY_PAUSE_S)
                shell.send(key)
        shell.expect(pexpect.EOF)
    finally:
        shell.close(force=True)
    return shown.bytes


class Counter:
    def __init__(self):
        self.bytes = 0

    def write(self, data):
        self.bytes += len(data)

    def flush(self):
        pass


def print_text(way, path, size):
    words = way.ssh(f"printf begin; cat {path}", tty=True)
    with running(words, stdin=subprocess.PIPE) as client:
        wait_for(client, client.stdout, b"begin")
        shown = drop(client.stdout)
        if shown < size:
            complain(client, "not everything arrived")
    return shown
