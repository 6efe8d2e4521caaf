# SPDX-License-Identifier: Apache-2.0
"""Memory of the processes in between for each idle session with a terminal: PSS, with the servers'
own memory before the first session taken off. 10, 100 and 500 sessions, one after another."""
import contextlib
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from tests.bench.processes import tree, tree_pss_bytes
from tests.bench.transfer import wait_for
from tests.bench.ways import NotAvailable, must_work, running
from tests.support.stack import wait_until


class IdleMemory:
    name = "memory"
    once = True  # memory does not vary from round to round

    def __init__(self, sizes):
        self.counts = sizes.idle_sessions

    def applies(self, way):
        return bool(way.roots)

    def check(self, way):
        if os.geteuid() != 0:
            raise NotAvailable("the memory of others' processes is shown to root only")
        must_work(way.ssh("echo works", tty=True), b"works", stdin=subprocess.PIPE)

    def run(self, way):
        before = len(tree(way.roots[0]))
        base = tree_pss_bytes(way.roots)
        figures, open_now = {}, 0
        with contextlib.ExitStack() as sessions:
            # 500 processes of script and tlog tell nothing more.
            for count in self.counts[:2] if way.terminal_only else self.counts:
                add_sessions(sessions, way, count - open_now)
                open_now = count
                time.sleep(1)
                figures[f"memory_{count}_mb"] = (tree_pss_bytes(way.roots) - base) / count / 1e6
        wait_until(lambda: len(tree(way.roots[0])) <= before, 60, "the end of the idle sessions")
        return figures


def add_sessions(sessions, way, count):
    def start(_):
        words = way.ssh("stty raw -echo; printf begin; exec cat", tty=True)
        client = sessions.enter_context(running(words, stdin=subprocess.PIPE, patience_s=600))
        wait_for(client, client.stdout, b"begin")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, range(count)))
