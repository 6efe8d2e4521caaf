# SPDX-License-Identifier: Apache-2.0
"""An SSH server that lets every key in and then misbehaves: python3 hostile_target.py PORT HOST_KEY.

On any command it floods stderr, opens 6,000 channels towards its client, and goes on flooding."""
import threading
import time

import paramiko

from tests.support.paramiko_target import Server, first_command, serve_all


def open_channels(transport, count):
    """Without waiting for the answers."""
    for number in range(count):
        message = paramiko.Message()
        message.add_byte(paramiko.common.cMSG_CHANNEL_OPEN)
        message.add_string("forwarded-tcpip")
        message.add_int(1000 + number)
        message.add_int(1 << 20)
        message.add_int(1 << 15)
        message.add_string("127.0.0.1")
        message.add_int(1)
        message.add_string("127.0.0.1")
        message.add_int(2)
        transport._send_user_message(message)


def serve(connection, host_key):
    transport, channel = first_command(connection, host_key, Server())
    threading.Thread(target=open_channels, args=(transport, 6000), daemon=True).start()
    flood = b"E" * 32768
    deadline = time.monotonic() + 20
    try:
        while time.monotonic() < deadline:
            channel.send_stderr(flood)
    except (OSError, EOFError):
        pass
    transport.close()


serve_all(serve)
