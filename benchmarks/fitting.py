"""The weights of a change that is under way, fitted on the cases of the field test, also with each history left out.

A case counts by the share of its places that were migrated, more where there are more of them, at most four times. The
weights are held to an earlier calibration of the posterior, and else to 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from learners import Case, Offer

from cortex.learning.rules import underway
from cortex.learning.rules.lifecycle import Settings, posterior

HELD: Mapping[str, float] = {"always": 1.24, "posterior": 0.75}
STRENGTH = 2.0
MOST = 4.0


def whole(offer: Offer) -> underway.Whole:
    """The evidence of an offer."""
    test, said = offer.test, replace(offer.evidence, in_progress=True)
    mean = posterior(said, test, Settings())
    return underway.Whole(mean, said.weight, test.stood, test.far, test.rarity, said.weak, said.wraps)


def right_and_wrong(case: Case, offer: Offer) -> tuple[int, int]:
    """How many of the places that an offer flags were migrated, and how many were kept."""
    labels = [case.spots[k].label for k in offer.flagged] + list(offer.beside)
    return labels.count("migrated"), labels.count("kept")


def fit(cases: Sequence[Case]) -> dict[str, float]:
    """The weights that the cases in progress give, by Newton's method."""
    names = list(underway.WEIGHTS)
    rows, shares, counts = [], [], []
    for case in cases:
        for offer in case.offers if case.progress else ():
            right, wrong = right_and_wrong(case, offer)
            if right + wrong:
                told = underway.facts(whole(offer))
                rows.append([told[name] for name in names])
                shares.append(right / (right + wrong))
                counts.append(min(1 + math.log(right + wrong), MOST))
    held = np.array([HELD.get(name, 0.0) for name in names])
    weights = held.copy()
    x, y, n = np.array(rows), np.array(shares), np.array(counts)
    for _ in range(100 if rows else 0):
        p = 1 / (1 + np.exp(-x @ weights))
        slope = x.T @ (n * (p - y)) + STRENGTH * (weights - held)
        bend = (x * (n * p * (1 - p))[:, None]).T @ x + STRENGTH * np.eye(len(names))
        weights = weights - np.linalg.solve(bend, slope)
    return {name: round(float(each), 2) for name, each in zip(names, weights, strict=True)}


def left_out(cases: Sequence[Case]) -> dict[str, dict[str, float]]:
    """For each history the weights that the others give."""
    names = sorted({each.history for each in cases})
    return {name: fit([each for each in cases if each.history != name]) for name in names}
