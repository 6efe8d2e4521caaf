# SPDX-License-Identifier: Apache-2.0
"""With daemons of their own (as under systemd) a gate that is killed or restarted ends no session,
its successor takes new ones, and what the old one left can still be ended."""
import json
import shlex
import subprocess
import time

import pexpect
import pytest

from tests.support.dev_idp import DevIdp
from tests.support.services import BastionOfServices
from tests.support.stack import ME, Client, Target

TRANSFER = 128 << 20


@pytest.fixture
def services(tmp_path):
    target, idp = Target(tmp_path / "target"), DevIdp()
    bastion = BastionOfServices(idp.identity, target)
    try:
        idp.start(bastion.config_folder)
        yield bastion.start().use_vault_key(), idp
    finally:
        bastion.remove()
        idp.stop()
        target.stop()


def test_sessions_outlive_a_killed_gate(services, tmp_path):
    bastion, idp = services
    client = Client(bastion, tmp_path, "client")
    client.log_in(idp.approve)
    child = client.spawn("echo up; while read line; do echo got $line; done")
    child.expect("up\r\n")
    bastion.process.kill()
    bastion.process.wait()
    bastion.start_gate()
    assert client.run("echo new").stdout == b"new\n", "the next gate takes new sessions"
    child.sendline("this")
    child.expect("got this\r\n")

    fingerprint = subprocess.run(["ssh-keygen", "-l", "-f", client.key], capture_output=True,
                                 text=True).stdout.split()[1]
    begin = time.monotonic()
    assert "session(s) ended" in bastion.ctl("keys", "revoke", fingerprint, "--yes").stdout
    child.expect("the key of this session was revoked", timeout=5)
    child.expect(pexpect.EOF, timeout=5)
    assert time.monotonic() - begin < 5


def by_jump(client, command):
    outer = client.command(user="somebody", options=("-o", "BatchMode=yes", "-W", "web1:22"))
    return ["ssh", "-F", "/dev/null", "-o", f"ProxyCommand={shlex.join(outer)}",
            "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
            f"{ME}@web1", command]


def test_restart_the_service_during_a_transfer(services, tmp_path):
    bastion, idp = services
    client = Client(bastion, tmp_path, "client")
    client.log_in(idp.approve)
    command = f"head -c {TRANSFER} /dev/zero"
    transfers = [subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
                 for words in (client.command(command, options=("-o", "BatchMode=yes")),
                               by_jump(client, command))]
    got = [len(transfer.stdout.read(TRANSFER // 2)) for transfer in transfers]
    newcomer = Client(bastion, tmp_path, "newcomer").spawn()
    newcomer.expect("http")  # the sign-in's address: not in yet

    bastion.process.terminate()
    assert bastion.process.wait(10) == 0
    newcomer.sendline()  # ssh reads the prompt's answer before it looks at the network
    newcomer.expect("the bastion is stopping")
    bastion.start_gate()
    assert len(json.loads(bastion.ctl("sessions", "list", "--json").stdout)) == 3
    for before, transfer in zip(got, transfers):
        assert before + len(transfer.stdout.read()) == TRANSFER
        assert transfer.wait(30) == 0
    assert client.run("echo new").stdout == b"new\n"


def test_a_login_without_its_gate_is_told_to_come_again(services, tmp_path):
    bastion, _ = services
    newcomer = Client(bastion, tmp_path, "newcomer").spawn()
    newcomer.expect("http")
    bastion.process.kill()
    bastion.process.wait()
    newcomer.sendline()
    newcomer.expect("this bastion is restarting; connect again", timeout=5)
    newcomer.expect(pexpect.EOF, timeout=5)
