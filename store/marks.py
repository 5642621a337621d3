"""Where a journal stood, and whether it has said nothing since that memories are made of; without reading all of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import segments, wal
from .durable import SYSTEM, read
from .items import MADE_OF

Mark = Mapping[str, Any]


def mark(store: Path) -> dict[str, Any]:
    """Where the journal stands now; to be taken before it is read. Raises `OSError`.

    Segments never change and are named by what they hold; of an open log its bytes are told by their hash.
    """
    logs = {}
    for log in wal.logs(store, SYSTEM):
        data = read(SYSTEM, store / wal.FOLDER / log.name)
        logs[log.name] = [len(data), hashlib.sha256(data).hexdigest()]
    return {"segments": sorted(each.path for each in segments.Shelf(store, SYSTEM).listing()), "logs": logs}


class Follower:
    """One journal since a mark. `writer` is who writes here, `number` the last of their records that was taken in;
    `says` tells which kinds of records end it: by default those that memories are made of.
    """

    def __init__(
        self,
        store: Path,
        writer: str,
        number: int,
        marked: Mark,
        says: Callable[[str], bool] = lambda kind: kind in MADE_OF,
    ) -> None:
        self._says = says
        self._store = store
        self._writer = writer
        self._number = number
        self._shelf = segments.Shelf(store, SYSTEM)
        self._segments = set(marked["segments"])
        self._months: list[list[segments.Segment]] = []  # as they were looked at last
        self._logs: dict[wal.Log, wal.Seen] = {}
        self._holds = all(self._as_marked(name, *said) for name, said in marked["logs"].items())

    def holds(self) -> bool:
        """Whether nothing came since that memories are made of; once it did, they have to be made again.

        Costs a look at the folders and at the logs' new bytes. Raises `OSError`.
        """
        if self._holds:
            # The logs first, as every reader does: a line moves from a log to a segment.
            logs = all(self._log(log) for log in wal.logs(self._store, SYSTEM))
            self._holds = logs and self._listed()
        return self._holds

    def _as_marked(self, name: str, size: int, digest: str) -> bool:
        """Whether a log begins as it did, or is sealed by now."""
        path = self._store / wal.FOLDER / name
        try:
            data = read(SYSTEM, path)
            status = path.stat()
        except FileNotFoundError:
            return True
        if len(data) < size or hashlib.sha256(data[:size]).hexdigest() != digest:
            return True  # another log under its name: it is read from its beginning
        match = next((log for log in wal.logs(self._store, SYSTEM) if log.name == name), None)
        if match is not None:
            self._logs[match] = wal.Seen(status.st_ino, size, -1, data[max(0, size - 64) : size])
        return True

    def _log(self, log: wal.Log) -> bool:
        data, _, seen = wal.read_new(self._store / wal.FOLDER / log.name, self._logs.get(log), SYSTEM)
        if seen is None:
            self._logs.pop(log, None)
        else:
            self._logs[log] = seen
        return all(self._says_nothing(line) for _, line in wal.lines(data))

    def _listed(self) -> bool:
        months = self._shelf.by_month()  # each the same list while nothing in it changed
        known, self._months = {id(month) for month in self._months}, months
        new = {each.path for month in months if id(month) not in known for each in month} - self._segments
        self._segments |= new
        return all(
            self._says_nothing(line)
            for path in sorted(new)
            for _, line in wal.lines(read(SYSTEM, self._store / path))
        )

    def _says_nothing(self, line: bytes) -> bool:
        """Whether no memory is made of a line, or it was taken in; a damaged one is for the journal to read."""
        try:
            said = json.loads(line)
            body, kind = said["body"], said["body"].get("kind")
            known = said["w"] == self._writer and said["n"] <= self._number
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return False
        return known or (isinstance(body, dict) and isinstance(kind, str) and not self._says(kind))
