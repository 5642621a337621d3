"""Nearest neighbours by cosine: exact in numpy, and by a graph of neighbours."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from .near import HnswlibGraph, VoyagerGraph
from .protocols import Floats

#: How many filters keep their rows: a question's filter is one of a few languages.
FILTERS = 8
#: So many rows of 16 bits are widened at a time: numpy multiplies no others fast.
WIDENED = 4_096

Halves = npt.NDArray[np.float16]


class ExactVectors:
    """`Vectors` as one matrix: every search is a product with all rows, or with those that it is among.

    `halve` keeps the rows in 16 bits from then on: half the memory, for a search of all that takes longer.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self._rows: Floats | Halves = np.zeros((0, width), np.float32)
        self._keys: list[str] = []
        self._slots: dict[str, int] = {}
        self._filters: dict[frozenset[str], npt.NDArray[np.intp]] = {}

    def halve(self) -> None:
        """Keep the rows in 16 bits."""
        if self._rows.dtype != np.float16:
            self._rows = self._rows[: len(self._keys)].astype(np.float16)

    def put(self, keys: Sequence[str], rows: Floats) -> None:
        """Add rows (n, d), or replace those whose key is there already."""
        rows = _checked(keys, rows, self.width)
        self._filters.clear()
        self._grow(len(self._keys) + len(keys))
        slots = np.empty(len(keys), np.intp)
        for at, key in enumerate(keys):
            slot = self._slots.get(key)
            if slot is None:
                slot = self._slots[key] = len(self._keys)
                self._keys.append(key)
            slots[at] = slot
        self._rows[slots] = rows  # of two rows with one key the later one counts

    def remove(self, keys: Iterable[str]) -> None:
        """Take rows out; a key that is not there is passed over."""
        self._filters.clear()
        for key in keys:
            slot = self._slots.pop(key, None)
            if slot is None:
                continue
            last = self._keys.pop()
            if last != key:  # the last row moves into the gap
                self._keys[slot] = last
                self._slots[last] = slot
                self._rows[slot] = self._rows[len(self._keys)]

    def search(self, row: Floats, k: int, among: Collection[str] | None = None) -> list[tuple[str, float]]:
        """The `k` nearest keys and their cosine, best first; only those in `among` where it is given."""
        count = len(self._keys)
        if k <= 0 or not count:
            return []
        if among is None:
            return _best(self._keys, None, self._product(row, None), k)
        slots = self._among(among)
        if len(slots) * 2 > count:  # a product with all is cheaper than gathering most
            return _best(self._keys, slots, self._product(row, None)[slots], k)
        return _best(self._keys, slots, self._product(row, slots), k)

    def cosines(self, row: Floats, keys: Sequence[str]) -> Floats:
        """The cosine of `row` with each of `keys`; 0 for one that is not there."""
        slots = np.fromiter((self._slots.get(key, -1) for key in keys), np.intp, len(keys))
        found = slots >= 0
        out = np.zeros(len(keys), np.float32)
        if found.any():
            out[found] = self._product(row, slots[found])
        return out

    def rows(self, keys: Sequence[str]) -> Floats:
        """The rows of `keys` (n, d), in their order; each must be there."""
        slots = np.fromiter((self._slots[key] for key in keys), np.intp, len(keys))
        return np.asarray(self._rows[slots], np.float32)

    def keys(self) -> list[str]:
        """The keys that are there."""
        return list(self._keys)

    def __contains__(self, key: str) -> bool:
        return key in self._slots

    def __len__(self) -> int:
        return len(self._keys)

    def _product(self, row: Floats, slots: npt.NDArray[np.intp] | None) -> Floats:
        """The products of a row with those in `slots`, or with all."""
        rows = self._rows
        if slots is None and rows.dtype == np.float32:
            return np.asarray(rows[: len(self._keys)] @ row, np.float32)
        count = len(self._keys) if slots is None else len(slots)
        out = np.empty(count, np.float32)
        for at in range(0, count, WIDENED):
            part = slice(at, min(count, at + WIDENED))
            out[part] = rows[part if slots is None else slots[part]].astype(np.float32, copy=False) @ row
        return out

    def _grow(self, size: int) -> None:
        if size > len(self._rows):
            # Many rows grow by a quarter, so that little lies empty.
            room = 2 * len(self._rows) if len(self._rows) < 100_000 else len(self._rows) * 5 // 4
            rows = np.zeros((max(size, room, 64), self.width), self._rows.dtype)
            rows[: len(self._keys)] = self._rows[: len(self._keys)]
            self._rows = rows

    def _among(self, among: Collection[str]) -> npt.NDArray[np.intp]:
        """The slots of a filter; a frozenset's are kept, since its hash costs nothing the second time."""
        kept = self._filters.get(among) if isinstance(among, frozenset) else None
        if kept is None:
            kept = np.fromiter((self._slots[key] for key in among if key in self._slots), np.intp)
            if isinstance(among, frozenset):
                while len(self._filters) >= FILTERS:
                    del self._filters[next(iter(self._filters))]
                self._filters[among] = kept
        return kept


class HnswVectors:
    """`Vectors` as a graph of neighbours (Malkov and Yashunin 2018). Approximate, and derived.

    Such a graph has neither filters nor real deletion: a filter is searched exactly, and what was removed is left
    out by building anew once it is the larger part. With `eight` it keeps its rows in 8 bits, and its cosines
    are a little off: for whoever has the rows themselves at hand.
    """

    library: ClassVar[type[VoyagerGraph | HnswlibGraph]] = VoyagerGraph

    def __init__(
        self, width: int, m: int = 16, construction: int = 200, search: int = 500, *, eight: bool = False
    ) -> None:
        self.width = width
        self._ef = search
        self._empty = partial(self.library, width, m, construction, eight)
        self._near = self._empty()
        self._keys: dict[int, str] = {}
        self._ids: dict[str, int] = {}
        self._next = 0
        self._dead = 0

    def put(self, keys: Sequence[str], rows: Floats) -> None:
        """Add rows (n, d), or replace those whose key is there already."""
        rows = _checked(keys, rows, self.width)
        last = {key: at for at, key in enumerate(keys)}  # of two rows with one key the later one counts
        self.remove(keys)
        if not last:
            return
        ids = list(range(self._next, self._next + len(last)))
        self._next += len(last)
        self._near.add(rows[list(last.values())], ids)
        for key, number in zip(last, ids, strict=True):
            self._keys[number], self._ids[key] = key, number

    def remove(self, keys: Iterable[str]) -> None:
        """Take rows out; a key that is not there is passed over."""
        for key in keys:
            number = self._ids.pop(key, None)
            if number is not None:
                del self._keys[number]
                self._near.forget(number)
                self._dead += 1
        if self._dead > 64 and self._dead > len(self._keys):
            self._compact()

    def search(self, row: Floats, k: int, among: Collection[str] | None = None) -> list[tuple[str, float]]:
        """The `k` nearest keys and their cosine, best first; only those in `among` where it is given."""
        if k <= 0 or not self._keys:
            return []
        if among is not None:
            return self._exact(row, k, [key for key in among if key in self._ids])
        found = self._near.query(row, min(k, len(self._keys)), self._ef)
        hits = [(self._keys[number], round(cosine, 6)) for number, cosine in found if number in self._keys]
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))

    def keys(self) -> list[str]:
        """The keys that are there."""
        return list(self._ids)

    def save(self, path: Path) -> list[tuple[str, int]]:
        """Write the graph to `path`; what comes back is what `load` needs beside the file."""
        self._near.save(path)
        return list(self._ids.items())

    def load(self, path: Path, names: Sequence[tuple[str, int]]) -> None:
        """Read what `save` wrote. The caller has checked its hash: a damaged file can crash the process."""
        self._near.load(path)
        self._ids = dict(names)
        self._keys = {number: key for key, number in names}
        self._next = max(len(self._near), 1 + max(self._keys, default=-1))
        self._dead = len(self._near) - len(self._keys)

    def __contains__(self, key: str) -> bool:
        return key in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def _exact(self, row: Floats, k: int, keys: list[str]) -> list[tuple[str, float]]:
        if not keys:
            return []
        return _best(keys, None, self._near.rows([self._ids[key] for key in keys]) @ row, k)

    def _compact(self) -> None:
        keys = list(self._ids)
        rows = (
            self._near.rows([self._ids[key] for key in keys])
            if keys
            else np.zeros((0, self.width), np.float32)
        )
        self._near, self._keys, self._ids, self._next, self._dead = self._empty(), {}, {}, 0, 0
        self.put(keys, rows)


class HnswlibVectors(HnswVectors):
    """The same on hnswlib, for whoever has installed the extra `hnsw`."""

    library = HnswlibGraph


def _checked(keys: Sequence[str], rows: Floats, width: int) -> Floats:
    rows = np.ascontiguousarray(rows, np.float32)
    if rows.shape != (len(keys), width):
        raise ValueError(f"{len(keys)} keys and width {width} do not fit rows of shape {rows.shape}")
    return rows


def _best(
    keys: Sequence[str], slots: npt.NDArray[np.intp] | None, scores: Floats, k: int
) -> list[tuple[str, float]]:
    """The `k` highest scores, ties by key; `slots` says which key each score belongs to."""
    chosen = np.argpartition(-scores, k - 1)[:k] if k < len(scores) else np.arange(len(scores))
    # Equal rows give products that differ in the last bit, by where they stand in the matrix.
    hits = [(keys[int(at if slots is None else slots[at])], round(float(scores[at]), 6)) for at in chosen]
    return sorted(hits, key=lambda hit: (-hit[1], hit[0]))
