"""Row 4 of the test programme: a fault at the k-th system call corrupts nothing and feigns nothing."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from cortex.repo.errors import CortexError
from cortex.store.derived import read_manifest, read_rows
from cortex.store.doctor import examine
from cortex.store.durable import NotWrittenError, System
from cortex.store.journal import FileJournal, create
from cortex.store.kinds import Correction, Generation
from cortex.store.record import Draft, Record

SHORT = -1
FAULTS = {
    "ENOSPC": errno.ENOSPC,
    "EIO": errno.EIO,
    "EROFS": errno.EROFS,
    "EINTR": errno.EINTR,
    "EMFILE": errno.EMFILE,
    "short write": SHORT,
}


class Unsynced(System):
    """The real system without its waits: what a sync does is another test's question."""

    def sync(self, fd: int) -> None:
        pass


class Faulty(Unsynced):
    """The real system, with one fault at the k-th call that could have one, or from there on."""

    def __init__(self, fault: int, at: int, lasting: bool = False) -> None:
        self.fault, self.at, self.lasting = fault, at, lasting
        self.calls = 0
        self.hit = False

    def due(self) -> bool:
        self.calls += 1
        if self.calls == self.at or (self.lasting and self.calls > self.at > 0):
            self.hit = True
            return True
        return False

    def fail(self) -> None:
        if self.due() and self.fault != SHORT:
            raise OSError(self.fault, os.strerror(self.fault))

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        if flags & (os.O_CREAT | os.O_WRONLY | os.O_RDWR) or self.fault not in {errno.ENOSPC, errno.EROFS}:
            self.fail()
        return super().open(path, flags, mode)

    def write(self, fd: int, data: bytes | memoryview) -> int:
        if self.due():
            if self.fault == SHORT:
                return super().write(fd, bytes(data)[: max(1, len(data) // 3)])
            raise OSError(self.fault, os.strerror(self.fault))
        return super().write(fd, data)

    def truncate(self, fd: int, size: int) -> None:
        self.fail()
        super().truncate(fd, size)

    def sync(self, fd: int) -> None:
        self.fail()
        super().sync(fd)

    def replace(self, source: Path, target: Path) -> None:
        self.fail()
        super().replace(source, target)

    def unlink(self, path: Path) -> None:
        self.fail()
        super().unlink(path)

    def mkdir(self, path: Path, mode: int = 0o700) -> None:
        self.fail()
        super().mkdir(path, mode)


def work(store: Path, system: System) -> tuple[list[Record], int]:
    """Operations of each kind, going on after a refusal: what was acknowledged, and how many were refused."""
    acknowledged: list[Record] = []
    refused = 0

    def attempt(operation: Callable[[], list[Record]]) -> None:
        nonlocal refused
        try:
            acknowledged.extend(operation())
        except CortexError:
            refused += 1

    attempt(lambda: create(store, system) or [])  # type: ignore[func-returns-value]
    create(store, Unsynced())
    try:
        journal = FileJournal(store, "Ada <ada@example.org>", system=system)
    except CortexError:
        refused += 1
        journal = FileJournal(store, "Ada <ada@example.org>", system=System())
    attempt(lambda: [journal.put(Correction(before="one"))])
    attempt(lambda: journal.append([Draft(Correction(before="two")), Draft(Generation(path="p"))]))
    attempt(lambda: journal.seal() or [])  # type: ignore[func-returns-value]
    attempt(lambda: [journal.edit(acknowledged[0].m, Correction(before="three"))] if acknowledged else [])
    attempt(lambda: [journal.delete(acknowledged[0].m)] if acknowledged else [])
    attempt(lambda: journal.seal() or [])  # type: ignore[func-returns-value]
    attempt(lambda: [journal.put(Generation(path="q"))])
    return acknowledged, refused


def check(store: Path, acknowledged: list[Record]) -> None:
    """All that was acknowledged is there; what is there is whole; the store goes on working."""
    journal = FileJournal(store, "Ada <ada@example.org>", system=Unsynced())
    assert {record.id for record in acknowledged} <= {record.id for record in journal.records()}
    later = journal.put(Correction(before="later"))
    journal.seal()
    found = {record.id for record in FileJournal(store, "").records()}
    assert {record.id for record in (*acknowledged, later)} <= found


def every_fault(folder: Path) -> list[tuple[str, int, bool]]:
    """Each fault at each call that it can strike, once and from there on."""
    found = []
    for name, fault in FAULTS.items():
        quiet = Faulty(fault, 0)
        work(folder / name, quiet)
        passing = name in {"EINTR", "short write"}
        found += [(name, at, False) for at in range(1, quiet.calls + 1)]
        found += [(name, at, True) for at in range(1, quiet.calls + 1) if not passing]
    return found


def inject(folder: Path, seed: int, count: int | None) -> tuple[int, int]:
    """So many of all faults, or all: how many struck, and how many there are."""
    faults = every_fault(folder / "dry")
    chosen = faults if count is None else random.Random(seed).sample(faults, count)
    hits = 0
    for number, (name, at, lasting) in enumerate(chosen):
        system = Faulty(FAULTS[name], at, lasting)
        store = folder / f"s{number}"
        acknowledged, refused = work(store, system)
        where = f"seed {seed}, {name} at call {at}{' and after' if lasting else ''}"
        check(store, acknowledged)
        if name in {"EINTR", "short write"}:
            assert refused == 0 and len(acknowledged) == 6, where
        if not lasting:
            assert examine(store).sound, f"{where}: {examine(store).problems}"
        hits += system.hit
        shutil.rmtree(store)
    return hits, len(faults)


@pytest.mark.parametrize(
    "count", [620, pytest.param(None, marks=pytest.mark.nightly)], ids=["sample", "every call"]
)
def test_a_fault_at_any_call_loses_nothing(
    count: int | None, tmp_path: Path, seed: int, tell: Callable[[str], None]
) -> None:
    (tmp_path / "dry").mkdir()
    hits, all_of_them = inject(tmp_path, seed, count)
    tell(f"faults at the k-th call: {hits:,} of {all_of_them:,} struck, 0 lost (CORTEX_SEED={seed})")
    assert hits >= 600


class SyncFails(System):
    """A disk whose next syncs of files fail; what they held is no longer to be trusted."""

    def __init__(self) -> None:
        self.failing = 0

    def sync(self, fd: int) -> None:
        if self.failing and not self.fstat(fd).folder:
            self.failing -= 1
            raise OSError(errno.EIO, "Input/output error")
        super().sync(fd)


def test_after_a_failed_fsync_nothing_is_acknowledged_and_the_log_is_written_to_a_new_file(
    tmp_path: Path,
) -> None:
    system = SyncFails()
    create(tmp_path / "s")
    journal = FileJournal(tmp_path / "s", "Ada <ada@example.org>", system=system)
    before = journal.put(Correction(before="before"))
    (log,) = (tmp_path / "s" / "wal").iterdir()
    inode = log.stat().st_ino
    system.failing = 1
    with pytest.raises(NotWrittenError, match="cannot write"):
        journal.put(Correction(before="refused"))
    assert [record.id for record in journal.records()] == [before.id]
    after = journal.put(Correction(before="after"))
    assert log.stat().st_ino != inode
    assert [record.id for record in journal.records()] == [before.id, after.id]


def test_a_full_disk_says_so_and_reading_goes_on(tmp_path: Path) -> None:
    create(tmp_path / "s")
    FileJournal(tmp_path / "s", "").put(Correction(before="before"))
    journal = FileJournal(tmp_path / "s", "", system=Faulty(errno.ENOSPC, 2, lasting=True))
    with pytest.raises(NotWrittenError) as caught:
        for _ in range(5):
            journal.put(Correction(before="refused"))
    assert "full" in caught.value.hint
    assert len(FileJournal(tmp_path / "s", "").view()) == 1


def test_when_the_shared_half_of_an_append_fails_the_private_half_is_taken_back(tmp_path: Path) -> None:
    class SecondLogFails(System):
        def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
            if path.parent.name == "wal" and "private" not in path.name and flags & os.O_CREAT:
                raise OSError(errno.EMFILE, "Too many open files")
            return super().open(path, flags, mode)

    create(tmp_path / "s")
    journal = FileJournal(tmp_path / "s", "", system=SecondLogFails())
    with pytest.raises(NotWrittenError):
        journal.append([Draft(Correction(before="x")), Draft(Generation(path="p"))])
    assert list(journal.records()) == []


@pytest.mark.parametrize(
    "name",
    ["format.json", "writer", "clock", "holder", "wal", "segment", "index/manifest.json", "index/rows.bin"],
)
def test_a_pipe_in_the_place_of_a_file_holds_nobody_up(tmp_path: Path, name: str) -> None:
    """Whoever opens a pipe to read it waits for a writer: for ever, here. The alarm ends this test then."""
    store = tmp_path / "s"
    create(store)
    journal = FileJournal(store, "")
    journal.put(Correction(before="sealed"))
    journal.seal()
    journal.put(Correction(before="open"))
    found = {"wal": next((store / "wal").iterdir()), "segment": next((store / "seg").rglob("*.jsonl"))}
    path = found.get(name, store / name)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.alarm(10)
    try:
        for act in (
            lambda: FileJournal(store, "").put(Correction(before="new")),
            lambda: len(FileJournal(store, "").view()),
            lambda: examine(store),
            lambda: read_manifest(store / "index"),
            lambda: read_rows(store / "index" / "rows.bin", "", 1),
        ):
            with contextlib.suppress(CortexError):
                act()
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    if name != "writer":
        assert len(FileJournal(store, "").view()) >= 1
