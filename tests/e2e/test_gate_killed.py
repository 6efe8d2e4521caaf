# SPDX-License-Identifier: Apache-2.0
"""With daemons of their own (as under systemd) a killed gate ends no session, its successor takes
new ones, and what the old one left can still be ended."""
import subprocess
import time

import pexpect
import pytest

from tests.support.dev_idp import DevIdp
from tests.support.stack import AS_USER, BUILD, Bastion, Client, Target, wait_for_port, wait_until


class BastionOfServices(Bastion):
    DAEMONS = ("authd", "keyd", "stored")

    def start(self):
        for name in self.DAEMONS:  # systemd makes them where it starts the daemons
            (self.folder / "state" / name).mkdir(mode=0o700, parents=True)
            (self.folder / "run" / name).mkdir(mode=0o755, parents=True)
        self.hand_over()
        self.daemons = [self.spawn(BUILD / "libexec" / f"sallyport-{name}")
                        for name in self.DAEMONS]
        for name in self.DAEMONS:
            wait_until(lambda: list((self.folder / "run" / name).iterdir()), 10, name)
        return self.start_gate()

    def spawn(self, program, *options):
        return subprocess.Popen([str(program), "--config", str(self.config_folder), *options],
                                stderr=open(self.log_path, "ab"), **AS_USER)

    def start_gate(self):
        self.process = self.spawn(BUILD / "bin" / "sallyportd", "--no-daemons")
        wait_for_port(self.port, self.process)
        return self

    def stop(self):
        super().stop()
        for daemon in self.daemons:
            daemon.terminate()
            daemon.wait(10)


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
