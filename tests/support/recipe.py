# SPDX-License-Identifier: Apache-2.0
"""RECIPE.txt of an evidence file, done as it says."""
import subprocess
import sys
import tarfile


def follow(path, folder, key, identity, second="", typed=False):
    """Unpacks it into `folder` and runs the commands: as a script, or typed into a shell."""
    with tarfile.open(path) as archive:
        archive.extractall(folder, filter="data") if sys.version_info >= (3, 12) else \
            archive.extractall(folder)
    recipe = (folder / "RECIPE.txt").read_text()
    script = "".join(line[4:] + "\n" for line in recipe.splitlines() if line.startswith("    "))
    # Typed, "!" means something and some options are others.
    shell = ["bash", "--norc", "-i"] if typed else ["bash", "-c", script]
    return subprocess.run(shell, input=script.encode() if typed else None, cwd=folder,
                          capture_output=True, timeout=60,
                          env={"PATH": "/usr/bin:/bin", "KEY": key, "IDENTITY": str(identity),
                               "IDENTITY2": str(second)})
