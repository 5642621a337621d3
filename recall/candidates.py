"""The first look: up to two hundred memories by vectors and words together, under hard filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..store.index import MemoryIndex
from ..store.items import Item
from ..store.protocols import Floats
from .question import Understood

EACH = 100
#: Reciprocal rank fusion's constant (Cormack, Clarke and Büttcher 2009).
RRF = 60


@dataclass(frozen=True)
class Candidates:
    """Items and, for each, its cosines, its BM25 score (0 for none) and its place in the fusion (0 to 1).

    `size` is how many memories they were chosen from.
    """

    items: tuple[Item, ...]
    code: Floats
    text: Floats
    bm25: Floats
    fused: Floats
    size: int
    dropped: Mapping[str, int]


def candidates(
    asked: Understood, row: Floats, known: Mapping[str, Item], index: MemoryIndex, each: int = EACH
) -> Candidates:
    """Look in the index, by vectors and by words; `dropped` says what the filters left out of their finds."""
    among = index.select(asked.languages, asked.folder)
    near = [m for m, _ in index.vectors(row, each, among)]
    words = dict(index.words(" ".join(asked.terms), each, among))
    ids = [m for m in dict.fromkeys((*near, *words)) if m in known]
    code, text = index.similarities(row, ids)
    bm25 = np.fromiter((words.get(m, 0.0) for m in ids), np.float32, len(ids))
    items = tuple(known[m] for m in ids)
    size = len(index) if among is None else len(among)
    dropped = {"filtered": len(index) - size} if size < len(index) else {}
    fused = fuse(asked.kind, np.maximum(code, text), bm25)
    return Candidates(items, code, text, bm25, fused, size, dropped)


def fuse(kind: str, cosines: Floats, bm25: Floats) -> Floats:
    """One order of two, from 0 to 1.

    Prose is asked by rank (reciprocal ranks), tasks and code by the sum of z-scores: measured on docstrings
    and on commit subjects, neither suits both.
    """
    if not len(cosines):
        return np.zeros(0, np.float32)
    if kind == "prose":
        both = 1 / (RRF + _ranks(cosines)) + np.where(bm25 > 0, 1 / (RRF + _ranks(bm25)), 0.0)
        return np.asarray(both * (RRF + 1) / 2, np.float32)
    total = _standard(cosines) + _standard(bm25)
    low, high = float(total.min()), float(total.max())
    return np.asarray((total - low) / (high - low) if high > low else np.ones(len(total)), np.float32)


def _ranks(scores: Floats) -> npt.NDArray[np.float64]:
    order = np.argsort(-scores, kind="stable")
    out = np.empty(len(scores), np.float64)
    out[order] = np.arange(1, len(scores) + 1)
    return out


def _standard(scores: Floats) -> Floats:
    return np.asarray((scores - scores.mean()) / (scores.std() + 1e-9), np.float32)


def places(item: Item) -> Sequence[str]:
    """The paths that a memory speaks of."""
    return tuple(dict.fromkeys(path for path in (item.path, *(each.path for each in item.evidence)) if path))
