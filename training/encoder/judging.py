"""How good a model file is on sources kept apart: run as it ships, every answer sought within its own source."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import numpy.typing as npt
from mining import nameless, sentence
from records import Pair, squeezed

from cortex.models.descriptions import ModelFile
from cortex.models.encoder import StaticEncoder

#: Questions of these kinds are asked: a doc comment for its function, a commit's subject for a function it changed.
ASKED = ("doc", "change")
_QUESTIONS = 300  # of a kind and source
_CANDIDATES = ("doc", "name", "change")
_AT_LEAST = 30  # functions in a source
_ROUNDS = 2_000

Gains = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Verdict:
    """The reciprocal ranks (0 beyond ten) of the questions of each kind, and how fast the file was."""

    gains: dict[str, Gains]
    query_ms: float
    snippets_s: float

    def told(self, kind: str) -> str:
        """MRR@10 with the number of questions."""
        gains = self.gains[kind]
        return f"{gains.mean():.3f} (n {len(gains)})" if len(gains) else "not asked"


def opened(data: bytes, width: int) -> StaticEncoder:
    """The encoder of a model file that is not shipped yet."""
    return StaticEncoder(
        ModelFile("trained", "trained.onnx", sha256(data).hexdigest(), "MIT", "", width), data, "cpu"
    )


def judged(encoder: StaticEncoder, pairs: Sequence[tuple[str, Pair]]) -> Verdict:
    """Ask the questions of some sources."""
    of: dict[str, list[Pair]] = defaultdict(list)
    for source, pair in pairs:
        if pair.kind in _CANDIDATES:
            of[source].append(pair)
    found: dict[str, list[float]] = {kind: [] for kind in ASKED}
    for source in sorted(of):
        if len(of[source]) < _AT_LEAST:
            continue
        codes = encoder.encode([pair.code for pair in of[source]], "code")
        right = defaultdict(set)
        for at, pair in enumerate(of[source]):
            right[pair.kind, squeezed(pair.text)].add(at)
        for kind in ASKED:
            texts = list(dict.fromkeys(pair.text for pair in of[source] if pair.kind == kind))[:_QUESTIONS]
            asked = [sentence(text) for text in texts]
            for text, row in zip(texts, encoder.encode(asked, "query") @ codes.T, strict=True):
                best = max(row[at] for at in right[kind, squeezed(text)])
                rank = int((row > best).sum()) + 1
                found[kind].append(1 / rank if rank <= 10 else 0.0)
    snippets = [pair.code[:600] for _, pair in pairs if pair.kind == "doc"][:1_000]
    questions = [sentence(nameless(pair.text, pair.name)) for _, pair in pairs if pair.kind == "doc"][:200]
    return Verdict(
        {kind: np.array(gains) for kind, gains in found.items()},
        1_000 * float(np.median([_seconds(encoder, [text], "query") for text in questions] or [0.0])),
        _seconds(encoder, snippets, "code") * 1_000 / max(1, len(snippets)),
    )


def _seconds(encoder: StaticEncoder, texts: Sequence[str], kind: str) -> float:
    began = time.process_time()
    encoder.encode(texts, kind)
    return time.process_time() - began


def gained(new: Gains, old: Gains) -> tuple[float, float, float]:
    """(difference of means, and its 95% interval by bootstrap over the questions, which must be the same ones)."""
    if not len(new):
        return 0.0, 0.0, 0.0
    difference = new - old
    draws = np.random.default_rng(0).integers(0, len(difference), (_ROUNDS, len(difference)))
    low, high = np.percentile(difference[draws].mean(1), [2.5, 97.5])
    return float(difference.mean()), float(low), float(high)
