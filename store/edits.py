"""What an edit changed, as tokens: equal for the same change of different code."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from functools import lru_cache

from .items import Item

#: Raised when the key of an edit becomes another: it is kept in files.
FORM = 1
#: Of a longer side of an edit only the beginning is read.
LONGEST = 2_000
#: What stands for any text and for any number.
BLOTS = ("TEXT", "NUMBER")
TOKEN = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`[^`]*`|[A-Za-z_$][\w$]*|\d[\w.]*|[^\w\s]+?")
NAME = re.compile(r"[A-Za-z_$][\w$]{2,}\Z")

Tokens = tuple[str, ...]


@lru_cache(maxsize=4_096)
def changed(before: str, after: str) -> tuple[Tokens, Tokens] | None:
    """The tokens that went and those that came, texts and numbers blotted out; None where none of them is a name."""
    old, new = (Counter(tokens(side)) for side in differing(before, after))
    went, came = (tuple(sorted(each.elements())) for each in (old - new, new - old))
    return (went, came) if any(NAME.match(token) for token in (*went, *came)) else None


def tokens(side: str) -> list[str]:
    """The tokens of one side of an edit, texts and numbers blotted out."""
    return [_blotted(token) for token in TOKEN.findall(side[:LONGEST])]


def _blotted(token: str) -> str:
    if token[0] in "\"'`":
        return BLOTS[0]
    return BLOTS[1] if token[0].isdigit() else token


def differing(before: str, after: str) -> tuple[str, str]:
    """Both sides without the lines that they begin and end with alike: no token of these went or came."""
    if "`" in before or "`" in after:
        return before, after  # a token may go over several lines
    old, new = before.split("\n"), after.split("\n")
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    same = next(
        (at for at, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]),
        min(len(old), len(new)),
    )
    return "\n".join(old[same:]), "\n".join(new[same:])


def edit_key(item: Item) -> int:
    """64 bits for what a memory's first edit changed, the same for alike edits of one language; 0 for none."""
    return _key(item.language, item.evidence[0].before, item.evidence[0].after) if item.evidence else 0


@lru_cache(maxsize=8_192)
def _key(language: str, before: str, after: str) -> int:
    told = changed(before, after)
    if told is None:
        return 0
    digest = hashlib.blake2b(repr((language, *told)).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") or 1
