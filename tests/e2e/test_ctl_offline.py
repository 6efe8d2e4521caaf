# SPDX-License-Identifier: Apache-2.0
"""sallyportctl where no bastion runs: init, config check, target; and what it says then."""
import json
import os
import pathlib
import pwd
import re
import resource
import shutil
import signal
import stat
import subprocess

import pexpect
import pytest

from tests.support.stack import BUILD, Target, make_key, short_folder

CTL = str(BUILD / "bin" / "sallyportctl")
RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
ROOT = os.geteuid() == 0


def ctl(*arguments, status=0, **more):
    done = subprocess.run([CTL, *map(str, arguments)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60, **more)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def init(folder, *more, **options):
    return ctl("init", "--directory", folder / "etc", "--recipient", RECIPIENT, "--issuer",
               "https://idp.example.com", "--client-id", "sallyport", *more, **options)


@pytest.fixture
def folder():
    made = short_folder()
    yield made
    shutil.rmtree(made)


@pytest.fixture
def etc(folder):
    init(folder)
    return folder / "etc"


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    running = Target(tmp_path_factory.mktemp("target"))
    yield running
    running.stop()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def owner(path):
    return pwd.getpwuid(path.stat().st_uid).pw_name


def fingerprint(public_key):
    shown = subprocess.run(["ssh-keygen", "-l", "-f", str(public_key)], capture_output=True,
                           text=True, check=True)
    return shown.stdout.split()[1]


def test_init_makes_a_configuration_that_checks(folder):
    said = init(folder, "--listen", "127.0.0.1:2022", "--node", "b1").stdout
    etc = folder / "etc"
    assert "Next:" in said and "target add" in said
    assert mode(etc / "vault.key") == mode(etc / "seal.key") == 0o600
    assert mode(etc / "ssh_host_ed25519_key") == 0o600
    assert mode(etc / "sallyport.json") == 0o644
    assert re.fullmatch(r"[0-9a-f]{64}\n", (etc / "vault.key").read_text())
    assert (etc / "vault.key").read_text() != (etc / "seal.key").read_text()
    public = subprocess.run(["ssh-keygen", "-y", "-f", str(etc / "ssh_host_ed25519_key")],
                            capture_output=True, text=True, check=True)
    assert public.stdout.startswith("ssh-ed25519 ")
    for daemon in ("authd", "keyd", "stored"):
        assert mode(etc / "state" / daemon) == 0o700
        assert mode(etc / "run" / daemon) == 0o755
    checked = ctl("--config", etc, "config", "check").stdout
    assert f"OK: {etc}: node b1, issuer https://idp.example.com, 1 recipient" in checked


def test_init_changes_nothing_that_is_there(etc, folder):
    before = {path.name: path.read_bytes() for path in etc.iterdir() if path.is_file()}
    (etc / "seal.key").unlink()
    said = init(folder, "--node", "other").stdout
    assert f"kept {etc}/sallyport.json" in said and f"made {etc}/seal.key" in said
    after = {path.name: path.read_bytes() for path in etc.iterdir() if path.is_file()}
    assert after.pop("seal.key") != before.pop("seal.key")
    assert after == before


def test_init_on_a_full_disk_leaves_nothing_half_written(etc, folder):
    for name in ("vault.key", "seal.key", "jump.key", "sallyport.json"):
        (etc / name).unlink()
    def full_disk():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (32, 32))
    failed = init(folder, status=1, preexec_fn=full_disk, restore_signals=False)
    assert failed.stderr == f"sallyportctl: cannot write {etc}/vault.key: File too large\n"
    assert sorted(p.name for p in etc.iterdir() if p.is_file()) == [
        "ssh_host_ed25519_key", "ssh_host_ed25519_key.pub"]
    init(folder)
    ctl("--config", etc, "config", "check")


@pytest.mark.parametrize("name", ["vault.key", "seal.key"])
def test_init_keeps_no_key_that_no_daemon_would_read(name, etc, folder):
    (etc / name).write_text("")
    done = init(folder, status=1)
    assert f"{etc}/{name}: is not a key of 64 hex digits" in done.stderr


@pytest.mark.skipif(not ROOT, reason="owners are root's business")
def test_init_as_root_gives_each_daemon_its_own(etc):
    assert owner(etc / "ssh_host_ed25519_key") == "sallyport"
    assert owner(etc / "vault.key") == "sallyport-keyd"
    assert owner(etc / "seal.key") == "sallyport-authd"
    for daemon in ("authd", "keyd", "stored"):
        assert owner(etc / "state" / daemon) == owner(etc / "run" / daemon) == f"sallyport-{daemon}"


@pytest.mark.skipif(not ROOT, reason="the other tests are that already")
def test_init_as_a_user_needs_no_root(folder):
    shutil.chown(folder, "nobody")
    init(folder, user="nobody", group="nogroup", extra_groups=[])
    etc = folder / "etc"
    assert owner(etc / "ssh_host_ed25519_key") == owner(etc / "state" / "keyd") == "nobody"
    ctl("--config", etc, "config", "check", user="nobody", group="nogroup", extra_groups=[])


def test_init_without_a_terminal_names_what_is_missing(folder):
    done = ctl("init", "--directory", folder / "etc", status=1)
    assert done.stderr == ("sallyportctl: there is no terminal to ask on; give --issuer URL "
                           "--client-id ID --recipient age1...\n")
    assert not (folder / "etc").exists()


def test_init_asks(folder):
    child = pexpect.spawn(CTL, ["init", "--directory", str(folder / "etc")], timeout=20)
    for question, answer in (("Issuer", "https://i.example"), ("Client id", "c1"),
                             ("read the recordings", RECIPIENT)):
        child.expect(question)
        child.sendline(answer)
    child.expect("Next:")
    child.expect(pexpect.EOF)
    text = (folder / "etc" / "sallyport.json").read_text()
    assert '"issuer": "https://i.example"' in text and RECIPIENT in text


def test_init_refuses_values_that_would_not_load(folder):
    done = ctl("init", "--directory", folder / "etc", "--recipient", RECIPIENT[:-1] + "q",
               "--issuer", "http://idp.example.com", "--client-id", "c", status=1)
    assert "identity.issuer" in done.stderr and "recording.recipients[0]" in done.stderr
    assert not (folder / "etc").exists()


def test_init_development_is_on_loopback(folder):
    ctl("init", "--directory", folder / "etc", "--development", "--recipient", RECIPIENT)
    text = (folder / "etc" / "sallyport.json").read_text()
    assert '"development": true' in text
    assert '"listen": ["127.0.0.1:2222"]' in text and '"http://127.0.0.1:' in text
    ctl("--config", folder / "etc", "config", "check")


def test_config_check_tells_every_finding(etc):
    path = etc / "sallyport.json"
    text = path.read_text().replace('"login": {', '"login": {\n    "promt": "auto",')
    path.write_text(text.replace('"remember_s": 28800', '"remember_s": "8h"'))
    done = ctl("--config", etc, "config", "check", status=1)
    line = text[:text.index("promt")].count("\n") + 1
    assert f'{path}:{line}: login.promt: is not known; did you mean "prompt"?' in done.stdout
    assert "login.remember_s: must be a number, not a text" in done.stdout
    assert done.stderr == "sallyportctl: 2 errors in the configuration\n"


def test_config_check_names_files_that_are_missing(etc):
    (etc / "vault.key").unlink()
    assert f"warning: vault.key_file: {etc}/vault.key does not exist" in ctl(
        "--config", etc, "config", "check").stdout


def test_a_scanned_host_key_is_shown_and_asked_for(etc, target):
    child = pexpect.spawn(CTL, ["--config", str(etc), "target", "add", "web1",
                                f"127.0.0.1:{target.port}", "--scan", "--key", "k"], timeout=30)
    child.expect_exact(f"ssh-ed25519  {fingerprint(str(target.host_key) + '.pub')}")
    child.expect(r"Pin them\? \[y/N\]")
    child.sendline("y")
    child.expect("added web1 to .*; authd does not run; it reads the change when it starts")
    child.expect(pexpect.EOF)
    listed = json.loads(ctl("--config", etc, "target", "list", "--json").stdout)
    assert listed == [{"name": "web1", "address": f"127.0.0.1:{target.port}", "key": "k",
                       "host_keys": [target.public_host_key()],
                       "fingerprints": [fingerprint(str(target.host_key) + ".pub")]}]


@pytest.mark.parametrize("answer", ["n", "", "yep"])
def test_a_host_key_that_is_not_agreed_to_is_not_pinned(etc, target, answer):
    child = pexpect.spawn(CTL, ["--config", str(etc), "target", "add", "web1",
                                f"127.0.0.1:{target.port}", "--scan"], timeout=30)
    child.expect("Pin them")
    child.sendline(answer)
    child.expect("not pinned; nothing was changed")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1
    assert not (etc / "targets.json").exists()


def test_scanning_needs_yes_where_nobody_can_answer(etc, target):
    address = f"127.0.0.1:{target.port}"
    done = ctl("--config", etc, "target", "add", "web1", address, "--scan", status=1)
    assert "give --yes" in done.stderr
    ctl("--config", etc, "target", "add", "web1", address, "--scan", "--yes")
    assert target.public_host_key() in (etc / "targets.json").read_text()


def test_a_target_that_does_not_answer_is_an_error(etc):
    done = ctl("--config", etc, "target", "add", "x", "127.0.0.1:1", "--scan", "--yes", status=1)
    assert "127.0.0.1:1 shows no host key" in done.stderr


def test_targets_are_added_replaced_and_removed(etc, tmp_path):
    key = " ".join(pathlib.Path(f"{make_key(tmp_path / 'k')}.pub").read_text().split()[:2])
    main = (etc / "sallyport.json").read_bytes()
    ctl("--config", etc, "target", "add", "web1", "web1.example", "--host-key", key, "--key", "a")
    ctl("--config", etc, "target", "add", "db1", "[::1]:2022", "--host-key", key)
    refused = ctl("--config", etc, "target", "add", "web1", "h", "--host-key", key, status=1)
    assert "give --yes" in refused.stderr
    ctl("--config", etc, "target", "add", "web1", "h", "--host-key", key, "--yes")
    table = ctl("--config", etc, "target", "list").stdout
    assert re.search(r"^web1 +h:22 +- +SHA256:", table, re.M)
    assert re.search(r"^db1 +\[::1\]:2022 ", table, re.M)
    unknown = ctl("--config", etc, "target", "remove", "wbe1", "--yes", status=1)
    assert 'there is no target "wbe1"; did you mean "web1"?' in unknown.stderr
    ctl("--config", etc, "target", "remove", "web1", "--yes")
    assert [t["name"] for t in json.loads(
        ctl("--config", etc, "target", "list", "--json").stdout)] == ["db1"]
    assert (etc / "sallyport.json").read_bytes() == main


def test_a_target_of_a_hand_written_file_is_not_ours(etc):
    (etc / "10-mine.json").write_text('{"targets": {"hand": {"address": "h"}}} // mine\n')
    added = ctl("--config", etc, "target", "add", "hand", "other", status=1)
    assert "is given already at" in added.stderr and "10-mine.json:1" in added.stderr
    removed = ctl("--config", etc, "target", "remove", "hand", "--yes", status=1)
    assert "remove it there" in removed.stderr


@pytest.mark.parametrize("name,address", [
    ("a,b", "h"), ("../x", "h"), ("a b", "h"), ("x", "h:0"), ("x", "h;id"), ("x", "::1"),
    ("x" * 65, "h"), ("x", "\x1b[2Jh")])
def test_hostile_names_and_addresses_are_refused(etc, name, address):
    done = ctl("--config", etc, "target", "add", name, address, "--scan", "--yes", status=1)
    assert done.stderr.count("\n") == 1 and "\x1b" not in done.stderr
    assert not (etc / "targets.json").exists()


@pytest.mark.parametrize("words", [
    ("sessions", "list"), ("sessions", "kill", "abcdef", "--yes"), ("keys", "list", "--json"),
    ("keys", "revoke", "SHA256:abcdef", "--yes"), ("reload",)])
def test_a_daemon_that_does_not_run_is_one_clear_line(etc, words):
    done = ctl("--config", etc, *words, status=1)
    assert re.fullmatch(r"sallyportctl: authd does not run \(.*/authd/socket\); start it with .*\n",
                        done.stderr)


def test_a_private_key_is_not_registered(etc, tmp_path):
    private = make_key(tmp_path / "k")
    done = ctl("--config", etc, "keys", "register", private, "alice", status=1)
    assert "is a private key; give the public one" in done.stderr


def test_a_list_of_recordings_without_stored_is_one_clear_line(etc):
    for words in (("recordings", "list"), ("reindex",)):
        done = ctl("--config", etc, *words, status=1)
        assert re.fullmatch(r"sallyportctl: stored does not run \(.*/stored/socket\); start .*\n",
                            done.stderr)


@pytest.mark.parametrize("words", [(), ("frobnicate",), ("target",), ("target", "add", "x"),
                                   ("config", "check", "--nope")])
def test_a_command_line_without_sense_is_exit_status_2(words):
    ctl(*words, status=2)


def test_a_full_disk_is_no_success(etc):
    config = ["--config", etc / "sallyport.json"]
    for words in (["--help"], ["--version"], [*config, "target", "list"], [*config, "config", "check"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([CTL, *map(str, words)], stdout=full, stderr=subprocess.PIPE)
        assert done.returncode == 1 and b"standard output" in done.stderr, words
    gone = subprocess.run(["bash", "-c", f"'{CTL}' --help | true; echo ${{PIPESTATUS[0]}}"],
                          capture_output=True)
    assert (gone.stdout, gone.stderr) == (b"0\n", b"")


def test_help_and_version_are_not_errors():
    assert "Subcommands" in ctl("--help").stdout
    assert ctl("--version").stdout.startswith("sallyportctl ")


@pytest.mark.parametrize("words, said", [
    (("frob",), '"frob" is no command'),
    (("sesions", "list"), '"sesions" is no command; did you mean "sessions"?'),
    (("recordings", "hodl", "3f9a01"), '"hodl" is no command; did you mean "hold"?'),
    ((), "A subcommand is required"), (("recordings", "hold"), "ID is required")])
def test_a_command_that_is_none_is_named(words, said):
    done = ctl(*words, status=2)
    assert done.stderr.splitlines()[0] == f"sallyportctl: {said}"
