"""What memories say of each other: one that was superseded gives its place away, one that is required comes along."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from ..store.items import Item
from ..store.protocols import Graph
from .ranking import Ranked

#: How far a line of successors, or of what requires what, is followed.
FAR = 16
#: A memory brings so many others along.
ALONG = 3


def linked(
    ranked: Sequence[Ranked],
    known: Mapping[str, Item],
    graph: Graph,
    waiting: Collection[Item] = (),
    among: Collection[str] | None = None,
) -> list[Ranked]:
    """The same order with each superseded memory's last successor in its place, and what a memory requires behind it.

    A memory whose successor may not be shown (retired, or kept out by a filter) is not shown either. `waiting` are
    memories that the graph does not hold yet.
    """
    new = {m: each.id for each in waiting for m in each.supersedes}
    by = {each.item.id: each for each in ranked}
    good = [each for each in ranked if not each.dropped]
    out: dict[str, Ranked] = {}
    gone: dict[str, Ranked] = {}
    for each in good:
        last = _last(each.item, known, lambda m: _successors(m, graph, new, known))
        if last is not each.item:
            gone[each.item.id] = replace(each, dropped="superseded")
            if not _speaks(last, among):
                continue
        came = by.get(last.id)
        if came is None or came.dropped:
            # Why it is here is what the other one scored.
            came = replace(each, item=last, why={"supersedes": each.score})
        out.setdefault(last.id, came)
        for needed in _required(last, known):
            final = _last(needed, known, lambda m: _successors(m, graph, new, known))
            if _speaks(final, among) and (final.id not in by or by[final.id].dropped):
                out.setdefault(final.id, replace(each, item=final, why={"required": each.score}))
    left = [each for each in ranked if each.dropped and each.item.id not in out]
    return [*(each for m, each in out.items() if m not in gone), *gone.values(), *left]


def _successors(m: str, graph: Graph, new: Mapping[str, str], known: Mapping[str, Item]) -> list[str]:
    found = {of for _, of in graph.sources(m, "supersedes")} | ({new[m]} if m in new else set())
    # What the graph has may be of an older version of that memory.
    return [of for of in found if of in known and m in known[of].supersedes]


def _last(item: Item, known: Mapping[str, Item], successors: Callable[[str], list[str]]) -> Item:
    """The end of the line of successors: the newest where there are several; two that name each other end it."""
    seen = {item.id}
    for _ in range(FAR):
        found = [known[m] for m in successors(item.id) if m not in seen]
        if not found:
            break
        item = max(found, key=lambda each: (each.created, each.id))
        seen.add(item.id)
    return item


def _required(item: Item, known: Mapping[str, Item]) -> list[Item]:
    """What a memory requires, and what that requires; the nearest first."""
    found: dict[str, Item] = {}
    waiting = list(item.requires)
    while waiting and len(found) < ALONG:
        m = waiting.pop(0)
        if m in known and m not in found and m != item.id:
            found[m] = known[m]
            waiting += known[m].requires
    return list(found.values())


def _speaks(item: Item, among: Collection[str] | None) -> bool:
    return item.status != "retired" and (among is None or item.id in among)
