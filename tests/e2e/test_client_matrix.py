# SPDX-License-Identifier: Apache-2.0
"""Every client as against a direct connection: the same files, the same output, the same status.
Directly, through the bastion, and through it by ssh -J, each with the tool's own way to say so."""
import filecmp
import os
import pathlib
import subprocess
from urllib.parse import quote

import paramiko
import pytest

from tests.support.stack import ME, Client

WAYS = ["us", "jump"]
NAMES = ["plain", "with space", "ünïcödé-文字", "-dash", "a'quote\"s", "sub folder/deeper/file",
         "empty", "big"]


@pytest.fixture(scope="module")
def lab(bastion, tmp_path_factory):
    """One folder with the client configuration in which "direct", "us" and "jump" are hosts."""
    folder = tmp_path_factory.mktemp("matrix")
    return Lab(bastion, folder)


class Lab:
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


@pytest.fixture(scope="module")
def tree(lab):
    """Files whose names and sizes tools stumble over."""
    root = lab.new("tree")
    for name in NAMES:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes({"empty": b"", "big": os.urandom(9_000_000)}.get(name, name.encode() * 99))
    for i in range(200):
        (root / f"many{i}").write_bytes(os.urandom(i * 7))
    return root


def same(one, other):
    compared = filecmp.dircmp(one, other)

    def differ(node):
        return (node.left_only + node.right_only + node.funny_files
                + filecmp.cmpfiles(node.left, node.right, node.common_files, shallow=False)[1]
                + [name for sub in node.subdirs.values() for name in differ(sub)])

    return differ(compared) == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("old", [[], ["-O"]], ids=["sftp", "old"])
def test_scp(lab, tree, way, old):
    there, back = lab.new(f"scp{way}{len(old)}"), lab.new(f"scp{way}{len(old)}back")
    done = lab.run("scp", *old, "-F", lab.config, "-rpq", tree, f"{way}:{there}/")
    assert done.returncode == 0, done.stderr
    done = lab.run("scp", *old, "-F", lab.config, "-rpq", f"{way}:{there}/tree", back)
    assert done.returncode == 0, done.stderr
    assert same(tree, there / "tree") and same(tree, back / "tree")
    assert [lab.run("scp", *old, "-F", lab.config, f"{host}:/no/such", back).returncode
            for host in ("direct", way)] == [1, 1]


@pytest.mark.parametrize("way", WAYS)
def test_sftp(lab, tree, way):
    said = []
    for host in ("direct", way):
        there = lab.new(f"sftp-{way}-{host}")
        batch = (f"cd {there}\nput -r \"{tree}\"\nls -1 tree\nrename tree/big tree/huge\n"
                 f"rm tree/empty\nmkdir new\nls -1\nget tree/huge {there}/copy\n"
                 f"chmod 600 tree/huge\nls -1 tree/huge\n")
        done = lab.run("sftp", "-F", lab.config, "-q", "-b", "-", host, input=batch.encode())
        assert done.returncode == 0, done.stderr
        assert (there / "copy").read_bytes() == (tree / "big").read_bytes()
        said.append(done.stdout.replace(str(there).encode(), b""))
    assert said[0] == said[1]


@pytest.mark.parametrize("way", WAYS)
def test_rsync(lab, tree, way):
    there, back = lab.new(f"rsync{way}"), lab.new(f"rsync{way}back")
    shell = ["-e", f"ssh -F {lab.config}"]
    for _ in range(2):  # the second time there is nothing to do
        done = lab.run("rsync", "-a", "--stats", *shell, f"{tree}/", f"{way}:{there}/")
        assert done.returncode == 0, done.stderr
    assert b"files transferred: 0\n" in done.stdout
    (there / "stale").write_text("x")
    assert lab.run("rsync", "-az", "--delete", *shell, f"{tree}/", f"{way}:{there}/").returncode == 0
    assert lab.run("rsync", "-a", *shell, f"{way}:{there}/", f"{back}/").returncode == 0
    assert same(tree, there) and same(tree, back)


@pytest.mark.parametrize("way", WAYS)
def test_git(lab, way):
    there, work, clone = lab.new(f"git{way}"), lab.new(f"git{way}-work"), f"git{way}-clone"
    git = ["git", "-c", f"core.sshCommand=ssh -F {lab.config}", "-c", "user.name=a", "-c",
           "user.email=a@b", "-c", "init.defaultBranch=main"]
    assert lab.run(*git, "init", "-q", "--bare", there).returncode == 0
    assert lab.run(*git, "init", "-q", work).returncode == 0
    (work / "file").write_bytes(os.urandom(3_000_000))
    for words in (["add", "."], ["commit", "-qm", "one"], ["push", "-q", f"{way}:{there}", "main"]):
        done = lab.run(*git, "-C", work, *words)
        assert done.returncode == 0, done.stderr
    done = lab.run(*git, "clone", "-q", f"{way}:{there}", lab.folder / clone)
    assert done.returncode == 0, done.stderr
    assert (lab.folder / clone / "file").read_bytes() == (work / "file").read_bytes()


@pytest.mark.parametrize("way", WAYS)
def test_lftp(lab, tree, way):
    there, back = lab.new(f"lftp{way}"), lab.new(f"lftp{way}back")
    done = lab.run("lftp", "-c", f"set sftp:connect-program 'ssh -a -x -F {lab.config}';"
                   f"set net:max-retries 1; open sftp://{way}; mirror -R {tree} {there}/tree;"
                   f"mirror {there}/tree {back}/tree")
    assert done.returncode == 0, done.stderr
    assert same(tree, there / "tree") and same(tree, back / "tree")


def test_curl(lab, tree):
    """libssh2: no AES-GCM in Debian 12."""
    for user, port in ((ME, lab.bastion.target.port), (f"{ME}@web1", lab.bastion.port)):
        there = lab.folder / f"curl-{port}"
        url = f"sftp://{quote(user)}@127.0.0.1:{port}"
        key = ["--key", lab.client.key, "--pubkey", f"{lab.client.key}.pub", "-k", "-sS"]
        done = lab.run("curl", *key, "-T", tree / "big", f"{url}{there}")
        assert done.returncode == 0, done.stderr
        assert there.read_bytes() == (tree / "big").read_bytes()
        assert lab.run("curl", *key, f"{url}{there}").stdout == there.read_bytes()


def test_dropbear(lab, tree):
    key = lab.folder / "dropbear.key"
    assert lab.run("dropbearconvert", "openssh", "dropbear", lab.client.key, key).returncode == 0
    results = []
    for user, port in ((ME, lab.bastion.target.port), (f"{ME}@web1", lab.bastion.port)):
        done = lab.run("dbclient", "-y", "-y", "-i", key, "-p", port, "-l", user, "127.0.0.1",
                       "cat; echo err >&2; exit 5", input=(tree / "big").read_bytes())
        results.append((done.stdout, done.returncode, b"err" in done.stderr))
    assert results[0] == results[1] == ((tree / "big").read_bytes(), 5, True)


def test_paramiko(lab, tree, tmp_path):
    for user, port in ((ME, lab.bastion.target.port), (f"{ME}@web1", lab.bastion.port)):
        with paramiko.SSHClient() as client:
            client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
            client.connect("127.0.0.1", port, user, key_filename=str(lab.client.key),
                           look_for_keys=False, allow_agent=False)
            _, out, err = client.exec_command("echo out; echo err >&2; exit 3")
            assert (out.read(), err.read(), out.channel.recv_exit_status()) == (b"out\n", b"err\n", 3)
            with client.open_sftp() as sftp:
                there = str(tmp_path / f"there{port}")
                sftp.put(str(tree / "big"), there)
                sftp.get(there, str(tmp_path / "back"))
            assert (tmp_path / "back").read_bytes() == (tree / "big").read_bytes()


@pytest.mark.parametrize("way", WAYS)
def test_an_interrupted_transfer_goes_on(lab, tree, way):
    there = lab.folder / f"partial-{way}"
    there.write_bytes((tree / "big").read_bytes()[:4_000_000])
    done = lab.run("sftp", "-F", lab.config, "-q", "-b", "-", way,
                   input=f"reput {tree}/big {there}\n".encode())
    assert done.returncode == 0, done.stderr
    assert there.read_bytes() == (tree / "big").read_bytes()


@pytest.mark.parametrize("way", WAYS)
def test_many_sessions_on_one_connection(lab, way):
    path = lab.folder / f"c-{way}"
    control = ["-F", lab.config, "-o", f"ControlPath={path}"]
    master = subprocess.Popen([str(w) for w in ["ssh", "-MN", *control, way]])
    try:
        for _ in range(100):
            if lab.run("ssh", "-O", "check", *control, way).returncode == 0:
                break
        running = [subprocess.Popen([str(w) for w in ["ssh", *control, way, f"echo {i}; exit {i}"]],
                                    stdout=subprocess.PIPE) for i in range(20)]
        assert [(p.communicate(timeout=60)[0], p.returncode) for p in running] == [
            (f"{i}\n".encode(), i) for i in range(20)]
    finally:
        lab.run("ssh", "-O", "exit", *control, way)
        master.kill()
        master.wait()


@pytest.mark.parametrize("way", WAYS)
def test_a_reader_that_leaves_ends_the_command(lab, way):
    for host in ("direct", way):
        done = lab.run("sh", "-c", f"ssh -F {lab.config} {host} yes | head -1")
        assert done.stdout == b"y\n"


@pytest.mark.parametrize("way", WAYS)
def test_rekeying_under_load_changes_nothing(lab, way, tree):
    data = (tree / "big").read_bytes()
    done = lab.run("ssh", "-F", lab.config, "-o", "RekeyLimit=1M", way, "cat", input=data)
    assert done.stdout == data, done.stderr
