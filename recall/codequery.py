"""What is asked of a repository's code: its words, and how far it sounds like a task rather than a description."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
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
#: A name by what stands around it: a call, a quote of code, a member.
_MARKED = re.compile(r"(?<!\w)([A-Za-z_$][\w$]{2,})\(|`([A-Za-z_$][\w$]{2,})|\.([A-Za-z_$][\w$]{2,})\b")
_CAMEL = re.compile(r"[a-z][A-Z]")
_PATH = re.compile(
    r"(?<![\w.@-])[\w.@-]+(?:/[\w.@+\[\]-]+)+|(?<![\w.-])\.?\w[\w-]*(?:\.[\w-]+)*\.[a-z]{1,4}\b|(?<![\w./])\.[a-z][\w-]{3,}"
    r"|\b[A-Z][a-z]+file\b"
)
_DOTTED = re.compile(r"(?<![\w$.])[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)+")
#: What was done is asked for: the past answers first.
_PAST = re.compile(
    r"^\W*(?:(?:since )?when|why|who|how long ago) (?:did|was|were|has|have|had)\b|\b(?:any ?more|no longer|used to)\b"
    r"|\b(?:which|what) (?:commit|change|release|version)\b|\bwhat (?:has |have )?changed\b",
    re.IGNORECASE,
)
#: A place is asked for: code and docs answer before commits.
_PLACE = re.compile(
    r"^\W*(?:where|which (?:function|method|class|type|file|module)|how|what (?:does|do|is|are))\b",
    re.IGNORECASE,
)
_OF_CODE = re.compile(
    r"^\W*(?:where (?:is|are|do|does)|which (?:function|method|class|type))\b", re.IGNORECASE
)
#: Words that say what kind of work it is, or are said to anybody, and never what it is about.
_GENERAL = frozenset(
    map(
        stem,
        """
        add again another anything better bit break broken bug change cleanup clean code comment commit complete
        continue describe do docs document documentation done error everything explain fail faster file finish
        fix fixed function go good great happen hello help implement improve issue job keep little look lot make
        more nice now ok okay perfect performance please problem push quick quickly refactor remove repo
        repository review rewrite run same show simplify slightly something speed start stop summary summarise
        summarize task tell test tests thank thanks thing tidy try undo update verify work write wrong yes
        """.split(),  # noqa: SIM905 - read as prose
    )
)
#: A question asks neither as a docstring describes nor as a commit's subject tells: its place is between them.
_ASKS = re.compile(r"^\W*(?:in )?(?:where|which|what|how|why|when|who)\b", re.IGNORECASE)
ASKED = 0.4
#: So surely a task, it speaks of what it names; docstrings that are taken for one name what is beside them.
SURELY = 0.9
_TROUBLE = re.compile(
    r"\b(?:bugs?|crash\w*|broken|wrong(?:ly)?|fix\w*|fails?|failing|ignored|explain|hangs?|leaks?|flaky|loops|missing)\b",
    re.IGNORECASE,
)
#: What stands for something that was said before; and what is to be done with that, first of all.
_POINTS_BACK = re.compile(r"\b(?:it|this|that|these|those|them)\b", re.IGNORECASE)
_TO_THAT = re.compile(
    r"^\W*(?:(?:please|just|now|and|then|can|could|would|you|we|let's|lets)\W+)*(\w+)\s+(?:it|this|that|these|those|them)\b",
    re.IGNORECASE,
)
_TESTING = re.compile(
    r"\bhow (?:do|can|could|should|would) (?:we|i|you|one) test\b|\b(?:is|are) .{1,80} tested\b"
    r"|\btests? (?:for|of|that|which)\b|\b(?:unit|integration|regression) tests?\b|\btest cases?\b",
    re.IGNORECASE,
)
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
    symbols: tuple[str, ...]  # the same as they are written, with what they are in: `Session.send`
    paths: tuple[str, ...]
    tests: bool  # whether tests are what is looked for
    testing: bool  # whether nothing else is
    past: bool  # whether what was done is
    place: bool  # whether a place is
    code: bool  # whether it has to be one of code
    points: bool  # whether what it names is what it is about
    general: bool  # whether its words fit anything
    vague: bool  # whether it says nothing that could be looked for


def read_query(text: str) -> CodeQuery:
    """Read a question."""
    text = text[:LONGEST]
    terms = tuple(query_terms(text))
    asks = _ASKS.search(text) is not None
    task = ASKED if asks else task_likeness(text)
    named = _names(text)
    paths = tuple(word.rstrip(".") for word in _PATH.findall(text))
    dotted = _DOTTED.findall(text)
    past = _PAST.search(text) is not None
    place = not past and _PLACE.search(text) is not None
    return CodeQuery(
        text=text,
        terms=terms,
        task=task,
        named=frozenset(word.lower() for word in named),
        symbols=tuple(dict.fromkeys((*dotted, *named))),
        paths=paths,
        tests=not _TEST.isdisjoint(terms),
        testing=_TESTING.search(text) is not None,
        past=past,
        place=place,
        code=place and _OF_CODE.search(text) is not None,
        points=asks or task >= SURELY or _TROUBLE.search(text) is not None,
        general=not named and not paths and _GENERAL.issuperset(terms),
        vague=not named and not paths and _is_vague(text, terms, place),
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


def _is_vague(text: str, terms: Sequence[str], place: bool) -> bool:
    """Whether each word fits anything, or says only what is to be done with what was said before.

    "How do I run the tests?" holds no other words, and has its place in the docs.
    """
    telling = {term for term in terms if term not in _GENERAL}
    to_that = _TO_THAT.match(text)
    if to_that and telling <= {stem(to_that[1].lower())}:
        return True
    return not telling and (not place or _POINTS_BACK.search(text) is not None)


def _names(text: str) -> list[str]:
    """The words of a question that are written as code writes names."""
    marked = {word for each in _MARKED.findall(text) for word in each if word}
    found = dict.fromkeys(_NAME.findall(text))
    return [word for word in found if "_" in word or word in marked or _CAMEL.search(word)]
