# SPDX-License-Identifier: Apache-2.0
"""The machine and the programs that were measured, and how busy the machine is."""
import contextlib
import os
import pathlib
import platform
import re
import subprocess
import time


def describe(repository):
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "system": system(),
        "openssh": said_by(["ssh", "-V"]),
        "libssh": version_of("libssh-4"),
        "tlog": version_of("tlog"),
        "sallyport": said_by(["git", "-C", str(repository), "describe", "--always", "--dirty"]),
        "as_root": os.geteuid() == 0,
        "load_before": round(os.getloadavg()[0], 2),
        "when": time.strftime("%Y-%m-%d %H:%M %Z"),
    }


def processor():
    found = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return found.group(1) if found else platform.machine()


def system():
    return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")


def said_by(words):
    with contextlib.suppress(OSError):
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode == 0:
            return (done.stdout or done.stderr).strip()
    return ""


def version_of(package):
    return said_by(["dpkg-query", "-W", "-f", "${Version}", package])


@contextlib.contextmanager
def busy_share():
    """Gives a function that tells which share of all cores was busy during the block, in %."""
    before, after = cpu_times(), []
    yield lambda: 100 * (1 - (after[0][0] - before[0]) / max(1, after[0][1] - before[1]))
    after.append(cpu_times())


def cpu_times():
    """Idle ticks and all ticks since the machine started."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    ticks = [int(field) for field in fields]
    return ticks[3] + ticks[4], sum(ticks)
