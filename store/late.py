"""What came since the bulk was laid down: the memories that are another today, or new, or gone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from .bulk.bulk import Bulk
from .fold import View
from .items import MADE_OF, Item, Said, hear, make_one, touched
from .record import Record


def fingerprint(record: Record, view: View, said: Said, own_writer: str) -> int:
    """A number of 64 bits that tells one item of a memory from the next, without making it: of all it is made of."""
    own, m = record.w == own_writer, record.m
    parts = said.of(record)
    provenance = record.body.get("provenance")
    if isinstance(provenance, (list, tuple)) and provenance:
        heads = [view.current(each) for each in provenance if isinstance(each, str)]
        parts = [*parts, [each.id for each in heads if each is not None]]
    if not any(parts):
        return int(record.id[:16], 16) ^ int(own)
    told = repr((record.id, m, own, parts)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(told, digest_size=8).digest(), "little")


def fingerprinted(
    view: View, own_writer: str, shown: Callable[[Item], Item] = lambda item: item
) -> Iterator[tuple[Item, int]]:
    """All items of a view, each with its fingerprint; one after the other, so that they need no room."""
    said = hear(view, own_writer)
    for record in view.of_kind("correction", "memory"):
        made = make_one(view, record, said, own_writer)
        if made is not None:
            yield shown(made), fingerprint(record, view, said, own_writer)


class Late:
    """The memories of a view that `bulk` has otherwise, or not at all; `shown` makes of an item what may be shown.

    `items` is another list whenever something in it changed. Which numbers of the bulk count is told to it.
    """

    def __init__(
        self, bulk: Bulk, own_writer: str, shown: Callable[[Item], Item] = lambda item: item
    ) -> None:
        self._bulk = bulk
        self._own = own_writer
        self._shown = shown
        self._version = -1
        self._said: Said | None = None
        self._items: dict[str, Item] = {}
        self._used: dict[str, set[str]] = {}
        self.items: Sequence[Item] = ()

    def restore(self, items: Sequence[Item], gone: Sequence[int]) -> None:
        """Begin with what an earlier process had found."""
        self._items = {each.id: each for each in items}
        self.items = list(items)
        alive = np.ones(len(self._bulk.columns), np.bool_)
        alive[list(gone)] = False
        self._bulk.stand(alive)

    def forget(self) -> None:
        """Be ready for another view: the next one is gone through as a whole."""
        self._version, self._said = -1, None

    def gone(self) -> list[int]:
        """The numbers of the bulk that do not count."""
        return [int(number) for number in np.flatnonzero(~self._bulk.alive)]

    def follow(self, view: View) -> None:
        """Bring it to a view."""
        version = view.changed(*MADE_OF)
        if version == self._version:
            return
        changed = None if self._version < 0 else view.since(self._version)
        if changed is not None and any(record.kind not in ("correction", "memory") for record in changed):
            self._said = None
        found = None if changed is None else touched(changed, self._learnt_from)
        self._said = self._said or hear(view, self._own)
        if found is None:
            self._all(view, self._said)
        else:
            self._some(view, found, self._said)
        self._version = version

    def _all(self, view: View, said: Said) -> None:
        records = list(view.of_kind("correction", "memory"))
        made = np.fromiter(
            (fingerprint(record, view, said, self._own) for record in records), np.uint64, len(records)
        )
        numbers = self._bulk.numbers([record.m for record in records])
        same = numbers >= 0
        same[same] = self._bulk.columns["made"][numbers[same]] == made[same]
        alive = np.zeros(len(self._bulk.columns), np.bool_)
        alive[numbers[same]] = True
        self._items = {}
        for at in np.flatnonzero(~same):
            self._take(view, records[at], said)
        self._bulk.stand(alive)
        self.items = list(self._items.values())

    def _some(self, view: View, found: Iterable[str], said: Said) -> None:
        ids = list(found)
        numbers = self._bulk.numbers(ids)
        alive = self._bulk.alive.copy()
        for m, number in zip(ids, numbers, strict=True):
            self._items.pop(m, None)
            record = view.current(m)
            same = (
                record is not None
                and number >= 0
                and int(self._bulk.columns["made"][number]) == fingerprint(record, view, said, self._own)
            )
            if number >= 0:
                alive[number] = same
            if record is not None and not same:
                self._take(view, record, said)
        self._bulk.stand(alive)
        self.items = list(self._items.values())

    def _take(self, view: View, record: Record, said: Said) -> None:
        made = make_one(view, record, said, self._own)
        if made is not None:
            self._items[made.id] = self._shown(made)
            for source in made.sources:
                self._used.setdefault(source, set()).add(made.id)

    def _learnt_from(self, m: str) -> set[str]:
        """The memories that were learnt from a correction."""
        return self._used.get(m, set()) | {of for _, of in self._bulk.graph.sources(m, "learnt_from")}
