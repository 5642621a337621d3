"""The seams of the models: what a classifier and a token counter do. An encoder's is the store's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol


class Classifier(Protocol):
    """Says what type of task a text asks for."""

    name: str

    def classify(
        self, texts: Sequence[str], kind: Literal["prompt", "subject"] | None = None
    ) -> list[tuple[str, float]]:
        """(label, confidence) for each text, the label one of `cortex.models.labels.LABELS` or "unsure".

        `kind` says what the texts are, where that is known.
        """
        ...


class TokenCounter(Protocol):
    """Says how long a text is for a language model."""

    name: str

    def count(self, text: str) -> int:
        """The tokens of a text; 0 for an empty one."""
        ...

    def truncate(self, text: str, budget: int) -> str:
        """The longest head of a text, cut between tokens, whose count is at most `budget`."""
        ...
