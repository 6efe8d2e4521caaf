# SPDX-License-Identifier: Apache-2.0
"""Copies of the bastion's executables that live in a time which the test moves on (fast_clock.c)."""
import ctypes
import mmap
import pathlib
import shutil
import subprocess
import time

from tests.support.stack import BUILD, short_folder

SOURCE = pathlib.Path(__file__).parent / "fast_clock.c"
DAEMONS = ("authd", "keyd", "stored", "monitor", "front", "back")


class FastClock:
    """`build` is to a Bastion what SALLYPORT_BUILD_DIR is, one for each clock."""

    def __init__(self):
        self.build = short_folder()
        page = self.build / "ahead"
        page.write_bytes(bytes(mmap.PAGESIZE))
        with open(page, "r+b") as file:
            self.ahead_ns = ctypes.c_int64.from_buffer(mmap.mmap(file.fileno(), 0))
        library = self.build / "libfast_clock.so"
        subprocess.run(["cc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
                        f'-DFAST_CLOCK_FILE="{page}"', "-o", library, SOURCE], check=True)
        for name in ["bin/sallyportd", *(f"libexec/sallyport-{name}" for name in DAEMONS)]:
            copy = self.build / name
            copy.parent.mkdir(exist_ok=True)
            shutil.copy(BUILD / name, copy)
            # The session processes begin with an empty environment: LD_PRELOAD does not reach them.
            subprocess.run(["patchelf", "--add-needed", library, copy], check=True)

    def pass_time(self, seconds, steps=300):
        """In steps, each so long for the processes that every timer between two steps can fire."""
        begin = self.ahead_ns.value
        for step in range(1, steps + 1):
            self.ahead_ns.value = begin + seconds * 10**9 * step // steps
            time.sleep(0.01)

    def remove(self):
        shutil.rmtree(self.build, ignore_errors=True)
