# SPDX-License-Identifier: Apache-2.0
"""authd's OIDC core against two real identity providers, by tests/bastion/authd/device_flow_probe."""
import contextlib
import json
import os
import subprocess
import time

import pytest

from tests.support import idp
from tests.support.certificate import self_signed

PROBE = os.path.join(os.environ["SALLYPORT_BUILD_DIR"], "tests", "device_flow_probe")
KINDS = ["oidc-provider", "glewlwyd"]
SCOPES = ["openid", "profile", "email", "groups"]


class Login:
    """A probe that runs; events are read as they come."""

    def __init__(self, provider, client="public", **settings):
        known = provider.clients[client]
        self.process = subprocess.Popen(
            [PROBE, json.dumps({
                "issuer": provider.issuer, "discovery_url": provider.discovery_url,
                "client_id": known.id, "authentication": known.authentication,
                "secret": known.secret, "key": known.key, "ca_file": provider.ca_file or "",
                "scopes": SCOPES, **settings})],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def next(self):
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        return json.loads(line)

    def prompt(self):
        event = self.next()
        assert event["event"] == "prompt", event
        return event

    def end(self):
        """The last event, and how many polls said "pending" before it."""
        polls = 0
        while (event := self.next())["event"] == "poll":
            polls += 1
        return event, polls

    def stop(self):
        self.process.kill()
        self.process.communicate()


@contextlib.contextmanager
def login(provider, client="public", **settings):
    running = Login(provider, client, **settings)
    try:
        yield running
    finally:
        running.stop()


def approve_and_end(provider, user="alice", client="public", **settings):
    with login(provider, client, **settings) as running:
        provider.approve(running.prompt()["user_code"], user)
        return running.end()[0]


@pytest.fixture(scope="module", params=KINDS)
def provider(request):
    with idp.start(request.param, interval=1) as started:
        yield started


@pytest.fixture(scope="module")
def oidc_provider():
    with idp.start("oidc-provider", interval=1) as started:
        yield started


def test_approved_login_gives_the_person(provider):
    person = approve_and_end(provider)
    assert person["event"] == "person", person
    assert person["issuer"] == provider.issuer
    assert person["name"] == "alice"
    assert sorted(person["groups"]) == ["db-admins", "ssh-users"]
    assert person["subject"]


def test_two_people_are_two_subjects(provider):
    alice, bob = approve_and_end(provider, "alice"), approve_and_end(provider, "bob")
    assert (alice["name"], bob["name"]) == ("alice", "bob")
    assert alice["subject"] != bob["subject"]
    assert bob["groups"] == ["ssh-users"]


@pytest.mark.parametrize("client", ["basic", "post"])
def test_confidential_client(provider, client):
    assert approve_and_end(provider, client=client)["event"] == "person"


def test_wrong_client_secret_is_refused_with_the_providers_words(provider):
    with login(provider, "post", secret="wrong") as running:
        event, _ = running.end()
    assert event["event"] == "error"
    assert provider.issuer in event["message"]


def test_code_that_nobody_enters_expires_at_our_deadline(provider):
    with login(provider, login_time_limit=3) as running:
        running.prompt()
        begin = time.monotonic()
        event, polls = running.end()
    assert event == {"event": "expired"}
    assert polls in (1, 2)  # two on a machine that is not too busy
    assert time.monotonic() - begin > 2


@pytest.mark.parametrize("kind", KINDS)
def test_code_expires_at_the_provider(kind):
    with idp.start(kind, interval=1, device_ttl=2) as short, login(short) as running:
        running.prompt()
        assert running.end()[0] == {"event": "expired"}


@pytest.mark.parametrize("kind", KINDS)
def test_provider_that_goes_away_is_waited_for(kind):
    with idp.start(kind, interval=1) as leaving, login(leaving, login_time_limit=8) as running:
        running.prompt()
        leaving.stop()
        event, polls = running.end()
    assert event["event"] == "error"
    assert "did not answer until the code ran out" in event["message"]
    assert polls in (2, 3)  # after 1, then 2, then 4 seconds; not after every one


def test_private_key_client(oidc_provider):
    assert approve_and_end(oidc_provider, client="key")["event"] == "person"


def test_denied_login(oidc_provider):
    with login(oidc_provider) as running:
        oidc_provider.deny(running.prompt()["user_code"])
        assert running.end()[0] == {"event": "denied"}


def test_polling_stops_when_the_login_is_dropped(oidc_provider):
    running = Login(oidc_provider)
    running.prompt()
    running.next()
    running.stop()
    before = oidc_provider.counts()["/token"]
    time.sleep(2.5)
    assert oidc_provider.counts()["/token"] == before


def test_three_hundred_groups(oidc_provider):
    assert len(approve_and_end(oidc_provider, "many")["groups"]) == 300


def test_person_without_groups(oidc_provider):
    person = approve_and_end(oidc_provider, "none")
    assert (person["groups"], person["groups_present"]) == ([], False)


def test_claims_only_in_userinfo():
    with idp.start("oidc-provider", interval=1, conform=True) as strict:
        person = approve_and_end(strict)
        assert person["name"] == "alice"
        assert person["groups"] == ["ssh-users", "db-admins"]
        assert strict.counts()["/me"] == 1


def test_provider_without_interval_is_polled_every_five_seconds():
    with idp.start("oidc-provider", interval=0) as silent, login(silent) as running:
        silent.approve(running.prompt()["user_code"])
        begin = time.monotonic()
        event, polls = running.end()
        assert (event["event"], polls) == ("person", 0)
        assert time.monotonic() - begin > 4


def test_slow_down_is_obeyed():
    with idp.start("oidc-provider", interval=1, enforce_interval=4) as slow, login(slow) as running:
        prompt = running.prompt()
        polls = [running.next()["interval"], running.next()["interval"]]
        slow.approve(prompt["user_code"])
        while (event := running.next())["event"] == "poll":
            polls.append(event["interval"])
    # Sent every second where four are asked for (and five more after each slow_down): the second
    # poll is too early, the third too, the fourth is not.
    assert event["event"] == "person", event
    assert polls == [1, 6, 16]


@pytest.mark.parametrize("alg", ["ES256", "PS256"])
def test_other_signature_algorithms(alg):
    with idp.start("oidc-provider", interval=1, alg=alg) as other:
        assert approve_and_end(other)["event"] == "person"


def test_https_with_a_certificate_authority_of_ones_own(tmp_path):
    cert, key = self_signed(tmp_path)
    with idp.start("oidc-provider", interval=1, tls_cert=cert, tls_key=key) as secure:
        assert approve_and_end(secure)["event"] == "person"
        with login(secure, ca_file="") as running:
            event, _ = running.end()
        assert event["event"] == "error"
        assert "certificate" in event["message"]


def test_no_token_reaches_the_output(oidc_provider):
    with login(oidc_provider) as running:
        oidc_provider.approve(running.prompt()["user_code"])
        event, _ = running.end()
        rest, errors = running.process.communicate(timeout=10)
    assert event["event"] == "person"
    assert "eyJ" not in rest + errors
