# SPDX-License-Identifier: Apache-2.0
"""An SSH server that thinks for 10 s before it opens a channel, and for 10 s more before it starts
a command or a shell: python3 slow_target.py PORT HOST_KEY."""
import time

import paramiko

from tests.support.paramiko_target import Server, first_command, serve_all

PAUSE_S = 10


class SlowServer(Server):
    def check_channel_request(self, kind, chanid):
        time.sleep(PAUSE_S)
        return paramiko.OPEN_SUCCEEDED

    def check_channel_pty_request(self, channel, *terminal):
        return True

    def check_channel_exec_request(self, channel, command):
        time.sleep(PAUSE_S)
        self.started.set()
        return True

    def check_channel_shell_request(self, channel):
        return self.check_channel_exec_request(channel, None)


def serve(connection, host_key):
    transport, channel = first_command(connection, host_key, SlowServer())
    given = channel.makefile("rb").readline()
    channel.sendall(b"late, but with " + given)
    channel.send_exit_status(7)
    channel.close()
    transport.join(10)
    transport.close()


serve_all(serve)
