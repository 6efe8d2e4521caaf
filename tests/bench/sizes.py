# SPDX-License-Identifier: Apache-2.0
"""How much is measured, and the files that are sent."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Sizes:
    rounds: int = 3
    bulk_mib: int = 512
    pty_mib: int = 128
    sftp_mib: int = 256
    keys: int = 800
    busy_sessions: int = 50
    logins: int = 60
    login_clients: int = 4
    idle_sessions: tuple = (10, 100, 500)
    recorded_text_mb: int = 100


FULL = Sizes()
QUICK = Sizes(rounds=1, bulk_mib=64, pty_mib=16, sftp_mib=32, keys=200, busy_sessions=10, logins=16,
              idle_sessions=(10, 50), recorded_text_mb=10)


@dataclass(frozen=True)
class Material:
    """Files in memory, where there is room for them, so that no disk is measured."""
    bulk: pathlib.Path  # random: neither ssh nor a recorder can make it smaller
    bulk_text: pathlib.Path
    pty_text: pathlib.Path
    recorded_text: pathlib.Path
    sftp: pathlib.Path


@contextlib.contextmanager
def material(sizes):
    needed = (2 * sizes.bulk_mib + sizes.pty_mib + sizes.sftp_mib + sizes.recorded_text_mb) * MIB
    in_memory = os.path.isdir("/dev/shm") and shutil.disk_usage("/dev/shm").free > 2 * needed
    place = "/dev/shm" if in_memory else None
    with tempfile.TemporaryDirectory(prefix="bench-", dir=place) as name:
        folder = pathlib.Path(name)
        made = Material(*(folder / part for part in Material.__dataclass_fields__))
        write_random(made.bulk, sizes.bulk_mib * MIB)
        write_random(made.sftp, sizes.sftp_mib * MIB)
        text = real_text(128 * MIB)
        write_repeated(made.bulk_text, text, sizes.bulk_mib * MIB)
        write_repeated(made.pty_text, text, sizes.pty_mib * MIB)
        write_repeated(made.recorded_text, text, sizes.recorded_text_mb * 1000 * 1000)
        yield made


def write_random(path, size):
    with open(path, "wb") as file:
        for _ in range(size // MIB):
            file.write(os.urandom(MIB))


def write_repeated(path, text, size):
    with open(path, "wb") as file:
        while file.tell() < size:
            file.write(text[:size - file.tell()])


def real_text(most):
    """A long listing: lines that resemble each other and are never the same."""
    with subprocess.Popen(["find", "/usr", "-ls"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as find:
        text = find.stdout.read(most)
        find.kill()
    return text
