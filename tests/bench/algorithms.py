# SPDX-License-Identifier: Apache-2.0
"""Which key exchange and cipher the connections of a way use: what its client says of its own, and
what the target says of the last one."""
import re
import subprocess

from tests.bench.ways import running

SAME = "aes256-gcm@openssh.com"
# Post-quantum key exchange is not in libssh 0.10, and costs sshd more than all else of a login.
SAME_KEX = "curve25519-sha256"


def lines(ciphers):
    """What goes into ssh_config and sshd_config; "default" leaves it to each pair."""
    if ciphers == "default":
        return ""
    return f"Ciphers {ciphers}\nKexAlgorithms {SAME_KEX}\n"


def negotiated(lab, ways):
    """Asks the target for its debug log, then starts it again without."""
    target = lab.servers["target"]
    quiet = target.extra_config
    restart(target, "LogLevel DEBUG1\n" + quiet)
    try:
        return {way.name: of_way(way, target.folder / "sshd.log") for way in ways}
    finally:
        restart(target, quiet)


def restart(target, config):
    target.stop()
    target.extra_config = config
    target.start()


def of_way(way, target_log):
    size = target_log.stat().st_size
    with running(way.ssh("true", options=("-v",)), stdout=subprocess.DEVNULL) as client:
        client_says = parse(client.stderr.read().decode(errors="replace"))
    with open(target_log, encoding="utf-8", errors="replace") as log:
        log.seek(size)
        target_says = parse(log.read())
    if not client_says:
        return "not known"
    return f"client {', '.join(client_says)}; target {', '.join(target_says) or 'was not asked'}"


def parse(text):
    kex = re.findall(r"kex: algorithm: (\S+)", text)
    ciphers = re.findall(r"kex: server->client cipher: (\S+)", text)
    return sorted({f"{one} with {two}" for one, two in zip(kex, ciphers)})
