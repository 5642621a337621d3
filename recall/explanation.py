"""Why an answer is what it is: for a person to read, and for the record."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

from ..store.kinds import MILLION, Exposure, Shown
from .ranking import RANKER, Ranked

#: How many of the dropped stand in an exposure record: the nearest misses.
MISSES = 20


def dropped(left: Sequence[Ranked], filtered: Mapping[str, int]) -> dict[str, int]:
    """How many were dropped for each reason."""
    counts = Counter(each.dropped for each in left)
    counts.update(filtered)
    return dict(sorted(counts.items()))


def exposure(
    question: str, task_type: str, encoder: str, tokens: int, shown: Sequence[Ranked], left: Sequence[Ranked]
) -> Exposure:
    """The record of what was shown and what was dropped; of the question only its hash."""
    misses = sorted(left, key=lambda each: (-each.score, each.item.id))[:MISSES]
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


def _shown(each: Ranked, rank: int, why_not: str) -> Shown:
    features = tuple((name, round(share * MILLION)) for name, share in sorted(each.why.items()))
    return Shown(each.item.id, rank, round(each.score * MILLION), why_not, features)


def lines(shown: Sequence[Ranked], left: Sequence[Ranked], misses: int = 5) -> list[str]:
    """What each feature gave to each memory, and the nearest misses with the reason."""
    out = []
    near = sorted(left, key=lambda each: (-each.score, each.item.id))[:misses]
    for each in (*shown, *near):
        shares = ", ".join(f"{name} {share:+.2f}" for name, share in each.why.items() if abs(share) >= 0.005)
        state = f" — dropped: {each.dropped}" if each.dropped else ""
        out.append(f"{each.score:.2f}  {each.item.title}{state}")
        out.append(f"      {shares}")
    return out
