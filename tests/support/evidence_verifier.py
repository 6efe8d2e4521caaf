#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Verifies an evidence file (docs/evidence.md) with Python's standard library, age and zstd alone.

    evidence_verifier.py FILE LOG_KEY [IDENTITY [IDENTITY OF THE SECOND PERSON]]

It shares no code with Sallyport and was written after the documents: docs/formats/log.md,
docs/formats/brec.md, RFC 6962, RFC 9162, RFC 8032, RFC 5869, FIPS 197, SP 800-38D, C2SP signed-note
and tlog-proof. Slow is fine. Prints what it found; exit status 0 only when all of it holds."""
import base64
import hashlib
import hmac
import json
import struct
import subprocess
import sys
import tarfile


class Wrong(Exception):
    """Something that does not hold."""


def check(holds, what):
    if not holds:
        raise Wrong(what)
    print("ok    ", what)


# ---------------------------------------------------------------- Ed25519, RFC 8032

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)


def point_add(a, b):
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def point_times(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = point_add(result, point)
        point, scalar = point_add(point, point), scalar >> 1
    return result


def point_of(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        raise Wrong("not a point of the curve")
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def same_point(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519_verifies(key, message, signature):
    s = int.from_bytes(signature[32:], "little")
    if len(key) != 32 or len(signature) != 64 or s >= L:
        return False
    digest = hashlib.sha512(signature[:32] + key + message).digest()
    k = int.from_bytes(digest, "little") % L
    return same_point(point_times(s, BASE),
                      point_add(point_of(signature[:32]), point_times(k, point_of(key))))


# ---------------------------------------------------------------- AES-256-GCM

def _sbox():
    box, p, q = [0x63] * 256, 1, 1
    while True:
        p = p ^ (p << 1 & 0xff) ^ (0x1b if p & 0x80 else 0)
        for shift in (1, 2, 4):
            q ^= q << shift & 0xff
        q ^= 0x09 if q & 0x80 else 0
        turned = q
        for shift in (1, 2, 3, 4):
            turned ^= (q << shift | q >> 8 - shift) & 0xff
        box[p] = turned ^ 0x63
        if p == 1:
            return box


SBOX = _sbox()
DOUBLE = [byte << 1 & 0xff ^ (0x1b if byte & 0x80 else 0) for byte in range(256)]


class Aes256:
    def __init__(self, key):
        words = [list(key[i:i + 4]) for i in range(0, 32, 4)]
        constant = 1
        for i in range(8, 60):
            word = list(words[-1])
            if i % 8 == 0:
                word = [SBOX[b] for b in word[1:] + word[:1]]
                word[0] ^= constant
                constant = DOUBLE[constant]
            elif i % 8 == 4:
                word = [SBOX[b] for b in word]
            words.append([a ^ b for a, b in zip(words[i - 8], word)])
        self.rounds = [sum(words[i:i + 4], []) for i in range(0, 60, 4)]

    def encrypt(self, block):
        state = [a ^ b for a, b in zip(block, self.rounds[0])]
        for number in range(1, 15):
            shifted = [SBOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
            if number < 14:
                mixed = []
                for i in range(0, 16, 4):
                    a, b, c, d = shifted[i:i + 4]
                    every = a ^ b ^ c ^ d
                    mixed += [a ^ every ^ DOUBLE[a ^ b], b ^ every ^ DOUBLE[b ^ c],
                              c ^ every ^ DOUBLE[c ^ d], d ^ every ^ DOUBLE[d ^ a]]
                shifted = mixed
            state = [a ^ b for a, b in zip(shifted, self.rounds[number])]
        return bytes(state)


class Gcm:
    def __init__(self, key):
        self.aes = Aes256(key)
        h = int.from_bytes(self.aes.encrypt(bytes(16)), "big")
        powers = []  # h times x^i
        for _ in range(128):
            powers.append(h)
            h = h >> 1 ^ (0xe1 << 120 if h & 1 else 0)
        self.tables = []  # for each byte of a block, what each of its values gives
        for at in range(0, 128, 8):
            table = [0] * 256
            for bit in range(8):
                step = 0x80 >> bit
                table[step] = powers[at + bit]
            for value in range(256):
                low = value & -value
                table[value] = table[value ^ low] ^ table[low] if value != low else table[value]
            self.tables.append(table)

    def _ghash(self, data):
        total = 0
        for at in range(0, len(data), 16):
            block = (total ^ int.from_bytes(data[at:at + 16], "big")).to_bytes(16, "big")
            total = 0
            for table, byte in zip(self.tables, block):
                total ^= table[byte]
        return total

    def open(self, nonce, sealed, associated):
        """The plaintext; None where the tag does not fit."""
        text, tag = sealed[:-16], sealed[-16:]

        def padded(data):
            return data + bytes(-len(data) % 16)

        lengths = struct.pack(">QQ", 8 * len(associated), 8 * len(text))
        total = self._ghash(padded(associated) + padded(text) + lengths)
        mask = int.from_bytes(self.aes.encrypt(nonce + b"\0\0\0\1"), "big")
        if not hmac.compare_digest((total ^ mask).to_bytes(16, "big"), tag):
            return None
        stream = b"".join(self.aes.encrypt(nonce + struct.pack(">I", 2 + i))
                          for i in range((len(text) + 15) // 16))
        return bytes(a ^ b for a, b in zip(text, stream))


# ---------------------------------------------------------------- the log

def parse_key(text):
    name, key_id, encoded = text.strip().split("+", 2)
    data = base64.b64decode(encoded, validate=True)
    expected = hashlib.sha256(name.encode() + b"\n" + data).hexdigest()[:8]
    if len(data) != 33 or data[0] != 1 or key_id != expected:
        raise Wrong("the log's key is none")
    return name, bytes.fromhex(key_id), data[1:]


def open_checkpoint(note, key):
    """Size and root of a checkpoint that this key has signed."""
    name, key_id, public = key
    text, signatures = note.rsplit("\n\n", 1)
    text += "\n"
    good = False
    for line in signatures.splitlines():
        dash, signer, encoded = line.split(" ")
        data = base64.b64decode(encoded, validate=True)
        if dash == "\u2014" and signer == name and data[:4] == key_id:
            good = ed25519_verifies(public, text.encode(), data[4:])
    check(good, "the checkpoint was signed by the key of " + name)
    origin, size, root = text.splitlines()
    check(origin == name, "the checkpoint is of this log")
    return int(size), base64.b64decode(root, validate=True)


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root_by_proof(entry, index, size, hashes):
    """RFC 6962, section 2.1.1, from the root down: each level takes the last hash that is left."""
    def root(index, size, hashes):
        if size == 1:
            if hashes:
                raise Wrong("a proof is too long")
            return hashlib.sha256(b"\0" + entry).digest()
        half = 1 << (size - 1).bit_length() - 1
        if not hashes:
            raise Wrong("a proof is too short")
        if index < half:
            return node(root(index, half, hashes[:-1]), hashes[-1])
        return node(hashes[-1], root(index - half, size - half, hashes[:-1]))

    if not 0 <= index < size:
        raise Wrong("a proof of an entry that the log does not have")
    return root(index, size, hashes)


class Log:
    def __init__(self, members, key):
        self.members = members
        self.note = members["checkpoint"].decode()
        self.size, self.root = open_checkpoint(self.note, key)
        self.places = {}  # where the entries stand, by their names

    def entry(self, name):
        """The fields of an entry that is proven to be in the log; None where there is none."""
        if name + ".entry" not in self.members:
            return None
        entry = self.members[name + ".entry"]
        proof, note = self.members[name + ".tlog-proof"].decode().split("\n\n", 1)
        first, index, *hashes = proof.splitlines()
        if first != "c2sp.org/tlog-proof@v1" or not index.startswith("index ") or note != self.note:
            raise Wrong("the proof of %s.entry is none" % name)
        hashes = [base64.b64decode(line, validate=True) for line in hashes]
        root = root_by_proof(entry, int(index[6:]), self.size, hashes)
        check(root == self.root, "%s.entry is entry %s of the log's %d" % (name, index[6:], self.size))
        fields = entry.decode().split(" ")
        if fields[0] != "1" or fields[2] != {"head": "heads", "facts": "audit"}.get(name, name):
            raise Wrong("%s.entry is of another kind" % name)
        self.places[name] = int(index[6:])
        return fields


# ---------------------------------------------------------------- the recording

class Recording:
    def __init__(self, data):
        if data[:8] != b"BREC\x01\r\n\0":
            raise Wrong("the recording is none")
        self.data = data
        self.size = struct.unpack_from("<H", data, 8)[0] * 256
        self.id = "%s-%d%s" % (data[24:40].hex(), struct.unpack_from("<I", data, 104)[0],
                               {0: "", 1: "k"}[data[108]])
        length, = struct.unpack_from("<I", data, 12)
        if any(data[10:12]) or any(data[108:128]) or any(data[128 + length:self.size]):
            raise Wrong("bytes of the header that must be zero are not")
        self.heads = [hashlib.sha256(b"brec/1 chain" + data[:12] + data[16:128]).digest()]
        self.frames, at = [], self.size
        while len(data) - at >= 16:
            length, kind = struct.unpack_from("<IB", data, at)
            end = at + 16 + length
            if end > len(data):
                break
            self.frames.append((chr(kind), data[at:at + 16], data[at + 16:end]))
            self.heads.append(hashlib.sha256(self.heads[-1] + data[at:end]).digest())
            at, last = end, at
            if chr(kind) == "E":
                break
        self.rest = data[at:]
        self.trailer = struct.pack("<QQ", len(self.frames) - 1, last) + b"BREC-END" \
            if self.ended() else None

    def ended(self):
        return bool(self.frames) and self.frames[-1][0] == "E"

    def erased(self):
        return not any(self.data[12:16]) or not any(self.data[128:self.size])


def hkdf(key, salt, info):
    extracted = hmac.digest(salt, key, "sha256")
    return hmac.digest(extracted, info + b"\1", "sha256")


def open_envelope(recording, identities):
    length, = struct.unpack_from("<I", recording.data, 12)
    layer = recording.data[128:128 + length]
    for identity in identities:
        opened = subprocess.run(["age", "-d", "-i", identity], capture_output=True, input=layer)
        check(opened.returncode == 0, "age opens the envelope")
        layer = opened.stdout
    return layer


def check_content(recording, identities):
    key = open_envelope(recording, identities)
    session, commit = recording.data[24:40], recording.data[72:104]
    check(hkdf(key, session, b"brec/1 commit") == commit, "its key is the recording's own")
    cipher, text, end = Gcm(hkdf(key, session, b"brec/1 payload")), [], None
    for number, (kind, header, body) in enumerate(recording.frames):
        plain = cipher.open(b"\0\0\0\0" + struct.pack(">Q", number), body, header)
        if plain is None:
            raise Wrong("the tag of frame %d does not fit" % number)
        if kind == "D":
            text.append(plain)
        if kind == "E":
            end = plain
    print("ok     the tags of all %d frames fit" % len(recording.frames))
    cast = inflate(b"".join(text), may_be_cut=end is None)
    if end is not None:
        record = json.loads(inflate(end))
        count = len(recording.frames) - 1
        check((record["frames"], record["chain"], record["raw"]) ==
              (count, recording.heads[count].hex(), len(cast)), "the end record agrees")
    lines = cast.decode().splitlines()
    for line in lines:
        json.loads(line)
    facts = json.loads(lines[0]).get("sallyport", {})
    if "session" in facts:
        part = {"": "", "keystrokes": "k"}[facts.get("part", "")]
        check("%s-%d%s" % (facts["session"], facts["channel"], part) == recording.id,
              "the text says that it is this recording")
    print("ok     %d lines of asciicast" % len(lines))
    return cast


def inflate(data, may_be_cut=False):
    done = subprocess.run(["zstd", "-q", "-d", "-c"], input=data, capture_output=True)
    if done.returncode and not may_be_cut:
        raise Wrong("not zstd")
    return done.stdout[:done.stdout.rfind(b"\n") + 1] if done.returncode else done.stdout


# ---------------------------------------------------------------- all together

def check_chain(recording, log):
    start, end, head = log.entry("start"), log.entry("end"), log.entry("head")
    if start is None:
        raise Wrong("there is no start")
    check(start[3] == recording.id, "the start is of this recording")
    check(start[4] == recording.heads[0].hex(), "the header is the one that was logged")
    if end is None and head is None:
        print("open   how it goes on: the log has nothing but its start")
        return
    if end is not None:
        name, frames, chain = end[3:6]
        check(int(frames) == len(recording.frames), "it has %s frames, as logged" % frames)
        check(log.places["end"] > log.places["start"], "its end was logged after its start")
        if recording.ended():
            check(recording.rest == recording.trailer, "nothing but the trailer follows its end")
        elif end[6] not in ("killed", "lost", "failed") and recording.frames:
            raise Wrong("it ended in order and has no end frame: it was cut")
    else:
        listing = log.members["heads.txt"]
        check(hashlib.sha256(listing).hexdigest() == head[4], "heads.txt is the file that was logged")
        name, frames, chain = next(line.split(" ") for line in listing.decode().splitlines()
                                   if line.startswith(recording.id + " "))
        check(int(frames) <= len(recording.frames), "it has at least %s frames" % frames)
    check(name == recording.id, "the end is of this recording")
    check(chain == recording.heads[int(frames)].hex(), "the chain of %s frames is logged" % frames)


def verify(path, key, *identities):
    with tarfile.open(path, "r:") as archive:
        members = {member.name: archive.extractfile(member).read() for member in archive}
    log = Log(members, parse_key(key))
    [name] = [name for name in members if name.endswith(".brec")]
    recording = Recording(members[name])
    check(name == recording.id + ".brec", "the recording has its own name")
    check_chain(recording, log)
    erasure = log.entry("erase")
    if erasure is not None:
        check(erasure[3] == recording.id and
              hashlib.sha256(members["order.txt"]).hexdigest() == erasure[4], "its erasure was ordered")
    check(recording.erased() == (erasure is not None), "it has its key, or an order of erasure")
    if "facts.json" in members:
        facts, audit = json.loads(members["facts.json"]), log.entry("facts")
        hashed = hashlib.sha256(bytes.fromhex(facts["salt"]) + facts["event"].encode()).hexdigest()
        check(audit is not None and audit[3] == hashed, "the facts are those that were logged")
        check(log.places["facts"] == log.places["start"] + 1, "they were logged with its start")
        check(json.loads(facts["event"])["recording"] == recording.id, "they are of this recording")
    if identities and erasure is None:
        return check_content(recording, identities)
    print("open   the content: no identity, or it was erased")
    return None


def main():
    path, key, *identities = sys.argv[1:]
    try:
        verify(path, key, *identities)
    except (Wrong, KeyError, ValueError, IndexError, StopIteration, tarfile.TarError) as error:
        print("WRONG  %s" % (error or type(error).__name__))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
