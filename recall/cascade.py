"""The whole way from a question to an answer: understand, look, rank, pack, or abstain."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..store.items import Item
from ..store.kinds import Exposure
from ..store.protocols import Encoder, Index
from . import explanation
from .candidates import Candidates, candidates
from .links import linked
from .packing import TokenCounter, pack
from .question import Question, Understood, understand
from .ranking import Ranked, Weights, rank
from .surroundings import Code
from .withdrawal import refreshed

#: So many candidates, the nearest, may be alike to what is shown, or say the contrary.
LOOKED_AT = 64

__all__ = ["Answer", "Classifier", "Question", "Recalled", "TokenCounter", "Way", "recall"]


class Classifier(Protocol):
    """What the cascade asks of a classifier of task types; `cortex.models` satisfies it."""

    def classify(self, texts: Sequence[str]) -> list[tuple[str, float]]:
        """For each text its label and the confidence, 0 to 1."""
        ...


@dataclass(frozen=True)
class Recalled:
    """One memory of an answer: `why` holds what each feature gave, and sums to `score`."""

    item: Item
    score: float
    why: Mapping[str, float]
    rank: int
    text: str


@dataclass(frozen=True)
class Way:
    """What was seen on the way to an answer, for whoever asks why it is as it is; `ranked` is before any links."""

    asked: Understood
    found: Candidates
    ranked: Sequence[Ranked]
    weights: Weights


@dataclass(frozen=True)
class Answer:
    """What a question gets; `context` is empty and `abstained` true when nothing was good enough."""

    query: str
    task_type: str
    task_confidence: float
    context: str
    tokens: int
    memories: tuple[Recalled, ...]
    dropped: Mapping[str, int]
    abstained: bool
    timings_ms: Mapping[str, float]
    exposure: Exposure
    left: tuple[Ranked, ...] = ()
    way: Way | None = None

    def explain(self) -> list[str]:
        """Lines for a person: what each feature gave, what was dropped and why."""
        shown = [Ranked(each.item, each.score, each.why) for each in self.memories]
        return explanation.lines(shown, self.left)


def recall(
    question: Question,
    items: Sequence[Item] | Mapping[str, Item],
    index: Index,
    encoder: Encoder,
    classifier: Classifier,
    counter: TokenCounter,
    now: int,
    exists: Callable[[str], bool] | None = None,
    weights: Weights | None = None,
    code: Code | None = None,
    standing: Callable[[Item], str] | None = None,
    gone: Callable[[Item], bool] | None = None,
) -> Answer:
    """Recall what helps with `question`, or nothing.

    `index` holds `items` (see `MemoryIndex.refresh`), or `items` is all that it knows; `now` is in ms; `exists` says
    whether a path of the repository is there today, where that can be known. `code` is what is checked out, whose
    graph is looked at too; `standing` says of a memory what became of its code, empty for nothing: it is asked in
    place of `exists`. `gone` says of a correction whether nothing of what it speaks of is left anywhere.
    """
    timings: dict[str, float] = {}
    start = time.perf_counter()
    asked = understand(question)
    task_type, confidence = classifier.classify([asked.text])[0] if asked.text.strip() else ("unsure", 0.0)
    start = _lap(timings, "understand", start)
    row = encoder.encode([asked.text], kind="query")[0]
    start = _lap(timings, "encode", start)
    known = items if isinstance(items, Mapping) else index.lookup(items)
    found = candidates(asked, row, known, index, code=code)
    start = _lap(timings, "candidates", start)
    ranked = rank(asked, found, now, exists if standing is None else None, weights)
    if standing is not None:
        ranked = refreshed(ranked, found, standing, gone or (lambda _: False), weights)
    way, far = Way(asked, found, ranked, weights or Weights()), len(found.items) - len(ranked)
    ranked = linked(ranked, known, index.graph, index.waiting, found.among)
    start = _lap(timings, "rank", start)
    packed = pack(ranked, question.k, question.budget, counter, lambda: found.nearest(LOOKED_AT))
    _lap(timings, "pack", start)
    timings["total"] = sum(timings.values())
    shown = [each for each, _ in packed.entries]
    recalled = tuple(
        Recalled(each.item, each.score, each.why, number, text)
        for number, (each, text) in enumerate(packed.entries, 1)
    )
    return Answer(
        query=question.text,
        task_type=task_type,
        task_confidence=confidence,
        context=packed.context,
        tokens=packed.tokens,
        memories=recalled,
        dropped=explanation.dropped(packed.left, far, found.dropped),
        abstained=not recalled,
        timings_ms=timings,
        exposure=explanation.exposure(
            question.text, task_type, encoder.name, packed.tokens, shown, packed.left
        ),
        left=packed.left,
        way=way,
    )


def _lap(timings: dict[str, float], name: str, start: float) -> float:
    now = time.perf_counter()
    timings[name] = (now - start) * 1000
    return now
