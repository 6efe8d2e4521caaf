# SPDX-License-Identifier: Apache-2.0
"""What the bench measures: one target sshd, an sshd to jump through, one sshd for each forced
command, the bastion, and an ssh_config in which each of them has a name."""
import contextlib
import glob
import os
import pathlib
import shutil

from tests.support.dev_idp import DevIdp
from tests.support.stack import ME, Bastion, Client, Target, make_key, short_folder

# With a terminal the forced command runs `inner`, which is the ssh to the target. Without one
# script and tlog have nothing to record.
FORCED_COMMANDS = {
    "nested": "exec {inner}",
    "script": "exec script -q -f -e -O $(mktemp {records}/script.XXXXXX) -c {inner}",
    "tlog": "exec env LC_ALL=C.UTF-8 tlog-rec -w file -o $(mktemp {records}/tlog.XXXXXX) {inner}",
}
INNER = """#!/bin/sh
exec ssh -F {config} -tt target ${{SSH_ORIGINAL_COMMAND:+"$SSH_ORIGINAL_COMMAND"}}
"""
# sshd puts its own word into SSH_ORIGINAL_COMMAND for the subsystem sftp.
FORCED = """#!/bin/sh
[ -t 0 ] && {with_terminal}
[ "$SSH_ORIGINAL_COMMAND" = internal-sftp ] && exec ssh -F {config} -s target sftp
exec ssh -F {config} target ${{SSH_ORIGINAL_COMMAND:+"$SSH_ORIGINAL_COMMAND"}}
"""
CLIENT_CONFIG = """Host *
 BatchMode yes
 IdentitiesOnly yes
 IdentityAgent none
 StrictHostKeyChecking no
 UserKnownHostsFile /dev/null
 GlobalKnownHostsFile /dev/null
 LogLevel ERROR
 ConnectTimeout 60
 IgnoreUnknown ObscureKeystrokeTiming
 ObscureKeystrokeTiming no
"""
# Everything is recorded in full, whatever it is.
ROLES = {"users": {"groups": ["*"], "targets": ["*"], "logins": [ME], "record_streams_mib": 1_000_000,
                   "record_forwards_mib": 1_000_000}}
LIMITS = {"max_sessions": 4000, "max_unauthenticated": 1000}


class Lab:
    """`algorithms` are lines of ssh_config and sshd_config that every connection keeps to;
    `foreign` are other bastions (name, login, address, port, identity, roots)."""

    def __init__(self, algorithms, foreign):
        self.folder = short_folder()
        self.config = self.folder / "ssh_config"
        self.records = self.folder / "records"
        self.records.mkdir()
        self.algorithms = algorithms
        self.foreign = foreign
        self.key = make_key(self.folder / "key")
        self.servers = {}
        self.ends = contextlib.ExitStack()
        self.ends.callback(shutil.rmtree, self.folder, ignore_errors=True)

    def __enter__(self):
        with self.ends:
            self.start_servers()
            self.start_bastion()
            self.write_client_config()
            self.ends = self.ends.pop_all()
        return self

    def __exit__(self, *_):
        self.ends.close()

    def start_sshd(self, name, extra=""):
        limits = "MaxStartups 1000\nMaxSessions 1000\n"
        server = Target(self.folder / name, limits + self.algorithms + extra)
        self.ends.callback(server.stop)
        server.authorized_keys.write_text(pathlib.Path(f"{self.key}.pub").read_text())
        self.servers[name] = server

    def start_servers(self):
        self.make_utmp()
        self.start_sshd("target")
        self.start_sshd("jump")
        inner = self.write_script("inner", INNER.format(config=self.config))
        for name, command in FORCED_COMMANDS.items():
            command = command.format(inner=inner, records=self.records)
            forced = FORCED.format(with_terminal=command, config=self.config)
            self.start_sshd(name, f"ForceCommand {self.write_script(name + '.sh', forced)}\n")

    def make_utmp(self):
        """tlog insists on it, and containers often have none."""
        utmp = pathlib.Path("/run/utmp")
        if os.geteuid() == 0 and not utmp.exists():
            utmp.touch()
            self.ends.callback(utmp.unlink)

    def write_script(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def start_bastion(self):
        idp = DevIdp()
        self.bastion = Bastion(idp.identity, self.servers["target"], limits=LIMITS, roles=ROLES)
        self.ends.callback(self.bastion.remove)
        idp.start(self.bastion.config_folder)
        self.ends.callback(idp.stop)
        self.bastion.start()
        self.bastion.use_vault_key()
        self.client = Client(self.bastion, self.folder, "remembered")
        self.client.log_in(idp.approve)

    def write_client_config(self):
        hosts = [host(name, server.port, ME, self.key) for name, server in self.servers.items()]
        ours = self.bastion.port, self.client.key
        hosts.append(host("us", ours[0], f"{ME}@web1", ours[1]))
        hosts.append(host("us-jump", ours[0], ME, ours[1]))
        hosts.append(host("web1", 22, ME, ours[1], address="web1"))
        hosts += [host(one.name, one.port, one.login, one.identity or self.key, one.address)
                  for one in self.foreign]
        self.config.write_text("".join(hosts) + CLIENT_CONFIG + self.algorithms)

    def pids(self, name):
        server = self.bastion if name == "us" else self.servers[name]
        return [server.process.pid]

    def forget_recordings(self):
        """They would fill the disk."""
        for path in [*self.bastion.recordings(), *self.records.iterdir()]:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()


def host(name, port, user, key, address="127.0.0.1"):
    return (f"Host {name}\n HostName {address}\n Port {port}\n User {user}\n"
            f" IdentityFile {key}\n")


def recorded_bytes(way):
    return sum(os.path.getsize(path) for pattern in way.records_to for path in glob.glob(pattern))
