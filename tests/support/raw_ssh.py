# SPDX-License-Identifier: Apache-2.0
"""An SSH client that says whatever a test tells it to: the stock client is too polite to offer a
key that it cannot prove, to change its user name, or to try 2,000 times.

    with RawSsh(port) as client:
        client.prove("root@web1", key)          # Failure(methods, partial)
        client.interactive("root@web1").prompt

Speaks curve25519-sha256 and aes256-gcm@openssh.com; looks at no host key."""
import hashlib
import os
import pathlib
import socket
import struct
import time
from dataclasses import dataclass

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

DISCONNECT, IGNORE, DEBUG, SERVICE_REQUEST, EXT_INFO, KEXINIT, NEWKEYS = 1, 2, 4, 5, 7, 20, 21
CHANNEL_OPEN, OPENED, OPEN_REFUSED = 90, 91, 92
DATA, DATA_APART, END_OF_DATA, CLOSE = 94, 95, 96, 97
CHANNEL_REQUEST, STARTED, FAILED = 98, 99, 100
ECDH_INIT, REQUEST, FAILURE, SUCCESS, BANNER, PK_OK, INFO_RESPONSE = 30, 50, 51, 52, 53, 60, 61
VERSION = b"SSH-2.0-RawSsh"


def string(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack(">I", len(data)) + data


def mpint(data):
    data = data.lstrip(b"\0")
    return string(b"\0" + data if data and data[0] & 0x80 else data)


def strings(data, count):
    """`count` strings from the beginning of data, and what is left."""
    found = []
    for _ in range(count):
        size = struct.unpack(">I", data[:4])[0]
        found.append(data[4:4 + size])
        data = data[4 + size:]
    return found, data


def public_blob(path):
    """Of a .pub file: what goes over the wire."""
    import base64
    return base64.b64decode(pathlib.Path(path).read_text().split()[1])


@dataclass
class Failure:
    methods: str
    partial: bool


@dataclass
class Success:
    pass


@dataclass
class KeyAccepted:  # "you may sign with that one"; not a login
    pass


@dataclass
class Prompt:
    text: str


@dataclass
class Disconnected:
    text: str = ""


class RawSsh:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.stream = self.socket.makefile("rb")
        self.sending = self.receiving = None
        self.session_id = b""
        self.server_random = ()  # its cookie (RFC 4253 section 7.1) and its ephemeral key
        self.socket.sendall(VERSION + b"\r\n")
        server_version = self.stream.readline().rstrip(b"\r\n")
        self.exchange_keys(server_version)
        self.send(bytes([SERVICE_REQUEST]) + string("ssh-userauth"))
        self.receive()

    def exchange_keys(self, server_version):
        names = ["curve25519-sha256", "ssh-ed25519", *["aes256-gcm@openssh.com"] * 2,
                 *["hmac-sha2-256-etm@openssh.com"] * 2, "none", "none", "", ""]
        ours = bytes([KEXINIT]) + os.urandom(16) + b"".join(map(string, names)) + bytes(5)
        self.send(ours)
        theirs = self.receive()
        secret = x25519.X25519PrivateKey.generate()
        point = secret.public_key().public_bytes(serialization.Encoding.Raw,
                                                 serialization.PublicFormat.Raw)
        self.send(bytes([ECDH_INIT]) + string(point))
        (host_key, their_point, _), _ = strings(self.receive()[1:], 3)
        shared = mpint(secret.exchange(x25519.X25519PublicKey.from_public_bytes(their_point)))
        digest = hashlib.sha256(b"".join(map(string, (
            VERSION, server_version, ours, theirs, host_key, point, their_point))) + shared).digest()
        self.session_id = digest
        self.server_random = (theirs[1:17], their_point)
        self.send(bytes([NEWKEYS]))
        self.receive()

        def derive(letter, size):
            return hashlib.sha256(shared + digest + letter + digest).digest()[:size]

        self.sending = [AESGCM(derive(b"C", 32)), derive(b"A", 12)]
        self.receiving = [AESGCM(derive(b"D", 32)), derive(b"B", 12)]

    @staticmethod
    def next_nonce(direction):
        nonce = direction[1]
        counter = (int.from_bytes(nonce[4:], "big") + 1) % (1 << 64)
        direction[1] = nonce[:4] + counter.to_bytes(8, "big")
        return nonce

    def send(self, *payloads):
        """All in one piece."""
        self.socket.sendall(b"".join(map(self.packet, payloads)))

    def packet(self, payload):
        block = 16 if self.sending else 8
        padding = block - (len(payload) + (1 if self.sending else 5)) % block
        padding += block if padding < 4 else 0
        body = bytes([padding]) + payload + bytes(padding)
        length = struct.pack(">I", len(body))
        if self.sending:
            body = self.sending[0].encrypt(self.next_nonce(self.sending), body, length)
        return length + body

    def receive(self):
        """The next message that says something; b"" when the server has hung up."""
        while True:
            try:
                length = self.stream.read(4)
                if len(length) < 4:
                    return b""
                size = struct.unpack(">I", length)[0] + (16 if self.receiving else 0)
                body = self.stream.read(size)
            except ConnectionError:
                return b""
            if self.receiving:
                body = self.receiving[0].decrypt(self.next_nonce(self.receiving), body, length)
            payload = body[1:len(body) - body[0]]
            if payload[0] not in (IGNORE, DEBUG, EXT_INFO, BANNER):
                return payload

    def reply(self, interactive=False):
        payload = self.receive()
        if not payload:
            return Disconnected()
        kind, rest = payload[0], payload[1:]
        if kind == DISCONNECT:
            return Disconnected(strings(rest[4:], 1)[0][0].decode())
        if kind == SUCCESS:
            return Success()
        if kind == FAILURE:
            (methods,), rest = strings(rest, 1)
            return Failure(methods.decode(), rest != b"\0")
        assert kind == PK_OK, payload
        if not interactive:
            return KeyAccepted()
        (name, instruction, _), rest = strings(rest, 3)
        return Prompt((name + instruction + b"".join(strings(rest[4:], 1)[0])).decode())

    def ask(self, request, interactive=False):
        try:
            self.send(request)
        except ConnectionError:
            return Disconnected()
        return self.reply(interactive)

    @staticmethod
    def request(user, method):
        return bytes([REQUEST]) + string(user) + string("ssh-connection") + string(method)

    def none(self, user):
        return self.ask(self.request(user, "none"))

    def password(self, user, text):
        return self.ask(self.request(user, "password") + b"\0" + string(text))

    def offer(self, user, key):
        """A public key without a signature. key: the path of the private one; .pub will do."""
        return self.ask(self.request(user, "publickey") + b"\0" + string("ssh-ed25519") +
                        string(public_blob(f"{key}.pub")))

    def prove(self, user, key, signed_by=None):
        """With a signature by the key, or by another one."""
        request = (self.request(user, "publickey") + b"\1" + string("ssh-ed25519") +
                   string(public_blob(f"{key}.pub")))
        private = serialization.load_ssh_private_key(
            pathlib.Path(signed_by or key).read_bytes(), None)
        signature = private.sign(string(self.session_id) + request)
        return self.ask(request + string(string("ssh-ed25519") + string(signature)))

    def interactive(self, user):
        return self.ask(self.request(user, "keyboard-interactive") + string("") + string(""), True)

    def answer(self, text=""):
        return self.ask(bytes([INFO_RESPONSE]) + struct.pack(">I", 1) + string(text), True)

    def open(self, number=0):
        """A session; the other side's number of it, or None where that refuses."""
        self.send(bytes([CHANNEL_OPEN]) + string("session") +
                  struct.pack(">III", number, 1 << 20, 32768))
        payload = self.receive()
        assert payload[0] in (OPENED, OPEN_REFUSED), payload
        return struct.unpack(">I", payload[5:9])[0] if payload[0] == OPENED else None

    def run(self, command, before_open=0, before_start=0):
        """After Success: (exit status, or the name of a signal, or None; standard error), with
        pauses in between. What comes before the command has started does not count, as with the
        stock client."""
        time.sleep(before_open)
        channel = self.open()
        time.sleep(before_start)
        self.send(bytes([CHANNEL_REQUEST]) + struct.pack(">I", channel) + string("exec") + b"\1" +
                  string(command))
        status, errors = None, b""
        started = False
        while (payload := self.receive()) and payload[0] not in (CLOSE, FAILED, DISCONNECT):
            if payload[0] == STARTED:
                started = True
            elif not started:
                continue
            elif payload[0] == DATA_APART:
                errors += strings(payload[9:], 1)[0][0]
            elif payload[0] == CHANNEL_REQUEST:
                (name,), rest = strings(payload[5:], 1)
                if name == b"exit-status":
                    (status,) = struct.unpack(">I", rest[1:5])
                elif name == b"exit-signal":
                    status = strings(rest[1:], 1)[0][0].decode()
        return status, errors.decode()

    def close(self):
        self.stream.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()
