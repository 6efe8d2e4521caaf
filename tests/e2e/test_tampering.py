# SPDX-License-Identifier: Apache-2.0
# takes minutes
"""What somebody who owns the bastion may do to recordings and log, and what verification says of
it. TAMPERINGS is the list: a name, what is done, whom verification must name, its exit status."""
import os
import shutil
import struct

import pytest

from tests.support.evidence import START_MS, Evidence, Frames
from tests.support.five_recordings import (  # noqa: F401
    LOG, OPEN, WHOLE, WRONG, A, B, C, D, E, named, reframe, rewrite, untouched)
from tests.support.player import auditor  # noqa: F401


def cut_to(part):
    return lambda tree: rewrite(tree, A, lambda data: data[:int(len(data) * part)])


def flip(path, place):
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def swap_frames(frames):
    frames[3], frames[4] = frames[4], frames[3]


def swap_files(tree):
    a, b = tree.path(A).read_bytes(), tree.path(B).read_bytes()
    tree.path(A).write_bytes(b)
    tree.path(B).write_bytes(a)


def swap_files_and_names_inside(tree):
    """A whole recording of somebody else, which says that it is this one."""
    data = bytearray(tree.path(B).read_bytes())
    data[24:40] = bytes.fromhex(A[:32])
    tree.path(A).write_bytes(data)


def new_recording_in_its_place(tree):
    tree.path(A).unlink()
    tree.record(A, ["nothing happened here\r\n"] * 12)


def zero_envelope(data):
    size = struct.unpack_from("<H", data, 8)[0] * 256
    return data[:12] + bytes(4) + data[16:128] + bytes(size - 128) + data[size:]


def without(tree, *names):
    return [line for line in tree.lines() if not any(name in line for name in names)]


def delete_and_forge(tree, seed):
    tree.path(B).unlink()
    tree.rebuild(without(tree, B), seed)


def forge_rewritten(tree):
    """Root owns the node's key, too: A is written anew, and its end is logged as if it were it."""
    tree.path(A).unlink()
    frames = tree.record(A, ["nothing happened here\r\n"] * 12)
    lines = [line for line in without(tree, "end " + A, "start " + A)]
    tree.rebuild(lines[:0] + ["1 %d start %s %s" % (START_MS, A, frames.heads()[0])] + lines +
                 ["1 %d end %s %d %s closed" % (tree.now, A, len(frames.frames), frames.heads()[-1])])


def roll_back(tree):
    tree.rebuild(tree.lines()[:40])


def fork(tree):
    lines = tree.lines()
    lines[30] = lines[31]
    tree.rebuild(lines)


def clock_back(tree):
    lines = tree.lines()
    at = next(i for i, line in enumerate(lines) if "end " + B in line)
    lines[at] = lines[at].replace(lines[at].split()[1], str(START_MS - 3_600_000))
    tree.rebuild(lines)


def rename_entry(tree, old, new):
    bundle = next((tree.log / "tile" / "entries").glob("000*"))
    data = bundle.read_bytes()
    assert data.count(old.encode()) >= 1 and len(old) == len(new)
    bundle.write_bytes(data.replace(old.encode(), new.encode(), 1))


def erase_by_order_of_another(tree):
    tree.erase(A, "said of another", named=B)
    tree.sign()


def erase_all_and_remove_heads(tree):
    for recording in (A, B, C, E):
        tree.erase(recording, "all of that time")
    tree.sign()
    heads_file(tree).unlink()


def heads_file(tree):
    return sorted((tree.log / "heads").iterdir())[0]


def relog(change):
    """The node itself logged something else: change(lines, tree)."""
    def apply(tree):
        lines = tree.lines()
        change(lines)
        tree.rebuild(lines)
    return apply


def duplicate(what):
    return relog(lambda lines: lines.append(next(line for line in lines if what in line)))


def drop(what):
    def change(lines):
        lines[:] = [line for line in lines if what not in line]
    return relog(change)


def head_differs(tree):
    """The last heads file tells of another A than the file is; the chain's end is right."""
    lines = tree.lines()
    at = max(i for i, line in enumerate(lines) if " heads " in line)
    tree.entries = []
    tree.heads((A, 9, "ab" * 32))
    lines[at] = "1 %s %s" % (lines[at].split()[1], tree.entries.pop().split(" ", 2)[2])
    tree.rebuild(lines)


def attacker_appends(tree):
    parts = Frames(tree.path(B).read_bytes())
    tree.path(B).write_bytes(parts.bytes() + parts.frames[0])


def add_frame_before_end(tree):
    reframe(tree, B, lambda frames: frames.insert(len(frames) - 1, frames[-2]))


def restore_under_other_name(tree):
    tree.path(B).rename(tree.path("f0" * 16 + "-0"))


def copy_under_other_name(tree):
    (tree.recordings / "copy of b.brec").write_bytes(tree.path(B).read_bytes())


def unlogged(tree):
    tree.record("f0" * 16 + "-0", ["never logged\r\n"])


def restore_erased(tree):
    frames = Frames(tree.path(D).read_bytes())
    envelope = Frames(tree.path(E).read_bytes()).header[128:]
    length = Frames(tree.path(E).read_bytes()).header[12:16]
    tree.path(D).write_bytes(frames.header[:12] + length + frames.header[16:128] + envelope +
                             b"".join(frames.frames) + frames.rest)


def other_nodes_checkpoint(tree):
    other = Evidence(tree.folder / "other", (tree.identity, tree.recipient), "another node's")
    other.entry("audit " + "00" * 32)
    (tree.log / "checkpoint").write_bytes(other.sign())


def sign_nothing(tree):
    text = (tree.log / "checkpoint").read_text()
    first = text.index(" ", text.index("\n\n") + 4 + len("sallyport"))
    (tree.log / "checkpoint").write_text(text[:first + 20] + ("A" if text[first + 20] != "A" else "B") +
                                         text[first + 21:])


def change_facts(tree):
    path = tree.folder / "facts" / (A + ".json")
    path.write_text(path.read_text().replace("ada", "bob"))


KEPT = ("--checkpoint", "CHECKPOINT")  # one that a witness kept
ALWAYS = ("--all",)
SEED = "the node's own"


def facts_of_another(tree):
    """They are in the log, and they are somebody else's."""
    (tree.folder / "facts" / (A + ".json")).write_bytes(
        (tree.folder / "facts" / (B + ".json")).read_bytes())


def change_facts_and_log_them(tree):
    """The bastion's own key signs what was appended."""
    (tree.folder / "facts" / (A + ".json")).unlink()
    tree.facts(A, "bob")
    tree.sign()


def damage_many_heads_and_start_twice(tree):
    """More is wrong with the log than is listed."""
    lines = tree.lines()
    tree.entries = []
    for number in range(260):
        tree.heads((A, 9, "%064x" % number))
    heads = [entry.split(" ", 2)[2] for entry in tree.entries]
    for entry in heads:
        (tree.log / "heads" / entry.split(" ")[2]).write_text("damaged")
    time = lines[-1].split(" ")[1]
    start = next(line for line in lines if "start " + B in line)
    tree.rebuild(lines + ["1 %s %s" % (time, entry) for entry in heads] + [start])


def fifo_in_place_of(path):
    path.unlink()
    os.mkfifo(path)


def tiles_without_end(tree):
    """A few files that look like more entries than anybody could read."""
    for kind in ("entries", "0"):
        folder = tree.log / "tile" / kind
        first = (folder / "000").read_bytes()
        for number in range(1000):
            (folder / ("%03d" % number)).write_bytes(first)
            (folder / ("x%03d" % number)).symlink_to(".")
    text = (tree.log / "checkpoint").read_text().split("\n", 2)
    (tree.log / "checkpoint").write_text("\n".join([text[0], str(1 << 62), text[2]]))


TAMPERINGS = [
    ("cut in its frames", cut_to(0.8), [A], WRONG, ALWAYS),
    ("cut inside its header", cut_to(0.05), [A], WRONG, ALWAYS),
    ("cut to nothing", cut_to(0), [A], WRONG, ALWAYS),
    ("its trailer removed", lambda t: rewrite(t, A, lambda d: d[:-24]), [A], WRONG, ALWAYS),
    ("its trailer cut by a byte", lambda t: rewrite(t, A, lambda d: d[:-1]), [A], WRONG, ALWAYS),
    ("its end frame and trailer removed",
     lambda t: rewrite(t, A, lambda d: b"".join([Frames(d).header, *Frames(d).frames[:-1]])),
     [A], WRONG, ALWAYS),
    ("zeros from the middle on", lambda t: rewrite(
        t, A, lambda d: d[:len(d) // 2] + bytes(len(d) - len(d) // 2)), [A], WRONG, ALWAYS),
    ("a killed one is cut by a frame", lambda t: reframe(t, C, lambda f: f.pop()), [C], WRONG, ALWAYS),
    ("a frame deleted", lambda t: reframe(t, A, lambda f: f.pop(2)), [A], WRONG, ALWAYS),
    ("a frame repeated", lambda t: reframe(t, A, lambda f: f.insert(3, f[2])), [A], WRONG, ALWAYS),
    ("frames swapped", lambda t: reframe(t, A, swap_frames), [A], WRONG, ALWAYS),
    ("a frame of another recording", lambda t: reframe(t, A, lambda f: f.__setitem__(
        2, Frames(t.path(B).read_bytes()).frames[2])), [A], WRONG, ALWAYS),
    ("a frame added before its end", add_frame_before_end, [B], WRONG, ALWAYS),
    ("a frame added to a killed one", lambda t: rewrite(
        t, C, lambda d: b"".join([Frames(d).header, *Frames(d).frames, Frames(d).frames[-1]])),
     [C], WRONG, ALWAYS),
    ("bytes after its trailer", attacker_appends, [B], WRONG, ALWAYS),
    ("files swapped", swap_files, [A, B], WRONG, ALWAYS),
    ("another recording, renamed inside, too", swap_files_and_names_inside, [A], WRONG, ALWAYS),
    ("a new recording in its place", new_recording_in_its_place, [A], WRONG, ALWAYS),
    ("deleted", lambda t: t.path(B).unlink(), [B], WRONG, ALWAYS),
    ("the whole folder emptied", lambda t: [p.unlink() for p in t.recordings.iterdir()],
     [A, B, C, E], WRONG, ALWAYS),
    ("restored under another name", restore_under_other_name, [B, "f0" * 16 + "-0"], WRONG, ALWAYS),
    ("copied under another name", copy_under_other_name, [B], WRONG, ALWAYS),
    ("a file that was never logged", unlogged, ["f0" * 16 + "-0"], WRONG, ALWAYS),
    ("an empty file", lambda t: t.path("f0" * 16 + "-0").touch(), ["f0" * 16 + "-0"], WRONG, ALWAYS),
    ("its key zeroed without an order", lambda t: rewrite(t, A, zero_envelope), [A], WRONG, ALWAYS),
    ("its key exchanged for another recording's", lambda t: rewrite(
        t, A, lambda d: d[:12] + t.path(B).read_bytes()[12:16] + d[16:128] +
        t.path(B).read_bytes()[128:1024] + d[1024:]), [A], WRONG, ALWAYS),
    ("an erased one has its key again", restore_erased, [D], WRONG, ALWAYS),
    ("the order of erasure removed",
     lambda t: next((t.log / "orders").iterdir()).unlink(), [D], WRONG, ALWAYS),
    ("the order of erasure changed",
     lambda t: flip(next((t.log / "orders").iterdir()), 0), [D], WRONG, ALWAYS),
    ("erased by an order about another one", erase_by_order_of_another, [A], WRONG, ALWAYS),
    ("an erased one's file removed", lambda t: t.path(D).unlink(), [D], WRONG, ALWAYS),
    ("deleted, and the log rebuilt with another key", lambda t: delete_and_forge(t, "attacker"),
     [LOG], WRONG, ALWAYS),
    ("deleted, and the log rebuilt with the node's own key", lambda t: delete_and_forge(t, SEED),
     [LOG], WRONG, KEPT),
    ("written anew, and the log rebuilt with the node's own key", forge_rewritten, [A, LOG], WRONG,
     KEPT),
    ("the log rolled back", roll_back, [LOG], WRONG, KEPT),
    ("the log forked at the same size", fork, [LOG], WRONG, KEPT),
    ("the log deleted", lambda t: shutil.rmtree(t.log), [LOG], WRONG, ALWAYS),
    ("the checkpoint deleted", lambda t: (t.log / "checkpoint").unlink(), [LOG], WRONG, ALWAYS),
    ("the checkpoint of another log", other_nodes_checkpoint, [LOG], WRONG, ALWAYS),
    ("an older checkpoint", lambda t: (t.log / "checkpoint").write_bytes(t.early_checkpoint),
     [LOG], WRONG, KEPT),
    ("the checkpoint's size changed", lambda t: (t.log / "checkpoint").write_text(
        (t.log / "checkpoint").read_text().replace("\n3", "\n2", 1)), [LOG], WRONG, ALWAYS),
    ("the checkpoint's signature changed", sign_nothing, [LOG], WRONG, ALWAYS),
    ("a tile of hashes changed", lambda t: flip(t.log / "tile/0/000", 100), [LOG], WRONG, ALWAYS),
    ("a tile of hashes removed", lambda t: (t.log / "tile/0/000").unlink(), [LOG], WRONG, ALWAYS),
    ("an upper tile changed", lambda t: flip(next((t.log / "tile/1/000.p").iterdir()), 0),
     [LOG], WRONG, ALWAYS),
    ("a start taken out of the log's entries", lambda t: rename_entry(t, "start " + A, "start " +
                                                                     "f0" * 16 + "-0"),
     [A, LOG], WRONG, ALWAYS),
    ("an end changed in the log's entries", lambda t: rename_entry(t, "end " + B + " 1",
                                                                  "end " + B + " 2"),
     [B], WRONG, ALWAYS),
    ("a bundle of entries removed", lambda t: (t.log / "tile/entries/000").unlink(),
     [LOG, A], WRONG, ALWAYS),
    ("a bundle of entries torn", lambda t: (t.log / "tile/entries/000").write_bytes(
        (t.log / "tile/entries/000").read_bytes()[:-9]), [LOG, A], WRONG, ALWAYS),
    ("a heads file changed", lambda t: flip(heads_file(t), 70), [LOG], WRONG, ALWAYS),
    ("a heads file removed", lambda t: heads_file(t).unlink(), [LOG], WRONG, ALWAYS),
    # As stored does: nothing is left that could be compared with it.
    ("a heads file removed when all of that time was erased", erase_all_and_remove_heads, [],
     WHOLE, ALWAYS),
    ("a logged head is another", head_differs, [A], WRONG, ALWAYS),
    ("two starts", duplicate("start " + B), [B], WRONG, ALWAYS),
    ("two ends", duplicate("end " + B), [B], WRONG, ALWAYS),
    ("an end without a start", drop("start " + B), [B], WRONG, ALWAYS),
    ("heads without a start", drop("start " + A), [A], WRONG, ALWAYS),
    ("no end", drop("end " + A), [A], OPEN, ALWAYS),
    ("the clock set back", clock_back, [B], WHOLE, ALWAYS),
    ("the facts beside it are another's", facts_of_another, [A], WRONG, ALWAYS),
    ("the facts beside it changed", change_facts, [A], WRONG, ALWAYS),
    ("its facts changed, and logged once more", change_facts_and_log_them, [A], WRONG, ALWAYS),
    ("its facts removed", lambda t: (t.folder / "facts" / (A + ".json")).unlink(), [A], OPEN, ALWAYS),
    ("one without an end frame logged as ended in order", relog(lambda lines: lines.__setitem__(
        slice(None), [line.replace("killed", "closed") for line in lines])), [C], WRONG, ALWAYS),
    ("erased by an order for another node", lambda t: (t.erase(A, "for you", node="node2"), t.sign()),
     [A], WRONG, ALWAYS),
    ("two starts beside many damaged heads files", damage_many_heads_and_start_twice, [B, LOG], WRONG,
     ALWAYS),
    ("a fifo in its place", lambda t: fifo_in_place_of(t.path(A)), [A], WRONG, ALWAYS),
    ("a fifo among the recordings", lambda t: os.mkfifo(t.recordings / "x.brec"), ["x.brec"], WRONG,
     ALWAYS),
    ("a fifo in place of its facts",
     lambda t: fifo_in_place_of(t.folder / "facts" / (A + ".json")), [A], WRONG, ALWAYS),
    ("a killed one made a terabyte long", lambda t: os.truncate(t.path(C), 1 << 40), [C], WHOLE,
     ALWAYS),
    ("a log that never ends", tiles_without_end, [LOG], WRONG, ALWAYS),
]


# What is said of some of them, beyond that something is: a reader must know what was done.
SAID = {
    "cut in its frames": "It was cut: the log has",
    "its trailer removed": "Its trailer is missing",
    "a killed one is cut by a frame": "It was cut: the log has",
    "a frame deleted": "changed here",
    "bytes after its trailer": "only its trailer may follow",
    "a frame added to a killed one": "It goes on after its end",
    "files swapped": "Its header says that it is " + A,
    "another recording, renamed inside, too": "Its header is not the one that was logged",
    "a new recording in its place": "Its header is not the one that was logged",
    "deleted": "Its file is missing",
    "copied under another name": "copy of b.brec: renamed, or a copy",
    "a file that was never logged": "It is not in the log",
    "its key zeroed without an order": "no erasure of it was logged",
    "its key exchanged for another recording's": "the key of another recording",
    "an erased one has its key again": "has its key again",
    "the order of erasure removed": "is missing",
    "the order of erasure changed": "its SHA-256 is another",
    "deleted, and the log rebuilt with another key": "is not signed by the key of",
    "deleted, and the log rebuilt with the node's own key": "The log was rolled back",
    "the log rolled back": "The log was rolled back",
    "the log forked at the same size": "The log was forked",
    "the checkpoint's signature changed": "the signature of sallyport/node1 is wrong",
    "a tile of hashes changed": "and its hash in the tile differ",
    "an upper tile changed": "is not that of the entries",
    "a start taken out of the log's entries": "was changed: it is not what was signed",
    "a bundle of entries removed": "entries 0 to 255 of the log said is lost",
    "a logged head is another": "frames are not those that were logged",
    "two starts": "it starts twice",
    "two ends": "it ends twice",
    "an end without a start": "never started",
    "heads without a start": "has a head of it, and it never started",
    "no end": "it has no end in the log",
    "the clock set back": "The clock went back by 1:00:",
    "the facts beside it are another's": "facts of another recording",
    "the facts beside it changed": "The facts beside it",
    "its facts changed, and logged once more": "not those that were logged with its start",
    "its facts removed": "are missing, and no erasure of it was logged",
    "one without an end frame logged as ended in order": "it has no end frame",
    "erased by an order for another node": "is for another node, node2",
    "two starts beside many damaged heads files": "it starts twice",
}
# An identity is what shows these.
# Without an identity nothing is open: there is nothing to read.
NOTHING_TO_OPEN = {"a heads file removed when all of that time was erased"}
ONLY_WITH_IDENTITY = {"its key exchanged for another recording's"}


def test_the_untouched_one_is_proven(untouched, tmp_path):
    kept = tmp_path / "kept"
    kept.write_bytes(untouched.early_checkpoint + b"\n\n" + untouched.checkpoint)
    status, report = untouched.verify_json("--all", "--checkpoint", kept)
    assert (status, report["verdict"]) == (WHOLE, "proven"), report
    assert len(report["recordings"]) == 5
    words = untouched.verify("--all", "--checkpoint", kept)
    assert words.returncode == WHOLE
    assert words.stdout.splitlines()[-1] == \
        "5 recordings: 5 proven, 0 with something open, 0 wrong; the log: proven"


@pytest.mark.parametrize("name,tamper,who,status,how", TAMPERINGS, ids=[t[0] for t in TAMPERINGS])
def test_tampering_is_named(name, tamper, who, status, how, untouched, tmp_path):
    key = untouched.key
    tree = untouched.copy(tmp_path / "state")
    tamper(tree)
    kept = tmp_path / "kept"
    kept.write_bytes(untouched.checkpoint)
    arguments = ["--all"] + (["--checkpoint", kept] if how is KEPT else [])
    found, report = tree.verify_json(*arguments, key=key)
    assert found == status, report
    assert set(who) <= named(report), report
    if LOG not in who and status == WRONG:
        others = {A, B, E} - set(who)
        assert not others & named(report), report
    words = tree.verify(*arguments, key=key, identity=False)
    without_identity = WRONG if status == WRONG and name not in ONLY_WITH_IDENTITY else OPEN
    assert words.returncode == (WHOLE if name in NOTHING_TO_OPEN else without_identity)
    for one in who:
        assert one in words.stdout or one == LOG
    if name in SAID and name not in ONLY_WITH_IDENTITY:
        assert SAID[name] in words.stdout, words.stdout


def test_what_is_said_is_of_the_list():
    assert set(SAID) <= {tampering[0] for tampering in TAMPERINGS}
    assert len(TAMPERINGS) == len({tampering[0] for tampering in TAMPERINGS}) >= 25
