"""What the teacher lends: where words that were seldom seen belong, and how alike questions and code are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from bags import Table
from fitting import Floats, Told, Weights
from mining import nameless, sentence
from records import Pair

Encode = Callable[[Sequence[str]], npt.NDArray[np.float16]]
_KNOWN = 200  # times seen: from there on a word's own vector says where the teacher's lie in our space
_SEEN = 50  # times seen, and the word's own vector counts as much as the teacher's share
_MOST = 0.7  # of a vector that may be the teacher's
_RIDGE = 10.0
_SPOKEN = 20_480  # pairs: some four minutes of one processor


def leaned(
    weights: Weights,
    pieces: Sequence[str],
    seen: npt.NDArray[np.int64],
    encode: Encode,
) -> Weights:
    """The weights with rare words' vectors turned, at their lengths, to what the teacher (`encode`) says of the word.

    A ridge regression on the well-known words brings the teacher's space into ours. Pieces within words stay: the
    teacher was never asked about those alone.
    """
    whole = np.flatnonzero([piece.isalpha() and len(piece) > 2 for piece in pieces])
    known = seen[whole] > _KNOWN
    if not known.any():
        return weights
    told = _told([pieces[at] for at in whole], encode)
    lengths = np.linalg.norm(weights.vectors[whole], axis=1, keepdims=True)
    own = _unit(weights.vectors[whole])
    square = told[known].T @ told[known] + _RIDGE * np.eye(told.shape[1], dtype=np.float32)
    lent = _unit(told @ np.linalg.solve(square, told[known].T @ own[known]))
    share = (_MOST * _SEEN / (seen[whole] + _SEEN))[:, None]
    vectors = weights.vectors.copy()
    vectors[whole] = _unit((1 - share) * own + share * lent) * lengths
    return Weights(vectors, weights.question, weights.code)


def begun(weights: Weights, pieces: Sequence[str], encode: Encode) -> Weights:
    """The weights with all vectors as the teacher has them, in as many dimensions: its main ones."""
    told = _told([piece.removeprefix("##") for piece in pieces], encode)
    _, axes = np.linalg.eigh(told.T @ told)  # in ascending order
    return Weights(_unit(told @ axes[:, -weights.vectors.shape[1] :]), weights.question, weights.code)


def spoken(of: Table, pairs: Sequence[tuple[str, Pair]], encode: Encode, seed: int) -> Told:
    """What the teacher makes of some of the pairs, by chance, of none kept apart; `of` is the table of all."""
    rows = np.flatnonzero(of.learnable() & ~of.apart() & ~of.of_kind("name"))
    rows = np.sort(np.random.default_rng(seed).permutation(rows)[:_SPOKEN])
    chosen = [pairs[row][1] for row in rows]
    asked = [sentence(nameless(pair.text, pair.name)) for pair in chosen]
    return Told(rows, encode(asked), encode([pair.code for pair in chosen]))


def _told(words: Sequence[str], encode: Encode) -> Floats:
    rows = encode(words).astype(np.float32)
    return np.asarray(rows - rows.mean(0), np.float32)


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)
