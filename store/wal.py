"""The open logs: local files that only grow, until their lines are sealed into segments."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .durable import (
    SYSTEM,
    Stat,
    System,
    exists,
    names,
    opened,
    read,
    read_fd,
    retry,
    sync_folder,
    write_all,
    write_file,
)

FOLDER = "wal"
_NAME = re.compile(r"(?P<writer>[0-9a-f]{32})(?P<private>\.private)?\.jsonl\Z")
_MARK = 64


@dataclass(frozen=True)
class Log:
    """One open log: whose it is, and whether it stays on this machine."""

    writer: str
    private: bool

    @property
    def name(self) -> str:
        """The file's name in the folder `wal`."""
        return f"{self.writer}{'.private' if self.private else ''}.jsonl"


@dataclass(frozen=True)
class Seen:
    """How far a reader came in a log; `mark` is what stood before `offset`, to notice another file there."""

    ino: int
    offset: int
    mtime: int
    mark: bytes


def logs(store: Path, system: System = SYSTEM) -> list[Log]:
    """The open logs of a store: its own, and those that an earlier writer id left behind."""
    found = (_NAME.match(name) for name in names(system, store / FOLDER))
    return [Log(match["writer"], match["private"] is not None) for match in found if match]


def lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines with their numbers from 1, split on the byte LF and nothing else; empty ones passed over."""
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line:
            yield number, line


def read_new(path: Path, seen: Seen | None, system: System = SYSTEM) -> tuple[bytes, int, Seen | None]:
    """The whole lines of a log since `seen`, the number of bytes before them, and how far that came.

    Needs no lock: what follows the last LF is a line still being written, and is left for the next time.
    """
    try:
        if seen and _stands(system.stat(path), seen):
            return b"", seen.offset, seen  # asked before each answer: the log need not even be opened
        with opened(system, path, os.O_RDONLY | os.O_NOFOLLOW) as fd:
            status = system.fstat(fd)
            if seen and _stands(status, seen):
                return b"", seen.offset, seen
            start = 0
            if seen and status.ino == seen.ino and status.size >= seen.offset:
                before = retry(lambda: system.pread(fd, len(seen.mark), seen.offset - len(seen.mark)))
                start = seen.offset if before == seen.mark else 0
            data = read_fd(system, fd, start)
    except FileNotFoundError:
        return b"", 0, None
    data = data[: data.rfind(b"\n") + 1]
    if start and seen and not data:
        return b"", start, Seen(status.ino, start, status.mtime, seen.mark)
    mark = ((seen.mark if start and seen else b"") + data)[-_MARK:]
    return data, start, Seen(status.ino, start + len(data), status.mtime, mark)


@dataclass(frozen=True)
class Written:
    """A log's status before and after an append, both seen under the writer's lock."""

    before: Stat
    after: Stat


def seen_after(seen: Seen | None, written: Written, data: bytes) -> Seen | None:
    """How far a reader is that was at the end of a log before `data` was appended, and need not read that; None
    where there is more to read than it.
    """
    before, after = written.before, written.after
    if after.size != before.size + len(data):
        return None
    if not before.size:
        return Seen(after.ino, after.size, after.mtime, data[-_MARK:])
    if seen is None or not _stands(before, seen):
        return None
    return Seen(after.ino, after.size, after.mtime, (seen.mark + data)[-_MARK:])


def _stands(status: Stat, seen: Seen) -> bool:
    """Whether nothing came to a log since a reader was at its end."""
    return (status.ino, status.size, status.mtime) == (seen.ino, seen.offset, seen.mtime)


class Appender:
    """Appends to one log under the writer's lock: acknowledged means that the medium has it."""

    def __init__(self, store: Path, log: Log, system: System = SYSTEM) -> None:
        self._store = store
        self.path = store / FOLDER / log.name
        self._system = system
        self._named = -1  # the inode whose name we know to be durable
        self._suspect = False

    def size(self) -> int:
        """Bytes in the log; 0 where there is none."""
        try:
            return self._system.stat(self.path).size
        except FileNotFoundError:
            return 0

    def append(self, data: bytes) -> Written:
        """Add whole lines; when this returns they are durable. Returns the log's status before and after.

        Raises `OSError`, and takes back what it wrote as far as the disk lets it. After an fsync that failed
        nobody knows which pages the disk has (and a second fsync would say that all is well), so the next
        append first writes the log anew, to another file.
        """
        if self._suspect:
            write_file(self._system, self.path, read(self._system, self.path))
            self._suspect = False
        with opened(self._system, self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW) as fd:
            status = after = self._system.fstat(fd)
            try:
                # One write, so that a kill leaves either nothing or the beginning of it. An LF first ends the
                # torn line of a writer that died: it becomes a damaged line of its own, not part of ours.
                write_all(self._system, fd, self._heal(fd, status.size) + data)
                self._sync(fd)
                if self._named != status.ino:
                    # A writer that was killed may have made these names and not made them durable.
                    for folder in (self.path.parent, self._store, self._store.parent):
                        sync_folder(self._system, folder)
                    self._named = status.ino
                after = self._system.fstat(fd)
            except OSError:
                with contextlib.suppress(OSError):
                    self._system.truncate(fd, status.size)
                raise
        return Written(status, after)

    def take_back(self, size: int) -> None:
        """Cut the log back to a former size, if the disk lets us: for an append whose other half failed."""
        with contextlib.suppress(OSError), opened(self._system, self.path, os.O_WRONLY) as fd:
            self._system.truncate(fd, size)

    def _heal(self, fd: int, size: int) -> bytes:
        if size and retry(lambda: self._system.pread(fd, 1, size - 1)) != b"\n":
            return b"\n"
        return b""

    def _sync(self, fd: int) -> None:
        try:
            retry(lambda: self._system.sync(fd))
        except OSError:
            self._suspect = True
            raise


def last_lines(path: Path, system: System = SYSTEM, window: int = 128 * 1024) -> list[bytes]:
    """The lines at the end of a log, last first, an unfinished one included; all when `window` holds none."""
    try:
        with opened(system, path, os.O_RDONLY | os.O_NOFOLLOW) as fd:
            start = max(0, system.fstat(fd).size - window)
            data = read_fd(system, fd, start)
            if start and data.count(b"\n") < 2:
                start, data = 0, read_fd(system, fd, 0)
    except FileNotFoundError:
        return []
    found = data.split(b"\n")[1 if start else 0 :]
    return [line for line in reversed(found) if line]


def drop(store: Path, log: Log, system: System = SYSTEM) -> None:
    """Take a log away whose every line is durable elsewhere."""
    path = store / FOLDER / log.name
    if exists(system, path):
        retry(lambda: system.unlink(path))
        sync_folder(system, path.parent)
