"""Row 6 of the test programme: real git, clones in any order, remotes that rewind, and hostile trees."""

from __future__ import annotations

import functools
import hashlib
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pygit2
import pytest
from pygit2.enums import FileMode, ObjectType
from running import git

from cortex.repo.errors import PlaceError, UsageError
from cortex.repo.git import GitError
from cortex.repo.places import Place, find
from cortex.store import pulling, segments
from cortex.store.blobs import Blobs
from cortex.store.doctor import examine
from cortex.store.journal import FileJournal, NewerStoreError, create, wall_ms
from cortex.store.kinds import Correction, Generation
from cortex.store.layout import FORMAT_BYTES
from cortex.store.record import Draft, make, to_line
from cortex.store.sync import BRANCH, REF, SyncReport, sync

FORMAT_JSON = b'{"format":1}\n'


@dataclass
class Clone:
    root: Path
    place: Place
    journal: FileJournal

    def sync(self, remote: str | None = None) -> SyncReport:
        return sync(self.place, self.journal, remote)

    def shared(self) -> set[str]:
        return {record.id for record in self.journal.records() if not record.private}

    def bytes(self) -> dict[str, bytes]:
        """Everything of the person's: HEAD, index, and each file of the work tree."""
        kept = {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file() and ".git" not in path.relative_to(self.root).parts
        }
        for name in ("HEAD", "index", "refs/heads/main", "config"):
            if (self.place.common / name).exists():
                kept[f".git/{name}"] = (self.place.common / name).read_bytes()
        return kept


def clone_of(remote: Path, root: Path) -> Clone:
    git(remote.parent, "clone", "--quiet", str(remote), str(root))
    return open_clone(root)


def open_clone(root: Path) -> Clone:
    place = find(root)
    create(place.store)
    return Clone(root, place, FileJournal(place.store, f"{root.name} <{root.name}@example.org>", timeout=30))


@pytest.fixture
def remote(tmp_path: Path, repo: Path) -> Path:
    git(tmp_path, "clone", "--quiet", "--bare", str(repo), "remote.git")
    return tmp_path / "remote.git"


@pytest.fixture
def pair(tmp_path: Path, remote: Path) -> tuple[Clone, Clone]:
    return clone_of(remote, tmp_path / "one"), clone_of(remote, tmp_path / "two")


def test_what_one_clone_learnt_the_other_has_after_both_synced(pair: tuple[Clone, Clone]) -> None:
    one, two = pair
    record = one.journal.put(Correction(before="é", after="è"))
    private = one.journal.put(Generation(path="p"))
    sent = one.sync()
    assert (sent.remote, sent.pushed, sent.fetched, sent.branch) == ("origin", 1, 0, BRANCH)
    taken = two.sync()
    assert (taken.fetched, taken.records, taken.pushed, taken.rejected) == (1, 1, 0, ())
    assert taken.commit == sent.commit
    assert two.journal.view().current(record.m) == record
    assert private.id not in {each.id for each in two.journal.records()}
    tree = git(one.root, "ls-tree", "-r", "--format=%(objectmode) %(path)", REF).splitlines()
    assert (
        tree[0] == "100644 format.json"
        and len(tree) == 2
        and tree[1].startswith(f"100644 seg/{one.journal.writer}/")
    )


def test_a_second_sync_does_nothing(pair: tuple[Clone, Clone]) -> None:
    one, _ = pair
    one.journal.put(Correction(before="a"))
    first = one.sync()
    again = one.sync()
    assert (again.commit, again.pushed, again.fetched, again.records) == (first.commit, 0, 0, 0)


def test_without_a_remote_sync_is_quiet_and_writes_the_branch(repo: Path) -> None:
    clone = open_clone(repo)
    assert clone.sync() == SyncReport()
    clone.journal.put(Correction(before="a"))
    report = clone.sync()
    assert report.remote == "" and report.commit == git(repo, "rev-parse", REF)


def test_a_deletion_travels_and_absence_does_not(pair: tuple[Clone, Clone], remote: Path) -> None:
    one, two = pair
    kept, gone = one.journal.put(Correction(before="kept")), one.journal.put(Correction(before="gone"))
    one.sync()
    two.sync()
    two.journal.delete(gone.m)
    two.sync()
    git(remote, "update-ref", "-d", REF)  # the remote loses all of it
    one.sync()
    two.sync()
    for clone in pair:
        assert clone.journal.view().current(kept.m) == kept
    one.sync()
    assert one.journal.view().current(gone.m) is None
    assert one.shared() == two.shared()


def test_two_who_begin_apart_are_united(pair: tuple[Clone, Clone]) -> None:
    one, two = pair
    for clone in pair:
        clone.journal.put(Correction(before=clone.root.name))
        git(clone.root, "remote", "rename", "origin", "away")
        git(clone.root, "remote", "set-url", "away", str(clone.root.parent / "nowhere"))
        with pytest.raises(GitError):
            clone.sync()
        git(clone.root, "remote", "set-url", "away", str(clone.root.parent / "remote.git"))
    one.sync()
    two.sync()
    one.sync()
    assert one.shared() == two.shared() and len(one.shared()) == 2
    assert git(one.root, "rev-parse", REF) == git(two.root, "rev-parse", REF)


def test_a_failed_push_keeps_what_was_taken_and_says_why(pair: tuple[Clone, Clone], remote: Path) -> None:
    one, two = pair
    one.journal.put(Correction(before="a"))
    one.sync()
    hook = remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho refused by policy >&2\nexit 1\n")
    hook.chmod(0o755)
    two.journal.put(Correction(before="b"))
    with pytest.raises(GitError, match="refused by policy"):
        two.sync()
    assert len(two.shared()) == 2
    hook.unlink()
    assert two.sync().pushed == 1


def test_the_persons_own_hooks_do_not_run(pair: tuple[Clone, Clone]) -> None:
    one, _ = pair
    for name in ("pre-push", "reference-transaction", "post-commit", "pre-commit"):
        hook = one.place.common / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {one.root.parent}/ran\nexit 1\n")
        hook.chmod(0o755)
    one.journal.put(Correction(before="a"))
    assert one.sync().pushed == 1
    assert not (one.root.parent / "ran").exists()


def test_a_checked_out_branch_is_not_written(pair: tuple[Clone, Clone]) -> None:
    one, _ = pair
    one.journal.put(Correction(before="a"))
    one.sync()
    git(one.root, "checkout", "--quiet", BRANCH)
    with pytest.raises(PlaceError, match="checked out"):
        one.sync()


def test_a_remote_must_be_named_when_there_is_a_choice(pair: tuple[Clone, Clone]) -> None:
    one, _ = pair
    git(one.root, "remote", "rename", "origin", "a")
    git(one.root, "remote", "add", "b", "elsewhere")
    with pytest.raises(UsageError, match="2 remotes"):
        one.sync()
    with pytest.raises(UsageError, match="not a remote"):
        one.sync("--upload-pack=touch /tmp/x")
    one.journal.put(Correction(before="a"))
    assert one.sync("a").pushed == 1


def test_a_bare_repository_and_a_linked_work_tree_sync(
    tmp_path: Path, remote: Path, pair: tuple[Clone, Clone]
) -> None:
    one, two = pair
    one.journal.put(Correction(before="a"))
    one.sync()
    bare = open_clone(remote)
    assert bare.sync().records == 1
    git(two.root, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    linked = open_clone(tmp_path / "linked")
    assert linked.sync().records == 1
    assert linked.shared() == two.shared() == bare.shared()


def test_a_segment_lost_on_disk_comes_back_from_the_branch(pair: tuple[Clone, Clone]) -> None:
    one, _ = pair
    record = one.journal.put(Correction(before="a"))
    one.sync()
    (path,) = (one.place.store / "seg").rglob("*.jsonl")
    path.unlink()
    assert one.shared() == set()
    assert one.sync().records == 1
    assert one.shared() == {record.id}


def test_a_segment_with_a_secret_is_not_sent(pair: tuple[Clone, Clone]) -> None:
    one, two = pair
    one.journal.put(Correction(before="fine"))
    one.journal.seal()
    one.journal.put(Correction(before="hunter2"))
    report = sync(one.place, one.journal, None, scan=lambda text: text.count("hunter2"))
    assert report.pushed == 1 and "secret" in report.rejected[0][1]
    two.sync()
    assert len(two.shared()) == 1


def random_rounds(folder: Path, remote: Path, seed: int, syncs: int) -> tuple[int, int, int]:
    """Clones write and sync in random order, and the remote rewinds: syncs, records, and lost records."""
    chance = random.Random(seed)
    clones = [clone_of(remote, folder / f"clone{number}") for number in range(3)]
    before = [clone.bytes() for clone in clones]
    written: set[str] = set()
    tips: list[str] = []
    for _ in range(syncs):
        clone = chance.choice(clones)
        for _ in range(chance.randrange(3)):
            current = list(clone.journal.view().of_kind("correction"))
            if current and chance.random() < 0.3:
                written.add(clone.journal.edit(chance.choice(current).m, Correction(before="edited")).id)
            elif current and chance.random() < 0.1:
                written.add(clone.journal.delete(chance.choice(current).m).id)
            else:
                written.add(clone.journal.put(Correction(before=str(chance.random()))).id)
        if chance.random() < 0.25 and tips:
            if chance.random() < 0.5:
                git(remote, "update-ref", REF, chance.choice(tips))
            else:
                git(remote, "update-ref", "-d", REF)
        clone.sync()
        # None yet where the remote lost it, and a clone that has nothing came first.
        tips += git(remote, "for-each-ref", "--format=%(objectname)", REF).split()
    for _ in range(2):
        for clone in clones:
            clone.sync()
    lost = sum(len(written - clone.shared()) for clone in clones)
    states = {tuple(record.id for record in clone.journal.view().of_kind()) for clone in clones}
    assert len(states) == 1
    assert len({git(clone.root, "rev-parse", REF) for clone in clones}) == 1
    assert [clone.bytes() for clone in clones] == before
    assert all(examine(clone.place.store).sound for clone in clones)
    return syncs + 6, len(written), lost


def test_clones_that_sync_in_random_order_all_have_all_records(
    tmp_path: Path, remote: Path, seed: int, tell: Callable[[str], None]
) -> None:
    syncs, records, lost = random_rounds(tmp_path, remote, seed, 54)
    tell(f"clones: {syncs} syncs in random order, {records} records, {lost} lost (CORTEX_SEED={seed})")
    assert lost == 0


@pytest.mark.nightly
def test_clones_that_sync_in_random_order_all_have_all_records_all_night(
    tmp_path: Path, remote: Path, seed: int, tell: Callable[[str], None]
) -> None:
    syncs, records, lost = random_rounds(tmp_path, remote, seed, 2000)
    tell(f"clones: {syncs} syncs in random order, {records} records, {lost} lost (CORTEX_SEED={seed})")
    assert lost == 0


SYNC = """
import sys
from pathlib import Path
from cortex.repo.places import find
from cortex.store.journal import FileJournal
from cortex.store.sync import sync
place = find(sys.argv[1])
journal = FileJournal(place.store, "", timeout=30)
print("ready", flush=True)
sync(place, journal)
"""


def test_a_sync_killed_in_the_middle_loses_nothing(
    pair: tuple[Clone, Clone], seed: int, tell: Callable[[str], None]
) -> None:
    one, two = pair
    chance = random.Random(seed)
    written: set[str] = set()
    count = 10
    before = one.bytes()
    for _ in range(count):
        written |= {clone.journal.put(Correction(before=str(chance.random()))).id for clone in pair}
        two.sync()
        process = subprocess.Popen([sys.executable, "-c", SYNC, str(one.root)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.uniform(0, 0.15))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    for lock in one.place.common.rglob("*.lock"):
        lock.unlink()  # as git itself asks of the person after a crash
    for clone in (one, two, one):
        clone.sync()
    assert one.shared() == two.shared() == written
    assert one.bytes() == before
    tell(f"sync killed in the middle: {count} times, 0 of {len(written)} lost (CORTEX_SEED={seed})")


def test_two_syncs_at_once_both_end_well(pair: tuple[Clone, Clone]) -> None:
    one, two = pair
    for clone in pair:
        clone.journal.put(Correction(before=clone.root.name))
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SYNC, str(clone.root)], stderr=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for clone in (one, two, one)
    ]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()
    one.sync()
    two.sync()
    assert one.shared() == two.shared() and len(one.shared()) == 2


# What comes from others.


W = "ab" * 16


def line(text: str, t: int = 1_700_000_000_000, n: int = 1, m: str = "") -> bytes:
    body = {"kind": "correction", "before": text}
    return to_line(make(Draft(Correction(), m), t=t, w=W, n=n, author="Eve", body=body))


def name_of(data: bytes, sequence: int = 0) -> str:
    return f"{sequence:08d}-{segments.digest(data)}.jsonl"


class Attacker:
    """Writes tree objects byte by byte, so that nothing stops it from writing what git would not."""

    def __init__(self, remote: Path) -> None:
        self.git = pygit2.Repository(str(remote))

    def blob(self, data: bytes) -> str:
        return str(self.git.create_blob(data))

    def tree(self, entries: list[tuple[int, bytes, str]]) -> str:
        raw = b"".join(b"%o %s\0" % (mode, name) + bytes.fromhex(oid) for mode, name, oid in entries)
        return str(self.git.odb.write(ObjectType.TREE, raw))

    def push(self, tree: str) -> str:
        who = pygit2.Signature("Eve", "eve@example.org")
        commit = self.git.create_commit(None, who, who, "Share\n", pygit2.Oid(hex=tree), [])
        git(Path(self.git.path), "update-ref", REF, str(commit))
        return str(commit)

    def month(
        self, files: list[tuple[int, bytes, str]], more: list[tuple[int, bytes, str]] | None = None
    ) -> str:
        """A whole branch with these entries in one month's folder, and `more` at the top."""
        month = self.tree(files)
        writer = self.tree([(0o40000, b"202311", month)])
        seg = self.tree([(0o40000, W.encode(), writer)])
        top = [(0o100644, b"format.json", self.blob(FORMAT_JSON)), *(more or []), (0o40000, b"seg", seg)]
        return self.push(self.tree(top))


@functools.lru_cache(maxsize=1)
def deep_line() -> bytes:
    deep: object = 1
    for _ in range(50):
        deep = [deep]
    whole: dict[str, Any] = {**json.loads(line("deep")), "body": {"kind": "x", "deep": deep}}
    del whole["id"], whole["crc"]
    dump = lambda value: json.dumps(value, sort_keys=True, separators=(",", ":")).encode()  # noqa: E731
    whole["id"] = hashlib.sha256(dump(whole)).hexdigest()
    from cortex.store.record import crc

    whole["crc"] = crc(dump(whole))
    return dump(whole) + b"\n"


def test_a_hostile_tree_is_taken_only_where_it_is_sound(
    remote: Path, pair: tuple[Clone, Clone], tell: Callable[[str], None]
) -> None:
    one, two = pair
    attacker = Attacker(remote)
    good = line("good")
    half = line("half") + line("broken").replace(b"broken", b"forged") + line("other half")
    canary = one.root.parent / "canary"
    cases: list[tuple[int, bytes, bytes, str]] = [
        (0o120000, name_of(b"../../../canary", 1).encode(), b"../../../canary", "mode is 120000"),
        (0o100755, name_of(good + good, 2).encode(), good + good, "mode is 100755"),
        (0o160000, name_of(b"module", 3).encode(), b"module", "mode is 160000"),
        (0o100644, b"..", good, "not a name"),
        (0o100644, b"../../../../../canary", good, "not a name"),
        (0o100644, b".git", good, "not a name"),
        (0o100644, b"hooks/post-commit", good, "not a name"),
        (0o100644, b"\xff\xfe.jsonl", good, "not a name"),
        (0o100644, name_of(good, 4).encode() + b"\n", good, "not a name"),
        (0o100644, name_of(good, 5).upper().encode(), good, "not a name"),
        (0o100644, name_of(b"else", 6).encode(), line("renamed"), "not what its name says"),
        (0o100644, name_of(b"", 7).encode(), b"", "not whole lines"),
        (0o100644, name_of(good[:-1], 8).encode(), good[:-1], "not whole lines"),
        (0o100644, name_of(deep_line(), 9).encode(), deep_line(), "deeper"),
        (0o100644, name_of(b"\x00" * 9 + b"\n", 10).encode(), b"\x00" * 9 + b"\n", "not JSON"),
        (0o100644, name_of(b"[" * 65_000 + b"\n", 11).encode(), b"[" * 65_000 + b"\n", "not JSON"),
        (0o100644, name_of(b"x" * 70_000 + b"\n", 12).encode(), b"x" * 70_000 + b"\n", "bytes in one line"),
        (
            0o100644,
            name_of(b"y" * 5_000_000 + b"\n", 13).encode(),
            b"y" * 5_000_000 + b"\n",
            "more than 4,194,304",
        ),
        (0o100644, name_of(b"\n" * 60_000, 14).encode(), b"\n" * 60_000, "too many"),
    ]
    files = [
        (mode, name, attacker.blob(data) if mode != 0o160000 else "ab" * 20) for mode, name, data, _ in cases
    ]
    files += [
        (0o100644, name_of(good, 20).encode(), attacker.blob(good)),
        (0o100644, name_of(half, 21).encode(), attacker.blob(half)),
        (0o40000, name_of(good, 22).encode(), attacker.tree([])),
    ]
    more = [
        (0o100755, b"Makefile", attacker.blob(b"all:\n\ttouch canary\n")),
        (0o120000, b"private", attacker.blob(b"/etc")),
        (0o100644, b".gitattributes", attacker.blob(b"* filter=evil\n")),
        (0o40000, b"private2", attacker.tree([])),
    ]
    attacker.month(files, more)
    before = one.bytes()
    report = one.sync()
    reasons = dict(report.rejected)
    for mode, name, data, why in cases:
        path = f"seg/{W}/202311/" + name.decode("utf-8", "backslashreplace")
        said = [reason for where, reason in report.rejected if where == path or where.startswith(f"{path}:")]
        assert any(why in each for each in said), (path, why, said, oct(mode), len(data))
    assert {"Makefile", "private", ".gitattributes", "private2"} <= reasons.keys()
    assert report.records == 3 and report.fetched == 2
    texts = {record.body["before"] for record in one.journal.view().of_kind("correction")}
    assert texts == {"good", "half", "other half"}
    assert one.bytes() == before and not canary.exists()
    names = git(one.root, "ls-tree", "-r", "--name-only", REF).splitlines()
    assert len(names) == 3  # nothing of the rest is handed on
    two.sync()
    assert two.shared() == one.shared()
    tell(f"hostile trees: {len(cases) + len(more) + 2} tricks, 0 taken")


def test_a_tree_bomb_ends(remote: Path, pair: tuple[Clone, Clone], monkeypatch: pytest.MonkeyPatch) -> None:
    one, _ = pair
    attacker = Attacker(remote)
    good = line("good")
    blob = attacker.blob(good)
    month = attacker.tree(
        [(0o100644, f"{n:08d}-{segments.digest(good)}.jsonl".encode(), blob) for n in range(100)]
    )
    writer = attacker.tree([(0o40000, f"{n:06d}".encode(), month) for n in range(500)])
    seg = attacker.tree([(0o40000, f"{n:032x}".encode(), writer) for n in range(500)])
    attacker.push(attacker.tree([(0o40000, b"seg", seg)]))
    monkeypatch.setattr(pulling, "MAX_NAMED", 300)
    monkeypatch.setattr(pulling, "MAX_TREES", 40)
    start = time.perf_counter()
    report = one.sync()
    assert time.perf_counter() - start < 30
    assert any("more than" in reason for _, reason in report.rejected)
    assert len(one.shared()) == 1


def test_too_many_records_come_in_more_than_one_pull(
    remote: Path, pair: tuple[Clone, Clone], monkeypatch: pytest.MonkeyPatch
) -> None:
    from cortex.store import sync as module

    one, two = pair
    monkeypatch.setattr(module, "MAX_RECORDS", 5)
    attacker = Attacker(remote)
    files = []
    for number in range(4):
        data = b"".join(line(f"{number}/{index}") for index in range(2))
        files.append((0o100644, name_of(data, number).encode(), attacker.blob(data)))
    attacker.month(files)
    mine = one.journal.put(Correction(before="mine"))
    first = one.sync()
    assert first.records == 4 and any("next sync" in reason for _, reason in first.rejected)
    assert first.pushed == 0  # what was not read yet must not vanish from the branch
    second = one.sync()
    assert second.records == 4 and second.pushed == 1
    two.sync()
    two.sync()
    assert two.shared() == one.shared() and mine.id in two.shared() and len(two.shared()) == 9


def test_a_branch_of_a_newer_format_is_read_and_not_written(remote: Path, pair: tuple[Clone, Clone]) -> None:
    one, _ = pair
    attacker = Attacker(remote)
    good = line("good")
    month = attacker.tree([(0o100644, name_of(good).encode(), attacker.blob(good))])
    seg = attacker.tree([(0o40000, W.encode(), attacker.tree([(0o40000, b"202311", month)]))])
    tip = attacker.push(
        attacker.tree([(0o100644, b"format.json", attacker.blob(b'{"format":2}')), (0o40000, b"seg", seg)])
    )
    one.journal.put(Correction(before="mine"))
    with pytest.raises(NewerStoreError, match="format 2"):
        one.sync()
    assert len(one.shared()) == 2
    assert git(remote, "rev-parse", REF) == tip


@pytest.mark.parametrize("junk", [b"", b"{}", b"[1]", b'{"format":"x"}', b"\xff", b"[" * 2000, b"x" * 9999])
def test_a_format_file_that_is_none_is_told(remote: Path, pair: tuple[Clone, Clone], junk: bytes) -> None:
    one, _ = pair
    attacker = Attacker(remote)
    attacker.push(attacker.tree([(0o100644, b"format.json", attacker.blob(junk))]))
    assert one.sync().rejected[0][0] == "format.json"


def test_a_branch_that_is_no_commit_is_no_branch(remote: Path, pair: tuple[Clone, Clone]) -> None:
    one, _ = pair
    git(one.root, "update-ref", "refs/cortex/shared", git(one.root, "rev-parse", "HEAD^{tree}"))
    one.journal.put(Correction(before="a"))
    report = one.sync()
    assert report.pushed == 1 and git(one.root, "rev-parse", "refs/cortex/shared") == report.commit


def test_a_lock_that_a_killed_process_left_is_named(pair: tuple[Clone, Clone]) -> None:
    one, _ = pair
    one.journal.put(Correction(before="a"))
    one.sync()
    (one.place.common / f"{REF}.lock").touch()
    one.journal.put(Correction(before="b"))
    with pytest.raises(PlaceError, match="lock") as caught:
        one.sync()
    assert ".lock" in caught.value.hint
    (one.place.common / f"{REF}.lock").unlink()
    assert one.sync().pushed == 1


def test_a_hostile_clock_is_not_adopted(remote: Path, pair: tuple[Clone, Clone]) -> None:
    one, _ = pair
    attacker = Attacker(remote)
    data = line("from afar", t=2**53 - 2) + line("fine")
    attacker.month([(0o100644, name_of(data).encode(), attacker.blob(data))])
    one.sync()
    assert [record.body["before"] for record in one.journal.view().of_kind("correction")] == ["fine"]
    assert one.journal.put(Correction(before="mine")).t < wall_ms() + 60_000


def test_a_good_segment_under_our_own_name_cannot_be_replaced(
    remote: Path, pair: tuple[Clone, Clone]
) -> None:
    one, two = pair
    record = one.journal.put(Correction(before="mine"))
    one.sync()
    path = git(one.root, "ls-tree", "-r", "--name-only", REF, "seg").strip()
    _, writer, month, name = path.split("/")
    attacker = Attacker(remote)
    forged = attacker.tree([(0o100644, name.encode(), attacker.blob(line("forged")))])
    seg = attacker.tree([(0o40000, writer.encode(), attacker.tree([(0o40000, month.encode(), forged)]))])
    attacker.push(attacker.tree([(0o40000, b"seg", seg)]))
    report = one.sync()
    assert report.rejected == ((path, "its content is not what its name says"),)
    assert report.pushed == 1
    two.sync()
    assert two.shared() == {record.id}


def test_kept_blobs_are_held_by_refs_that_are_not_history(repo: Path) -> None:
    now = [wall_ms()]
    blobs = Blobs(find(repo), clock=lambda: now[0])
    log = git(repo, "log", "--all", "--oneline")
    kept = blobs.keep(b"\x00binary\xff")
    assert blobs.read(kept) == b"\x00binary\xff"
    assert blobs.keep_many([b"a", b"b", b"a"])[0] == blobs.keep(b"a")
    git(repo, "gc", "--quiet", "--prune=now")
    assert Blobs(find(repo)).read(kept) == b"\x00binary\xff"
    assert git(repo, "log", "--all", "--oneline") == log
    assert git(repo, "fsck", "--strict") == ""
    assert blobs.read("0" * 40) is None and blobs.read("nonsense") is None
    assert blobs.read(git(repo, "rev-parse", "HEAD")) is None
    now[0] += 3 * 3_600_000
    later = blobs.keep(b"later")
    assert blobs.expire(now[0]) == 1
    git(repo, "gc", "--quiet", "--prune=now")
    fresh = Blobs(find(repo))
    assert fresh.read(kept) is None and fresh.read(later) == b"later"
    assert fresh.drop() == 1 and git(repo, "for-each-ref", "refs/cortex") == ""


def test_two_who_keep_blobs_at_once_both_hold_them(repo: Path) -> None:
    one, two = Blobs(find(repo)), Blobs(find(repo))
    kept = [(one, two)[number % 2].keep(str(number).encode()) for number in range(20)]
    git(repo, "gc", "--quiet", "--prune=now")
    fresh = Blobs(find(repo))
    assert [fresh.read(oid) for oid in kept] == [str(number).encode() for number in range(20)]


def test_the_branch_is_what_is_documented(pair: tuple[Clone, Clone]) -> None:
    one, _ = pair
    one.journal.put(Correction(before="a"))
    one.sync()
    assert git(one.root, "show", f"{REF}:format.json") == FORMAT_BYTES.decode().strip()
    assert FORMAT_BYTES.decode().strip() in (Path(__file__).parent.parent / "docs" / "format.md").read_text()
    top = pygit2.Repository(str(one.root))[git(one.root, "rev-parse", REF)].peel(pygit2.Tree)
    assert {each.filemode for each in top} == {FileMode.BLOB, FileMode.TREE}
