# SPDX-License-Identifier: Apache-2.0
"""authd alone, asked over its own socket as monitor, gate, keyd, stored and sallyportctl ask it."""
import base64
import contextlib
import hashlib
import json
import os
import pathlib
import re
import secrets
import shutil
import struct
import subprocess
import tempfile
import time

from tests.support import ipc

PROGRAM = pathlib.Path(os.environ["SALLYPORT_BUILD_DIR"]) / "libexec" / "sallyport-authd"
RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
CLIENT_SECRET = "secret+with/odd:chars&100%"
DIAL, SIGN, RECORD = 0, 1, 2


def text_field(data):
    return struct.pack(">I", len(data)) + data


def new_key():
    """A public key blob. Nobody signs here: that a key is proven is what monitor says."""
    return text_field(b"ssh-ed25519") + text_field(secrets.token_bytes(32))


def key_line(blob):
    return "ssh-ed25519 " + base64.b64encode(blob).decode() + " test"


def fingerprint(blob):
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


# Root's authd would become a user of its own: here it is somebody without any, and so are we.
UID = 65534 if os.geteuid() == 0 else os.geteuid()
HOST_KEY = " ".join(key_line(new_key()).split()[:2])


class Authd:
    def __init__(self, issuer, **changes):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sp-", dir="/tmp"))
        for name in ("etc", "state/authd", "run/authd"):
            (self.folder / name).mkdir(parents=True, mode=0o700)
        self.write_private("seal.key", secrets.token_hex(32) + "\n")
        self.write_private("client.secret", CLIENT_SECRET + "\n")
        self.config = {
            "development": True, "node": "test", "host_keys": ["host_key"],
            "state_directory": str(self.folder / "state"),
            "runtime_directory": str(self.folder / "run"),
            "seal": {"key_file": "seal.key"},
            "vault": {"key_file": "vault.key"},
            "recording": {"recipients": [RECIPIENT]},
            "identity": {"issuer": issuer, "client_id": "bastion-basic",
                         "client_authentication": "basic", "client_secret_file": "client.secret"},
            "roles": {"users": {"groups": ["ssh-users"], "targets": ["web*"], "logins": ["root"]},
                      "admins": {"groups": ["db-admins"], "targets": ["db*"], "logins": ["root"],
                                 "channels": ["exec"]}},
            "targets": {name: {"address": "127.0.0.1:22", "host_keys": [HOST_KEY], "key": "main"}
                        for name in ("web1", "db1")},
        }
        for key, value in changes.items():
            self.config[key] = {**self.config.get(key, {}), **value}
        self.write_config()
        if UID != os.geteuid():
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, UID, -1)
        self.process = None
        self.start()

    def write_private(self, name, text):
        path = self.folder / "etc" / name
        path.write_text(text)
        path.chmod(0o600)
        if UID != os.geteuid():
            os.chown(path, UID, -1)

    def write_config(self):
        (self.folder / "etc" / "sallyport.json").write_text(json.dumps(self.config))

    def start(self):
        self.process = subprocess.Popen(
            [PROGRAM, "--config", self.folder / "etc"], stderr=open(self.folder / "log", "ab"),
            user=UID if UID != os.geteuid() else None)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError):
                self.connect().close()
                return
            time.sleep(0.02)
        raise AssertionError((self.folder / "log").read_text())

    def connect(self):
        return ipc.Connection(self.folder / "run" / "authd" / "socket", uid=UID)

    def admin(self, name, **values):
        with self.connect() as connection:
            return connection.ask_all(name, **values)

    def log(self):
        return (self.folder / "log").read_text()

    def stop(self):
        self.process.terminate()
        return self.process.wait(10)

    def remove(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Login:
    """What monitor does for one client."""

    def __init__(self, authd, key=None, user="root@web1", address="203.0.113.7"):
        self.connection = authd.connect()
        self.session = secrets.token_bytes(16)
        self.user = user
        self.connection.send("login_origin", session=self.session, address=address,
                             outer=bytes(16), jump_target="")
        self.key = key or new_key()

    def prove(self, key=None, **changes):
        return self.connection.ask("ask_key_login", algorithm="ssh-ed25519",
                                   blob=key or self.key, **{"user": self.user, **changes})

    def want_prompt(self):
        return self.connection.ask("ask_prompt_login", user=self.user)

    def begin(self):
        """As far as the prompt; returns the code in it."""
        assert verdict_of(self.prove()) == "more"
        prompt = self.want_prompt()
        assert prompt.name == "prompt", prompt
        return re.search(r"Code +(\S+)", prompt.text).group(1)

    def press_enter(self):
        return self.connection.ask("prompt_answer", text="")

    def finish(self):
        """Enter until it is decided: a poll may be due only later."""
        for _ in range(20):
            reply = self.press_enter()
            if reply.name != "prompt":
                return reply
            time.sleep(0.2)
        raise AssertionError("never decided")

    def leave(self):
        self.connection.close()


def verdict_of(message):
    assert message.name == "verdict", message
    return ipc.LOGIN[message.login]
