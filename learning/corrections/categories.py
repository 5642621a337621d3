"""What kind a correction is: bug, style, preference, or evolution (the feature went on), with a chance.

Two logistic models over the named numbers of `traits`: whether an edit corrects something at all, and which kind it
then is. Their weights are in `weights`, made by `training/categories.py`; docs/benchmarks.md says how good they are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from ...store.kinds import MILLION, Correction
from .traits import Seen, traits
from .weights import CORRECTS, KINDS

#: Nearer than this to even, nobody should be told that it is one or the other.
UNSURE = 0.1
#: Below this chance, given that it corrects something, a kind is a guess among three.
ANY_KIND = 0.45
CONSTANT = "always"
#: A trait that moves the log-odds by less says nothing.
_SLIGHT = 0.1

_GUARDS = re.compile(r"\b(if|raise|throw|return|except|catch|finally|defer|[Cc]lose|[Ll]ock|await)\b")

Guess = tuple[str, int]


def categorise(seen: Seen) -> Guess:
    """(category, confidence in millionths); the confidence is the chance that the category is right.

    Empty for what is unsure: then the confidence is the chance that it corrects something at all.
    """
    if not seen.before.strip():
        return _inserted(seen.after)
    corrects, kinds = chances(seen)
    if 1 - corrects >= 0.5 + UNSURE:
        return "evolution", _share(1 - corrects)
    best = max(kinds, key=lambda kind: kinds[kind])
    if corrects < 0.5 + UNSURE or kinds[best] < ANY_KIND:
        return "", _share(corrects)
    return best, _share(corrects * kinds[best])


def _inserted(after: str) -> Guess:
    """Statements that only came: the feature went on, unless they are few and guard against something.

    No label is of such an edit, so that no weight speaks of it: this is a rule of thumb.
    """
    lines = after.strip().count("\n") + 1
    if lines <= 3 and _GUARDS.search(after):
        return "", _share(0.5)
    return "evolution", _share(0.7 if lines > 3 else 0.55)


def chances(seen: Seen) -> tuple[float, Mapping[str, float]]:
    """The chance that an edit corrects something, and of each kind given that it does."""
    found = traits(seen)
    corrects = 1 / (1 + math.exp(-_score(CORRECTS, found)))
    powers = {kind: math.exp(_score(weights, found)) for kind, weights in KINDS.items()}
    whole = sum(powers.values())
    return corrects, {kind: power / whole for kind, power in powers.items()}


def speaks(correction: Correction, most: int = 2) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The traits that speak most for a correction, and for the feature going on, of what a record still tells."""
    seen = Seen(
        correction.before, correction.after, correction.subject, count=correction.count, path=correction.path
    )
    found = traits(seen)
    weighed = sorted(
        (CORRECTS.get(name, 0.0) * value, name)
        for name, value in found.items()
        if value and "not known" not in name
    )
    against = tuple(name for weight, name in weighed[:most] if weight < -_SLIGHT)
    return tuple(name for weight, name in weighed[::-1][:most] if weight > _SLIGHT), against


def _score(weights: Mapping[str, float], found: Mapping[str, float]) -> float:
    score = weights[CONSTANT] + sum(weights.get(name, 0.0) * value for name, value in found.items())
    return max(-30.0, min(30.0, score))


def _share(value: float) -> int:
    return round(value * MILLION)
