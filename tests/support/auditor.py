# SPDX-License-Identifier: Apache-2.0
import re
import subprocess


class Auditor:
    """Somebody with an age identity of their own."""

    def __init__(self, folder, name):
        self.file = folder / f"{name}.age"
        made = subprocess.run(["age-keygen", "-o", str(self.file)], check=True,
                              capture_output=True, text=True)
        self.recipient = re.search(r"age1\w+", made.stderr).group(0)
