"""Code that went to another file: put back where it stood, so that its versions can be compared in one place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .lines import bare, rows
from .ownership import hunks
from .pairing import MOVED

#: The lines that one place of a file gained.
Run = Sequence[bytes]

NAME = re.compile(rb"[A-Za-z_]\w{3,}")
_SHORT = 4
#: Of larger moves, only lines that are equal are told (`Committed.elsewhere`).
_LARGEST = 3_000
_TIMES = 12


def restored(old: bytes, new: bytes, gained: Mapping[str, Sequence[Run]]) -> tuple[bytes, frozenset[str]]:
    """`new` with what left `old` for other files put back, as it reads there, and the names of these files.

    A block is known again by its words: those that are gone from this file and came in one place of another
    one. So a block that was moved and edited, or moved and formatted, is still the same block.
    """
    if not gained or sum(len(run) for runs in gained.values() for run in runs) > _LARGEST:
        return new, frozenset()
    before, after = rows(old), rows(new)
    remaining = set(NAME.findall(new))
    out: list[bytes] = []
    homes: set[str] = set()
    at = 0
    used: set[tuple[str, int]] = set()
    for hunk in hunks(old, new):
        start = hunk.old_start - 1 if hunk.old_lines else hunk.old_start
        came = hunk.new_start - 1 if hunk.new_lines else hunk.new_start
        out += after[at:came]
        at = came + hunk.new_lines
        gone = before[start : start + hunk.old_lines]
        parts: list[tuple[int, Sequence[bytes]]] = []
        left = [(number, line) for number, line in enumerate(gone) if bare(line)]
        for _ in range(_TIMES):
            found = _home([line for _, line in left], remaining, gained, used)
            if found is None:
                break
            path, number, first, last, run = found
            used.add((path, number))
            homes.add(path)
            parts.append((left[first][0], run))
            del left[first : last + 1]
        kept = after[came:at]
        if parts and min(number for number, _ in parts) > 0:
            out += kept
            kept = []
        for _, run in sorted(parts, key=lambda part: part[0]):
            out += run
        out += kept
    if not homes:
        return new, frozenset()
    out += after[at:]
    return b"\n".join(out) + b"\n", frozenset(homes)


def _home(
    gone: Sequence[bytes],
    remaining: set[bytes],
    gained: Mapping[str, Sequence[Run]],
    used: set[tuple[str, int]],
) -> tuple[str, int, int, int, Run] | None:
    """(path, run, first and last line of `gone`, the run's lines) of the place that most of one block went to."""
    best: tuple[int, str, int] | None = None
    words = [set(NAME.findall(line)) - remaining for line in gone]
    bares = [bare(line) for line in gone]
    every = set().union(*words) if words else set()
    if len(every) < 2:
        return None
    for path, runs in gained.items():
        for number, run in enumerate(runs):
            if (path, number) in used:
                continue
            shared = len(every & set(NAME.findall(b"\n".join(run))))
            if shared >= 2 and (best is None or shared > best[0]):
                best = (shared, path, number)
    if best is None:
        return None
    _, path, number = best
    run = gained[path][number]
    there = set(NAME.findall(b"\n".join(run)))
    lines = {bare(line) for line in run}
    marked = [
        n
        for n, line in enumerate(bares)
        if (len(line) >= _SHORT and line in lines)
        or (words[n] and len(words[n] & there) * 2 >= len(words[n]))
    ]
    if not marked:
        return None
    first, last = marked[0], marked[-1]
    inside = set().union(*words[first : last + 1])
    if not inside or len(inside & there) < MOVED * len(inside):
        return None
    open_end, last = last, _closed(bares, last)
    here = set(bares[first : last + 1])
    ours = [
        n
        for n, line in enumerate(run)
        if (len(each := bare(line)) >= _SHORT and each in here) or inside & set(NAME.findall(line))
    ]
    if not ours:
        return None
    end = _closed([bare(line) for line in run], ours[-1])
    block = run[ours[0] : end + 1]
    # Where the bracket behind it is another block's in the difference, it keeps the one that it had.
    closing = gone[open_end + 1 : last + 1] if _open(block) > 0 else []
    return path, number, first, last, [*block, *closing]


def _open(lines: Run) -> int:
    """How many brackets are opened and not closed."""
    text = b"".join(lines)
    return sum(text.count(each) for each in (b"{", b"(", b"[")) - sum(
        text.count(each) for each in (b"}", b")", b"]")
    )


def _closed(lines: Sequence[bytes], last: int) -> int:
    """The closing brackets behind a block belong to it."""
    while last + 1 < len(lines) and lines[last + 1] and len(lines[last + 1]) < _SHORT:
        last += 1
    return last
