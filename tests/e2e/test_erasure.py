# SPDX-License-Identifier: Apache-2.0
"""The life of a recording: erased by an order, held, deleted by age and size (docs/operations.md).
The chain, the log and everything else still verify."""
import hashlib
import json
import pathlib
import subprocess
import time

import pytest

from tests.e2e.conftest import running_stack
from tests.support.fast_clock import FastClock
from tests.support.shell import leave, shell
from tests.support.stack import ME, Client, make_key, wait_until

NAMESPACE = "sallyport-erasure"
DAY = 24 * 3600


@pytest.fixture
def bastion(tmp_path):
    with running_stack(tmp_path) as bastion:
        yield bastion


@pytest.fixture
def client(bastion, tmp_path):
    return logged_in(bastion, tmp_path)


def logged_in(bastion, folder):
    client = Client(bastion, folder)
    client.log_in(bastion.idp.approve)
    wait_until(lambda: not [e for e in listed(bastion) if e["state"] == "running"], 10, "its end")
    return client


def listed(bastion, *options):
    return json.loads(bastion.ctl("recordings", "list", "--json", *options).stdout)


def record(bastion, client, command, target="web1"):
    """The id of the recording that this makes, when it has ended."""
    before = {entry["recording"] for entry in listed(bastion)}
    assert client.run(command, user=f"{ME}@{target}").returncode == 0

    def ended():
        new = [e for e in listed(bastion) if e["recording"] not in before]
        return len(new) == 1 and new[0]["state"] == "ended" and new[0]["recording"]
    return wait_until(ended, 10, "the recording's end")


def entry_of(bastion, recording):
    [entry] = [e for e in listed(bastion) if e["recording"] == recording]
    return entry


def path_of(bastion, recording):
    return bastion.recordings_folder() / f"{recording}.brec"


def facts_of(bastion, recording):
    return bastion.recordings_folder().parent / "facts" / f"{recording}.json"


def orders(bastion):
    folder = bastion.recordings_folder().parent / "log" / "orders"
    return sorted(folder.iterdir(), key=lambda p: p.stat().st_mtime_ns) if folder.exists() else []


def erase(bastion, *arguments, check=True):
    return bastion.ctl("recordings", "erase", *arguments, "--yes", check=check)


def test_an_erased_recording_is_unreadable_and_everything_still_verifies(bastion, client):
    gone = record(bastion, client, "echo a secret of Ada")
    kept = record(bastion, client, "echo something else")
    size = path_of(bastion, gone).stat().st_size
    saved = path_of(bastion, gone).with_suffix(".brec.rewrap")
    saved.write_bytes(path_of(bastion, gone).read_bytes()[:1024])  # has the key, too
    assert facts_of(bastion, gone).exists() and entry_of(bastion, gone)["person"]

    done = erase(bastion, gone, "--reason", "request 4711")
    assert gone in done.stdout

    assert path_of(bastion, gone).stat().st_size == size
    assert not saved.exists() and not facts_of(bastion, gone).exists()
    entry = entry_of(bastion, gone)
    assert (entry["state"], entry["person"], entry["address"], entry["login"]) == ("erased", "", "", "")
    bastion.ctl("reindex")
    entry = entry_of(bastion, gone)
    assert (entry["state"], entry["person"], entry["bytes"]) == ("erased", "", size)
    played = bastion.play("export", str(path_of(bastion, gone)), "--format", "text",
                          check=False)
    assert played.returncode != 0 and b"erased" in played.stderr
    assert "a secret of Ada" not in bastion.play("export", str(path_of(bastion, kept)), "--format", "text").stdout.decode()
    assert "something else" in bastion.play("export", str(path_of(bastion, kept)), "--format", "text").stdout.decode()
    bastion.verify("--all")
    [order] = orders(bastion)
    assert hashlib.sha256(order.read_bytes()).hexdigest() == order.name
    assert f"reason request 4711\nrecording {gone}\n" in order.read_text()
    assert "request 4711" in bastion.verdict(gone) and "signed by nobody" in bastion.verdict(gone)


def test_what_cannot_be_erased_says_why_and_nothing_of_the_order_is_done(bastion, client):
    first = record(bastion, client, "echo first")
    held = record(bastion, client, "echo held")
    child = shell(client)
    wait_until(lambda: listed(bastion, "--state", "running"), 10, "a running recording")
    running = listed(bastion, "--state", "running")[0]["recording"]
    bastion.ctl("recordings", "hold", held, "--reason", "case 12")
    for what, why in (([first, running], "still runs"), ([first, held], "legal hold"),
                      ([first, "f0" * 16 + "-0"], "no recording")):
        done = erase(bastion, *what, "--reason", "no", check=False)
        assert done.returncode == 1 and why in done.stderr, done.stderr
    leave(child)
    assert [e["recording"] for e in listed(bastion, "--held")] == [held]
    assert not orders(bastion)
    assert "first" in bastion.play("export", str(path_of(bastion, first)), "--format", "text").stdout.decode()
    # A hold is no part of the index: it stays when that is lost.
    bastion.ctl("reindex")
    assert [e["recording"] for e in listed(bastion, "--held")] == [held]
    bastion.ctl("recordings", "release", held)
    assert not listed(bastion, "--held")
    erase(bastion, first, held, "--reason", "both")
    again = erase(bastion, first, "--reason", "again", check=False)
    assert again.returncode == 1 and "erased already" in again.stderr
    late = bastion.ctl("recordings", "hold", first, "--reason", "too late", check=False)
    assert late.returncode == 1 and "erased already" in late.stderr and not listed(bastion, "--held")
    for bad, status in (("", 2), ("x" * 501, 1), ("two\nlines", 1)):
        assert erase(bastion, held, "--reason", bad, check=False).returncode == status
    bastion.verify("--all")


def test_a_session_is_erased_with_all_its_recordings(bastion, client):
    one = record(bastion, client, "echo one")
    session = one.split("-")[0]
    erase(bastion, session[:12], "--reason", "all of it")
    assert entry_of(bastion, one)["state"] == "erased"
    short = erase(bastion, one[:3], "--reason", "which?", check=False)
    assert short.returncode == 1 and "at least 6 digits" in short.stderr


def signed(order, key, namespace=NAMESPACE):
    return subprocess.run(["ssh-keygen", "-Y", "sign", "-n", namespace, "-f", str(key)],
                          stdin=open(order), capture_output=True, text=True, check=True).stdout


def test_two_people_sign_an_order_where_the_configuration_wants_it(bastion, client, tmp_path):
    keys = {name: make_key(tmp_path / name, kind)
            for name, kind in (("ada", "ed25519"), ("bob", "ecdsa"), ("eve", "ed25519"))}
    public = {name: pathlib.Path(f"{key}.pub").read_text().strip() for name, key in keys.items()}
    recording = record(bastion, client, "echo for two")
    other = record(bastion, client, "echo another")
    with bastion.changed(recording={"erasure": {"approvers": [public["ada"], public["bob"]]}}):
        alone = erase(bastion, recording, "--reason", "alone", check=False)
        assert alone.returncode == 1 and "ssh-keygen -Y sign" in alone.stderr
        order = tmp_path / "order.txt"
        order.write_text(bastion.ctl("recordings", "order", recording, "--reason", "both want it").stdout)
        signatures = {}
        for name, key in keys.items():
            signatures[name] = tmp_path / f"{name}.sig"
            signatures[name].write_text(signed(order, key))

        def submit(*names, of=order):
            return erase(bastion, "--order", str(of), *(part for name in names for part in
                                                        ("--signature", str(signatures[name]))),
                         check=False)
        for names in ((), ("ada",), ("ada", "ada"), ("ada", "eve")):
            assert submit(*names).returncode == 1, names
        signatures["mail"] = tmp_path / "mail.sig"
        signatures["mail"].write_text(signed(order, keys["bob"], namespace="mail"))
        assert submit("ada", "mail").returncode == 1
        changed = tmp_path / "changed.txt"
        changed.write_text(order.read_text().replace(recording, other))
        assert submit("ada", "bob", of=changed).returncode == 1
        assert entry_of(bastion, recording)["state"] == "ended" and not orders(bastion)

        done = submit("ada", "bob")
        assert done.returncode == 0, done.stderr
    assert entry_of(bastion, recording)["state"] == "erased"
    assert entry_of(bastion, other)["state"] == "ended"
    bastion.verify("--all")
    fingerprints = [subprocess.run(["ssh-keygen", "-l", "-f", f"{keys[name]}.pub"],
                                   capture_output=True, text=True).stdout.split()[1]
                    for name in ("ada", "bob")]
    assert all(one in bastion.verdict(recording) for one in fingerprints)
    # An auditor needs no tool of ours for the signatures.
    [kept] = orders(bastion)
    text, *blocks = kept.read_text().split("\n\n")
    (tmp_path / "allowed").write_text("".join(f"{name} {key}\n" for name, key in public.items()))
    for name, block in zip(("ada", "bob"), blocks):
        (tmp_path / "one.sig").write_text(block.strip() + "\n")
        subprocess.run(["ssh-keygen", "-Y", "verify", "-f", str(tmp_path / "allowed"), "-I", name,
                        "-n", NAMESPACE, "-s", str(tmp_path / "one.sig")], input=text + "\n",
                       text=True, check=True, capture_output=True)


def test_nothing_is_erased_before_the_log_says_so_and_a_crash_in_between_is_made_up_for(
        bastion, client):
    recording = record(bastion, client, "echo still there")
    before = path_of(bastion, recording).read_bytes()
    [keyd], [stored] = bastion.processes("keyd"), bastion.processes("stored")
    subprocess.run(["kill", "-STOP", str(keyd)], check=True)  # signs nothing
    asking = subprocess.Popen([str(bastion.build / "bin" / "sallyportctl"), "--config",
                               str(bastion.config_folder), "recordings", "erase", recording,
                               "--reason", "now", "--yes"], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: orders(bastion), 10, "the order")
        time.sleep(2)  # a signature would have come
        assert path_of(bastion, recording).read_bytes() == before and asking.poll() is None
    finally:
        subprocess.run(["kill", "-KILL", str(stored)], check=True)
        subprocess.run(["kill", "-CONT", str(keyd)], check=True)
        asking.wait()
    bastion.stop()
    bastion.start()
    wait_until(lambda: entry_of(bastion, recording)["state"] == "erased", 15, "the erasure")
    wait_until(lambda: path_of(bastion, recording).read_bytes() != before, 15, "the erasure")
    bastion.verify("--all")
    # An old copy that is put back has the key again: it says so, until stored has seen it.
    path_of(bastion, recording).write_bytes(before)
    assert any(level == "wrong" and of == recording for level, of, _ in bastion.findings("--all"))
    bastion.stop()
    path_of(bastion, recording).with_suffix(".brec.rewrap").write_bytes(before[:1024])
    bastion.start()
    wait_until(lambda: path_of(bastion, recording).read_bytes() != before, 15, "the erasure")
    wait_until(lambda: not path_of(bastion, recording).with_suffix(".brec.rewrap").exists(), 5, "it")
    bastion.verify("--all")


def test_without_facts_and_after_a_leap_of_the_clock_nothing_is_deleted(tmp_path):
    clock = FastClock()
    try:
        with running_stack(tmp_path, build=clock.build) as bastion:
            client = logged_in(bastion, tmp_path)
            unknown = record(bastion, client, "echo whose?")
            known = record(bastion, client, "echo mine")
            facts_of(bastion, unknown).unlink()
            bastion.ctl("reindex")
            bastion.stop()
            clock.pass_time(400 * DAY, steps=1)  # a clock that begins somewhere
            bastion.config["recording"]["retention_days"] = 30
            bastion.write_config()
            bastion.start()
            due = json.loads(bastion.ctl("recordings", "retention", "--json").stdout)
            assert known in {one["recording"] for one in due}
            assert unknown not in {one["recording"] for one in due}
            clock.pass_time(3 * 3600)
            refused = bastion.ctl("recordings", "retention", "--now", "--yes", check=False)
            assert refused.returncode == 1 and "the clock was set" in refused.stderr
            assert path_of(bastion, known).exists()
            clock.pass_time(DAY)
            wait_until(lambda: not path_of(bastion, known).exists(), 20, "the deletion")
            assert path_of(bastion, unknown).exists()
    finally:
        clock.remove()


def test_recordings_are_deleted_by_age_and_what_is_held_is_not(tmp_path):
    clock = FastClock()
    roles = {"users": {"groups": ["ssh-users"], "targets": ["web*"], "logins": ["*"],
                       "retention_days": 3},
             "admins": {"groups": ["ssh-users"], "targets": ["db1"], "logins": ["*"]}}
    try:
        with running_stack(tmp_path, build=clock.build, login={"remember_s": 7 * DAY}) as bastion:
            bastion.config["roles"] = roles
            bastion.config["recording"]["retention_days"] = 30
            bastion.write_config()
            bastion.ctl("reload")
            client = logged_in(bastion, tmp_path)
            old = record(bastion, client, "echo old")
            held = record(bastion, client, "echo held")
            by_default = record(bastion, client, "echo kept", target="db1")
            bastion.ctl("recordings", "hold", held, "--reason", "case 12")
            clock.pass_time(2 * DAY)
            assert "0 would be deleted" in bastion.ctl("recordings", "retention").stdout
            young = record(bastion, client, "echo young")
            assert path_of(bastion, old).exists()
            clock.pass_time(DAY * 3 // 2)  # stored looks once an hour
            wait_until(lambda: not path_of(bastion, old).exists(), 20, "the deletion")
            assert not facts_of(bastion, old).exists()
            assert entry_of(bastion, old)["state"] == "erased"
            assert all(path_of(bastion, one).exists() for one in (held, by_default, young))
            bastion.verify("--all")
            assert "roles.users.retention_days is 3" in bastion.verdict(old)
            bastion.ctl("reindex")
            assert entry_of(bastion, old)["bytes"] == 0
    finally:
        clock.remove()


def test_recordings_of_a_target_are_deleted_by_size_the_oldest_first(tmp_path):
    clock = FastClock()
    noise = "dd if=/dev/urandom bs=1024 count=700 2>/dev/null | base64"
    try:
        with running_stack(tmp_path, build=clock.build, login={"remember_s": 7 * DAY}) as bastion:
            bastion.config["roles"]["users"]["targets"] = ["*"]
            bastion.write_config()
            bastion.ctl("reload")
            client = logged_in(bastion, tmp_path)
            first, second, third = (record(bastion, client, noise) for _ in range(3))
            elsewhere = record(bastion, client, noise, target="db1")
            limit = {"targets": {"web1": {**bastion.config["targets"]["web1"], "retention_mib": 2}}}
            sizes = [path_of(bastion, one).stat().st_size for one in (first, second, third)]
            assert all(size > 600 * 1024 for size in sizes) and sum(sizes[1:]) <= 2 << 20 < sum(sizes)
            # Not within a day: nobody pushes out what nobody could have seen.
            with bastion.changed(**limit):
                assert "0 would be deleted" in bastion.ctl("recordings", "retention").stdout
            clock.pass_time(DAY)
            bastion.config["targets"]["web1"]["retention_mib"] = 2
            bastion.write_config()
            bastion.ctl("reload")
            due = json.loads(bastion.ctl("recordings", "retention", "--json").stdout)
            assert {"recording": first, "rule": "targets.web1.retention_mib is 2"} in due
            assert not {second, third, elsewhere} & {one["recording"] for one in due}
            done = bastion.ctl("recordings", "retention", "--now", "--yes")
            assert "deleted" in done.stdout and not path_of(bastion, first).exists()
            assert all(path_of(bastion, one).exists() for one in (second, third, elsewhere))
            bastion.verify("--all")
            assert "0 would be deleted" in bastion.ctl("recordings", "retention").stdout
    finally:
        clock.remove()
