"""The lines of a text, and how alike two are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from .ownership import Hunk, hunks

#: A bare line that is shorter is not known again.
SHORT = 4
_SPACE = re.compile(rb"[\s;,]+")
WORD = re.compile(rb"\w+|[^\w\s]")
_PLAIN = re.compile(rb"\w+")
_NAME = re.compile(r"[^\W\d]\w{2,}")
#: Words of Python, Go, JavaScript and TypeScript that say nothing of what a line is about.
_RESERVED = frozenset(
    """and async await break case catch chan class const continue def default defer del elif else enum except export
    extends false False finally for from func function global import interface lambda let map new nil None not null
    package pass private public raise range readonly return self static string struct super switch this throw true
    True try type undefined var void while with yield""".split()  # noqa: SIM905
)


def normal(data: bytes | None) -> bytes:
    """Text with one kind of line end."""
    return (data or b"").replace(b"\r\n", b"\n")


def rows(data: bytes) -> list[bytes]:
    """The lines of a text, as git counts them."""
    found = data.split(b"\n")
    if found and not found[-1]:
        found.pop()
    return found


def bare(text: bytes) -> bytes:
    """Text without what formatters move about: white space, commas, semicolons, the choice of quotes."""
    return _SPACE.sub(b"", text).replace(b"'", b'"')


def changed_ranges(before: bytes, after: bytes) -> list[tuple[int, int]]:
    """The lines of `after` that `before` has not: (first, last), from 1."""
    found = [hunk for hunk in hunks(before, after) if hunk.new_lines]
    return [(hunk.new_start, hunk.new_start + hunk.new_lines - 1) for hunk in found]


def dropped(before: bytes, after: bytes) -> set[int]:
    """The lines of `before`, from 1, in whose place nothing stands in `after`."""
    places = [hunk for hunk in changed(before, after) if not hunk.new_lines]
    return {n for hunk in places for n in range(hunk.old_start, hunk.old_start + hunk.old_lines)}


def ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Line numbers as (first, last) ranges."""
    out: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if out and out[-1][1] == number - 1:
            out[-1] = (out[-1][0], number)
        else:
            out.append((number, number))
    return out


def likeness(before: bytes, after: bytes) -> float:
    """Share of words that two texts have in common, 0 to 1."""
    old, new = Counter(WORD.findall(before)), Counter(WORD.findall(after))
    total = sum(old.values()) + sum(new.values())
    return 2 * sum((old & new).values()) / total if total else 1.0


def shared_words(before: bytes, after: bytes) -> float:
    """The likeness of two lines by their words alone: brackets and commas are alike in any two calls."""
    old, new = (
        Counter(word for word in _PLAIN.findall(line) if word.decode("utf-8", "replace") not in _RESERVED)
        for line in (before, after)
    )
    total = sum(old.values()) + sum(new.values())
    return 2 * sum((old & new).values()) / total if total else likeness(before, after)


def acts(line: bytes) -> bool:
    """Whether a line does more than open or close a block."""
    return len(bare(line)) >= SHORT and not line.rstrip().endswith((b":", b"{"))


def names(text: str) -> set[str]:
    """The names that a text speaks of, without the words of the languages."""
    return set(_NAME.findall(text)) - _RESERVED


def loses(before: str, after: str) -> bool:
    """Whether an edit takes words away, and does not only add some."""
    old, new = (Counter(WORD.findall(text.encode("utf-8", "replace"))) for text in (before, after))
    return bool(old - new)


def changed(before: bytes, after: bytes) -> list[Hunk]:
    """The changed places, where lines that differ in formatting alone are equal."""
    return hunks(_all_bare(before), _all_bare(after))


@lru_cache(maxsize=16)
def _all_bare(text: bytes) -> bytes:
    return b"".join(bare(line) + b"\n" for line in rows(text))
