# SPDX-License-Identifier: Apache-2.0
"""The stock client's first login at two identity providers that are not ours: oidc-provider and
glewlwyd. What authd makes of their answers is in test_oidc_providers.py; here a person logs in."""
import os
import signal
import time

import pexpect
import pytest

from tests.e2e.conftest import running_stack
from tests.support import idp
from tests.support.screen import NOT_YET, NOTICE, PROMPT, Screen, code_on, normalised
from tests.support.stack import ME, Client, read_code, wait_until

INTERVAL = 1


class RealProvider:
    """A provider as running_stack() wants one."""

    def __init__(self, kind):
        self.provider = idp.start(kind, interval=INTERVAL)
        self.client = self.provider.clients["basic"]
        self.identity = {
            "issuer": self.provider.issuer, "discovery_url": self.provider.discovery_url,
            "client_id": self.client.id, "client_authentication": self.client.authentication,
            "client_secret_file": "client.secret"}

    def start(self, config_folder):
        path = config_folder / "client.secret"
        path.write_text(self.client.secret)
        path.chmod(0o600)

    def approve(self, code, person="alice"):
        self.provider.approve(code, person)

    def deny(self, code, person="alice"):
        self.provider.deny(code, person)

    def polls(self):
        return self.provider.counts().get("/token", 0)

    def signal(self, number):
        os.kill(self.provider.process.pid, number)

    def stop(self):
        self.provider.stop()


@pytest.fixture(scope="module", params=["oidc-provider", "glewlwyd"])
def bastion(request, tmp_path_factory):
    with running_stack(tmp_path_factory.mktemp("stack"), RealProvider(request.param)) as running:
        yield running


# glewlwyd cannot be told to deny, to count its requests, or to pause.
oidc_only = pytest.mark.parametrize("bastion", ["oidc-provider"], indirect=True)


@pytest.fixture
def client(new_client):
    return new_client(logged_in=False)


def test_first_login_on_the_screen(bastion, client, tmp_path):
    with Screen(tmp_path / "tmux", client.command()) as terminal:
        prompt = terminal.wait_for("Press Enter")
        assert normalised(prompt, ME) == PROMPT
        terminal.press("Enter")
        assert normalised(terminal.wait_for("Not approved"), ME) == PROMPT + "\n" + NOT_YET
        bastion.idp.approve(code_on(prompt))
        terminal.press("Enter")
        inside = normalised(terminal.wait_for("is recorded\n"), ME)
        assert NOTICE.replace(".com", ".org") in inside.split("\n")
    assert client.run("echo later").stdout == b"later\n", "the key is remembered"
    keys = bastion.ctl("keys", "list", "--json").stdout
    assert bastion.idp.identity["issuer"] in keys


def test_groups_of_the_provider_decide(bastion, client, new_client):
    client.log_in(bastion.idp.approve, user=f"{ME}@db1", person="alice")  # she is in db-admins
    bob = new_client(logged_in=False)
    bob.log_in(bastion.idp.approve, user=f"{ME}@web1", person="bob")
    refused = bob.run("true", user=f"{ME}@db1")
    assert refused.returncode == 254
    assert refused.stderr.startswith(b"sallyport: no role of yours reaches db1 (your groups: "
                                     b"ssh-users)")


def test_wrong_person_approves(bastion, client):
    client.log_in(bastion.idp.approve, person="alice")
    with bastion.changed(login={"remember_s": 0}):
        child = client.spawn("true")
        bastion.idp.approve(read_code(child), "bob")
        child.sendline("")
        child.expect("approved, but this key belongs to somebody else")
        child.expect(pexpect.EOF)
        assert child.wait() == 255
    assert bastion.events("sign_in_wrong_person")[-1]["approved_by"].startswith("bob")


@oidc_only
def test_denial(bastion, client):
    child = client.spawn("true")
    bastion.idp.deny(read_code(child))
    time.sleep(2 * INTERVAL)
    child.sendline("")
    child.expect("the sign-in was denied at the identity provider; nobody was let in")
    child.expect(pexpect.EOF)
    assert child.wait() == 255
    assert client.run("true").returncode == 255


def test_code_runs_out(bastion, client):
    with bastion.changed(login={"deadline_s": 2}):
        child = client.spawn("true")
        read_code(child)
        time.sleep(2.5)
        child.sendline("")
        child.expect("the code ran out before it was approved; connect again for a new one")
        child.expect(pexpect.EOF)
        assert child.wait() == 255


@oidc_only
def test_client_leaves_and_polling_stops(bastion, client):
    child = client.spawn("true")
    read_code(child)
    before = bastion.idp.polls()
    wait_until(lambda: bastion.idp.polls() > before, 10 * INTERVAL, "a poll")
    child.close(force=True)
    time.sleep(INTERVAL)  # within one interval
    last = bastion.idp.polls()
    time.sleep(4 * INTERVAL)
    assert bastion.idp.polls() == last


@oidc_only
def test_provider_pauses_while_the_client_waits(bastion, client):
    child = client.spawn("echo in")
    code = read_code(child)
    bastion.idp.signal(signal.SIGSTOP)
    child.sendline("")
    child.expect("Not approved yet")
    bastion.idp.signal(signal.SIGCONT)
    bastion.idp.approve(code)
    time.sleep(2 * INTERVAL)
    child.sendline("")
    child.expect("in\r\n", timeout=30)


def test_provider_goes_away_while_the_client_waits(tmp_path):
    with running_stack(tmp_path, RealProvider("oidc-provider"), login={"deadline_s": 8}) as bastion:
        known = Client(bastion, tmp_path, "known")
        known.log_in(bastion.idp.approve)
        running = known.spawn("echo up; read line; echo $line")
        running.expect("up\r\n")
        waiting = Client(bastion, tmp_path, "waiting").spawn("true")
        read_code(waiting)
        bastion.idp.stop()

        time.sleep(8.5)
        waiting.sendline("")
        waiting.expect("the identity provider does not answer")
        waiting.expect(pexpect.EOF)
        assert waiting.wait() == 255

        late = Client(bastion, tmp_path, "late").spawn("true")
        late.expect("the identity provider does not answer; try again later, or ask an "
                    "administrator of this bastion")
        running.sendline("still here")
        running.expect("still here\r\nstill here\r\n")
        assert known.run("echo known").stdout == b"known\n", "a remembered key needs no provider"
