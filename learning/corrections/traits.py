"""What can be seen of one edit: a few dozen named numbers, from which its category is guessed.

They come from both sides, from the commit's subject and its other places, and from the two versions of the file.
None needs a history, so that they are the same for a commit that was made a second ago. What is not known, a
subject or what else the commit changed, is a trait of its own, which weighs what the missing ones weigh on average.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ...analyzers.languages import words
from .whole import Whole, is_test

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
_BREAKS = re.compile(r"\s*[A-Za-z]+(\([^)]*\))?!:")
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
_DEBUG = re.compile(r"\s*(dump|print|pprint|console\.\w+|dbg|debugger|breakpoint|fmt\.Print\w*)\s*[(;]")
#: A name with its type, and what a function returns.
_TYPED = re.compile(r"([A-Za-z_$][\w$]*)\s*:\s*[A-Za-z_][\w.]*(?:\[[^\]]*\])?")
_RETURNS = re.compile(r"\)\s*->\s*[^:]+:")
_LISTS = words("| , [ ]")
_DIGITS = re.compile(r"[\da-f]{6,}|\d+")
#: A text of so many spaces is told to somebody; a shorter one is mostly a name.
_TOLD = 2
_TYPES = words(": -> ?: as Optional str int bool string number boolean interface type any error")

#: Types that say little: a new version's number comes with them as well.
_CHORES = words("chore build")
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
        words("style lint docs doc"),
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
    """One edit as it is judged; `places` is how many places of earlier code the commit changed, 0 unknown.

    `whole` is what all its places say; None where nobody looked.
    """

    before: str
    after: str
    subject: str = ""
    places: int = 0
    count: int = 1
    around: Around = Around()
    path: str = ""
    whole: Whole | None = None


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
        if match["type"].lower() in _CHORES and _SAYS["merges"][1].search(subject[match.end() :]):
            return "merges"
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
    return (
        {f"the subject {name}": float(subject == name) for name in _SAYS}
        | {
            "the subject is not known": float(not known),
            "it breaks": float(bool(_BREAKS.match(seen.subject))),
            "a fix that changed little": float(subject == "fixes" and 0 < seen.places <= 15),
            "it is long": math.log(lines / 2) if lines > 2 else 0.0,
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
            "only names": float(
                both and bool(pairs) and set(gone) | set(came) <= {n for p in pairs for n in p}
            ),
            "only texts": float(both and all(_is_text(token) for token in (*gone, *came))),
            "only values": float(both and all(_is_value(token) for token in (*gone, *came))),
            "only operators": float(
                both and not names_gone and not names_came and bool(_OPERATORS & {*gone, *came})
            ),
            "types": float(both and bool(came) and set(gone) | set(came) <= _TYPES),
            "another callee": float(
                _callee(old) != _callee(new) and bool(_callee(old)) and bool(_callee(new))
            ),
            "arguments more or less": float(_rearranged(seen)),
            "a library's name went": float(bool(_GLOBAL & set(gone))),
            "a guard came": float(bool(_GUARDS & set(came))),
            "a careful word came": float(bool(_CAREFUL & set(came))),
            "only words of a message": float(
                both
                and bool(gone or came)
                and all(_is_text(token) for token in (*gone, *came))
                and any(token.count(" ") >= _TOLD for token in (*gone, *came))
            ),
            "only digits": float(
                both and bool(gone) and _sameness(seen, lambda text: _DIGITS.sub("0", text))
            ),
            "only more values": float(
                both
                and not gone
                and bool(came)
                and all(_is_value(token) or token in _LISTS for token in came)
            ),
            "types were said": float(both and _sameness(seen, _untyped)),
            "a debugging call went": float(
                not new and "\n" not in seen.before and bool(_DEBUG.match(seen.before))
            ),
        }
        | _beside(seen, names_gone, names_came, _called(old) & _called(new))
    )


def _beside(
    seen: Seen, gone: Collection[str], came: Collection[str], called: Collection[str]
) -> dict[str, float]:
    """What the path and the commit's other places say of the names that went, came, and are called on both sides."""
    known, test = seen.whole is not None, is_test(seen.path)
    of = seen.whole or Whole()
    went = max((of.went.get(name, 0) for name in gone), default=0)
    brought = max((of.came.get(name, 0) for name in came), default=0)
    altered = not of.altered.isdisjoint(called)
    return {
        "a test": float(test),
        "the path is not known": float(not seen.path),
        "the other places are not known": float(not known),
        "what went, went in other places": math.log(max(1, went)) / 2,
        "what came, came in other places": math.log(max(1, brought)) / 2,
        "its names changed nowhere else": float(known and bool(gone or came) and max(went, brought) <= 1),
        "a test of what changed": float(test and not of.outside.isdisjoint({*gone, *came})),
        "a test, with code": float(test and bool(of.outside)),
        "the commit brings files": math.log1p(of.brought),
        "the commit adds much": math.log1p(of.added) / 4,
        "the commit adds more than it takes": math.log((of.added + 5) / (of.removed + 5)),
        "the commit is a single place": float(known and of.places <= 2),
        "what came is defined by the commit": _share(came, of.defined),
        "what went is defined no longer": _share(gone, of.undefined),
        "what it calls was altered": float(altered),
        "what it calls was altered, in a test": float(test and altered),
        "a test's arguments more or less": float(test and _rearranged(seen)),
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


def _called(tokens: Sequence[str]) -> set[str]:
    """All names that are called."""
    return {name for name, following in pairwise(tokens) if following == "(" and _is_name(name)}


def _rearranged(seen: Seen) -> bool:
    """Whether the same is called with more or less."""
    old, new = _TOKEN.findall(seen.before), _TOKEN.findall(seen.after)
    return _callee(old) == _callee(new) != "" and len(old) != len(new)


def _sameness(seen: Seen, bare: Callable[[str], str]) -> bool:
    return seen.before != seen.after and bare(seen.before) == bare(seen.after)


def _untyped(text: str) -> str:
    """Without types and white space."""
    plain = "".join(_TYPED.sub(r"\1", _RETURNS.sub("):", text)).split())
    return plain.replace(",)", ")")
