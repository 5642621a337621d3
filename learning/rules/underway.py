"""The chance of a rule while a change is under way: a logistic of the evidence for the key as a whole.

The posterior of the lifecycle says what was left, passed over and freshly written, against what was corrected. Beside
it stand how many accepted places there are for the few that were corrected, how many of them lie in other folders, how
telling the words are, whether more than a variable holds the rule, and whether it takes nothing away.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from ...analyzers.rewriting import elements
from ...store.kinds import Pattern


@dataclass(frozen=True)
class Whole:
    """The evidence for a key. `stood` of its places stand as before, `far` of them in folders where nobody corrected
    one; `rarity` is the share of the files that hold its words.
    """

    posterior: float
    support: float
    stood: int
    far: int
    rarity: float
    weak: bool = False
    wraps: bool = False


#: Fitted by `benchmarks/field.py --fit` on 158 keys that were seen three times in flask, express, hugo, beads and
#: aider; each weight is held to 0, the first two to an earlier calibration.
WEIGHTS: Mapping[str, float] = {
    "always": 1.17,
    "posterior": 0.61,
    "many stand": -1.11,
    "in other folders": -0.34,
    "many stand, in other folders": -0.9,
    "telling words": 0.8,
    "no word": 0.62,
    "wraps": -0.48,
}


def facts(whole: Whole) -> dict[str, float]:
    """The evidence by name, each of about the same size."""
    many = max(0.0, math.log10((whole.stood + 1) / (whole.support + 1)))
    far = whole.far / whole.stood if whole.stood else 0.0
    return {
        "always": 1.0,
        "posterior": math.log(whole.posterior / (1 - whole.posterior)),
        "many stand": many,
        "in other folders": far,
        "many stand, in other folders": many * far,
        "telling words": float(whole.rarity <= 0.35),
        "no word": float(whole.weak),
        "wraps": float(whole.wraps),
    }


def chance(whole: Whole, weights: Mapping[str, float] | None = None) -> float:
    """The chance, between 0 and 1, that a place is meant as well."""
    weights = WEIGHTS if weights is None else weights
    total = sum(weights[name] * value for name, value in facts(whole).items())
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def wraps(pattern: Pattern) -> bool:
    """Whether nothing of a pattern goes: what is there gets something around it, or beside it."""
    return not Counter(elements(pattern.pattern)) - Counter(elements(pattern.rewrite))
