# SPDX-License-Identifier: Apache-2.0
"""The first login with the stock client, and each way in which it fails: what the screen shows."""
import re
import subprocess
import time

import pexpect
import pytest

from tests.support.screen import NOT_YET, NOTICE, PROMPT, Screen, code_on, normalised
from tests.support.stack import ME, read_code

CLOSED = "Received disconnect from 127.0.0.1 port 2222:11: "


@pytest.fixture
def client(new_client):
    """With a key that nobody knows yet."""
    return new_client(logged_in=False)


@pytest.fixture
def screen(tmp_path):
    """screen(words) runs them in a terminal of its own."""
    opened = []

    def show(words):
        opened.append(Screen(tmp_path / f"tmux{len(opened)}", words))
        return opened[-1]

    yield show
    for one in opened:
        one.close()


def seen(shown):
    return normalised(shown, ME).rstrip()


def short_fingerprint(client):
    shown = subprocess.run(["ssh-keygen", "-l", "-f", client.key], capture_output=True, text=True)
    full = shown.stdout.split()[1]
    return full[:9] + "…" + full[-2:]


def decide_at(terminal, decide, *arguments):
    """A person reads the code, decides in the browser, and presses Enter."""
    prompt = terminal.wait_for("Press Enter")
    decide(code_on(prompt), *arguments)
    terminal.press("Enter")


def test_first_login_on_the_screen(bastion, client, screen):
    terminal = screen(client.command())
    prompt = terminal.wait_for("Press Enter")
    assert seen(prompt) == PROMPT
    assert f"with key {short_fingerprint(client)}." in prompt

    terminal.press("Enter")  # a wrong guess: nobody has approved
    again = terminal.wait_for("Not approved yet")
    assert seen(again) == PROMPT + "\n" + NOT_YET

    bastion.idp.approve(code_on(prompt))
    terminal.press("Enter")
    inside = terminal.wait_for("is recorded\n")
    assert seen(inside).split("\n")[:len(PROMPT.split("\n")) + 2] == [
        *PROMPT.split("\n"), NOT_YET, NOTICE]

    terminal.type("exit 7")
    terminal.press("Enter")
    assert terminal.wait_for_end().endswith("[exit status 7]")


def test_later_login_shows_the_notice_and_nothing_else(bastion, client, screen):
    client.log_in(bastion.idp.approve)
    terminal = screen(client.command())
    first_line = terminal.wait_for("is recorded\n").split("\n")[0]
    assert seen(first_line) == NOTICE
    session = re.search(r"session ([0-9a-f]{8})", first_line).group(1)
    assert session in bastion.ctl("sessions", "list").stdout


def test_notice_is_for_shells_in_terminals_only(bastion, client):
    client.log_in(bastion.idp.approve)
    done = client.run("printf x")
    assert (done.stdout, done.stderr) == (b"x", b"")
    done = client.run("printf x", options=["-tt"])
    assert (done.stdout, done.stderr) == (b"x", b"")
    done = client.run(input=b"printf x\n", options=["-T"])
    assert (done.stdout[-1:], done.stderr) == (b"x", b"") and b"recorded" not in done.stdout


def test_denial_on_the_screen(bastion, client, screen):
    terminal = screen(client.command())
    decide_at(terminal, bastion.idp.deny)
    assert seen(terminal.wait_for_end()) == (
        f"{PROMPT}\n{CLOSED}the sign-in was denied at the identity provider; nobody was let in\n"
        "[exit status 255]")


def test_wrong_person_approves(bastion, client, screen):
    client.log_in(bastion.idp.approve, person="alice")
    with bastion.changed(login={"remember_s": 0}):
        terminal = screen(client.command())
        decide_at(terminal, bastion.idp.approve, "bob")
        assert seen(terminal.wait_for_end()) == (
            f"{PROMPT}\n{CLOSED}bob@example.com approved, but this key belongs to somebody else: "
            "sign in as its owner, or use a key of your own\n[exit status 255]")
    logged = bastion.events("sign_in_wrong_person")[-1]
    assert (logged["approved_by"], logged["address"]) == ("bob@example.com", "127.0.0.1")
    assert short_fingerprint(client)[:9] == logged["fingerprint"][:9]
    assert client.run("true").returncode == 0, "the key is still alice's"


def test_code_runs_out_on_the_screen(bastion, client, screen):
    with bastion.changed(login={"deadline_s": 3}):
        terminal = screen(client.command())
        assert re.search(r"valid until \S+ \([23] s\)", terminal.wait_for("Press Enter"))
        time.sleep(3)
        terminal.press("Enter")  # a client that asks reads nothing from the network
        shown = terminal.wait_for_end()
    assert seen(shown).endswith(f"{CLOSED}the code ran out before it was approved; connect again "
                                "for a new one\n[exit status 255]")


def test_automatic_prompt_needs_no_enter(bastion, client, screen):
    with bastion.changed(login={"prompt": "auto"}):
        # The text goes where ssh -q hides it: nothing else can be shown without a question.
        terminal = screen(client.command(options=["-o", "LogLevel=INFO"]))
        shown = terminal.wait_for("Waiting for you")
        assert seen(shown).endswith("Waiting for you to approve it.")
        assert "Never approve a code that you did not start yourself." in shown
        bastion.idp.approve(code_on(shown))
        assert NOTICE in seen(terminal.wait_for("is recorded"))


def test_second_sign_in_with_the_same_key_waits_for_the_first(bastion, client):
    first = client.spawn("true")
    code = read_code(first)
    second = client.spawn("true")
    second.expect("a sign-in with this key, or of its owner, is waiting already")
    second.close()
    bastion.idp.approve(code)
    first.sendline("")
    first.expect(pexpect.EOF)
    assert first.wait() == 0


def test_enter_pressed_too_soon_waits_for_a_poll_that_is_due(bastion, client):
    child = client.spawn("echo in")
    code = read_code(child)
    time.sleep(0.2)
    child.sendline("")
    bastion.idp.approve(code)
    assert child.expect(["in\r\n", "Not approved yet"]) == 0


@pytest.mark.parametrize("form, wish", [
    (f"{ME}@web1", f"{ME}@web1"), (f"{ME}%web1", f"{ME}@web1"), (f"{ME}+web1", f"{ME}@web1"),
    ("web1", "web1")], ids=["at", "percent", "plus", "target-alone"])
def test_login_name_forms(bastion, client, form, wish):
    child = client.spawn("id -un", user=form)
    child.expect_exact(f"Sign in to reach {wish}\r\n")
    bastion.idp.approve(read_code(child))
    child.sendline("")
    child.expect_exact(f"{ME}\r\n")
    assert client.run("id -un", user=form).stdout == f"{ME}\n".encode()
