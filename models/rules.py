"""What type of task a text names outright: patterns for its opening, and for what is said anywhere in it."""

from __future__ import annotations

import re

from .tasktext import opening

_DOCUMENTS = r"(?:readme|docs?|documentation|docstrings?|jsdoc|changelog|typos?|tutorial|guide)"
_AUTOMATION = r"(?:ci|github actions|workflow|dockerfile|makefile|pre-commit|pyproject\.toml)"
_FAILURES = (
    r"crash\w*|traceback|exceptions?|throws?|segfault|panics?|regression|bug|broken|wrong|error:|\w+error|fails"
    r"|leak\w*|off by one|deadlock\w*"
)

#: Tried in order, at the start of the text without its courtesy; the first that fits speaks.
_OPENINGS = (
    (
        "question",
        r"(?:how|what|what's|why|where|which|who|whose|when|is|are|was|does|do|did|has|have|should|will)\b[^?]*\?",
        r"(?:what|why|where|which|how (?:do|does|is|are|many|much))\b",
        r"(?:explain|describe|summari[sz]e|walk me through|tell me|give me an overview)\b",
        r"show me (?:where|how|why)\b",
        r"(?:whats|how (?:can|could|would|should) i|when (?:should|do|does|is)|who)\b",
        r"(?:is|are|does|do|did|has|should|will) (?:it|there|this|that|we|the|our|i)\b",
    ),
    (
        "migration",
        r"(?:migrate|port|transition)\b",
        r"(?:switch|convert|upgrade)\b.*\b(?:to|from)\b",
    ),
    ("test", r"(?:write|add|create|improve|extend|parametri[sz]e|mock)\b.{0,60}\btests?\b"),
    (
        "docs",
        r"(?:document|describe in)\b",
        rf"(?:write|add|update|fix|improve)\b.{{0,50}}\b{_DOCUMENTS}\b",
    ),
    (
        "performance",
        r"(?:speed up|optimi[sz]e|profile)\b",
        r"(?:make|get)\b.{0,60}\bfaster\b",
    ),
    (
        "build",
        r"(?:bump|pin|release|publish|package)\b",
        rf"(?:set up|add|fix|update|configure)\b.{{0,40}}\b{_AUTOMATION}\b",
    ),
    (
        "refactor",
        r"(?:refactor|rename|extract|inline|simplify|restructure|reorgani[sz]e|clean up|tidy"
        r"|deduplicate|split|factor out)\b",
    ),
    ("bug fix", r"(?:fix|debug|repair|prevent|stop)\b"),
    ("feature", r"(?:implement|introduce|build|add|create|support|allow|let)\b"),
)
#: Tried in order where no opening spoke.
_ANYWHERE = (
    ("performance", r"faster|too slow|slow|latency|throughput|speed (?:it|this|that) up|startup time"),
    ("test", r"coverage|flaky|unit tests?|end-to-end tests?|test cases?"),
    ("docs", r"docstrings?|readme|changelog|documentation|typos?|tutorial"),
    ("build", r"github actions|docker image|ci fails|package\.json|lockfile|dockerfile"),
    ("bug fix", _FAILURES),
    ("refactor", r"without changing (?:what|its|the)|duplicat\w+|split it|into smaller"),
)

#: What turns a question into a wish: "why does it fail? please fix it".
_WISH = re.compile(r"\b(?:fix|repair|solve|make it|make sure|please (?:add|make|change))\b")

_FIRST = [(label, re.compile("|".join(patterns), re.S)) for label, *patterns in _OPENINGS]
_LATER = [(label, re.compile(rf"\b(?:{pattern})(?!\w)")) for label, pattern in _ANYWHERE]


def named(text: str) -> str | None:
    """The label that a text names outright, None where it does not."""
    begun = opening(text)
    for label, pattern in _FIRST:
        if pattern.match(begun) and not (label == "question" and _WISH.search(begun)):
            return label
    return next((label for label, pattern in _LATER if pattern.search(begun)), None)
