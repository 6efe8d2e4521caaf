# SPDX-License-Identifier: Apache-2.0
"""Runs of which each meets one fault (nth_fault.py). SALLYPORT_FAULTS=all tries every call
(tests/nightly.sh)."""
import contextlib
import errno
import os
import random
import subprocess

from tests.support.dev_idp import DevIdp
from tests.support.services import BastionOfServices
from tests.support.stack import Client, Target

ALL = os.environ.get("SALLYPORT_FAULTS") == "all"
MOST_CALLS = 400


def names(faults):
    return [f"{point.split('/')[-1]}-{errno.errorcode.get(error, 'short')}"
            for point, error in faults]


def check_nothing_is_wrong(bastion, *what):
    wrong = [finding for finding in bastion.findings(*what) if finding[0] == "wrong"]
    assert not wrong, wrong


def every_nth(run, step):
    """`run(nth)` says whether the fault was met. Each n-th, or every step-th from a random one on."""
    step = 1 if ALL else step
    for nth in range(random.randint(1, step), MOST_CALLS, step):
        try:
            if not run(nth):
                assert nth > 1, "it was never called"
                return
        except (AssertionError, subprocess.TimeoutExpired) as wrong:
            raise AssertionError(f"call {nth}: {wrong}") from wrong
    raise AssertionError("there are more calls than this test makes fail")


@contextlib.contextmanager
def faulty_bastion(folder, fault):
    """A bastion of services with the executables of `fault`, and a client that is logged in."""
    target, idp = Target(folder / "target"), DevIdp()
    bastion = BastionOfServices(idp.identity, target)
    bastion.build = fault.build
    try:
        idp.start(bastion.config_folder)
        bastion.start().use_vault_key()
        client = Client(bastion, folder)
        client.log_in(idp.approve)
        bastion.verify("--all")
        yield bastion, client
    finally:
        bastion.remove()
        idp.stop()
        target.stop()


class FaultyBastions:
    """One faulty bastion after the other: in one that has many recordings already stored does more
    at each start, and no n would ever be the last."""
    RUNS = 25

    def __init__(self, new_folder, fault):
        self.new_folder, self.fault = new_folder, fault
        self.runs, self.open, self.here = 0, contextlib.ExitStack(), None

    def for_a_run(self):
        """Bastion and client."""
        if self.runs % self.RUNS == 0:
            self.close()
            self.here = self.open.enter_context(faulty_bastion(self.new_folder(), self.fault))
        self.runs += 1
        return self.here

    def close(self):
        if self.here:
            self.here[0].verify("--all")
        self.here = None
        self.open.close()


def starts(bastion, daemon):
    try:
        bastion.start_daemon(daemon)
        return True
    except AssertionError:
        return False  # it met its fault at once, and ended
