"""A task's text as the classifier sees it: without its courtesy, as hashed words, pairs and openings."""

from __future__ import annotations

import re
from itertools import pairwise
from zlib import crc32

BUCKETS = 1 << 15
_CHARACTERS = 2_000  # what a task is about is said at its start
_WORDS = 120

_COURTESY = re.compile(
    r"(?:\s|[,.!:])*(?:(?:hi|hey|hello|ok|okay|so|now|also|then|next|and|please|pls|kindly|just|maybe|let'?s)\b"
    r"|(?:can|could|would|will) (?:you|we)\b(?: please)?"
    r"|(?:i|we)(?:'d| would)? (?:want|need|like)(?: you)?(?: to(?: be able to)?)?\b"
    r"|(?:help me(?: to)?|you should|we should|i have to|we have to|try to|go ahead and|your task is to)\b)"
)
_WORD = re.compile(r"[a-z][a-z0-9]*(?:n't)?|[0-9]+")
_ENDINGS = re.compile(r"(?:ations?|ings?|ions?|ers?|e[ds]|ly|s|e)$")


def opening(text: str) -> str:
    """The text in lower case from its first word that is not courtesy ("could you please" and the like)."""
    text = text[:_CHARACTERS].lower().replace("\u2019", "'").strip()
    for _ in range(4):
        match = _COURTESY.match(text)
        if not match or match.end() == len(text):
            break
        text = text[match.end() :].lstrip(" ,.:!")
    return text


def stem(word: str) -> str:
    """A word without its commonest endings: rough, but alike for `optimize`, `optimizes`, `optimizing`."""
    short = _ENDINGS.sub("", word)
    return short if len(short) >= 3 else word


def features(text: str) -> list[int]:
    """The hashed features of a text, sorted and distinct; empty for a text without an ASCII word."""
    begun = opening(text)
    words = [match.group() for match in _WORD.finditer(begun)][:_WORDS]
    stems = [stem(word) for word in words]
    names = {f"w {word}" for word in words} | {f"s {each}" for each in stems}
    names.update(f"b {first} {second}" for first, second in pairwise(stems))
    if stems:
        names.add(f"f {stems[0]}")
        names.add("f " + " ".join(stems[:2]))
        if begun.rstrip().endswith("?"):
            names.add("end ?")
    return sorted({crc32(name.encode()) % BUCKETS for name in names})
