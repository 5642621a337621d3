"""What speaks of code that is there no more: said to, and taken out where nothing of that code is left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ..store.items import Item
from .candidates import Candidates
from .ranking import Ranked, Weights, fresh
from .sameness import alike

GONE = "its code is gone"
#: Of those that move up behind what was taken out it is asked too, so often.
ROUNDS = 3


def refreshed(
    ranked: Sequence[Ranked],
    found: Candidates,
    standing: Callable[[Item], str],
    gone: Callable[[Item], bool],
    weights: Weights | None = None,
) -> list[Ranked]:
    """The same as `fresh`, without corrections of which `gone` says that no place and no code of theirs is left.

    What was corrected in another commit as well is more than one place's, and stays; so does what is no correction.
    """
    out, asked = fresh(ranked, standing, weights), dict[str, bool]()

    def is_gone(each: Ranked) -> bool:
        m = each.item.id
        if m not in asked:
            asked[m] = _of_one_place(each.item, found) and gone(each.item)
        return asked[m]

    for _ in range(ROUNDS):
        left = [
            replace(each, dropped=GONE) if not each.dropped and each.stale and is_gone(each) else each
            for each in out
        ]
        if not any(each.dropped == GONE and not was.dropped for each, was in zip(left, out, strict=True)):
            break
        out = fresh(sorted(left, key=lambda each: bool(each.dropped)), standing, weights)
    return out


def _of_one_place(item: Item, found: Candidates) -> bool:
    """Whether a correction was never made again in another commit."""
    commits = {one.commit for one in item.evidence}
    return (
        item.kind == "correction"
        and len(commits) < 2
        and not any(
            other.id != item.id
            and commits.isdisjoint(one.commit for one in other.evidence)
            and alike(item, other)
            for other in found.alike(found.edit_of(item.id))
        )
    )
