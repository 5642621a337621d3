"""Why an answer is what it is: for a person to read, and for the record."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..store.items import Item
from ..store.kinds import MILLION, Exposure, Shown
from .concepts import concepts_in, words_of
from .question import Understood
from .ranking import MISSES, RANKER, Ranked, Weights

#: Why a memory was left out, for a person.
REASONS = {
    "weak": "too little speaks for it",
    "contradicted": "a newer or a surer one says the contrary",
    "repeated": "another one says it already",
    "limit": "better ones have taken all places",
    "budget": "no room is left for it",
    "disputed": "more speaks against it than for it",
    "retired": "it holds no longer",
    "one author's share": "its author has a share of the answer already",
    "superseded": "another one has taken its place",
    "its code is gone": "neither its places nor anything that it changed is left in the tree",
}
#: The features that say whether a memory is good enough; all others say what comes first.
EVIDENCE = ("similarity", "words", "language", "stands")


@dataclass(frozen=True)
class Gate:
    """What was measured of a memory, how much of it there was, and how much it takes to be shown."""

    measure: str
    had: float
    needed: float


@dataclass(frozen=True)
class Bars:
    """What a memory needed: so much `evidence`, and a score that is not far behind the `best` of all."""

    evidence: float
    best: float
    weights: Weights


def bars(ranked: Sequence[Ranked], size: int, weights: Weights, bar: float = 0.0) -> Bars:
    """What it took among `size` memories: the threshold and what was asked for besides, or nearly what the best has."""
    evidence = max([weights.threshold(size) + bar, *(weights.beside * _spoken(each) for each in ranked)])
    return Bars(evidence, max((each.score for each in ranked if not each.dropped), default=0.0), weights)


def gate(each: Ranked, least: Bars) -> Gate:
    """The gate at which a memory was turned away or, for one that passed, the one of evidence."""
    why, weights, tied = each.why, least.weights, each.why.get("graph", 0.0)
    named = tied >= weights.graph * weights.named
    share = Gate(
        "evidence", _spoken(each) + (tied if named else 0.0), least.evidence + weights.more(each.item)
    )
    if each.dropped != "weak" or share.had < share.needed:
        return share
    for name, part in (("similarity", weights.least_similarity), ("words", weights.least_words)):
        full = float(getattr(weights, name))
        if not named and why[name] < full * part:
            return Gate(name, why[name], full * part)
    return Gate("score", each.score, least.best)


def held(asked: Understood, item: Item) -> list[str]:
    """The words of a question that a memory holds; after a `~` those of which it says the sense alone."""
    there, senses = words_of(item.words), concepts_in(item.words)
    return [
        term if term in there else f"~{term}"
        for term, _, concepts in asked.weighted
        if term in there or not concepts.isdisjoint(senses)
    ]


def _spoken(each: Ranked) -> float:
    return sum(each.why.get(name, 0.0) for name in EVIDENCE)


def dropped(left: Sequence[Ranked], far: int, filtered: Mapping[str, int]) -> dict[str, int]:
    """How many were dropped for each reason; so many more were `far` from enough."""
    counts = Counter(each.dropped for each in left)
    counts.update(weak=far)
    counts.update(filtered)
    return {reason: count for reason, count in sorted(counts.items()) if count}


def exposure(
    question: str, task_type: str, encoder: str, tokens: int, shown: Sequence[Ranked], left: Sequence[Ranked]
) -> Exposure:
    """The record of what was shown and what was dropped; of the question only its hash."""
    misses = nearest(left, MISSES)
    items = [_shown(each, rank, "") for rank, each in enumerate(shown, 1)]
    items += [_shown(each, 0, each.dropped) for each in misses]
    return Exposure(
        query=digest(question),
        task_type=task_type,
        channel="ask",
        ranker=RANKER,
        encoder=encoder,
        tokens=tokens,
        abstained=not shown,
        items=tuple(items),
    )


def digest(question: str) -> str:
    """What stands in a record for a question, whose text is not kept."""
    return hashlib.sha256(question.encode("utf-8", "surrogatepass")).hexdigest()


def nearest(left: Sequence[Ranked], most: int | None = None) -> list[Ranked]:
    """What was left out, the nearest misses first, at most `most`. What was good enough and had another reason comes
    before the weak, and those go by likeness and words: their order says nothing of whether they would have helped.
    """
    return heapq.nsmallest(len(left) if most is None else most, left, key=_distance)


def _distance(each: Ranked) -> tuple[bool, float, float, str]:
    told = each.why.get  # asked of all candidates of each answer
    near = told("similarity", 0.0) + told("words", 0.0) + told("language", 0.0) + told("graph", 0.0)
    return each.dropped == "weak", -near, -each.score, each.item.id


def _shown(each: Ranked, rank: int, why_not: str) -> Shown:
    features = tuple((name, round(share * MILLION)) for name, share in sorted(each.why.items()))
    return Shown(each.item.id, rank, round(each.score * MILLION), why_not, features)


def lines(shown: Sequence[Ranked], left: Sequence[Ranked], misses: int = 5) -> list[str]:
    """What each feature gave to each memory, and the nearest misses with the reason."""
    out = []
    for each in (*shown, *nearest(left, misses)):
        shares = ", ".join(f"{name} {share:+.2f}" for name, share in each.why.items() if abs(share) >= 0.005)
        why_not = REASONS.get(each.dropped, "")
        state = f" — dropped: {each.dropped}{f' ({why_not})' if why_not else ''}" if each.dropped else ""
        out.append(f"{each.score:.2f}  {each.item.title}{state}")
        out.append(f"      {shares}")
    return out
