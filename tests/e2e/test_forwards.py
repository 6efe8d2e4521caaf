# SPDX-License-Identifier: Apache-2.0
"""Connections that are carried through a session, in both directions, against the grant."""
import contextlib
import http.server
import os
import socket
import subprocess
import threading

import pytest

from tests.e2e.conftest import running_stack
from tests.support import fake_display
from tests.support.brec import OUTPUT, TO_TARGET, Recording
from tests.support.stack import ME, Client, end_client, free_port, wait_for_port, wait_until

ALL = ["shell", "exec", "sftp", "subsystem", "agent", "local-forward", "remote-forward", "x11"]
BODY = os.urandom(300_000)


@pytest.fixture(scope="module")
def bastion(tmp_path_factory):
    roles = {"users": {"groups": ["ssh-users"], "targets": ["web1"], "logins": [ME],
                       "channels": ALL, "forward_to": ["127.0.0.1:*", "localhost:*", "169.*:*",
                                                       "0xa9fea9fe:*", "[::1]:*"],
                       "record_forwards_mib": 1},
             "few": {"groups": ["admins"], "targets": ["db1"], "logins": [ME],
                     "channels": ["shell", "exec"]}}
    with running_stack(tmp_path_factory.mktemp("stack"), roles=roles,
                       sshd_config="X11Forwarding yes\nX11UseLocalhost yes") as running:
        yield running


class Echo(threading.Thread):
    """A TCP server that sends back, and half-closes when its client does."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=(self.listener.accept()[0],),
                                 daemon=True).start()

    def serve(self, connection):
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(65536):
                connection.sendall(data)


@pytest.fixture
def echo():
    server = Echo()
    yield server
    server.listener.close()


@contextlib.contextmanager
def forwarding(client, *options, port, **more):
    process = subprocess.Popen(
        client.command(options=["-N", "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes",
                                *options], **more), stderr=subprocess.PIPE)
    try:
        wait_for_port(port, process)
        yield process
    finally:
        end_client(process)


def talk(port, data=BODY):
    """What comes back through a local port until the other side has closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
        sender = threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR)))
        sender.start()
        got = b"".join(iter(lambda: s.recv(65536), b""))
        sender.join()
    return got


def test_a_local_forward_carries_both_ways_and_half_close(client, echo):
    port = free_port()
    with forwarding(client, "-L", f"{port}:127.0.0.1:{echo.port}", port=port):
        assert talk(port) == BODY
        assert talk(port, b"") == b""


def test_thirty_connections_at_once(client, echo):
    port = free_port()
    with forwarding(client, "-L", f"{port}:127.0.0.1:{echo.port}", port=port):
        results = []
        threads = [threading.Thread(target=lambda: results.append(talk(port) == BODY))
                   for _ in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == [True] * 30


def test_a_dynamic_forward_is_a_proxy(client, tmp_path):
    page = tmp_path / "page"
    page.write_bytes(BODY)
    handler = lambda *a: http.server.SimpleHTTPRequestHandler(*a, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = free_port()
        with forwarding(client, "-D", str(port), port=port):
            done = subprocess.run(["curl", "-s", "--socks5-hostname", f"127.0.0.1:{port}",
                                   f"http://127.0.0.1:{server.server_port}/page"],
                                  capture_output=True, timeout=20)
        server.shutdown()
    assert done.stdout == BODY


def test_stdin_and_stdout_as_a_connection(client, echo):
    done = client.run(options=["-W", f"127.0.0.1:{echo.port}"], input=BODY)
    assert done.stdout == BODY


@pytest.mark.parametrize("asked", ["", "localhost:", "127.0.0.1:"])
def test_a_remote_forward_carries_both_ways(client, echo, asked):
    port = free_port()
    with forwarding(client, "-R", f"{asked}{port}:127.0.0.1:{echo.port}", port=port):
        assert talk(port) == BODY


def test_the_target_may_choose_the_port(client, echo):
    process = subprocess.Popen(
        client.command(options=["-N", "-v", "-o", "LogLevel=VERBOSE", "-R",
                                f"0:127.0.0.1:{echo.port}"]),
        stderr=subprocess.PIPE, text=True)
    try:
        line = next(line for line in process.stderr if "Allocated port" in line)
        assert talk(int(line.split("Allocated port ")[1].split()[0])) == BODY
    finally:
        end_client(process)
        process.stderr.close()


def is_closed(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) != 0


def test_a_remote_forward_can_be_cancelled(client, echo):
    port = free_port()
    with client.connection() as control:
        forward = f"{port}:127.0.0.1:{echo.port}"
        ask = lambda what: subprocess.run(
            client.command(options=["-O", what, "-R", forward, *control]), capture_output=True)
        assert ask("forward").returncode == 0
        assert talk(port) == BODY
        assert ask("cancel").returncode == 0
        wait_until(lambda: is_closed(port), 3, "the end of the listener")  # a cancel has no answer


def test_a_listener_out_of_the_grant_is_refused(client):
    done = client.run(options=["-N", "-o", "ExitOnForwardFailure=yes", "-R", "*:0:127.0.0.1:1"])
    assert done.returncode == 255
    assert b"remote port forwarding failed" in done.stderr


@pytest.mark.parametrize("place", ["10.1.2.3:80", "example.org:80", "127.0.0.1x:80",
                                   "169.254.169.254:80", "0xa9fea9fe:80", "169.254.43518:80"])
def test_a_destination_out_of_the_grant_is_refused_with_a_reason(bastion, client, place):
    done = client.run(options=["-v", "-o", "LogLevel=DEBUG1", "-W", place])
    assert done.returncode == 255
    assert b"administratively prohibited" in done.stderr
    assert b"Remote: sallyport: " in done.stderr
    assert bastion.events("forward refused")[-1]["to"] == place


def test_a_refusal_of_the_target_reaches_the_client(client):
    done = client.run(options=["-v", "-o", "LogLevel=DEBUG1", "-W", f"127.0.0.1:{free_port()}"])
    assert done.returncode == 255
    assert b"Connection refused" in done.stderr


def test_without_the_right_nothing_is_carried(bastion, tmp_path):
    other = Client(bastion, tmp_path, "other")
    other.log_in(bastion.idp.approve, user=f"{ME}@db1")
    for options in (["-W", "127.0.0.1:1"], ["-s"]):
        assert other.run(*(["sftp"] if "-s" in options else []), options=options,
                         user=f"{ME}@db1").returncode in (254, 255)
    done = other.run(options=["-N", "-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:1"],
                     user=f"{ME}@db1")
    assert b"remote port forwarding failed" in done.stderr
    with agent(other) as env:
        done = other.run("echo agent: $SSH_AUTH_SOCK", user=f"{ME}@db1",
                         options=["-A", "-o", f"IdentityAgent={env}"])
    assert done.stdout == b"agent:\n"


def test_what_was_carried_is_recorded(bastion, client, echo):
    before = set(bastion.recordings())
    data = bytes(range(256)) * 400
    assert client.run(options=["-W", f"127.0.0.1:{echo.port}"], input=data).stdout == data
    made = wait_until(lambda: set(bastion.recordings()) - before)
    recording = Recording(made.pop(), bastion.identity_file)
    assert recording.facts["kind"] == "local-forward"
    assert recording.facts["command"] == f"127.0.0.1:{echo.port}"
    assert recording.binary(TO_TARGET) == recording.binary(OUTPUT) == data


@contextlib.contextmanager
def agent(client):
    path = f"{client.key}.agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: os.path.exists(path))
        subprocess.run(["ssh-add", "-q", str(client.key)], check=True,
                       env={**os.environ, "SSH_AUTH_SOCK": path}, capture_output=True)
        yield path
    finally:
        process.terminate()
        process.wait(10)


def test_an_agent_is_forwarded_when_it_is_asked_for(client):
    with agent(client) as path:
        done = client.run("ssh-add -l", options=["-A", "-o", f"IdentityAgent={path}"])
        assert b"ED25519" in done.stdout
        done = client.run("echo agent: $SSH_AUTH_SOCK", options=["-o", f"IdentityAgent={path}"])
        assert done.stdout == b"agent:\n"


def test_x11_reaches_the_users_display(client, tmp_path):
    with fake_display.FakeDisplay(tmp_path) as display:
        ssh = client.command(fake_display.DRAW, options=["-Y", "-o", "BatchMode=yes"])
        assert display.drawn_by(ssh) == fake_display.ARRIVED
