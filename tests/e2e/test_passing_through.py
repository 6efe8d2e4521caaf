# SPDX-License-Identifier: Apache-2.0
# takes minutes
"""What other bastions got wrong while they passed things on, each as a test of its name. Elsewhere:
the restart in test_gate_killed.py, the hostile target in test_pressure.py, 2,000 attempts and long
user names in test_door.py."""
import contextlib
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import time

import pexpect
import pytest

from tests.e2e.conftest import running_stack
from tests.e2e.test_forwards import Echo
from tests.support import paramiko_target
from tests.support.lab import Lab
from tests.support.raw_ssh import (CHANNEL_REQUEST, CLOSE, DATA, END_OF_DATA, FAILED, STARTED,
                                   RawSsh, Success, string, strings)
from tests.support.slow_line import SlowLine
from tests.support.stack import ME, Target, make_key, wait_until

WAYS = ["us", "jump"]
ALL = ["shell", "exec", "sftp", "subsystem", "local-forward", "remote-forward"]
IDLE_S = 185


@pytest.fixture(scope="module")
def bastion(tmp_path_factory):
    roles = {"users": {"groups": ["ssh-users"], "targets": ["web*"], "logins": [ME],
                       "channels": ALL, "forward_to": ["127.0.0.1:*"]}}
    with running_stack(tmp_path_factory.mktemp("stack"), roles=roles) as running:
        yield running


@pytest.fixture(scope="module")
def lab(bastion, tmp_path_factory):
    return Lab(bastion, tmp_path_factory.mktemp("lab"))


@pytest.fixture
def add(bastion):
    """Adds web2, at that port, with the pins of these key files."""
    def add_target(port, *keys):
        pins = [word for key in keys for word in
                ("--host-key", pathlib.Path(f"{key}.pub").read_text().strip())]
        bastion.ctl("target", "add", "web2", f"127.0.0.1:{port}", "--key", "main", *pins, "--yes")

    yield add_target
    bastion.ctl("target", "remove", "web2", "--yes")


# Warpgate: a refused channel is swallowed, and Ansible hangs.

@contextlib.contextmanager
def configured(target, line):
    before = target.extra_config
    target.stop()
    target.extra_config = f"{line}\n{before}"
    target.start()
    try:
        yield
    finally:
        target.stop()
        target.extra_config = before
        target.start()


# libssh says "administratively prohibited" whatever it was: the words come as a debug message.
OURS = "sallyport: the target refuses the channel: .*"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("config, words, directly, ours", [
    ("", "-W 127.0.0.1:1 HOST", "Connection refused", f"{OURS}Connection refused"),
    ("AllowTcpForwarding no", "-W 127.0.0.1:1 HOST", "administratively prohibited: open failed",
     f"{OURS}open failed"),
    ("AllowTcpForwarding no", "-N -o ExitOnForwardFailure=yes -R 0:127.0.0.1:1 HOST",
     "remote port forwarding failed for listen port 0",
     "remote port forwarding failed for listen port 0"),
    ("MaxSessions 0", "HOST true", "open failed", f"{OURS}open failed"),
    ("", "-s HOST nosuch", "subsystem request failed", "subsystem request failed"),
], ids=["connection", "forward", "listener", "session", "subsystem"])
def test_refusal_reasons_reach_the_client(lab, way, config, words, directly, ours):
    with configured(lab.bastion.target, config):
        for host, reason in (("direct", directly), (way, ours)):
            done = lab.run("ssh", "-F", lab.config, "-v", "-o", "LogLevel=DEBUG1",
                           *words.replace("HOST", host).split())
            assert done.returncode in (254, 255)
            assert re.search(reason, done.stderr.decode()), host


@pytest.mark.parametrize("way", WAYS)
def test_a_target_without_terminals_gives_a_shell_without_one(lab, way):
    with configured(lab.bastion.target, "PermitTTY no"):
        for host in ("direct", way):
            child = pexpect.spawn(f"ssh -F {lab.config} {host}", timeout=20)
            child.sendline("echo $((20+22)) works; exit 3")
            child.expect(pexpect.EOF)
            child.close()
            assert (child.exitstatus, b"42 works" in child.before) == (3, True), host


# Warpgate: an unknown host key kills a client without a terminal, and asks the others.

def without_a_terminal(client, *words, **more):
    """And without a way to one: no /dev/tty."""
    return subprocess.run(client.command(*words, **more), input=b"yes\n" * 3, capture_output=True,
                          start_new_session=True, timeout=20)


def test_users_are_never_asked(lab, second, add):
    add(second.port)
    expected = "sallyport: web2 has no pinned host key[^\\r\\n]*\\r\\n"
    for _ in range(2):  # the first refusal has taught nobody anything
        done = without_a_terminal(lab.client, "true", user=f"{ME}@web2")
        assert (done.returncode, done.stdout) == (254, b"")
        assert re.fullmatch(expected, done.stderr.decode()), done.stderr
        child = lab.client.spawn("true", user=f"{ME}@web2")
        child.expect(pexpect.EOF)
        assert re.fullmatch(expected.replace("\\r", "\\r+"), child.before.decode()), child.before
        assert child.wait() == 254


# koko: InsecureIgnoreHostKey.

def fingerprint(key):
    return subprocess.run(["ssh-keygen", "-l", "-f", key], capture_output=True,
                          text=True).stdout.split()[1]


def test_a_changed_key_refuses_loudly_with_both_fingerprints(lab, second, add, tmp_path):
    add(second.port, second.host_key)
    assert lab.client.run("echo in", user=f"{ME}@web2").stdout == b"in\n"
    pinned = second.host_key
    second.stop()
    second.host_key = make_key(second.folder / "another")
    second.start()
    both = f"pinned {fingerprint(pinned)}, offered {fingerprint(second.host_key)}"
    us = ["ssh", "-F", lab.config, "-o", f"User={ME}@web2"]
    jump = ["ssh", "-F", lab.config, "-J", "outer", "-o", "StrictHostKeyChecking=no", f"{ME}@web2"]
    debug = ["-v", "-o", "LogLevel=DEBUG1"]  # a refused connection has no other place for a reason
    for words in ([*us, "us", "true"], [*us, "-tt", "us"], [*us, "-s", "us", "sftp"],
                  [*us, *debug, "-W", "127.0.0.1:1", "us"], [*jump, "true"],
                  ["scp", *us[1:], lab.config, "us:there"]):
        done = lab.run(*words, cwd=tmp_path)
        assert done.returncode in (254, 255) and done.stdout == b"", words
        assert "the host key of web2 is not the pinned one: " + both in done.stderr.decode(), words
    assert not list(second.home.iterdir())


# hoop: "no" after 5 s to the request of a slow target's channel; input overtakes the request.

def test_a_target_that_answers_after_10_s(lab, add, tmp_path):
    key = make_key(tmp_path / "key", "ecdsa")
    with paramiko_target.running("slow_target.py", key) as port:
        add(port, key)
        begin = time.monotonic()
        running = [subprocess.Popen(lab.client.command(*words, user=f"{ME}@web2", options=options),
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                   for words, options in ((["anything"], []), ([], ["-T"]))]
        for process in running:
            process.stdin.write(b"this\n")
            process.stdin.flush()
        for process in running:
            said, _ = process.communicate(timeout=60)
            assert (said, process.returncode) == (b"late, but with this\n", 7)
        assert time.monotonic() - begin > 20, "the target was slow"


@pytest.mark.parametrize("way", WAYS)
def test_stdin_sent_with_the_request(lab, way):
    for _ in range(20):
        data = os.urandom(1 << 20)
        done = lab.run("ssh", "-F", lab.config, way, "cat", input=data)
        assert done.stdout == data, done.stderr


def test_stdin_sent_with_the_request_in_one_piece(bastion, lab):
    data = os.urandom(1_000_000)
    pieces = [data[at:at + 32_000] for at in range(0, len(data), 32_000)]
    for _ in range(20):
        with RawSsh(bastion.port) as raw:
            assert raw.prove(f"{ME}@web1", lab.client.key) == Success()
            channel = struct.pack(">I", raw.open())
            raw.send(bytes([CHANNEL_REQUEST]) + channel + string("exec") + b"\1" + string("cat"),
                     *(bytes([DATA]) + channel + string(piece) for piece in pieces),
                     bytes([END_OF_DATA]) + channel)
            got = b""
            while (payload := raw.receive()) and payload[0] != CLOSE:
                if payload[0] == DATA:
                    got += strings(payload[5:], 1)[0][0]
            assert got == data


def request(channel, name, *fields):
    return bytes([CHANNEL_REQUEST]) + channel + string(name) + b"\1" + b"".join(fields)


@pytest.mark.parametrize("permit,terminal", [("yes", STARTED), ("no", FAILED)])
def test_answers_come_in_the_order_of_the_requests(bastion, lab, permit, terminal):
    """RFC 4254 section 5.4; what is asked for before the start waits for the target's answer."""
    size = struct.pack(">IIII", 80, 24, 0, 0)
    with configured(bastion.target, f"PermitTTY {permit}"), RawSsh(bastion.port) as raw:
        assert raw.prove(f"{ME}@web1", lab.client.key) == Success()
        channel = struct.pack(">I", raw.open())
        raw.send(request(channel, "pty-req", string("xterm"), size, string("\0")),
                 request(channel, "nonsense@example.com"),
                 request(channel, "env", string("LANG"), string("C.UTF-8")),
                 request(channel, "exec", string("true")))
        answers = []
        while len(answers) < 4 and (payload := raw.receive()):
            if payload[0] in (STARTED, FAILED):
                answers.append(payload[0])
        assert answers == [terminal, FAILED, STARTED, STARTED]


# Warpgate: a connection ends after exactly 60 s; sessions of those who are gone live for ever.

class Session:
    """A command that gives back what it is given."""

    def __init__(self, words):
        self.process = subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def ask(self, text):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(text.encode() + b"\n")
            self.process.stdin.flush()
        for line in self.process.stdout:
            if line.strip() == text.encode():
                return
        raise AssertionError(f"ended: {self.process.stderr.read()}")

    def end(self):
        self.process.kill()
        self.process.communicate()


def listed(bastion):
    return {session["session"]
            for session in json.loads(bastion.ctl("sessions", "list", "--json").stdout)}


def test_kill_the_clients_network(bastion, lab, add):
    """And the target's: each session ends within a minute, be something on its way or not, or only
    after a long silence. A break of 25 s ends nothing: TCP tries again within 50 s."""
    lasting = ["echo up; exec sleep 600", "echo up; while sleep 0.2; do echo tick; done",
               "echo up; (sleep 44; echo late) & cat"]
    with SlowLine(bastion.port) as to_us, SlowLine(bastion.target.port) as to_target, \
            SlowLine(bastion.port) as broken:
        add(to_target.port, bastion.target.host_key)

        def by(line, command):
            return Session(lab.client.command(command, options=[
                "-o", f"Port={line.port}", "-o", f"HostKeyAlias=[127.0.0.1]:{bastion.port}"]))

        lucky = by(broken, "while sleep 0.2; do date +%s; done")
        assert lucky.process.stdout.readline()
        before, fronts = listed(bastion), set(bastion.processes("front"))
        sessions = [by(to_us, command) for command in lasting]
        sessions += [Session(lab.client.command(command, user=f"{ME}@web2"))
                     for command in lasting]
        try:
            for session in sessions:
                assert session.process.stdout.readline() == b"up\n"
            fronts = set(bastion.processes("front")) - fronts
            assert len(fronts) == 6
            to_us.cut()
            to_target.cut()
            broken.break_off()
            time.sleep(25)
            broken.mend()
            time.sleep(3)
            assert fronts <= set(bastion.processes("front")), "a short break ends nothing"
            time.sleep(15)
            sessions[5].process.stdin.write(b"late\n")
            sessions[5].process.stdin.flush()
            wait_until(lambda: not fronts & set(bastion.processes("front")), 22, "the end of all 6")
            assert listed(bastion) <= before
            now = time.time()
            assert any(int(line) > now for line in lucky.process.stdout), "alive again"
            for session in sessions[3:]:
                assert session.process.wait(1) == 254
                assert re.search(b"sallyport: .*web2", session.process.stderr.read())
        finally:
            for session in [lucky, *sessions]:
                session.end()


@pytest.fixture(scope="module")
def curious(bastion, tmp_path_factory):
    """A target that asks every 20 s whether its client is still there."""
    target = Target(tmp_path_factory.mktemp("curious"),
                    "ClientAliveInterval 20\nClientAliveCountMax 2")
    target.authorized_keys.write_text(bastion.target.authorized_keys.read_text())
    bastion.ctl("target", "add", "web3", f"127.0.0.1:{target.port}", "--key", "main",
                "--host-key", target.public_host_key(), "--yes")
    yield
    bastion.ctl("target", "remove", "web3", "--yes")
    target.stop()


# More than the kernel takes for a client that is stopped from the beginning.
MUCH = "echo up; sleep 1; head -c 20000000 /dev/zero; echo; cat"


@pytest.fixture(scope="module")
def idle(lab, curious):
    """Sessions in which nothing has happened for 3 minutes, all at once."""
    ssh, echo = ["ssh", "-F", lab.config], Echo()
    keepalive = ["-o", "ServerAliveInterval=20", "-o", "ServerAliveCountMax=2"]
    sessions = {
        "without keepalive": Session([*ssh, "us", "cat"]),
        "with keepalive": Session([*ssh, *keepalive, "us", "cat"]),
        "keepalive of the target": Session([*ssh, "-o", f"User={ME}@web3", "us", "cat"]),
        "terminal": Session([*ssh, "-tt", "us", "cat"]),
        "jump": Session([*ssh, "jump", "cat"]),
        "jump with keepalive": Session([*ssh, *keepalive, "jump", "cat"]),
        "forward": Session([*ssh, "-W", f"127.0.0.1:{echo.port}", "us"]),
        "stopped direct": Session([*ssh, "direct", MUCH]),
        "stopped us": Session([*ssh, "us", MUCH]),
    }
    try:
        with lab.client.connection() as control:
            for name, session in sessions.items():
                if name.startswith("stopped"):
                    assert session.process.stdout.readline() == b"up\n"
                    session.process.send_signal(signal.SIGSTOP)
                else:
                    session.ask("ready")
            time.sleep(IDLE_S)
            sessions["new"] = Session(lab.client.command("cat", options=control))
            yield sessions
    finally:
        for session in sessions.values():
            session.end()
        echo.listener.close()


@pytest.mark.parametrize("name", ["without keepalive", "with keepalive", "keepalive of the target",
                                  "terminal", "jump", "jump with keepalive", "forward", "new"])
def test_idle_for_3_min_with_and_without_keepalive(idle, name):
    """"new" is the first session of a connection that had none for 3 min."""
    idle[name].ask("still here")


@pytest.mark.parametrize("name", ["stopped direct", "stopped us"])
def test_a_client_may_be_stopped_for_3_min_in_the_middle_of_output(idle, name):
    idle[name].process.send_signal(signal.SIGCONT)
    idle[name].ask("still here")
