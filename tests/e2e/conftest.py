# SPDX-License-Identifier: Apache-2.0
"""One bastion with the development identity provider per test file; a test that kills or
reconfigures it makes its own."""
import contextlib
import time

import pytest

from tests.support import idp as providers
from tests.support.authd import Authd, Login
from tests.support.dev_idp import DevIdp
from tests.support.services import BastionOfServices
from tests.support.stack import BUILD, Bastion, Client, Target


@contextlib.contextmanager
def running_stack(tmp_path, idp=None, sshd_config="", build=BUILD, **changes):
    target = Target(tmp_path / "target", sshd_config)
    idp = idp or DevIdp()
    bastion = Bastion(idp.identity, target, **changes)
    bastion.idp = idp
    bastion.build = build
    try:
        idp.start(bastion.config_folder)
        bastion.start()
        bastion.use_vault_key()
        yield bastion
    finally:
        bastion.remove()
        idp.stop()
        target.stop()


@pytest.fixture(scope="module")
def bastion(tmp_path_factory):
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture
def fresh_bastion(tmp_path):
    with running_stack(tmp_path) as running:
        yield running


@pytest.fixture
def new_client(bastion, tmp_path):
    """Makes clients of the module's bastion; logged in unless said otherwise."""
    made = []

    def make(name=None, logged_in=True, of=None, **more):
        name = name or f"client{len(made)}"
        client = Client(of or bastion, tmp_path, name, **more)
        made.append(client)
        if logged_in:
            client.log_in((of or bastion).idp.approve)
        return client

    return make


@pytest.fixture
def client(new_client):
    return new_client()


@pytest.fixture
def second(bastion, tmp_path):
    """Another sshd, which is no target yet; it lets in the same vault key."""
    target = Target(tmp_path / "second")
    target.authorized_keys.write_text(bastion.target.authorized_keys.read_text())
    yield target
    target.stop()


# authd alone, with oidc-provider behind it.

@pytest.fixture(scope="module")
def provider():
    with providers.start("oidc-provider", interval=1) as running:
        yield running


@pytest.fixture
def start_authd(provider):
    started = []

    def start(**changes):
        started.append(Authd(provider.issuer, **changes))
        return started[-1]

    yield start
    for authd in started:
        authd.remove()


@pytest.fixture
def authd(start_authd):
    return start_authd()


@pytest.fixture
def log_in(provider):
    def run(authd, user="alice", **who):
        login = Login(authd, **who)
        provider.approve(login.begin(), user)
        grant = login.finish()
        assert grant.name == "grant", grant
        return login, grant

    return run


@pytest.fixture
def new_services(tmp_path):
    """Makes bastions, one after the other, with a person who is logged in."""
    target, idp = Target(tmp_path / "target"), DevIdp()
    made = []

    def make():
        if made:
            made.pop().remove()
        bastion = BastionOfServices(idp.identity, target)
        made.append(bastion)
        idp.stop()
        idp.start(bastion.config_folder)
        bastion.start().use_vault_key()
        folder = tmp_path / f"client{time.monotonic_ns()}"
        folder.mkdir()
        client = Client(bastion, folder)
        client.log_in(idp.approve)
        bastion.verify("--all")  # the first checkpoint is there
        return bastion, client

    yield make
    for bastion in made:
        bastion.remove()
    idp.stop()
    target.stop()
