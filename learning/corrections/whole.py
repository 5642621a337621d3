"""A commit's places, counted: what they say of each one of them, as names that many of them share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ...analyzers.languages import words

_NAME = re.compile(r"[A-Za-z_$][\w$]*")
_TEST = re.compile(
    r"(^|[/_.-])(tests?|specs?|__tests__|testdata|fixtures?|e2e)([/_.-]|$)|(^|/)conftest\.py$", re.I
)
#: What defines a name, in any of the languages; the row of a definition is its signature, too.
_DEFINES = re.compile(
    r"\b(?:def|func|function|class|type|interface|enum|const|let|var)\s+(?:\([^)]*\)\s*)?([A-Za-z_$][\w$]*)"
    r"|^\s*(?:(?:public|private|protected|readonly|static|async)\s+)*([A-Za-z_$][\w$]*)\s*\(.*\{\s*$"
    r"|^\s*(?:self\.)?([A-Za-z_$][\w$]*)\s*:\s*\S.*=|^\s*self\.([A-Za-z_$][\w$]*)\s*=[^=]",
    re.M,
)
_NO_NAMES = words("if for while switch catch with elif return else except")


@dataclass(frozen=True)
class Whole:
    """What a commit changed; `went` and `came` say in how many places a name went, and came."""

    went: Mapping[str, int] = field(default_factory=dict)
    came: Mapping[str, int] = field(default_factory=dict)
    outside: frozenset[str] = frozenset()  # names that changed in files that are no tests
    defined: frozenset[str] = frozenset()  # names that it defines, and whose definition it does not change
    undefined: frozenset[str] = frozenset()  # names whose definition went
    altered: frozenset[str] = frozenset()  # names whose definition's own row it changes
    places: int = 0
    brought: int = 0  # files of code that are new
    added: int = 0  # lines
    removed: int = 0


def is_test(path: str) -> bool:
    """Whether a path is a test's, or of what tests read."""
    return _TEST.search(path) is not None


def whole(files: Iterable[tuple[str, bool, Iterable[tuple[str, str]]]]) -> Whole:
    """Of (path, whether it is new, both sides of its hunks) for each file of code that a commit changed."""
    went: Counter[str] = Counter()
    came: Counter[str] = Counter()
    outside: set[str] = set()
    was: set[str] = set()
    now: set[str] = set()
    places = brought = added = removed = 0
    for path, new, hunks in files:
        brought += new
        for left, right in hunks:
            places += 1
            removed += left.count("\n") + 1 if left else 0
            added += right.count("\n") + 1 if right else 0
            old, fresh = Counter(_NAME.findall(left)), Counter(_NAME.findall(right))
            gone, brings = (old - fresh).keys(), (fresh - old).keys()
            went.update(gone)
            came.update(brings)
            was |= _definitions(left)
            now |= _definitions(right)
            if not is_test(path):
                outside.update(gone, brings)
    defined, undefined, altered = frozenset(now - was), frozenset(was - now), frozenset(was & now)
    return Whole(went, came, frozenset(outside), defined, undefined, altered, places, brought, added, removed)


def _definitions(text: str) -> set[str]:
    return {name for found in _DEFINES.findall(text) for name in found if name} - _NO_NAMES
