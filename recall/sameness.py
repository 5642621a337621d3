"""Whether two memories say one thing, so that an answer says it once; or the contrary, so that it says one of them."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from ..store.edits import BLOTS, LONGEST, NAME, TOKEN, Tokens, changed, tokens
from ..store.items import Item

#: Of the names of two edits that only add or only take out, so much is the same on both.
BESIDE = 0.6


def same(one: Item, other: Item) -> bool:
    """Whether two memories say one thing: a rule and what it was learnt from, the same edit twice, alike edits.

    What was pulled never speaks for what is one's own: an edit of somebody else's that is only alike to it does
    not take its place.
    """
    if one.id in other.sources or other.id in one.sources or set(one.sources) & set(other.sources):
        return True
    if one.title and one.title == other.title and one.language == other.language:
        return True
    if _sides(one) & _sides(other):
        return True
    return (one.trust == "pulled") == (other.trust == "pulled") and alike(one, other)


def alike(one: Item, other: Item) -> bool:
    """Whether two corrections are the same change of different code: the same words went and came."""
    if one.kind != "correction" or other.kind != "correction" or not one.evidence or not other.evidence:
        return False
    if one.language != other.language:
        return False
    # Asked of each candidate for each entry: the looks that are cheapest come first, here and below.
    mine = sketch(one.evidence[0].before, one.evidence[0].after)
    theirs = sketch(other.evidence[0].before, other.evidence[0].after)
    return mine is not None and theirs is not None and alike_sketches(mine, theirs)


Sketch = tuple[Tokens, Tokens, frozenset[str]]


def alike_sketches(mine: Sketch, theirs: Sketch) -> bool:
    """Whether two edits are the same change of different code; where something only came or only went, in the
    midst of mostly the same names.
    """
    if mine[:2] != theirs[:2]:
        return False
    if mine[0] and mine[1]:
        return True
    both = mine[2] | theirs[2]
    return bool(both) and len(mine[2] & theirs[2]) >= BESIDE * len(both)


@lru_cache(maxsize=4_096)
def sketch(before: str, after: str) -> Sketch | None:
    """The tokens that went, those that came, and all names; None where what changed has no name."""
    told = changed(before, after)
    if told is None:
        return None
    held = (*tokens(before), *tokens(after))
    return *told, frozenset(token for token in held if token[0].isalpha() and token not in BLOTS)


def _sides(item: Item) -> set[tuple[str, str]]:
    sides = {(" ".join(each.before.split()), " ".join(each.after.split())) for each in item.evidence}
    # A line may show several preferences; and where a memory has no code, none of it is shared.
    return set() if item.kind == "preference" else sides - {("", "")}


#: Of two that contradict each other the older one stands where it is surer by so much: ten corrections against one.
SURER = 0.2
#: A memory that is right less often than so is not shown, once somebody spoke against it.
DISPUTED = 0.35
_SAID = re.compile(
    r"""\b(?:use|prefer|call|write|choose|take)\s+(?P<one>`+[^`]+`+|[^\s,;:]+(?:\s[^\s,;:]+){0,2}?)
    \s*(?:,?\s+(?:instead\s+of|rather\s+than|over|and\s+not|not))\s+(?P<other>`+[^`]+`+|[^\s,;:.]+)""",
    re.IGNORECASE | re.VERBOSE,
)
Sides = tuple[Tokens, Tokens, frozenset[str]]


def contradict(one: Item, other: Item) -> bool:
    """Whether whoever follows the one does what the other one corrected: the change back, the next change of what the
    first one brought, or another change of the very same code.
    """
    if one.language and other.language and one.language != other.language:
        return False
    mine, theirs = said(one.title), said(other.title)
    if mine and theirs and mine == theirs[::-1]:
        return True
    return any(_against(left, right) for left in edits(one) for right in edits(other))


def yields(one: Item, other: Item) -> bool:
    """Whether the first of two that contradict each other gives way: what was pulled to one's own, then the less sure
    by far, then the older.
    """
    if (one.trust == "pulled") != (other.trust == "pulled"):
        return one.trust == "pulled"
    surer = success(one) - success(other)
    if abs(surer) >= SURER:
        return surer < 0
    return (one.created, one.id) < (other.created, other.id)


def silent(item: Item) -> str:
    """Why a memory has nothing to say: "retired", since it holds no longer, or "disputed", since more speaks against it
    than for it; empty for most.
    """
    if item.status == "retired":
        return "retired"
    return "disputed" if item.against >= 1 and success(item) < DISPUTED else ""


def success(item: Item) -> float:
    """The mean of the Beta posterior of being right, from a uniform prior; support counts to ten at most."""
    support = min(item.support, 10)
    return (support + 1) / (support + item.against + 2)


@lru_cache(maxsize=4_096)
def said(title: str) -> tuple[str, str] | None:
    """What a title says to use, and instead of what; None where it says no such thing."""
    found = _SAID.search(title)
    return (found["one"].strip("`").lower(), found["other"].strip("`").lower()) if found else None


def edits(item: Item) -> list[tuple[str, str]]:
    """Both sides of each edit that a memory is made of, where there was something before."""
    if item.kind not in ("correction", "rule"):
        return []
    return [(each.before[:LONGEST], each.after[:LONGEST]) for each in item.evidence if each.before]


def _against(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether one edit undoes what the other did, or replaces the very same code otherwise."""
    mine, theirs = (flat(one[0]), flat(one[1])), (flat(other[0]), flat(other[1]))
    if mine == theirs:
        return False
    if mine[0] == theirs[0]:
        return bool(mine[1] and theirs[1]) and not alike_edits(one, other)
    if _goes_on(mine, theirs) or _goes_on(theirs, mine):
        return True
    left, right = sides(*one), sides(*other)
    if left[0] == right[0] and left[1] == right[1]:
        return False
    undone = bool(left[1]) and left[1] == right[0]
    redone = bool(right[1]) and right[1] == left[0]
    if not (undone or redone):
        return False
    # There and back again is told by the names alone; of a step further only the same surroundings tell.
    if undone and redone and any(NAME.match(token) for token in (*left[0], *left[1])) and left[0] and left[1]:
        return True
    both = left[2] | right[2]
    return bool(both) and len(left[2] & right[2]) >= BESIDE * len(both)


def _goes_on(first: tuple[str, str], then: tuple[str, str]) -> bool:
    """Whether the second edit replaces what the first one brought, and little else."""
    came = first[1]
    return (
        bool(then[1])
        and 2 * len(came) >= len(then[0])
        and came in then[0]
        and came not in then[1]
        and any(NAME.match(token) for token in TOKEN.findall(came))
    )


@lru_cache(maxsize=4_096)
def flat(text: str) -> str:
    """A text on one line, however its white space was."""
    return " ".join(text.split())


def alike_edits(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two edits are the same change but for texts and numbers."""
    mine, theirs = sketch(*one), sketch(*other)
    return mine is not None and theirs is not None and alike_sketches(mine, theirs)


@lru_cache(maxsize=4_096)
def sides(before: str, after: str) -> Sides:
    """The tokens that went and those that came, texts and numbers as they are, and the names on both sides."""
    old, new = (Counter(TOKEN.findall(side)) for side in (before, after))
    went, came = (tuple(sorted(each.elements())) for each in (old - new, new - old))
    return went, came, frozenset(token for token in old & new if NAME.match(token))
