# SPDX-License-Identifier: Apache-2.0
# takes minutes
"""stored meets a fault: the n-th write, open, read, rename or sync fails, for n = 1, 2, ... until a
run is not touched by it any more. Whatever happens, the client has received nothing that is not in
the recording, nothing hangs, a session that ends says why, and the next stored makes good what this
one left: nothing is wrong with log and recordings. Every n is tried with SALLYPORT_FAULTS=all (a run
takes seconds, as the log is signed in it), otherwise each n-th from a random one on."""
import errno
import subprocess
import time

import pytest

from tests.support.counting import recorded_output
from tests.support.faults import (
    ALL, FaultyBastions, check_nothing_is_wrong, every_nth, names, starts)
from tests.support.nth_fault import NthFault

FAULTS = [("posix/io/rw/write", errno.ENOSPC), ("sallyport/syncfs", errno.EIO),
          ("posix/io/oc/open", errno.EMFILE)]
MORE_FAULTS = [("posix/io/rw/write", errno.EIO), ("posix/io/rw/write", errno.EINTR),
               ("posix/io/rw/read", errno.EIO), ("posix/io/rw/pread", errno.EIO),
               ("posix/io/dir/rename", errno.EIO), ("posix/io/rw/ftruncate", errno.EIO)]
STEPS = {"sallyport/syncfs": 2}
if ALL:
    FAULTS += MORE_FAULTS


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """Bastions whose stored may meet a fault, with a client that is logged in."""
    fault = NthFault("stored")
    bastions = FaultyBastions(lambda: tmp_path_factory.mktemp("faulty"), fault)
    try:
        yield bastions
        bastions.close()
    finally:
        bastions.open.close()
        fault.remove()


def restart_stored(bastion):
    bastion.stop_daemon("stored")
    return starts(bastion, "stored")


def one_run(bastion, client):
    """A session of more than a second, so that the log is signed meanwhile."""
    before = set(bastion.recordings())
    done = subprocess.run(client.command("echo begun; seq 1 20000; sleep 1.2; echo done"),
                          capture_output=True, timeout=30)
    time.sleep(1.2)  # and once more, with the end in it
    for path in set(bastion.recordings()) - before:
        assert recorded_output(bastion, path).startswith(done.stdout)
    whole = done.stdout.endswith(b"done\n")
    assert whole or b"sallyport: " in done.stderr, done
    assert done.returncode == (0 if whole else 254), done


def one_fault(faulty, point, error, nth):
    """Whether the fault was met."""
    bastion, client = faulty.for_a_run()
    faulty.fault.order(point, nth, error)
    if restart_stored(bastion):
        one_run(bastion, client)
    met = faulty.fault.was_met()
    faulty.fault.clear()
    assert restart_stored(bastion)
    check_nothing_is_wrong(bastion, "--all")
    return met


@pytest.mark.parametrize("point, error", FAULTS, ids=names(FAULTS))
def test_the_nth_call_fails_and_nothing_is_lost(faulty, point, error):
    every_nth(lambda nth: one_fault(faulty, point, error, nth), STEPS.get(point, 10))
