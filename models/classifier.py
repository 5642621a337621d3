"""The built-in classifier of task types: a linear model over hashed words, and rules."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt

from ..repo.errors import DamagedError, UsageError
from .descriptions import BUILTIN, CLASSIFIERS, ModelFile, choose, read
from .labels import LABELS, UNSURE
from .rules import named
from .sessions import Device, open_session
from .tasktext import features

#: Below this confidence the answer is "unsure": from there on it is right more often than not.
THRESHOLD = 0.4
_BATCH = 256

#: What a rule's word is worth: it multiplies the odds of its label. More helps prompts, harms subjects.
_WEIGHT = 4.0
#: No commit subject is a question, so the model's own odds of one say little.
_QUESTION_WEIGHT = 30.0


class TaskClassifier:
    """Says what type of task a text asks for; the same text always gets the same answer."""

    def __init__(self, model: ModelFile, data: bytes, device: Device = "cpu") -> None:
        self.name = model.version
        self._session = open_session(data, device)
        carried = self._session.get_modelmeta().custom_metadata_map.get("labels", "").split("\n")
        if tuple(carried) != LABELS:
            raise DamagedError(
                f"the model {model.file} knows other labels than this version", "install Cortex again"
            )

    def classify(self, texts: Sequence[str]) -> list[tuple[str, float]]:
        """(label, confidence) for each text; "unsure" below a confidence of 0.4, or without a word to read.

        The confidence is the calibrated chance of the best label. Raises `UsageError` for a lone string.
        """
        if isinstance(texts, str):
            raise UsageError("classify takes a list of texts, not one text", "use classify([text])")
        answers: list[tuple[str, float]] = []
        rest = iter(texts)
        while batch := list(islice(rest, _BATCH)):
            answers += self._answers(batch)
        return answers

    def _answers(self, texts: Sequence[str]) -> list[tuple[str, float]]:
        bags = [features(text) for text in texts]
        chances = self._chances(bags)
        answers = []
        for text, bag, row in zip(texts, bags, chances, strict=True):
            said = named(text)
            if said is not None:
                row[LABELS.index(said)] *= _QUESTION_WEIGHT if said == "question" else _WEIGHT
                row /= row.sum()
            best = int(row.argmax())
            confidence = round(float(row[best]), 6) if bag else 0.0
            answers.append((LABELS[best] if confidence >= THRESHOLD else UNSURE, confidence))
        return answers

    def _chances(self, bags: list[list[int]]) -> npt.NDArray[np.float64]:
        longest = max(1, max(map(len, bags)))
        found = np.zeros((len(bags), longest), np.int64)
        share = np.zeros((len(bags), longest), np.float32)
        for row, bag in enumerate(bags):
            found[row, : len(bag)] = bag
            share[row, : len(bag)] = 1 / np.sqrt(max(1, len(bag)))
        (out,) = self._session.run(None, {"features": found, "share": share})
        return np.asarray(out, np.float64)


def load(name: str = BUILTIN, device: Device = "cpu") -> TaskClassifier:
    """The classifier called `name`; `UsageError` for an unknown one, `DamagedError` for a changed file."""
    model = choose(CLASSIFIERS, name, "classifier")
    return TaskClassifier(model, read(model), device)
