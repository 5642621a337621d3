"""Whether two memories say one thing, so that an answer says it once."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from ..store.items import Item

#: Of the names of two edits that only add or only take out, so much is the same on both.
BESIDE = 0.6
_TOKEN = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`[^`]*`|[A-Za-z_$][\w$]*|\d[\w.]*|[^\w\s]+?")
_NAME = re.compile(r"[A-Za-z_$][\w$]{2,}\Z")
_LONGEST = 2_000
_BLOTS = ("TEXT", "NUMBER")


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
    mine, theirs = (sketch(each.evidence[0].before, each.evidence[0].after) for each in (one, other))
    return mine is not None and theirs is not None and alike_sketches(mine, theirs)


Sketch = tuple[tuple[str, ...], tuple[str, ...], frozenset[str]]


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
    old, new = (Counter(map(_blotted, _TOKEN.findall(side[:_LONGEST]))) for side in (before, after))
    went, came = (tuple(sorted(each.elements())) for each in (old - new, new - old))
    if not any(_NAME.match(token) for token in (*went, *came)):
        return None
    return (
        went,
        came,
        frozenset(token for token in (*old, *new) if token[0].isalpha() and token not in _BLOTS),
    )


def _blotted(token: str) -> str:
    if token[0] in "\"'`":
        return _BLOTS[0]
    return _BLOTS[1] if token[0].isdigit() else token


def _sides(item: Item) -> set[tuple[str, str]]:
    sides = {(" ".join(each.before.split()), " ".join(each.after.split())) for each in item.evidence}
    # A line may show several preferences; and where a memory has no code, none of it is shared.
    return set() if item.kind == "preference" else sides - {("", "")}
