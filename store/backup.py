"""Backup to one verified file, and restore by union: what is there is never overwritten."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..repo.errors import DamagedError, PlaceError, UsageError
from . import layout, segments, wal
from .blobs import Blobs
from .durable import SYSTEM, TEMPORARY, System, names, read, refused, sync_folder
from .journal import FileJournal, create
from .quarantine import FOLDER as QUARANTINE
from .quarantine import Problem
from .record import DamagedLine, Record, from_line

MANIFEST = "manifest.json"
FORMAT = 1
MAX_MEMBER = 256 * 1024 * 1024  # bytes

_LOG = re.compile(r"wal/(?P<writer>[0-9a-f]{32})(?P<private>\.private)?\.jsonl\Z")
#: Generated code, newest first, up to so many bytes in all; what is older is left out, and counted.
MAX_CODE = 512 * 1024 * 1024
_AT_ONCE = 16 * 1024 * 1024

_CODE = re.compile(r"code/(?P<hour>[0-9]{10}(?:-[0-9a-f]{1,8})?)/(?P<oid>[0-9a-f]{40})\Z")
_KEPT = re.compile(r"quarantine/[0-9a-f]{32}\.bytes\Z")


@dataclass(frozen=True)
class BackupReport:
    """What a backup holds, or what a restore added; `present` segments were there already.

    `code` counts pieces of generated code, `left_out` those that were too much for one backup.
    """

    path: Path
    segments: int
    records: int
    bytes: int
    present: int = 0
    code: int = 0
    left_out: int = 0
    problems: tuple[Problem, ...] = ()


def backup(
    store: Path, target: Path, system: System = SYSTEM, *, code: Blobs | None = None, most: int = MAX_CODE
) -> BackupReport:
    """Write all records and all quarantined bytes to one file, read it back and compare. Takes no lock.

    With `code` the generated code that is kept goes with them, up to `most` bytes of it.
    The file is whole or absent, and for its owner's eyes: private records are in it. Raises `UsageError`
    when `target` exists, `NotWrittenError`, and `DamagedError` when it does not read back as it was written.
    """
    layout.read_writer(store, system)
    temporary = target.with_name(f"{TEMPORARY}{os.urandom(4).hex()}-{target.name}")
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(fd, "wb") as file:
                left_out = _write(store, file, system, code, most)
                file.flush()
                system.sync(file.fileno())
            report = verify(temporary)
            os.link(temporary, target)  # unlike a rename, this refuses to replace
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(system, target.parent)
    except FileExistsError:
        raise UsageError(
            f"{target} is there already", "Name a new file: a backup replaces nothing."
        ) from None
    except OSError as error:
        raise refused(error, target) from error
    return BackupReport(
        target, report.segments, report.records, report.bytes, code=report.code, left_out=left_out
    )


def verify(source: Path) -> BackupReport:
    """Check each byte of a backup against its manifest. Raises `DamagedError`, `PlaceError`."""
    counts: dict[str, tuple[int, str]] = {}
    manifest: dict[str, tuple[int, str]] | None = None
    files, size, code = 0, 0, 0
    ids: set[str] = set()
    for path, data in _read(source):
        if path == MANIFEST:
            manifest = _manifest(data, source)
            continue
        counts[path] = (len(data), hashlib.sha256(data).hexdigest())
        size += len(data)
        code += _CODE.match(path) is not None
        if (owner := _owner(path)) is not None:
            files += 1
            ids |= {record.id for _, record in _records(data, owner.private)}
    if manifest is None:
        raise DamagedError(f"{source} ends before its manifest", "Use another backup.")
    if manifest != counts:
        wrong = sorted(
            path for path in manifest.keys() | counts.keys() if manifest.get(path) != counts.get(path)
        )
        raise DamagedError(
            f"{source} is damaged: {wrong[0]} is not what was backed up", "Use another backup."
        )
    return BackupReport(source, files, len(ids), size, code=code)


def restore(
    source: Path, store: Path, author: str = "", system: System = SYSTEM, *, code: Blobs | None = None
) -> BackupReport:
    """Unite a backup with the store at `store`, which is made where there is none.

    The whole backup is checked before anything is written. What is there stays as it is; open logs of the
    backup become segments. With `code` its generated code is kept again, until its
    time is over. Raises `DamagedError`, `PlaceError`, `NotWrittenError`, `NewerStoreError`.
    """
    checked = verify(source)
    create(store, system)
    journal = FileJournal(store, author, system=system)
    known = {record.id for record in journal.records()}
    before = len(known)
    problems: list[Problem] = []
    added = present = blobs = 0
    waiting = _Waiting(code)
    for path, data in _read(source):
        if code is not None and (match := _CODE.match(path)):
            blobs += waiting.add(match["hour"], match["oid"], data)
            continue
        owner, segment = _owner(path), segments.parse(path)
        if owner is None:
            if _KEPT.match(path):
                journal.quarantine(data, "restored from the quarantine in a backup", path)
            continue
        records = _records(data, owner.private)
        latest = max((record.t for _, record in records), default=0)
        if segment is not None and segment.fits(data):
            if journal.take([(segment, data)], latest):
                added += 1
            else:
                present += 1
                if read(system, store / path) != data:
                    problems.append(
                        Problem(path, 0, "damaged here, and not overwritten: run `cortex doctor`")
                    )
            known |= {record.id for _, record in records}
            continue
        # An open log, or a segment that was damaged already when it was backed up: line by line.
        if len(records) < sum(1 for _ in wal.lines(data)):
            journal.quarantine(data, "some of its lines are damaged in the backup", path)
            problems.append(Problem(path, 0, "some of its lines are damaged in the backup"))
        fresh = [(line, record) for line, record in records if record.id not in known]
        for group in segments.cut(line for line, _ in fresh):
            text = b"\n".join(group) + b"\n"
            place = segments.Shelf(store, system).next(owner.private, owner.writer, fresh[0][1].t, text)
            added += journal.take([(place, text)], latest)
        known |= {record.id for _, record in fresh}
    blobs += waiting.flush()
    FileJournal(store, author, system=system).recount()
    return BackupReport(
        source, added, len(known) - before, checked.bytes, present, blobs, problems=tuple(problems)
    )


class _Waiting:
    """Code on its way back: held hour by hour, and never much of it in memory."""

    def __init__(self, code: Blobs | None) -> None:
        self._code = code
        self._hour = ""
        self._contents: dict[str, bytes] = {}

    def add(self, hour: str, oid: str, data: bytes) -> int:
        """Take one blob up; returns how many were brought back by that."""
        full = sum(map(len, self._contents.values())) > _AT_ONCE
        done = self.flush() if full or hour != self._hour else 0
        self._hour = hour
        self._contents[oid] = data
        return done

    def flush(self) -> int:
        """Hold what waits."""
        contents, self._contents = self._contents, {}
        return self._code.bring_back(self._hour, contents) if self._code is not None and contents else 0


def _write(store: Path, file: io.BufferedWriter, system: System, code: Blobs | None, most: int) -> int:
    """Returns how many pieces of code were too much."""
    left_out = 0
    manifest: dict[str, list[object]] = {}
    with tarfile.open(fileobj=file, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        # The logs before the segments, as a reader does: a seal between the two loses nothing.
        for path in _paths(store, system):
            data = read(system, store / path)
            manifest[path] = [len(data), hashlib.sha256(data).hexdigest()]
            _add(archive, path, data)
        for hour, oid in code.kept() if code is not None else ():
            held = code.read(oid) if code is not None else None
            if held is None or len(held) > most:
                left_out += 1
                continue
            most -= len(held)
            manifest[f"code/{hour}/{oid}"] = [len(held), hashlib.sha256(held).hexdigest()]
            _add(archive, f"code/{hour}/{oid}", held)
        said = json.dumps({"format": FORMAT, "files": manifest}, sort_keys=True, indent=1)
        _add(archive, MANIFEST, said.encode() + b"\n")
    return left_out


def _paths(store: Path, system: System) -> Iterator[str]:
    for log in wal.logs(store, system):
        yield f"{wal.FOLDER}/{log.name}"
    for segment in segments.Shelf(store, system).listing():
        yield segment.path
    for name in names(system, store / QUARANTINE):
        if _KEPT.match(path := f"{QUARANTINE}/{name}"):
            yield path


def _add(archive: tarfile.TarFile, path: str, data: bytes) -> None:
    member = tarfile.TarInfo(path)
    member.size, member.mode = len(data), 0o600
    archive.addfile(member, io.BytesIO(data))


def _read(source: Path) -> Iterator[tuple[str, bytes]]:
    """The files of a backup with their paths; nothing is ever unpacked by name."""
    try:
        with tarfile.open(source, mode="r|gz") as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isreg() else None
                if file is None or member.size > MAX_MEMBER:
                    raise DamagedError(f"{source} holds what no backup holds: {member.name[:80]!r}")
                yield member.name, file.read()
    except (tarfile.TarError, EOFError, zlib.error, ValueError) as error:
        raise DamagedError(f"{source} is no whole backup: {error}", "Use another backup.") from error
    except OSError as error:
        if error.errno is None:  # gzip's own way of saying so
            raise DamagedError(f"{source} is no whole backup: {error}", "Use another backup.") from error
        raise PlaceError(f"cannot read {source}: {error.strerror}") from error


def _manifest(data: bytes, source: Path) -> dict[str, tuple[int, str]]:
    try:
        said = json.loads(data)
        if int(said["format"]) > FORMAT:
            raise layout.NewerStoreError(f"{source} was made by a newer version", "Update Cortex.")
        return {str(path): (int(size), str(hashed)) for path, (size, hashed) in said["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise DamagedError(f"the manifest of {source} cannot be read", "Use another backup.") from error


def _owner(path: str) -> wal.Log | None:
    """Whose records a file of a backup holds; None when it holds none."""
    if match := _LOG.match(path):
        return wal.Log(match["writer"], match["private"] is not None)
    segment = segments.parse(path)
    return wal.Log(segment.writer, segment.private) if segment else None


def _records(data: bytes, private: bool) -> list[tuple[bytes, Record]]:
    found = []
    for _, line in wal.lines(data):
        try:
            found.append((line, from_line(line, private)))
        except DamagedLine:
            continue
    return found
