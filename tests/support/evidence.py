# SPDX-License-Identifier: Apache-2.0
"""Folders of recordings with a node log beside them, for tests that tamper with both."""
import hashlib
import json
import pathlib
import shutil
import struct
import subprocess

from tests.support.player import BUILD, PLAY, make_recording, write_v3

MAKE_LOG = BUILD / "tests" / "make_log"
START_MS = 1_790_000_000_000  # of every recording that make_recording makes


class Frames:
    """A recording taken apart without a key: its header, its frames, what follows them."""

    def __init__(self, data):
        size = struct.unpack_from("<H", data, 8)[0] * 256
        self.header, offset, self.frames = data[:size], size, []
        while len(data) - offset >= 16:
            length, kind = struct.unpack_from("<IB", data, offset)
            if len(data) - offset < 16 + length or kind not in b"DSBTE":
                break
            self.frames.append(data[offset:offset + 16 + length])
            offset += 16 + length
            if kind == ord("E"):
                break
        self.rest = data[offset:]

    def heads(self):
        """The chain's heads: before the first frame, and after each."""
        heads = [hashlib.sha256(b"brec/1 chain" + self.header[:12] + self.header[16:128]).digest()]
        for frame in self.frames:
            heads.append(hashlib.sha256(heads[-1] + frame).digest())
        return [head.hex() for head in heads]

    def bytes(self):
        return self.header + b"".join(self.frames) + self.rest


class Evidence:
    """`folder`/recordings and `folder`/log. Entries are kept to be signed by sign()."""

    def __init__(self, folder, auditor, seed="the node's own"):
        self.folder = pathlib.Path(folder)
        self.identity, self.recipient = auditor
        self.recordings, self.log = self.folder / "recordings", self.folder / "log"
        self.recordings.mkdir(parents=True, exist_ok=True)
        self.seed, self.key, self.now = seed, None, START_MS + 1000
        self.signed, self.entries = [], []

    def path(self, recording):
        return self.recordings / (recording + ".brec")

    def record(self, recording, texts, end="end"):
        cast = write_v3(self.folder / "cast", [(0.5, text.encode()) for text in texts])
        session, channel = recording.split("-")
        make_recording(self.path(recording), cast, self.recipient, int(channel), end=end,
                       session=session)
        cast.unlink()
        return Frames(self.path(recording).read_bytes())

    def entry(self, text):
        self.now += 100
        self.entries.append("1 %d %s" % (self.now, text))

    def start(self, recording, frames, person="somebody"):
        """With its facts, as stored enters both."""
        self.entry("start %s %s" % (recording, frames.heads()[0]))
        self.facts(recording, person)

    def heads(self, *heads):
        """heads: (recording, number of frames, head)."""
        text = "".join(sorted("%s %d %s\n" % head for head in heads))
        self.entry("heads %d %s" % (len(heads), self.hashed_file("heads", text)))

    def end(self, recording, frames, reason="closed"):
        self.entry("end %s %d %s %s" % (recording, len(frames.frames), frames.heads()[-1], reason))

    def audit(self, event):
        salt = hashlib.sha256(event.encode()).digest()[:16]
        self.entry("audit " + hashlib.sha256(salt + event.encode()).hexdigest())
        return salt

    def erase(self, recording, reason, named=None, node="node1"):
        """By an order about it, or about `named`, for this node or another."""
        order = "sallyport erasure order 1\nnode %s\nmade %d\nerase key\nreason %s\n" \
                "recording %s\n" % (node, self.now, reason, named or recording)
        self.entry("erase %s %s" % (recording, self.hashed_file("orders", order)))
        data = bytearray(self.path(recording).read_bytes())
        size = struct.unpack_from("<H", data, 8)[0] * 256
        data[12:16], data[128:size] = bytes(4), bytes(size - 128)
        self.path(recording).write_bytes(data)
        (self.folder / "facts" / (recording + ".json")).unlink(missing_ok=True)

    def facts(self, recording, person, of=None):
        """As stored writes them; `of` another recording where they lie."""
        event = {"recording": of or recording, "person": person, "agent": "", "issuer": "",
                 "subject": "", "target": "web1", "login": "root", "address": "127.0.0.1",
                 "fingerprint": "", "roles": "", "kind": "shell", "start_ms": START_MS}
        event = json.dumps(event, separators=(",", ":"))
        salt = self.audit(event)
        (self.folder / "facts").mkdir(exist_ok=True)
        (self.folder / "facts" / (recording + ".json")).write_text(
            json.dumps({"salt": salt.hex(), "event": event}, separators=(",", ":")))

    def hashed_file(self, kind, text):
        name = hashlib.sha256(text.encode()).hexdigest()
        (self.log / kind).mkdir(parents=True, exist_ok=True)
        (self.log / kind / name).write_text(text)
        return name

    def sign(self):
        done = subprocess.run([MAKE_LOG, self.log, "sallyport/node1", self.seed], text=True,
                              input="\n".join(self.entries + ["sign"]) + "\n", check=True,
                              capture_output=True)
        self.key, self.signed, self.entries = done.stdout.strip(), self.lines(), []
        return (self.log / "checkpoint").read_bytes()

    def lines(self):
        return self.signed + self.entries

    def rebuild(self, lines, seed=None):
        """Another log of these entries in the place of the one that is here."""
        for name in ("tile", "checkpoint"):
            target = self.log / name
            shutil.rmtree(target) if target.is_dir() else target.unlink()
        for pending in self.log.glob("pending-*"):
            pending.unlink()
        self.entries, self.signed = list(lines), []
        if seed:
            self.seed = seed
        return self.sign()

    def copy(self, folder):
        shutil.copytree(self.folder, folder)
        other = Evidence.__new__(Evidence)
        other.__dict__.update(self.__dict__)
        other.entries = list(self.entries)
        other.folder = pathlib.Path(folder)
        other.recordings, other.log = other.folder / "recordings", other.folder / "log"
        return other

    def verify(self, *arguments, key=None, identity=True):
        command = [PLAY, "verify", *(arguments or ["--all"]), "--recordings", self.recordings]
        command += ["--log-key", key or self.key] if key != "" else []
        command += ["-i", self.identity] if identity else []
        return subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300,
                              env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"})

    def verify_json(self, *arguments, **options):
        done = self.verify(*(arguments or ["--all"]), "--json", **options)
        return done.returncode, json.loads(done.stdout)
