"""Which candidates are good enough, and in which order: features, their weights, and thresholds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from ..store.items import Item
from .candidates import Candidates, places
from .concepts import concepts_in, concepts_of, words_of
from .question import Understood

#: Names this ranking in exposure records; it changes whenever a weight or a threshold does.
RANKER = "linear-1"
DAY = 86_400_000


@dataclass(frozen=True)
class Weights:
    """What each feature gives at most, and what a memory needs to be shown at all.

    The thresholds were chosen on the development set of `tests/recall_lessons`, for at most one unrelated
    question in twenty that gets an answer.
    """

    similarity: float = 1.0
    words: float = 0.5
    fusion: float = 0.05
    recency: float = 0.03
    half_life: int = 180 * DAY
    success: float = 0.1
    scope: float = 0.02
    place: float = 0.06
    freshness: float = 0.08
    language: float = 0.15
    enough: float = 0.42
    least_similarity: float = 0.1
    least_words: float = 0.1


@dataclass(frozen=True)
class Ranked:
    """A memory with its score: the sum of `why`, feature → contribution; `dropped` says why not."""

    item: Item
    score: float
    why: Mapping[str, float]
    dropped: str = ""
    stale: bool = False


def coverage(asked: Understood, item: Item) -> float:
    """How much of a question's words a memory holds, 0 to 1.

    A word that it names counts whole, one whose concept it speaks of half. Unlike BM25 this means the same in
    a store of ten memories and of a million.
    """
    total = sum(asked.weights)
    if not total:
        return 0.0
    there, about = words_of(item.words), concepts_in(item.words)
    got = 0.0
    for term, weight in zip(asked.terms, asked.weights, strict=True):
        if term in there:
            got += weight
        elif about & concepts_of((term,)):
            got += weight / 2
    return got / total


def rank(
    asked: Understood,
    found: Candidates,
    now: int,
    exists: Callable[[str], bool] | None,
    weights: Weights | None = None,
) -> list[Ranked]:
    """All candidates, those good enough first, each best first."""
    weights = weights or Weights()
    out = []
    for at, item in enumerate(found.items):
        cosine = max(0.0, float(found.code[at]), float(found.text[at]))
        held = coverage(asked, item)
        why = {"similarity": weights.similarity * cosine, "words": weights.words * held}
        if asked.named and item.language:
            why["language"] = 0.0 if item.language in asked.named else -weights.language
        dropped = _gate(weights, item, cosine, held, sum(why.values()))
        stale = False
        why["fusion"] = weights.fusion * float(found.fused[at])
        why["recency"] = weights.recency * 0.5 ** (max(0, now - item.created) / weights.half_life)
        why["success"] = weights.success * (success(item) - 0.5)
        why["scope"] = weights.scope if item.scope in ("project", "user") else 0.0
        if asked.file:
            why["place"] = weights.place * nearness(asked.file, item)
        if not dropped and exists is not None and (paths := places(item)):
            stale = not any(exists(path) for path in paths)
            why["freshness"] = -weights.freshness if stale else 0.0
        out.append(Ranked(item, sum(why.values()), why, dropped, stale))
    out.sort(key=lambda each: (bool(each.dropped), -each.score, each.item.id))
    return out


def _gate(weights: Weights, item: Item, cosine: float, held: float, evidence: float) -> str:
    """Why a memory is not good enough, in one word; empty when it is."""
    if item.status == "retired":
        return "retired"
    if item.against >= 1 and success(item) < 0.35:
        return "disputed"
    if cosine < weights.least_similarity or held < weights.least_words or evidence < weights.enough:
        return "weak"
    return ""


def success(item: Item) -> float:
    """The mean of the Beta posterior of being right, from a uniform prior; support counts to ten at most."""
    support = min(item.support, 10)
    return (support + 1) / (support + item.against + 2)


def nearness(file: str, item: Item) -> float:
    """1 for a memory of the same file, less for one of the same folder, 0 for one of another place."""
    best = 0.0
    folder = PurePosixPath(file).parent
    for path in places(item):
        if path == file:
            return 1.0
        if PurePosixPath(path).parent == folder:
            best = max(best, 0.5)
    return best
