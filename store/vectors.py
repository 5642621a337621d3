"""Nearest neighbours by cosine: exact in numpy, and HNSW on voyager or hnswlib."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import voyager

from .protocols import Floats

#: How many filters keep their rows: a question's filter is one of a few languages.
FILTERS = 8
#: So many rows of 16 bits are widened at a time: numpy multiplies no others fast.
WIDENED = 4_096
#: A graph of 8 bits holds -1 to 1: numbers of a unit row are stretched to that, so that but a few in a million,
#: those that are more than five times the usual 1/√width, are cut off.
USUAL = 5.0


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
    """`Vectors` as a graph of neighbours (Malkov and Yashunin 2018) in voyager. Approximate, and derived.

    voyager has neither filters nor real deletion: a filter is searched exactly, and what was removed is left
    out by building anew once it is the larger part. With `eight` it keeps its rows in 8 bits, and its cosines
    are a little off: for whoever has the rows themselves at hand.
    """

    def __init__(
        self, width: int, m: int = 16, construction: int = 200, search: int = 500, *, eight: bool = False
    ) -> None:
        self.width = width
        self._eight = eight
        self._stretch = max(1.0, width**0.5 / USUAL) if eight else 1.0
        self._m, self._construction, self._ef = m, construction, search
        self._index = self._empty()
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
        self._add(rows[list(last.values())], ids)
        for key, number in zip(last, ids, strict=True):
            self._keys[number], self._ids[key] = key, number

    def remove(self, keys: Iterable[str]) -> None:
        """Take rows out; a key that is not there is passed over."""
        for key in keys:
            number = self._ids.pop(key, None)
            if number is not None:
                del self._keys[number]
                self._forget(number)
                self._dead += 1
        if self._dead > 64 and self._dead > len(self._keys):
            self._compact()

    def search(self, row: Floats, k: int, among: Collection[str] | None = None) -> list[tuple[str, float]]:
        """The `k` nearest keys and their cosine, best first; only those in `among` where it is given."""
        if k <= 0 or not self._keys:
            return []
        if among is not None:
            return self._exact(row, k, [key for key in among if key in self._ids])
        found = self._query(row, min(k, len(self._keys)))
        hits = [(self._keys[number], round(cosine, 6)) for number, cosine in found if number in self._keys]
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))

    def keys(self) -> list[str]:
        """The keys that are there."""
        return list(self._ids)

    def save(self, path: Path) -> list[tuple[str, int]]:
        """Write the graph to `path`; what comes back is what `load` needs beside the file."""
        self._index.save(str(path))
        return list(self._ids.items())

    def load(self, path: Path, names: Sequence[tuple[str, int]]) -> None:
        """Read what `save` wrote. The caller has checked its hash: a damaged file can crash the process."""
        self._index = self._read(path)
        self._ids = dict(names)
        self._keys = {number: key for key, number in names}
        self._next = max(self._size(), 1 + max(self._keys, default=-1))
        self._dead = self._size() - len(self._keys)

    def __contains__(self, key: str) -> bool:
        return key in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def _exact(self, row: Floats, k: int, keys: list[str]) -> list[tuple[str, float]]:
        if not keys:
            return []
        return _best(keys, None, self._get([self._ids[key] for key in keys]) @ row, k)

    def _compact(self) -> None:
        keys = list(self._ids)
        rows = self._get([self._ids[key] for key in keys]) if keys else np.zeros((0, self.width), np.float32)
        self._index, self._keys, self._ids, self._next, self._dead = self._empty(), {}, {}, 0, 0
        self.put(keys, rows)

    # What follows is all that knows the library.

    def _empty(self) -> Any:
        return voyager.Index(
            voyager.Space.InnerProduct,
            num_dimensions=self.width,
            M=self._m,
            ef_construction=self._construction,
            random_seed=1,
            storage_data_type=voyager.StorageDataType.Float8
            if self._eight
            else voyager.StorageDataType.Float32,
        )

    def _read(self, path: Path) -> Any:
        return voyager.Index.load(str(path))

    def _size(self) -> int:
        return int(self._index.num_elements)

    def _add(self, rows: Floats, ids: list[int]) -> None:
        self._index.add_items(self._stretched(rows), ids, num_threads=1)

    def _stretched(self, rows: Floats) -> Floats:
        return np.clip(rows * np.float32(self._stretch), -1.0, 1.0) if self._eight else rows

    def _forget(self, number: int) -> None:
        self._index.mark_deleted(number)

    def _get(self, ids: list[int]) -> Floats:
        rows = np.asarray(self._index.get_vectors(ids), np.float32)
        return np.asarray(rows / np.float32(self._stretch), np.float32)

    def _query(self, row: Floats, k: int) -> list[tuple[int, float]]:
        while k:
            try:
                ids, distances = self._index.query(self._stretched(row), k=k, query_ef=max(self._ef, k))
            except voyager.RecallError:  # fewer than `k` could be reached from where it began
                k //= 2
                continue
            scale = self._stretch**2
            return [
                (int(number), (1.0 - float(far)) / scale) for number, far in zip(ids, distances, strict=True)
            ]
        return []


def has_hnswlib() -> bool:
    """Whether the extra `hnsw` is installed."""
    return find_spec("hnswlib") is not None


class HnswlibVectors(HnswVectors):
    """The same on hnswlib, for whoever has installed the extra `hnsw`; its build is faster by two fifths."""

    def _empty(self) -> Any:
        import hnswlib

        index = hnswlib.Index(space="ip", dim=self.width)
        index.init_index(max_elements=64, ef_construction=self._construction, M=self._m, random_seed=1)
        return index

    def _read(self, path: Path) -> Any:
        import hnswlib

        index = hnswlib.Index(space="ip", dim=self.width)
        index.load_index(str(path))
        return index

    def save(self, path: Path) -> list[tuple[str, int]]:
        """Write the graph to `path`; what comes back is what `load` needs beside the file."""
        self._index.save_index(str(path))
        return list(self._ids.items())

    def _size(self) -> int:
        return int(self._index.get_current_count())

    def _add(self, rows: Floats, ids: list[int]) -> None:
        if self._size() + len(ids) > self._index.get_max_elements():
            self._index.resize_index(2 * (self._size() + len(ids)))
        self._index.add_items(rows, ids, num_threads=1)

    def _get(self, ids: list[int]) -> Floats:
        return np.asarray(self._index.get_items(ids), np.float32)

    def _query(self, row: Floats, k: int) -> list[tuple[int, float]]:
        while k:
            self._index.set_ef(max(self._ef, k))
            try:
                ids, distances = self._index.knn_query(row, k=k)
            except RuntimeError:
                k //= 2
                continue
            return [(int(number), 1.0 - float(far)) for number, far in zip(ids[0], distances[0], strict=True)]
        return []


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
