"""Fits what each signal of code search gives, for descriptions and for tasks, on development repositories.

    python benchmarks/retrieval_fit.py REPOSITORY…

Listwise: the right functions against the best three hundred, all in one model, mixed by how likely the question is a
task. Prints the figures with each repository left out of the fitting once, then the weights that all of them give
(`recall/codesignals.py` holds these). Seeds are fixed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from retrieval import asked, place, reciprocal
from retrieval_sets import build

from cortex.models import load_encoder
from cortex.recall.codesignals import SIGNALS, standard

STEPS, BATCH, RATE, DECAY, NEAREST = 1_500, 16, 0.03, 1e-3, 300
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """One question: its candidates' signals, standardised; which are right."""

    set: str
    repository: str
    values: npt.NDArray[np.float32]
    task: float
    right: tuple[int, ...]

    def mixed(self, rows: npt.NDArray[np.int64] | slice) -> Values:
        """The signals twice: as a description's and as a task's."""
        told = self.values[rows]
        return np.concatenate([told * (1 - self.task), told * self.task], axis=1)


def samples(paths: Sequence[Path]) -> list[Sample]:
    """All questions of all repositories."""
    encoder = load_encoder()
    return [
        Sample(each.set, each.repository, standard(each.signals), each.read.task, each.query.right)
        for path in paths
        for each in asked(build(path, path.parent.name), encoder)
    ]


def fit(learnt: Sequence[Sample]) -> Values:
    """Adam on the negative logarithm of the share that right candidates get."""
    named = [SIGNALS.index(name) for name in ("words", "window", "name")]
    told = []
    for each in learnt:
        near = np.argsort(-each.values[:, named].sum(axis=1), kind="stable")[:NEAREST]
        right = np.isin(near, each.right)
        if right.any():
            told.append((each.mixed(near), right))
    chance = np.random.default_rng(0)
    weights, mean, spread = (np.zeros(2 * len(SIGNALS)) for _ in range(3))
    for step in range(1, STEPS + 1):
        slope = DECAY * weights
        for at in chance.integers(0, len(told), BATCH):
            values, right = told[at]
            scores = values @ weights
            share = np.exp(scores - scores.max())
            share /= share.sum()
            wanted = share * right
            slope = slope + values.T @ (share - wanted / wanted.sum()) / BATCH
        mean, spread = 0.9 * mean + 0.1 * slope, 0.999 * spread + 0.001 * slope**2
        rate = RATE * (1 + np.cos(np.pi * step / STEPS)) / 2
        weights -= rate * (mean / (1 - 0.9**step)) / (np.sqrt(spread / (1 - 0.999**step)) + 1e-8)
    return weights


def mrr(weights: Values, tried: Sequence[Sample]) -> list[float]:
    """The reciprocal ranks of questions."""
    return list(reciprocal([place(each.mixed(slice(None)) @ weights, each.right) for each in tried]))


def _main() -> None:
    found = samples([Path(word) for word in sys.argv[1:]])
    for name in ("docstring", "commit"):
        apart: list[float] = []
        for repository in dict.fromkeys(each.repository for each in found):
            weights = fit([each for each in found if each.repository != repository])
            apart += mrr(weights, [e for e in found if e.set == name and e.repository == repository])
        print(f"{name}, each repository left out once: {np.mean(apart):.3f}")
    weights = fit(found)
    for name in ("docstring", "commit"):
        print(f"{name}, fitted: {np.mean(mrr(weights, [each for each in found if each.set == name])):.3f}")
    for title, half in (("DESCRIPTION", weights[: len(SIGNALS)]), ("TASK", weights[len(SIGNALS) :])):
        print(f"{title} = ({', '.join(f'{value:.2f}' for value in half)})")


if __name__ == "__main__":
    _main()
