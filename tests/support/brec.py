# SPDX-License-Identifier: Apache-2.0
"""A second reader of recordings, written after docs/formats/brec.md alone and sharing nothing with
ours: the stock age opens the envelope, libzstd inflates, python3-cryptography deciphers."""
import base64
import ctypes
import hashlib
import hmac
import json
import pathlib
import struct
import subprocess

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TO_TARGET, OUTPUT, ERROR = 0, 1, 2
TRAILER_BYTES = 24


class Wrong(Exception):
    """Not as the specification has it."""


def hkdf(key, salt, info):
    extracted = hmac.digest(salt, key, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


class _Buffer(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_size_t), ("pos", ctypes.c_size_t)]


class Inflater:
    """zstd, in pieces."""

    def __init__(self):
        self.lib = ctypes.CDLL("libzstd.so.1")
        self.lib.ZSTD_createDStream.restype = ctypes.c_void_p
        self.lib.ZSTD_decompressStream.restype = ctypes.c_size_t
        self.stream = ctypes.c_void_p(self.lib.ZSTD_createDStream())
        self.block = ctypes.create_string_buffer(1 << 18)

    def __call__(self, compressed):
        source = ctypes.create_string_buffer(compressed, len(compressed))
        given = _Buffer(ctypes.addressof(source), len(compressed), 0)
        pieces = []
        while True:
            out = _Buffer(ctypes.addressof(self.block), len(self.block), 0)
            result = self.lib.ZSTD_decompressStream(
                self.stream, ctypes.byref(out), ctypes.byref(given))
            if self.lib.ZSTD_isError(ctypes.c_size_t(result)):
                raise Wrong("not zstd")
            pieces.append(self.block.raw[:out.pos])
            if given.pos == given.size and out.pos < out.size:
                return b"".join(pieces)


def envelope_of(path):
    head = pathlib.Path(path).read_bytes()[:65536]
    length, = struct.unpack_from("<I", head, 12)
    return head[128:128 + length]


def open_envelope(path, identity):
    """The data key, by the stock age; None where that refuses."""
    done = subprocess.run(["age", "-d", "-i", str(identity)], input=envelope_of(path),
                          capture_output=True)
    return done.stdout if done.returncode == 0 else None


class Recording:
    """All that is in one file. `events` are (seconds since the start, code, data); `frames` are
    (type, direction or None, inflated bytes) in the order of the file."""

    def __init__(self, path, identity):
        self.path = pathlib.Path(path)
        self.data = self.path.read_bytes()
        self.size = struct.unpack_from("<H", self.data, 8)[0] * 256
        self._read_header(open_envelope(path, identity))
        self.text = bytearray()
        self.frames = []
        self.end = None
        self._walk()
        lines = self.text.decode().splitlines()
        self.header = json.loads(lines[0])
        self.facts = self.header["sallyport"]
        self.events = []
        now = 0.0
        for line in lines[1:]:
            interval, code, data = json.loads(line)
            now += interval
            self.events.append((now, code, data))

    def _read_header(self, dek):
        if self.data[:8] != b"BREC\x01\r\n\0":
            raise Wrong("not BREC/1")
        if dek is None or len(dek) != 32:
            raise Wrong("the envelope does not open")
        self.start_ms, = struct.unpack_from("<Q", self.data, 16)
        self.session = self.data[24:40]
        self.node = self.data[40:72].rstrip(b"\0").decode()
        self.channel, = struct.unpack_from("<I", self.data, 104)
        if self.data[72:104] != hkdf(dek, self.session, b"brec/1 commit"):
            raise Wrong("the commitment is another key's")
        self.cipher = AESGCM(hkdf(dek, self.session, b"brec/1 payload"))

    def _walk(self):
        inflate_text, self.inflate_once = Inflater(), Inflater()
        chain = hashlib.sha256(b"brec/1 chain" + self.data[:12] + self.data[16:128]).digest()
        offset, number = self.size, 0
        while len(self.data) - offset >= 16 and not self.end:
            header = self.data[offset:offset + 16]
            length, kind = struct.unpack_from("<IB", header)
            body = self.data[offset + 16:offset + 16 + length]
            if len(body) < length:
                break  # cut off, or still being written
            plain = self.cipher.decrypt(b"\0\0\0\0" + struct.pack(">Q", number), body, header)
            self._take(chr(kind), plain, inflate_text, number, offset, chain)
            chain = hashlib.sha256(chain + header + body).digest()
            offset, number = offset + 16 + length, number + 1
        self.chain = chain

    def _take(self, kind, plain, inflate_text, number, offset, chain):
        if kind == "D":
            text = inflate_text(plain)
            self.text += text
            self.frames.append((kind, None, text))
        elif kind == "B":
            bytes_ = self.inflate_once(plain[2:]) if plain[1] else plain[2:]
            self.frames.append((kind, plain[0], bytes_))
        elif kind == "E":
            self.end = json.loads(self.inflate_once(plain))
            if (self.end["frames"], self.end["chain"]) != (number, chain.hex()):
                raise Wrong("the end record tells of another file")
            trailer = self.data[-TRAILER_BYTES:]
            if trailer != struct.pack("<QQ", number, offset) + b"BREC-END":
                raise Wrong("the trailer")
        else:
            self.frames.append((kind, None, plain))

    @property
    def cast(self):
        return bytes(self.text)

    def codes(self, *codes):
        return [data for _, code, data in self.events if code in codes]

    def readable(self):
        """What players that do not know of exact bytes show."""
        return "".join(self.codes("o"))

    def binary(self, direction):
        return b"".join(data for kind, its, data in self.frames if its == direction)

    def has_binary(self, direction):
        return any(kind == "B" and its == direction for kind, its, _ in self.frames)

    def printed(self, stream=OUTPUT):
        """Exact bytes of one output: its text, and its binary frames from where they begin."""
        return exact_text(self.events, stream) + self.binary(stream)


def exact_text(events, stream=OUTPUT):
    current, skip, pieces = OUTPUT, False, []
    for _, code, data in events:
        if code == "s":
            current = {"stdout": OUTPUT, "stderr": ERROR}[data]
        elif code == "O":
            pieces.append((current, base64.b64decode(data, validate=True)))
        elif code == "o" and not skip:
            pieces.append((current, data.encode()))
        skip = code == "O"
    return b"".join(data for its, data in pieces if its == stream)
