# SPDX-License-Identifier: Apache-2.0
"""An SSH server that exchanges keys again with another host key, or with the same:
python3 rekeying_target.py PORT HOST_KEY OTHER_HOST_KEY.

On any command it writes "before", exchanges keys, and writes "after" at once."""
import socket
import sys
import threading

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


def serve(connection, host_key, other):
    transport = paramiko.Transport(connection)
    transport.add_server_key(host_key)
    server = Server()
    transport.start_server(server=server)
    channel = transport.accept(30)
    server.started.wait(30)
    channel.sendall(b"before\n")
    transport.server_key_dict.clear()
    transport.add_server_key(other)
    try:
        transport.renegotiate_keys()
        channel.sendall(b"after\n")
        channel.send_exit_status(0)
        channel.close()
    except (OSError, EOFError, paramiko.SSHException):
        pass
    transport.join(10)
    transport.close()


def main():
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    host_key, other = (paramiko.ECDSAKey.from_private_key_file(path) for path in sys.argv[2:])
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, host_key, other), daemon=True).start()


main()
