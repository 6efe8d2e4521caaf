# SPDX-License-Identifier: Apache-2.0
"""Sessions whose output tells how far they came, for tests that kill something under them."""
import json
import subprocess
import threading

# The same lines as full frames, as pieces of any size, and so few that nothing is ever full. Each
# goes on until it is ended; how much is bounded, as every recording is verified again and again.
SLOWLY = "while i=$((i+1)); do echo $i; sleep 0.01; done"
COUNTS = [f"seq 1 100000; i=100000; {SLOWLY}",
          f"i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo $i; done; {SLOWLY}",
          f"i=0; {SLOWLY}"]


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def recorded_output(bastion, path):
    cast = bastion.play("export", str(path), "--format", "cast3").stdout.decode()
    events = [json.loads(line) for line in cast.splitlines()[1:] if not line.startswith("#")]
    return "".join(event[2] for event in events if event[1] == "o").encode()


class Counting:
    """A session that counts. Begin them one after the other: what is new is theirs."""

    def __init__(self, bastion, client, command):
        self.bastion = bastion
        roles = ("front", "monitor", "back")
        before = {role: set(bastion.processes(role)) for role in roles}
        files = set(bastion.recordings())
        self.process = subprocess.Popen(client.command(f"echo $$; {command}"), bufsize=0,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.received = self.process.stdout.readline()
        assert self.received, self.process.stderr.read()
        self.target_pid = int(self.received)
        self.pids = {}
        for role in roles:
            [self.pids[role]] = set(bastion.processes(role)) - before[role]
        [self.path] = set(bastion.recordings()) - files
        self.complaint = b""
        self.readers = [threading.Thread(target=self.read), threading.Thread(target=self.listen)]
        for reader in self.readers:
            reader.start()

    def read(self):
        while data := self.process.stdout.read(65536):
            self.received += data

    def listen(self):
        self.complaint = self.process.stderr.read()

    def goes_on(self):
        return self.process.poll() is None

    def end(self):
        """As a user who closes the window."""
        self.process.terminate()
        return self.wait()

    def wait(self, seconds=10):
        try:
            self.process.wait(seconds)
        finally:
            self.process.kill()
            self.process.wait()
            for reader in self.readers:
                reader.join(seconds)
        return self

    def check_nothing_is_missing(self):
        recorded = recorded_output(self.bastion, self.path)
        assert recorded.startswith(self.received), \
            f"{self.path.stem}: {len(self.received)} received, {len(recorded)} recorded"


class Bystander:
    """Another session, asked for an answer now and then."""

    def __init__(self, client):
        self.process = subprocess.Popen(client.command("cat"), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.ask("ready")

    def ask(self, text):
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().decode().strip() == text

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait(10) == 0
