"""The journal on disk: append-only, fsynced before it is acknowledged, readable while it is written."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import RLock

from ..repo.errors import PlaceError
from . import layout, segments, wal
from .cleaning import Cleaning, Redact
from .codec import encode
from .durable import SYSTEM, NotWrittenError, System, refused
from .fold import View
from .kinds import KINDS, Body, Memory
from .layout import NewerStoreError, create
from .lock import writer_lock
from .quarantine import Problem, Quarantine
from .reading import AHEAD, Reader, uncollected
from .record import (
    MAX_PRIVATE,
    MAX_SHARED,
    DamagedLine,
    Draft,
    NotCanonicalError,
    Record,
    from_line,
    made,
    memory_of,
)

__all__ = ["FileJournal", "NewerStoreError", "NotWrittenError", "Problem", "create", "wall_ms"]

#: An open log of this size (bytes) is sealed.
SEAL_AT = 256 * 1024
#: So many bytes of own lines are known as they were written, and need no look before they are sealed.
MOST_WRITTEN = 2 * SEAL_AT


def wall_ms() -> int:
    """The wall clock, in ms since the epoch."""
    return time.time_ns() // 1_000_000


class FileJournal:
    """The journal of one store. Two processes may hold one each: the lock is taken for each append alone.

    `author` is "Name <email>" for drafts that name none; `redact` gives a JSON value without its secrets, and how
    many they were.
    """

    def __init__(
        self,
        store: Path,
        author: str,
        clock: Callable[[], int] = wall_ms,
        redact: Redact | None = None,
        *,
        timeout: float = 5.0,
        system: System = SYSTEM,
    ) -> None:
        self.store = store
        self.author = author
        self.writer = layout.read_writer(store, system)
        self._clock = clock
        self._cleaning = Cleaning(redact)
        self._timeout = timeout
        self._system = system
        self._mutex = RLock()
        self._reader = Reader(store, clock, system)
        self._view: View | None = None
        self._alone = False  # nobody else writes now, and the view has all that anybody wrote
        self._appenders: dict[wal.Log, wal.Appender] = {}
        self._sizes: dict[wal.Log, int] = {}  # of the logs, as this journal left them
        self._written: dict[bytes, int] = {}  # own lines that are not sealed yet → their times
        self._t = 0
        self._n = 0

    # Reading takes no lock of the store.

    def records(self) -> Iterator[Record]:
        """All records that can be read, in the order (t, w, id); each once."""
        found = {record.id: record for record in Reader(self.store, self._clock, self._system).new()}
        return iter(sorted(found.values(), key=lambda record: record.order))

    def view(self) -> View:
        """What is current, brought up to date with the disk; the same object each time."""
        with self._mutex:
            if self._view is None:
                with uncollected():
                    self._view = View(self._reader.new())
            elif not self._alone:
                self._view.add(self._reader.new())
            return self._view

    @property
    def is_read(self) -> bool:
        """Whether the journal was read since it was opened."""
        return self._view is not None

    def forget(self) -> None:
        """Hold nothing of what was read; what is asked for next is read again."""
        with self._mutex:
            self._view, self._written = None, {}
            self._reader = Reader(self.store, self._clock, self._system)

    @property
    def number(self) -> int:
        """The number of the last record of this writer that was read, or written here."""
        return max(self._reader.n.get(self.writer, 0), self._n if self.is_read else 0)

    def problems(self) -> list[Problem]:
        """What could not be read, and why; the rest is read all the same."""
        with self._mutex:
            self.view()
            return self._reader.problems()

    def waiting(self) -> tuple[int, int]:
        """How many records are more than a day ahead of the clock, and when (ms) the first counts; (0, 0): none."""
        with self._mutex:
            self.view()
            return self._reader.waiting()

    # Writing holds the store's lock.

    def append(self, drafts: Sequence[Draft], request: str = "") -> list[Record]:
        """Write records; when this returns they are on disk, fsynced. All of them, or an error.

        `request` names what asked for them. Asked again, what is there is returned, and only what is missing is
        written: whoever asked may not know how far the first try came. Drafts with a memory id of their own are
        for the caller to leave out.

        Raises `BusyError`, `NewerStoreError`, `NotCanonicalError` for a draft that makes no record, and
        `NotWrittenError` when the disk refuses: none of them is acknowledged then.
        """
        with self._writing():
            if request:
                return self._once(drafts, request)
            return self._append([(draft, None, None) for draft in drafts])

    def beware(self, secrets: Iterable[str]) -> None:
        """Take these out of all that is written from now on: secrets that were found in what is not written itself
        (generated code, the versions of a file). They are kept in memory alone.
        """
        with self._mutex:
            self._cleaning.beware(secrets)

    @property
    def redactions(self) -> int:
        """How many secrets were taken out since this journal was opened."""
        return self._cleaning.taken

    def put(
        self, body: Body, *, m: str = "", parents: tuple[str, ...] = (), origin: str = "", author: str = ""
    ) -> Record:
        """Write one record."""
        return self.append([Draft(body, m, parents, "put", author, origin)])[0]

    def edit(self, m: str, body: Body, origin: str = "", author: str = "", request: str = "") -> Record:
        """Write a new version of a memory in place of all its heads. Fields that this version does not know
        are carried over from the current one. `request` names what asked for it; the version keeps the name.
        """
        with self._writing():
            view = self.view()
            heads, current = view.heads(m), view.current(m)
            draft = Draft(body, m, tuple(head.id for head in heads), "put", author, origin)
            return self._append([(draft, {**_carried(body, current), **_named(request)}, None)])[0]

    def delete(self, m: str, origin: str = "", author: str = "", request: str = "") -> Record:
        """Write a tombstone in place of all heads of a memory; where it is deleted already, that one counts.

        `request` names what asked for it; the tombstone keeps the name. Raises `PlaceError` when there is none.
        """
        with self._writing():
            heads = self.view().heads(m)
            if not heads:
                raise PlaceError(f"there is no memory {m}", "See what there is with `cortex log`.")
            last = heads[-1]
            if all(head.op == "del" for head in heads):
                return last
            body = KINDS.get(last.kind, Memory)()
            draft = Draft(body, m, tuple(head.id for head in heads), "del", author, origin)
            # Shared when any version of it was: the tombstone must reach whoever has one.
            private = all(head.private for head in heads)
            said = {"kind": last.kind, **_named(request)}
            return self._append([(draft, said, private)])[0]

    def settle(self, m: str, head: str, origin: str = "", author: str = "", request: str = "") -> Record:
        """Write one head of a memory anew, in place of all its heads, with every field that it has.

        `request` names what asked for it; the record keeps the name. Raises `PlaceError` when `head` (a record's
        id) is none of them any more.
        """
        with self._writing():
            heads = self.view().heads(m)
            chosen = next((each for each in heads if each.id == head), None)
            if chosen is None:
                raise PlaceError(
                    f"{head[:12]} was replaced meanwhile", "See how it is now with `cortex show`."
                )
            parents = tuple(each.id for each in heads)
            body = KINDS.get(chosen.kind, Memory)()
            if chosen.op == "del":
                draft = Draft(body, m, parents, "del", author, origin)
                gone = {"kind": chosen.kind, **_named(request)}
                return self._append([(draft, gone, all(each.private for each in heads))])[0]
            draft = Draft(body, m, parents, "put", author, origin)
            said = {key: each for key, each in chosen.body.items() if key != "request"}
            return self._append([(draft, {**said, **_named(request)}, None)])[0]

    def seal(self) -> None:
        """Turn the open logs into immutable segments. Raises `NotWrittenError`; nothing is lost then."""
        with self._writing():
            try:
                self._seal()
            except OSError as error:
                raise refused(error, self.store) from error

    def recount(self) -> None:
        """Find out from all records where the clock stands, and note it. Raises `NotWrittenError`."""
        with self._writing():
            with self._mutex:
                self.view()
                self._adopt()
            try:
                layout.write_clock(self.store, layout.Clock(self._t, self._n, self.writer), self._system)
            except OSError as error:
                raise refused(error, self.store) from error

    def quarantine(self, data: bytes, reason: str, path: str = "spool") -> None:
        """Keep bytes that could not be understood, with the reason; durable when this returns.

        Raises `NotWrittenError`.
        """
        try:
            Quarantine(self.store, self._system).keep(data, Problem(path, 0, reason))
        except OSError as error:
            raise refused(error, self.store) from error

    def take(self, found: Sequence[tuple[segments.Segment, bytes]], t: int) -> int:
        """Add segments that came from elsewhere, checked already, whose largest time is `t`; returns how many
        were not there. Raises `NotWrittenError`; those before the failure stay, which harms no union.
        """
        with self._writing():
            shelf = segments.Shelf(self.store, self._system)
            try:
                with self._mutex:
                    self._wind()
                if self._t < t <= self._clock() + AHEAD:
                    # Noted before the segments are there: a record written after them must come after them.
                    self._t = t
                    layout.write_clock(self.store, layout.Clock(self._t, self._n, self.writer), self._system)
                return sum(shelf.put(segment, data) for segment, data in found)
            except OSError as error:
                raise refused(error, self.store) from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        # Whoever reads here meanwhile does not wait for the disk: the mutex is taken for what is in memory alone.
        with writer_lock(self.store, self._timeout, self._system):
            layout.check_format(self.store, self._system)
            try:
                yield
            finally:
                self._alone = False

    def _once(self, drafts: Sequence[Draft], request: str) -> list[Record]:
        view = self.view()
        numbers = count()
        named = [
            draft if draft.m else dataclasses.replace(draft, m=memory_of(request, next(numbers)))
            for draft in drafts
        ]
        done = {
            new.m: view.heads(new.m)[-1]
            for draft, new in zip(drafts, named, strict=True)
            if not draft.m and view.heads(new.m)
        }
        again = [new for new in named if new.m in done]
        with self._mutex:
            # Counted as before.
            self._cleaning.cleaned(
                [encode(new.body) for new in again], [new.author or self.author for new in again]
            )
        missing = [new for new in named if new.m not in done]
        written = iter(self._append([(new, None, None) for new in missing]) if missing else ())
        return [done.get(new.m) or next(written) for new in named]

    def _append(
        self, drafts: Sequence[tuple[Draft, Mapping[str, object] | None, bool | None]]
    ) -> list[Record]:
        try:
            with self._mutex:
                if self._view is not None:
                    self.view()
                    self._alone = True
                self._wind()
                records, lines = self._make(drafts)
            came = self._write(records, lines)
        except OSError as error:
            raise refused(error, self.store) from error
        with self._mutex:
            self._t, self._n = records[-1].t if records else self._t, self._n + len(records)
            if self._view is not None:
                self._view.add(records)
                if records and records[-1].t <= self._clock() + AHEAD:
                    for log, written, data in came:
                        self._reader.wrote(log, written, data)
        self._written.update((line[:-1], record.t) for record, line in zip(records, lines, strict=True))
        if sum(map(len, self._written)) > MOST_WRITTEN:
            self._written.clear()
        if any(size > SEAL_AT for size in self._sizes.values()):
            try:
                self._seal()
            except OSError:
                # What was asked for is on disk and is acknowledged; the next append tries this again.
                self._sizes.clear()
        return records

    def _make(
        self, drafts: Sequence[tuple[Draft, Mapping[str, object] | None, bool | None]]
    ) -> tuple[list[Record], list[bytes]]:
        if self._view is None and any(draft.parents for draft, _, _ in drafts):
            self.view()  # a child's time is greater than its parents': they have to be seen
            self._adopt()
        records: list[Record] = []
        lines: list[bytes] = []
        t, n = self._t, self._n
        bodies, authors = self._cleaning.cleaned(
            [{**encode(draft.body), **(carried or {})} for draft, carried, _ in drafts],
            [draft.author or self.author for draft, _, _ in drafts],
        )
        for (draft, _, private), body, author in zip(drafts, bodies, authors, strict=True):
            t, n = max(self._clock(), t + 1), n + 1
            signed = dataclasses.replace(draft, author=author)
            record, line = made(signed, t=t, w=self.writer, n=n, author=author, body=body, private=private)
            records.append(record)
            lines.append(_fitting(line, record.private))
        return records, lines

    def _write(
        self, records: Sequence[Record], lines: Sequence[bytes]
    ) -> list[tuple[wal.Log, wal.Written, bytes]]:
        """The private log first, then the shared one: if the second fails the first is taken back.

        Returns what was written to each.
        """
        done: list[tuple[wal.Appender, wal.Written]] = []
        came: list[tuple[wal.Log, wal.Written, bytes]] = []
        for private in (True, False):
            data = b"".join(
                line for record, line in zip(records, lines, strict=True) if record.private is private
            )
            if not data:
                continue
            log = wal.Log(self.writer, private)
            appender = self._appenders.setdefault(log, wal.Appender(self.store, log, self._system))
            try:
                written = appender.append(data)
            except OSError:
                self._sizes.clear()
                for other, former in done:
                    other.take_back(former.before.size)
                raise
            done.append((appender, written))
            came.append((log, written, data))
        self._sizes.update((log, written.after.size) for log, written, _ in came)
        return came

    def _wind(self) -> None:
        """Bring the clock up to what is on disk, without reading the store: the note of the sealed segments,
        and the last line of each open log that is not as we left it.
        """
        limit = self._clock() + AHEAD
        if max(self._t, self._reader.t) > limit:
            self._set_back()
        noted = layout.read_clock(self.store, self._system)
        if noted is None or noted.t > limit:
            self.view()
            self._adopt()
        else:
            self._t = max(self._t, noted.t)
        if noted is not None:
            self._n = max(self._n, noted.n)
        if self._view is not None:
            self._adopt()
        for log in wal.logs(self.store, self._system):
            appender = self._appenders.get(log) or wal.Appender(self.store, log, self._system)
            if self._sizes.get(log) == appender.size():
                continue
            for line in wal.last_lines(appender.path, self._system):
                try:
                    record = from_line(line, log.private)
                except DamagedLine:
                    continue
                if record.w == self.writer:
                    self._n = max(self._n, record.n)
                if record.t <= limit:
                    self._t = max(self._t, record.t)
                    break

    def _set_back(self) -> None:
        """The wall clock was ahead by more than a day, and was set right: what was written meanwhile has times that
        nobody adopts, and a record that came after them would be hidden from every reader until then.
        """
        fresh = Reader(self.store, self._clock, self._system)
        fresh.new()
        self._t = self._reader.t = fresh.t

    def _adopt(self) -> None:
        self._t = max(self._t, self._reader.t)
        self._n = max(self._n, self._reader.n.get(self.writer, 0))

    def _seal(self) -> None:
        """Raises `OSError`. At every step all lines are in the log, or in a segment, or in both."""
        with self._mutex:
            self._wind()
        layout.write_clock(self.store, layout.Clock(self._t, self._n, self.writer), self._system)
        shelf = segments.Shelf(self.store, self._system)
        keeper = Quarantine(self.store, self._system)
        for log in wal.logs(self.store, self._system):
            path = f"{wal.FOLDER}/{log.name}"
            data = self._reader.bytes_of(self.store / path)
            whole: list[bytes] = []
            times: dict[bytes, int] = {}
            for number, line in wal.lines(data):
                try:
                    # What this journal wrote stands there byte for byte: it was made a moment ago.
                    times[line] = self._written.get(line) or from_line(line, log.private).t
                    whole.append(line)
                except DamagedLine as error:
                    keeper.keep(line, Problem(path, number, error.message))
            with self._mutex:
                read = self._view is not None and self._reader.has_read(log, data)
            for group in segments.cut(whole):
                segment = shelf.add(log.private, log.writer, times[group[0]], b"\n".join(group) + b"\n")
                if read:
                    self._reader.knows(segment)
            wal.drop(self.store, log, self._system)
            self._sizes.pop(log, None)
        self._written.clear()


def _named(request: str) -> Mapping[str, object]:
    """What a body says of the request that wrote it."""
    return {"request": request} if request else {}


def _fitting(line: bytes, private: bool) -> bytes:
    limit = MAX_PRIVATE if private else MAX_SHARED
    if len(line) > limit:
        raise NotCanonicalError(
            f"a record of {len(line):,} bytes is over the limit of {limit:,}", "Keep a shorter text."
        )
    return line


def _carried(body: Body, current: Record | None) -> Mapping[str, object]:
    """The fields of the current version that this program does not know, to be kept in the next one."""
    if current is None or current.kind != body.KIND:
        return {}
    known = {"kind", "request", *(each.name for each in dataclasses.fields(body))}
    return {key: each for key, each in current.body.items() if key not in known}
