"""Sealed segments: immutable files whose name says who wrote them, when, in what order, and their hash."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .durable import SYSTEM, System, exists, make_folder, names, sync_path, write_file

SHARED = "seg"
PRIVATE = "private"
#: Below what a pull accepts, so that no store makes a segment that another one refuses.
TARGET = 1024 * 1024

WRITER = re.compile(r"[0-9a-f]{32}\Z")
MONTH = re.compile(r"[0-9]{6}\Z")
NAME = re.compile(r"(?P<seq>[0-9]{8})-(?P<hash>[0-9a-f]{16})\.jsonl\Z")
MAX_SEQUENCE = 99_999_999
_LAST_MS = 253_402_300_799_000  # the end of year 9999


@dataclass(frozen=True)
class Segment:
    """Where one segment lies: `name` is `<seq>-<first 16 digits of its SHA-256>.jsonl`."""

    private: bool
    writer: str
    month: str
    name: str

    @property
    def path(self) -> str:
        """The path below the store's folder, which is its path in the shared branch too."""
        return f"{PRIVATE if self.private else SHARED}/{self.writer}/{self.month}/{self.name}"

    def fits(self, data: bytes) -> bool:
        """Whether these bytes are what the name promises."""
        return self.name[9:25] == digest(data)


def digest(data: bytes) -> str:
    """The part of the SHA-256 that stands in a segment's name."""
    return hashlib.sha256(data).hexdigest()[:16]


def parse(path: str) -> Segment | None:
    """The segment of a path below the store's folder; None for any other path."""
    parts = path.split("/")
    if len(parts) != 4 or parts[0] not in {SHARED, PRIVATE}:
        return None
    _, writer, month, name = parts
    if WRITER.match(writer) and MONTH.match(month) and NAME.match(name):
        return Segment(parts[0] == PRIVATE, writer, month, name)
    return None


def month_of(t: int) -> str:
    """The UTC month of a time in ms, as yyyymm."""
    return time.strftime("%Y%m", time.gmtime(min(t, _LAST_MS) / 1000)).zfill(6)


def cut(lines: Iterable[bytes], target: int = TARGET) -> Iterator[list[bytes]]:
    """Lines in groups of at most `target` bytes with their ends, at least one line in each."""
    group: list[bytes] = []
    size = 0
    for line in lines:
        if group and size + len(line) + 1 > target:
            yield group
            group, size = [], 0
        group.append(line)
        size += len(line) + 1
    if group:
        yield group


class Shelf:
    """The segments of a store on disk. Listing again costs a look at each folder's time, not at its names."""

    def __init__(self, store: Path, system: System = SYSTEM) -> None:
        self._store = store
        self._system = system
        self._folders: dict[Path, tuple[int, int, list[str]]] = {}
        self._months: dict[Path, tuple[list[str], list[Segment]]] = {}  # what was made of their names

    def listing(self) -> list[Segment]:
        """All segments, shared and private."""
        return [each for month in self.by_month() for each in month]

    def by_month(self) -> list[list[Segment]]:
        """All segments by writer and month: the very same list for a month in which none came or went."""
        found = []
        for top, private in ((SHARED, False), (PRIVATE, True)):
            for writer in self._names(self._store / top):
                if not WRITER.match(writer):
                    continue
                folder = self._store / top / writer
                months = filter(MONTH.match, self._names(folder))
                found += [self._month(folder / month, private, writer, month) for month in months]
        return found

    def _month(self, folder: Path, private: bool, writer: str, month: str) -> list[Segment]:
        names = self._names(folder)
        known = self._months.get(folder)
        if known is None or known[0] != names:
            made = [Segment(private, writer, month, name) for name in names if NAME.match(name)]
            known = self._months[folder] = (names, made)
        return known[1]

    def strangers(self) -> list[str]:
        """Paths in the segments' folders that are none: below the store's folder, sorted."""
        odd = []
        for top in (SHARED, PRIVATE):
            for writer in names(self._system, self._store / top):
                if not WRITER.match(writer):
                    odd.append(f"{top}/{writer}")
                    continue
                for month in names(self._system, self._store / top / writer):
                    if not MONTH.match(month):
                        odd.append(f"{top}/{writer}/{month}")
                        continue
                    inside = names(self._system, self._store / top / writer / month)
                    odd += [f"{top}/{writer}/{month}/{name}" for name in inside if not NAME.match(name)]
        return odd

    def add(self, private: bool, writer: str, t: int, data: bytes) -> Segment:
        """Seal `data` as the next segment of a writer; durable when this returns. Raises `OSError`."""
        segment = self.next(private, writer, t, data)
        self.put(segment, data)
        return segment

    def next(self, private: bool, writer: str, t: int, data: bytes) -> Segment:
        """Where `data` goes: the next number of this writer, or the segment that holds these very bytes,
        as after a seal that was cut short.
        """
        mine = [each for each in self.listing() if (each.writer, each.private) == (writer, private)]
        hashed = digest(data)
        for each in mine:
            if each.name[9:25] == hashed:
                return each
        last = max((int(each.name[:8]) for each in mine), default=-1)
        # The numbers may end: a segment from outside may bear the last one. The hash still tells names apart.
        return Segment(private, writer, month_of(t), f"{min(last + 1, MAX_SEQUENCE):08d}-{hashed}.jsonl")

    def put(self, segment: Segment, data: bytes) -> bool:
        """Lay a segment down where it belongs, unless it is there; durable when this returns."""
        path = self._store / segment.path
        new = not exists(self._system, path)
        if new:
            make_folder(self._system, path.parent, self._store)
            write_file(self._system, path, data)
        # Folders that are there may have been made by a process that died before their names were durable.
        sync_path(self._system, path, self._store.parent)
        return new

    def _names(self, folder: Path) -> list[str]:
        """The names in a folder, from memory while its time stands still.

        A folder changed within the last two seconds is read again each time: a second change in the same
        tick of the clock would leave its time as it was (git calls such entries racy).
        """
        try:
            status = self._system.stat(folder)
        except (FileNotFoundError, NotADirectoryError):
            self._folders.pop(folder, None)
            return []
        if not status.folder:
            return []
        known = self._folders.get(folder)
        if known and known[:2] == (status.ino, status.mtime):
            return known[2]
        found = names(self._system, folder)
        if time.time_ns() - status.mtime > 2_000_000_000:
            self._folders[folder] = (status.ino, status.mtime, found)
        return found
