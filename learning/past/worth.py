"""Whether a correction of the past is a lesson, or only a change: told from what went, what came and what stayed.

A history is full of changes that teach nobody anything: another value, another statement in the place of one,
a piece less, a local name. What teaches says how something is *done*: a member, a call, a named argument, a
type, a convention of operators, with most of the code around it as it was.
"""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from enum import Enum

from ...analyzers.languages import words
from ...store.kinds import Correction

#: Of the words of the shorter side, and of the longer one, so much is on the other as well.
RELATED, RELATED_LONGER = 0.4, 0.2
#: An edit that changes more words than this does more than one thing.
ONE_THING = 12
#: In a longer statement, in characters of both sides, nobody sees what changed, or why.
LONG = 600

_TOKEN = re.compile(
    r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`[^`]*`|[A-Za-z_$][\w$]*|\d[\w.]*"
    r"|===|!==|\*\*|=>|->|:=|\?\.|\?\?|\.\.\.|==|!=|<=|>=|&&|\|\||::|[^\w\s]"
)
_WORD = re.compile(r"\w+")
_NAME = re.compile(r"[A-Za-z_$][\w$]*\Z")
_VALUES = words("True False None true false null undefined nil NaN iota")
_DECLARES = words(
    "const let var return if else elif while for case export default public private readonly static"
)
_KEYWORDS = frozenset(keyword.kwlist) | words(
    """const let var function async await new typeof instanceof delete void throw catch try finally switch case
    default return if else for while do break continue import export from extends implements interface type
    enum public private protected readonly static abstract func defer go range package struct map chan select
    fallthrough goto nil true false null undefined this super"""
)
_TELLING_KEYWORDS = _KEYWORDS - _VALUES - _DECLARES - words("this self and or not in as from import pass")
#: Operators that a convention is made of; the others say what is computed.
_TELLING = words("=== !== ?. ?? ** ... ::")
_MEMBER = words(". ?. :: @")
_PUNCTUATION = words("( ) [ ] { } , ; . : = ' \" ` < >")
#: Names that are handed on by convention.
_PASSED_ON = words("ctx self cls this")
_MODIFIERS = words("async export default public private protected static abstract")
_DEFINES = words("def func function class")
#: Statements that say what one function does.
_FLOW = words("if else elif for while switch case try select")


class Worth(Enum):
    """What a correction of the past may become."""

    LESSON = "lesson"
    IF_IT_RECURS = "if it recurs"
    NOTHING = "nothing"


def worth(correction: Correction) -> Worth:
    """What this correction teaches by itself."""
    before, after = correction.before.strip(), correction.after.strip()
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    if not old or not new or _annotates(old, new):
        return Worth.NOTHING
    gone, came = Counter(old) - Counter(new), Counter(new) - Counter(old)
    if not came or (_only_values(came) and any(_is_name(token) for token in gone)):
        return Worth.NOTHING  # something is taken out
    if [_kind(token) for token in old] == [_kind(token) for token in new]:
        return Worth.IF_IT_RECURS  # another value
    if old[0] in ("import", "from") and not any(_is_name(token) for token in gone):
        return Worth.NOTHING  # one more name of the same module
    if not _related(old, new):
        return Worth.NOTHING
    long = len(before) + len(after) > LONG
    if long or _defines(old) or _heads(old, new) or _size(gone) + _size(came) > ONE_THING:
        return Worth.IF_IT_RECURS
    return Worth.LESSON if _says_how(old, new, correction.bound) else Worth.IF_IT_RECURS


def _is_name(token: str) -> bool:
    return bool(_NAME.match(token)) and token not in _KEYWORDS


def _is_value(token: str) -> bool:
    return token[0] in "\"'`" or token[0].isdigit() or token in _VALUES


def _kind(token: str) -> str:
    return "value" if _is_value(token) else token


def _only_values(tokens: Counter[str]) -> bool:
    return all(_is_value(token) or token in _PUNCTUATION for token in tokens)


def _size(tokens: Counter[str]) -> int:
    return sum(count for token, count in tokens.items() if token not in _PUNCTUATION)


def _annotates(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether it is a type annotation alone, cut off from what it is the type of."""
    return {old[0], new[0]} <= {":", "->"}


def _defines(old: Sequence[str]) -> bool:
    """Whether it is the head of a function or class: what that one is called and takes."""
    start = next((token for token in old if token not in _MODIFIERS), "")
    return start in _DEFINES


def _heads(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether it is a condition, a list of parameters or a statement that holds others: what one function
    does or takes.
    """
    brackets = (old[0], old[-1], new[0], new[-1]) == ("(", ")", "(", ")")
    gone, came = Counter(old) - Counter(new), Counter(new) - Counter(old)
    flows = old[0] in _FLOW or new[0] in _FLOW
    return (brackets or flows) and not (set(came) & _TELLING and not any(map(_is_name, (*gone, *came))))


def _related(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether the one came from the other: most of its words stayed, or names changed where they stood."""
    if _renamed(old, new):
        return True
    left, right = _beside_target(old, new)
    b, a = Counter(_stems(left)), Counter(_stems(right))
    shared = sum((b & a).values())
    shorter, longer = sorted((sum(b.values()), sum(a.values())))
    if not shorter:
        return False
    return shared >= RELATED * shorter and shared >= RELATED_LONGER * longer


def _stems(tokens: Sequence[str]) -> Iterator[str]:
    """The words and numbers, those in texts as well."""
    for token in tokens:
        if token[0] in "\"'`":
            yield from _WORD.findall(token)
        elif _is_name(token) or token[0].isdigit():
            yield token


def _renamed(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether one name, or two, became others, and nothing else changed."""
    if len(old) != len(new):
        return False
    pairs = {(x, y) for x, y in zip(old, new, strict=True) if x != y}
    return 0 < len(pairs) <= 2 and all(_is_name(x) and _is_name(y) for x, y in pairs)


def _beside_target(old: Sequence[str], new: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Both sides without the name that both assign to: to say another thing of it relates nothing."""
    for sign in ("=", ":="):
        if sign in old and sign in new:
            left, right = old.index(sign), new.index(sign)
            if left == right and old[:left] == new[:right]:
                return old[left + 1 :], new[right + 1 :]
    return old, new


def _says_how(old: Sequence[str], new: Sequence[str], bound: Sequence[str]) -> bool:
    """Whether what came names an interface, or is a convention; local names, values and arithmetic are not."""
    if _renamed(old, new) and any(
        x != y and _is_interface(old, at, bound) for at, (x, y) in enumerate(zip(old, new, strict=True))
    ):
        return True
    return any(_is_interface(new, at, bound) for at in _came(old, new))


def _came(old: Sequence[str], new: Sequence[str]) -> Iterator[int]:
    known = Counter(old)
    for tag, _, _, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag in ("replace", "insert"):
            yield from (at for at in range(start, end) if new.count(new[at]) > known[new[at]])


def _is_interface(tokens: Sequence[str], at: int, bound: Sequence[str]) -> bool:
    token = tokens[at]
    if token in _TELLING or token in _TELLING_KEYWORDS or token in _PASSED_ON:
        return True
    if not _is_name(token):
        return False
    last, following = tokens[at - 1] if at else "", tokens[at + 1] if at + 1 < len(tokens) else ""
    if last in _MEMBER or following == "(" or token in bound or token[:1].isupper():
        return True
    inside = sum(x in ("(", "{", "[") for x in tokens[:at]) > sum(x in (")", "}", "]") for x in tokens[:at])
    return inside and following in ("=", ":") and last in ("(", "{", ",")
