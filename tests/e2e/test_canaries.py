# SPDX-License-Identifier: Apache-2.0
"""Secrets and contents are found in no file that the product wrote, in no spelling."""
import base64
import os
import pathlib
import re
import subprocess

from tests.e2e.conftest import running_stack
from tests.support.stack import Client, make_key, wait_until

TYPED = "typed-canary-7f3a91"
PRINTED = "printed-canary-55d0c2"
PIPED = "piped-canary-90b1ee"
CLIENT_SECRET = "client-secret-canary-1c77"


def spellings(secret):
    """As it is, in hexadecimal, and in base64 at each of the three alignments."""
    found = {secret, secret.hex().encode(), secret.hex().upper().encode()}
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + secret)
        found.add(coded[4 if shift else 0:-4])
    return found


def files_of(bastion, started):
    """Everything below the bastion's folder, and what appeared in temporary places meanwhile."""
    places = [bastion.folder, pathlib.Path("/tmp"), pathlib.Path("/var/tmp"),
              pathlib.Path("/dev/shm"), pathlib.Path("/var/crash"),
              pathlib.Path("/var/lib/systemd/coredump")]
    user = os.stat(bastion.folder).st_uid
    for place in places:
        for path in place.rglob("*") if place == bastion.folder else place.glob("*"):
            if not path.is_file() or path.is_symlink():
                continue
            info = path.stat()
            if place == bastion.folder or (info.st_mtime >= started and info.st_uid == user):
                yield path


def private_seed(key_file):
    """The 32 secret bytes of an ed25519 key file without a passphrase."""
    body = base64.b64decode("".join(key_file.read_text().split("\n")[1:-2]))
    public = base64.b64decode(pathlib.Path(f"{key_file}.pub").read_text().split()[1])[-32:]
    at = body.rindex(public)  # the private half ends with seed + public
    return body[at - 32:at]


def test_no_file_holds_a_secret_or_a_session(tmp_path):
    started = 0
    with running_stack(tmp_path) as bastion:
        started = bastion.folder.stat().st_ctime
        key = make_key(tmp_path / "vault_key")
        bastion.ctl("vault", "add", "canary", str(key))
        with open(bastion.target.authorized_keys, "a") as keys:
            keys.write(pathlib.Path(f"{key}.pub").read_text())
        bastion.ctl("target", "add", "webcanary", f"127.0.0.1:{bastion.target.port}", "--key",
                    "canary", "--host-key", bastion.target.public_host_key(), "--yes")
        client = Client(bastion, tmp_path)
        user = f"{os.environ.get('USER', 'root')}@webcanary"
        shell = client.spawn(user=user)
        shell.expect(r"Code\s+(\S+)")
        bastion.idp.approve(shell.match.group(1).decode())
        shell.sendline("")
        shell.expect("is recorded")
        shell.sendline("stty -echo; read secret; stty echo; echo read ${#secret}")
        shell.sendline(TYPED)
        shell.expect(f"read {len(TYPED)}")
        shell.sendline(f"echo {PRINTED}")
        shell.expect(PRINTED)
        shell.sendline("exit")
        shell.wait()
        assert client.run("cat", user=user, input=PIPED.encode()).stdout == PIPED.encode()
        wait_until(lambda: len(bastion.events("recorded")) >= 2)
        secrets = {
            "typed": TYPED.encode(), "printed": PRINTED.encode(), "piped": PIPED.encode(),
            "vault seed": private_seed(key),
            "vault key": bytes.fromhex((bastion.config_folder / "vault.key").read_text().strip()),
            "seal key": bytes.fromhex((bastion.config_folder / "seal.key").read_text().strip()),
            "pem": b"PRIVATE KEY-----",
        }
        administrators = {bastion.config_folder / name
                          for name in ("vault.key", "seal.key", "host_ed25519")}
        scanned = 0
        for path in files_of(bastion, started):
            if path in administrators or path == bastion.identity_file:
                continue
            data = path.read_bytes()
            scanned += 1
            for what, secret in secrets.items():
                for spelling in spellings(secret):
                    assert spelling not in data, f"{what} stands in {path}"
            assert not re.search(rb"eyJ[A-Za-z0-9_-]{10,}\.eyJ", data), f"a token in {path}"
        assert scanned >= 6
        # The scan would have found them: the auditor does.
        session = bastion.recordings()[0]
        assert PRINTED.encode() in bastion.play("export", str(session), "--format", "text").stdout
        other = subprocess.run(["age-keygen", "-o", str(tmp_path / "other.age")],
                               capture_output=True)
        assert other.returncode == 0
        stranger = subprocess.run(
            [os.environ["SALLYPORT_BUILD_DIR"] + "/bin/sallyport-play", "export", str(session),
             "--format", "text", "-i", str(tmp_path / "other.age")], capture_output=True)
        assert stranger.returncode != 0 and PRINTED.encode() not in stranger.stdout


def test_session_processes_are_walled_in(bastion, client):
    process = subprocess.Popen(client.command("cat"), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    process.stdin.write(b"up\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"up\n"
    for role in ("front", "monitor", "back"):
        [pid] = bastion.processes(role)
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        assert re.search(r"^Seccomp:\s+2$", status, re.M), role
        assert re.search(r"^NoNewPrivs:\s+1$", status, re.M), role
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
        assert re.search(r"^Max core file size\s+0\s+0", limits, re.M), role
        # Non-dumpable: its files in /proc belong to root, whoever runs it.
        assert os.stat(f"/proc/{pid}/mem").st_uid == 0
    process.stdin.close()
    assert process.wait(10) == 0
