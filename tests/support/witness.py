# SPDX-License-Identifier: Apache-2.0
"""A witness that speaks C2SP tlog-witness, from its text and the RFCs alone: it knows nothing of
our code. And notes as a verifier reads them."""
import base64
import hashlib
import http.server
import ssl
import threading
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (Ed25519PrivateKey,
                                                               Ed25519PublicKey)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

DASH = "\u2014 "


class Checkpoint:
    def __init__(self, note):
        self.note = note
        self.text, signatures = note.split("\n\n", 1)
        self.text += "\n"
        self.origin, size, root = self.text.splitlines()
        self.size, self.root = int(size), base64.b64decode(root)
        self.signatures = [line[len(DASH):].split(" ") for line in signatures.splitlines()]

    def is_signed_by(self, verifier):
        """A log's key as `sallyportctl log key` prints it, or a witness's."""
        name, key_id, key = verifier.strip().split("+", 2)
        key = base64.b64decode(key)
        for signer, blob in self.signatures:
            blob = base64.b64decode(blob)
            if signer != name or blob[:4].hex() != key_id:
                continue
            message, signature = self.text, blob[4:]
            if key[0] == 4:
                seconds, signature = int.from_bytes(blob[4:12], "big"), blob[12:]
                message = f"cosignature/v1\ntime {seconds}\n{self.text}"
            try:
                Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature, message.encode())
                return True
            except InvalidSignature:
                return False
        return False


def notes_of(text):
    """All notes of a file that a witness keeps."""
    blocks = [block for block in text.split("\n\n") if block.strip("\n")]
    return [Checkpoint(f"{a.strip()}\n\n{b.strip()}\n")
            for a, b in zip(blocks[::2], blocks[1::2])]


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def continues(old_size, old_root, size, root, proof):
    """RFC 9162, section 2.1.4.2."""
    if old_size == size:
        return not proof and old_root == root
    if old_size == 0:
        return not proof
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    fn, sn = old_size - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return fr == old_root and sr == root and sn == 0


class Witness:
    """On loopback, by TLS with a certificate: (its file, its key's file). `answer` overrides what it
    says: (status, body)."""

    def __init__(self, name="witness.example/w1", certificate=None):
        self.name = name
        self.private = Ed25519PrivateKey.generate()
        public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key_id = hashlib.sha256(name.encode() + b"\n\x04" + public).digest()[:4]
        self.key = (f"{name}+{self.key_id.hex()}+"
                    f"{base64.b64encode(bytes([4]) + public).decode()}")
        self.log_keys = {}  # by origin
        self.known = {}     # by origin: the latest Checkpoint
        self.proofs = 0     # that were longer than nothing
        self.answer = None
        witness = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, text = witness.add_checkpoint(body) if self.path == "/w/add-checkpoint" \
                    else (404, "")
                self.send_response(status)
                if status == 409:
                    self.send_header("Content-Type", "text/x.tlog.size")
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{self.server.server_port}/w/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def trust(self, log_key):
        self.log_keys[log_key.split("+")[0]] = log_key

    def add_checkpoint(self, body):
        if self.answer:
            return self.answer
        head, note = body.split("\n\n", 1)
        old, *proof = head.split("\n")
        word, old_size = old.split(" ")
        assert word == "old"
        old_size, proof = int(old_size), [base64.b64decode(line) for line in proof]
        checkpoint = Checkpoint(note)
        if checkpoint.origin not in self.log_keys:
            return 404, ""
        if not checkpoint.is_signed_by(self.log_keys[checkpoint.origin]):
            return 403, ""
        if old_size > checkpoint.size:
            return 400, ""
        known = self.known.get(checkpoint.origin)
        if old_size != (known.size if known else 0):
            return 409, f"{known.size if known else 0}\n"
        if known and not continues(known.size, known.root, checkpoint.size, checkpoint.root, proof):
            return 422, ""
        self.proofs += bool(proof)
        self.known[checkpoint.origin] = checkpoint
        return 200, self.cosignature(checkpoint)

    def cosignature(self, checkpoint):
        seconds = int(time.time())
        signature = self.private.sign(
            f"cosignature/v1\ntime {seconds}\n{checkpoint.text}".encode())
        blob = self.key_id + seconds.to_bytes(8, "big") + signature
        return f"{DASH}{self.name} {base64.b64encode(blob).decode()}\n"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
