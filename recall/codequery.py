"""What is asked of a repository's code: its words, and how far it sounds like a task rather than a description."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from ..store.words import query_terms, stem
from .question import LONGEST

_TASKS = frozenset(
    """
    add allow avoid bump change clean convert correct deprecate disable document don drop enable ensure expose
    extend extract fix handle implement improve include introduce make migrate move only optimise optimize pass
    prevent reduce refactor remove rename replace rework revert rewrite set simplify skip speed split stop
    support switch test tidy try tweak update upgrade use more better minor also new no
    """.split()  # noqa: SIM905 - read as prose
)
_TELLS = frozenset(
    """
    return returns get gets check checks is whether create creates the a an this parse parses load loads
    determine called represents contains like given true used sets adds registers reads writes makes decorator
    helper internal if same wraps generates finds runs executes prints provides implements
    """.split()  # noqa: SIM905 - read as prose
)
_DESCRIBES = frozenset("that which given whether specified current returns used if".split())  # noqa: SIM905
_CHANGES = frozenset(
    """
    when instead unused bug issue properly error fix missing support docs tests should doesn't don't regression
    typo
    """.split()  # noqa: SIM905 - read as prose
)
_CODE = re.compile(r"\w\.\w|\w\(|_\w|[a-z][A-Z]|`|/")
_NAME = re.compile(r"[A-Za-z_$][\w$]{2,}")
_TEST = frozenset(stem(word) for word in ("test", "spec", "fixture", "benchmark", "mock", "example"))
#: A logistic regression on the six development repositories' docstrings and commit subjects, in the order of
#: `_traits`: 88% of them are told apart.
_WEIGHTS: Final = (1.94, 1.54, -1.62, -1.77, -4.1, -1.7, 0.47, -1.47, 1.52)


@dataclass(frozen=True)
class CodeQuery:
    """A question to code: `task` is how likely it says what to change (1) rather than what something does (0)."""

    text: str
    terms: tuple[str, ...]
    task: float
    named: frozenset[str]  # names of code in it, in lower case
    paths: tuple[str, ...]
    tests: bool  # whether tests are what is looked for


def read_query(text: str) -> CodeQuery:
    """Read a question."""
    text = text[:LONGEST]
    terms = tuple(query_terms(text))
    return CodeQuery(
        text=text,
        terms=terms,
        task=task_likeness(text),
        named=frozenset(word.lower() for word in _NAME.findall(text) if _is_name(word, text)),
        paths=tuple(word.strip(".") for word in re.findall(r"[\w.-]+(?:/[\w.-]+)+|\w+\.[a-z]{1,4}\b", text)),
        tests=not _TEST.isdisjoint(terms),
    )


def task_likeness(text: str) -> float:
    """How likely a text is a task like a commit's subject, not a description like a docstring: 0 to 1."""
    total = sum(weight * trait for weight, trait in zip(_WEIGHTS, _traits(text), strict=True))
    return 1 / (1 + math.exp(-total))


def _traits(text: str) -> tuple[float, ...]:
    words = [word.lower() for word in re.findall(r"[A-Za-z_']+", text)]
    first = words[0] if words else ""
    size = max(1, len(words))
    third = first.endswith("s") and not first.endswith("ss") and first not in _TASKS
    return (
        1.0,
        float(first in _TASKS),
        float(first in _TELLS),
        float(third),
        sum(word in ("the", "a", "an") for word in words) / size,
        min(size, 25) / 10,
        float(_CODE.search(text) is not None),
        float(not _DESCRIBES.isdisjoint(words)),
        float(not _CHANGES.isdisjoint(words)),
    )


def _is_name(word: str, text: str) -> bool:
    """Whether a word of a question is written as code writes names."""
    return bool(
        "_" in word
        or re.search(r"[a-z][A-Z]", word)
        or re.search(rf"(?<![\w]){re.escape(word)}\(|`{re.escape(word)}|\.{re.escape(word)}\b", text)
    )
