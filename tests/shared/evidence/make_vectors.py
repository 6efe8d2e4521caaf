#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints tests/data/evidence/vectors.txt: RFC 6962 and C2SP by the letter, with nothing of ours.

Recursive, slow, and written from the texts alone (RFC 6962 section 2.1, c2sp.org/tlog-tiles and
signed-note). Signatures are made by python3-cryptography.

    root N HEX          of the tree of N entries "entry 0", "entry 1", ...
    inclusion N HEX     SHA-256 of all proofs of that tree, each entry's after the other
    consistency N HEX   SHA-256 of all proofs from 1, 2, ... N to N
    tiles N HEX         SHA-256 of the files of a log of N audit entries: path, newline, bytes
    verifier TEXT       of the key that is SHA-256("seed") and the name sallyport/test
    note HEX            a checkpoint that it has signed
"""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SMALL = 130
TILED = [1, 2, 255, 256, 257, 600, 65535, 65536, 65537, 70000]


def sha256(data):
    return hashlib.sha256(data).digest()


def split(n):
    """The largest power of two smaller than n."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def mth(leaves):
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return sha256(b"\1" + mth(leaves[:k]) + mth(leaves[k:]))


def path(m, leaves):
    n = len(leaves)
    if n == 1:
        return []
    k = split(n)
    if m < k:
        return path(m, leaves[:k]) + [mth(leaves[k:])]
    return path(m - k, leaves[k:]) + [mth(leaves[:k])]


def subproof(m, leaves, whole):
    n = len(leaves)
    if m == n:
        return [] if whole else [mth(leaves)]
    k = split(n)
    if m <= k:
        return subproof(m, leaves[:k], whole) + [mth(leaves[k:])]
    return subproof(m - k, leaves[k:], False) + [mth(leaves[:k])]


def number_path(number):
    digits = str(number)
    digits = digits.zfill((len(digits) + 2) // 3 * 3)
    groups = [digits[at:at + 3] for at in range(0, len(digits), 3)]
    return "/".join(["x" + group for group in groups[:-1]] + groups[-1:])


def audit_entry(number):
    return b"1 %d audit %s" % (1700000000000 + number, sha256(b"%d" % number).hex().encode())


def pieces(items):
    """(path of the piece, its items): full ones of 256, and a partial one."""
    for at in range(0, len(items), 256):
        part = items[at:at + 256]
        name = number_path(at // 256)
        yield (name if len(part) == 256 else f"{name}.p/{len(part)}"), part


def tile_files(entries):
    files = {}
    for name, part in pieces(entries):
        files[f"tile/entries/{name}"] = b"".join(
            len(entry).to_bytes(2, "big") + entry for entry in part)
    level, hashes = 0, [sha256(b"\0" + entry) for entry in entries]
    while hashes:
        above = []
        for name, part in pieces(hashes):
            files[f"tile/{level}/{name}"] = b"".join(part)
            if len(part) == 256:
                above.append(mth(part))
        level, hashes = level + 1, above
    return files


def main():
    leaves = [sha256(b"\0entry %d" % number) for number in range(SMALL)]
    for size in range(SMALL + 1):
        tree = leaves[:size]
        print("root", size, mth(tree).hex())
        proofs = b"".join(b"".join(path(m, tree)) for m in range(size))
        print("inclusion", size, sha256(proofs).hex())
        proofs = b"".join(b"".join(subproof(m, tree, True)) for m in range(1, size + 1))
        print("consistency", size, sha256(proofs).hex())
    for size in TILED:
        files = tile_files([audit_entry(number) for number in range(size)])
        whole = b"".join(name.encode() + b"\n" + files[name] for name in sorted(files))
        print("tiles", size, sha256(whole).hex())

    key = Ed25519PrivateKey.from_private_bytes(sha256(b"seed"))
    public = b"\1" + key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    name = "sallyport/test"
    key_id = sha256(name.encode() + b"\n" + public)[:4]
    print("verifier", f"{name}+{key_id.hex()}+{base64.b64encode(public).decode()}")
    text = f"{name}\n{SMALL}\n{base64.b64encode(mth(leaves)).decode()}\n"
    signature = base64.b64encode(key_id + key.sign(text.encode())).decode()
    print("note", f"{text}\n\u2014 {name} {signature}\n".encode().hex())


main()
