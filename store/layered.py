"""One index of two: the bulk that was laid down, and what came since, which the index of memories holds."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .bulk.bulk import Bulk
from .index import MemoryIndex
from .items import Item
from .pieces import Mask
from .protocols import Floats, Graph


@dataclass(frozen=True)
class Selection(Collection[str]):
    """The memories that a filter lets through: numbers of the bulk, and ids of what came since."""

    bulk: Bulk
    mask: Mask
    late: frozenset[str]

    def __contains__(self, m: object) -> bool:
        if m in self.late or not isinstance(m, str):
            return m in self.late
        number = int(self.bulk.numbers([m])[0])
        return number >= 0 and bool(self.mask[number] and self.bulk.alive[number])

    def __iter__(self) -> Iterator[str]:
        yield from self.bulk.ids(np.flatnonzero(self.mask & self.bulk.alive).astype(np.uint32))
        yield from self.late

    def __len__(self) -> int:
        return int(np.count_nonzero(self.mask & self.bulk.alive)) + len(self.late)


class Known(Mapping[str, Item]):
    """All memories by their id; those of the bulk are read where they are asked for."""

    def __init__(self, bulk: Bulk, late: Mapping[str, Item], numbers: Mapping[str, int]) -> None:
        self._bulk = bulk
        self._late = late
        self._numbers = numbers

    def __getitem__(self, m: str) -> Item:
        if m in self._late:
            return self._late[m]
        number = self._number(m)
        if number < 0 or not self._bulk.alive[number]:
            raise KeyError(m)
        return self._bulk.item(number)

    def __contains__(self, m: object) -> bool:
        if m in self._late or not isinstance(m, str):
            return m in self._late
        number = self._number(m)
        return number >= 0 and bool(self._bulk.alive[number])

    def _number(self, m: str) -> int:
        number = self._numbers.get(m)
        return int(self._bulk.numbers([m])[0]) if number is None else number

    def __iter__(self) -> Iterator[str]:
        yield from self._bulk.ids(np.flatnonzero(self._bulk.alive).astype(np.uint32))
        yield from self._late

    def __len__(self) -> int:
        return len(self._bulk) + len(self._late)


class BothGraphs:
    """The edges of two graphs as one; of the bulk's only those of memories that count."""

    def __init__(self, bulk: Bulk, late: Graph) -> None:
        self._bulk = bulk
        self._late = late

    def link(self, edges: object) -> None:
        """Nothing is added here: each graph is kept by its own index."""
        raise TypeError("a graph of two is only read")

    def unlink(self, node: str) -> None:
        """Nothing is taken out here either."""
        raise TypeError("a graph of two is only read")

    def targets(self, node: str, relation: str | None = None) -> list[tuple[str, str]]:
        """(relation, to) of the edges that leave `node`, sorted."""
        found = self._late.targets(node, relation)
        if self._stands([node])[0]:
            found = [*found, *self._bulk.graph.targets(node, relation)]
        return sorted(found)

    def sources(self, node: str, relation: str | None = None) -> list[tuple[str, str]]:
        """(relation, from) of the edges that enter `node`, sorted."""
        held = self._bulk.graph.sources(node, relation)
        stand = self._stands([of for _, of in held]) if held else ()
        found = [edge for edge, stands in zip(held, stand, strict=True) if stands]
        return sorted([*found, *self._late.sources(node, relation)])

    def _stands(self, ids: Sequence[str]) -> npt.NDArray[np.bool_]:
        numbers = self._bulk.numbers(ids)
        return (numbers >= 0) & self._bulk.alive[numbers]


class LayeredIndex:
    """What is asked of an index of memories, of the bulk and of what came since together."""

    def __init__(self, bulk: Bulk, late: MemoryIndex) -> None:
        self.bulk = bulk
        self.late = late
        self._numbers: dict[str, int] = {}  # of what was found here

    @property
    def graph(self) -> BothGraphs:
        """Memories, files, symbols and commits, and what ties them."""
        return BothGraphs(self.bulk, self.late.graph)

    @property
    def known(self) -> Known:
        """All memories by their id."""
        return Known(self.bulk, self.late.known, self._numbers)

    @property
    def waiting(self) -> Collection[Item]:
        """The memories that are not taken in, and not in the graph."""
        return self.late.waiting

    @property
    def behind(self) -> int:
        """How many memories still wait to be taken in."""
        return self.late.behind

    @property
    def unseen(self) -> int:
        """How many memories have rows that no search without a filter looks at yet."""
        return self.bulk.unseen + self.late.unseen

    def __len__(self) -> int:
        return len(self.bulk) + len(self.late)

    def vectors(self, row: Floats, k: int, among: Collection[str] | None = None) -> list[tuple[str, float]]:
        """The `k` memories whose code or text is nearest to a row, and that cosine, best first."""
        mask, late = self._parts(among)
        found = self._named(self.bulk.vectors(row, k, mask))
        return self._best([*found, *self.late.vectors(row, k, late)], k)

    def words(self, query: str, k: int, among: Collection[str] | None = None) -> list[tuple[str, float]]:
        """The `k` memories that hold words of the query, and their BM25 score, best first."""
        mask, late = self._parts(among)
        found = self._named(self.bulk.words(query, k, mask))
        return self._best([*found, *self.late.words(query, k, late)], k)

    def similarities(self, row: Floats, ids: Sequence[str]) -> tuple[Floats, Floats]:
        """The cosines of a row with the code and with the text of each memory; 0 where it has none."""
        numbers, here = self._here(ids)
        code, text = np.zeros(len(ids), np.float32), np.zeros(len(ids), np.float32)
        if here.any():
            code[here], text[here] = self.bulk.similarities(row, numbers[here].tolist())
        if not here.all():
            there = np.flatnonzero(~here).tolist()
            code[there], text[there] = self.late.similarities(row, [ids[at] for at in there])
        return code, text

    def holding(self, ids: Sequence[str], groups: Sequence[Collection[str]]) -> Mask:
        """Which of these memories hold a word of which group of stems: (ids, groups)."""
        numbers, here = self._here(ids)
        out = np.zeros((len(ids), len(groups)), np.bool_)
        if here.any():
            out[here] = self.bulk.holding(numbers[here].tolist(), groups)
        if not here.all():
            there = np.flatnonzero(~here).tolist()
            out[there] = self.late.holding([ids[at] for at in there], groups)
        return out

    def edits(self, ids: Sequence[str]) -> npt.NDArray[np.uint64]:
        """What the first edit of each memory changed, as one number (see `edits.edit_key`); 0 where it is none."""
        numbers, here = self._here(ids)
        out = np.zeros(len(ids), np.uint64)
        out[here] = self.bulk.edits(numbers[here])
        if not here.all():
            out[~here] = self.late.edits([ids[at] for at in np.flatnonzero(~here).tolist()])
        return out

    def languages(self, ids: Sequence[str]) -> list[str]:
        """The language of each memory; empty for none."""
        numbers, here = self._here(ids)
        held = iter(self.bulk.languages(numbers[here]))
        rest = iter(self.late.languages([ids[at] for at in np.flatnonzero(~here).tolist()]))
        return [next(held if there else rest) for there in here.tolist()]

    def select(self, languages: Sequence[str] = (), folder: str = "") -> Selection | None:
        """The memories that pass a hard filter, kept for the next question; None where none is asked for."""
        late = self.late.select(languages, folder)
        return None if late is None else Selection(self.bulk, self.bulk.select(languages, folder), late)

    def lookup(self, items: object) -> Mapping[str, Item]:
        """All memories by their id."""
        return self.known

    def _parts(self, among: Collection[str] | None) -> tuple[Mask | None, Collection[str] | None]:
        if among is None:
            return None, None
        if isinstance(among, Selection):
            return among.mask, among.late
        numbers = self.bulk.numbers(list(among))
        mask = np.zeros(len(self.bulk.columns), np.bool_)
        mask[numbers[numbers >= 0]] = True
        return mask, among

    def _named(self, hits: Sequence[tuple[int, float]]) -> list[tuple[str, float]]:
        ids = self.bulk.ids([number for number, _ in hits])
        self._numbers.update(zip(ids, (number for number, _ in hits), strict=True))
        return [(m, score) for m, (_, score) in zip(ids, hits, strict=True)]

    def _here(self, ids: Sequence[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        known = self._numbers
        if any(m not in known for m in ids):
            rest = [m for m in ids if m not in known]
            known.update(zip(rest, self.bulk.numbers(rest).tolist(), strict=True))
        numbers = np.fromiter((known[m] for m in ids), np.int64, len(ids))
        return numbers, (numbers >= 0) & self.bulk.alive[numbers]

    @staticmethod
    def _best(hits: list[tuple[str, float]], k: int) -> list[tuple[str, float]]:
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))[: max(0, k)]
