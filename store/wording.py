"""How things are said: a count, and an edit in one line with both sides quoted and cut around what changed."""

from __future__ import annotations

import re

from .ends import common_ends

#: How much of one side of an edit stands in a title.
SIDE = 60
#: How much of a text is looked at, in characters.
LONGEST = 8_000
#: What stays around a change, in characters: tried from much to nothing until both sides are short enough.
_AROUND = (44, 36, 28, 22, 17, 13, 9, 5, 0)
#: With more tokens changed, nobody looks for what is equal between them.
_MANY = 300
#: A receiver and its dot are one token: a member without what it is of says little.
_TOKEN = re.compile(r"(?:\w+\.)+(?=[A-Za-z_])|\w+|\s+|[^\w\s]")
_MORE = "…"


def count(number: int, one: str, many: str = "") -> str:
    """`3 memories`, `1 memory`: a number of things as one says it."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def times(number: int) -> str:
    """`once`, `twice`, `3 times`."""
    return {1: "once", 2: "twice"}.get(number, f"{number:,} times")


def headline(before: str, after: str, side: int = SIDE) -> str:
    """What to do, said positively, in one line."""
    a, b = change(before, after, side)
    if not b:
        return f"Do without {tick(a)}"
    return f"Use {tick(b)} instead of {tick(a)}" if a else f"Add {tick(b)}"


def tick(code: str) -> str:
    """`code` between backticks, as CommonMark quotes it: by a longer row of them than any in it, so that it
    cannot leave them and stays the code that it is.
    """
    longest = max((len(row) for row in re.findall(r"`+", code)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if code.startswith("`") or code.endswith("`") else ""
    return f"{fence}{pad}{code}{pad}{fence}"


def shown(pattern: str) -> str:
    """A pattern as a person reads it: `$NAME` and `$$$NAME` become `…`."""
    return re.sub(r"\$+_*[A-Z][A-Z0-9_]*|\$+_", _MORE, pattern)


def one_line(text: str) -> str:
    """A text on one line, and no more of it than anybody reads."""
    return " ".join(text[:LONGEST].split())


def change(before: str, after: str, side: int = SIDE) -> tuple[str, str]:
    """Both sides of an edit on one line each, in about `side` characters, cut in the same places.

    What both have is cut first, from the ends and between changes. What changed is cut only where it is too
    long itself.
    """
    a, b = one_line(before), one_line(after)
    if max(len(a), len(b)) <= side:
        return a, b
    if not a or not b:
        return _begin(a, side), _begin(b, side)
    runs = _runs(a, b)
    for around in _AROUND:
        left, right = _around(runs, around)
        if max(len(left), len(right)) <= side:
            return left, right
    return _too_long(a, b, side)


#: A run of tokens: what it is on both sides; equal where nothing changed.
_Run = tuple[str, str]


def _runs(a: str, b: str) -> list[_Run]:
    """The equal and the changed runs of both texts, in turn."""
    old, new = _TOKEN.findall(a), _TOKEN.findall(b)
    start, end = common_ends(old, new)
    left, right = old[start : len(old) - end], new[start : len(new) - end]
    runs: list[_Run] = [("".join(old[:start]),) * 2]
    if len(left) + len(right) > _MANY:
        runs.append(("".join(left), "".join(right)))
    else:
        from difflib import SequenceMatcher  # the quick path of the command line counts with this module

        for tag, i1, i2, j1, j2 in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
            kept, came = "".join(left[i1:i2]), "".join(right[j1:j2])
            if tag == "equal" and len(kept) > 2:
                runs.append((kept, kept))
            elif len(runs) > 1 and runs[-1][0] != runs[-1][1]:
                runs[-1] = (runs[-1][0] + kept, runs[-1][1] + came)
            else:
                runs.append((kept, came))
    tail = "".join(old[len(old) - end :])
    return [*runs, (tail, tail)]


def _around(runs: list[_Run], around: int) -> tuple[str, str]:
    """Both sides with so much of what is equal around each change."""
    left = right = ""
    for at, (x, y) in enumerate(runs):
        if x == y:
            x = y = _elided(x, around if at else 0, around if at < len(runs) - 1 else 0)
        left, right = left + x, right + y
    return left.strip(), right.strip()


def _elided(text: str, head: int, tail: int) -> str:
    """The first `head` and the last `tail` characters of a text, to whole tokens, and `…` for the rest."""
    if len(text) <= head + tail + len(_MORE):
        return text
    tokens = _TOKEN.findall(text)
    first, last = "", ""
    for token in tokens:
        if len(first) + len(token) > head:
            break
        first += token
    for token in reversed(tokens):
        if len(last) + len(token) > tail:
            break
        last = token + last
    return first.rstrip() + _MORE + last.lstrip() if first and last else (first + _MORE + last)


def _too_long(a: str, b: str, side: int) -> tuple[str, str]:
    """Both sides from where they differ on, cut at their ends."""
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    while start and (a[start - 1].isalnum() or a[start - 1] in "_."):
        start -= 1
    left, right = (_begin((_MORE if start else "") + text[start:].strip(), side) for text in (a, b))
    if left == right:  # one word that is longer than a side, and differs behind it
        return _MORE + a[-(side - 1) :], _MORE + b[-(side - 1) :]
    return left, right


def _begin(text: str, side: int) -> str:
    if len(text) <= side:
        return text
    cut = text[: side - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > side // 2 else cut).rstrip() + _MORE
