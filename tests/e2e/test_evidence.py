# SPDX-License-Identifier: Apache-2.0
"""Evidence files: what `export --evidence` packs, our own verify, a program that shares no code with
us, and the recipe inside, run as it stands, all agree on."""
import io
import pathlib
import subprocess
import tarfile

import pytest

from tests.support import recipe
from tests.support.evidence import Evidence, Frames
from tests.support.player import PLAY, auditor, run  # noqa: F401

VERIFIER = pathlib.Path(__file__).resolve().parents[1] / "support" / "evidence_verifier.py"
ENDED, KILLED, RUNNING, BEGUN, ERASED = ("%s-0" % (digit * 32) for digit in "abcde")
WRONG, OPEN, WHOLE = 1, 3, 0
TEXTS = ["line %d\r\n" % i for i in range(9)]


@pytest.fixture(scope="module")
def tree(tmp_path_factory, auditor):  # noqa: F811
    tree = Evidence(tmp_path_factory.mktemp("node") / "state", auditor)
    frames = {}
    for name, end in ((ENDED, "end"), (KILLED, "cut"), (RUNNING, "cut"), (BEGUN, "cut"),
                      (ERASED, "end")):
        frames[name] = tree.record(name, TEXTS, end)
        tree.start(name, frames[name], {ENDED: "ada", KILLED: "eve"}.get(name, "somebody"))
    tree.heads((RUNNING, 4, frames[RUNNING].heads()[4]), (KILLED, 4, frames[KILLED].heads()[4]))
    with open(tree.path(KILLED), "ab") as file:
        file.write(b"\x90\0\0\0D\0\0\0" + bytes(8) + b"half a frame")
    tree.end(ENDED, frames[ENDED])
    tree.end(KILLED, frames[KILLED], "killed")
    tree.end(ERASED, frames[ERASED])
    for i in range(600):
        tree.audit("filler %d" % i)
    tree.erase(ERASED, "remove it, said two persons")
    tree.sign()
    return tree


def export(tree, name, output, *options):
    return run(PLAY, "export", "--evidence", name, "--recordings", tree.recordings, "--log-key",
               tree.key, "-o", output, *options, env={"HOME": "/nonexistent"})


def packed(tree, name, folder):
    path = folder / "file.evidence"
    done = export(tree, name, path)
    assert done.returncode == 0, done.stderr
    return path


def ours(tree, path, identity=True, key=None):
    return tree.verify(path, identity=identity, key=key)


def theirs(tree, path, identity=True):
    return run("/usr/bin/python3", "-I", VERIFIER, path, tree.key,
               *([tree.identity] if identity else []))


def follow_recipe(tree, path, folder, second="", typed=False):
    return recipe.follow(path, folder, tree.key, tree.identity, second, typed)


@pytest.mark.parametrize("name,status", [(ENDED, WHOLE), (KILLED, WHOLE), (RUNNING, OPEN),
                                         (BEGUN, OPEN), (ERASED, WHOLE)])
def test_evidence_verifies_anywhere(name, status, tree, tmp_path):
    path = packed(tree, name, tmp_path)
    mine = ours(tree, path)
    assert mine.returncode == status, mine.stdout
    other = theirs(tree, path)
    assert other.returncode == 0, other.stdout
    assert (b"open " in other.stdout) == (name in (BEGUN, ERASED))


@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize("name", [ENDED, KILLED, RUNNING, BEGUN])
def test_the_recipe_works_as_it_stands(name, typed, tree, tmp_path):
    folder = tmp_path / "unpacked"
    done = follow_recipe(tree, packed(tree, name, tmp_path), folder, typed=typed)
    assert b"WRONG" not in done.stdout and done.stdout.count(b"OK ") >= 7, done.stdout + done.stderr
    assert b"not found" not in done.stderr, done.stderr
    text = (folder / "content.cast").read_text()
    if name != BEGUN:
        assert '"line 0\\r\\n"' in text
    if name == ENDED:
        assert text.count("line") == len(TEXTS) and b"OK     facts.json" in done.stdout


def test_the_recipe_sees_what_was_changed(tree, tmp_path):
    path = packed(tree, ENDED, tmp_path)
    for number, (member, what) in enumerate([(ENDED + ".brec", b"the chain of"),
                                             ("checkpoint", b"the checkpoint's signature"),
                                             ("end.entry", b"end.entry is in the log"),
                                             ("facts.json", b"facts.json")]):
        changed = tmp_path / "changed"
        changed.write_bytes(with_flip(path, member, 0.9 if member.endswith("c") else 0.5))
        done = follow_recipe(tree, changed, tmp_path / ("u%d" % number))
        assert b"WRONG  " + what in done.stdout, (member, done.stdout)


def members(path):
    with tarfile.open(path) as archive:
        return [(member.name, archive.extractfile(member).read()) for member in archive]


def pack(parts):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in parts:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def with_flip(path, name, part):
    data = bytearray(path.read_bytes())
    with tarfile.open(path) as archive:
        member = archive.getmember(name)
    data[member.offset_data + int(member.size * part)] ^= 1
    return bytes(data)


def test_every_change_is_seen_by_both(tree, tmp_path):
    path = packed(tree, ENDED, tmp_path)
    changed = tmp_path / "changed"
    names = [name for name, _ in members(path) if name not in ("RECIPE.txt", "log-key.txt")]
    assert len(names) == 9
    for name in names:
        parts = [i / 23 for i in range(23)] if name.endswith(".brec") else [0, 0.3, 0.7, 0.99]
        for part in parts:
            changed.write_bytes(with_flip(path, name, part))
            assert ours(tree, changed).returncode == WRONG, (name, part)
            assert theirs(tree, changed).returncode == WRONG, (name, part)


def test_parts_of_another_recording_are_seen_by_both(tree, tmp_path):
    one = dict(members(packed(tree, ENDED, tmp_path)))
    other_path = tmp_path / "other.evidence"
    assert export(tree, KILLED, other_path).returncode == 0
    other = dict(members(other_path))
    changed = tmp_path / "changed"
    file, other_file = ENDED + ".brec", KILLED + ".brec"
    for forged in [
            {**one, "end.entry": other["end.entry"], "end.tlog-proof": other["end.tlog-proof"]},
            {**one, "start.entry": other["start.entry"], "start.tlog-proof": other["start.tlog-proof"]},
            {**one, "end.entry": one["start.entry"], "end.tlog-proof": one["start.tlog-proof"]},
            {**one, "end.tlog-proof": other["end.tlog-proof"]},
            {**one, file: other[other_file]},
            {**one, **{name: other[name] for name in one if name.startswith("facts.")}},
            {name: data for name, data in one.items() if not name.startswith("start.")},
            {name: data for name, data in one.items() if name != "checkpoint"},
            {name: data for name, data in one.items() if name != "facts.entry"},
            {name: data for name, data in one.items() if name != file},
            {**one, file: b"".join([Frames(one[file]).header, *Frames(one[file]).frames[:-1]])}]:
        # Ours takes nothing but what our export writes: that header is not Python's.
        changed.write_bytes(ustar(forged))
        assert ours(tree, changed).returncode == WRONG, forged.keys()
        changed.write_bytes(pack(forged.items()))
        assert theirs(tree, changed).returncode == WRONG, forged.keys()
    changed.write_bytes(ustar(one))
    assert ours(tree, changed).returncode == WHOLE


def ustar(parts):
    """As our export writes it."""
    out = b""
    for name, data in parts.items():
        head = b"%s0000644\0000000000\0000000000\0%011o\00000000000000\0        0%s" % (
            name.encode().ljust(100, b"\0"), len(data), bytes(100))
        head += b"ustar\00000"
        head = head.ljust(512, b"\0")
        head = head[:148] + b"%06o\0 " % sum(head) + head[156:]
        out += head + data + bytes(-len(data) % 512)
    return out + bytes(1024)


def test_what_is_open_without_key_or_identity(tree, tmp_path):
    path = packed(tree, ENDED, tmp_path)
    assert ours(tree, path, identity=False).returncode == OPEN
    no_key = ours(tree, path, key="")
    assert no_key.returncode == OPEN and "its key is not known to you" in no_key.stdout
    other = Evidence(tmp_path / "other", (tree.identity, tree.recipient), "another node's")
    other.entry("audit " + "00" * 32)
    other.sign()
    assert ours(tree, path, key=other.key).returncode == WRONG
    kept = tree.verify(path, "--checkpoint", tree.log / "checkpoint")
    assert kept.returncode == WHOLE and "is the same checkpoint" in kept.stdout
    forked = tmp_path / "forked"
    forked.write_bytes((other.log / "checkpoint").read_bytes())
    assert tree.verify(path, "--checkpoint", forked).returncode == WRONG


def test_the_whole_log_shows_what_one_file_cannot(tree, tmp_path):
    path = packed(tree, ENDED, tmp_path)
    alone = ours(tree, path)
    assert alone.returncode == WHOLE and "cannot show that the log has no other" in alone.stdout
    beside = tree.verify(path, "--log", tree.log)
    assert beside.returncode == WHOLE and "says the same of the recording" in beside.stdout
    assert "cannot show" not in beside.stdout
    # Who has the bastion lets it sign another end of the recording, and cuts the file to that.
    forged = tree.copy(tmp_path / "forged")
    frames = Frames(forged.path(ENDED).read_bytes())
    frames.frames, frames.rest = frames.frames[:3], b""
    forged.path(ENDED).write_bytes(frames.bytes())
    lines = forged.lines()
    again = forged.copy(tmp_path / "again")
    again.end(ENDED, frames, "killed")
    again.sign()
    forged.rebuild([line for line in lines if "end " + ENDED not in line] +
                   again.lines()[-1:])
    (tmp_path / "cut").mkdir()
    cut = packed(forged, ENDED, tmp_path / "cut")
    assert forged.verify(cut, key=tree.key).returncode == WHOLE  # a signed log says so
    for log in (tree.log, again.log):
        done = tree.verify(cut, "--log", log)
        assert done.returncode == WRONG, done.stdout
    done = tree.verify(path, "--log", again.log)
    assert done.returncode == WRONG and "it ends twice" in done.stdout


def test_what_is_packed_beside_it_is_refused(tree, tmp_path):
    parts = dict(members(packed(tree, ENDED, tmp_path)))
    changed = tmp_path / "changed"
    for names, status, says in (
            ({"README.sh": b"curl | sh\n"}, WRONG, "README.sh is not part of an evidence file"),
            ({"RECIPE.txt": b"    curl | sh\n"}, OPEN, "read them before you run them")):
        changed.write_bytes(ustar({**parts, **names}))
        done = ours(tree, changed)
        assert done.returncode == status and says in done.stdout, done.stdout
    padded = bytearray(ustar(parts))
    padded[512 + len(parts["RECIPE.txt"])] = 1  # behind the first member
    changed.write_bytes(padded)
    assert ours(tree, changed).returncode == WRONG


def test_the_recipe_calculates_with_numbers_alone(tree, tmp_path):
    parts = dict(members(packed(tree, ENDED, tmp_path)))
    code = b"a[$(touch pwned)0]"
    size = parts["checkpoint"].split(b"\n")[1]
    index = parts["end.tlog-proof"].split(b"\n")[1]
    end = parts["end.entry"].split(b" ")
    for number, (name, old, new) in enumerate([
            ("checkpoint", b"\n" + size + b"\n", b"\n" + code + b"\n"),
            ("end.tlog-proof", index, b"index " + code),
            ("end.entry", b" ".join(end[3:5]), end[3] + b" " + code),
            ("end.entry", end[3], b"\x1b]0;title\x07")]):
        assert old in parts[name]
        changed = tmp_path / "changed"
        changed.write_bytes(ustar({**parts, name: parts[name].replace(old, new)}))
        folder = tmp_path / ("u%d" % number)
        done = follow_recipe(tree, changed, folder)
        assert b"WRONG" in done.stdout and b"\x1b" not in done.stdout, done.stdout
        assert not (folder / "pwned").exists(), name


def test_the_recipe_knows_whose_erasure_it_is(tree, tmp_path):
    erased = follow_recipe(tree, packed(tree, ERASED, tmp_path), tmp_path / "erased")
    assert b"WRONG" not in erased.stdout and b"OK     its key is gone" in erased.stdout, erased.stdout
    other = dict(members(tmp_path / "file.evidence"))
    (tmp_path / "one").mkdir()
    parts = dict(members(packed(tree, ENDED, tmp_path / "one")))
    changed = tmp_path / "changed"
    changed.write_bytes(ustar({**parts, **{name: other[name] for name in (
        "erase.entry", "erase.tlog-proof", "order.txt")}}))
    done = follow_recipe(tree, changed, tmp_path / "changed-unpacked")
    assert b"WRONG  the order is about this recording" in done.stdout
    assert b"WRONG  its key is gone" in done.stdout


def test_evidence_that_two_people_open(tree, tmp_path):
    two = tree.copy(tmp_path / "state")
    second = tmp_path / "second.age"
    recipient = run(PLAY, "keygen", "-o", second).stdout.decode().strip()
    done = run(PLAY, "rewrap", two.path(ENDED), "--to", two.recipient, "--second", recipient, "-i",
               two.identity)
    assert done.returncode == 0, done.stderr
    path = packed(two, ENDED, tmp_path)
    assert ours(two, path).returncode == WRONG
    assert two.verify(path, "-i", second).returncode == WHOLE
    assert theirs(two, path).returncode == WRONG
    both = run("/usr/bin/python3", "-I", VERIFIER, path, two.key, two.identity, second)
    assert both.returncode == 0, both.stdout
    recipe = follow_recipe(two, path, tmp_path / "unpacked", second)
    assert b"WRONG" not in recipe.stdout and b"OK     the key is the recording's own" in recipe.stdout


def test_the_same_recording_makes_the_same_file(tree, tmp_path):
    first, second = tmp_path / "1", tmp_path / "2"
    assert export(tree, ENDED, first).returncode == 0
    assert export(tree, ENDED, second).returncode == 0
    assert first.read_bytes() == second.read_bytes()
    assert export(tree, ENDED, first).returncode == 1  # never over what is there


def test_what_does_not_verify_is_not_packed(tree, tmp_path):
    bad = tree.copy(tmp_path / "state")
    data = bytearray(bad.path(ENDED).read_bytes())
    data[-60] ^= 1
    bad.path(ENDED).write_bytes(data)
    done = export(bad, ENDED, tmp_path / "out")
    assert done.returncode == 1 and b"proves nothing" in done.stderr
    assert not (tmp_path / "out").exists()
    (bad.log / "checkpoint").unlink()
    assert export(bad, KILLED, tmp_path / "out").returncode == 1


def test_the_verifier_is_alone():
    """Nothing but Python's standard library."""
    done = subprocess.run(["/usr/bin/python3", "-I", "-S", VERIFIER, "/nonexistent", "x"],
                          capture_output=True, text=True)
    assert "FileNotFoundError" in done.stderr and "ModuleNotFoundError" not in done.stderr
