"""Pairs as arrays of word pieces, and batches of them as bags: sparse rows of 1 + log of the count."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from mining import nameless, sentence
from records import KINDS, Pair
from scipy import sparse

from cortex.models.words import WordPiece, fold

Ints = npt.NDArray[np.int64]
#: The columns: first sentence, paragraph, name, head line of the code, the code without the name.
COLUMNS = {"sentence": 64, "paragraph": 96, "name": 16, "head": 32, "code": 320}
_APART_OF = 20  # one source in so many is kept apart, and at least one


@dataclass(frozen=True)
class Column:
    """Ragged rows: the pieces of row `i` are `pieces[starts[i]:starts[i + 1]]`."""

    pieces: npt.NDArray[np.int32]
    starts: Ints

    def lengths(self) -> Ints:
        """How many pieces each row has."""
        return np.diff(self.starts)


@dataclass(frozen=True)
class Table:
    """All pairs: a column for each part, and for each pair its kind, and its source."""

    columns: dict[str, Column]
    kinds: Ints
    sources: Ints
    names: tuple[str, ...]
    pieces: int  # in the vocabulary

    def of_kind(self, kind: str) -> npt.NDArray[np.bool_]:
        """Which pairs are of a kind."""
        return self.kinds == KINDS.index(kind)

    def learnable(self) -> npt.NDArray[np.bool_]:
        """Which pairs say enough on both sides."""
        length = {name: column.lengths() for name, column in self.columns.items()}
        told = np.where(self.of_kind("name"), length["name"] >= 1, length["sentence"] >= 3)
        return np.asarray(told & (length["code"] >= 4), np.bool_)

    def apart(self) -> npt.NDArray[np.bool_]:
        """Which pairs are of sources kept apart."""
        chosen = kept_apart(self.names)
        of = np.array([name in chosen for name in self.names], np.bool_)
        return of[self.sources] if len(self.sources) else np.zeros(0, np.bool_)


def kept_apart(names: Iterable[str]) -> frozenset[str]:
    """The sources to judge on, chosen by a hash of their names, so that it is the same ones each time."""
    order = sorted(set(names), key=lambda name: (zlib.crc32(name.encode()), name))
    return frozenset(order[: max(1, len(order) // _APART_OF)]) if len(order) > 1 else frozenset()


def table(pairs: Iterable[tuple[str, Pair]], vocabulary: Sequence[str]) -> Table:
    """The table of (source, pair)."""
    pieces = WordPiece(vocabulary)
    flat: dict[str, list[npt.NDArray[np.int32]]] = {name: [] for name in COLUMNS}
    kinds, sources = [], []
    numbers: dict[str, int] = {}
    for source, pair in pairs:
        kinds.append(KINDS.index(pair.kind))
        sources.append(numbers.setdefault(source, len(numbers)))
        for name, text in _texts(pair).items():
            flat[name].append(np.array(pieces.ids(fold(text), COLUMNS[name]), np.int32))
    columns = {}
    for name, rows in flat.items():
        starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
        columns[name] = Column(np.concatenate(rows) if rows else np.zeros(0, np.int32), starts)
    return Table(
        columns, np.array(kinds, np.int64), np.array(sources, np.int64), tuple(numbers), len(vocabulary)
    )


def _texts(pair: Pair) -> dict[str, str]:
    told = nameless(pair.text, pair.name)
    code = pair.code
    if pair.name:
        # A question seldom names what it looks for: the name stands apart, and is shown only at times.
        code = re.sub(rf"(?<![A-Za-z0-9_$]){re.escape(pair.name)}(?![A-Za-z0-9_$])", " ", code)
    head, _, _ = code.partition("\n")
    return {
        "sentence": sentence(told),
        "paragraph": told,
        "name": pair.name,
        "head": head[:160],
        "code": code,
    }


def save(path: Path, made: Table) -> None:
    """Keep a table in a file."""
    arrays = {
        f"{name}_{part}": getattr(each, part)
        for name, each in made.columns.items()
        for part in ("pieces", "starts")
    }
    np.savez(
        path, kinds=made.kinds, sources=made.sources, names=np.array(made.names), size=made.pieces, **arrays
    )


def load(path: Path) -> Table:
    """The table that was kept."""
    with np.load(path) as kept:
        columns = {name: Column(kept[f"{name}_pieces"], kept[f"{name}_starts"]) for name in COLUMNS}
        return Table(
            columns,
            kept["kinds"],
            kept["sources"],
            tuple(str(name) for name in kept["names"]),
            int(kept["size"]),
        )


class Bags:
    """Makes bags of rows of a table; chance is its own generator, so that a seed makes the same bags."""

    def __init__(self, of: Table, chance: np.random.Generator) -> None:
        self._table = of
        self._chance = chance

    def bag(
        self,
        rows: Ints,
        parts: Sequence[tuple[str, npt.NDArray[np.bool_]]],
        drop: float = 0.0,
        cropped: npt.NDArray[np.bool_] | None = None,
    ) -> sparse.csr_matrix:
        """(rows, vocabulary) float32; of each part the rows that its mask names; `drop` of the pieces left out.

        Of the code of rows in `cropped` only a window is taken, with the first line: as long code is indexed.
        """
        found, owners = [], []
        for name, mask in parts:
            column = self._table.columns[name]
            starts = column.starts[rows]
            counts = (column.starts[rows + 1] - starts) * mask
            if name == "code" and cropped is not None:
                width = np.minimum(counts, self._chance.integers(40, 140, len(rows)))
                width = np.where(cropped, width, counts)
                starts = starts + (self._chance.random(len(rows)) * (counts - width + 1)).astype(np.int64)
                counts = width
            total = int(counts.sum())
            within = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
            found.append(column.pieces[np.repeat(starts, counts) + within])
            owners.append(np.repeat(np.arange(len(rows)), counts))
        pieces, owner = np.concatenate(found), np.concatenate(owners)
        if drop:
            kept = self._chance.random(len(pieces)) >= drop
            pieces, owner = pieces[kept], owner[kept]
        keys, counts = np.unique(owner * self._table.pieces + pieces, return_counts=True)
        owner, pieces = keys // self._table.pieces, keys % self._table.pieces
        ends = np.searchsorted(owner, np.arange(len(rows) + 1)).astype(np.int32)
        weights = (1 + np.log(counts)).astype(np.float32)
        return sparse.csr_matrix(
            (weights, pieces.astype(np.int32), ends), shape=(len(rows), self._table.pieces)
        )
