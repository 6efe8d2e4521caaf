# SPDX-License-Identifier: Apache-2.0
"""Logins with a key that is known: how many a second with a few clients at once, how long one takes
alone, and the CPU time of the processes in between for each."""
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from tests.bench.transfer import Stretch
from tests.bench.ways import complain, must_work, running


class Logins:
    name = "logins"
    once = False

    def __init__(self, sizes):
        self.sizes = sizes

    def applies(self, way):
        return True

    def check(self, way):
        must_work(way.ssh("echo works"), b"works")

    def run(self, way):
        alone = statistics.median(log_in(way) for _ in range(8))
        stretch = Stretch(way)
        with ThreadPoolExecutor(self.sizes.login_clients) as pool:
            list(pool.map(lambda _: log_in(way), range(self.sizes.logins)))
        seconds, cpu = stretch.end()
        figures = {"login_ms": alone * 1000, "logins_s": self.sizes.logins / seconds}
        if cpu is not None:
            figures["login_cpu_ms"] = cpu * 1000 / self.sizes.logins
        return figures


def log_in(way):
    start = time.monotonic()
    with running(way.ssh("true"), stdout=subprocess.DEVNULL) as client:
        if client.wait() != 0:
            complain(client, f"exit status {client.returncode}")
    return time.monotonic() - start
