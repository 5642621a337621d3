"""Where a question is best looked up: in code, docs, what was debugged, the architecture, or in general."""

from __future__ import annotations

import re

from .tasktext import opening

ROUTES = ("code", "docs", "debug", "architecture", "general")

_ARCHITECTURE = re.compile(
    r"\b(?:architecture\w*|layers?|overview|entry points?|high.level|design decisions?|dependency graph"
    r"|data flow|how (?:do|does) .+ (?:talk|communicate|fit together|relate)|why did we|trade-?offs?"
    r"|modules? (?:depend|import)|structured?)\b"
)
_FAILURE = re.compile(
    r"\b(?:traceback|stack ?trace|exception|error|panics?|crash\w*|segfault|fails?|failing|broken|bug)\b"
)
#: A name from code: a path, a call, snake or camel case, or what stands in backticks.
_NAME = re.compile(
    r"`[^`]+`|\b\w+\(\)|\b[a-z0-9]+_\w+|\b[a-z]+[A-Z]\w*|\b[\w-]+\.(?:py|go|tsx?|jsx?|rs|java|c|h)\b"
)
_BY_TYPE = {
    "bug fix": "debug", "feature": "code", "refactor": "code", "test": "code", "docs": "docs",
    "performance": "code", "build": "code", "migration": "architecture",
}  # fmt: skip


def route(text: str, label: str) -> str:
    """One of `ROUTES` for a text of which `label` is the task type, as `TaskClassifier.classify` says it."""
    begun = opening(text)
    if label not in _BY_TYPE or label == "refactor":
        if _ARCHITECTURE.search(begun):
            return "architecture"
        if label != "refactor" and _FAILURE.search(begun):
            return "debug"
    if label in _BY_TYPE:
        return _BY_TYPE[label]
    return "code" if _NAME.search(text) else "general"
