# SPDX-License-Identifier: Apache-2.0
"""CPU time and memory of a server and all that descends from it, from /proc.

A process that ended adds its CPU time to the parent that reaped it, so the sum over a tree only
grows, as long as nobody leaves the tree."""
import contextlib
import ctypes
import os
import pathlib
import signal
import time

TICKS = os.sysconf("SC_CLK_TCK")


def stat_of(pid):
    """Parent, and CPU seconds with those of reaped children."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[1]), sum(map(int, fields[11:15])) / TICKS


def status_of(pid, name):
    """One number of /proc/PID/status, which everybody may read."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(text.split(f"\n{name}:")[1].split()[0])


def children_of_all():
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                children.setdefault(stat_of(entry)[0], []).append(int(entry))
    return children


def tree(root):
    """The process ids of root and its descendants."""
    children = children_of_all()
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def adopt_orphans():
    """Who loses its parent becomes our child: `script` lives on when its terminal is gone, and so
    does all that is behind it."""
    pr_set_child_subreaper = 36
    ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0)


def own_children():
    return set(children_of_all().get(os.getpid(), []))


@contextlib.contextmanager
def no_orphans():
    """After the block no child is left that was not there before; a while for those that end."""
    before = own_children()
    try:
        yield
    finally:
        deadline = time.monotonic() + 0.5
        while left := own_children() - before:
            for pid in left:
                if time.monotonic() > deadline:
                    os.kill(pid, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            time.sleep(0.05)


def cpu_seconds(roots):
    total = 0.0
    for root in roots:
        for pid in tree(root):
            with contextlib.suppress(OSError):
                total += stat_of(pid)[1]
    return total


def name_of(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode() or "?"
    return "?"


def pss_bytes(pid):
    """Private pages, and each shared page divided by those that share it. Only root may read this
    of a process that is not dumpable."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def tree_pss_bytes(roots):
    total = 0
    for root in roots:
        for pid in tree(root):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                total += pss_bytes(pid)
    return total
