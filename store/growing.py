"""Vectors that start exact and grow a graph of neighbours once they are many."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path

from .protocols import Floats
from .vectors import ExactVectors, HnswVectors

#: From this many rows on HNSW is worth its build: exact search takes 1.1 ms here, and 5 at 100,000.
LARGE = 20_000
#: With more rows than this that the graph lacks all are searched exactly, up to so many in all: 5 ms at 100,000.
FEW, ALL = 4_096, 150_000
#: Of more rows in all only so many that the graph lacks are searched, those put last: the others are `unseen` yet.
LAST = 20_000


class GrowingVectors:
    """`Vectors` that answer at any time: HNSW for the rows that it holds already, exact search for the rest.

    Rows are added to the graph by `catch_up` alone, since that costs about 1 ms each. A search with a filter
    is exact: HNSW would lose most of what a narrow filter leaves. The graph has its rows in 8 bits, and finds;
    the cosines are those of the rows themselves. With `halves` these are rounded to 16 bits once the graph holds
    nearly all: a cosine is then off by less than a thousandth.
    """

    def __init__(self, width: int, large: int = LARGE, every: int = ALL, *, halves: bool = False) -> None:
        self.width = width
        self._halves = halves
        self.large = large
        self._every = every
        self.near = HnswVectors(width, eight=True)
        self._exact = ExactVectors(width)
        self._rest: dict[str, None] = {}
        self._frozen: frozenset[str] | None = None

    def put(self, keys: Sequence[str], rows: Floats) -> None:
        """Add rows (n, d), or replace those whose key is there already."""
        self._exact.put(keys, rows)
        self.near.remove(keys)
        self._rest.update(dict.fromkeys(keys))
        self._frozen = None

    def remove(self, keys: Iterable[str]) -> None:
        """Take rows out; a key that is not there is passed over."""
        keys = list(keys)
        self._exact.remove(keys)
        self.near.remove(keys)
        for key in keys:
            self._rest.pop(key, None)
        self._frozen = None

    def search(self, row: Floats, k: int, among: Collection[str] | None = None) -> list[tuple[str, float]]:
        """The `k` nearest keys and their cosine, best first; only those in `among` where it is given."""
        if among is not None or (len(self._rest) > FEW and len(self._exact) <= self._every):
            return self._exact.search(row, k, among)
        if self._frozen is None:
            self._frozen = frozenset(islice(reversed(self._rest), LAST))
        hits = self._exact.search(row, k, self._frozen) if self._frozen else []
        if k > 0 and len(self.near):
            # Half as many more: of the last ones the graph's cosines are not good enough to tell the order.
            found = [key for key, _ in self.near.search(row, k + k // 2 + 8)]
            cosines = self._exact.cosines(row, found)
            hits += [(key, round(float(cosine), 6)) for key, cosine in zip(found, cosines, strict=True)]
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))[: max(0, k)]

    @property
    def unseen(self) -> int:
        """How many rows no search without a filter looks at yet: those that the graph lacks, but the last."""
        return max(0, len(self._rest) - LAST) if len(self._exact) > self._every else 0

    def cosines(self, row: Floats, keys: Sequence[str]) -> Floats:
        """The cosine of `row` with each of `keys`; 0 for one that is not there."""
        return self._exact.cosines(row, keys)

    def rows(self, keys: Sequence[str]) -> Floats:
        """The rows of `keys` (n, d), in their order; each must be there."""
        return self._exact.rows(keys)

    @property
    def behind(self) -> int:
        """How many rows the graph should still get."""
        return len(self._rest) if len(self._exact) >= self.large else 0

    def catch_up(self, most: int) -> None:
        """Add at most `most` rows to the graph."""
        if self.behind:
            keys = [key for key, _ in zip(self._rest, range(most), strict=False)]
            self.near.put(keys, self._exact.rows(keys))
            for key in keys:
                del self._rest[key]
            self._frozen = None
            self._slim()

    def _slim(self) -> None:
        if self._halves and len(self._rest) <= FEW and len(self._exact) >= self.large:
            self._exact.halve()

    def restore(self, path: Path, names: Mapping[str, int], stale: Iterable[str] = ()) -> None:
        """Take up a graph that was saved; `stale` rows changed since then, and are left to `catch_up`."""
        self.near.load(path, list(names.items()))
        self.near.remove([*stale, *(key for key in names if key not in self._exact)])
        keys = self._exact.keys()
        self._rest = {key: None for key in keys if key not in self.near}
        self._frozen = None
        self._slim()

    def __contains__(self, key: str) -> bool:
        return key in self._exact

    def __len__(self) -> int:
        return len(self._exact)
