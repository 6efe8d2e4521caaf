# SPDX-License-Identifier: Apache-2.0
"""An SSH server that lets one key in and then misbehaves: python3 hostile_target.py PORT HOST_KEY.

On any command it floods stderr, opens 6,000 channels towards its client, and goes on flooding."""
import socket
import sys
import threading
import time

import paramiko


class Server(paramiko.ServerInterface):
    def __init__(self):
        self.started = threading.Event()

    def get_allowed_auths(self, username):
        return "publickey"

    def check_auth_publickey(self, username, key):
        return paramiko.AUTH_SUCCESSFUL

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel, command):
        self.started.set()
        return True


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
    transport = paramiko.Transport(connection)
    transport.add_server_key(host_key)
    server = Server()
    transport.start_server(server=server)
    channel = transport.accept(30)
    server.started.wait(30)
    threading.Thread(target=open_channels, args=(transport, 6000), daemon=True).start()
    flood = b"E" * 32768
    deadline = time.monotonic() + 20
    try:
        while time.monotonic() < deadline:
            channel.send_stderr(flood)
    except (OSError, EOFError):
        pass
    transport.close()


def main():
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    host_key = paramiko.ECDSAKey.from_private_key_file(sys.argv[2])
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, host_key), daemon=True).start()


main()
