# SPDX-License-Identifier: Apache-2.0
"""Shells through the bastion, and the recordings that they leave."""
import pexpect

from tests.support.brec import Recording
from tests.support.stack import wait_until

# What is typed before the account's own shell is ready is shown twice; only the prompt is READY.
QUIET_SHELL = "exec env PS1='REA''DY> ' PROMPT_COMMAND= HISTFILE= bash --norc --noprofile --noediting\r"


class Watch:
    """The recordings that appear while it is watched."""

    def __init__(self, bastion):
        self.bastion = bastion
        self.before = set(bastion.recordings())

    def paths(self, count):
        def finished():
            new = [path for path in self.bastion.recordings() if path not in self.before]
            return new if len(new) == count and all(
                path.read_bytes().endswith(b"BREC-END") for path in new) else None
        return wait_until(finished, seconds=20, what=f"the end of {count} recordings")

    def all(self, count):
        return [Recording(path, self.bastion.identity_file) for path in self.paths(count)]

    def one(self):
        return self.all(1)[0]


def shell(client, **more):
    """An interactive shell whose prompt is known."""
    return become_quiet(client.spawn(**more))


def become_quiet(child):
    # Over a ControlMaster the first bytes may come before the client has made its terminal raw.
    child.expect(r"is recorded(, with keystrokes)?\r+\n")
    child.send(QUIET_SHELL)
    child.expect_exact("READY> ")
    return child


def leave(child, status=0):
    child.send(f"exit {status}\r")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == status


def verify_all(bastion):
    """How many recordings there are; each is proven."""
    bastion.verify("--all")
    return len(bastion.recordings())
