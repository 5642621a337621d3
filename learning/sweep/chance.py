"""The chance that a place which the sweep found is right: a logistic of facts, fitted on development histories."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..guard.needs import LACKS


@dataclass(frozen=True)
class Facts:
    """What is known of a place, of the reading that found it, and of the two together."""

    tree: bool
    level: int
    done: int
    matches: int
    files: int
    here: int
    over: int
    holding: int
    names: int
    longest: int
    same: bool
    alike: float
    agree: float
    same_file: bool
    same_folder: bool
    both_tests: bool
    knows: bool
    brings: int
    size: int
    passed_over: bool
    rest: int
    removes: bool
    others: int = 0
    together: float = 1.0
    text: bool = False
    within: bool = True
    lacks: bool = False


def row(facts: Facts) -> list[float]:
    """The facts as numbers of about the same size; the first is the constant."""
    tree, text = float(facts.tree), float(not facts.tree)
    height, width = (divmod(facts.level, 3)) if facts.tree else (0, 0)
    matches, over = math.log1p(facts.matches), math.log1p(facts.over)
    return [
        1.0,
        tree,
        tree * (width == 0),
        tree * (width == 1),
        tree * height / 3,
        text * (facts.level - 100) / 10,
        text * (facts.level == 100),
        matches,
        matches * matches / 4,
        tree * matches,
        math.log1p(facts.files),
        math.log1p(facts.here),
        over,
        float(facts.over > 0),
        over - matches if facts.over else 0.0,
        math.log1p(facts.holding),
        float(facts.names == 0),
        min(facts.names, 4) / 4,
        min(facts.longest, 20) / 10,
        float(facts.same),
        tree * facts.same,
        facts.alike,
        facts.alike * facts.alike,
        facts.agree,
        facts.agree * matches,
        facts.alike * matches,
        float(facts.same_file),
        float(facts.same_folder),
        facts.same_file * matches,
        float(facts.both_tests),
        float(facts.knows),
        float(facts.brings == 0),
        min(facts.size, 30) / 10,
        float(facts.size <= 1),
        math.log(facts.done),
        math.log1p(facts.rest),
        text * (facts.rest == 0),
        text * facts.removes,
        text * matches,
        float(facts.over > 0) * text,
        tree * (facts.others > 0),
        text * (facts.others > 0),
        tree * (facts.others > 0) * facts.together,
        text * (facts.others > 0) * facts.together,
        tree * math.log1p(facts.others),
        float(facts.text),
        float(facts.text) * matches,
        float(not facts.within),
        float(facts.text and facts.within) * facts.alike,
        tree * facts.agree,
        min(1.0, facts.here / max(1, facts.matches)),
        facts.same_folder * matches,
        facts.size * matches / 20,
        float(facts.names == 1) * matches,
        float(facts.lacks),
    ]


#: Fitted by `benchmarks/sweeps.py --fit`; that a name is missing (the last) was not there to be fitted.
WEIGHTS: Sequence[float] = (
    0.151, 1.509, 0.892, 0.617, -0.384, -0.352, 0.634, -0.691, -0.027, -0.541,
    -0.246, -0.307, 0.01, -1.321, 0.027, -0.145, -0.455, 0.076, 0.276, 0.191,
    -0.733, 1.369, -0.721, 0.125, 0.294, 0.471, -0.045, -0.383, 0.537, 0.888,
    0.641, 0.388, -0.785, -0.594, -0.223, 0.311, 0.293, 0.351, -0.15, -0.287,
    -0.138, -0.589, 0.118, 1.122, 0.059, -0.839, 0.188, -0.97, -0.255, -1.51,
    0.417, 0.22, 0.013, -0.032, 0.0,
)  # fmt: skip
#: What is put on top of the fit: where few places are found each is worth more to who asked, and one of hundreds
#: must be surer, for one wrong reading of them drowns all that is right. Of histories left out of the fit it halves
#: the false places by tree key, at the same share of right ones; by tokens it changes nothing.
FEW, EACH_MORE, TREE = 1.8, 0.6, 0.2


def chance(facts: Facts, weights: Sequence[float] | None = None) -> float:
    """The chance, between 0 and 1. A place above what was changed in its file was passed over once: it gets half; one
    where something is missing gets less, whatever was fitted.
    """
    weights = WEIGHTS if weights is None else weights
    if not weights:
        return 0.5
    total = sum(w * x for w, x in zip(weights, row(facts), strict=True))
    total += shift(facts.tree, facts.matches)
    told = 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))
    told *= LACKS if facts.lacks else 1.0
    return told / 2 if facts.passed_over else told


def shift(tree: bool, matches: int) -> float:
    """What the number of places that a reading finds adds to the log-odds, beside the fit."""
    return FEW - EACH_MORE * math.log1p(matches) - (TREE if tree else 0.0)
