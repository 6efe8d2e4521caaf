# SPDX-License-Identifier: Apache-2.0
# takes minutes
"""A session's monitor meets a fault, as stored does in test_faults.py: the n-th of its writes or
messages fails. Whatever happens, the client has received nothing that is not in the recording,
nothing hangs, a session that ends says why, and another session goes on."""
import errno
import subprocess

import pytest

from tests.e2e.conftest import running_stack
from tests.support.counting import Bystander, recorded_output
from tests.support.faults import ALL, check_nothing_is_wrong, every_nth, names
from tests.support.nth_fault import NthFault
from tests.support.stack import Client

WRITE, SEND, RECEIVE = "posix/io/rw/write", "posix/io/net/sendmsg", "posix/io/net/recvmsg"
FAULTS = [(WRITE, errno.ENOSPC), (f"{WRITE}/reduce", 0), (SEND, errno.ENOBUFS),
          (SEND, errno.ENOMEM)]
MORE_FAULTS = [(WRITE, errno.EIO), (WRITE, errno.EINTR), (SEND, errno.EINTR),
               (RECEIVE, errno.EINTR), (RECEIVE, errno.ENOMEM)]
FAULTS += MORE_FAULTS if ALL else []
# What nobody is to notice: it goes on, or is asked again.
HARMLESS = ("/reduce", errno.EINTR, errno.ENOBUFS)
SESSIONS = {"command": ("echo begun; cat; seq 1 50000; echo done", []),
            "terminal": ("echo begun; read line; seq 1 5000; echo done", ["-tt"])}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """A bastion whose monitors may meet a fault, a client that is logged in, and a session of its."""
    folder = tmp_path_factory.mktemp("faulty")
    fault = NthFault("monitor")
    try:
        with running_stack(folder, build=fault.build) as bastion:
            bastion.fault = fault
            roles = {"users": {**bastion.config["roles"]["users"], "record_keystrokes": True}}
            with bastion.changed(recording={"keystrokes": {"recipients": [bastion.recipient]}},
                                 roles=roles):
                client = Client(bastion, folder)
                client.log_in(bastion.idp.approve)
                bastion.verify("--all")  # the first checkpoint is there
                bystander = Bystander(client)
                yield bastion, client, bystander
                bystander.stop()
                bastion.verify("--all")
    finally:
        fault.remove()


def check_recordings(bastion, paths, received):
    for path in paths:
        check_nothing_is_wrong(bastion, path)
        if received and not path.stem.endswith("k"):  # those have what was typed
            assert recorded_output(bastion, path).startswith(received)


def check_end(done, point, error):
    whole = done.stdout.rstrip().endswith(b"done")
    if point.endswith(HARMLESS[0]) or error in HARMLESS:
        assert whole and done.returncode == 0, done
    elif done.returncode == 255:
        # No session yet: ssh says who speaks. While keys are exchanged nobody says anything.
        assert not done.stdout, done
        assert b"Received disconnect from " in done.stderr or point == RECEIVE, done
    elif done.returncode == 254:
        # After the end of the output there is no place for a line any more.
        assert b"sallyport: " in done.stderr or (whole and error == errno.ENOMEM), done
    else:
        assert whole and done.returncode == 0, done


@pytest.mark.parametrize("kind", SESSIONS)
@pytest.mark.parametrize("point, error", FAULTS, ids=names(FAULTS))
def test_the_nth_call_fails_and_nothing_is_lost(faulty, point, error, kind):
    bastion, client, bystander = faulty
    command, options = SESSIONS[kind]

    def run(nth):
        before, since = set(bastion.recordings()), bastion.log_path.stat().st_size
        bastion.fault.order(point, nth, error)
        done = subprocess.run(client.command(command, options=options), input=b"typed\n",
                              capture_output=True, timeout=30)
        met = bastion.fault.was_met()
        bastion.fault.clear()
        check_end(done, point, error)
        if done.returncode and point == SEND:
            said = bastion.log_path.read_bytes()[since:]  # other tests have cut lines short before
            assert b'"event":"session ends"' in said and b'"reason":"failed"' in said, said
        check_recordings(bastion, set(bastion.recordings()) - before, done.stdout)
        bystander.ask(f"after call {nth}")
        return met

    every_nth(run, 3)
