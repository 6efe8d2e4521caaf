# SPDX-License-Identifier: Apache-2.0
# takes minutes
"""Sessions of hours and weeks, in a time that the test moves on (tests/support/fast_clock.c).

Simulated: every clock and timeout of the gate, authd, keyd, stored, and of the session's own
processes. Not simulated: the client, the target's sshd, the identity provider, and the kernel with
its TCP keepalive; for them the session lasts as long as this test."""
import io
import json
import pathlib
import socket

import pexpect
import pytest

from tests.bench.processes import status_of
from tests.e2e.conftest import running_stack
from tests.support.fast_clock import FastClock
from tests.support.shell import Watch, leave, shell
from tests.support.stack import Client

HOUR = 3600
LINES = 200_000
SESSION_ROLES = ("front", "monitor", "back")
# More than the bursts take in real time, and much less than what a number that wraps around loses.
SLACK_S = 60
# Pages that malloc takes and gives back, and what a channel holds where a busy machine reads slowly
# (2.56 MB at most); less than two bursts, if they were kept.
MEMORY_MARGIN_KB = 3 * 1024
# A timer for each of the silent hours would be more than this.
MOST_WAKEUPS = 10  # front and back look whether their peer has taken all, after simulated seconds
MOST_TICKS = 5  # of CPU time, 10 ms each, of all processes in one silence


@pytest.fixture
def clock():
    clock = FastClock()
    yield clock
    clock.remove()


def cpu_ticks(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


class Processes:
    """Of one bastion with one session."""

    def __init__(self, bastion):
        self.pids = {role: bastion.processes(role)[0]
                     for role in (*SESSION_ROLES, "authd", "keyd", "stored")}
        self.pids["gate"] = bastion.process.pid

    def memory_kb(self):
        return {role: status_of(pid, "RssAnon") for role, pid in self.pids.items()}

    def wakeups(self):
        return {role: status_of(self.pids[role], "voluntary_ctxt_switches") for role in SESSION_ROLES}

    def ticks(self):
        # stored lives through the silence in real time too: it syncs the disk every second.
        return sum(cpu_ticks(pid) for role, pid in self.pids.items() if role != "stored")


def be_silent(clock, processes, seconds):
    wakeups, ticks = processes.wakeups(), processes.ticks()
    clock.pass_time(seconds)
    slept = {role: after - wakeups[role] for role, after in processes.wakeups().items()}
    assert max(slept.values()) <= MOST_WAKEUPS, slept
    assert processes.ticks() - ticks <= MOST_TICKS


def burst(child, name):
    """What is typed and what is printed, byte for byte."""
    child.send(f"echo typed {name}; seq -f '{name} %.0f' {LINES}\r")
    child.expect_exact(f"typed {name}; seq -f '{name} %.0f' {LINES}\r\n")
    child.expect_exact("READY> ", timeout=60)
    assert child.before == printed(name)


def printed(name):
    return f"typed {name}\r\n".encode() + b"".join(
        b"%s %d\r\n" % (name.encode(), i) for i in range(1, LINES + 1))


# 25 and 50 days: milliseconds in 31 and in 32 bits would wrap around before (24.9 and 49.7 days),
# and microseconds in 32 bits within the second hour.
@pytest.mark.parametrize("hours", [(0, 1, 8, 24), (0, 600, 1200)], ids=["a day", "50 days"])
def test_a_session_is_silent_for_hours_and_loses_nothing(clock, tmp_path, hours):
    # No limits and the usual 8 hours of a login: what runs then runs on. And no keepalives.
    with running_stack(tmp_path, build=clock.build, limits={"keepalive_s": 0}) as bastion:
        client = Client(bastion, tmp_path)
        client.log_in(bastion.idp.approve)
        watch = Watch(bastion)
        child = shell(client)
        child.logfile_read = io.BytesIO()
        processes = Processes(bastion)
        memory = {}
        for before, hour in zip((0, *hours), hours):
            if hour > before:
                be_silent(clock, processes, (hour - before) * HOUR)
            burst(child, f"hour {hour}")
            memory[hour] = processes.memory_kb()
        # authd has lived through the same hours: this key must log in again.
        assert client.run("true").returncode == 255
        seen = child.logfile_read.getvalue()
        leave(child)
        recording = watch.one()
        check_recording(bastion, recording, seen, hours)
        assert [end["reason"] for end in bastion.events("session ends")
                if end["session"] == recording.session.hex()] == ["client"]
    print("memory in kB:", *memory.items(), sep="\n  ")
    for role, kb in memory[hours[-1]].items():
        assert kb <= memory[hours[0]][role] + MEMORY_MARGIN_KB, (role, kb, memory)


def time_printed(line, recording):
    """When its last byte was printed; the line may stand in two events."""
    before = ""
    for time, code, data in recording.events:
        if code == "o":
            if line in before + data:
                return time
            before = (before + data)[-len(line):]
    raise AssertionError(f"{line} was not recorded")


def check_recording(bastion, recording, seen, hours):
    assert seen in recording.printed()
    times = [time for time, _, _ in recording.events]
    assert times == sorted(times)
    for hour in hours:
        printed_at = time_printed(f"hour {hour} {LINES}\r\n", recording)
        assert hour * HOUR <= printed_at < hour * HOUR + SLACK_S
    assert hours[-1] * HOUR <= recording.end["end_us"] / 1e6 < hours[-1] * HOUR + SLACK_S
    bastion.verify(recording.path)
    for form, time_of in (("cast2", lambda events: events[-1][0]),
                          ("cast3", lambda events: sum(event[0] for event in events))):
        cast = bastion.play("export", str(recording.path), "--format", form).stdout.decode()
        events = [json.loads(line) for line in cast.splitlines()[1:] if line.startswith("[")]
        assert hours[-1] * HOUR <= time_of(events) < hours[-1] * HOUR + SLACK_S


def test_client_and_target_hear_something_after_each_minute_of_silence(clock, tmp_path):
    with running_stack(tmp_path, build=clock.build, sshd_config="LogLevel DEBUG3") as bastion:
        client = Client(bastion, tmp_path)
        client.log_in(bastion.idp.approve)
        child = shell(client, options=["-o", "LogLevel=DEBUG3", "-E", str(tmp_path / "ssh.log")])
        logs = [tmp_path / "ssh.log", bastion.target.folder / "sshd.log"]
        heard = lambda: [log.read_text().count("Received SSH2_MSG_IGNORE") for log in logs]
        before = heard()
        clock.pass_time(620)
        more = [after - n for after, n in zip(heard(), before)]
        assert all(9 <= count <= 10 for count in more), more
        leave(child)


# The limits: so the clock above does reach who ends sessions, and front.

@pytest.mark.parametrize("limit, hours, line", [
    ("session_s", 24, "it may last 1440 min (limits.session_s)"),
    ("idle_input_s", 8, "nothing was typed or sent for 480 min (limits.idle_input_s)"),
    ("idle_output_s", 8, "the target has said nothing for 480 min (limits.idle_output_s)"),
])
def test_a_limit_of_hours_ends_a_session_at_its_hour_and_not_before(clock, tmp_path, limit, hours,
                                                                    line):
    with running_stack(tmp_path, build=clock.build, limits={limit: hours * HOUR}) as bastion:
        client = Client(bastion, tmp_path)
        client.log_in(bastion.idp.approve)
        child = shell(client)
        clock.pass_time(hours * HOUR - SLACK_S)
        child.expect_exact(pexpect.TIMEOUT, timeout=1)  # neither the line nor the end has come
        clock.pass_time(SLACK_S)
        child.expect_exact(f"sallyport: this session ends: {line}")
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 254


def test_a_connection_that_says_nothing_ends_after_half_a_minute_of_that_time(clock, tmp_path):
    with running_stack(tmp_path, build=clock.build) as bastion:
        with socket.create_connection(("127.0.0.1", bastion.port), timeout=10) as connection:
            assert connection.recv(100).startswith(b"SSH-2.0-")
            clock.pass_time(20, steps=20)
            connection.settimeout(1)
            with pytest.raises(TimeoutError):
                while connection.recv(4096):  # its offer of algorithms, and no end
                    pass
            clock.pass_time(20, steps=20)
            connection.settimeout(10)
            assert connection.recv(4096) == b""
