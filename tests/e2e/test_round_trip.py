# SPDX-License-Identifier: Apache-2.0
# needs the machine alone
"""Long lines: as much is under way in a round trip as the receiver's SSH window allows, and nothing
of ours makes that less. `pytest -s` shows the figures of docs/performance.md."""
import contextlib
import os
import subprocess

import pytest

from tests.support.slow_line import SlowLine
from tests.support.stack import ME

# What the receiver lets its peer send. libssh 0.10 fills its window up when half of it is used, so
# that between half of it and all of it is under way; OpenSSH fills up early.
LIBSSH, OPENSSH = 1_280_000, 2 << 20
SIZE = 12 * OPENSSH

# The time from the first byte to the last, where they arrive.
MEASURE = """import os, time
os.read(0, 1)
begin = time.monotonic()
while os.read(0, 1 << 18): pass
print(time.monotonic() - begin)"""


@pytest.fixture
def zeros(tmp_path):
    path = tmp_path / "zeros"
    path.touch()
    os.truncate(path, SIZE)
    return path


@contextlib.contextmanager
def line_to_the_target(bastion, client, round_trip_s):
    with SlowLine(bastion.target.port, round_trip_s) as line:
        bastion.ctl("target", "add", "weblong", f"127.0.0.1:{line.port}", "--key", "main",
                    "--host-key", bastion.target.public_host_key(), "--yes")
        yield lambda words: client.command(words, user=f"{ME}@weblong")
        bastion.ctl("target", "remove", "weblong", "--yes")


@contextlib.contextmanager
def line_to_the_bastion(bastion, client, round_trip_s):
    with SlowLine(bastion.port, round_trip_s) as line:
        yield lambda words: client.command(words, options=[
            "-o", f"Port={line.port}", "-o", f"HostKeyAlias=[127.0.0.1]:{bastion.port}"])


@contextlib.contextmanager
def direct_line(bastion, client, round_trip_s):
    with open(f"{client.key}.pub") as key, open(bastion.target.authorized_keys, "a") as keys:
        keys.write(key.read())
    with SlowLine(bastion.target.port, round_trip_s) as line:
        yield lambda words: client.command(words, user=ME, options=[
            "-o", f"Port={line.port}", "-o", "StrictHostKeyChecking=no",
            "-o", "UserKnownHostsFile=/dev/null"])


def download(command, zeros):
    with subprocess.Popen(command(f"cat {zeros}"), stdout=subprocess.PIPE) as ssh:
        return subprocess.run(["python3", "-c", MEASURE], stdin=ssh.stdout, capture_output=True,
                              check=True, timeout=120).stdout


def upload(command, zeros):
    with open(zeros, "rb") as given:
        return subprocess.run(command(f"python3 -c '{MEASURE}'"), stdin=given, capture_output=True,
                              check=True, timeout=120).stdout


@pytest.mark.parametrize("round_trip_s", [0.04, 0.2], ids=["40 ms", "200 ms"])
@pytest.mark.parametrize("line, move, window, of_direct", [
    (line_to_the_bastion, download, OPENSSH, 0.6),
    (line_to_the_bastion, upload, LIBSSH, 0.25),
    (line_to_the_target, download, LIBSSH, 0.25),
    (line_to_the_target, upload, OPENSSH, 0.6),
], ids=["from the bastion", "to the bastion", "from the target", "to the target"])
def test_a_long_line_is_filled(bastion, client, zeros, line, move, window, of_direct, round_trip_s):
    def per_round_trip(way):
        with way(bastion, client, round_trip_s) as command:
            return SIZE / float(move(command, zeros)) * round_trip_s

    ours, direct = per_round_trip(line), per_round_trip(direct_line)
    print(f"\n{round_trip_s * 1000:.0f} ms, {line.__name__}, {move.__name__}: "
          f"{ours / round_trip_s / 1e6:.1f} MB/s, directly {direct / round_trip_s / 1e6:.1f} MB/s; "
          f"{ours / window:.2f} of the window under way, {ours / direct:.2f} of direct")
    assert 0.4 * window < ours < 1.2 * window  # more: the line is no such line
    assert ours > of_direct * direct
