"""The models that ship with Cortex: an encoder, a classifier of task types, a token counter.

Importing this package loads neither numpy nor onnxruntime; a model is loaded when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .protocols import Classifier, TokenCounter

if TYPE_CHECKING:
    from .encoder import StaticEncoder

__all__ = ["Classifier", "TokenCounter", "load_classifier", "load_counter", "load_encoder"]


def load_encoder(name: str = "builtin") -> StaticEncoder:
    """The encoder called `name`: `encode(texts, kind="query" or "code")` gives float32 rows of length 1."""
    from .encoder import load

    return load(name)


def load_classifier(name: str = "builtin") -> Classifier:
    """The classifier called `name`: `classify(texts)` gives (type of task, confidence) for each text."""
    from .classifier import load

    return load(name)


def load_counter(name: str = "builtin") -> TokenCounter:
    """The token counter called `name`: `count(text)`, and `truncate(text, budget)`."""
    from .tokens import load

    return load(name)
