# SPDX-License-Identifier: Apache-2.0
"""The clients that test_client_matrix.py has not: each directly, by name, and through ssh -J where
it can; what they print is the same."""
import os
import re
import socket
import sys

import pexpect
import pytest

from tests.e2e.conftest import running_stack
from tests.e2e.test_forwards import ALL
from tests.support.lab import Lab
from tests.support.stack import ME, free_port

WAYS = ["us", "jump"]


@pytest.fixture(scope="module")
def bastion(tmp_path_factory):
    roles = {"users": {"groups": ["ssh-users"], "targets": ["web1"], "logins": [ME],
                       "channels": ALL, "forward_to": ["127.0.0.1:*"]}}
    with running_stack(tmp_path_factory.mktemp("stack"), roles=roles,
                       sshd_config="MaxSessions 200") as running:
        yield running


@pytest.fixture(scope="module")
def lab(bastion, tmp_path_factory):
    lab = Lab(bastion, tmp_path_factory.mktemp("more"))
    (lab.folder / "big").write_bytes(os.urandom(3_000_000))
    return lab


def place(lab, way):
    """User and port of a client that has no ssh_config."""
    return {"direct": (ME, lab.bastion.target.port), "us": (f"{ME}@web1", lab.bastion.port)}[way]


def said(lab, *words, **more):
    """What a client says, without what differs by itself."""
    done = lab.run(*words, **more)
    text = re.sub(r"\b(direct|us|jump)\b", "HOST", (done.stdout + done.stderr).decode())
    return done.returncode, text


# Other programs.

@pytest.fixture(scope="module")
def putty(lab):
    key = lab.folder / "putty.ppk"
    done = lab.run("puttygen", lab.client.key, "-O", "private", "-o", key)
    assert done.returncode == 0, done.stderr

    def words(tool, way, *more):
        pins = (lab.folder / "known").read_text().splitlines()
        pin = {"direct": pins[0], "us": pins[1], "jump": pins[-1]}[way]
        path = lab.folder / "pin"
        path.write_text(" ".join(pin.split()[1:]) + "\n")
        fingerprint = lab.run("ssh-keygen", "-lf", path).stdout.decode().split()[1]
        begin = [tool, "-batch", "-i", key, "-hostkey", fingerprint]
        if way != "jump":
            user, port = place(lab, way)
            return [*begin, "-P", port, "-l", user, *more]
        proxy = words("plink", "us", "127.0.0.1", "-nc", "web1:22")
        proxy[proxy.index(f"{ME}@web1")] = "somebody"
        return [*begin, "-l", ME, "-proxycmd", " ".join(map(str, proxy)), *more]

    return words


def test_putty(lab, putty):
    big = (lab.folder / "big").read_bytes()
    results = []
    for host in ("direct", *WAYS):
        name = "web1" if host == "jump" else "127.0.0.1"
        done = lab.run(*putty("plink", host, name, "cat; echo err >&2; exit 5"), input=big)
        killed = lab.run(*putty("plink", host, name, "kill -9 $$")).returncode
        there, back = lab.folder / f"pscp-{host}", lab.folder / f"pscp-{host}-back"
        copies = [lab.run(*putty("pscp", host, "-q", *how, *files)).returncode for how, files in (
            (["-sftp"], [lab.folder / "big", f"{name}:{there}"]),
            (["-scp"], [f"{name}:{there}", back]), ([], [f"{name}:/no/such", back]))]
        batch = lab.folder / "batch"
        batch.write_text(f"cd {lab.folder}\nmv {there.name} {there.name}2\nget {there.name}2 got\n")
        moved = lab.run(*putty("psftp", host, "-b", batch, name), cwd=lab.folder).returncode
        assert back.read_bytes() == (lab.folder / "got").read_bytes() == big
        results.append((done.stdout == big, done.stderr, done.returncode, killed, copies, moved))
    assert results == [(True, b"err\n", 5, 128, [0, 0, 1], 0)] * 3


ASYNCSSH = """
import asyncio, asyncssh, sys
port, user, host, key, target, *proxy = sys.argv[1:]
async def main():
    async with asyncssh.connect(host, port=int(port), username=user, client_keys=[key],
                                known_hosts=None, config=None, agent_path=None,
                                proxy_command=proxy or ()) as c:
        done = await c.run("echo out; echo err >&2; exit 5")
        print(done.stdout, done.stderr, done.exit_status)
        print((await c.run("kill -TERM $$")).exit_signal)
        print((await c.run("wc -c", input="x" * 3000000)).stdout)
        many = await asyncio.gather(*[c.run(f"exit {i}") for i in range(30)])
        print([one.exit_status for one in many])
        async with c.start_sftp_client() as sftp:
            await sftp.put("big", sys.path[0] + "/asyncssh-big")
            print((await sftp.stat(sys.path[0] + "/asyncssh-big")).size)
            try:
                await sftp.stat("/no/such")
            except asyncssh.SFTPError as error:
                print(repr(error))
        done = await c.run("stty size; echo $TERM", term_type="vt220", term_size=(100, 30))
        print(done.stdout)
        try:
            await c.create_process(subsystem="nosuch")
        except asyncssh.ChannelOpenError as error:
            print(repr(error))
        listener = await c.forward_local_port("", 0, "127.0.0.1", int(target))
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.get_port())
        print((await reader.readline())[:8])
        writer.close()
asyncio.run(asyncio.wait_for(main(), 20))
"""


@pytest.mark.parametrize("way", WAYS)
def test_asyncssh(lab, way):
    script = lab.folder / "use_asyncssh.py"
    script.write_text(ASYNCSSH)
    results = []
    for host in ("direct", way):
        user, port = place(lab, host) if host != "jump" else (ME, 22)
        name = "web1" if host == "jump" else "127.0.0.1"
        proxy = ["ssh", "-F", lab.config, "-W", "web1:22", "outer"] if host == "jump" else []
        results.append(lab.run(sys.executable, "-W", "ignore", script, port, user, name,
                               lab.client.key, lab.bastion.target.port, *proxy, cwd=lab.folder))
    assert results[0].returncode == 0, results[0].stderr
    assert results[1].returncode == 0, results[1].stderr
    assert results[0].stdout == results[1].stdout


RUBY = """
require 'net/ssh'
require 'net/ssh/proxy/command'
require 'net/sftp'
port, user, host, key, folder, *proxy = ARGV
with = {port: port.to_i, keys: [key], keys_only: true, verify_host_key: :never, config: false,
        use_agent: false}
with[:proxy] = Net::SSH::Proxy::Command.new(proxy.join(' ')) if proxy.any?
Net::SSH.start(host, user, with) do |ssh|
  done = ssh.exec!('echo out; sleep 0.1; echo err >&2; exit 4')
  puts done, done.exitstatus
  ssh.exec!('kill -TERM $$', status: (status = {}))
  puts status
  got = +''
  ssh.open_channel do |c|
    c.request_pty(term: 'vt100', chars_wide: 90, chars_high: 20) { |_, ok| puts ok }
    c.env('LC_X', 'y')
    c.exec('stty size; echo $TERM $LC_X') { |_, ok| puts ok }
    c.on_data { |_, data| got << data }
  end
  ssh.loop
  puts got
  ssh.open_channel { |c| c.subsystem('nosuch') { |_, ok| puts ok; c.close } }
  ssh.loop
  ssh.sftp.upload!("#{folder}/big", "#{folder}/ruby-there")
  ssh.sftp.download!("#{folder}/ruby-there", "#{folder}/ruby-back")
  puts File.binread("#{folder}/big") == File.binread("#{folder}/ruby-back")
  begin
    ssh.sftp.stat!('/no/such')
  rescue Net::SFTP::StatusException => e
    puts e.message
  end
end
"""


def test_ruby(lab):
    script = lab.folder / "use.rb"
    script.write_text(RUBY)
    results = []
    for host in ("direct", *WAYS):
        user, port = place(lab, host) if host != "jump" else (ME, 22)
        name = "web1" if host == "jump" else "127.0.0.1"
        proxy = ["ssh", "-F", lab.config, "-W", "%h:%p", "outer"] if host == "jump" else []
        results.append(said(lab, "ruby", "-W0", script, port, user, name, lab.client.key,
                            lab.folder, *proxy))
        assert results[-1] == results[0]
    assert results[0][0] == 0, results[0]


def test_rclone(lab):
    """Go's x/crypto/ssh; it has no jump."""
    source = lab.new("rclone")
    for i in range(5):
        (source / f"file{i}").write_bytes(os.urandom(30_000))
    results = []
    for host in ("direct", "us"):
        user, port = place(lab, host)
        remote = f":sftp,host=127.0.0.1,port={port},user={user},key_file={lab.client.key}:"
        there = lab.folder / f"rclone-{host}"
        rclone = ["rclone", "--config", "/dev/null", "-q"]
        results.append([lab.run(*rclone, *words).returncode for words in (
            ["copy", source, f"{remote}{there}"], ["check", source, f"{remote}{there}"],
            ["lsf", f"{remote}/no/such"])])
        assert len(list(there.iterdir())) == 5
    assert results[0] == results[1] == [0, 0, 3]


PLAY = """
- hosts: all
  gather_facts: no
  tasks:
    - ping:
    - copy: {src: FOLDER/big, dest: "FOLDER/ansible-{{ inventory_hostname }}"}
    - template: {src: FOLDER/t.j2, dest: "FOLDER/template-{{ inventory_hostname }}"}
    - raw: exit 7
      register: x
      failed_when: x.rc != 7
"""


@pytest.mark.parametrize("pipelining, way", [(False, "us"), (True, "jump")])
def test_ansible(lab, pipelining, way):
    (lab.folder / "inventory").write_text(f"[all]\n{way}\n")
    (lab.folder / "t.j2").write_text("{{ 6 * 7 }}\n")
    (lab.folder / "play.yml").write_text(PLAY.replace("FOLDER", str(lab.folder)))
    done = lab.run("env", f"ANSIBLE_PIPELINING={pipelining}", "ANSIBLE_NOCOLOR=1",
                   "ANSIBLE_SSH_ARGS=-C -o ControlMaster=auto -o ControlPersist=2",
                   f"ANSIBLE_SSH_CONTROL_PATH_DIR={lab.bastion.folder}/ansible{pipelining}",
                   f"ANSIBLE_SSH_COMMON_ARGS=-F {lab.config}",
                   "ANSIBLE_PYTHON_INTERPRETER=/usr/bin/python3", "ansible-playbook",
                   "-i", lab.folder / "inventory", lab.folder / "play.yml")
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    assert len(re.findall(rb"ok=4 +changed=\d +unreachable=0 +failed=0", done.stdout)) == 1
    assert (lab.folder / f"template-{way}").read_text() == "42\n"
    assert (lab.folder / f"ansible-{way}").read_bytes() == (lab.folder / "big").read_bytes()


def test_curl_scp(lab):
    results = []
    for host in ("direct", "us"):
        user, port = place(lab, host)
        url = f"scp://{user.replace('@', '%40')}@127.0.0.1:{port}{lab.folder}"
        curl = ["curl", "-sS", "-k", "--key", lab.client.key, "--pubkey", f"{lab.client.key}.pub"]
        assert lab.run(*curl, f"{url}/big").stdout == (lab.folder / "big").read_bytes()
        results.append([said(lab, *curl, f"{url}/nosuch"),
                        said(lab, *curl, f"{url}/big".replace("scp", "sftp", 1), "-r", "5-9",
                             "-o", "/dev/null")])
    assert results[0] == results[1]


# OpenSSH's own, in the ways of other programs.

@pytest.mark.parametrize("way", WAYS)
def test_a_script_on_stdin_of_a_remote_shell(lab, way):
    """As VS Code: no terminal, a proxy beside it, a script line by line."""
    script = "".join(f"echo line {i}\n" for i in range(3000)) + "echo err >&2; exit 9\n"
    results = [said(lab, "ssh", "-F", lab.config, "-T", "-D", free_port(), host, "bash",
                    input=script.encode()) for host in ("direct", way)]
    assert results[0] == results[1] and results[0][0] == 9 and "line 2999\n" in results[0][1]


@pytest.mark.parametrize("way", WAYS)
def test_copies_between_two_targets(lab, way):
    for host in ("direct", way):
        there = lab.folder / f"three-{way}-{host}"
        done = lab.run("scp", "-F", lab.config, "-3q", f"{host}:{lab.folder}/big",
                       f"direct:{there}")
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert there.read_bytes() == (lab.folder / "big").read_bytes()


@pytest.mark.parametrize("way", WAYS)
def test_sftp_extensions(lab, way):
    batch = ("cd {}\nput {}/big b\nln -s b s\nln b h\nrename b c\ncopy c d\ndf -i\nchmod 640 c\n"
             "get -a c {}/part\nls -1\n-rm nosuch\nversion\nget /no/such\n")
    results = []
    for host in ("direct", way):
        there = lab.new(f"extensions-{way}-{host}")
        code, text = said(lab, "sftp", "-F", lab.config, "-q", "-b", "-", host,
                          input=batch.format(there, lab.folder, there).encode())
        text = re.sub(r" +\d[\d ]*%.*", "", text.replace(str(there), ""))
        results.append((code, text, os.readlink(there / "s"), (there / "h").stat().st_nlink))
    assert results[0] == results[1] and results[0][0] == 1


@pytest.mark.parametrize("way", WAYS)
def test_a_partial_clone(lab, way):
    git = ["git", "-c", f"core.sshCommand=ssh -F {lab.config}", "-c", "user.name=a", "-c",
           "user.email=a@b", "-c", "init.defaultBranch=main"]
    there, work = lab.new(f"partial-{way}.git"), lab.new(f"partial-{way}-work")
    clone = lab.folder / f"partial-{way}-clone"
    for i in range(4):
        (work / f"file{i}").write_bytes(os.urandom(1_000_000))
    for words in (["init", "-q", "--bare", there],
                  ["-C", there, "config", "uploadpack.allowFilter", "true"],
                  ["-C", there, "config", "uploadpack.allowAnySHA1InWant", "true"],
                  ["init", "-q", work], ["-C", work, "add", "."],
                  ["-C", work, "commit", "-qm", "one"],
                  ["-C", work, "push", "-q", f"{way}:{there}", "main"],
                  ["clone", "-q", "--filter=blob:none", "--no-checkout", f"{way}:{there}", clone],
                  ["-C", clone, "checkout", "-q", "main", "--", "file2"],
                  ["-C", clone, "fetch", "-q", "--depth", "1", "origin", "main"]):
        done = lab.run(*git, *words)
        assert done.returncode == 0, (words, done.stderr)
    assert (clone / "file2").read_bytes() == (work / "file2").read_bytes()


@pytest.mark.parametrize("way", WAYS)
def test_two_hundred_commands_on_one_connection(lab, way):
    control = ["-F", lab.config, "-o", f"ControlPath={lab.bastion.folder}/two-{way}"]
    assert lab.run("ssh", "-o", "ControlMaster=yes", "-o", "ControlPersist=20", *control, way,
                   "true").returncode == 0
    try:
        loop = " ".join(map(str, ["ssh", *control, way]))
        done = lab.run("bash", "-c", "seq 0 199 | xargs -P 20 -I@ sh -c "
                       f"'{loop} \"echo @; exit @\";"
                       " [ $? = @ ] || echo wrong'")
        assert sorted(done.stdout.split()) == sorted(str(i).encode() for i in range(200))
    finally:
        lab.run("ssh", "-O", "exit", *control, way)


# At a keyboard.

def at_keyboard(lab, host, *options, command=()):
    child = pexpect.spawn("ssh", ["-F", str(lab.config), *options, host, *command], timeout=15,
                          encoding="utf-8", dimensions=(24, 80))
    child.delaybeforesend = None
    if not command:
        child.sendline("PS1='$ '; echo rea''dy")
        child.expect("ready\r\n")
    return child


def left(child, expected=3):
    child.send("exit 3\r")
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


@pytest.mark.parametrize("way", WAYS)
def test_a_break_ends_nothing(lab, way):
    for host in ("direct", way):
        child = at_keyboard(lab, host)
        child.send("\r~B")
        child.expect("~B")
        child.sendline("echo still''here")
        child.expect("stillhere")
        assert left(child) == 3, host


@pytest.mark.parametrize("way", WAYS)
def test_forwards_added_while_it_runs(lab, way):
    for host in ("direct", way):
        child, port = at_keyboard(lab, host, "-o", "EnableEscapeCommandline=yes",
                                  "-o", "LogLevel=INFO"), free_port()
        child.send("\r~C")
        child.expect("ssh> ")
        child.sendline(f"-L {port}:127.0.0.1:{lab.bastion.target.port}")
        child.expect("Forwarding port")
        with socket.create_connection(("127.0.0.1", port), timeout=10) as talk:
            assert talk.recv(4) == b"SSH-"
        child.send("\r~C")
        child.expect("ssh> ")
        child.sendline(f"-KL {port}")
        child.expect("Canceled forwarding")
        child.send("\r~R\r~R\r")
        assert left(child) == 3, host


@pytest.mark.parametrize("way", WAYS)
def test_a_storm_of_sizes_ends_with_the_last(lab, way):
    for host in ("direct", way):
        child = at_keyboard(lab, host)
        for i in range(300):
            child.setwinsize(20 + i % 30, 60 + i % 70)
        child.setwinsize(33, 77)
        child.sendline("until [ \"$(stty size)\" = '33 77' ]; do sleep 0.1; done; echo the''re")
        child.expect("there")
        assert left(child) == 3, host


@pytest.mark.parametrize("way", WAYS)
def test_a_shell_that_an_editor_talks_to(lab, way):
    """As Emacs' TRAMP."""
    said_by = []
    for host in ("direct", way):
        child = at_keyboard(lab, host, "-e", "none", "-t", "-t", command=("/bin/sh",))
        child.expect("[#$] ")
        child.sendline("exec env ENV= PS1='//prompt//' PS2= /bin/sh")
        child.expect("\n//prompt//")
        child.sendline("stty -onlcr -echo")
        child.expect("//prompt//")
        answers = []
        for i in range(50):
            child.sendline(f"echo {i}; echo status $?")
            child.expect("//prompt//")
            answers.append(child.before)
        assert left(child) == 3, host
        said_by.append(answers)
    assert said_by[0] == said_by[1] and said_by[0][1] == "1\nstatus 0\n"


@pytest.mark.parametrize("way", WAYS)
def test_many_variables_and_long_ones(lab, way):
    many = {f"LC_V{i}": f"value {i}" for i in range(110)} | {"LC_LONG": "x" * 90_000}
    results = [said(lab, "env", *(f"{name}={value}" for name, value in many.items()), "ssh", "-F",
                    lab.config, "-o", "SendEnv=LC_*", host, "env | grep ^LC_ | sort")
               for host in ("direct", way)]
    assert results[0] == results[1] and len(results[0][1]) > 90_000
