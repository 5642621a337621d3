"""Nearest neighbours by cosine: exact, in numpy."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from .protocols import Floats

#: How many filters keep their rows: a question's filter is one of a few languages.
FILTERS = 8


class ExactVectors:
    """`Vectors` as one matrix: every search is a product with all rows, or with those that it is among."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._rows: Floats = np.zeros((0, width), np.float32)
        self._keys: list[str] = []
        self._slots: dict[str, int] = {}
        self._filters: dict[frozenset[str], npt.NDArray[np.intp]] = {}

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
        rows = self._rows[: len(self._keys)] if slots is None else self._rows[slots]
        return np.asarray(rows @ row, np.float32)

    def _grow(self, size: int) -> None:
        if size > len(self._rows):
            # Many rows grow by a quarter, so that little lies empty.
            room = 2 * len(self._rows) if len(self._rows) < 100_000 else len(self._rows) * 5 // 4
            rows = np.zeros((max(size, room, 64), self.width), np.float32)
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
