# SPDX-License-Identifier: Apache-2.0
"""How long a typed character takes to come back: alone, and beside busy sessions of that way."""
import contextlib
import os
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from tests.bench.machine import busy_share
from tests.bench.transfer import Stretch, wait_for
from tests.bench.ways import complain, must_work, running
from tests.support.stack import wait_until

MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None
WARM_UP_KEYS = 50
LOAD_LOOK_S = 2
PAUSE_S = 0.003  # so that every process in between sleeps again
# 80 characters each 20 ms, by one process that is always there.
BUSY_EACH_S = 0.02
BUSY = "perl -e '$|=1;while(1){print \"x\"x78,\"\\n\";select(undef,undef,undef,.02)}'"


class Echo:
    name = "echo"
    once = False

    def __init__(self, sizes):
        self.sizes = sizes

    def applies(self, way):
        return True

    def check(self, way):
        must_work(way.ssh("echo works", tty=True), b"works", stdin=subprocess.PIPE)

    def run(self, way):
        figures = percentiles("echo_idle", self.measure(way))
        with busy_sessions(way, self.sizes.busy_sessions):
            figures |= self.cost_of_load(way)
            figures |= percentiles("echo_busy", self.measure(way))
        return figures

    def cost_of_load(self, way):
        stretch = Stretch(way)
        with busy_share() as share:
            time.sleep(LOAD_LOOK_S)
        seconds, cpu = stretch.end(settle=False)
        figures = {"echo_busy_machine": share()}
        if cpu is not None:
            lines = seconds * self.sizes.busy_sessions / BUSY_EACH_S
            figures["echo_busy_line_us"] = cpu * 1e6 / lines
        return figures

    def measure(self, way):
        words = way.ssh("stty raw -echo; printf begin; exec cat", tty=True)
        with running(words, stdin=subprocess.PIPE) as client:
            wait_for(client, client.stdout, b"begin")
            times = [type_one_key(client) for _ in range(WARM_UP_KEYS + self.sizes.keys)]
        return times[WARM_UP_KEYS:]


def type_one_key(client):
    time.sleep(PAUSE_S)
    start = time.perf_counter_ns()
    client.stdin.write(b"k")
    if client.stdout.read(1) != b"k":
        complain(client, "the key did not come back")
    return (time.perf_counter_ns() - start) / 1e6


def percentiles(name, times):
    times = sorted(times)
    return {f"{name}_p50_ms": times[len(times) // 2],
            f"{name}_p99_ms": times[int(len(times) * 0.99)]}


@contextlib.contextmanager
def busy_sessions(way, count):
    """What they print goes to files in memory: nobody spends time on reading it."""
    with contextlib.ExitStack() as sessions, ThreadPoolExecutor(4) as pool:
        def start(_):
            output = sessions.enter_context(tempfile.TemporaryFile(dir=MEMORY))
            client = sessions.enter_context(
                running(way.ssh(BUSY, tty=True), stdin=subprocess.PIPE, stdout=output))
            wait_until(lambda: os.fstat(output.fileno()).st_size or client.poll() is not None, 30,
                       "output of a busy session")
            if client.poll() is not None:
                complain(client, "a busy session ended")
        list(pool.map(start, range(count)))
        time.sleep(1)
        yield
