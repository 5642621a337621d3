"""The store's doctor: checks every checksum, and mends by quarantine, never by deleting."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import stat
import time
from dataclasses import dataclass, replace
from pathlib import Path

from ..repo.errors import BusyError, CortexError, DamagedError, PlaceError
from . import codefiles, layout, segments, wal, writers
from .blobs import stale_locks
from .bulk import files
from .derived import REBUILD, faults
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
from .fold import View
from .journal import FileJournal, wall_ms
from .lock import writer_lock
from .misplaced import is_file, misplaced
from .quarantine import FOLDER as QUARANTINE
from .quarantine import Problem, Quarantine, note_of
from .reading import AHEAD
from .record import DamagedLine, Record, from_line
from .wording import count


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor saw: how much was checked, what is wrong, and what was done about it."""

    segments: int
    logs: int
    records: int
    bytes: int
    problems: tuple[Problem, ...]
    quarantined: int  # findings in quarantine
    conflicts: int  # memories with two sides
    repaired: tuple[str, ...] = ()
    ahead: int = 0  # records more than a day ahead of the clock: sound, and they wait for their time
    until: int = 0  # when the first of them counts, in ms

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def examine(store: Path, system: System = SYSTEM) -> Diagnosis:
    """Check every line's checksum and id, every segment's hash, and the store's files. Changes nothing."""
    odd = misplaced(store, system)
    problems: list[Problem] = [*_of_the_folder(store, system)]
    records: dict[str, Record] = {}
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
                record = from_line(line, private)
                records[record.id] = record
            except DamagedLine as error:
                problems.append(Problem(path, number, error.message))
    keeper = Quarantine(store, system)
    problems += [*keeper.faults(), *_of_the_index(store, system), *_of_the_refs(store)]
    named = {each.path for each in odd}
    problems = [*odd, *(each for each in problems if each.path not in named)]
    kept = len(keeper.contents())
    conflicts = len(View(records.values()).conflicts())
    now = wall_ms()
    late = [record.t for record in records.values() if record.t > now + AHEAD]
    return Diagnosis(
        *(len(listing), len(open_logs), len(records), size, tuple(problems), kept, conflicts),
        ahead=len(late),
        until=min(late, default=AHEAD) - AHEAD,
    )


def repair(store: Path, author: str = "", system: System = SYSTEM) -> Diagnosis:
    """Move what is damaged to the quarantine, seal its good lines anew, and have the index built anew.

    No byte is deleted. Raises `NewerStoreError`, `BusyError`, and `NotWrittenError` when the disk refuses.
    """
    done: list[str] = []
    try:
        with writer_lock(store, system=system):
            _set_aside_misplaced(store, system, done)
            _mend_quarantine(store, system, done)  # first of all: the others put things there
            _mend_format(store, system, done)
            layout.check_format(store, system)
            _mend_folders(store, system, done)
            _mend_segments(store, system, done)
            _set_aside_leftovers(store, system, done)
            for path in stale_locks(store.parent, time.time()):
                set_aside(store, path, "a lock that nobody holds", system)
                done.append(f"quarantined {path.relative_to(store.parent)}: a lock that nobody holds")
            for name, why in _derived(store / "index"):
                set_aside(store, store / "index" / name, why, system)
                done.append(f"quarantined index/{name}: it is derived, and made again")
            _ask_for_an_index(store, system)
            done.append("asked for a new index")
        # The next reading finds out where the clock stands from the records themselves, then notes it.
        layout.forget_clock(store, system)
        FileJournal(store, author, system=system).seal()
    except OSError as error:
        raise refused(error, Path(error.filename or store)) from error
    after = examine(store, system)
    return replace(after, repaired=tuple(done))


def _of_the_folder(store: Path, system: System) -> list[Problem]:
    found = []
    try:
        layout.check_format(store, system)
        if why := _format_fault(store, system):
            found.append(Problem(layout.FORMAT_FILE, 0, why))
    except CortexError as error:
        found.append(Problem(layout.FORMAT_FILE, 0, error.message))
    if why := writers.fault(store, system)[0]:
        found.append(Problem(layout.WRITER, 0, why))
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


def _format_fault(store: Path, system: System) -> str:
    """What is wrong with a `format.json` that has a number which we know."""
    path = store / layout.FORMAT_FILE
    if not exists(system, path):
        return "is missing"
    more = json.loads(read(system, path)).keys() - {"format", "crc"}
    return f"format {layout.FORMAT} has no {sorted(more)[0]!r}" if more else ""


def _of_the_index(store: Path, system: System) -> list[Problem]:
    """Derived files that are not what their manifest says, unless somebody is at work on them."""
    folder = store / "index"
    if not names(system, folder):
        return []
    try:
        with writer_lock(folder, timeout=2.0):
            return [
                Problem(f"index/{name}", 0, f"{why}; it is derived, and made again")
                for name, why in _derived(folder)
            ]
    except (BusyError, PlaceError):
        return []


def _derived(folder: Path) -> list[tuple[str, str]]:
    """What is wrong in a folder of derived files, with what was read of the code, and the graph of each work tree."""
    found = faults(folder)
    found += [(f"{files.FOLDER}/{name}", why) for name, why in files.faults(folder / files.FOLDER)]
    found += [(f"{layout.CODE}/{name}", why) for name, why in codefiles.faults(folder / layout.CODE)]
    for tree in sorted(folder.glob(f"{layout.TREES}/*")):
        found += [(f"{layout.TREES}/{tree.name}/{name}", why) for name, why in faults(tree)]
    return found


def _of_the_refs(store: Path) -> list[Problem]:
    common = store.parent
    return [
        Problem(str(path.relative_to(common)), 0, "a lock that nobody holds; its owner died")
        for path in stale_locks(common, time.time())
    ]


def _open_to_others(store: Path) -> bool:
    try:
        return bool(stat.S_IMODE(store.stat().st_mode) & 0o077)
    except OSError:
        return False


def _set_aside_misplaced(store: Path, system: System, done: list[str]) -> None:
    """Whatever has the place of a file or folder and is none is renamed: what belongs there is then made anew."""
    for problem in misplaced(store, system):
        path = store / problem.path
        if problem.path == QUARANTINE:
            # There is nowhere to move it yet: under another name until its place has a folder.
            path = store / f"{TEMPORARY}{os.urandom(6).hex()}"
            retry(lambda: system.replace(store / QUARANTINE, path))  # noqa: B023 - called at once
        set_aside(store, path, f"{problem.path} {problem.reason}", system)
        done.append(f"quarantined {problem.path}: it {problem.reason}")


def _mend_format(store: Path, system: System, done: list[str]) -> None:
    path = store / layout.FORMAT_FILE
    try:
        layout.check_format(store, system)
        why = _format_fault(store, system)
        if not why:
            return
        if exists(system, path):
            Quarantine(store, system).keep(read(system, path), Problem(layout.FORMAT_FILE, 0, why))
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
    why, mended = writers.fault(store, system)
    if why:
        path = store / layout.WRITER
        if exists(system, path):
            Quarantine(store, system).keep(read(system, path), Problem(layout.WRITER, 0, why))
        write_file(system, path, (mended or secrets.token_hex(16)).encode() + b"\n")
        done.append(f"wrote the writer id {mended} again" if mended else "gave this clone a new writer id")


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
        set_aside(store, store / segment.path, system=system)
        done.append(
            f"quarantined {segment.path}: {count(len(good), 'record')} kept, "
            f"{count(len(bad), 'line')} damaged"
        )
    for path in shelf.strangers():
        set_aside(store, store / path, system=system)
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
                set_aside(store, folder / name, system=system)
                done.append(f"quarantined {(folder / name).relative_to(store)}: never finished")


def _mend_quarantine(store: Path, system: System, done: list[str]) -> None:
    """What changed in the quarantine itself keeps its bytes, under a name and with a note that fit them."""
    keeper = Quarantine(store, system)
    for problem in keeper.faults():
        path = store / problem.path
        if path.suffix == ".moved" and is_file(path, system):
            data = read(system, path)
            was = Problem(problem.path, 0, "it changed after the doctor had moved it here")
            note = note_of(was, len(data), hashlib.sha256(data).hexdigest())
            write_file(system, path.with_suffix(".json"), note)
        else:
            set_aside(store, path, problem.reason, system)
            left = [path.with_suffix(ending) for ending in (".bytes", ".moved")]
            for each in left if path.suffix == ".json" else ():
                if exists(system, each):
                    lost = Problem("", 0, "the note of where it was is damaged, and in quarantine too")
                    write_file(system, path, note_of(lost, 0))
        done.append(f"put {problem.path} in order: {problem.reason}")


def set_aside(store: Path, path: Path, reason: str = "moved by the doctor", system: System = SYSTEM) -> None:
    """Rename a file or a folder into the quarantine, with a note of where it was. Raises `OSError`."""
    folder = store / QUARANTINE
    make_folder(system, folder, store)
    target = folder / f"{time.time_ns()}-{os.urandom(4).hex()}.moved"
    data = read(system, path) if (plain := is_file(path, system)) else b""
    was = Problem(os.path.relpath(path, store), 0, reason)
    hashed = hashlib.sha256(data).hexdigest() if plain else ""
    write_file(system, target.with_suffix(".json"), note_of(was, len(data), hashed))
    retry(lambda: system.replace(path, target))
    sync_folder(system, folder)
    sync_folder(system, path.parent)


def _ask_for_an_index(store: Path, system: System) -> None:
    make_folder(system, store / "index", store)
    write_file(system, store / "index" / REBUILD, b"")
