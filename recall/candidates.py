"""The first look: up to two hundred memories by vectors and words together, under hard filters."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import overload

import numpy as np
import numpy.typing as npt

from ..store.items import Item
from ..store.protocols import Floats, Index
from .concepts import stems_of
from .question import Understood
from .surroundings import Code, Surroundings, likeness, surroundings

EACH = 100
#: What a word counts whose concept a memory speaks of, where one that it names counts 1.
BY_CONCEPT = 0.75
#: A question of fewer telling words ("fix tests") names too little for a memory of the same words to be meant.
LEAST_SAID = 2.0
#: Reciprocal rank fusion's constant (Cormack, Clarke and Büttcher 2009).
RRF = 60


class Items(Sequence[Item]):
    """Memories by their place; each is read when it is asked for, since of most their numbers say enough."""

    def __init__(self, ids: Sequence[str], known: Mapping[str, Item]) -> None:
        self.ids = ids
        self._known = known

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, at: int) -> Item: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Item]: ...

    def __getitem__(self, at: int | slice) -> Item | Sequence[Item]:
        return Items(self.ids[at], self._known) if isinstance(at, slice) else self._known[self.ids[at]]


@dataclass(frozen=True)
class Candidates:
    """Items and, for each, its cosines, how much of the question's words it holds, its BM25 score (0 for none), its
    place in the fusion (0 to 1), its language, and what it changed (see `edits.edit_key`).

    `size` is how many memories they were chosen from; `languages` is empty where none was asked for.
    """

    items: Items
    code: Floats
    text: Floats
    words: Floats
    bm25: Floats
    fused: Floats
    edits: npt.NDArray[np.uint64]
    languages: Sequence[str]
    size: int
    dropped: Mapping[str, int]
    graph: Mapping[str, float] = field(default_factory=dict)  # memory → its tie to what is named
    complexity: Mapping[str, float] = field(default_factory=dict)  # memory → how like its function is
    among: Collection[str] | None = None  # what the filters let through; None for all

    def nearest(self, most: int) -> list[Item]:
        """Those of which likeness and words say the most."""
        best = np.argsort(-(np.maximum(self.code, self.text) + self.words / 2), kind="stable")[:most]
        return [self.items[int(at)] for at in best]

    def alike(self, edit: int) -> Iterator[Item]:
        """The candidates whose first edit is this one; none for 0."""
        return (self.items[int(at)] for at in (np.flatnonzero(self.edits == edit) if edit else ()))

    def edit_of(self, m: str) -> int:
        """What the first edit of one of them changed, as a number."""
        return int(self.edits[self._places[m]])

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {m: at for at, m in enumerate(self.items.ids)}


def candidates(
    asked: Understood,
    row: Floats,
    known: Mapping[str, Item],
    index: Index,
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
    ids = list(dict.fromkeys((*near, *words, *around.memories)))
    by_code, text = index.similarities(row, ids)
    held = covered(asked, index, ids)
    bm25 = np.fromiter((words.get(m, 0.0) for m in ids), np.float32, len(ids))
    size = len(index) if among is None else len(among)
    dropped = {"filtered": len(index) - size} if size < len(index) else {}
    if among is None and index.unseen:
        dropped["unseen"] = index.unseen
    fused = fuse(asked.kind, np.maximum(by_code, text), bm25)
    items = Items(ids, known)
    best = (items[int(at)] for at in np.argsort(-fused, kind="stable"))
    return Candidates(
        items,
        by_code,
        text,
        held,
        bm25,
        fused,
        index.edits(ids),
        index.languages(ids) if asked.named else (),
        size,
        dropped,
        around.memories,
        likeness(around, best, code) if code else {},
        among,
    )


def covered(asked: Understood, index: Index, ids: Sequence[str]) -> Floats:
    """How much of a question's words each memory holds, 0 to 1.

    A word that it names counts whole, one whose concept it speaks of three quarters. Unlike BM25 this means
    the same in a store of ten memories and of a million.
    """
    if not asked.weighted or not ids:
        return np.zeros(len(ids), np.float32)
    groups: list[Collection[str]] = [[term] for term, _, _ in asked.weighted]
    groups += [stems_of(concepts) for _, _, concepts in asked.weighted]
    holds = index.holding(ids, groups)
    half = len(asked.weighted)
    weights = np.array([weight for _, weight, _ in asked.weighted], np.float32)
    told = np.where(holds[:, :half], np.float32(1), np.float32(BY_CONCEPT) * holds[:, half:])
    return np.asarray(told @ weights / max(float(weights.sum()), LEAST_SAID), np.float32)


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
