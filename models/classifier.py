"""The built-in classifier of task types: a linear model over hashed words, with a head for prompts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import sqrt
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..repo.errors import DamagedError, UsageError
from .descriptions import BUILTIN, CLASSIFIERS, ModelFile, choose, read
from .labels import LABELS, UNSURE
from .sessions import Device, open_session
from .taskfeatures import both
from .tasktext import looks_written_to_someone

#: Below this confidence the answer is "unsure": from there on it is right more often than not.
THRESHOLD = 0.4
_BATCH = 256
#: How much of the answer for a bare imperative is that for a prompt: the same words stand in subjects, too.
_IMPERATIVE_IS_PROMPT = 0.5

Kind = Literal["prompt", "subject"]
Floats = npt.NDArray[np.float64]
Bags = Sequence[Mapping[int, float]]


@dataclass(frozen=True)
class Calibration:
    """How scores become chances for one kind of text.

    `trust` is Platt's line: the log odds of being right, from those that the softmax gives.
    """

    sharpness: float
    trust: tuple[float, float]

    def chances(self, scores: Floats) -> Floats:
        """Rows of scores (n, labels) to rows of chances, each by itself: they need not sum to one."""
        out = scores * self.sharpness
        out = np.exp(out - out.max(1, keepdims=True))
        out = np.clip(out / out.sum(1, keepdims=True), 1e-9, 1 - 1e-9)
        odds = self.trust[0] + self.trust[1] * np.log(out / (1 - out))
        return np.asarray(1 / (1 + np.exp(-odds)), np.float64)


class TaskClassifier:
    """Says what type of task a text asks for; the same text always gets the same answer."""

    def __init__(self, model: ModelFile, data: bytes, device: Device = "cpu") -> None:
        self.name = model.version
        self._session = open_session(data, device)
        carried = self._session.get_modelmeta().custom_metadata_map
        if tuple(carried.get("labels", "").split("\n")) != LABELS:
            raise DamagedError(
                f"the model {model.file} knows other labels than this version", "install Cortex again"
            )
        given = json.loads(carried["calibration"])
        self._prompt, self._subject = (
            Calibration(each["sharpness"], tuple(each["trust"]))
            for each in (given["prompt"], given["subject"])
        )

    def classify(self, texts: Sequence[str], kind: Kind | None = None) -> list[tuple[str, float]]:
        """(label, confidence) for each text; "unsure" below a confidence of 0.4, or without a word to read.

        The confidence is the calibrated chance of the best label. `kind` says what the texts are, where
        that is known: prompts and commit subjects have other habits. Raises `UsageError` for a lone string.
        """
        return [
            (label if confidence >= THRESHOLD else UNSURE, confidence)
            for label, confidence in self.best(texts, kind)
        ]

    def best(self, texts: Sequence[str], kind: Kind | None = None) -> list[tuple[str, float]]:
        """As `classify`, with the likeliest label even where the confidence in it is low."""
        if isinstance(texts, str):
            raise UsageError("classify takes a list of texts, not one text", "use classify([text])")
        answers: list[tuple[str, float]] = []
        rest = iter(texts)
        while batch := list(islice(rest, _BATCH)):
            answers += self._answers(batch, kind)
        return answers

    def _answers(self, texts: Sequence[str], kind: Kind | None) -> list[tuple[str, float]]:
        found = [both(text) for text in texts]
        bags = [_alike(bag) for bag, _ in found]
        subject, prompt = self._scores(bags, [bag for _, bag in found])
        share = np.array([[_share(text, kind)] for text in texts])
        chances = share * self._prompt.chances(prompt) + (1 - share) * self._subject.chances(subject)
        answers = []
        for bag, row in zip(bags, chances, strict=True):
            best = int(row.argmax())
            confidence = round(float(row[best]), 6) if bag else 0.0
            answers.append((LABELS[best], confidence))
        return answers

    def _scores(self, bags: Bags, prompt_bags: Bags) -> tuple[Floats, Floats]:
        found, share = _padded(bags)
        prompt_found, prompt_share = _padded(prompt_bags)
        given = {
            "features": found,
            "share": share,
            "prompt_features": prompt_found,
            "prompt_share": prompt_share,
        }
        subject, prompt = self._session.run(["subject", "prompt"], given)
        return np.asarray(subject, np.float64), np.asarray(prompt, np.float64)


def _alike(bag: Sequence[int]) -> dict[int, float]:
    return dict.fromkeys(bag, 1 / sqrt(max(1, len(bag))))


def _padded(bags: Bags) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    longest = max(1, max(map(len, bags)))
    found = np.zeros((len(bags), longest), np.int64)
    share = np.zeros((len(bags), longest), np.float32)
    for row, bag in enumerate(bags):
        found[row, : len(bag)] = list(bag)
        share[row, : len(bag)] = list(bag.values())
    return found, share


def _share(text: str, kind: Kind | None) -> float:
    if kind is not None:
        return float(kind == "prompt")
    return 1.0 if looks_written_to_someone(text) else _IMPERATIVE_IS_PROMPT


def load(name: str = BUILTIN, device: Device = "cpu") -> TaskClassifier:
    """The classifier called `name`; `UsageError` for an unknown one, `DamagedError` for a changed file."""
    model = choose(CLASSIFIERS, name, "classifier")
    return TaskClassifier(model, read(model), device)
