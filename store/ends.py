"""What two sequences begin and end with in common."""

from __future__ import annotations

from collections.abc import Sequence


def common_ends(before: Sequence[object], after: Sequence[object]) -> tuple[int, int]:
    """How many elements both begin with, and how many of what is left both end with."""
    short = min(len(before), len(after))
    first = 0
    while first < short and before[first] == after[first]:
        first += 1
    last = 0
    while last < short - first and before[-1 - last] == after[-1 - last]:
        last += 1
    return first, last
