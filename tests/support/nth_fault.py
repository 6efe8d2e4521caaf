# SPDX-License-Identifier: Apache-2.0
"""A copy of the bastion's executables of which one meets a fault: the n-th call of a kind fails
(nth_fault.c, libfiu)."""
import mmap
import pathlib
import shutil
import struct
import subprocess

from tests.support.stack import BUILD, short_folder

SOURCE = pathlib.Path(__file__).parent / "nth_fault.c"
PRELOAD = "fiu_posix_preload.so"


class NthFault:
    """`build` is to a Bastion what SALLYPORT_BUILD_DIR is."""

    def __init__(self, program):
        self.build = short_folder()
        shutil.copytree(BUILD / "bin", self.build / "bin")
        shutil.copytree(BUILD / "libexec", self.build / "libexec")
        page = self.build / "order"
        page.write_bytes(bytes(mmap.PAGESIZE))
        page.chmod(0o666)
        with open(page, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), 0)
        library = self.build / "libnth_fault.so"
        subprocess.run(["cc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
                        f'-DNTH_FAULT_FILE="{page}"', "-o", library, SOURCE, "-lfiu"], check=True)
        [preload] = pathlib.Path("/usr/lib").rglob(PRELOAD)
        for name in (preload, library):  # the last one that is added is asked first
            subprocess.run(["patchelf", "--add-needed", name,
                            self.build / "libexec" / f"sallyport-{program}"], check=True)

    def order(self, point, nth, error):
        """For processes that begin from now on."""
        self.page[:88] = struct.pack("<64sqqq", point.encode(), nth, error, 0)

    def clear(self):
        self.order("", 0, 0)

    def was_met(self):
        _, nth, _, calls = struct.unpack("<64sqqq", self.page[:88])
        return calls >= nth

    def remove(self):
        shutil.rmtree(self.build, ignore_errors=True)
