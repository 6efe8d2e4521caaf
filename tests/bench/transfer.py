# SPDX-License-Identifier: Apache-2.0
"""Bulk data over a command's streams, output of a terminal, and sftp: bytes a second, and the CPU
time that the processes in between spend for it.

Both are taken from the moment at which the target says that it begins, so the login is in
neither."""
import os
import subprocess
import time

from tests.bench.processes import cpu_seconds
from tests.bench.ways import NotAvailable, complain, last_line, must_work, running

GIB = 1 << 30
SETTLE_S = 0.3  # for the processes in between to end, and be counted by their parents


class Transfer:
    """`name` gives the figures name_mb_s and name_cpu_s_gib."""
    once = False

    def __init__(self, name, size, move):
        self.name = name
        self.size = size
        self.move = move
        self.needs_terminal = name == "pty"

    def applies(self, way):
        return True

    def check(self, way):
        if way.terminal_only and not self.needs_terminal:
            raise NotAvailable(f"{way.name} records terminals only")
        self.move(way, self.size, True)

    def run(self, way):
        seconds, cpu = self.move(way, self.size, False)
        figures = {f"{self.name}_mb_s": self.size / seconds / 1e6}
        if cpu is not None:
            figures[f"{self.name}_cpu_s_gib"] = cpu * GIB / self.size
        return figures


class Stretch:
    """Wall time and CPU time from its making to `end()`."""

    def __init__(self, way):
        self.roots = way.roots
        self.cpu = cpu_seconds(self.roots)
        self.start = time.monotonic()

    def end(self, settle=True):
        seconds = time.monotonic() - self.start
        if settle:
            time.sleep(SETTLE_S)
        return seconds, cpu_seconds(self.roots) - self.cpu if self.roots else None


def transfers(material, sizes):
    mib = 1 << 20
    return [
        Transfer("bulk_down", sizes.bulk_mib * mib, download(material.bulk)),
        Transfer("bulk_down_text", sizes.bulk_mib * mib, download(material.bulk_text)),
        Transfer("bulk_up", sizes.bulk_mib * mib, upload(material.bulk)),
        Transfer("pty", sizes.pty_mib * mib, print_on_terminal(material.pty_text)),
        Transfer("sftp_get", sizes.sftp_mib * mib, sftp(f"get {material.sftp} /dev/null")),
        Transfer("sftp_put", sizes.sftp_mib * mib, sftp(f"put {material.sftp} /dev/null")),
    ]


def download(path):
    def move(way, size, tiny):
        if tiny:
            return must_work(way.ssh(f"head -c 100000 {path} | wc -c"), b"100000")
        # What begins goes by stderr, so that nobody has to look at the data.
        words = way.ssh(f"echo begin >&2; cat {path}")
        with running(words, stdout=subprocess.DEVNULL) as client:
            wait_for(client, client.stderr, b"begin\n")
            stretch = Stretch(way)
            return finish(client, stretch)
    return move


def upload(path):
    def move(way, size, tiny):
        with open(path, "rb") as data:
            if tiny:
                return must_work(way.ssh("head -c 100000 | wc -c"), b"100000", stdin=data)
            with running(way.ssh("echo begin; wc -c"), stdin=data) as client:
                wait_for(client, client.stdout, b"begin\n")
                stretch = Stretch(way)
                if int(client.stdout.read() or 0) != size:
                    complain(client, "not everything arrived")
                return finish(client, stretch)
    return move


def print_on_terminal(path):
    def move(way, size, tiny):
        if tiny:
            return must_work(way.ssh("echo works", tty=True), b"works", stdin=subprocess.PIPE)
        words = way.ssh(f"printf 'begin\\n'; cat {path}", tty=True)
        with running(words, stdin=subprocess.PIPE) as client:
            wait_for(client, client.stdout, b"begin\r\n")
            stretch = Stretch(way)
            if drop(client.stdout) < size:
                complain(client, "not everything arrived")
            return finish(client, stretch)
    return move


def sftp(command):
    """`pwd` has an answer that shows where we are."""
    def move(way, _size, tiny):
        with running(way.sftp(), stdin=subprocess.PIPE, patience_s=30 if tiny else 120) as client:
            client.stdin.write(b"pwd\n")
            wait_for(client, client.stdout, b"working directory", anywhere=True)
            if tiny:
                return None
            stretch = Stretch(way)
            client.stdin.write(f"{command}\npwd\n".encode())
            wait_for(client, client.stdout, b"working directory", anywhere=True)
            client.stdin.close()
            return finish(client, stretch)
    return move


def wait_for(client, stream, wanted, anywhere=False):
    seen = b""
    while wanted not in seen if anywhere else len(seen) < len(wanted):
        piece = stream.read(4096 if anywhere else len(wanted) - len(seen))
        seen += piece
        if not piece:
            break
    if wanted not in seen:
        client.kill()
        rest = b"" if stream is client.stderr else client.stderr.read()
        raise NotAvailable(last_line(rest, last_line(seen, "the connection ended")))


def finish(client, stretch):
    if client.wait() != 0:
        complain(client, f"exit status {client.returncode}")
    return stretch.end()


def drop(stream):
    """Reads to the end without looking at anything."""
    with open(os.devnull, "wb") as sink:
        total = 0
        while moved := os.splice(stream.fileno(), sink.fileno(), 1 << 20):
            total += moved
        return total
