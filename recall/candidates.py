"""The first look: up to two hundred memories by vectors and words together, under hard filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..store.index import MemoryIndex
from ..store.items import Item
from ..store.protocols import Floats
from .question import Understood
from .surroundings import Code, Surroundings, likeness, surroundings

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
    graph: Mapping[str, float] = field(default_factory=dict)  # memory → its tie to what is named
    complexity: Mapping[str, float] = field(default_factory=dict)  # memory → how like its function is
    among: frozenset[str] | None = None  # what the filters let through; None for all


def candidates(
    asked: Understood,
    row: Floats,
    known: Mapping[str, Item],
    index: MemoryIndex,
    each: int = EACH,
    code: Code | None = None,
) -> Candidates:
    """Look in the index, by vectors, by words, and around what is named, where the `code` of the repository is given.

    `dropped` says what the filters left out of their finds.
    """
    among = index.select(asked.languages, asked.folder)
    near = [m for m, _ in index.vectors(row, each, among)]
    words = dict(index.words(" ".join(asked.terms), each, among))
    around = surroundings(asked, index.graph, code, known, among) if code is not None else Surroundings()
    ids = [m for m in dict.fromkeys((*near, *words, *around.memories)) if m in known]
    by_code, text = index.similarities(row, ids)
    bm25 = np.fromiter((words.get(m, 0.0) for m in ids), np.float32, len(ids))
    items = tuple(known[m] for m in ids)
    size = len(index) if among is None else len(among)
    dropped = {"filtered": len(index) - size} if size < len(index) else {}
    if among is None and index.unseen:
        dropped["unseen"] = index.unseen
    fused = fuse(asked.kind, np.maximum(by_code, text), bm25)
    alike = likeness(around, [items[at] for at in np.argsort(-fused, kind="stable")], code) if code else {}
    return Candidates(items, by_code, text, bm25, fused, size, dropped, around.memories, alike, among)


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
