"""Which candidates are good enough, and in which order: features, their weights, and thresholds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from ..store.items import NOTICED, Item
from ..store.protocols import Floats
from .candidates import Candidates, places
from .question import NAME, Understood
from .sameness import silent
from .sameness import success as success

#: Names this ranking in exposure records; it changes whenever a weight or a threshold does.
RANKER = "linear-4"
DAY = 86_400_000
HALF_LIVES = tuple(DAY * 4**power // 4 for power in range(6))
#: What a correction's code says of whether it applies to a file: how many of its names stand there, whether it
#: stands there as it was, and how many of the names that came are used there already.
NAMES, VERBATIM, BROUGHT = 0.6, 0.25, 0.15
#: Alike edits of so many commits say as much as more of them.
OFTEN = 8


@dataclass(frozen=True)
class Weights:
    """What each feature gives at most, and what a memory needs to be shown at all.

    `enough` is the evidence (similarity, words, language) asked for in a store of ten; with each doubling the
    best of the unrelated comes `growth` nearer, as measured from 5 to 74 memories, up to `most`. These were
    chosen on `tests/recall_lessons/development.json`, so that at most one unrelated question in twenty gets
    an answer; `most` binds in larger stores alone. `stands` is evidence too, where the text of the file under work is
    at hand: half of what a correction changed is neither for it nor against it. `fits`, `repeats`, `recency` and
    `place` only order what is good enough. They and `stands` were chosen on the histories of `benchmarks/tasks.py`,
    where a learned ranker on held-out histories was no better (docs/benchmarks.md).
    """

    similarity: float = 1.0
    words: float = 0.5
    language: float = 0.3
    fusion: float = 0.05
    stands: float = 0.6
    fits: float = 1.5
    repeats: float = 0.8
    recency: float = 0.8
    success: float = 0.1
    preference: float = 0.02
    scope: float = 0.02
    place: float = 0.3
    freshness: float = 0.08
    graph: float = 0.45  # for what is seen in the very symbol that is named
    named: float = 0.7  # a tie so strong does without likeness and words
    complexity: float = 0.02
    enough: float = 0.40
    growth: float = 0.04
    least: float = 0.34
    most: float = 0.75
    noticed: float = 0.1  # so much more evidence is asked of what nobody wrote down
    least_similarity: float = 0.05
    least_words: float = 0.05
    beside: float = 0.8  # of the best one's evidence: what is much weaker than the best is not shown
    behind: float = 0.5  # of the best one's score: what is further behind is not shown, with the file at hand

    def threshold(self, size: int) -> float:
        """The evidence that a memory needs among `size` memories."""
        return min(self.most, max(self.least, self.enough + self.growth * math.log2(max(1, size) / 10)))

    def more(self, item: Item) -> float:
        """How much more evidence a memory needs than others: most are corrections, or were written by somebody."""
        return self.noticed if item.origin in NOTICED else 0.0


@dataclass(frozen=True)
class Ranked:
    """A memory with its score: the sum of `why`, feature → contribution; `dropped` says why not."""

    item: Item
    score: float
    why: Mapping[str, float]
    dropped: str = ""
    stale: str = ""  # what became of its code since


def rank(
    asked: Understood,
    found: Candidates,
    now: int,
    exists: Callable[[str], bool] | None,
    weights: Weights | None = None,
    *,
    whole: bool = False,
) -> list[Ranked]:
    """The candidates that are good enough and the nearest of the others, each of them best first.

    Of those others `MISSES` are measured, or all with `whole`: most of what is found is far from enough, and its
    likeness and words say so without its being read.
    """
    weights = weights or Weights()
    close = range(len(found.items)) if whole else _close(asked, found, weights)
    measures = features(asked, found, now, close)
    evidence = [_evidence(weights, each) for each in measures]
    shares = [sum(each.values()) for each in evidence]
    needed = max([weights.threshold(found.size) + asked.bar, *(weights.beside * share for share in shares)])
    out = []
    for at, why, told, share in zip(close, evidence, measures, shares, strict=True):
        item, stale = found.items[at], ""
        tied = found.graph.get(item.id, 0.0)
        if tied:
            why["graph"] = weights.graph * tied
        named = tied >= weights.named  # a weaker tie only says what comes first
        dropped = _gate(
            weights, item, why, share + (why["graph"] if named else 0.0), needed + weights.more(item), named
        )
        for name in LATER:
            if name in told:
                why[name] = float(getattr(weights, name)) * told[name]
        if not dropped and exists is not None and (paths := places(item)):
            stale = "" if any(exists(path) for path in paths) else "that file is gone"
            why["freshness"] = -weights.freshness if stale else 0.0
        out.append(Ranked(item, sum(why.values()), why, dropped, stale))
    if asked.code:  # which says more of what applies than age may hide
        least = max((each.score for each in out if not each.dropped), default=0.0) - weights.behind
        out = [replace(each, dropped=each.dropped or "weak") if each.score < least else each for each in out]
    out.sort(key=lambda each: (bool(each.dropped), -each.score, each.item.id))
    return out


#: So many of what is not good enough are measured: those that an answer's record names.
MISSES = 5


def _close(asked: Understood, found: Candidates, weights: Weights) -> list[int]:
    """Which candidates may be good enough, and the nearest of the others, told without reading any of them."""
    if not len(found.items):
        return []
    share = weights.similarity * _likeness(found) + weights.words * found.words
    if found.languages:
        share -= weights.language * np.array([_is_other(asked, each) for each in found.languages], np.float32)
    tied = np.array([found.graph.get(m, 0.0) for m in found.items.ids], np.float32)
    # What the file under work says of each is not known yet: half of its weight, for it or against it.
    open_by = weights.stands / 2 if asked.code else 0.0
    needed = max(weights.threshold(found.size) + asked.bar, weights.beside * (float(share.max()) - open_by))
    enough = share + weights.graph * np.where(tied >= weights.named, tied, 0) + open_by >= needed - ROUNDING
    nearest = np.argsort(-(share + weights.graph * tied), kind="stable")[: int(enough.sum()) + MISSES]
    return sorted({*np.flatnonzero(enough).tolist(), *nearest.tolist()})


#: What sums of the same numbers in another order may be off by.
ROUNDING = 1e-5


def _likeness(found: Candidates) -> Floats:
    return np.asarray(np.maximum(np.maximum(found.code, found.text), 0), np.float32)


def _is_other(asked: Understood, language: str) -> bool:
    """Whether a memory is of another language than those that are named."""
    return bool(asked.named and language and language not in asked.named)


#: Features that say what comes first among those that are good enough, and nothing of whether they are.
LATER = ("fusion", "fits", "repeats", "recency", "success", "preference", "scope", "place", "complexity")
#: Of so many, the best, it is asked: more than an answer has room for.
ASKED = 12


def fresh(
    ranked: Sequence[Ranked], standing: Callable[[Item], str], weights: Weights | None = None
) -> list[Ranked]:
    """The same anew, where those that are good enough were asked what became of their code."""
    least, out = (weights or Weights()).freshness, []
    for place, each in enumerate(ranked):
        if not each.dropped and place < ASKED:
            stale = standing(each.item)
            why = {**each.why, "freshness": -least if stale else 0.0}
            each = replace(each, why=why, score=sum(why.values()), stale=stale)
        out.append(each)
    return sorted(out, key=lambda each: (bool(each.dropped), -each.score, each.item.id))


def features(
    asked: Understood, found: Candidates, now: int, places: Sequence[int] | None = None
) -> list[dict[str, float]]:
    """What can be measured of the candidates at these places, of all without them: from 0 to 1 but for `success` and
    `language` (below 0 too).

    `place` is left out where no file is asked about, `fits` where no code is given or a memory has none, `stands`
    where the file's text is not at hand: it goes from -0.5 to 0.5.
    """
    places = range(len(found.items)) if places is None else places
    items = [found.items[at] for at in places]
    fitting = fits(asked, items)
    likeness = _likeness(found)
    often = repeats(found, places)
    out = []
    for number, (at, item) in enumerate(zip(places, items, strict=True)):
        told = {"similarity": float(likeness[at]), "words": float(found.words[at])}
        if _is_other(asked, item.language):
            told["language"] = -1.0
        told["fusion"] = float(found.fused[at])
        told["recency"] = recency(now - item.created)
        told["success"] = success(item) - 0.5
        told["preference"] = float(item.hand == "person" or item.kind == "note")
        told["scope"] = float(item.scope in ("project", "user"))
        told["repeats"] = often[number]
        if fitting and (share := fitting[number]) is not None:
            told["fits"] = share
            if asked.code:
                told["stands"] = share - 0.5
        if item.id in found.complexity:
            told["complexity"] = found.complexity[item.id]
        if asked.file:
            told["place"] = nearness(asked.file, item)
        out.append(told)
    return out


def recency(age: int) -> float:
    """The mean of exponential decays, from a half-life of six hours to one of 256 days, so that an hour is told from a
    day as a month is from half a year; `age` is in ms.
    """
    return float(sum(0.5 ** (max(0, age) / each) for each in HALF_LIVES)) / len(HALF_LIVES)


def fits(asked: Understood, items: Sequence[Item]) -> list[float | None]:
    """How much of what each correction changed stands in the code that is given, 0 to 1; None for what has none.

    Empty where the question holds no code, since a name that prose shares says nothing.
    """
    if not asked.here:
        return []
    out: list[float | None] = []
    for item in items:
        was, came, text = (
            _changed(item.evidence[0].before, item.evidence[0].after) if item.evidence else _NONE
        )
        if not was:
            out.append(None)
            continue
        told = NAMES * len(was & asked.here) / len(was)
        if was <= asked.here and text in asked.code:
            told += VERBATIM
        if came:
            told += BROUGHT * len(came & asked.here) / len(came)
        out.append(told)
    return out


_NONE: tuple[frozenset[str], frozenset[str], str] = (frozenset(), frozenset(), "")


@lru_cache(maxsize=4_096)
def _changed(before: str, after: str) -> tuple[frozenset[str], frozenset[str], str]:
    """The names of what was, those that came, and what was on one line."""
    was = frozenset(NAME.findall(before))
    return was, frozenset(NAME.findall(after)) - was, " ".join(before.split())


def repeats(found: Candidates, places: Sequence[int]) -> list[float]:
    """How often the edit of each candidate was made, 0 for once to 1: in how many commits the same went and came."""
    edits = found.edits[np.asarray(places, np.int64)].tolist()
    often: dict[int, float] = {}
    for edit in dict.fromkeys(edits):
        commits: set[str] = set()
        for other in found.alike(edit):
            commits.update(each.commit for each in other.evidence)
            if len(commits) >= OFTEN:
                break
        often[edit] = min(1.0, math.log2(max(1, len(commits))) / math.log2(OFTEN))
    return [often[edit] for edit in edits]


def _evidence(weights: Weights, told: Mapping[str, float]) -> dict[str, float]:
    """What speaks for a memory by itself, whatever else is in the store."""
    return {
        name: float(getattr(weights, name)) * told[name]
        for name in ("similarity", "words", "language", "stands")
        if name in told
    }


def _gate(
    weights: Weights, item: Item, why: Mapping[str, float], share: float, needed: float, named: bool
) -> str:
    """Why a memory is not good enough, in one word; empty when it is."""
    if reason := silent(item):
        return reason
    if named:
        return "weak" if share < needed else ""
    if why["similarity"] < weights.similarity * weights.least_similarity:
        return "weak"
    if why["words"] < weights.words * weights.least_words or share < needed:
        return "weak"
    return ""


def nearness(file: str, item: Item) -> float:
    """1 for a memory of the same file, less for one of the same folder, 0 for one of another place."""
    best = 0.0
    folder = file.rpartition("/")[0]
    for path in places(item):
        if path == file:
            return 1.0
        if path.rpartition("/")[0] == folder:
            best = max(best, 0.5)
    return best
