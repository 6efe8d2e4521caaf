# SPDX-License-Identifier: Apache-2.0
# takes minutes
"""kill -9 at a random moment, of each daemon, under load: no byte that a client received is missing
in its recording, every recording opens, all verify against the node log, and sessions go on where
the daemon is not theirs."""
import pytest

from tests.support.counting import COUNTS, Bystander, Counting
from tests.support.kills import rounds


def kill_daemon(name):
    def one_round(bastion, client, bystander, chance, number):
        sessions = [Counting(bastion, client, chance.choice(COUNTS)) for _ in range(2)]
        chance.moment()
        bastion.kill_daemon(name)
        chance.moment()
        if name in ("gate", "keyd"):
            assert all(session.goes_on() for session in sessions)
            bystander.ask(f"still here {number}")
            bastion.start_daemon(name)
            sessions = [session.end() for session in sessions]
        else:
            bastion.start_daemon(name)
            for session in sessions:
                assert session.wait().process.returncode == 254, session.complaint
                assert b"sallyport: " in session.complaint
            bystander.process.kill()
            bystander.process.wait()
        for session in sessions:
            session.check_nothing_is_missing()
        if bystander.process.poll() is not None:
            bystander = Bystander(client)
        return bystander
    return one_round


@pytest.mark.parametrize("name", ["gate", "authd", "keyd", "stored"])
def test_a_killed_daemon_costs_no_byte(new_services, name):
    rounds(new_services, kill_daemon(name))
