"""Why an answer is what it is: for a person to read, and for the record."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

from ..store.kinds import MILLION, Exposure, Shown
from .ranking import RANKER, Ranked

#: How many of the dropped stand in an exposure record: the nearest misses.
MISSES = 20
#: Why a memory was left out, for a person.
REASONS = {
    "weak": "too little speaks for it",
    "contradicted": "a newer or a surer one says the contrary",
    "repeated": "another one says it already",
    "limit": "so many are shown at most",
    "budget": "no room is left for it",
    "disputed": "it was called wrong",
    "retired": "it holds no longer",
    "one author's share": "its author has a share of the answer already",
}


def dropped(left: Sequence[Ranked], filtered: Mapping[str, int]) -> dict[str, int]:
    """How many were dropped for each reason."""
    counts = Counter(each.dropped for each in left)
    counts.update(filtered)
    return dict(sorted(counts.items()))


def exposure(
    question: str, task_type: str, encoder: str, tokens: int, shown: Sequence[Ranked], left: Sequence[Ranked]
) -> Exposure:
    """The record of what was shown and what was dropped; of the question only its hash."""
    misses = nearest(left)[:MISSES]
    items = [_shown(each, rank, "") for rank, each in enumerate(shown, 1)]
    items += [_shown(each, 0, each.dropped) for each in misses]
    return Exposure(
        query=hashlib.sha256(question.encode("utf-8", "surrogatepass")).hexdigest(),
        task_type=task_type,
        channel="ask",
        ranker=RANKER,
        encoder=encoder,
        tokens=tokens,
        abstained=not shown,
        items=tuple(items),
    )


def nearest(left: Sequence[Ranked]) -> list[Ranked]:
    """What was left out, the nearest misses first: what was good enough and had another reason comes before the weak,
    and those go by likeness and words, since their order says nothing of whether they would have helped.
    """
    return sorted(
        left, key=lambda each: (each.dropped == "weak", -_evidence(each), -each.score, each.item.id)
    )


def _evidence(each: Ranked) -> float:
    return sum(each.why.get(name, 0.0) for name in ("similarity", "words", "language", "graph"))


def _shown(each: Ranked, rank: int, why_not: str) -> Shown:
    features = tuple((name, round(share * MILLION)) for name, share in sorted(each.why.items()))
    return Shown(each.item.id, rank, round(each.score * MILLION), why_not, features)


def lines(shown: Sequence[Ranked], left: Sequence[Ranked], misses: int = 5) -> list[str]:
    """What each feature gave to each memory, and the nearest misses with the reason."""
    out = []
    for each in (*shown, *nearest(left)[:misses]):
        shares = ", ".join(f"{name} {share:+.2f}" for name, share in each.why.items() if abs(share) >= 0.005)
        why_not = REASONS.get(each.dropped, "")
        state = f" — dropped: {each.dropped}{f' ({why_not})' if why_not else ''}" if each.dropped else ""
        out.append(f"{each.score:.2f}  {each.item.title}{state}")
        out.append(f"      {shares}")
    return out
