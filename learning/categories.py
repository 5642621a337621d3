"""What kind a correction is: a first guess from what vanished and what appeared, with an honest confidence.

The order of the tests is the order of their precision on real histories: the growth of a feature is by far
the most common edit that is no correction, and is told by statements that only came.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from ..analyzers.languages import words
from ..store.kinds import MILLION

_TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.]*|\"[^\"\n]*\"|'[^'\n]*'|[^\w\s]+")
_WORD = re.compile(r"[A-Za-z_]\w*$")
_STRING = re.compile(r"[\"'`]")

_BUG_WORDS = words(
    """timeout encoding utf8 safe_load quote split escape sanitize lock acquire await defer close Close
    check_call raise_for_status WithTimeout CommandContext WithContext Errorf errors Is As nil None null
    isinstance utc structuredClone nonlocal finally except catch recover mutex Lock Unlock RLock strict
    parseInt Number isNaN"""
)
_BUG_GONE = words("shell pickle eval exec md5 sha1 utcnow verify innerHTML any")
_OPERATORS = words("== != === !== < > <= >= + - * / % &&    and or not ! in is")
_TYPES = words(": -> ?: as Optional str int bool string number boolean interface type")
_FIXING = re.compile(
    r"\b(fix|bug|crash|regress|leak|race|deadlock|security|cve|wrong|broken|incorrect)\w*", re.I
)
_STYLING = re.compile(r"\b(style|lint|format|typo|rename|naming|cleanup|clean up|tidy|docs?)\b", re.I)

Guess = tuple[str, int]


def categorise(
    before: str, after: str, kind_before: str = "", kind_after: str = "", subject: str = ""
) -> Guess:
    """(category, confidence in millionths) of one edit; ("", low) where nothing speaks."""
    if not before.strip():
        return _inserted(after, subject)
    lines = before.count("\n") + after.count("\n") + 2
    if not after.strip():
        return ("evolution", _share(0.5)) if lines > 6 else ("style", _share(0.4))
    gone, came = _difference(before, after)
    if lines > 24 or (_size(gone) + _size(came) > 60 and not kind_before):
        return "evolution", _share(0.75)
    fixing = bool(_FIXING.search(subject))
    words_gone, words_came = _words(gone), _words(came)
    if (words_came & _BUG_WORDS) or (words_gone & _BUG_GONE):
        return "bug", _share(0.8 if fixing else 0.65)
    if not words_gone and not words_came and (set(gone) | set(came)) & _OPERATORS:
        return "bug", _share(0.75 if fixing else 0.55)
    if fixing:
        return "bug", _share(0.65)
    if _only_types(gone, came):
        return "style", _share(0.6)
    if _renamed(before, after) or _STYLING.search(subject):
        return "style", _share(0.55)
    if all(_STRING.match(token) for token in (*gone, *came)):
        return "preference", _share(0.45)
    if kind_before and lines <= 8:
        return "preference", _share(0.5)
    return ("evolution", _share(0.5)) if lines > 8 else ("preference", _share(0.35))


def _inserted(after: str, subject: str) -> Guess:
    """Statements that only came: the feature went on, unless they are few and guard against something."""
    lines = after.count("\n") + 1
    if lines <= 3 and _words(Counter(_TOKEN.findall(after))) & (
        _BUG_WORDS | {"raise", "throw", "return", "if"}
    ):
        return "bug", _share(0.5 if _FIXING.search(subject) else 0.35)
    return "evolution", _share(0.7 if lines > 3 else 0.55)


def _difference(before: str, after: str) -> tuple[Counter[str], Counter[str]]:
    b, a = Counter(_TOKEN.findall(before)), Counter(_TOKEN.findall(after))
    return b - a, a - b


def _words(tokens: Iterable[str]) -> set[str]:
    return {token for token in tokens if _WORD.match(token)}


def _size(tokens: Counter[str]) -> int:
    return sum(tokens.values())


def _only_types(gone: Counter[str], came: Counter[str]) -> bool:
    return not gone and bool(came) and next(iter(came)) in _TYPES


def _renamed(before: str, after: str) -> bool:
    """Whether names alone differ: the same tokens otherwise, in the same order."""
    b, a = _TOKEN.findall(before), _TOKEN.findall(after)
    if len(b) != len(a):
        return False
    pairs = {(x, y) for x, y in zip(b, a, strict=True) if x != y}
    return len(pairs) == 1 and all(_WORD.match(x) and _WORD.match(y) for x, y in pairs) and "(" not in b


def _share(value: float) -> int:
    return round(value * MILLION)
