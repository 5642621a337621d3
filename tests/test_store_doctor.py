"""The doctor finds each flipped bit and deletes nothing; a backup is one file that proves itself."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cortex.cli import checkup
from cortex.repo.errors import CortexError, DamagedError, PlaceError, UsageError
from cortex.repo.places import find
from cortex.store.backup import backup, restore, verify
from cortex.store.derived import REBUILD
from cortex.store.doctor import examine, repair
from cortex.store.durable import NotWrittenError, System
from cortex.store.journal import FileJournal, NewerStoreError, create
from cortex.store.kinds import Correction, Generation
from cortex.store.quarantine import Problem, Quarantine
from cortex.store.record import Draft

ADA = "Ada <ada@example.org>"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with shared and private segments and open logs."""
    store = tmp_path / "cortex"
    create(store)
    journal = FileJournal(store, ADA)
    for _ in range(2):
        journal.append([Draft(Correction(before=f"é{i}")) for i in range(4)] + [Draft(Generation(path="p"))])
        journal.seal()
    journal.append([Draft(Correction(before="open")), Draft(Generation(path="open"))])
    return store


def ids(store: Path) -> set[str]:
    return {record.id for record in FileJournal(store, ADA).records()}


def files(store: Path) -> list[Path]:
    return sorted(path for top in ("seg", "private", "wal") for path in (store / top).rglob("*.jsonl"))


def all_bytes(store: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(store.rglob("*")) if path.is_file())


def flip(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def test_a_sound_store_is_found_sound_and_left_alone(store: Path) -> None:
    before = all_bytes(store)
    diagnosis = examine(store)
    assert diagnosis.sound and (diagnosis.segments, diagnosis.logs, diagnosis.records) == (4, 2, 12)
    assert all_bytes(store) == before
    mended = repair(store, ADA)
    assert mended.sound and mended.records == 12
    assert mended.repaired == ("asked for a new index",)
    assert (store / "index" / REBUILD).exists()


def test_every_damaged_file_is_found_and_mended_and_no_byte_is_deleted(
    store: Path, tmp_path: Path, seed: int, tell: Callable[[str], None]
) -> None:
    chance = random.Random(seed)
    count = 60
    every = ids(store)
    for number in range(count):
        copy = tmp_path / f"copy{number}"
        shutil.copytree(store, copy)
        path = chance.choice(files(copy))
        good = path.read_bytes()
        flip(path, chance)
        bad = path.read_bytes()
        diagnosis = examine(copy)
        assert not diagnosis.sound, (seed, path, good, bad)
        kept = ids(copy)
        assert len(kept) >= len(every) - 2  # a flipped line end joins two lines
        mended = repair(copy, ADA)
        assert mended.sound, (seed, mended.problems)
        assert ids(copy) == kept
        aside = {each.read_bytes() for each, _ in Quarantine(copy).contents() if each.is_file()}
        lost = [line for line in bad.split(b"\n") if line and line + b"\n" not in all_bytes(copy) + b"\n"]
        assert all(any(line in each for each in aside) for line in lost)
        FileJournal(copy, ADA).put(Correction(before="after"))
    tell(f"doctor: {count} flipped bits, all found, 0 bytes deleted (CORTEX_SEED={seed})")


@pytest.mark.parametrize("name", ["writer", "format.json", "clock"])
@pytest.mark.parametrize("damage", [b"", b"\x00\x00", None])
def test_the_stores_own_files_are_mended(store: Path, name: str, damage: bytes | None) -> None:
    before = ids(store)
    if damage is None:
        (store / name).unlink()
    else:
        (store / name).write_bytes(damage)
    found = examine(store)
    assert [problem.path for problem in found.problems] == [name]
    assert repair(store, ADA).sound
    assert ids(store) == before
    record = FileJournal(store, ADA).put(Correction(before="after"))
    assert record.id in ids(store)


@pytest.mark.parametrize("name", ["format.json", "clock"])
def test_every_flipped_bit_in_a_small_file_is_found_or_means_nothing(store: Path, name: str) -> None:
    path = store / name
    good = path.read_bytes()
    for index in range(len(good)):
        for bit in range(8):
            path.write_bytes(good[:index] + bytes([good[index] ^ (1 << bit)]) + good[index + 1 :])
            said = json.loads(path.read_bytes()) if examine(store).sound else None
            assert said is None or said == json.loads(good) or (name == "format.json" and "crc" not in said)
    path.write_bytes(good)


def test_strange_and_unfinished_files_are_moved_aside(store: Path) -> None:
    (folder,) = {path.parent for path in (store / "seg").rglob("*.jsonl")}
    (folder / "notes.txt").write_text("mine")
    (folder / ".tmp-12-ab").write_text("half")
    (store / "seg" / "stray").mkdir()
    (store / "spool").rmdir()
    store.chmod(0o755)
    assert {problem.path.split("/")[-1] for problem in examine(store).problems} == {
        "notes.txt",
        "stray",
        "spool",
        ".",
    }
    assert repair(store, ADA).sound
    assert stat.S_IMODE(store.stat().st_mode) == 0o700
    kept = [each.read_text() for each, _ in Quarantine(store).contents() if each.is_file()]
    assert sorted(kept) == ["half", "mine"]


def test_a_newer_store_is_not_repaired(store: Path) -> None:
    (store / "format.json").write_text('{"format":9}')
    assert not examine(store).sound
    before = ids(store)
    with pytest.raises(NewerStoreError):
        repair(store, ADA)
    assert ids(store) == before


def test_a_backup_restores_everything_into_an_empty_place(store: Path, tmp_path: Path) -> None:
    FileJournal(store, ADA).quarantine(b"odd bytes", "for the test")
    made = backup(store, tmp_path / "one.cortex")
    assert (made.segments, made.records) == (6, 12)
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    report = restore(made.path, tmp_path / "fresh", ADA)
    assert (report.segments, report.records, report.problems) == (6, 12, ())
    assert ids(tmp_path / "fresh") == ids(store)
    assert examine(tmp_path / "fresh").sound
    assert (tmp_path / "fresh" / "writer").read_bytes() != (store / "writer").read_bytes()
    assert b"odd bytes" in {each.read_bytes() for each, _ in Quarantine(tmp_path / "fresh").contents()}
    private = {record.id for record in FileJournal(store, ADA).records() if record.private}
    assert {r.id for r in FileJournal(tmp_path / "fresh", ADA).records() if r.private} == private


def test_a_restore_unites_and_overwrites_nothing(store: Path, tmp_path: Path) -> None:
    made = backup(store, tmp_path / "one.cortex")
    journal = FileJournal(store, ADA)
    current = next(journal.view().of_kind("correction"))
    journal.edit(current.m, Correction(before="since the backup"))
    gone = list(journal.view().of_kind("correction"))[1]
    journal.delete(gone.m)
    before, present = ids(store), {path: path.read_bytes() for path in files(store)}
    report = restore(made.path, store, ADA)
    assert (report.records, report.present) == (0, 4)
    assert ids(store) == before
    assert {path: path.read_bytes() for path in present} == present
    view = FileJournal(store, ADA).view()
    assert view.current(gone.m) is None
    edited = view.current(current.m)
    assert edited is not None and edited.body["before"] == "since the backup"
    assert FileJournal(store, ADA).put(Correction(before="later")).t > max(r.t for r in view.of_kind())


def test_a_damaged_segment_is_not_overwritten_by_a_restore(store: Path, tmp_path: Path) -> None:
    made = backup(store, tmp_path / "one.cortex")
    path = files(store)[0]
    path.write_bytes(b"damaged\n")
    report = restore(made.path, store, ADA)
    assert path.read_bytes() == b"damaged\n" and "not overwritten" in report.problems[0].reason
    assert repair(store, ADA).sound
    assert restore(made.path, store, ADA).records > 0
    assert len(ids(store)) == 12


def test_a_backup_keeps_even_what_is_damaged(store: Path, tmp_path: Path) -> None:
    path = next(path for path in files(store) if path.parent.name != "wal")
    data = path.read_bytes().replace(b'"v":1', b'"v":2', 1)
    path.write_bytes(data)
    report = restore(backup(store, tmp_path / "b").path, tmp_path / "fresh", ADA)
    assert ids(tmp_path / "fresh") == ids(store) and len(report.problems) == 1
    assert data in {each.read_bytes() for each, _ in Quarantine(tmp_path / "fresh").contents()}


def test_a_backup_replaces_no_file_and_leaves_none_behind(store: Path, tmp_path: Path) -> None:
    target = tmp_path / "there"
    target.write_text("mine")
    with pytest.raises(UsageError, match="there already"):
        backup(store, target)
    assert target.read_text() == "mine"
    with pytest.raises(PlaceError):
        backup(store, tmp_path / "no" / "folder")
    with pytest.raises(PlaceError):
        backup(tmp_path / "no store", tmp_path / "b")
    with pytest.raises(PlaceError):
        verify(tmp_path / "no file")
    assert {path.name for path in tmp_path.iterdir()} >= {"cortex", "there"}
    assert not list(tmp_path.glob(".tmp-*"))


def test_a_damaged_backup_is_refused_before_anything_is_written(
    store: Path, tmp_path: Path, seed: int, tell: Callable[[str], None]
) -> None:
    made = backup(store, tmp_path / "one.cortex")
    chance = random.Random(seed)
    data = made.path.read_bytes()
    refused = 0
    count = 150
    for number in range(count):
        broken = bytearray(data)
        if number % 3 == 0:
            del broken[chance.randrange(len(broken)) :]
        else:
            broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
        path = tmp_path / "broken"
        path.write_bytes(broken)
        try:
            found = verify(path)
        except (
            DamagedError,
            NewerStoreError,
        ) as error:  # a bit of the format's number makes a newer one of it
            refused += 1
            with pytest.raises(type(error)):
                restore(path, tmp_path / "fresh", ADA)
            assert not (tmp_path / "fresh").exists()
        else:
            assert found.records == 12  # a bit that means nothing, such as the time in the gzip header
    tell(f"damaged backups: {refused} of {count} refused, the others whole (CORTEX_SEED={seed})")
    assert refused > count * 0.8


def test_a_hostile_backup_writes_nothing_outside(store: Path, tmp_path: Path) -> None:
    def make(members: list[tuple[str, bytes]], manifest: object | None = None) -> Path:
        import hashlib
        import io

        path = tmp_path / "evil"
        with tarfile.open(path, "w:gz") as archive:
            listed = {name: [len(data), hashlib.sha256(data).hexdigest()] for name, data in members}
            said = json.dumps(manifest if manifest is not None else {"format": 1, "files": listed})
            for name, data in [*members, ("manifest.json", said.encode())]:
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        return path

    before = set(tmp_path.rglob("*"))
    evil = make([("../../canary", b"x"), ("/etc/canary", b"x"), ("writer", b"ab" * 16), ("spool/x", b"y")])
    restore(evil, store, ADA)
    assert set(tmp_path.rglob("*")) - before <= {evil, store / "holder"}
    assert FileJournal(store, ADA).writer != "ab" * 16
    with pytest.raises(NewerStoreError):
        restore(make([], {"format": 2, "files": {}}), store, ADA)
    for manifest in ([], {}, {"format": 1}, {"format": 1, "files": {"a": 1}}):
        with pytest.raises(CortexError):
            restore(make([], manifest), store, ADA)


def put_in_place_of(path: Path, what: str) -> None:
    """Something that is no file, by the name of one: the file, if it was there, is beside it."""
    if path.exists():
        path.rename(path.with_name(f"aside-{path.name}"))
    if what == "folder":
        path.mkdir()
        (path / "thing").write_text("somebody's\n")
    elif what == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/nowhere")


@pytest.mark.parametrize("what", ["folder", "pipe", "link"])
@pytest.mark.parametrize(
    "name", ["format.json", "writer", "clock", "holder", "index/rebuild", "index/manifest.json"]
)
def test_what_stands_in_the_place_of_a_file_is_set_aside(store: Path, name: str, what: str) -> None:
    before = ids(store)
    put_in_place_of(store / name, what)
    assert [problem.path for problem in examine(store).problems] == [name]
    mended = repair(store, ADA)
    assert mended.sound, mended.problems
    assert any(line.startswith(f"quarantined {name}: it is a ") for line in mended.repaired)
    assert ids(store) == before
    aside = [path for path, why in Quarantine(store).contents() if name in why.reason]
    assert [os.path.lexists(path) for path in aside] == [True]
    assert what != "folder" or (aside[0] / "thing").read_text() == "somebody's\n"
    FileJournal(store, ADA).put(Correction(before="after"))
    assert examine(store).sound


@pytest.mark.parametrize("what", ["folder", "pipe", "link"])
def test_what_stands_in_the_place_of_a_log_or_a_segment_is_set_aside(store: Path, what: str) -> None:
    for path in files(store):
        put_in_place_of(path, what)
    assert len(examine(store).problems) >= 6
    mended = repair(store, ADA)
    # The files that were moved beside them have no name of the format: they are kept in quarantine.
    assert mended.sound and sum("where a file belongs" in line for line in mended.repaired) == 6
    for moved in (store / "wal").glob("aside-*"):
        assert moved.stat().st_size
    FileJournal(store, ADA).put(Correction(before="after"))
    assert len(ids(store)) == 1


@pytest.mark.parametrize("name", ["wal", "seg", "private", "quarantine", "spool", "index", "hooks"])
@pytest.mark.parametrize("what", ["file", "pipe"])
def test_what_stands_in_the_place_of_a_folder_is_set_aside(store: Path, name: str, what: str) -> None:
    if (store / name).exists():
        shutil.rmtree(store / name)
    if what == "pipe":
        os.mkfifo(store / name)
    else:
        (store / name).write_text("somebody's\n")
    assert name in [problem.path for problem in examine(store).problems]
    mended = repair(store, ADA)
    assert mended.sound, mended.problems
    assert what == "pipe" or b"somebody's" in all_bytes(store / "quarantine")
    FileJournal(store, ADA).put(Correction(before="after"))
    assert examine(store).sound


@pytest.mark.parametrize("what", ["folder", "pipe"])
@pytest.mark.parametrize("ending", [".bytes", ".json", ".moved"])
def test_what_stands_in_the_place_of_a_finding_is_set_aside(store: Path, ending: str, what: str) -> None:
    flip(files(store)[0], random.Random(1))
    repair(store, ADA)
    Quarantine(store).keep(b"more", Problem("wal/x", 1, "damaged"))
    path = sorted((store / "quarantine").glob(f"*{ending}"))[0]
    path.unlink()
    put_in_place_of(path, what)
    assert [each.path for each in examine(store).problems] == [f"quarantine/{path.name}"]
    mended = repair(store, ADA)
    assert mended.sound, mended.problems


def test_a_journal_without_its_writer_is_damaged_and_not_unknown(repo: Path) -> None:
    place = find(repo)
    with pytest.raises(PlaceError, match="does not know"):
        place.require_store()
    create(place.store)
    FileJournal(place.store, ADA).put(Correction(before="a"))
    writer = place.store / "writer"
    for put in (lambda: None, writer.mkdir, lambda: os.mkfifo(writer)):
        if writer.is_dir():
            writer.rmdir()
        else:
            writer.unlink(missing_ok=True)
        put()
        with pytest.raises(DamagedError) as said:
            place.require_store()
        assert "doctor --repair" in said.value.hint and "writer" in said.value.message
        if os.path.lexists(writer):
            with pytest.raises(DamagedError, match="writer is no file"):
                FileJournal(place.store, ADA)
    assert repair(place.store, ADA).sound
    assert place.require_store() == place.store and len(ids(place.store)) == 1


def test_what_a_repair_cannot_write_is_named(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (store / "format.json").unlink()

    class Full(System):
        def write(self, fd: int, data: bytes | memoryview) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(NotWrittenError, match=r"cannot write .*/cortex/.+: No space left"):
        repair(store, ADA, Full())


@pytest.mark.parametrize("what", ["folder", "pipe"])
@pytest.mark.parametrize("name", ["hooks/run", "hooks/folders.json", "config.toml", "ignore", "spool"])
def test_the_doctor_waits_for_no_pipe_and_mends_what_is_no_file(
    repo: Path, name: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORTEX_NO_DAEMON", "1")
    place = find(repo)

    def cortex(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cortex", *arguments]
        return subprocess.run(command, cwd=repo, capture_output=True, text=True, timeout=60)

    assert cortex("init", "--no-history").returncode == 0
    if name == "spool":
        (place.store / name).rmdir()
        what = "pipe"  # a folder belongs there
    else:
        (place.store / name).unlink()
    put_in_place_of(place.store / name, what)
    said = cortex("doctor")
    assert said.returncode == 4 and f"  {name}: " in said.stdout, said.stdout
    assert cortex("status").returncode == 0
    said = cortex("doctor", "--repair")
    assert f"  {name}: " not in said.stdout and Quarantine(place.store).contents()
    assert checkup.faults(place) == [] and examine(place.store).sound
