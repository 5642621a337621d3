"""Graphs of neighbours by number (Malkov and Yashunin 2018): all that knows voyager and hnswlib."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import voyager

from .protocols import Floats

#: A graph of 8 bits holds -1 to 1: numbers of a unit row are stretched to that, so that but a few in a million,
#: those that are more than five times the usual 1/√width, are cut off.
USUAL = 5.0


class VoyagerGraph:
    """Rows under numbers in voyager, with `m` links each. With `eight` it keeps them in 8 bits, and its cosines are a
    little off: for whoever has the rows themselves at hand.
    """

    def __init__(self, width: int, m: int, construction: int, *, eight: bool = False) -> None:
        self.width = width
        self._eight = eight
        self._stretch = max(1.0, width**0.5 / USUAL) if eight else 1.0
        self._index: Any = voyager.Index(
            voyager.Space.InnerProduct,
            num_dimensions=width,
            M=m,
            ef_construction=construction,
            random_seed=1,
            storage_data_type=voyager.StorageDataType.Float8 if eight else voyager.StorageDataType.Float32,
        )

    def add(self, rows: Floats, numbers: list[int], threads: int = 1) -> None:
        """Add L2-normalised rows (n, d) under new numbers."""
        self._index.add_items(self._stretched(rows), numbers, num_threads=threads)

    def forget(self, number: int) -> None:
        """Find this one no more."""
        self._index.mark_deleted(number)

    def query(self, row: Floats, k: int, search: int) -> list[tuple[int, float]]:
        """About the `k` nearest numbers and their cosine, best first; `search` are looked at, `k` at least."""
        k = min(k, len(self))
        while k:
            try:
                found, distances = self._index.query(self._stretched(row), k=k, query_ef=max(search, k))
            except voyager.RecallError:  # fewer than `k` could be reached from where it began
                k //= 2
                continue
            cosines = (1.0 - np.asarray(distances, np.float64)) / self._stretch**2
            return list(zip(found.tolist(), cosines.tolist(), strict=True))
        return []

    def save(self, path: Path) -> None:
        """Write the graph to a file."""
        self._index.save(str(path))

    def load(self, path: Path) -> None:
        """Read what `save` wrote. The caller has checked its hash: a damaged file can crash the process."""
        self._index = voyager.Index.load(str(path))

    def __len__(self) -> int:
        return int(self._index.num_elements)

    def _stretched(self, rows: Floats) -> Floats:
        return np.clip(rows * np.float32(self._stretch), -1.0, 1.0) if self._eight else rows


def has_hnswlib() -> bool:
    """Whether the extra `hnsw` is installed."""
    return find_spec("hnswlib") is not None


class HnswlibGraph:
    """The same on hnswlib, for whoever has installed the extra `hnsw`; its build is faster by two fifths."""

    def __init__(self, width: int, m: int, construction: int) -> None:
        import hnswlib

        self.width = width
        self._index: Any = hnswlib.Index(space="ip", dim=width)
        self._index.init_index(max_elements=64, ef_construction=construction, M=m, random_seed=1)

    def add(self, rows: Floats, numbers: list[int], threads: int = 1) -> None:
        """Add L2-normalised rows (n, d) under new numbers."""
        if len(self) + len(numbers) > self._index.get_max_elements():
            self._index.resize_index(2 * (len(self) + len(numbers)))
        self._index.add_items(rows, numbers, num_threads=threads)

    def forget(self, number: int) -> None:
        """Find this one no more."""
        self._index.mark_deleted(number)

    def query(self, row: Floats, k: int, search: int) -> list[tuple[int, float]]:
        """About the `k` nearest numbers and their cosine, best first; `search` are looked at, `k` at least."""
        k = min(k, len(self))
        while k:
            self._index.set_ef(max(search, k))
            try:
                found, distances = self._index.knn_query(row, k=k)
            except RuntimeError:
                k //= 2
                continue
            return [
                (int(number), 1.0 - float(far)) for number, far in zip(found[0], distances[0], strict=True)
            ]
        return []

    def save(self, path: Path) -> None:
        """Write the graph to a file."""
        self._index.save_index(str(path))

    def load(self, path: Path) -> None:
        """Read what `save` wrote. The caller has checked its hash."""
        import hnswlib

        self._index = hnswlib.Index(space="ip", dim=self.width)
        self._index.load_index(str(path))

    def __len__(self) -> int:
        return int(self._index.get_current_count())
