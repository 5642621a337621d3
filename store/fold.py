"""What is current: the fold over records, the same from whatever order they come in."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator
from threading import RLock

from .record import Record, canonical

#: So many of the last changes are known one by one.
CHANGES = 50_000

_Order = tuple[int, str, str]
_Entry = tuple[_Order, Record]


class View:
    """The current state of all memories. It grows by `add`; a reader may query it from any thread.

    A record replaces those of the same memory that it names as parents, whichever of them came first. What
    nothing replaced is a head. Heads that say different things are a conflict: the last by (t, w, id) counts
    as current, and the others stay to be shown.
    """

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._lock = RLock()
        self._ids: set[str] = set()
        self._heads: dict[str, tuple[Record, ...]] = {}
        self._replaced: defaultdict[str, set[str]] = defaultdict(set)
        self._kinds: defaultdict[str, list[_Entry]] = defaultdict(list)
        self._conflicts: set[str] = set()
        self._changed: dict[str, int] = {}
        self._log: list[tuple[int, Record]] = []  # version → what came or went by it
        self._logged = 0  # the log holds all after this version
        self._moved: dict[str, int] = {}
        self._current = 0
        self._version = 0
        self.add(records)

    @property
    def version(self) -> int:
        """A number that grows with each change."""
        return self._version

    def changed(self, *kinds: str) -> int:
        """The version at which something of these kinds last came or went; 0 for never."""
        return max((self._changed.get(kind, 0) for kind in kinds), default=0)

    def tail(self, kind: str, count: int, version: int) -> list[Record] | None:
        """The records of a kind after its first `count`, for whoever knows those as of `version`; None when one
        of them went since then, or another came among them.
        """
        with self._lock:
            if self._moved.get(kind, 0) > version:
                return None
            return [record for _, record in self._kinds.get(kind, [])[count:]]

    def since(self, version: int) -> list[Record] | None:
        """The records that became current or ceased to be after `version`; None when it is too long ago."""
        with self._lock:
            if version < self._logged:
                return None
            return [record for _, record in self._log[bisect_right(self._log, version, key=_version) :]]

    def __len__(self) -> int:
        """How many memories are current."""
        return self._current

    def __contains__(self, identity: object) -> bool:
        """Whether the record with this id was folded in."""
        return identity in self._ids

    @property
    def count(self) -> int:
        """How many records were folded in."""
        return len(self._ids)

    def current(self, m: str) -> Record | None:
        """The memory as it is now; None when it is deleted or unknown."""
        return _current(self._heads.get(m, ()))

    def heads(self, m: str) -> tuple[Record, ...]:
        """The versions that nothing replaced, tombstones included, last one last."""
        return self._heads.get(m, ())

    def conflicts(self) -> list[str]:
        """The memories whose heads say different things, sorted."""
        with self._lock:
            return sorted(self._conflicts)

    def of_kind(self, *kinds: str) -> Iterator[Record]:
        """The current records of these kinds in the order (t, w, id); of all kinds when none is named."""
        with self._lock:
            wanted = kinds or tuple(self._kinds)
            lists = [self._kinds[kind] for kind in wanted if kind in self._kinds]
            entries = (
                list(lists[0]) if len(lists) == 1 else sorted((e for each in lists for e in each), key=_first)
            )
        return (record for _, record in entries)

    def find(self, prefix: str) -> list[str]:
        """The ids of current memories that begin with `prefix`, sorted."""
        with self._lock:
            return sorted(m for m, heads in self._heads.items() if m.startswith(prefix) and _current(heads))

    def memories(self) -> list[str]:
        """The ids of all memories, deleted ones too, sorted."""
        with self._lock:
            return sorted(self._heads)

    def add(self, records: Iterable[Record]) -> int:
        """Fold records in; those known already change nothing. Returns how many were new."""
        with self._lock:
            fresh: dict[str, list[Record]] = {}
            for record in records:
                if record.id in self._ids:
                    continue
                self._ids.add(record.id)
                fresh.setdefault(record.m, []).append(record)
                # An operation of a newer version is kept in the log, and replaces nothing that we can show.
                if record.parents and record.op in {"put", "del"}:
                    self._replaced[record.m].update(record.parents)
            if fresh:
                self._fold(fresh)
                self._version += 1
            return sum(map(len, fresh.values()))

    def _fold(self, fresh: dict[str, list[Record]]) -> None:
        gone: list[Record] = []
        come: list[Record] = []
        for m, records in fresh.items():
            before = self._heads.get(m, ())
            replaced = self._replaced.get(m, ())
            heads = [r for r in (*before, *records) if r.op in {"put", "del"} and r.id not in replaced]
            if len(heads) > 1:
                heads.sort(key=_order)
            after = tuple(heads)
            self._heads[m] = after
            if _differ(after):
                self._conflicts.add(m)
            else:
                self._conflicts.discard(m)
            old, new = _current(before), _current(after)
            if old is not new:
                if old is not None:
                    gone.append(old)
                if new is not None:
                    come.append(new)
        self._changed.update((record.kind, self._version + 1) for record in (*gone, *come))
        self._log.extend((self._version + 1, record) for record in (*gone, *come))
        if len(self._log) > CHANGES:
            self._log, self._logged = [], self._version + 1
        self._current += len(come) - len(gone)
        self._list(gone, come)

    def _list(self, gone: list[Record], come: list[Record]) -> None:
        """Bring the ordered lists by kind up to date: one by one for a few, by one sort for many."""
        self._moved.update((record.kind, self._version + 1) for record in gone)
        for record in come:
            entries = self._kinds.get(record.kind)
            if entries and record.order < entries[-1][0]:
                self._moved[record.kind] = self._version + 1
        if len(gone) + len(come) <= 64:
            for record in gone:
                entries = self._kinds[record.kind]
                del entries[bisect_left(entries, record.order, key=_first)]
            for record in come:
                insort(self._kinds[record.kind], (record.order, record), key=_first)
            return
        dropped = {record.id for record in gone}
        for kind in {record.kind for record in gone}:
            self._kinds[kind] = [entry for entry in self._kinds[kind] if entry[1].id not in dropped]
        grown: defaultdict[str, list[_Entry]] = defaultdict(list)
        for record in come:
            grown[record.kind].append((record.order, record))
        for kind, entries in grown.items():
            self._kinds[kind] = sorted([*self._kinds[kind], *entries], key=_first)


def _order(record: Record) -> _Order:
    return record.order


def _version(change: tuple[int, Record]) -> int:
    return change[0]


def _first(entry: _Entry) -> _Order:
    return entry[0]


def _current(heads: tuple[Record, ...]) -> Record | None:
    if not heads or heads[-1].op != "put":
        return None
    return heads[-1]


def _differ(heads: tuple[Record, ...]) -> bool:
    """Whether heads say different things: two people who write the same, or both delete, do not disagree."""
    if len(heads) < 2:
        return False
    said = {(head.op, b"" if head.op == "del" else canonical(head.body)) for head in heads}
    return len(said) > 1
