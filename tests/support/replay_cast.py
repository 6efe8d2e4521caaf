# SPDX-License-Identifier: Apache-2.0
"""replay_cast.py FILE COMMAND...: shows an asciicast v2 file in the terminal that it runs in, as fast
as it goes. Before a resize it waits until the terminal has drawn everything, then has
COMMAND... COLUMNS ROWS resize it, and waits for that too. Then sleeps, so that one can look."""
import fcntl
import json
import os
import select
import struct
import subprocess
import sys
import termios
import time
import tty

STATUS_QUESTION, STATUS_ANSWER = b"\x1b[5n", b"\x1b[0n"


def write(data):
    while data:
        data = data[os.write(1, data):]


def wait_until_drawn():
    write(STATUS_QUESTION)
    heard = b""  # with what the recorded programs have asked the terminal
    while STATUS_ANSWER not in heard and select.select([0], [], [], 10)[0]:
        heard += os.read(0, 4096)


def size():
    rows, columns, _, _ = struct.unpack(
        "HHHH", fcntl.ioctl(0, termios.TIOCGWINSZ, struct.pack("HHHH", 0, 0, 0, 0)))
    return columns, rows


def resize(command, data):
    columns, rows = map(int, data.split("x"))
    wait_until_drawn()
    subprocess.run([*command, "-x", str(columns), "-y", str(rows)], check=True)
    for _ in range(500):
        if size() == (columns, rows):
            return
        time.sleep(0.01)
    raise SystemExit("the terminal does not take the size")


def main(path, command):
    tty.setraw(0)
    with open(path, encoding="utf-8") as cast:
        next(cast)
        for line in cast:
            _, code, data = json.loads(line)
            if code == "o":
                write(data.encode())
            elif code == "r":
                resize(command, data)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
