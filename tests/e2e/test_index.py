# SPDX-License-Identifier: Apache-2.0
"""The index of recordings: found by who, where and when, and built anew from log, facts and files."""
import json
import os
import signal
import subprocess
import time

import pytest

from tests.support.stack import ME, Client, wait_until


def listed(bastion, *options):
    return json.loads(bastion.ctl("recordings", "list", "--json", *options).stdout)


def ids(entries):
    return [entry["recording"] for entry in entries]


@pytest.fixture(scope="module")
def recorded(bastion, tmp_path_factory):
    """One person with two keys on two targets; the recordings in the order of their beginning."""
    folder = tmp_path_factory.mktemp("keys")
    one, other = Client(bastion, folder, "one"), Client(bastion, folder, "other")
    one.log_in(bastion.idp.approve)
    other.log_in(bastion.idp.approve, user=f"{ME}@db1")
    one.run("echo one")
    wait_until(lambda: all(entry["state"] == "ended" for entry in listed(bastion)), 10, "the end")
    return bastion


def test_a_recording_is_listed_with_who_where_and_how_it_ended(recorded):
    entry = listed(recorded)[0]
    path = recorded.recordings()[-1]
    assert entry["recording"] == path.stem
    assert (entry["person"], entry["target"], entry["login"]) == ("alice@example.com", "web1", ME)
    assert (entry["state"], entry["kind"], entry["agent"]) == ("ended", "exec", "")
    assert entry["bytes"] == path.stat().st_size
    assert entry["fingerprint"].startswith("SHA256:")
    assert entry["start"] <= entry["end"]
    assert len(entry["head"]) == 64


@pytest.mark.parametrize("options, count", [
    (["--person", "alice@example.com"], 3), (["--person", "nobody@example.com"], 0),
    (["--target", "db1"], 1), (["--target", "web1", "--person", "alice@example.com"], 2),
    (["--login", ME], 3), (["--address", "127."], 3), (["--address", "10."], 0),
    (["--since", "1h"], 3), (["--until", "1h"], 0), (["--since", "2020-01-01T00:00"], 3),
    (["--state", "ended"], 3), (["--state", "running"], 0), (["--limit", "2"], 2),
])
def test_they_are_found_by(recorded, options, count):
    assert len(listed(recorded, *options)) == count


def test_the_table_and_a_time_that_is_none(recorded):
    table = recorded.ctl("recordings", "list").stdout.splitlines()
    assert table[0].split() == ["RECORDING", "PERSON", "TARGET", "KIND", "STARTED", "LENGTH",
                                "BYTES", "STATE"]
    assert len(table) == 4
    done = recorded.ctl("recordings", "list", "--since", "yesterday", check=False)
    assert done.returncode == 1
    assert "write 2026-11-21" in done.stderr
    done = recorded.ctl("recordings", "list", "--since", "2026-02-31", check=False)
    assert done.returncode == 1 and '"2026-02-31" is no time' in done.stderr


def test_reindex_says_the_same_from_log_facts_and_files(recorded):
    before = listed(recorded)
    assert "built anew" in recorded.ctl("reindex").stdout
    assert listed(recorded) == before


def test_a_session_that_runs_is_running_also_after_a_reindex(recorded, tmp_path):
    client = Client(recorded, tmp_path, "dave")
    client.log_in(recorded.idp.approve)
    process = subprocess.Popen(client.command("cat"), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    process.stdin.write(b"x\n")
    process.stdin.flush()
    process.stdout.readline()
    [running] = listed(recorded, "--state", "running")
    recorded.ctl("reindex")
    assert ids(listed(recorded, "--state", "running")) == [running["recording"]]
    process.stdin.close()
    process.wait(10)
    wait_until(lambda: not listed(recorded, "--state", "running"), 10, "the end")


def without_rows(entries):
    """What another run of the bastion may say otherwise."""
    return {entry["recording"]: (entry["person"], entry["target"], entry["bytes"])
            for entry in entries}


@pytest.mark.parametrize("damage", ["deleted", "garbage", "killed"])
def test_an_index_that_lacks_rows_is_built_anew_by_itself(fresh_bastion, tmp_path, damage):
    client = Client(fresh_bastion, tmp_path, "alice")
    client.log_in(fresh_bastion.idp.approve)
    client.run("true")
    wait_until(lambda: [e["state"] for e in listed(fresh_bastion)] == ["ended"] * 2, 10, "the end")
    before = without_rows(listed(fresh_bastion))
    index = fresh_bastion.folder / "state" / "stored" / "index.db"
    if damage == "killed":
        [stored] = fresh_bastion.processes("stored")
        os.kill(stored, signal.SIGKILL)
        fresh_bastion.process.wait(10)
    else:
        fresh_bastion.stop()
    for path in index.parent.glob("index.db*"):
        if damage == "garbage":
            path.write_bytes(os.urandom(8192))
        else:
            path.unlink()
    fresh_bastion.start()
    wait_until(lambda: without_rows(listed(fresh_bastion)) == before, 15, "the index")


def test_a_session_does_not_wait_for_the_index(fresh_bastion, tmp_path):
    """Somebody else holds the database's lock; recordings begin and end all the same."""
    client = Client(fresh_bastion, tmp_path, "alice")
    client.log_in(fresh_bastion.idp.approve)
    wait_until(lambda: [e["state"] for e in listed(fresh_bastion)] == ["ended"], 10, "the end")
    index = fresh_bastion.folder / "state" / "stored" / "index.db"
    holder = subprocess.Popen(["sqlite3", str(index)], stdin=subprocess.PIPE, text=True)
    holder.stdin.write("BEGIN EXCLUSIVE;\n.shell true\n")
    holder.stdin.flush()
    time.sleep(0.5)
    for number in range(5):
        assert client.run(f"echo {number}", timeout=10).stdout == f"{number}\n".encode()
    holder.stdin.write("ROLLBACK;\n")
    holder.stdin.close()
    holder.wait(10)
    wait_until(lambda: len(listed(fresh_bastion, "--state", "ended")) == 6, 20, "the rows")
