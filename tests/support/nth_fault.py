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
ORDER = struct.Struct("<64sqqqq")  # struct order
FOR_EXECUTED, FOR_NEXT_FORKED = 0, 1
FORKED = ("monitor",)


class NthFault:
    """`build` is to a Bastion what SALLYPORT_BUILD_DIR is."""

    def __init__(self, program):
        self.whom = FOR_NEXT_FORKED if program in FORKED else FOR_EXECUTED
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
        """For the processes that are executed from now on, or the next that its nursery forks."""
        self.page[:ORDER.size] = ORDER.pack(point.encode(), nth, error, 0, self.whom)

    def clear(self):
        self.order("", 0, 0)

    def calls(self):
        return ORDER.unpack(self.page[:ORDER.size])[3]

    def was_met(self):
        _, nth, _, calls, _ = ORDER.unpack(self.page[:ORDER.size])
        return calls >= nth

    def remove(self):
        shutil.rmtree(self.build, ignore_errors=True)
