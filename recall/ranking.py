"""Which candidates are good enough, and in which order: features, their weights, and thresholds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from ..store.items import Item
from .candidates import Candidates, places
from .concepts import concepts_in, words_of
from .question import Understood

#: Names this ranking in exposure records; it changes whenever a weight or a threshold does.
RANKER = "linear-1"
DAY = 86_400_000
#: What a word counts whose concept a memory speaks of, where one that it names counts 1.
BY_CONCEPT = 0.75


@dataclass(frozen=True)
class Weights:
    """What each feature gives at most, and what a memory needs to be shown at all.

    `enough` is the evidence (similarity, words, language) asked for in a store of ten; with each doubling the
    best of the unrelated comes `growth` nearer, as measured from 5 to 74 memories, up to `most`. All were
    chosen on `tests/recall_lessons/development.json`, so that at most one unrelated question in twenty gets
    an answer.
    """

    similarity: float = 1.0
    words: float = 0.5
    language: float = 0.3
    fusion: float = 0.05
    recency: float = 0.03
    half_life: int = 180 * DAY
    success: float = 0.1
    scope: float = 0.02
    place: float = 0.06
    freshness: float = 0.08
    graph: float = 0.45  # for what is seen in the very symbol that is named
    named: float = 0.7  # a tie so strong does without likeness and words
    complexity: float = 0.02
    enough: float = 0.40
    growth: float = 0.04
    least: float = 0.34
    most: float = 0.55
    least_similarity: float = 0.05
    least_words: float = 0.05
    beside: float = 0.75  # of the best one's evidence: what is much weaker than the best is not shown

    def threshold(self, size: int) -> float:
        """The evidence that a memory needs among `size` memories."""
        return min(self.most, max(self.least, self.enough + self.growth * math.log2(max(1, size) / 10)))


@dataclass(frozen=True)
class Ranked:
    """A memory with its score: the sum of `why`, feature → contribution; `dropped` says why not."""

    item: Item
    score: float
    why: Mapping[str, float]
    dropped: str = ""
    stale: str = ""  # what became of its code since


def coverage(asked: Understood, item: Item) -> float:
    """How much of a question's words a memory holds, 0 to 1.

    A word that it names counts whole, one whose concept it speaks of three quarters. Unlike BM25 this means
    the same in a store of ten memories and of a million.
    """
    there = words_of(item.words)
    got = total = 0.0
    for term, weight, concepts in asked.weighted:
        total += weight
        if term in there:
            got += weight
        elif concepts and not concepts.isdisjoint(concepts_in(item.words)):
            got += BY_CONCEPT * weight
    return got / total if total else 0.0


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
    needed = weights.threshold(found.size)
    evidence = [_evidence(weights, asked, item, at, found) for at, item in enumerate(found.items)]
    shares = [sum(each.values()) for each in evidence]
    needed = max([needed, *(weights.beside * share for share in shares)])
    for at, item in enumerate(found.items):
        why = evidence[at]
        tied, stale = found.graph.get(item.id, 0.0), ""
        if tied:
            why["graph"] = weights.graph * tied
        named = tied >= weights.named  # a weaker tie only says what comes first
        share = shares[at] + (why["graph"] if named else 0.0)
        dropped = _gate(weights, item, why, share, needed, named)
        why["fusion"] = weights.fusion * float(found.fused[at])
        why["recency"] = weights.recency * 0.5 ** (max(0, now - item.created) / weights.half_life)
        why["success"] = weights.success * (success(item) - 0.5)
        why["scope"] = weights.scope if item.scope in ("project", "user") else 0.0
        if asked.file:
            why["place"] = weights.place * nearness(asked.file, item)
        if item.id in found.complexity:
            why["complexity"] = weights.complexity * found.complexity[item.id]
        if not dropped and exists is not None and (paths := places(item)):
            stale = "" if any(exists(path) for path in paths) else "that file is gone"
            why["freshness"] = -weights.freshness if stale else 0.0
        out.append(Ranked(item, sum(why.values()), why, dropped, stale))
    out.sort(key=lambda each: (bool(each.dropped), -each.score, each.item.id))
    return out


def fresh(
    ranked: Sequence[Ranked], standing: Callable[[Item], str], weights: Weights | None = None
) -> list[Ranked]:
    """The same anew, where those that are good enough were asked what became of their code."""
    least, out = (weights or Weights()).freshness, []
    for each in ranked:
        stale = "" if each.dropped else standing(each.item)
        if not each.dropped:
            why = {**each.why, "freshness": -least if stale else 0.0}
            each = replace(each, why=why, score=sum(why.values()), stale=stale)
        out.append(each)
    return sorted(out, key=lambda each: (bool(each.dropped), -each.score, each.item.id))


def _evidence(
    weights: Weights, asked: Understood, item: Item, at: int, found: Candidates
) -> dict[str, float]:
    """What speaks for a memory by itself, whatever else is in the store."""
    cosine = max(0.0, float(found.code[at]), float(found.text[at]))
    why = {"similarity": weights.similarity * cosine, "words": weights.words * coverage(asked, item)}
    if asked.named and item.language and item.language not in asked.named:
        why["language"] = -weights.language
    return why


def _gate(weights: Weights, item: Item, why: Mapping[str, float], share: float, needed: float, named: bool) -> str:
    """Why a memory is not good enough, in one word; empty when it is."""
    if share < needed and item.status != "retired" and not item.against:
        return "weak"  # most are; the reasons that come before it need one of those
    if item.status == "retired":
        return "retired"
    if item.against >= 1 and success(item) < 0.35:
        return "disputed"
    if named:
        return "weak" if share < needed else ""
    if why["similarity"] < weights.similarity * weights.least_similarity:
        return "weak"
    if why["words"] < weights.words * weights.least_words or share < needed:
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
