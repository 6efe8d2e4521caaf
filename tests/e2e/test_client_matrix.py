# SPDX-License-Identifier: Apache-2.0
# takes minutes
"""Every client as against a direct connection: the same files, the same output, the same status.
Directly, through the bastion, and through it by ssh -J, each with the tool's own way to say so."""
import contextlib
import filecmp
import http.server
import os
import signal
import subprocess
import threading
from urllib.parse import quote

import paramiko
import pytest

from tests.e2e.conftest import running_stack
from tests.e2e.test_forwards import ALL, BODY, agent, echo, talk  # noqa: F401
from tests.support import fake_display
from tests.support.lab import Lab
from tests.support.stack import ME, end_client, free_port, wait_for_port, wait_until

WAYS = ["us", "jump"]
NAMES = ["plain", "with space", "ünïcödé-文字", "-dash", "a'quote\"s", "sub folder/deeper/file",
         "empty", "big"]


@pytest.fixture(scope="module")
def bastion(tmp_path_factory):
    roles = {"users": {"groups": ["ssh-users"], "targets": ["web1"], "logins": [ME],
                       "channels": ALL, "forward_to": ["127.0.0.1:*"]}}
    with running_stack(tmp_path_factory.mktemp("stack"), roles=roles,
                       sshd_config="X11Forwarding yes\nX11UseLocalhost yes") as running:
        yield running


@pytest.fixture(scope="module")
def lab(bastion, tmp_path_factory):
    folder = tmp_path_factory.mktemp("matrix")
    return Lab(bastion, folder)


@pytest.fixture(scope="module")
def tree(lab):
    """Files whose names and sizes tools stumble over."""
    root = lab.new("tree")
    for name in NAMES:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes({"empty": b"", "big": os.urandom(9_000_000)}.get(name, name.encode() * 99))
    for i in range(1000):
        (root / f"many{i}").write_bytes(os.urandom(i))
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


# What is forwarded.

@pytest.mark.parametrize("way", WAYS)
def test_an_agent(lab, way):
    with agent(lab.client) as path:
        ask = ["ssh", "-F", lab.config, "-o", f"IdentityAgent={path}"]
        listed = [lab.run(*ask, "-A", host, "ssh-add -l").stdout for host in ("direct", way)]
        assert listed[0] == listed[1] and b"ED25519" in listed[0]
        unasked = [lab.run(*ask, host, "ssh-add -l").returncode for host in ("direct", way)]
        assert unasked == [2, 2]


@pytest.mark.parametrize("way", WAYS)
def test_x11(lab, way):
    """Trusted: for an untrusted cookie ssh needs an X server with the SECURITY extension."""
    with fake_display.FakeDisplay(lab.folder) as display:
        for host in ("direct", way):
            for options in (["-Y"], ["-X", "-o", "ForwardX11Trusted=yes"]):
                ssh = ["ssh", "-F", lab.config, *options, host, fake_display.DRAW]
                assert display.drawn_by(ssh) == fake_display.ARRIVED, host
            plain = ["ssh", "-F", lab.config, host, "echo $DISPLAY"]
            assert lab.run(*plain).stdout == b"\n"


@contextlib.contextmanager
def staying(lab, host, *options):
    """A client that runs no command."""
    process = subprocess.Popen(
        [str(word) for word in ["ssh", "-F", lab.config, "-N", "-o", "ExitOnForwardFailure=yes",
                                *options, host]], stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        end_client(process)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("option", ["-L", "-R"])
def test_forwards(lab, echo, way, option):  # noqa: F811
    for host in ("direct", way):
        port = free_port()
        with staying(lab, host, option, f"{port}:127.0.0.1:{echo.port}") as process:
            wait_for_port(port, process)
            assert talk(port) == BODY, host


@pytest.mark.parametrize("way", WAYS)
def test_stdin_and_stdout_as_a_connection(lab, echo, way):  # noqa: F811
    for host in ("direct", way):
        done = lab.run("ssh", "-F", lab.config, "-W", f"127.0.0.1:{echo.port}", host, input=BODY)
        assert (done.stdout, done.returncode) == (BODY, 0), host


@pytest.fixture
def page(tmp_path):
    (tmp_path / "page").write_bytes(BODY)
    handler = lambda *a: http.server.SimpleHTTPRequestHandler(*a, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/page"
        server.shutdown()


@pytest.mark.parametrize("way", WAYS)
def test_a_proxy(lab, page, way):
    for host in ("direct", way):
        port = free_port()
        with staying(lab, host, "-D", port) as process:
            wait_for_port(port, process)
            got = lab.run("curl", "-s", "--socks5-hostname", f"127.0.0.1:{port}", page)
            assert got.stdout == BODY, host


@pytest.mark.parametrize("way", WAYS)
def test_a_control_master_does_what_it_is_told(lab, echo, way):  # noqa: F811
    for host in ("direct", way):
        port = free_port()
        forward = ["-L", f"{port}:127.0.0.1:{echo.port}"]
        control = ["-o", f"ControlPath={lab.folder}/told-{way}-{host}"]

        def tell(what, *options):
            return lab.run("ssh", "-F", lab.config, *control, "-O", what, *options, host).returncode

        with staying(lab, host, "-M", *control) as master:
            wait_until(lambda: tell("check") == 0)
            assert tell("forward", *forward) == 0
            assert talk(port) == BODY, host
            assert tell("cancel", *forward) == 0
            with pytest.raises(ConnectionRefusedError):
                talk(port)
            assert tell("exit") == 0
            master.wait(10)
            assert tell("check") == 255


# Interrupted for real: the client is killed in the middle of a slow upload.

def interrupt(words, arriving, given=b""):
    with subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL, start_new_session=True) as client:
        client.stdin.write(given)
        client.stdin.close()
        wait_until(lambda: any(path.stat().st_size > 1_000_000 for path in arriving()))
        os.killpg(client.pid, signal.SIGKILL)


@pytest.mark.parametrize("way", WAYS)
def test_sftp_goes_on_after_an_interruption(lab, tree, way):
    data = (tree / "big").read_bytes()
    for host in ("direct", way):
        there = lab.folder / f"cut-off-{way}-{host}"
        sftp = ["sftp", "-F", lab.config, "-q", "-b", "-"]
        interrupt([*sftp, "-l", "20000", host], lambda: lab.folder.glob(there.name),
                  f"put {tree}/big {there}\n".encode())
        assert there.stat().st_size < len(data)
        with open(there, "r+b") as part:
            part.write(b"kept")
        done = lab.run(*sftp, host, input=f"reput {tree}/big {there}\n".encode())
        assert done.returncode == 0, done.stderr
        assert there.read_bytes() == b"kept" + data[4:], "what had arrived was not sent again"


@pytest.mark.parametrize("way", WAYS)
def test_rsync_goes_on_after_an_interruption(lab, tree, way):
    size = (tree / "big").stat().st_size
    for host in ("direct", way):
        there = lab.new(f"rsync-cut-off-{way}-{host}")
        rsync = ["rsync", "-a", "--partial", "--stats", "-e", f"ssh -F {lab.config}"]
        files = [tree / "big", f"{host}:{there}/big"]
        interrupt([*rsync, "--bwlimit=2000", *files], lambda: there.glob(".big.*"))
        wait_until((there / "big").exists, 10, "the part that has arrived under its name")
        assert 0 < (there / "big").stat().st_size < size
        done = lab.run(*rsync, *files)
        assert done.returncode == 0, done.stderr
        assert (there / "big").read_bytes() == (tree / "big").read_bytes()
        matched = int(done.stdout.split(b"Matched data: ")[1].split()[0].replace(b",", b""))
        assert matched > 500_000, "what had arrived was not sent again"


# Long enough to exchange keys 16 times.

@pytest.fixture
def long_client(lab, tmp_path):
    """The client's command, and how often it has exchanged keys."""
    log = tmp_path / "log"
    return (f"ssh -F {lab.config} -o RekeyLimit=256M -E {log} -o LogLevel=DEBUG1 us",
            lambda: log.read_text(errors="replace").count("SSH2_MSG_NEWKEYS received"))


ZEROS = f"head -c {4 << 30} /dev/zero"


def sha256_of(command):
    done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[0]


def test_four_gib_with_many_key_exchanges(long_client):
    ssh, exchanges = long_client
    expected = sha256_of(f"{ZEROS} | sha256sum")
    assert sha256_of(f"{ssh} '{ZEROS}' | sha256sum") == expected
    assert exchanges() >= 16
    assert sha256_of(f"{ZEROS} | {ssh} sha256sum") == expected
    assert exchanges() >= 32
