# SPDX-License-Identifier: Apache-2.0
"""The same client directly at the target, through the bastion, and through it by ssh -J."""
import os
import pathlib
import subprocess

from tests.support.stack import ME, Client


class Lab:
    """A folder with the client configuration in which "direct", "us" and "jump" are hosts."""

    def __init__(self, bastion, folder):
        self.bastion, self.folder = bastion, folder
        self.client = Client(bastion, folder)
        self.client.log_in(bastion.idp.approve)
        with open(bastion.target.authorized_keys, "a") as keys:
            keys.write(pathlib.Path(f"{self.client.key}.pub").read_text())
        known = folder / "known"
        known.write_text(
            f"[127.0.0.1]:{bastion.target.port} {bastion.target.public_host_key()}\n"
            + self.client.known_hosts.read_text() + bastion.ctl("known-hosts").stdout)
        self.config = folder / "config"
        self.config.write_text(f"""
Host *
  IdentityFile {self.client.key}
  IdentitiesOnly yes
  IdentityAgent none
  BatchMode yes
  LogLevel ERROR
  UserKnownHostsFile {known}
Host direct
  HostName 127.0.0.1
  Port {bastion.target.port}
  User {ME}
Host us
  HostName 127.0.0.1
  Port {bastion.port}
  User {ME}@web1
Host outer
  HostName 127.0.0.1
  Port {bastion.port}
  User somebody
Host jump
  HostName web1
  User {ME}
  ProxyJump outer
""")

    def run(self, *words, **more):
        more.setdefault("stdin", subprocess.DEVNULL) if "input" not in more else None
        return subprocess.run([str(word) for word in words], capture_output=True, timeout=120,
                              env={**os.environ, "HOME": str(self.folder),
                                   "GIT_CONFIG_NOSYSTEM": "1"}, **more)

    def new(self, name):
        path = self.folder / name
        path.mkdir(parents=True)
        return path
