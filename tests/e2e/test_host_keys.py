# SPDX-License-Identifier: Apache-2.0
"""The target's side of a login: pinned host keys, the vault's key, a target that is not there. The
user is never asked; each refusal is one line and exit status 254."""
import concurrent.futures
import contextlib
import os
import re
import signal
import socket
import subprocess

import pytest

from tests.support.raw_ssh import RawSsh, Success
from tests.support.stack import ME, free_port, make_key, wait_until


@pytest.fixture
def add(bastion):
    added = set()

    def add_target(name, port, *options):
        done = bastion.ctl("target", "add", name, f"127.0.0.1:{port}", *options, "--yes")
        assert "applied; running sessions go on" in done.stdout
        added.add(name)
        return done.stdout

    yield add_target
    for name in added:
        bastion.ctl("target", "remove", name, "--yes")


def fingerprint(key):
    shown = subprocess.run(["ssh-keygen", "-l", "-f", key], capture_output=True, text=True)
    return shown.stdout.split()[1]


def refusal(client, name):
    done = client.run("true", user=f"{ME}@{name}")
    text = done.stderr.decode()
    assert (done.returncode, done.stdout) == (254, b""), text
    assert re.fullmatch(r"sallyport: [^\r\n]+\r\n", text), text
    return text


def change_host_key(target, kind="ed25519"):
    target.stop()
    target.host_key = make_key(target.folder / f"another_{kind}", kind)
    target.start()


def test_scanned_target_can_be_reached(client, second, add):
    shown = add("web2", second.port, "--key", "main", "--scan")
    assert fingerprint(second.host_key) in shown
    assert client.run("echo in", user=f"{ME}@web2").stdout == b"in\n"


def test_changed_host_key_refuses_with_both_fingerprints(client, second, add):
    pinned = fingerprint(second.host_key)
    add("web2", second.port, "--key", "main", "--scan")
    change_host_key(second)
    offered = fingerprint(second.host_key)
    assert refusal(client, "web2") == (
        f"sallyport: the host key of web2 is not the pinned one: pinned {pinned}, offered {offered}; "
        "ask your administrator before anything else\r\n")


def test_changed_type_of_host_key_refuses(client, second, add):
    add("web2", second.port, "--key", "main", "--scan")
    change_host_key(second, "ecdsa")
    assert "web2" in refusal(client, "web2")


def test_host_key_of_another_target_refuses(client, bastion, second, add):
    add("web2", second.port, "--key", "main", "--host-key", bastion.target.public_host_key())
    text = refusal(client, "web2")
    assert fingerprint(bastion.target.host_key) in text and fingerprint(second.host_key) in text


def test_new_pin_heals_it(client, second, add):
    add("web2", second.port, "--key", "main", "--scan")
    change_host_key(second)
    refusal(client, "web2")
    add("web2", second.port, "--key", "main", "--scan")
    assert client.run("echo in", user=f"{ME}@web2").stdout == b"in\n"


def test_target_without_a_pinned_key_refuses(client, second, add):
    assert "no host key is pinned" in add("web2", second.port, "--key", "main")
    assert "web2 has no pinned host key" in refusal(client, "web2")


def test_key_that_the_target_does_not_let_in(bastion, client, second, add):
    bastion.ctl("vault", "generate", "other")
    add("web2", second.port, "--key", "other", "--scan")
    assert f"web2 does not accept the bastion's key for {ME}" in refusal(client, "web2")


@pytest.mark.parametrize("options", [["--key", "missing"], []], ids=["missing", "none"])
def test_target_without_a_key_in_the_vault(client, second, add, options):
    add("web2", second.port, *options, "--scan")
    assert "key" in refusal(client, "web2")


def test_target_that_is_down(client, bastion, add):
    add("web2", free_port(), "--key", "main", "--host-key", bastion.target.public_host_key())
    assert "cannot reach web2: " in refusal(client, "web2")
    assert client.run("true").returncode == 0


def test_target_that_is_the_bastion_itself(client, bastion, add):
    add("web2", bastion.port, "--key", "main", "--host-key", bastion.target.public_host_key())
    assert "is this bastion itself" in refusal(client, "web2")


def test_refusal_is_also_for_a_shell(client, second, add):
    add("web2", second.port, "--key", "main", "--scan")
    change_host_key(second)
    child = client.spawn(user=f"{ME}@web2")
    child.expect("sallyport: the host key of web2 is not the pinned one")
    assert child.wait() == 254


# The refusal of a target that is near is faster than the next packet of a client that is far.

@pytest.mark.parametrize("pauses", [{"before_open": 0.4}, {"before_start": 0.4}], ids=str)
def test_slow_client_reads_the_refusal(bastion, client, add, pauses):
    add("web2", free_port(), "--key", "main", "--host-key", bastion.target.public_host_key())
    with RawSsh(bastion.port) as raw:
        assert raw.prove(f"{ME}@web2", client.key) == Success()
        status, errors = raw.run("true", **pauses)
    assert status == 254
    assert errors.startswith("sallyport: cannot reach web2: ")


# And it is faster than a front process that gets no processor for a while.

@contextlib.contextmanager
def stopped(bastion, role):
    # Of the connection before, a front may still be leaving.
    [pid] = wait_until(lambda: len(found := bastion.processes(role)) == 1 and found, what=role)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def wait_for_another(bastion, event, before, seconds=10):
    wait_until(lambda: len(bastion.events(event)) > before, seconds, event)


@pytest.mark.parametrize("last", ["session ends", "grant_ended"])
def test_refusal_that_comes_together_with_the_login(bastion, client, add, last):
    add("web2", free_port(), "--host-key", bastion.target.public_host_key())
    before = len(bastion.events(last))
    with RawSsh(bastion.port) as raw, concurrent.futures.ThreadPoolExecutor() as pool:
        with contextlib.ExitStack() as both:
            with stopped(bastion, "authd"):
                proven = pool.submit(raw.prove, f"{ME}@web2", client.key)
                with contextlib.suppress(concurrent.futures.TimeoutError):
                    proven.result(0.5)  # front has asked authd by now; if not, it reads them apart
                both.enter_context(stopped(bastion, "front"))
            with contextlib.suppress(AssertionError):
                wait_for_another(bastion, last, before, 3)
        assert proven.result() == Success()
        status, errors = raw.run("true")
    assert status == 254
    assert errors.startswith("sallyport: web2 has no key"), errors


def test_refusal_that_comes_together_with_the_first_channel(bastion, client, add):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        add("web2", mute.getsockname()[1], "--key", "main", "--host-key",
            bastion.target.public_host_key())
        before = len(bastion.events("grant_ended"))
        with RawSsh(bastion.port) as raw, concurrent.futures.ThreadPoolExecutor() as pool:
            assert raw.prove(f"{ME}@web2", client.key) == Success()
            with stopped(bastion, "front"):
                ran = pool.submit(raw.run, "true")
                mute.accept()[0].close()
                wait_for_another(bastion, "grant_ended", before)
            status, errors = ran.result()
    assert status == 254
    assert errors.startswith("sallyport: "), errors
    assert "web2" in errors
