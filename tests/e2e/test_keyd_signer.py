# SPDX-License-Identifier: Apache-2.0
"""keyd's agent against stock peers: OpenSSH's client and libssh log in at a real sshd with it,
once. signer_probe serves keyd's own OneSignatureAgent on a UNIX socket."""

import getpass
import os
import pathlib
import socket
import subprocess
import time

import pytest

PROBES = pathlib.Path(os.environ["SALLYPORT_BUILD_DIR"]) / "tests"
LOGIN = getpass.getuser()


def run(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          timeout=60, check=True, stdin=subprocess.DEVNULL, **options)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def keygen(path, *options):
    run("ssh-keygen", "-q", "-N", "", "-f", path, *options)
    return path


class Sshd:
    """The target: a private sshd of this user, on loopback."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.host_key = keygen(folder / "host_key", "-t", "ed25519")
        self.authorized = folder / "authorized_keys"
        self.authorized.write_text("")
        config = folder / "sshd_config"
        config.write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.host_key}\n"
            f"AuthorizedKeysFile {self.authorized}\nPidFile none\nUsePAM no\nStrictModes no\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n")
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        self.process = subprocess.Popen(
            ["/usr/sbin/sshd", "-D", "-f", config, "-E", folder / "sshd.log"])
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("sshd does not listen: " + (folder / "sshd.log").read_text())

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class Signer:
    """signer_probe for one key; `log` is what it printed."""

    def __init__(self, folder, key, host_key_pub, login=LOGIN):
        self.socket = folder / f"agent-{key.name}"
        self.log_path = folder / f"probe-{key.name}.log"
        self.process = subprocess.Popen(
            [PROBES / "signer_probe", self.socket, key, login, host_key_pub],
            stdout=self.log_path.open("w"))
        for _ in range(100):
            if "ready" in self.log:
                return
            time.sleep(0.05)
        raise RuntimeError("signer_probe does not start")

    @property
    def log(self):
        return self.log_path.read_text()

    def stop(self):
        self.process.kill()
        self.process.wait(10)


@pytest.fixture(scope="module")
def sshd(tmp_path_factory):
    server = Sshd(tmp_path_factory.mktemp("sshd"))
    yield server
    server.stop()


@pytest.fixture
def signer(sshd, tmp_path):
    made = []

    def make(key_type, allowed=True, **options):
        key = keygen(tmp_path / f"key-{len(made)}", *key_type)
        public = pathlib.Path(f"{key}.pub").read_text()
        if allowed:
            sshd.authorized.write_text(public)
        options.setdefault("host_key_pub", f"{sshd.host_key}.pub")
        made.append(Signer(tmp_path, key, **options))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def ssh(sshd, signer, *options):
    return subprocess.run(
        ["ssh", "-F", "none", "-p", str(sshd.port), "-o", f"IdentityAgent={signer.socket}",
         "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
         "-o", "BatchMode=yes", *options, f"{LOGIN}@127.0.0.1", "echo logged in"],
        capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


def libssh(sshd, signer):
    return subprocess.run([PROBES / "libssh_login", str(sshd.port), LOGIN, signer.socket],
                          capture_output=True, text=True, timeout=60)


KEY_TYPES = [("-t", "ed25519"), ("-t", "ecdsa", "-b", "256"), ("-t", "ecdsa", "-b", "384"),
             ("-t", "ecdsa", "-b", "521"), ("-t", "rsa", "-b", "2048")]


@pytest.mark.parametrize("key_type", KEY_TYPES, ids=" ".join)
def test_openssh_logs_in_once(sshd, signer, key_type):
    agent = signer(key_type)
    first = ssh(sshd, agent)
    assert first.stdout == "logged in\n", first.stderr + agent.log
    second = ssh(sshd, agent)
    assert second.returncode == 255 and "Permission denied" in second.stderr
    assert agent.log.count("signed") == 1
    assert "after the one signature" in agent.log


@pytest.mark.parametrize("algorithm", ["rsa-sha2-256", "rsa-sha2-512"])
def test_rsa_signs_as_the_client_asks(sshd, signer, algorithm):
    result = ssh(sshd, signer(("-t", "rsa", "-b", "3072")), "-v",
                 "-o", f"PubkeyAcceptedAlgorithms={algorithm}")
    assert result.stdout == "logged in\n", result.stderr


def test_sha1_is_not_signed(sshd, signer):
    agent = signer(("-t", "rsa", "-b", "2048"))
    result = ssh(sshd, agent, "-o", "PubkeyAcceptedAlgorithms=ssh-rsa")
    assert result.returncode == 255
    assert "signed" not in agent.log


def test_the_host_bound_form_is_what_openssh_uses_and_its_key_must_be_pinned(sshd, signer, tmp_path):
    keygen(tmp_path / "another_host", "-t", "ed25519")
    agent = signer(("-t", "ed25519"), host_key_pub=tmp_path / "another_host.pub")
    result = ssh(sshd, agent)
    assert result.returncode == 255
    assert "bound to a host key that is not pinned" in agent.log
    assert "\nsigned" not in agent.log


def test_the_plain_form_works_too(sshd, signer):
    result = ssh(sshd, signer(("-t", "ed25519")), "-o", "PubkeyAuthentication=unbound")
    assert result.stdout == "logged in\n", result.stderr


def test_another_login_is_not_signed_for(sshd, signer):
    agent = signer(("-t", "ed25519"), login="somebody-else")
    result = ssh(sshd, agent)
    assert result.returncode == 255
    assert "another login than the grant's" in agent.log


@pytest.mark.parametrize("key_type", KEY_TYPES, ids=" ".join)
def test_libssh_logs_in_once(sshd, signer, key_type):
    agent = signer(key_type)
    first = libssh(sshd, agent)
    assert first.stdout == "logged in\n", first.stderr + agent.log
    second = libssh(sshd, agent)
    assert second.stdout == "refused\n"
    assert agent.log.count("signed") == 1


def test_a_key_that_the_target_does_not_know_opens_nothing(sshd, signer):
    agent = signer(("-t", "ed25519"), allowed=False)
    sshd.authorized.write_text("")
    assert libssh(sshd, agent).stdout == "refused\n"
    assert "signed" not in agent.log
