# SPDX-License-Identifier: Apache-2.0
"""An SSH server that exchanges keys again with another host key, or with the same:
python3 rekeying_target.py PORT HOST_KEY OTHER_HOST_KEY.

On any command it writes "before", exchanges keys, and writes "after" at once."""
import paramiko

from tests.support.paramiko_target import Server, first_command, serve_all


def serve(connection, host_key, other):
    transport, channel = first_command(connection, host_key, Server())
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


serve_all(serve)
