"""The chance that a place which the sweep found is right: a logistic of facts, fitted on development histories."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


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
    ]


#: Fitted by `benchmarks/sweeps.py --fit`.
WEIGHTS: Sequence[float] = (
    -0.946, 0.085, 0.331, -0.246, -1.504, -0.691, 0.15, -0.497, -0.332, -0.413,
    0.6, -0.188, -0.415, -1.14, -0.145, -0.171, -0.692, 0.194, 0.004, 0.117,
    -1.318, 3.336, -1.977, 1.278, -0.153, 0.456, 0.263, 0.68, 0.53, 1.108,
    0.234, 0.407, -0.91, -1.099, -0.126, -0.328, -0.576, 0.027, -0.084, -0.36,
)  # fmt: skip


def chance(facts: Facts, weights: Sequence[float] | None = None) -> float:
    """The chance, between 0 and 1. A place above what was changed in its file was passed over once: it gets half."""
    weights = WEIGHTS if weights is None else weights
    if not weights:
        return 0.5
    total = sum(w * x for w, x in zip(weights, row(facts), strict=True))
    told = 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))
    return told / 2 if facts.passed_over else told
