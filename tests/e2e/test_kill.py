# SPDX-License-Identifier: Apache-2.0
# takes minutes
"""kill -9 at a random moment, of a session's processes, under load: no byte that a client received
is missing in its recording, every recording opens, all verify against the node log, and other
sessions go on."""
import os
import signal
import subprocess

from tests.support.counting import COUNTS, Counting, is_running
from tests.support.kills import rounds
from tests.support.stack import Client, wait_until


def kill_session_processes(bastion, client, bystander, chance, number):
    victims = {role: Counting(bastion, client, chance.choice(COUNTS))
               for role in ("front", "monitor", "back")}
    for role in chance.sample(sorted(victims), len(victims)):
        chance.moment()
        os.kill(victims[role].pids[role], signal.SIGKILL)
    for role, victim in victims.items():
        assert victim.wait().process.returncode not in (0, None), role
        if role != "front":  # front is who would have said it
            assert b"sallyport: " in victim.complaint, (role, victim.complaint)
        victim.check_nothing_is_missing()
        wait_until(lambda: not is_running(victim.target_pid), 10, f"the end behind {role}")
    bystander.ask(f"still here {number}")
    return bystander


def test_killed_front_monitor_and_back_cost_their_session_and_no_byte(new_services):
    rounds(new_services, kill_session_processes)


def test_a_killed_daemon_is_said_and_nothing_hangs(fresh_bastion, tmp_path):
    client = Client(fresh_bastion, tmp_path)
    client.log_in(fresh_bastion.idp.approve)
    [authd] = fresh_bastion.processes("authd")
    process = subprocess.Popen(client.command("cat"), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(b"x\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"x\n"
    os.kill(authd, signal.SIGKILL)
    assert process.wait(10) == 254  # its input is still open: nothing else ends it
    assert b"sallyport: " in process.stderr.read()
    process.stdin.close()
    assert fresh_bastion.process.wait(10) == 1
    assert [e["daemon"] for e in fresh_bastion.events("a daemon has died, so the bastion stops")] \
        == ["authd"]
