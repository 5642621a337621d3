"""The store's doctor: checks every checksum, and mends by quarantine, never by deleting."""

from __future__ import annotations

import json
import os
import secrets
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from ..repo.errors import CortexError, DamagedError
from . import layout, segments, wal
from .derived import REBUILD
from .durable import (
    SYSTEM,
    TEMPORARY,
    System,
    exists,
    make_folder,
    names,
    read,
    refused,
    retry,
    sync_folder,
    write_file,
)
from .journal import FileJournal
from .lock import writer_lock
from .quarantine import FOLDER as QUARANTINE
from .quarantine import Problem, Quarantine
from .record import DamagedLine, from_line


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor saw: how much was checked, what is wrong, and what was done about it."""

    segments: int
    logs: int
    records: int
    bytes: int
    problems: tuple[Problem, ...]
    quarantined: int  # findings in quarantine
    repaired: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def examine(store: Path, system: System = SYSTEM) -> Diagnosis:
    """Check every line's checksum and id, every segment's hash, and the store's files. Changes nothing."""
    problems: list[Problem] = [*_of_the_folder(store, system)]
    ids: set[str] = set()
    size = 0
    shelf = segments.Shelf(store, system)
    listing, open_logs = shelf.listing(), wal.logs(store, system)
    problems += [Problem(path, 0, "not a name of the format") for path in shelf.strangers()]
    for path, private, segment in [
        *((each.path, each.private, each) for each in listing),
        *((f"{wal.FOLDER}/{each.name}", each.private, None) for each in open_logs),
    ]:
        try:
            data = read(system, store / path)
        except OSError as error:
            problems.append(Problem(path, 0, f"cannot be read: {error.strerror}"))
            continue
        size += len(data)
        if segment is not None and not segment.fits(data):
            problems.append(Problem(path, 0, "its content is not what its name says"))
        for number, line in wal.lines(data):
            try:
                ids.add(from_line(line, private).id)
            except DamagedLine as error:
                problems.append(Problem(path, number, error.message))
    kept = len(Quarantine(store, system).contents())
    return Diagnosis(len(listing), len(open_logs), len(ids), size, tuple(problems), kept)


def repair(store: Path, author: str = "", system: System = SYSTEM) -> Diagnosis:
    """Move what is damaged to the quarantine, seal its good lines anew, and have the index built anew.

    No byte is deleted. Raises `NewerStoreError`, `BusyError`, and `NotWrittenError` when the disk refuses.
    """
    done: list[str] = []
    try:
        with writer_lock(store, system=system):
            _mend_format(store, system, done)
            layout.check_format(store, system)
            _mend_folders(store, system, done)
            _mend_segments(store, system, done)
            _set_aside_leftovers(store, system, done)
            _ask_for_an_index(store, system)
            done.append("asked for a new index")
        # The next reading finds out where the clock stands from the records themselves, then notes it.
        layout.forget_clock(store, system)
        FileJournal(store, author, system=system).seal()
    except OSError as error:
        raise refused(error, store) from error
    after = examine(store, system)
    return Diagnosis(
        after.segments, after.logs, after.records, after.bytes, after.problems, after.quarantined, tuple(done)
    )


def _of_the_folder(store: Path, system: System) -> list[Problem]:
    found = []
    for check, name in ((layout.check_format, layout.FORMAT_FILE), (layout.read_writer, layout.WRITER)):
        try:
            check(store, system)
        except CortexError as error:
            found.append(Problem(name, 0, error.message))
    if not exists(system, store / layout.FORMAT_FILE):
        found.append(Problem(layout.FORMAT_FILE, 0, "is missing"))
    if layout.read_clock(store, system) is None:
        found.append(Problem(layout.CLOCK, 0, "is missing or damaged"))
    found += [
        Problem(name, 0, "the folder is missing")
        for name in layout.FOLDERS
        if not exists(system, store / name)
    ]
    if _open_to_others(store):
        found.append(Problem(".", 0, "other people of this machine can read the store"))
    return found


def _open_to_others(store: Path) -> bool:
    try:
        return bool(stat.S_IMODE(store.stat().st_mode) & 0o077)
    except OSError:
        return False


def _mend_format(store: Path, system: System, done: list[str]) -> None:
    path = store / layout.FORMAT_FILE
    try:
        layout.check_format(store, system)
        if exists(system, path):
            return
    except DamagedError as error:
        Quarantine(store, system).keep(read(system, path), Problem(layout.FORMAT_FILE, 0, error.message))
    write_file(system, path, layout.FORMAT_BYTES)
    done.append(f"wrote {layout.FORMAT_FILE} anew")


def _mend_folders(store: Path, system: System, done: list[str]) -> None:
    for name in layout.FOLDERS:
        if not exists(system, store / name):
            make_folder(system, store / name, store)
            done.append(f"made the folder {name}")
    if _open_to_others(store):
        store.chmod(0o700)
        done.append("closed the store to other people")
    try:
        layout.read_writer(store, system)
    except CortexError as error:
        path = store / layout.WRITER
        if exists(system, path):
            Quarantine(store, system).keep(read(system, path), Problem(layout.WRITER, 0, error.message))
        write_file(system, path, secrets.token_hex(16).encode() + b"\n")
        done.append("gave this clone a new writer id")


def _mend_segments(store: Path, system: System, done: list[str]) -> None:
    shelf = segments.Shelf(store, system)
    keeper = Quarantine(store, system)
    for segment in shelf.listing():
        data = read(system, store / segment.path)
        good, bad = _sort(data, segment.private)
        if segment.fits(data) and not bad:
            continue
        # Its whole content first, then its good lines, and only then its name: at each step nothing is lost.
        keeper.keep(
            data, Problem(segment.path, 0, "its content is not what its name says, or a line is damaged")
        )
        if good:
            shelf.add(segment.private, segment.writer, from_line(good[0], segment.private).t, b"".join(good))
        _move_aside(store, store / segment.path, system)
        done.append(f"quarantined {segment.path}: {len(good)} records kept, {len(bad)} lines damaged")
    for path in shelf.strangers():
        _move_aside(store, store / path, system)
        done.append(f"quarantined {path}: not a name of the format")


def _sort(data: bytes, private: bool) -> tuple[list[bytes], list[int]]:
    good: list[bytes] = []
    bad: list[int] = []
    for number, line in wal.lines(data):
        try:
            from_line(line, private)
            good.append(line + b"\n")
        except DamagedLine:
            bad.append(number)
    return good, bad


def _set_aside_leftovers(store: Path, system: System, done: list[str]) -> None:
    """Files under construction whose maker died: nobody holds the lock, so nobody is making them."""
    folders = [store, *(store / name for name in (wal.FOLDER, QUARANTINE))]
    for top in (segments.SHARED, segments.PRIVATE):
        for writer in names(system, store / top):
            folders.append(store / top / writer)
            folders += [store / top / writer / month for month in names(system, store / top / writer)]
    for folder in folders:
        try:
            inside = system.listdir(folder)
        except (FileNotFoundError, NotADirectoryError):
            continue
        for name in inside:
            if name.startswith(TEMPORARY):
                _move_aside(store, folder / name, system)
                done.append(f"quarantined {(folder / name).relative_to(store)}: never finished")


def _move_aside(store: Path, path: Path, system: System) -> None:
    """Rename a file or a folder into the quarantine, with a note of where it was."""
    folder = store / QUARANTINE
    make_folder(system, folder, store)
    target = folder / f"{time.time_ns()}-{os.urandom(4).hex()}.moved"
    was = {"bytes": 0, "line": 0, "path": str(path.relative_to(store)), "reason": "moved by the doctor"}
    write_file(system, target.with_suffix(".json"), json.dumps(was, sort_keys=True).encode() + b"\n")
    retry(lambda: system.replace(path, target))
    sync_folder(system, folder)
    sync_folder(system, path.parent)


def _ask_for_an_index(store: Path, system: System) -> None:
    make_folder(system, store / "index", store)
    write_file(system, store / "index" / REBUILD, b"")
