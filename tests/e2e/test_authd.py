# SPDX-License-Identifier: Apache-2.0
"""Logins at authd alone, with a real identity provider (oidc-provider) behind it."""
import re
import socket
import time

import pytest

from tests.support import idp
from tests.support.authd import (RECIPIENT, RECORD, Authd, Login, fingerprint, key_line, new_key,
                                 verdict_of)
from tests.support.stack import wait_until

def test_first_login_asks_the_second_asks_nothing(authd, log_in):
    login, grant = log_in(authd)
    assert (grant.person, grant.subject) == ("alice@example.org", "alice")
    assert (grant.target, grant.login, grant.allowed) == ("web1", "root", 7)
    assert grant.recipients == [RECIPIENT] and grant.environment == ["LANG", "LC_*"]
    assert grant.fingerprint == fingerprint(login.key)
    again = Login(authd, key=login.key, address="198.51.100.1").prove()
    assert again.name == "grant" and again.grant != grant.grant
    assert verdict_of(Login(authd, address="203.0.113.7").prove()) == "more"


@pytest.mark.parametrize("client", ["public", "basic", "post"])
def test_a_login_at_glewlwyd(client):
    with idp.start("glewlwyd") as provider:
        who = provider.clients[client]
        secret = {} if who.authentication == "none" else {"client_secret_file": "client.secret"}
        authd = Authd(provider.issuer, identity={
            "discovery_url": provider.discovery_url, "client_id": who.id,
            "client_authentication": who.authentication, **secret})
        try:
            if who.secret:
                authd.write_private("client.secret", who.secret)
                assert authd.admin("reload")[1].ok
            login = Login(authd)
            provider.approve(login.begin())
            assert login.finish().name == "grant"
            assert Login(authd, key=login.key).prove().name == "grant"
        finally:
            authd.remove()


def test_the_key_is_remembered_across_a_restart(authd, log_in):
    login, _ = log_in(authd)
    assert authd.stop() == 0
    authd.start()
    assert Login(authd, key=login.key).prove().name == "grant"


def test_the_prompt_is_the_documented_one(authd):
    login = Login(authd)
    login.prove()
    text = login.want_prompt().text
    print_of = fingerprint(login.key)
    assert re.fullmatch(
        r"Sign in to reach root@web1\n\n"
        r"  Open    http://127\.0\.0\.1:\d+/device\n"
        r"  Code    \S+ {2,}valid until \d\d:\d\d:\d\d \(3 min\)\n\n"
        r"  From 203\.0\.113\.7 with key " + re.escape(print_of[:9] + "…" + print_of[-2:]) +
        r"\.  Never approve a code that you did not start yourself\.\n\n"
        r"Press Enter when you have approved it: ", text), text


def test_enter_too_early_asks_again(authd, provider):
    login = Login(authd)
    code = login.begin()
    again = login.press_enter()
    assert again.name == "prompt" and again.text.startswith("Not approved yet, ")
    provider.approve(code)
    assert login.finish().name == "grant"


def test_denial_disconnects_while_the_prompt_stands(authd, provider):
    login = Login(authd)
    provider.deny(login.begin())
    verdict = login.connection.receive()
    assert verdict_of(verdict) == "disconnected" and "denied" in verdict.text
    # An Enter that crosses it on its way is no offence, another login is.
    login.connection.send("prompt_answer", text="")
    with pytest.raises(socket.timeout):
        login.connection.receive(0.3)
    assert login.prove() is None


def test_a_code_that_runs_out_disconnects(start_authd):
    authd = start_authd(login={"deadline_s": 2})
    login = Login(authd)
    login.begin()
    verdict = login.connection.receive()
    assert verdict_of(verdict) == "disconnected" and "ran out" in verdict.text


def test_a_wrong_person_is_refused_logged_and_shown(start_authd, provider, log_in):
    authd = start_authd(login={"remember_s": 1})
    login, _ = log_in(authd)
    login.leave()
    time.sleep(1.1)
    other = Login(authd, key=login.key)
    provider.approve(other.begin(), "bob")
    verdict = other.finish()
    assert verdict_of(verdict) == "disconnected"
    assert "bob approved" in verdict.text and "alice" not in verdict.text
    assert '"sign_in_wrong_person"' in authd.log()
    # The key is still alice's.
    owner = Login(authd, key=login.key)
    provider.approve(owner.begin(), "alice")
    assert owner.finish().name == "grant"


def test_a_provider_that_is_gone_refuses_new_logins_and_keeps_sessions(log_in):
    with idp.start("oidc-provider", interval=1) as provider:
        authd = Authd(provider.issuer)
        try:
            login = Login(authd)
            provider.approve(login.begin())
            grant = login.finish()
            assert grant.name == "grant"
            provider.stop()
            late = Login(authd)
            late.prove()
            verdict = late.want_prompt()
            assert verdict_of(verdict) == "disconnected"
            assert "identity provider" in verdict.text
            with authd.connect() as stored:
                facts = stored.ask("confirm_grant", purpose=RECORD, grant=grant.grant,
                                   session=login.session)
            assert facts.valid
            assert Login(authd, key=login.key).prove().name == "grant"
        finally:
            authd.remove()


def test_polling_stops_within_one_interval_when_the_client_leaves(authd, provider):
    login = Login(authd)
    login.begin()
    time.sleep(1.5)
    login.leave()
    time.sleep(1.2)
    polls = provider.counts()
    time.sleep(3)
    assert provider.counts() == polls


def test_a_second_sign_in_with_the_same_key_waits_for_its_turn(authd, provider):
    first = Login(authd)
    first.begin()
    second = Login(authd, key=first.key)
    assert verdict_of(second.prove()) == "more"
    assert verdict_of(second.want_prompt()) == "disconnected"
    first.leave()
    wait_until(lambda: '"sign_in_started"' in authd.log())
    time.sleep(0.2)
    third = Login(authd, key=first.key)
    provider.approve(third.begin())
    assert third.finish().name == "grant"


def test_twenty_sign_ins_at_once_are_all_answered(authd, provider):
    logins = [Login(authd) for _ in range(20)]
    codes = [login.begin() for login in logins]
    assert len(set(codes)) == 20
    for code in codes:
        provider.approve(code)
    assert [login.finish().name for login in logins] == ["grant"] * 20


def test_a_refusal_says_why_and_hides_which_targets_exist(authd, log_in):
    login, _ = log_in(authd, user="bob")  # ssh-users alone
    for target in ("db1", "nowhere"):
        verdict = Login(authd, key=login.key, user=f"root@{target}").prove()
        assert verdict.target == ""
        assert verdict.refusal.startswith(
            f"no role of yours reaches {target} (your groups: ssh-users)")


def test_roles_of_two_groups_give_different_channels(authd, log_in):
    login, grant = log_in(authd, user="alice")  # ssh-users and db-admins
    assert grant.allowed == 7
    assert Login(authd, key=login.key, user="db1").prove().allowed == 2


def test_each_way_of_typing_the_name_reaches_the_target(authd, log_in):
    login, _ = log_in(authd)
    for user in ("root@web1", "root%web1", "root+web1", "web1"):
        grant = Login(authd, key=login.key, user=user).prove()
        assert (grant.login, grant.target) == ("root", "web1")
    for user in ("root@web1,web2", "-x@web1", "root@../etc", "root@web1\x1b", "a" * 20_000):
        assert verdict_of(Login(authd, key=login.key, user=user).prove()) == "disconnected"


def test_a_user_name_that_changes_ends_the_login(authd):
    login = Login(authd)
    login.prove()
    assert verdict_of(login.prove(key=new_key(), user="root@db1")) == "disconnected"


def test_a_client_without_a_key_needs_leave(start_authd, provider):
    authd = start_authd()
    assert verdict_of(Login(authd).want_prompt()) == "disconnected"
    authd = start_authd(login={"without_key": True})
    login = Login(authd)
    code = re.search(r"Code +(\S+)", login.want_prompt().text).group(1)
    provider.approve(code)
    grant = login.finish()
    assert grant.name == "grant" and grant.fingerprint == ""
    assert authd.admin("keys_list")[0] == []


def test_automatic_prompts_need_no_enter(start_authd, provider):
    authd = start_authd(login={"prompt": "auto"})
    login = Login(authd)
    login.prove()
    prompt = login.want_prompt()
    assert prompt.automatic and prompt.text.isascii()
    login.connection.send("prompt_answer", text="")
    provider.approve(re.search(r"Code +(\S+)", prompt.text).group(1))
    assert login.connection.receive().name == "grant"


def test_closed_enrolment_takes_registered_keys_from_their_person(start_authd, provider):
    authd = start_authd(login={"enrolment": "closed"})
    login = Login(authd)
    assert verdict_of(login.prove()) == "try_another"
    verdict = login.want_prompt()
    assert verdict_of(verdict) == "disconnected" and "is not registered" in verdict.text

    key = new_key()
    _, answer = authd.admin("key_register", public_key=key_line(key), person="alice@example.org")
    assert answer.ok
    wrong = Login(authd, key=key)
    provider.approve(wrong.begin(), "bob")
    assert verdict_of(wrong.finish()) == "disconnected"
    right = Login(authd, key=key)
    provider.approve(right.begin(), "alice")
    assert right.finish().name == "grant"
    _, answer = authd.admin("key_register", public_key=key_line(key), person="bob@example.org")
    assert not answer.ok and "revoke it first" in answer.text
