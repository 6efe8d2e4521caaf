# SPDX-License-Identifier: Apache-2.0
"""A long line on loopback: every byte arrives half a round trip later, as many at once as are sent.

    with SlowLine(server_port, round_trip_s=0.2) as line:
        connect to line.port

`cut` is what happens when somebody pulls the plug: nothing arrives any more, on neither side, and
nobody is told."""
import contextlib
import ctypes
import queue
import socket
import struct
import threading
import time

SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27  # socket(7); Python has no names for them


def drop_all_segments(connection):
    """From now on the kernel drops what comes in for this socket before TCP sees it (a socket
    filter, "ret 0"): no data, no acknowledgement, no answer to a keepalive."""
    program = ctypes.create_string_buffer(struct.pack("=HBBI", 0x06, 0, 0, 0))
    connection.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER,
                          struct.pack("@HP", 1, ctypes.addressof(program)))


class SlowLine:
    def __init__(self, to_port, round_trip_s=0.0):
        self.to_port, self.delay = to_port, round_trip_s / 2
        self.ends = []
        self.is_cut = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start(self.accept)

    @staticmethod
    def start(work, *arguments):
        threading.Thread(target=work, args=arguments, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):  # until the listener is closed
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.to_port))
                self.ends += [near, far]
                for end in (near, far):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for source, sink in ((near, far), (far, near)):
                    under_way = queue.SimpleQueue()
                    self.start(self.take_in, source, under_way)
                    self.start(self.give_out, under_way, sink)

    def take_in(self, source, under_way):
        data = b"x"
        while data:
            try:
                data = source.recv(1 << 18)
            except OSError:
                data = b""
            under_way.put((time.monotonic() + self.delay, data))

    def give_out(self, under_way, sink):
        with contextlib.suppress(OSError):
            while True:
                due, data = under_way.get()
                time.sleep(max(0, due - time.monotonic()))
                if self.is_cut:
                    return
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(data)

    def break_off(self):
        """Until mend(): what is sent meanwhile arrives when TCP sends it again."""
        for end in self.ends:
            drop_all_segments(end)

    def mend(self):
        for end in self.ends:
            end.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)

    def cut(self):
        self.is_cut = True
        self.break_off()

    def close(self):
        for end in [self.listener, *self.ends]:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)  # close alone wakes no thread
            end.close()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()
