# SPDX-License-Identifier: Apache-2.0
"""The ways to the target that are compared, and how a client is run over one of them."""
import contextlib
import subprocess
import threading
from dataclasses import dataclass, field

import pexpect

PATIENCE_S = 120


class NotAvailable(Exception):
    """A way that cannot do what is to be measured; the text says why."""


FAILURES = (NotAvailable, AssertionError, OSError, ValueError, pexpect.ExceptionPexpect)


def why(error):
    """One line for the table."""
    if isinstance(error, pexpect.ExceptionPexpect):
        return f"{type(error).__name__} in a shell"
    return str(error) or type(error).__name__


@dataclass
class Way:
    letter: str
    name: str
    host: str  # in the lab's ssh_config
    config: str
    jump: str = ""
    roots: list = field(default_factory=list)  # the servers in between, as process ids
    records_to: list = field(default_factory=list)  # glob patterns of its recordings
    terminal_only: bool = False  # records nothing without a terminal: compared with one only

    @property
    def title(self):
        return f"({self.letter}) {self.name}" if self.letter else self.name

    def ssh(self, *words, tty=False, options=()):
        return ["ssh", *self._options(options), *(["-tt"] if tty else []), self.host, *words]

    def sftp(self):
        return ["sftp", *self._options(()), "-q", "-b", "-", self.host]

    def _options(self, options):
        return ["-F", self.config, *options, *(["-J", self.jump] if self.jump else [])]

    def is_one_of(self, names):
        return self.letter in names or self.name in names


def all_ways(lab):
    config = str(lab.config)
    script = [f"{lab.records}/script.*"]
    tlog = [f"{lab.records}/tlog.*"]
    ours = {"roots": lab.pids("us"),
            "records_to": [f"{lab.bastion.folder}/state/stored/recordings/*.brec"]}
    return [
        Way("a", "direct", "target", config),
        Way("b", "ssh -J", "target", config, "jump", lab.pids("jump")),
        Way("c", "nested", "nested", config, roots=lab.pids("nested")),
        Way("d", "script", "script", config, roots=lab.pids("script"), records_to=script,
            terminal_only=True),
        Way("d", "tlog", "tlog", config, roots=lab.pids("tlog"), records_to=tlog,
            terminal_only=True),
        Way("e", "us", "us", config, **ours),
        Way("f", "us by -J", "web1", config, "us-jump", **ours),
        *[Way("", one.name, one.name, config, roots=one.roots) for one in lab.foreign],
    ]


@contextlib.contextmanager
def running(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            patience_s=PATIENCE_S):
    """A client that is gone after the block, and in any case after its time."""
    client = subprocess.Popen(words, stdin=stdin, stdout=stdout, stderr=stderr, bufsize=0)
    timer = threading.Timer(patience_s, client.kill)
    timer.start()
    try:
        yield client
    finally:
        timer.cancel()
        client.kill()
        client.wait()
        for stream in (client.stdin, client.stdout, client.stderr):
            if stream:
                stream.close()


def last_line(text, otherwise):
    """sftp's own "Connection closed" says less than the line of ssh before it."""
    lines = [line.strip() for line in text.decode(errors="replace").splitlines() if line.strip()]
    if len(lines) > 1 and lines[-1] == "Connection closed":
        return lines[-2]
    return lines[-1] if lines else otherwise


def complain(client, what):
    """Raises NotAvailable with the last thing that the client said."""
    client.kill()
    said = client.stderr.read() if client.stderr else b""
    raise NotAvailable(last_line(said, what))


def must_work(words, wanted, **how):
    """A tiny run: its output must be what is wanted."""
    with running(words, patience_s=30, **how) as client:
        output = client.stdout.read()
        if output.strip() != wanted:
            complain(client, f"unexpected output {output[-60:]!r}")
