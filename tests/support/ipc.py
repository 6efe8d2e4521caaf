# SPDX-License-Identifier: Apache-2.0
"""Speaks shared/ipc from Python, so that a test can be the other side of one daemon.

    authd = ipc.Connection(path)
    authd.send("login_origin", session=bytes(16), address="127.0.0.1", outer=bytes(16),
               jump_target="")
    authd.send("ask_prompt_login", user="root@web1")
    reply = authd.receive()       # a Message: reply.name, reply.text, ...
"""
import os
import socket
import struct

# name: (type, fields). Kinds: id, str, bytes, bool, u8, u16, u32, u64, [str], [bytes]. As shared/ipc/messages.h.
MESSAGES = {
    "answer": (0x0001, "ok:bool text:str"),
    "prompt_answer": (0x0203, "text:str"),
    "prompt": (0x0204, "text:str automatic:bool"),
    "verdict": (0x0205, "login:u8 text:str allowed:u32"),
    "ask_key_login": (0x0206, "user:str algorithm:str blob:bytes"),
    "ask_prompt_login": (0x0207, "user:str"),
    "grant": (0x0208, "grant:id person:str issuer:str subject:str fingerprint:str target:str "
                      "login:str refusal:str allowed:u32 environment:[str] forward_to:[str] "
                      "listen_on:[str] recipients:[str] second_recipients:[str] "
                      "key_recipients:[str] second_key_recipients:[str] "
                      "stream_bytes:u64 forward_bytes:u64 "
                      "idle_input_s:u32 idle_output_s:u32 session_s:u32"),
    "grant_revoked": (0x0209, "text:str"),
    "login_origin": (0x020a, "session:id address:str outer:id jump_target:str"),
    "ask_jump_login": (0x020b, "user:str"),
    "ask_jump_target": (0x020c, "channel:u32 host:str port:u16"),
    "jump_target": (0x020d, "channel:u32 target:str text:str"),
    "confirm_grant": (0x0401, "purpose:u8 grant:id session:id"),
    "grant_facts": (0x0402, "purpose:u8 grant:id session:id valid:bool text:str person:str "
                            "issuer:str subject:str address:str fingerprint:str target:str "
                            "target_address:str login:str roles:[str] key_name:str host_keys:[str]"),
    "log_state": (0x0510, ""),
    "log_state_is": (0x0511, "verifier:str note:str text:str"),
    "sign_checkpoint": (0x0512, "size:u64 root:bytes proof:[bytes] previous:str"),
    "checkpoint_signed": (0x0513, "ok:bool text:str note:str"),
    "keys_list": (0x0701, ""),
    "key_entry": (0x0702, "fingerprint:str person:str issuer:str subject:str address:str "
                          "since_ms:u64 until_ms:u64"),
    "key_revoke": (0x0703, "fingerprint:str"),
    "key_register": (0x0704, "public_key:str person:str"),
    "sessions_list": (0x0705, ""),
    "session_entry": (0x0706, "session:id person:str target:str login:str address:str "
                              "fingerprint:str since_ms:u64"),
    "session_kill": (0x0707, "session:id"),
    "reload": (0x0708, ""),
}
LOGIN = ["accepted", "more", "try_another", "refused", "disconnected"]
NUMBERS = {"bool": "<?", "u8": "<B", "u16": "<H", "u32": "<I", "u64": "<Q"}
VERSION = 1


class Message:
    def __init__(self, name, fields):
        self.name = name
        self.__dict__.update(fields)

    def __repr__(self):
        return f"Message({self.__dict__})"


def fields_of(name):
    return [field.split(":") for field in MESSAGES[name][1].split()]


def pack(kind, value):
    if kind == "id":
        assert len(value) == 16
        return value
    if kind in NUMBERS:
        return struct.pack(NUMBERS[kind], value)
    if kind.startswith("["):
        return struct.pack("<I", len(value)) + b"".join(pack(kind[1:-1], item) for item in value)
    data = value.encode() if kind == "str" else value
    return struct.pack("<I", len(data)) + data


def unpack(kind, data, at):
    if kind == "id":
        return data[at:at + 16], at + 16
    if kind in NUMBERS:
        (value,) = struct.unpack_from(NUMBERS[kind], data, at)
        return value, at + struct.calcsize(NUMBERS[kind])
    (count,) = struct.unpack_from("<I", data, at)
    at += 4
    if kind.startswith("["):
        items = []
        for _ in range(count):
            item, at = unpack(kind[1:-1], data, at)
            items.append(item)
        return items, at
    value = data[at:at + count]
    return (value.decode() if kind == "str" else value), at + count


def encode(name, **values):
    body = b"".join(pack(kind, values[field]) for field, kind in fields_of(name))
    return struct.pack("<HHI", MESSAGES[name][0], VERSION, len(body)) + body


def decode(data):
    kind, version, size = struct.unpack_from("<HHI", data)
    name = next(name for name, (number, _) in MESSAGES.items() if number == kind)
    assert version == VERSION and size == len(data) - 8
    values, at = {}, 8
    for field, field_kind in fields_of(name):
        values[field], at = unpack(field_kind, data, at)
    assert at == len(data), f"{len(data) - at} bytes too many in {name}"
    return Message(name, values)


class Connection:
    def __init__(self, path, uid=None):
        """uid: whom the daemon shall see (for root alone)."""
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        before = os.geteuid()
        try:
            if uid is not None and uid != before:
                os.seteuid(uid)
            self.socket.connect(str(path))
        finally:
            if os.geteuid() != before:
                os.seteuid(before)

    def send(self, name, **values):
        self.socket.send(encode(name, **values))

    def receive(self, timeout=15):
        """None when the other side has closed."""
        self.socket.settimeout(timeout)
        data = self.socket.recv(256 * 1024)
        return decode(data) if data else None

    def ask(self, name, timeout=15, **values):
        self.send(name, **values)
        return self.receive(timeout)

    def ask_all(self, name, **values):
        """The entries of a list and its final answer."""
        self.send(name, **values)
        entries = []
        while (message := self.receive()) and message.name != "answer":
            entries.append(message)
        return entries, message

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()
