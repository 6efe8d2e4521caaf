# SPDX-License-Identifier: Apache-2.0
"""Real parts for end-to-end tests: an sshd to reach, a bastion to reach it through, a client.

Everything lies below one folder, listens on loopback, and ends by its own process id."""
import contextlib
import getpass
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pexpect

BUILD = pathlib.Path(os.environ["SALLYPORT_BUILD_DIR"])
ME = getpass.getuser()
# As root the bastion would want its system users; the quick start covers that. Here everything of
# it runs as one user without rights.
AS_USER = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, process=None, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        assert process is None or process.poll() is None, "the server ended at once"
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on port {port}")


def wait_until(condition, seconds=10, what="it"):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds} s")


def end_client(process):
    """OpenSSH's client before 9.6 sleeps over a signal that comes just before its poll(2)."""
    for _ in range(10):
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(1)
    process.kill()
    raise AssertionError("the client does not end")


def make_key(path, kind="ed25519"):
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "test", "-f", str(path)],
                   check=True)
    return pathlib.Path(path)


def short_folder():
    """UNIX sockets must stay below 107 bytes, so not pytest's long tmp_path."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sp-", dir="/tmp"))
    folder.chmod(0o755)
    return folder


class Target:
    """A private OpenSSH server that lets in the keys of `authorized_keys` as the present user."""

    def __init__(self, folder, extra_config=""):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.host_key = make_key(self.folder / "host_ed25519")
        self.authorized_keys = self.folder / "authorized_keys"
        # Not the developer's: a slow ~/.bashrc, or a lock in it, is no business of these tests.
        self.home = self.folder / "home"
        self.home.mkdir(exist_ok=True)
        self.authorized_keys.touch()
        self.extra_config = extra_config
        self.process = None
        self.start()

    def start(self):
        config = self.folder / "sshd_config"
        # sshd takes the first of several: what a test asks for goes before the rest.
        config.write_text(f"""HostKey {self.host_key}
{self.extra_config}
ListenAddress 127.0.0.1:{self.port}
AuthorizedKeysFile {self.authorized_keys}
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
AcceptEnv LANG LC_*
SetEnv HOME={self.home}
MaxSessions 50
MaxStartups 100:30:200
Subsystem sftp internal-sftp
LogLevel ERROR
""")
        os.makedirs("/run/sshd", exist_ok=True) if os.geteuid() == 0 else None
        self.process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", str(config)],
                                        stderr=open(self.folder / "sshd.log", "ab"),
                                        env={**os.environ, **self.unprivileged()})
        wait_for_port(self.port, self.process)

    def unprivileged(self):
        """sshd gives a terminal to the group "tty", which only root may where devpts does not do it
        by itself (containers, chroots). Without such a group it is content."""
        if os.geteuid() == 0:
            return {}
        groups = [line for line in open("/etc/group") if not line.startswith("tty:")]
        (self.folder / "group").write_text("".join(groups))
        return {"LD_PRELOAD": "libnss_wrapper.so", "NSS_WRAPPER_PASSWD": "/etc/passwd",
                "NSS_WRAPPER_GROUP": str(self.folder / "group")}

    def public_host_key(self):
        return " ".join(pathlib.Path(f"{self.host_key}.pub").read_text().split()[:2])

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


class Bastion:
    """sallyportd with its daemons, as the present user, in a folder of its own."""

    def __init__(self, identity, target, **changes):
        self.folder = short_folder()
        self.config_folder = self.folder / "etc"
        self.config_folder.mkdir()
        self.port = free_port()
        self.target = target
        self.process = None
        self.build = BUILD
        self.log_path = self.folder / "log"
        self.known_log_key = None
        make_key(self.config_folder / "host_ed25519")
        for name in ("vault.key", "seal.key", "jump.key"):
            path = self.config_folder / name
            path.write_text(secrets.token_hex(32) + "\n")
            path.chmod(0o600)
        self.identity_file = self.folder / "auditor.age"
        made = subprocess.run(["age-keygen", "-o", str(self.identity_file)], check=True,
                              capture_output=True, text=True)
        self.recipient = re.search(r"age1\w+", made.stderr).group(0)
        self.config = {
            "development": True,
            "node": "test-node",
            "listen": [f"127.0.0.1:{self.port}"],
            "host_keys": ["host_ed25519"],
            "state_directory": str(self.folder / "state"),
            "runtime_directory": str(self.folder / "run"),
            "vault": {"key_file": "vault.key"},
            "seal": {"key_file": "seal.key"},
            "jump": {"key_file": "jump.key"},
            "identity": identity,
            "recording": {"recipients": [self.recipient]},
            "roles": {"users": {"groups": ["ssh-users"], "targets": ["web*"], "logins": [ME]},
                      "admins": {"groups": ["db-admins", "admins"], "targets": ["*"],
                                 "logins": [ME]}},
            "targets": {
                "web1": {"address": f"127.0.0.1:{target.port}",
                         "host_keys": [target.public_host_key()], "key": "main"},
                "db1": {"address": f"127.0.0.1:{target.port}",
                        "host_keys": [target.public_host_key()], "key": "main"},
            },
        }
        self.config.update(changes)
        self.write_config()

    def write_config(self):
        (self.config_folder / "sallyport.json").write_text(json.dumps(self.config, indent=1))

    @contextlib.contextmanager
    def changed(self, **changes):
        """The configuration with other values, taken up by a reload, and the old one afterwards."""
        before = self.config
        self.config = {**before, **{key: {**before.get(key, {}), **value}
                                    for key, value in changes.items()}}
        try:
            self.write_config()
            self.ctl("reload")
            yield
        finally:
            self.config = before
            self.write_config()
            self.ctl("reload")

    def hand_over(self):
        if AS_USER:
            shutil.chown(self.folder, AS_USER["user"], AS_USER["group"])
            for path in self.folder.rglob("*"):
                shutil.chown(path, AS_USER["user"], AS_USER["group"])

    def start(self):
        self.hand_over()
        self.process = subprocess.Popen(
            [str(self.build / "bin" / "sallyportd"), "--config", str(self.config_folder)],
            stderr=open(self.log_path, "ab"), **AS_USER)
        try:
            wait_for_port(self.port, self.process)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log_path.read_text()}") from error
        return self

    def use_vault_key(self):
        """A key in the vault that the target lets in."""
        self.ctl("vault", "generate", "main")
        public = self.ctl("vault", "public", "main").stdout
        with open(self.target.authorized_keys, "a") as keys:
            keys.write(public.strip() + "\n")
        return self

    def ctl(self, *arguments, check=True, text=""):
        done = subprocess.run(
            [str(BUILD / "bin" / "sallyportctl"), "--config", str(self.config_folder), *arguments],
            capture_output=True, text=True, input=text, timeout=60)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def play(self, *arguments, check=True):
        done = subprocess.run(
            [str(BUILD / "bin" / "sallyport-play"), *arguments, "-i", str(self.identity_file)],
            capture_output=True, timeout=300)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def log_key(self):
        if not self.known_log_key:
            self.known_log_key = self.ctl("log", "key").stdout.strip()
        return self.known_log_key

    def report(self, *what):
        """What verification says."""
        done = self.play("verify", "--json", *map(str, what), "--recordings",
                         str(self.recordings_folder()), "--log-key", self.log_key(), check=False)
        assert done.returncode in (0, 1, 3), done.stderr
        return json.loads(done.stdout)

    def verdict(self, recording):
        [one] = [each for each in self.report("--all")["recordings"] if each["id"] == recording]
        return " ".join(finding["text"] for finding in one["findings"])

    def findings(self, *what):
        """What verification finds open or wrong, as (level, recording, text)."""
        report = self.report(*what)
        found = [(one["level"], "log", one["text"]) for one in report["log"]["findings"]]
        for recording in report["recordings"]:
            found += [(one["level"], recording["id"], one["text"])
                      for one in recording["findings"]]
        return [one for one in found if one[0] in ("open", "wrong")]

    def verify(self, *what):
        """All is proven: of one recording, or with "--all" of all and the log. A moment later than
        the last end, as the log is signed once a second."""
        still = []

        def is_proven():
            still[:] = self.findings(*what)
            return not still
        try:
            wait_until(is_proven, 10, "the proof")
        except AssertionError as error:
            raise AssertionError(f"{error}: {still}") from None

    def recordings_folder(self):
        return pathlib.Path(self.config["state_directory"]) / "stored" / "recordings"

    def recordings(self):
        folder = self.recordings_folder()
        return sorted(folder.glob("*.brec"), key=lambda p: p.stat().st_mtime_ns)

    def log(self):
        return [json.loads(line) for line in self.log_path.read_text().splitlines()
                if line.startswith("{")]

    def events(self, name):
        return [line for line in self.log() if line["event"] == name]

    def processes(self, role):
        """Process ids of this bastion's processes of that role (`sallyportd: role` in ps)."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                title = (entry / "cmdline").read_bytes().split(b"\0")[0].decode()
                if title == f"sallyportd: {role}" and self.is_ours(int(entry.name)):
                    found.append(int(entry.name))
        return found

    def is_ours(self, pid):
        return parent_of(pid) == self.process.pid

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def parent_of(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return int(stat.read().rsplit(")", 1)[1].split()[1])


class Client:
    """The stock OpenSSH client with a key of its own."""

    def __init__(self, bastion, folder, name="client", key=True):
        self.bastion = bastion
        self.folder = pathlib.Path(folder)
        self.key = make_key(self.folder / name) if key else None
        known = " ".join((bastion.config_folder / "host_ed25519.pub").read_text().split()[:2])
        self.known_hosts = self.folder / f"{name}.known_hosts"
        self.known_hosts.write_text(f"[127.0.0.1]:{bastion.port} {known}\n")

    def command(self, *arguments, user=f"{ME}@web1", options=()):
        key = ["-i", str(self.key)] if self.key else []
        # ssh takes the first of several: `options` may say otherwise than what follows.
        return ["ssh", "-F", "/dev/null", *options,
                "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none",
                "-o", f"UserKnownHostsFile={self.known_hosts}", "-o", "LogLevel=ERROR",
                "-o", "ConnectTimeout=20", *key, "-p", str(self.bastion.port),
                f"{user}@127.0.0.1", *arguments]

    def run(self, *arguments, user=f"{ME}@web1", options=(), timeout=60, **more):
        """Without a terminal and without a person: BatchMode."""
        more.setdefault("capture_output", True)
        if "input" not in more:
            more.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(
            self.command(*arguments, user=user, options=("-o", "BatchMode=yes", *options)),
            timeout=timeout, **more)

    def spawn(self, *arguments, user=f"{ME}@web1", options=(), dimensions=(24, 80), env=None):
        """In a terminal."""
        words = self.command(*arguments, user=user, options=options)
        child = pexpect.spawn(words[0], words[1:], dimensions=dimensions, timeout=30,
                              env={**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8",
                                   **(env or {})})
        child.delaybeforesend = None
        return child

    @contextlib.contextmanager
    def connection(self):
        """One connection that stays (ControlMaster): the options that put a session on it."""
        control = ["-o", f"ControlPath={self.key}.c", "-o", "BatchMode=yes"]
        master = subprocess.Popen(self.command(options=["-M", "-N", *control]))
        try:
            wait_until(lambda: os.path.exists(f"{self.key}.c"), 10, "the connection")
            yield control
        finally:
            subprocess.run(self.command(options=["-O", "exit", *control]), capture_output=True)
            master.kill()
            master.wait(10)

    def log_in(self, approve, command="true", user=f"{ME}@web1", person="alice"):
        """The device flow, approved by `approve(code, person)`; returns what was on the screen."""
        child = self.spawn(command, user=user)
        code = read_code(child)
        approve(code, person)
        child.sendline("")
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 0, child.before
        return child.before.decode()


def read_code(child):
    child.expect(r"Code\s+(\S+)")
    code = child.match.group(1).decode()
    child.expect("Press Enter")
    return code
