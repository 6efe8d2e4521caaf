# SPDX-License-Identifier: Apache-2.0
"""`sallyportctl vault` against the real keyd: keys of stock ssh-keygen in, public halves out, and
nothing readable on disk."""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile

import pexpect
import pytest

BUILD = pathlib.Path(os.environ["SALLYPORT_BUILD_DIR"])
PASSPHRASE = "correct horse battery staple"


def keygen(path, passphrase="", *options):
    subprocess.run(["ssh-keygen", "-q", "-N", passphrase, "-C", "x", "-f", path,
                    *(options or ("-t", "ed25519"))], check=True)
    return path


def public_half(key):
    return " ".join(pathlib.Path(f"{key}.pub").read_text().split()[:2])


class Keyd:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sp-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.config = self.folder / "etc"
        identity = subprocess.run(["age-keygen"], capture_output=True, text=True, check=True)
        recipient = re.search(r"age1\w+", identity.stdout).group(0)
        made = self.run("init", "--directory", self.config, "--development", "--recipient", recipient)
        assert made.returncode == 0, made.stderr
        self.process = None
        self.start()

    def start(self):
        notify = self.folder / "notify"
        notify.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(str(notify))
            notify.chmod(0o777)
            ready.settimeout(20)
            self.process = subprocess.Popen(
                [BUILD / "libexec" / "sallyport-keyd", "--config", self.config],
                stderr=open(self.folder / "keyd.log", "ab"),
                env={**os.environ, "NOTIFY_SOCKET": str(notify)})
            assert ready.recv(100) == b"READY=1"

    def stop(self):
        self.process.terminate()
        return self.process.wait(10)

    def remove(self):
        if self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder)

    def run(self, *arguments):
        return subprocess.run(
            [BUILD / "bin" / "sallyportctl", "--config", str(self.config), *map(str, arguments)],
            capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
            start_new_session=True)

    def vault(self, *arguments):
        return self.run("vault", *arguments)

    def listed(self):
        return {entry["name"]: entry for entry in json.loads(self.vault("list", "--json").stdout)}


@pytest.fixture(scope="module")
def keyd():
    daemon = Keyd()
    yield daemon
    daemon.remove()


@pytest.mark.parametrize("algorithm, begins", [
    ("ed25519", "ssh-ed25519 "), ("ecdsa", "ecdsa-sha2-nistp256 "), ("rsa", "ssh-rsa ")])
def test_generate_prints_the_line_for_authorized_keys(keyd, algorithm, begins):
    made = keyd.vault("generate", f"gen-{algorithm}", "--type", algorithm)
    assert made.returncode == 0 and made.stdout.startswith(begins), made.stderr
    assert made.stdout == keyd.vault("public", f"gen-{algorithm}").stdout
    entry = keyd.listed()[f"gen-{algorithm}"]
    assert made.stdout.strip() == entry["public_key"]
    shown = subprocess.run(["ssh-keygen", "-lf", "-"], input=made.stdout, capture_output=True,
                           text=True, check=True).stdout
    assert entry["fingerprint"] in shown


def test_add_takes_open_and_encrypted_keys(keyd, tmp_path):
    (tmp_path / "pass").write_text(PASSPHRASE + "\n")
    for name, passphrase, options in [
            ("add-open", "", ()), ("add-sealed", PASSPHRASE, ()),
            ("add-rsa", PASSPHRASE, ("-t", "rsa", "-b", "2048", "-m", "PEM"))]:
        key = keygen(tmp_path / name, passphrase, *options)
        added = keyd.vault("add", name, key, "--passphrase-file", tmp_path / "pass")
        assert added.returncode == 0, added.stderr
        assert added.stdout == f"{public_half(key)} sallyport:{name}\n"


def test_the_passphrase_is_asked_without_echo(keyd, tmp_path):
    key = keygen(tmp_path / "asked", PASSPHRASE)
    child = pexpect.spawn(str(BUILD / "bin" / "sallyportctl"),
                          ["--config", str(keyd.config), "vault", "add", "asked", str(key)],
                          encoding="utf-8", timeout=20)
    child.expect("Passphrase of .*asked:")
    child.sendline("wrong\x7f\x7f\x7f\x7f\x7f" + PASSPHRASE)
    child.expect(pexpect.EOF)
    assert public_half(key) in child.before
    assert "horse" not in child.before
    child.close()
    assert child.exitstatus == 0


def test_ctrl_c_at_the_passphrase_leaves_the_terminal_as_it_was(keyd, tmp_path):
    key = keygen(tmp_path / "cancelled", PASSPHRASE)
    shell = pexpect.spawn("/bin/sh", encoding="utf-8", timeout=20)
    shell.sendline(f"{BUILD}/bin/sallyportctl --config {keyd.config} vault add cancelled {key};"
                   " echo status $?; stty -a")
    shell.expect("Passphrase of .*cancelled:")
    shell.send("\x03")
    shell.expect("nothing was changed")
    shell.expect("status 1")
    shell.expect(r"\sisig")
    shell.expect(r"\secho\s")
    shell.close()


def test_bad_input_gets_one_line_that_says_what_to_do(keyd, tmp_path):
    sealed = keygen(tmp_path / "sealed", PASSPHRASE)
    weak = keygen(tmp_path / "weak", "", "-t", "rsa", "-b", "1024")
    (tmp_path / "wrong").write_text("wrong\n")
    (tmp_path / "empty").write_text("")
    keyd.vault("generate", "taken")
    for arguments, text in [
            (("add", "x", f"{sealed}.pub"), "this is a public key; give the private key's file"),
            (("add", "x", sealed, "--passphrase-file", tmp_path / "wrong"), "passphrase is wrong"),
            (("add", "x", sealed, "--passphrase-file", tmp_path / "empty"), "no passphrase"),
            (("add", "x", sealed), "no terminal to ask on; give --passphrase-file"),
            (("add", "x", weak), "RSA 1024 bit keys are not supported"),
            (("add", "x", tmp_path / "missing"), "No such file"),
            (("add", "a b", sealed), "cannot be a key's name"),
            (("generate", "../x"), "cannot be a key's name"),
            (("generate", "taken"), "has a key taken already"),
            (("remove", "missing", "--yes"), 'has no key "missing"'),
            (("public", "missing"), 'has no key "missing"'),
            (("remove", "taken"), "no terminal to ask on; give --yes")]:
        refused = keyd.vault(*arguments)
        assert refused.returncode == 1 and refused.stdout == "", arguments
        assert text in refused.stderr and refused.stderr.count("\n") == 1, refused.stderr
    assert "x" not in keyd.listed()


def test_remove_says_what_it_does_and_asks(keyd):
    keyd.vault("generate", "doomed")
    for answer, gone in [("n", False), ("", False), ("y", True)]:
        child = pexpect.spawn(str(BUILD / "bin" / "sallyportctl"),
                              ["--config", str(keyd.config), "vault", "remove", "doomed"],
                              encoding="utf-8", timeout=20, dimensions=(24, 200))
        child.expect(r"deletes the private key doomed \(ssh-ed25519, SHA256:.*No target uses it")
        child.sendline(answer)
        child.expect(pexpect.EOF)
        child.close()
        assert ("doomed" not in keyd.listed()) == gone


def test_keys_survive_a_restart_and_a_wrong_vault_key_is_refused(keyd):
    keyd.vault("generate", "lasting")
    before = keyd.listed()
    assert keyd.stop() == 0
    key_file = keyd.config / "vault.key"
    good = key_file.read_text()
    key_file.write_text("0" * 64 + "\n")
    refused = subprocess.run([BUILD / "libexec" / "sallyport-keyd", "--config", keyd.config],
                             capture_output=True, text=True, timeout=20)
    assert refused.returncode == 70 and "vault key" in refused.stderr
    key_file.write_text(good)
    keyd.start()
    assert keyd.listed() == before


def test_a_killed_keyd_is_told_as_such_and_the_next_one_answers(keyd):
    keyd.process.kill()
    keyd.process.wait(10)
    down = keyd.vault("list")
    assert down.returncode == 1 and "keyd does not run" in down.stderr
    keyd.start()
    assert keyd.vault("list").returncode == 0


def test_no_secret_is_on_disk(keyd, tmp_path):
    key = keygen(tmp_path / "canary", "", "-t", "rsa", "-b", "2048", "-m", "PKCS8")
    assert keyd.vault("add", "canary", key).returncode == 0
    der = subprocess.run(["openssl", "pkey", "-in", key, "-outform", "DER"], capture_output=True,
                         check=True).stdout
    pieces = [der[offset:offset + 16] for offset in range(300, len(der) - 16, 64)]
    files = [path for path in keyd.folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".key" and path.parent.name == "vault" for path in files)
    for path in files:
        content = path.read_bytes()
        assert not any(piece in content for piece in pieces), path
        assert PASSPHRASE.encode() not in content, path
        assert b"canary" not in content or path.name == "keyd.log", path
    for path in (keyd.folder / "etc" / "state" / "keyd" / "vault").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600


def test_keyd_is_confined(keyd):
    status = pathlib.Path(f"/proc/{keyd.process.pid}/status").read_text()
    assert re.search(r"^Seccomp:\s+2$", status, re.M)
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.M)
    libraries = subprocess.run(["ldd", BUILD / "libexec" / "sallyport-keyd"], capture_output=True,
                               text=True, check=True).stdout
    for foreign in ["libssh", "libsystemd", "libcurl", "libsqlite", "liboauth2", "libbotan", "libzstd"]:
        assert foreign not in libraries
