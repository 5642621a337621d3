"""Moved code told apart from code that went and code that came.

The walk down two trees meets a statement that moved twice: it went in one place, and it came in another. Neither is an
edit of anything. So what the walk left over is matched once more, wherever it stands (`Matching.moved`): equal
code is dropped from both sides, and of code that was moved and changed only the change inside it is an edit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .difference import Found, Leftover, Pair, difference, name_within
from .flat import Flat, forest
from .matching import Matching
from .parse import Node

#: Shorter statements (bytes without white space) stand in many places: to find one again says nothing.
_LEAST = 20
#: Moved and changed: so much of both must be the same.
_SAME = 0.6
_LEAST_LINE = 8
_MANY_BYTES = 200_000


def take_moves(found: Found) -> None:
    """Take what only moved out of what was found, and add what changed inside moved code.

    Code that was put into a statement in its own place, or taken out of one there, has not moved: to wrap a call
    in a check is an edit, and stays one.
    """
    gone = [node for each in found.lists for node in each.gone if _says_something(node)]
    came = [node for each in found.lists for node in each.came if _says_something(node)]
    gone, came = _sharing(gone, came)
    if not gone or not came or sum(node.end - node.start for node in (*gone, *came)) > _MANY_BYTES:
        return
    place = {node: each for each in found.lists for node in (*each.gone, *each.came)}
    trees = _Trees(gone, came)
    moved: set[Node] = set()
    changed: list[Pair] = []
    for old, new, inside, equal in trees.pairs():
        if inside and place[old] is place[new]:
            continue
        moved |= {old, new} if not inside else {inside}
        if not equal:
            changed.append((old, new))
    if not moved:
        return
    found.lists = [part for each in found.lists for part in _without(each, moved)]
    for old, new in changed:
        if not any(each is place[old] or each is place[new] for each in found.lists):
            difference(old, new, found)


class _Trees:
    """The statements that went and those that came, as two forests, matched."""

    def __init__(self, gone: list[Node], came: list[Node]) -> None:
        self._before, roots_b = forest([node.raw for node in gone], gone[0].source, gone[0].language)
        self._after, roots_a = forest([node.raw for node in came], came[0].source, came[0].language)
        self._gone, self._came = (
            dict(zip(roots_b, gone, strict=True)),
            dict(zip(roots_a, came, strict=True)),
        )
        self._matching = Matching(self._before, self._after)
        self._matching.moved()
        self._named: dict[tuple[str, str], list[int]] = {}
        for root, node in self._came.items():
            if name := name_within(node):
                self._named.setdefault((node.kind, name), []).append(root)

    def pairs(self) -> Iterator[tuple[Node, Node, Node | None, bool]]:
        """(what went, what came, which of them is a part of the other, whether it is the same code)."""
        matching = self._matching
        taken: set[int] = set()
        for root, node in self._gone.items():
            partner = matching.there[root]
            if partner > 0 and matching.equal(root):
                holder = _top(self._after, partner)
                taken.add(partner)
                yield node, self._came[holder], node if holder != partner else None, True
            else:
                partner = self._changed(root, node)
                if partner > 0 and partner not in taken:
                    taken.add(partner)
                    yield node, self._came[partner], None, False
        for root, node in self._came.items():
            partner = matching.back[root]
            if partner > 0 and partner not in self._gone and matching.equal(partner):
                yield self._gone[_top(self._before, partner)], node, node, True

    def _changed(self, root: int, node: Node) -> int:
        """The statement that this one became: a definition by its name, a block by most of what it holds; -1: none."""
        name = name_within(node)
        if name:
            named = self._named.get((node.kind, name), [])
            return named[0] if len(named) == 1 and self._matching.alike(root, named[0]) >= _SAME else -1
        partner = self._matching.there[root]
        if partner not in self._came or not node.holds_block or name_within(self._came[partner]):
            return -1
        return partner if self._matching.dice(root) >= _SAME else -1


def _top(flat: Flat, node: int) -> int:
    """The tree of the forest that holds a node."""
    while flat.parents[node] > 0:
        node = flat.parents[node]
    return node


def _sharing(gone: list[Node], came: list[Node]) -> tuple[list[Node], list[Node]]:
    """Those that have a line in common with the other side: the others need not be read token by token."""
    if not gone or not came:
        return [], []
    lines = [[{line.strip() for line in node.data.split(b"\n")} for node in nodes] for nodes in (gone, came)]
    shared = set().union(*lines[0]) & set().union(*lines[1])
    shared = {line for line in shared if len(line) >= _LEAST_LINE}
    return (
        [node for node, mine in zip(gone, lines[0], strict=True) if not mine.isdisjoint(shared)],
        [node for node, mine in zip(came, lines[1], strict=True) if not mine.isdisjoint(shared)],
    )


def _says_something(node: Node) -> bool:
    return node.end - node.start >= _LEAST and len(b"".join(node.data.split())) >= _LEAST


def _without(each: Leftover, moved: set[Node]) -> list[Leftover]:
    """What is left over of one place. Where one thing replaced another, that stays, or goes on both sides."""
    gone = _runs(each.gone, moved)
    came = _runs(each.came, moved)
    if each.gone and each.came and (gone or came):
        return [_narrow(each, gone[0], came[0])] if len(gone) == len(came) == 1 else [each]
    return [*(_narrow(each, run, []) for run in gone), *(_narrow(each, [], run) for run in came)]


def _narrow(each: Leftover, gone: list[Node], came: list[Node]) -> Leftover:
    return replace(
        each,
        gone=gone,
        came=came,
        line_before=gone[0].first_line if gone else each.line_before,
        line_after=came[0].first_line if came else each.line_after,
    )


def _runs(nodes: list[Node], moved: set[Node]) -> list[list[Node]]:
    """The runs of neighbours that did not move."""
    runs: list[list[Node]] = [[]]
    for node in nodes:
        if node not in moved:
            runs[-1].append(node)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]
