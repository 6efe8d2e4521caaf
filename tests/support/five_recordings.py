# SPDX-License-Identifier: Apache-2.0
"""A folder of five recordings and their log, for tests of verification to change."""
import pytest

from tests.support.evidence import Evidence, Frames

A = "a0" * 16 + "-0"  # ended, its heads were logged twice on the way
B = "b1" * 16 + "-0"  # ended
C = "c2" * 16 + "-0"  # its monitor was killed inside a frame
D = "d3" * 16 + "-0"  # erased
E = "e4" * 16 + "-1"  # ended; never in any way special
LOG = "the log"
WRONG, OPEN, WHOLE = 1, 3, 0


@pytest.fixture(scope="module")
def untouched(tmp_path_factory, auditor):  # noqa: F811
    tree = Evidence(tmp_path_factory.mktemp("node") / "state", auditor)
    frames = {}
    for name, count, end in ((A, 12, "end"), (B, 12, "end"), (C, 9, "cut"), (D, 3, "end"),
                             (E, 5, "end")):
        frames[name] = tree.record(name, ["%s says %d\r\n" % (name, i) for i in range(count)], end)
        tree.start(name, frames[name], {A: "ada", B: "eve"}.get(name, "somebody"))
    for count in (4, 9):
        tree.heads((A, count, frames[A].heads()[count]), (C, count - 2, frames[C].heads()[count - 2]))
    tree.early_checkpoint = tree.sign()
    with open(tree.path(C), "ab") as file:
        file.write(b"\x90\0\0\0D\0\0\0" + bytes(8) + b"half a frame")
    for name in (A, B, D, E):
        tree.end(name, frames[name])
    tree.end(C, frames[C], "killed")
    tree.erase(D, "two persons said so")
    for i in range(300):
        tree.audit("filler %d" % i)
    tree.checkpoint = tree.sign()
    return tree


def named(report):
    """Who has a finding that is more than proven, and the log."""
    names = {one["id"] for one in report["recordings"]
             if any(finding["level"] != "proven" for finding in one["findings"])}
    log = {LOG} if report["log"]["verdict"] != "proven" else set()
    return names | log


def rewrite(tree, name, change):
    data = tree.path(name).read_bytes()
    tree.path(name).write_bytes(change(data))


def reframe(tree, name, change):
    parts = Frames(tree.path(name).read_bytes())
    change(parts.frames)
    tree.path(name).write_bytes(parts.bytes())
