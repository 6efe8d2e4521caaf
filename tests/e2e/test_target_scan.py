# SPDX-License-Identifier: Apache-2.0
"""`sallyportctl target scan` and `target import known_hosts`: where pins come from, and what is
refused. A real sshd with several host keys, certificates and rotations; no bastion but at the end."""
import json
import pathlib
import re
import shutil
import socket
import subprocess
import threading

import pytest

from tests.e2e.test_ctl_offline import ctl, init
from tests.support.stack import ME, Target, free_port, make_key, short_folder


def fingerprint(key):
    shown = subprocess.run(["ssh-keygen", "-l", "-f", key], capture_output=True, text=True,
                           check=True)
    return shown.stdout.split()[1]


def public(key):
    return " ".join(pathlib.Path(f"{key}.pub").read_text().split()[:2])


class Host(Target):
    """An sshd with any host keys, a certificate, and an account for --learn."""

    def __init__(self, folder, *kinds):
        self.keys = []
        super().__init__(folder)
        self.keys = [self.make(kind) for kind in kinds]
        self.identity = make_key(self.folder / "scanner")
        self.authorized_keys.write_text(
            f'restrict,command="true" {pathlib.Path(f"{self.identity}.pub").read_text()}')
        self.show(*self.keys)

    def make(self, kind):
        return make_key(self.folder / f"made_{kind}_{len(list(self.folder.iterdir()))}", kind)

    def show(self, *keys, certificate=None):
        self.stop()
        self.keys, self.host_key = list(keys), keys[0]
        self.extra_config = "".join(f"HostKey {key}\n" for key in keys[1:])
        if certificate:
            self.extra_config += f"HostCertificate {certificate}\n"
        self.start()

    def certify(self, ca, key, *options):
        subprocess.run(["ssh-keygen", "-q", "-s", ca, "-I", "id", *options, f"{key}.pub"],
                       check=True)
        return f"{key}-cert.pub"

    def learn(self):
        return "--learn", "--login", ME, "--identity", self.identity


@pytest.fixture
def etc():
    folder = short_folder()
    init(folder)
    yield folder / "etc"
    shutil.rmtree(folder)


@pytest.fixture
def start(tmp_path):
    started = []

    def make(*kinds):
        started.append(Host(tmp_path / f"host{len(started)}", *kinds))
        return started[-1]

    yield make
    for host in started:
        host.stop()


@pytest.fixture
def host(start):
    return start("ed25519", "ecdsa")


@pytest.fixture
def run(etc):
    return lambda *arguments, **more: ctl("--config", etc, "target", *arguments, **more)


def pins(etc, name="web1"):
    return json.loads((etc / "targets.json").read_text().split("\n", 1)[1])["targets"][name].get(
        "host_keys", [])


def add(run, host, *pinned, name="web1"):
    words = [word for key in pinned for word in ("--host-key", public(key))]
    run("add", name, f"127.0.0.1:{host.port}", "--key", "main", *words, "--yes")


def test_scan_says_of_each_key_what_it_is(run, host):
    add(run, host, host.keys[0])
    said = run("scan", "web1", status=3).stdout
    assert f"web1 (127.0.0.1:{host.port})\n" in said
    assert f"ssh-ed25519  {fingerprint(host.keys[0])}  pinned\n" in said
    assert f"ecdsa-sha2-nistp256  {fingerprint(host.keys[1])}  new\n" in said
    add(run, host, *host.keys)
    run("scan", "web1")
    run("scan")  # all of them


def test_scan_of_an_address_pins_nothing(run, host):
    said = run("scan", f"127.0.0.1:{host.port}", status=3).stdout
    assert said.count("  new\n") == 2
    refused = run("scan", f"127.0.0.1:{host.port}", "--pin", "--yes", status=1).stderr
    assert "there is no target" in refused


def test_scan_as_json(run, etc, host):
    add(run, host, host.keys[0])
    [shown] = json.loads(run("scan", "--json", status=3).stdout)
    assert shown["name"] == "web1" and shown["status"] == 3
    assert {(key["key"], key["state"]) for key in shown["keys"]} == {
        (public(host.keys[0]), "pinned"), (public(host.keys[1]), "new")}


def test_a_changed_key_is_refused_with_both_fingerprints(run, etc, host):
    add(run, host, host.keys[0])
    old, new = host.keys[0], host.make("ed25519")
    host.show(new)
    done = run("scan", status=4)
    assert (f"the host key of web1 HAS CHANGED: pinned {fingerprint(old)}, "
            f"offered {fingerprint(new)}; ") in done.stderr
    assert f"{fingerprint(new)}  CHANGED\n" in done.stdout
    for unasked in (("--ca-only",), host.learn()):
        assert "HAS CHANGED" in run("scan", *unasked, "--prune", "--yes", status=4).stderr
        assert pins(etc) == [public(old)]


def test_pin_asks_and_then_pins_what_is_shown(run, etc, host):
    add(run, host, host.keys[0])
    [old, kept], new = host.keys, host.make("ed25519")
    host.show(new, kept)
    assert "there is no terminal to ask on; give --yes" in run("scan", "--pin", status=4).stderr
    assert pins(etc) == [public(old)]
    said = run("scan", "web1", "--pin", "--yes").stdout
    assert "pinned now: " in said
    assert set(pins(etc)) == {public(new), public(kept)}  # the old Ed25519 key has gone
    run("scan", "web1")


def test_pins_that_are_not_shown_go_with_prune_alone(run, etc, host):
    add(run, host, *host.keys)
    host.show(host.keys[0])
    run("scan", "web1", "--pin", "--yes")
    assert len(pins(etc)) == 2
    run("scan", "web1", "--pin", "--yes", "--prune")
    assert pins(etc) == [public(host.keys[0])]


def test_a_target_that_is_down_hinders_no_other(run, host):
    add(run, host, *host.keys)
    run("add", "away", f"127.0.0.1:{free_port()}", "--host-key", public(host.keys[0]), "--yes")
    done = run("scan", status=1)
    assert "shows no host key" in done.stderr and "web1 (" in done.stdout


def test_a_target_of_another_file_is_not_changed(run, etc, host):
    (etc / "other.json").write_text(json.dumps(
        {"targets": {"byhand": {"address": f"127.0.0.1:{host.port}"}}}))
    assert "in another file" in run("scan", "byhand", "--pin", "--yes", status=1).stderr


# Rotation: what a target announces and proves after it has proven a pinned key.

def test_learn_pins_what_the_target_proves(run, etc, host):
    second = host.make("ed25519")  # of the same type: no scan sees it, the announcement has it
    host.show(host.keys[0], second, host.keys[1])
    add(run, host, host.keys[0])
    run("scan", "web1", *host.learn())
    assert set(pins(etc)) == {public(key) for key in host.keys}
    host.show(second)  # the old ones have gone: it goes on without anybody
    run("scan", "web1", *host.learn())
    assert len(pins(etc)) == 3
    run("scan", "web1", *host.learn(), "--prune")
    assert pins(etc) == [public(second)]


def test_learn_tries_every_type_that_is_pinned(run, etc, host):
    add(run, host, *host.keys)
    new = host.make("ed25519")
    host.show(new, host.keys[1])
    run("scan", "web1", *host.learn())
    assert public(new) in pins(etc) and len(pins(etc)) == 3


def test_learn_without_a_login_there_learns_nothing(run, etc, host):
    add(run, host, host.keys[0])
    other = make_key(host.folder / "stranger")
    done = run("scan", "web1", "--learn", "--login", ME, "--identity", other, status=1)
    assert "Permission denied" in done.stderr
    assert pins(etc) == [public(host.keys[0])]


def test_learn_without_a_pin_learns_nothing(run, etc, host):
    add(run, host)
    assert "has no pinned host key" in run("scan", "web1", *host.learn(), status=1).stderr
    assert pins(etc) == []


class InBetween:
    """Passes its connections on, the first to one host, the others to another."""

    def __init__(self, first, others):
        self.ports = [first.port] + [others.port] * 100
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        for port in self.ports:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", port))
            for ends in ((near, far), (far, near)):
                threading.Thread(target=self.copy, args=ends, daemon=True).start()

    @staticmethod
    def copy(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def test_who_passes_the_pinned_keys_connection_through_is_not_learnt(run, etc, start, host):
    """What a rule of "the same scan" would have fallen for."""
    other = start("ecdsa")
    other.authorized_keys.write_text(host.authorized_keys.read_text())
    between = InBetween(host, other)
    host.show(host.keys[0])
    add(run, between, host.keys[0])
    run("scan", "web1", *host.learn())
    assert pins(etc) == [public(host.keys[0])]
    run("scan", "web1", *host.learn(), status=4)  # all of it answered by the other
    assert pins(etc) == [public(host.keys[0])]


def test_a_pinned_key_that_is_shown_and_not_proven_is_refused(run, etc, start, host):
    other = start("ed25519")
    between = InBetween(other, host)  # the scan that follows sees the right key
    add(run, between, host.keys[0])
    done = run("scan", "web1", *host.learn(), "--prune", status=4)
    assert "CANNOT PROVE IT" in done.stderr
    assert pins(etc) == [public(host.keys[0])]


# Host CA.

@pytest.fixture
def ca(tmp_path, etc):
    key = make_key(tmp_path / "host_ca")
    (etc / "ca.json").write_text(json.dumps(
        {"host_cas": {"company": {"patterns": ["127.0.0.*"], "key": public(key)}}}))
    return key


def test_a_certified_key_is_pinned_without_a_person(run, etc, host, ca):
    old, new = host.keys[0], host.make("ed25519")
    add(run, host, old)
    host.show(new, host.keys[1], certificate=host.certify(ca, new, "-h", "-n", "127.0.0.1"))
    said = run("scan", "web1", "--ca-only", "--yes", status=3).stdout  # the other key is nobody's
    assert "ssh-ed25519 is certified by company" in said
    assert set(pins(etc)) == {public(old), public(new)}
    run("scan", "web1", "--ca-only", "--prune", status=3)
    assert pins(etc) == [public(new)]


@pytest.mark.parametrize("options, why", [
    (["-h", "-n", "10.0.0.1"], "is for 10.0.0.1, not for 127.0.0.1"),
    (["-h", "-n", "127.0.0.1", "-V", "-10m:-5m"], "has run out"),
    (["-h", "-n", "127.0.0.1", "-V", "+5m:+10m"], "is not valid yet"),
    (["-h"], "names no host"),
], ids=["another host", "expired", "early", "no host"])
def test_a_certificate_that_is_not_good_pins_nothing(run, etc, host, ca, options, why):
    add(run, host)
    host.show(host.keys[0], certificate=host.certify(ca, host.keys[0], *options))
    assert why in run("scan", "web1", "--ca-only", status=3).stdout
    assert pins(etc) == []


def test_a_certificate_of_another_ca_pins_nothing(run, etc, host, ca, tmp_path):
    other = make_key(tmp_path / "other_ca")
    add(run, host)
    host.show(host.keys[0], certificate=host.certify(other, host.keys[0], "-h", "-n", "127.0.0.1"))
    assert "is signed by another CA" in run("scan", "web1", "--ca-only", status=3).stdout
    assert pins(etc) == []


def test_add_with_scan_asks_nobody_about_a_certified_key(run, etc, host, ca):
    host.show(*host.keys, certificate=host.certify(ca, host.keys[0], "-h", "-n", "127.0.0.1"))
    run("add", "web1", f"127.0.0.1:{host.port}", "--key", "main", "--scan")
    assert pins(etc) == [public(host.keys[0])]


# known_hosts.

def test_import_pins_for_the_targets_that_are_named(run, etc, host, tmp_path):
    add(run, host)
    file = tmp_path / "known_hosts"
    named = f"[127.0.0.1]:{host.port}"
    file.write_text(f"# comment\n{named},elsewhere {public(host.keys[0])}\n"
                    f"nowhere {public(host.keys[1])}\nrubbish\n")
    said = run("import", "known_hosts", file, "--yes").stdout
    assert f"line 2: ssh-ed25519 {fingerprint(host.keys[0])} for web1\n" in said
    assert "not used: line 3: names no target of the inventory\n" in said
    assert "not used: line 4: is not a public key" in said
    assert pins(etc) == [public(host.keys[0])]
    assert "nothing to import" in run("import", "known_hosts", file).stdout


def test_import_finds_hashed_names(run, etc, host, tmp_path):
    add(run, host)
    file = tmp_path / "known_hosts"
    file.write_text(f"[127.0.0.1]:{host.port} {public(host.keys[0])}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", file], check=True, capture_output=True)
    assert file.read_text().startswith("|1|")
    run("import", "known_hosts", file, "--yes")
    assert pins(etc) == [public(host.keys[0])]


def test_import_brings_a_ca_that_works(run, etc, host, tmp_path):
    key = make_key(tmp_path / "host_ca")
    add(run, host)
    file = tmp_path / "known_hosts"
    file.write_text(f"@cert-authority 127.0.0.*,!127.0.0.9 {public(key)}\n")
    assert "is the host CA ca-" in run("import", "known_hosts", file, "--yes").stdout
    host.show(host.keys[0], certificate=host.certify(key, host.keys[0], "-h", "-n", "127.0.0.1"))
    run("scan", "web1", "--ca-only")
    assert pins(etc) == [public(host.keys[0])]


def test_a_revoked_key_is_unpinned_and_stays_away(run, etc, host, ca, tmp_path):
    stolen, other = host.keys
    add(run, host, stolen, other)
    file = tmp_path / "known_hosts"
    file.write_text(f"@revoked * {public(stolen)}\n127.0.0.1 {public(stolen)}\n")
    said = run("import", "known_hosts", file, "--yes").stdout
    assert "IS REVOKED AND WAS PINNED for web1" in said
    assert "not used: line 2: the key is revoked" in said
    assert pins(etc) == [public(other)]
    # Whoever has stolen the key may have its certificate too.
    host.show(stolen, certificate=host.certify(ca, stolen, "-h", "-n", "127.0.0.1"))
    for how in (["--ca-only"], ["--pin"], []):
        assert "REVOKED host key" in run("scan", "web1", *how, "--yes", status=4).stderr
    assert pins(etc) == [public(other)]


def test_import_asks(run, etc, host, tmp_path):
    add(run, host)
    file = tmp_path / "known_hosts"
    file.write_text(f"[127.0.0.1]:{host.port} {public(host.keys[0])}\n")
    assert "give --yes" in run("import", "known_hosts", file, status=1).stderr
    assert pins(etc) == []
    assert "No such file" in run("import", "known_hosts", tmp_path / "none", status=1).stderr


# And in a session.

def test_what_was_learnt_lets_the_user_in(bastion, client, host):
    vault_key = bastion.ctl("vault", "public", "main").stdout
    with open(host.authorized_keys, "a") as keys:
        keys.write(vault_key)
    bastion.ctl("target", "add", "web2", f"127.0.0.1:{host.port}", "--key", "main", "--host-key",
                public(host.keys[0]), "--yes")
    assert client.run("echo in", user=f"{ME}@web2").stdout == b"in\n"
    said = bastion.ctl("target", "scan", "web2", *map(str, host.learn())).stdout
    assert re.search("pinned now: .*; applied; running sessions go on", said)
    host.show(host.keys[1])
    assert client.run("echo in", user=f"{ME}@web2").stdout == b"in\n"
    host.show(host.make("ed25519"))
    assert client.run("echo in", user=f"{ME}@web2").returncode == 254
    bastion.ctl("target", "remove", "web2", "--yes")
