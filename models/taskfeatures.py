"""The features of a task's text: hashed words, stems, pairs, its opening, and the type that a rule finds."""

from __future__ import annotations

from itertools import pairwise
from zlib import crc32

from .rules import named
from .tasktext import opening, stem, words

BUCKETS = 1 << 16


def features(text: str) -> list[int]:
    """The hashed features of a text, sorted and distinct; empty for a text without an ASCII word."""
    said = words(text)
    if not said:
        return []
    stems = [stem(word) for word in said]
    names = {f"w {word}" for word in said} | {f"s {each}" for each in stems}
    names.update(f"b {first} {second}" for first, second in pairwise(stems))
    names.add(f"f {stems[0]}")
    names.add("f " + " ".join(stems[:2]))
    if opening(text).rstrip().endswith("?"):
        names.add("end ?")
    if label := named(text):
        names.add(f"r {label}")
    return sorted({crc32(name.encode()) % BUCKETS for name in names})
