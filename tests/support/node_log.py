# SPDX-License-Identifier: Apache-2.0
"""Another reader of the node log (docs/formats/log.md), for tests: shares no code with the product.
It trusts the entries and the log's public key, and computes everything else."""
import base64
import hashlib
import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def number_path(number):
    groups = []
    while True:
        groups.insert(0, f"{number % 1000:03}")
        number //= 1000
        if not number:
            return "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])


def split_bundle(data):
    entries = []
    while data:
        [length] = struct.unpack(">H", data[:2])
        entries.append(data[2:2 + length])
        assert len(entries[-1]) == length > 0
        data = data[2 + length:]
    return entries


def tree_root(leaves):
    """RFC 6962, section 2.1, as it is written there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\1" + tree_root(leaves[:split]) + tree_root(leaves[split:])).digest()


class Verifier:
    def __init__(self, text):
        self.name, key_id, key = text.strip().split("+", 2)
        raw = base64.b64decode(key)
        assert raw[0] == 1 and len(raw) == 33
        self.key_id = hashlib.sha256(self.name.encode() + b"\n" + raw).digest()[:4]
        assert self.key_id.hex() == key_id
        self.key = Ed25519PublicKey.from_public_bytes(raw[1:])

    def open(self, note):
        """(size, root) of a checkpoint; raises where it is not signed by this key."""
        text, signatures = note.split("\n\n")
        for line in signatures.splitlines():
            dash, name, blob = line.split(" ")
            raw = base64.b64decode(blob)
            if dash == "\u2014" and name == self.name and raw[:4] == self.key_id:
                self.key.verify(raw[4:], (text + "\n").encode())
                origin, size, root = text.split("\n")
                assert origin == self.name
                return int(size), base64.b64decode(root)
        raise AssertionError("the checkpoint is not signed by this key")


class NodeLog:
    """What a signed checkpoint of this folder proves: `entries`, as lists of words."""

    def __init__(self, folder, verifier):
        self.folder = folder
        self.size, root = verifier.open((folder / "checkpoint").read_text())
        raw = []
        while len(raw) < self.size:
            raw += self.bundle(len(raw) // 256, self.size - len(raw))
        raw = raw[:self.size]
        assert tree_root(raw) == root, "the entries are not those that were signed"
        self.entries = [entry.decode().split(" ") for entry in raw]
        assert all(entry[0] == "1" for entry in self.entries)

    def bundle(self, number, wanted):
        path = self.folder / "tile" / "entries" / number_path(number)
        if not path.exists():
            path = path.with_name(f"{path.name}.p") / str(wanted)
        return split_bundle(path.read_bytes())

    def of(self, kind):
        return [entry for entry in self.entries if entry[2] == kind]

    def heads(self):
        """The last head that a heads entry has of each recording: (frames, hex)."""
        last = {}
        for entry in self.of("heads"):
            text = (self.folder / "heads" / entry[4]).read_bytes()
            assert hashlib.sha256(text).hexdigest() == entry[4]
            lines = text.decode().splitlines()
            assert len(lines) == int(entry[3])
            for recording, frames, head in map(str.split, lines):
                last[recording] = (int(frames), head)
        return last
