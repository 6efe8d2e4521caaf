# SPDX-License-Identifier: Apache-2.0
"""Log in once: which keys ask nothing any more, for how long, and which ones still do."""
import hashlib
import json
import subprocess
import time

import pexpect
import pytest

from tests.support.raw_ssh import Disconnected, Failure, KeyAccepted, Prompt, RawSsh, Success
from tests.support.stack import ME, Client, read_code

USER = f"{ME}@web1"


@pytest.fixture
def stranger(new_client):
    """Same address, another key."""
    return new_client("stranger", logged_in=False)


def fingerprint(key):
    shown = subprocess.run(["ssh-keygen", "-l", "-f", key], capture_output=True, text=True)
    return shown.stdout.split()[1]


def listed(bastion, key):
    keys = json.loads(bastion.ctl("keys", "list", "--json").stdout)
    return next((entry for entry in keys if entry["fingerprint"] == fingerprint(key)), None)


def assert_asks(client):
    """Without a person there is no way in; with one there is a prompt."""
    done = client.run("true")
    assert (done.returncode, done.stdout) == (255, b"")
    assert b"Permission denied" in done.stderr
    child = client.spawn("true")
    child.expect("Sign in to reach")
    child.close(force=True)


def sign_in(bastion, client, person="alice"):
    """Returns what the client shows after the approval."""
    child = client.spawn("echo signed in")
    bastion.idp.approve(read_code(child), person)
    child.sendline("")
    child.expect(pexpect.EOF)
    return child.before.decode()


def test_next_commands_ask_nothing(client):
    for i in range(3):
        done = client.run(f"echo {i}")
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{i}\n".encode(), b"")


def test_twenty_commands_at_once_ask_nothing(client):
    words = client.command("sleep 1; echo $SSH_CONNECTION done", options=["-o", "BatchMode=yes"])
    running = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                stdin=subprocess.DEVNULL) for _ in range(20)]
    for process in running:
        out, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, b"") and out.endswith(b"done\n")


def test_script_in_batch_mode_asks_nothing(client, tmp_path):
    script = tmp_path / "deploy"
    script.write_text("set -e\nfor host in web1 web1 web1; do\n  \"$@\" <<<\"echo on $host\"\ndone\n")
    words = client.command("sh", options=["-o", "BatchMode=yes"])
    done = subprocess.run(["bash", script, *words], capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"on web1\n" * 3, b"")


def test_scp_both_ways_asks_nothing(client, bastion, tmp_path):
    given = tmp_path / "given"
    given.write_bytes(bytes(range(256)) * 4096)
    scp = ["scp", "-O", "-q", *client.command()[1:-3], "-o", "BatchMode=yes", "-P", str(bastion.port)]
    remote = f"{ME}%web1@127.0.0.1:{tmp_path}/there"
    subprocess.run([*scp, given, remote], check=True, timeout=60, stdin=subprocess.DEVNULL)
    subprocess.run([*scp, remote, tmp_path / "back"], check=True, timeout=60,
                   stdin=subprocess.DEVNULL)
    digests = {hashlib.sha256((tmp_path / name).read_bytes()).digest()
               for name in ("given", "there", "back")}
    assert len(digests) == 1


def test_list_shows_whose_key_it_is(bastion, client):
    entry = listed(bastion, client.key)
    assert entry["person"] == "alice@example.com"
    assert (entry["issuer"], entry["subject"]) == (bastion.idp.url, "dev-alice")
    assert entry["address"] == "127.0.0.1"
    assert entry["until"] > entry["since"]
    assert fingerprint(client.key) in bastion.ctl("keys", "list").stdout


def test_asks_again_after_its_time(bastion, stranger):
    with bastion.changed(login={"remember_s": 6}):
        stranger.log_in(bastion.idp.approve)
        begin = time.monotonic()
        assert stranger.run("true").returncode == 0
        time.sleep(max(0, begin + 6 - time.monotonic()))
        assert_asks(stranger)
    assert_asks(stranger)  # a longer time now gives nothing back


def test_asks_again_after_revocation(bastion, client):
    assert client.run("true").returncode == 0
    bastion.ctl("keys", "revoke", fingerprint(client.key), "--yes")
    assert listed(bastion, client.key) is None
    assert_asks(client)


def test_another_key_from_the_same_address_asks(client, stranger):
    assert client.run("true").returncode == 0
    assert_asks(stranger)


def test_later_key_of_several_may_be_the_remembered_one(client, stranger):
    done = stranger.run("echo in", options=["-i", str(stranger.key), "-i", str(client.key)])
    assert done.stdout == b"in\n"


# Warpgate, x/crypto: an offered key was taken as proven.

def test_key_that_is_only_offered_opens_nothing(bastion, client, tmp_path):
    public = tmp_path / "stolen.pub"
    public.write_text(client.key.with_suffix(".pub").read_text())
    thief = Client(bastion, tmp_path, key=False)
    done = thief.run("true", options=["-i", str(public), "-v"])
    assert b"Server accepts key" in done.stderr, "it was offered"
    assert done.returncode == 255 and b"Permission denied" in done.stderr


def test_offered_key_and_another_proven_one(bastion, client, stranger):
    with RawSsh(bastion.port) as raw:
        assert raw.offer(USER, client.key) == KeyAccepted()
        assert raw.prove(USER, stranger.key) == Failure("publickey,keyboard-interactive", True)
        assert raw.offer(USER, client.key) == KeyAccepted()
        prompt = raw.interactive(USER)
        assert isinstance(prompt, Prompt)
        assert fingerprint(stranger.key)[-2:] + "." in prompt.text


def test_signature_by_another_key_opens_nothing(bastion, client, stranger):
    with RawSsh(bastion.port) as raw:
        raw.none(USER)
        refused = raw.prove(USER, client.key, signed_by=stranger.key)
        assert refused == Failure("publickey,keyboard-interactive", False)
        assert isinstance(raw.interactive(USER), Disconnected), "and no key is proven"
    with RawSsh(bastion.port) as raw:
        raw.none(USER)
        assert raw.prove(USER, client.key) == Success()  # so the test can fail


def test_a_refusal_is_never_forgotten(client, stranger, bastion):
    """libssh says nothing of a wrong signature; it may come while the answer before it is sent."""
    for _ in range(50):
        with RawSsh(bastion.port) as raw:
            raw.none(USER)
            refused = raw.prove(USER, client.key, signed_by=stranger.key)
            assert refused == Failure("publickey,keyboard-interactive", False)


# Closed enrolment

@pytest.fixture
def closed(bastion):
    with bastion.changed(login={"enrolment": "closed"}):
        yield


def test_closed_enrolment_refuses_an_unknown_key(closed, stranger):
    done = stranger.run("true")
    assert done.returncode == 255
    child = stranger.spawn("true")
    child.expect_exact(f"key {fingerprint(stranger.key)} is not registered; ask an administrator of "
                       "this bastion to register it")


def test_closed_enrolment_takes_a_registered_key(bastion, closed, stranger):
    bastion.ctl("keys", "register", f"{stranger.key}.pub", "alice@example.com")
    assert_asks(stranger)
    assert "signed in" in sign_in(bastion, stranger)
    assert stranger.run("true").returncode == 0


def test_closed_enrolment_refuses_somebody_elses_key(bastion, closed, stranger):
    bastion.ctl("keys", "register", f"{stranger.key}.pub", "bob@example.com")
    assert "alice@example.com approved, but this key belongs to somebody else" in sign_in(
        bastion, stranger, "alice")
    assert_asks(stranger)
    assert listed(bastion, stranger.key)["subject"] == "", "nobody has it yet"
    assert "your groups: guests" in sign_in(bastion, stranger, "bob")  # who may not do much
    assert listed(bastion, stranger.key)["subject"] == "dev-bob"


# Without any key

def without_key(bastion, tmp_path):
    keyless = Client(bastion, tmp_path, "keyless", key=False)
    return keyless, ["-o", "PubkeyAuthentication=no"]


def test_client_without_a_key_is_told_so(bastion, tmp_path):
    keyless, options = without_key(bastion, tmp_path)
    child = keyless.spawn("true", options=options)
    child.expect("this bastion asks for an SSH key first: make one with ssh-keygen, or name yours "
                 "with ssh -i")
    child.expect(pexpect.EOF)
    assert child.wait() == 255


def test_client_without_a_key_where_that_is_allowed(bastion, tmp_path):
    keyless, options = without_key(bastion, tmp_path)
    with bastion.changed(login={"without_key": True}):
        for _ in range(2):  # nothing is remembered
            child = keyless.spawn("echo in", options=options)
            child.expect(r"Code\s+(\S+)")
            code = child.match.group(1).decode()
            child.expect("From 127.0.0.1 without a key")
            bastion.idp.approve(code)
            child.sendline("")
            child.expect_exact("in\r\n")
            child.close()
