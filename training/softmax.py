"""A linear softmax over sparse features, fitted to the end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from cortex.models.labels import LABELS
from cortex.models.taskfeatures import BUCKETS, PROMPT_BUCKETS, features

ROUNDS = 120

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


def matrix(texts: Sequence[str]) -> csr_matrix:
    """The texts as rows of their features, each of length one."""
    bags = [features(text) for text in texts]
    ends = np.cumsum([0, *map(len, bags)])
    where = np.concatenate([np.array(bag, np.int32) for bag in bags])
    share = np.concatenate([np.full(len(bag), 1 / np.sqrt(max(1, len(bag))), np.float32) for bag in bags])
    return csr_matrix((share, where, ends), shape=(len(texts), BUCKETS))


def weighed(bags: Sequence[dict[int, float]]) -> csr_matrix:
    """Features that say how much each counts, as rows."""
    ends = np.cumsum([0, *map(len, bags)])
    where = np.concatenate([np.fromiter(bag, np.int32, len(bag)) for bag in bags])
    share = np.concatenate([np.fromiter(bag.values(), np.float32, len(bag)) for bag in bags])
    return csr_matrix((share, where, ends), shape=(len(bags), PROMPT_BUCKETS))


def targets(labels: Sequence[str]) -> npt.NDArray[np.int64]:
    """Labels as numbers."""
    return np.array([LABELS.index(label) for label in labels])


def log_softmax(rows: Doubles) -> Doubles:
    """Rows of scores to rows of log chances."""
    shifted = rows - rows.max(1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(1, keepdims=True)), np.float64)


def fit(
    found: csr_matrix,
    target: npt.NDArray[np.int64],
    weigh: Doubles,
    decay: float,
    start: Doubles | None = None,
) -> tuple[Floats, Floats]:
    """Weights (columns, labels) and bias, by L-BFGS on the weighted cross-entropy; `start` are scores to add to."""
    turned = found.T.tocsr()
    weigh = weigh / weigh.sum()
    rows, (count, columns) = np.arange(found.shape[0]), found.shape
    size = columns * len(LABELS)
    given = np.zeros((count, len(LABELS))) if start is None else start

    def loss(values: Doubles) -> tuple[float, Doubles]:
        weights = values[:size].reshape(columns, -1).astype(np.float32)
        chances = log_softmax(np.asarray(found @ weights, np.float64) + values[size:] + given)
        cost = -float(weigh @ chances[rows, target]) + 0.5 * decay * float((weights**2).sum())
        error = np.exp(chances)
        error[rows, target] -= 1
        error *= weigh[:, None]
        slope = np.asarray(turned @ error.astype(np.float32), np.float64) + decay * weights
        return cost, np.concatenate([slope.ravel(), error.sum(0)])

    begin = np.zeros(size + len(LABELS))
    done = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": ROUNDS, "maxcor": 8})
    return done.x[:size].reshape(columns, -1).astype(np.float32), done.x[size:].astype(np.float32)
