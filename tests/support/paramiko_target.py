# SPDX-License-Identifier: Apache-2.0
"""What the targets written with paramiko have in common: they let every key in, and misbehave from
the first command on. Each is a program, python3 SCRIPT PORT HOST_KEY..., so that nothing it does
weighs on the test."""
import contextlib
import pathlib
import socket
import subprocess
import sys
import threading

import paramiko

from tests.support.stack import free_port, wait_for_port


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


def first_command(connection, host_key, server):
    """The transport, and the channel on which a command has started."""
    transport = paramiko.Transport(connection)
    transport.add_server_key(host_key)
    transport.start_server(server=server)
    channel = transport.accept(60)
    server.started.wait(60)
    return transport, channel


def serve_all(serve):
    """serve(connection, *host_keys) for every connection, as the arguments say."""
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    host_keys = [paramiko.ECDSAKey.from_private_key_file(path) for path in sys.argv[2:]]
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, *host_keys), daemon=True).start()


@contextlib.contextmanager
def running(script, *host_keys):
    """The port on which tests/support/`script` is a target."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, pathlib.Path(__file__).parent / script, str(port), *host_keys],
        stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port, process)
        yield port
    finally:
        process.kill()
        process.wait()
