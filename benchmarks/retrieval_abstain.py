"""When code search should say nothing: fits how sure a place is by its own signals, and draws what a threshold costs.

    python benchmarks/retrieval_abstain.py REPOSITORY…

Questions with an answer are the docstrings and commits of `retrieval.py`; those without are tasks of other worlds
(`labels/elsewhere.txt`: even lines are fitted on, odd ones only counted) and other repositories' docstrings, some of
which do have an answer. For each the best three places count. Prints the weights and the table.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from retrieval import Asked, asked, ours
from retrieval_sets import Query, Sets, build

from cortex.models import load_encoder
from cortex.recall.codesignals import SIGNALS
from cortex.store.protocols import Encoder

BEST = 3
COLUMNS = [SIGNALS.index(name) for name in ("window", "name", "share", "named")]
ELSEWHERE = Path(__file__).parent / "labels" / "elsewhere.txt"
THRESHOLDS = (0.1, 0.13, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)
Values = npt.NDArray[np.float64]


def told(each: Asked) -> Iterator[tuple[Values, bool]]:
    """The best places of one question: constant and signals; whether it is right."""
    for at in np.argsort(-ours(each), kind="stable")[:BEST]:
        yield np.array([1.0, *each.signals[at, COLUMNS]]), bool(at in each.query.right)


def foreign(made: Sets, questions: Sequence[str], encoder: Encoder) -> list[list[tuple[Values, bool]]]:
    """The best places for questions that have no right one here."""
    rows = made.queries["docstring"][0].rows
    other = Sets(
        made.name, made.units, {"docstring": [Query(text, rows, ()) for text in questions]}, made.history
    )
    return [list(told(each)) for each in asked(other, encoder)]


def fit(samples: Sequence[tuple[Values, bool, float]]) -> Values:
    """A logistic regression, by gradient descent on standardised columns."""
    values = np.array([each for each, _, _ in samples])
    right = np.array([label for _, label, _ in samples], float)
    weight = np.array([each for _, _, each in samples])
    mean, spread = values.mean(axis=0), values.std(axis=0)
    mean[0], spread[0] = 0.0, 1.0
    spread[spread == 0] = 1.0
    scaled, found = (values - mean) / spread, np.zeros(values.shape[1])
    for _ in range(6_000):
        share = 1 / (1 + np.exp(-scaled @ found))
        found += 0.5 * (scaled.T @ (weight * (right - share)) / weight.sum() - 1e-3 * found)
    found /= spread
    found[0] -= (found[1:] * mean[1:]).sum()
    return found


def _main() -> None:
    encoder = load_encoder()
    sets = [build(Path(word), Path(word).parent.name) for word in sys.argv[1:]]
    lines = ELSEWHERE.read_text(encoding="utf-8").splitlines()
    own, fitted, counted, others = [], [], [], []
    for made in sets:
        own += [(each.set, list(told(each))) for each in asked(made, encoder)]
        fitted += foreign(made, lines[::2], encoder)
        counted += foreign(made, lines[1::2], encoder)
        strangers = [q.text for other in sets if other is not made for q in other.queries["docstring"][:25]]
        others += foreign(made, strangers, encoder)
    # As many questions without an answer as with one.
    share = len(own) / len(fitted)
    samples = [(v, label, 1.0) for _, each in own for v, label in each]
    samples += [(v, label, share) for each in fitted for v, label in each]
    weights = fit(samples)
    print("constant, window, name, share, named:", np.round(weights, 2))

    def surest(each: Sequence[tuple[Values, bool]]) -> float:
        return max(1 / (1 + float(np.exp(-value @ weights))) for value, _ in each)

    print("| threshold | docstrings answered | with a right one of those | commits answered | with a right one "
          "| elsewhere, fitted on | elsewhere, counted | other repositories' docstrings |")  # fmt: skip
    print("| --- " * 8 + "|")
    for threshold in THRESHOLDS:
        cells = [f"{threshold}"]
        for name in ("docstring", "commit"):
            mine = [each for kind, each in own if kind == name]
            answered = [each for each in mine if surest(each) >= threshold]
            good = sum(any(label for _, label in each) for each in answered)
            cells += [f"{len(answered) / len(mine):.3f}", f"{good / max(1, len(answered)):.3f}"]
        for some in (fitted, counted, others):
            cells.append(f"{sum(surest(each) >= threshold for each in some) / len(some):.3f}")
        print("|", " | ".join(cells), "|")


if __name__ == "__main__":
    _main()
