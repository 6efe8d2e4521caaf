# SPDX-License-Identifier: Apache-2.0
# takes minutes
"""keyd meets a fault, as stored does in test_faults.py, while people log in, a key is added to the
vault and the log is signed. Whoever is refused hears why. The next keyd has every key that this one
said it has, and the log goes on from all that was ever signed."""
import errno
import json
import shutil
import time

import pytest

from tests.support.counting import Bystander
from tests.support.dev_idp import DevIdp
from tests.support.faults import (
    ALL, check_nothing_is_wrong, every_nth, faulty_bastion, names, starts)
from tests.support.node_log import NodeLog, Verifier, tree_root
from tests.support.nth_fault import NthFault
from tests.support.services import BastionOfServices
from tests.support.stack import Target

FAULTS = [("posix/io/rw/write", errno.ENOSPC), ("sallyport/openat", errno.EMFILE),
          ("posix/io/sync/fsync", errno.EIO), ("sallyport/renameat2", errno.EIO)]
MORE_FAULTS = [("posix/io/rw/write/reduce", 0), ("posix/io/rw/write", errno.EINTR),
               ("posix/io/rw/read", errno.EIO), ("posix/io/rw/read", errno.EINTR),
               ("posix/io/oc/open", errno.EMFILE), ("posix/io/dir/readdir", errno.EIO)]
STEPS = {"sallyport/renameat2": 1, "posix/io/sync/fsync": 3}
SIGNED_S = 1.3  # the log is signed once a second


class Keeper:
    """Everything that keyd has told or signed, and that no fault may cost."""

    def __init__(self, bastion):
        self.bastion = bastion
        self.verifier = Verifier(bastion.log_key())
        self.signed = {}
        self.keys = {"main"}

    def note_signatures(self):
        """In the order in which a checkpoint travels: what stored has, keyd knows of."""
        state = self.bastion.folder / "state"
        size = 0
        for path in (state / "stored" / "log" / "checkpoint", state / "keyd" / "log.state"):
            before, (size, root) = size, self.verifier.open(path.read_text())
            assert self.signed.setdefault(size, root) == root, f"two logs of {size} entries"
            assert size >= before, f"{path} is older than what stored has"

    def check_signatures(self):
        log = NodeLog(self.bastion.folder / "state" / "stored" / "log", self.verifier)
        entries = [" ".join(entry).encode() for entry in log.entries]
        assert log.size >= max(self.signed), "a signature was lost"
        for size, root in self.signed.items():
            assert tree_root(entries[:size]) == root, f"the log forked at {size}"

    def remove_new_keys(self):
        for name in self.listed() - {"main"}:
            self.bastion.ctl("vault", "remove", "--yes", name)
        self.keys = {"main"}

    def listed(self):
        done = self.bastion.ctl("vault", "list", "--json", check=False)
        return None if done.returncode else {key["name"] for key in json.loads(done.stdout)}


@pytest.fixture
def fault():
    fault = NthFault("keyd")
    yield fault
    fault.remove()


@pytest.fixture
def faulty(tmp_path, fault):
    """A bastion whose keyd may meet a fault, and a client that is logged in."""
    with faulty_bastion(tmp_path, fault) as (bastion, client):
        yield bastion, client


def says_why_it_ended(bastion, since):
    said = bastion.log_path.read_bytes()[since:]  # bytes: a line before it may be cut short
    return bastion.daemons["keyd"].returncode == 70 and b'"event":"fatal"' in said


def log_in(client):
    done = client.run("echo in")
    if done.returncode == 0:
        return done.stdout == b"in\n"
    assert done.returncode == 254 and b"sallyport: " in done.stderr, done
    return False


def work(keeper, client, name):
    """What keyd does all day; it may fail, and says why then."""
    log_in(client)
    made = keeper.bastion.ctl("vault", "generate", name, check=False)
    if made.returncode == 0:
        keeper.keys.add(name)
    else:
        assert made.stderr.startswith("sallyportctl: "), made
    listed = keeper.listed()
    assert listed is None or listed >= keeper.keys, listed
    time.sleep(SIGNED_S)


@pytest.mark.parametrize("point, error", FAULTS + (MORE_FAULTS if ALL else []),
                         ids=names(FAULTS + (MORE_FAULTS if ALL else [])))
def test_the_nth_call_fails_and_no_key_and_no_signature_is_lost(faulty, fault, point, error):
    bastion, client = faulty
    keeper, bystander = Keeper(bastion), Bystander(client)

    def run(nth):
        bastion.stop_daemon("keyd")
        since = bastion.log_path.stat().st_size
        fault.order(point, nth, error)
        if starts(bastion, "keyd"):
            work(keeper, client, f"key{nth}")
        else:
            assert says_why_it_ended(bastion, since)
        bystander.ask(f"after call {nth}")
        bastion.stop_daemon("keyd")
        met = fault.was_met()
        fault.clear()
        keeper.note_signatures()
        assert starts(bastion, "keyd") and log_in(client)
        assert keeper.listed() >= keeper.keys
        keeper.remove_new_keys()
        check_nothing_is_wrong(bastion, "--all")
        return met

    every_nth(run, STEPS.get(point, 5))
    bystander.stop()
    bastion.verify("--all")
    keeper.check_signatures()


@pytest.fixture
def keyd_alone(tmp_path, fault):
    target = Target(tmp_path / "target")
    bastion = BastionOfServices(DevIdp().identity, target)
    bastion.build = fault.build
    bastion.daemons = {}
    bastion.log_path.touch()
    for folder in ("state", "run"):
        (bastion.folder / folder / "keyd").mkdir(parents=True)
    bastion.hand_over()
    yield bastion
    bastion.remove()
    target.stop()


@pytest.mark.parametrize("point, error", FAULTS, ids=names(FAULTS))
def test_a_first_start_that_fails_is_made_good_by_the_next(keyd_alone, fault, point, error):
    def run(nth):
        for path in (keyd_alone.folder / "state" / "keyd").iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        since = keyd_alone.log_path.stat().st_size
        fault.order(point, nth, error)
        started = starts(keyd_alone, "keyd")
        met = fault.was_met()
        fault.clear()
        told = keyd_alone.ctl("log", "key").stdout if started else None
        assert started or says_why_it_ended(keyd_alone, since)
        keyd_alone.stop_daemon("keyd")
        assert starts(keyd_alone, "keyd")
        assert told in (None, keyd_alone.ctl("log", "key").stdout), "the log has another key now"
        keyd_alone.stop_daemon("keyd")
        return met

    every_nth(run, 1)
