# SPDX-License-Identifier: Apache-2.0
"""A display that is a socket of ours, with a real xauth cookie, and a program that draws on it."""
import contextlib
import os
import shlex
import socket
import subprocess

COOKIE = "ab" * 16
HELLO = b"l\0\x0b\0\0\0\x12\0\x10\0\0\0MIT-MAGIC-COOKIE-1\0\0"
# Runs at the target: tells DISPLAY's cookie to DISPLAY, and prints what comes back.
PROGRAM = f"""import os, socket, subprocess
display = os.environ["DISPLAY"]
told = subprocess.run(["xauth", "list", display], capture_output=True, text=True).stdout.split()[-1]
port = 6000 + int(display.split(":")[1].split(".")[0])
with socket.create_connection(("localhost", port)) as s:
    s.sendall({HELLO!r} + bytes.fromhex(told))
    print(told != "{COOKIE}", s.recv(100))"""
DRAW = f"python3 -c {shlex.quote(PROGRAM)}"


class FakeDisplay:
    def __init__(self, folder):
        number = 100 + os.getpid()  # nobody else's
        self.path = f"/tmp/.X11-unix/X{number}"
        authority = folder / f"Xauthority{number}"
        self.environment = {"DISPLAY": f":{number}", "XAUTHORITY": str(authority)}
        subprocess.run(["xauth", "-f", str(authority), "add", f":{number}", ".", COOKIE],
                       check=True, capture_output=True)
        os.makedirs("/tmp/.X11-unix", exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(self.path)
        self.server.listen()
        self.server.settimeout(20)

    def drawn_by(self, ssh):
        """What arrives at the display, and what the program prints: `ssh` runs DRAW."""
        process = subprocess.Popen([str(word) for word in ssh], stdout=subprocess.PIPE,
                                   stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   env={**os.environ, **self.environment})
        try:
            connection, _ = self.server.accept()
            with connection:
                connection.settimeout(20)
                got = connection.recv(100)
                connection.sendall(b"X says hello")
                return got, process.communicate(timeout=20)[0]
        except TimeoutError:
            process.kill()
            raise AssertionError(process.communicate()) from None

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.server.close()
        os.unlink(self.path)


ARRIVED = HELLO + bytes.fromhex(COOKIE), b"True b'X says hello'\n"  # the real cookie at the display
