"""Tries a learned ranker against a fixed fusion, on histories that it was not trained on, one left out at a time.

    python benchmarks/tasks.py REPOSITORY… --features FILE.json
    python training/ranker.py FILE.json [--export FILE.onnx]

The file holds numbers alone: of each task of `benchmarks/tasks.py` what recall measured of its candidates, and which
of them are right. The ranker is linear, one weight for each measure and one more where the question holds code, fitted
so that the right candidates get the largest share of a softmax over each question's candidates. The fixed fusion that
it is held against is chosen from `GRID` on the very same training histories; the one that ships is told beside. The
chance of being useful is a logistic of the score, calibrated on training histories alone. It is exported only where it
beats the fixed fusion on histories left out; needs the package `onnx` for that.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cortex.evaluation.figures import bootstrap
from cortex.recall.ranking import Weights

#: The fixed fusions to choose from: measure → weights; the others are as they ship.
GRID = {
    "recency": (0.4, 0.8, 1.5),
    "place": (0.15, 0.3),
    "fits": (0.3, 0.8, 1.5, 2.5),
    "repeats": (0.0, 0.4, 0.8, 1.2),
    "fusion": (0.05, 0.3),
}
MEASURES = (
    "similarity", "words", "language", "stands", "fusion", "recency", "success", "preference", "place", "fits",
    "repeats",
)  # fmt: skip
STEPS, RATE, DECAY = 400, 0.05, 3.0
FIRST, DEEP = 5, 10
SEED = 0

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """One question: its candidates' measures (n, measures), and which are right."""

    history: str
    commit: str
    code: bool
    rows: Floats
    right: npt.NDArray[np.bool_]

    def inputs(self) -> Floats:
        """What the ranker sees: each measure, and again where the question holds code."""
        return np.concatenate([self.rows, self.rows * float(self.code)], axis=1)


def shipped() -> Floats:
    """The fixed fusion that ships."""
    return np.array([float(getattr(Weights(), name)) for name in MEASURES])


def chosen(asked: Sequence[Asked]) -> Floats:
    """The fixed fusion of the grid that is best by the first five and the reciprocal rank."""
    best, most = shipped(), -1.0
    for values in itertools.product(*GRID.values()):
        weights = shipped()
        for name, value in zip(GRID, values, strict=True):
            weights[MEASURES.index(name)] = value
        got = sum(sum(worth(each.rows @ weights, each.right)[1:]) for each in asked)
        if got > most:
            best, most = weights, got
    return best


def read(path: Path) -> list[Asked]:
    """The questions of a file; those that no candidate is right for stay, and count as missed."""
    out = []
    for each in json.loads(path.read_text(encoding="utf-8")):
        rows = [[float(row.get(name, 0.0)) for name in MEASURES] for row in each["measured"]]
        out.append(
            Asked(
                each["history"], each["commit"], each["form"] != "words",
                np.array(rows).reshape(-1, len(MEASURES)), np.array(each["right"], bool),
            )
        )  # fmt: skip
    return out


def fit(asked: Sequence[Asked]) -> Floats:
    """Weights by Adam (Kingma and Ba 2015) on the softmax over each question's candidates, pulled towards zero."""
    pairs = [(each.inputs(), each.right) for each in asked if each.right.any()]
    weights = np.zeros(2 * len(MEASURES))
    mean = square = np.zeros_like(weights)
    for step in range(1, STEPS + 1):
        slope = DECAY * weights / len(pairs)
        for rows, right in pairs:
            chances = _softmax(rows @ weights)
            wanted = np.where(right, chances, 0.0)
            slope = slope + rows.T @ (chances - wanted / wanted.sum()) / len(pairs)
        mean = 0.9 * mean + 0.1 * slope
        square = 0.999 * square + 0.001 * slope**2
        weights = weights - RATE * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return np.asarray(weights)


def _softmax(scores: Floats) -> Floats:
    chances = np.exp(scores - scores.max())
    return np.asarray(chances / chances.sum())


def calibrate(scores: Floats, right: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and offset of the chance of being right, by Newton's method on the log loss (Platt 1999)."""
    inputs = np.stack([scores, np.ones_like(scores)], axis=1)
    told = np.zeros(2)
    for _ in range(50):
        chances = 1 / (1 + np.exp(-np.clip(inputs @ told, -30, 30)))
        slope = inputs.T @ (chances - right) + 1e-3 * told
        bend = (inputs * (chances * (1 - chances))[:, None]).T @ inputs + 1e-3 * np.eye(2)
        told = told - np.linalg.solve(bend, slope)
    return float(told[0]), float(told[1])


def error(chances: Floats, right: npt.NDArray[np.bool_], bins: int = 10) -> float:
    """The expected calibration error: how far chances are from shares, in bins of equally many."""
    order = np.argsort(chances)
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return float(sum(len(p) * abs(chances[p].mean() - right[p].mean()) for p in parts) / max(1, len(order)))


def worth(scores: Floats, right: npt.NDArray[np.bool_]) -> tuple[float, float, float]:
    """Whether a right one is first, whether it is within the first five, and its reciprocal rank within ten."""
    if not right.any():
        return 0.0, 0.0, 0.0
    place = 1 + int(np.flatnonzero(right[np.argsort(-scores, kind="stable")])[0])
    return float(place == 1), float(place <= FIRST), 1 / place if place <= DEEP else 0.0


def compared(asked: Sequence[Asked]) -> tuple[dict[str, list[tuple[float, float, float]]], float]:
    """What each is worth on each question, as made on the other histories; and the learned one's calibration error."""
    out: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    chances, right = [], []
    for name in dict.fromkeys(each.history for each in asked):
        others = [each for each in asked if each.history != name]
        weights, fusion = fit(others), chosen(others)
        slope, offset = calibrate(
            np.concatenate([each.inputs() @ weights for each in others]),
            np.concatenate([each.right for each in others]),
        )
        for each in asked:
            if each.history == name:
                scores = each.inputs() @ weights
                out["learned"].append(worth(scores, each.right))
                out["fixed"].append(worth(each.rows @ fusion, each.right))
                out["shipped"].append(worth(each.rows @ shipped(), each.right))
                chances.append(1 / (1 + np.exp(-(slope * scores + offset))))
                right.append(each.right)
    return out, error(np.concatenate(chances), np.concatenate(right))


def ahead(
    asked: Sequence[Asked], found: Mapping[str, Sequence[tuple[float, ...]]], measure: int
) -> list[float]:
    """How far the learned one is ahead, with its interval: whole commits are drawn again."""
    groups: defaultdict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    # One history after the other, as `compared` went.
    ordered = [e for name in dict.fromkeys(e.history for e in asked) for e in asked if e.history == name]
    for each, mine, other in zip(ordered, found["learned"], found["fixed"], strict=True):
        groups[each.history, each.commit].append((mine[measure] - other[measure], 1.0))
    pairs = [pair for group in groups.values() for pair in group]
    low, high = bootstrap(list(groups.values()), lambda a, b: a / b if b else 0.0, SEED)
    return [sum(a for a, _ in pairs) / len(pairs), low, high]


def export(asked: Sequence[Asked], path: Path) -> None:
    """The ranker of all histories as ONNX: `measures` float32 (n, measures twice) to `chances` (n)."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights = fit(asked)
    scores = np.concatenate([each.inputs() @ weights for each in asked])
    slope, offset = calibrate(scores, np.concatenate([each.right for each in asked]))
    initial = [
        numpy_helper.from_array((weights * slope).astype(np.float32), "weights"),
        numpy_helper.from_array(np.array(offset, np.float32), "offset"),
    ]
    nodes = [
        helper.make_node("MatMul", ["measures", "weights"], ["scores"]),
        helper.make_node("Add", ["scores", "offset"], ["moved"]),
        helper.make_node("Sigmoid", ["moved"], ["chances"]),
    ]
    graph = helper.make_graph(
        nodes, "cortex_ranker",
        [helper.make_tensor_value_info("measures", TensorProto.FLOAT, ["n", len(weights)])],
        [helper.make_tensor_value_info("chances", TensorProto.FLOAT, ["n"])], initial,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="cortex")
    model.ir_version = 9
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def main() -> int:
    """Compare; 1 when the fixed fusion is as good, and nothing is exported."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("features", type=Path)
    options.add_argument("--export", type=Path)
    given = options.parse_args()
    asked = read(given.features)
    found, off = compared(asked)
    for name, values in found.items():
        first, five, mrr = np.mean(values, axis=0)
        print(f"{name}: top 1 {first:.3f}, top 5 {five:.3f}, MRR@10 {mrr:.3f}, {len(values)} questions")
    gains = [ahead(asked, found, measure) for measure in range(3)]
    for name, (gain, low, high) in zip(("top 1", "top 5", "MRR@10"), gains, strict=True):
        print(f"learned over fixed, {name}: {gain:+.3f} ({low:+.3f} to {high:+.3f})")
    print(f"calibration error of the learned one on histories left out: {off:.3f}")
    better = gains[2][1] > 0
    print("the learned one is better" if better else "the learned one is no better: the fixed fusion ships")
    if better and given.export:
        export(asked, given.export)
    return 0 if better else 1


if __name__ == "__main__":
    sys.exit(main())
