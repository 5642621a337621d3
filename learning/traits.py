"""What can be seen of one edit: a few dozen named numbers, from which its category is guessed.

They come from both sides, from the commit's subject, and from the two versions of the file. None needs a
history, so that they are the same for a commit that was made a second ago. What is not known, a subject or how
many places the commit changed, is a trait of its own, which weighs what the missing ones weigh on average.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ..analyzers.languages import words

_TOKEN = re.compile(
    r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`[^`]*`|[A-Za-z_$][\w$]*|\d[\w.]*"
    r"|===|!==|=>|->|:=|\?\.|\?\?|\.\.\.|==|!=|<=|>=|&&|\|\||[^\w\s]"
)
_NAME = re.compile(r"[A-Za-z_$][\w$]*")
_IMPORT = re.compile(
    r"\s*(import\b|from\s+[\w.]+\s+import\b|use\s|#include\b|(const|var|let)\b.*\brequire\()"
)
_DEFINES = re.compile(
    r"\s*(export\s+|default\s+|async\s+|public\s+|private\s+|static\s+)*(def|func|function|class|type|interface)\b"
)
CONVENTIONAL = re.compile(r"\s*(?P<type>[A-Za-z]+)(\([^)]*\))?!?:\s")

_VALUES = words("True False None true false null undefined nil")
_KEYWORDS = _VALUES | words(
    """if else elif for while return func def function class const let var import from export async await new try
    catch except finally throw raise switch case break continue in is not and or as with type interface struct
    defer go range map chan package public private static this self void pass yield lambda default"""
)
_GLOBAL = words(
    """console print fmt os sys path json JSON Math Date process Number String Object Array Promise time strings
    errors log logging logger re open len str int"""
)
_OPERATORS = words("== != === !== < > <= >= + - * / % && || and or not ! in is ?? ?.")
_GUARDS = words("if return try except catch throw raise defer finally ?? ?. ||")
_CAREFUL = words(
    """timeout encoding utf8 safe_load quote escape sanitize lock acquire await defer close Close check_call
    raise_for_status WithTimeout CommandContext WithContext Errorf errors Is As nil None null isinstance utc
    structuredClone nonlocal finally except catch recover mutex Lock Unlock RLock strict parseInt Number isNaN
    trim strip max min filter"""
)
_TYPES = words(": -> ?: as Optional str int bool string number boolean interface type any error")

#: What a subject says, by its Conventional-Commits type or by its words; the first that fits is taken.
_SAYS: Mapping[str, tuple[frozenset[str], re.Pattern[str]]] = {
    "merges": (
        words("release bump"),
        re.compile(r"^(merge\b|release\b|bump\b|\w+ sync\b|version\b|v?\d+\.\d)|\b(version|stamp)\b", re.I),
    ),
    "fixes": (
        words("fix bugfix hotfix perf security"),
        re.compile(
            r"^(fix|correct|prevent|handle|resolve|avoid|only|stop|don't|do not|never|allow|guard)\b"
            r"|\b(fix(e[sd]|ing)?|bugs?|crash\w*|regress\w*|leaks?|races?|deadlock\w*|cve|wrong|broken|incorrect\w*"
            r"|typo|hang|oops)\b",
            re.I,
        ),
    ),
    "brings": (
        words("feat feature"),
        re.compile(
            r"^(add(s|ed)?|updat(e|es|ed|ing)|implement\w*|introduc\w*|support\w*|enhanc\w*|creat\w*|enabl\w*|expos\w*|initial|wip|new)\b",
            re.I,
        ),
    ),
    "styles": (
        words("style lint docs doc chore"),
        re.compile(
            r"\b(style|lint\w*|fmt|format\w*|typo|naming|clean\w*|tidy|copy|wording|tweak|polish|cosmetic"
            r"|redundant|unused|nits?|black|ruff|simplif\w+)\b",
            re.I,
        ),
    ),
    "rebuilds": (
        words("refactor refac build"),
        re.compile(
            r"\b(refactor\w*|renam\w*|mov(e|ed|ing)|extract\w*|migrat\w*|rewrit\w*|reorg\w*|split\w*|remov\w*"
            r"|drop\w*|replac\w*|delet\w*|consolidat\w*|convert\w*|unif\w+|switch\w*)\b",
            re.I,
        ),
    ),
}


@dataclass(frozen=True)
class Around:
    """What both versions of a file say of each of its edits."""

    lost: frozenset[str] = frozenset()  # names that the file holds no longer
    new: frozenset[str] = frozenset()  # names that it did not hold
    swaps: Mapping[tuple[str, str], int] = field(
        default_factory=dict
    )  # (name, name in its place) → how often
    edits: int = 1


@dataclass(frozen=True)
class Seen:
    """One edit as it is judged; `places` is how many places of earlier code the commit changed, 0 unknown."""

    before: str
    after: str
    subject: str = ""
    places: int = 0
    count: int = 1
    around: Around = Around()


def around(before: str, after: str, sides: Sequence[tuple[str, str]]) -> Around:
    """What two versions of a file, and its edits, say of each one of them."""
    old, new = set(_NAME.findall(before)), set(_NAME.findall(after))
    swaps: Counter[tuple[str, str]] = Counter()
    for left, right in sides:
        swaps.update(set(swapped(_TOKEN.findall(left), _TOKEN.findall(right))))
    return Around(frozenset(old - new), frozenset(new - old), swaps, len(sides))


def swapped(old: Sequence[str], new: Sequence[str]) -> list[tuple[str, str]]:
    """The pairs of names that stand in each other's place, where both sides are otherwise equally long."""
    if len(old) != len(new):
        gone, came = Counter(old) - Counter(new), Counter(new) - Counter(old)
        left, right = ([each for each in side if _is_name(each)] for side in (gone, came))
        return [(left[0], right[0])] if len(left) == len(right) == 1 else []
    return [(x, y) for x, y in zip(old, new, strict=True) if x != y and _is_name(x) and _is_name(y)]


def said(subject: str) -> str:
    """What a subject says: merges, fixes, brings, styles, rebuilds, or nothing of these."""
    match = CONVENTIONAL.match(subject)
    if match:
        for name, (types, _) in _SAYS.items():
            if match["type"].lower() in types:
                return name
    return next((name for name, (_, pattern) in _SAYS.items() if pattern.search(subject)), "")


def traits(seen: Seen) -> dict[str, float]:
    """The named numbers of one edit, each about between -1 and 3."""
    old, new = _TOKEN.findall(seen.before), _TOKEN.findall(seen.after)
    gone, came = Counter(old) - Counter(new), Counter(new) - Counter(old)
    went, brought = sum(gone.values()), sum(came.values())
    names_gone, names_came = _names(gone), _names(came)
    pairs = swapped(old, new)
    lines = seen.before.count("\n") + seen.after.count("\n") + 2
    subject = said(seen.subject)
    known = bool(seen.subject.strip())
    both = bool(old and new)
    return {f"the subject {name}": float(subject == name) for name in _SAYS} | {
        "the subject is not known": float(not known),
        "a fix that changed little": float(subject == "fixes" and 0 < seen.places <= 15),
        "it is long": math.log(lines / 2) if lines > 2 else 0.0,
        "much went": math.log1p(went) / 2,
        "much came": math.log1p(brought) / 2,
        "more came than went": math.log((brought + 1) / (went + 1)) if both else 0.0,
        "it only went": float(not new),
        "it only came": float(not old),
        "most of it stayed": 1 - (went + brought) / max(1, len(old) + len(new)),
        "the commit changed many places": math.log(seen.places / 10) if seen.places else 0.0,
        "the places are not known": float(not seen.places),
        "the commit changed few places": float(0 < seen.places <= 4),
        "the file has many edits": math.log(max(1, seen.around.edits)) / 2,
        "the same edit came again in the file": float(seen.count > 1),
        "the same name was changed elsewhere in the file": float(
            any(seen.around.swaps.get(pair, 0) > 1 for pair in pairs)
        ),
        "what went is nowhere in the file": _share(names_gone, seen.around.lost),
        "what came is new in the file": _share(names_came, seen.around.new),
        "imports": float(_all(_IMPORT, seen.before, seen.after)),
        "a definition": float(bool(_DEFINES.match(seen.before or seen.after))),
        "parameters": float(both and (old[0], old[-1], new[0], new[-1]) == ("(", ")", "(", ")")),
        "only names": float(both and bool(pairs) and set(gone) | set(came) <= {n for p in pairs for n in p}),
        "only texts": float(both and all(_is_text(token) for token in (*gone, *came))),
        "only values": float(both and all(_is_value(token) for token in (*gone, *came))),
        "only operators": float(
            both and not names_gone and not names_came and bool(_OPERATORS & {*gone, *came})
        ),
        "types": float(both and bool(came) and set(gone) | set(came) <= _TYPES),
        "another callee": float(_callee(old) != _callee(new) and bool(_callee(old)) and bool(_callee(new))),
        "arguments more or less": float(both and _callee(old) == _callee(new) != "" and len(old) != len(new)),
        "a library's name went": float(bool(_GLOBAL & set(gone))),
        "a guard came": float(bool(_GUARDS & set(came))),
        "a careful word came": float(bool(_CAREFUL & set(came))),
    }


def _is_name(token: str) -> bool:
    return bool(_NAME.fullmatch(token)) and token not in _KEYWORDS


def _is_text(token: str) -> bool:
    return token[0] in "\"'`"


def _is_value(token: str) -> bool:
    return _is_text(token) or token[0].isdigit() or token in _VALUES


def _names(tokens: Collection[str]) -> set[str]:
    return {token for token in tokens if _is_name(token)}


def _share(names: Collection[str], of: Collection[str]) -> float:
    return sum(name in of for name in names) / len(names) if names else 0.0


def _all(pattern: re.Pattern[str], *sides: str) -> bool:
    there = [side for side in sides if side.strip()]
    return bool(there) and all(pattern.match(side) for side in there)


def _callee(tokens: Sequence[str]) -> str:
    """The first name that is called."""
    calls = (name for name, following in pairwise(tokens) if following == "(")
    return next(filter(_is_name, calls), "")
