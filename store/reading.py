"""Reading a store without a lock: first all of it, then what is new, and never stopped by what is damaged."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from . import segments, wal
from .durable import SYSTEM, System, read
from .quarantine import Problem, Quarantine
from .record import LIMIT, DamagedLine, Record, from_line

#: A record further ahead of the wall clock than this (ms) is kept apart until its time has come.
AHEAD = 24 * 60 * 60 * 1000


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the cyclic collector, which would go over all new records again and again: a third of the time
    that a first reading takes, and there is no cycle in them.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


class Reader:
    """One reader of a store: what it has seen, and what was wrong with it.

    `t` is the largest time among the records that count; `n` the largest number by writer.
    """

    def __init__(self, store: Path, clock: Callable[[], int], system: System = SYSTEM) -> None:
        self.t = 0
        self.n: dict[str, int] = {}
        self._store = store
        self._clock = clock
        self._system = system
        self._shelf = segments.Shelf(store, system)
        self._keeper = Quarantine(store, system)
        self._read: set[segments.Segment] = set()
        self._whole: list[
            list[segments.Segment]
        ] = []  # months, as the shelf gave them, that were read to their end
        self._logs: dict[wal.Log, wal.Seen] = {}
        self._numbers: dict[wal.Log, int] = {}  # lines before the offset seen
        self._ahead: list[tuple[Record, Problem]] = []
        self._problems: dict[Problem, None] = {}
        self._unread: dict[str, Problem] = {}

    def new(self) -> list[Record]:
        """The records that came since the last call; one may come twice, from a log and from its segment."""
        found: list[Record] = []
        limit = self._clock() + AHEAD
        # The logs first: a seal makes the segment and then drops the log, so in this order a line is seen
        # in the one or in the other.
        for log in wal.logs(self._store, self._system):
            found += self._log(log, limit)
        months = self._shelf.by_month()
        known, self._whole = {id(month) for month in self._whole}, []
        for month in months:
            if id(month) not in known:
                for segment in month:
                    if segment not in self._read:
                        found += self._segment(segment, limit)
                if any(segment not in self._read for segment in month):
                    continue  # one cannot be read now: it is asked again
            self._whole.append(month)
        if self._ahead:
            found += self._due(limit)
        for record in found:
            if record.t > self.t:
                self.t = record.t
            # A count near the end of what a record can hold is somebody's joke: it would end all writing.
            if self.n.get(record.w, 0) < record.n < LIMIT // 2:
                self.n[record.w] = record.n
        return found

    def wrote(self, log: wal.Log, written: wal.Written, data: bytes) -> None:
        """Take note of lines that this process appended itself, whose records it has: they need not be read again.

        What stands before them and was not read yet is read the next time, and they with it.
        """
        after = wal.seen_after(self._logs.get(log), written, data)
        if after is not None:
            first = self._numbers.get(log, 0) if written.before.size else 0
            self._logs[log], self._numbers[log] = after, first + data.count(b"\n")

    def has_read(self, log: wal.Log, data: bytes) -> bool:
        """Whether `data`, all that a log holds, is what was read of it."""
        seen = self._logs.get(log)
        return seen is not None and seen.offset == len(data) and data.endswith(seen.mark) and not self._ahead

    def knows(self, segment: segments.Segment) -> None:
        """Take note of a segment that was made of lines which were read: it need not be."""
        self._read.add(segment)

    def problems(self) -> list[Problem]:
        """What could not be read so far, and what waits for its time."""
        return [*self._unread.values(), *self._problems, *(problem for _, problem in self._ahead)]

    def waiting(self) -> tuple[int, int]:
        """How many records wait for their time, and when (ms) the first of them counts; (0, 0) for none."""
        times = [record.t for record, _ in self._ahead]
        return len(times), min(times, default=AHEAD) - AHEAD

    def bytes_of(self, path: Path) -> bytes:
        """The whole of a file. Raises `OSError`."""
        return read(self._system, path)

    def _log(self, log: wal.Log, limit: int) -> list[Record]:
        path = f"{wal.FOLDER}/{log.name}"
        try:
            data, start, seen = wal.read_new(self._store / path, self._logs.get(log), self._system)
        except OSError as error:
            self._unread[path] = Problem(path, 0, f"cannot be read: {error.strerror}")
            return []
        self._unread.pop(path, None)
        if seen is None:
            self._logs.pop(log, None)
            return []
        self._logs[log] = seen
        first = self._numbers.get(log, 0) if start else 0
        self._numbers[log] = first + data.count(b"\n")
        return self._lines(data, path, first, log.private, limit)

    def _segment(self, segment: segments.Segment, limit: int) -> list[Record]:
        try:
            data = self.bytes_of(self._store / segment.path)
        except OSError as error:
            # Not counted as read: a disk that has come back is asked again.
            self._unread[segment.path] = Problem(segment.path, 0, f"cannot be read: {error.strerror}")
            return []
        self._unread.pop(segment.path, None)
        self._read.add(segment)
        if not segment.fits(data):
            self._problems[Problem(segment.path, 0, "its content is not what its name says")] = None
        return self._lines(data, segment.path, 0, segment.private, limit)

    def _lines(self, data: bytes, path: str, first: int, private: bool, limit: int) -> list[Record]:
        found = []
        for number, line in wal.lines(data):
            try:
                record = from_line(line, private)
            except DamagedLine as error:
                problem = Problem(path, first + number, error.message)
                self._problems[problem] = None
                self._keeper.note(line, problem)
                continue
            if record.t > limit:
                problem = Problem(path, first + number, f"its time {record.t} is more than 24 h ahead")
                self._ahead.append((record, problem))
                self._keeper.note(line, problem)
                continue
            found.append(record)
        return found

    def _due(self, limit: int) -> list[Record]:
        """Those that were ahead and no longer are: the wall clock went on, or was set right."""
        due = [record for record, _ in self._ahead if record.t <= limit]
        self._ahead = [pair for pair in self._ahead if pair[0].t > limit]
        return due
