"""The edit script between two versions of a file: insert, delete, update and move, and the white space beside them.

The mapping is `matching`'s; how a script is read from it follows Chawathe, Rajaraman, Garcia-Molina, Widom
("Change detection in hierarchically structured information", SIGMOD 1996), with one difference: inserting and
deleting are those of Tai's tree edits. A deleted node leaves its children in its place, an inserted one takes a
run of its new siblings in. So code that is put into an `if`, or taken out of one, costs that `if` and not a
move of each statement.

A script is exact: `apply(script(before, after), before) == after`, byte for byte. Only `actions` say that code
changed; `spaces` says what stands between tokens now (`flat` tells how white space is carried), so a
file that was only formatted has a script without actions.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise

from .flat import Flat, forms, read
from .matching import match


@dataclass(frozen=True)
class Delete:
    """Node `node` goes; its children take its place."""

    node: int


@dataclass(frozen=True)
class Move:
    """Node `node`, with all below it, now stands below `parent`, behind its child `behind` (-1: first)."""

    node: int
    parent: int
    behind: int


@dataclass(frozen=True)
class Update:
    """The token `node` reads `text` now."""

    node: int
    text: bytes


@dataclass(frozen=True)
class Insert:
    """A node comes below `parent`, behind `behind`, and takes in the next `takes` children that stand there."""

    node: int
    kind: str
    text: bytes
    gap: bytes
    parent: int
    behind: int
    takes: int = 0


Action = Delete | Move | Update | Insert


@dataclass(frozen=True)
class Script:
    """An edit script. Nodes are numbered as `flat` reads the version before, by `form`; inserted ones follow.

    `nodes` is the number of nodes before and after; `spaces` are the gaps of kept nodes that differ.
    """

    form: str
    nodes: tuple[int, int]
    actions: tuple[Action, ...]
    spaces: tuple[tuple[int, bytes], ...] = ()

    @property
    def size(self) -> int:
        """How many actions; white space does not count."""
        return len(self.actions)

    @property
    def distance(self) -> float:
        """The actions for each node of both versions: 0 where they are one tree, about 1 where nothing was kept."""
        return min(1.0, self.size / max(1, sum(self.nodes) - 2))


class MisfitError(ValueError):
    """The script was made for another text."""


def script(before: bytes, after: bytes, language: str | None = None) -> Script:
    """The script from `before` to `after`, by the finest way in which both can be read."""
    for form in forms(language):
        old = read(before, form)
        new = read(after, form) if old is not None else None
        if old is not None and new is not None:
            return of_mapping(old, new, match(old, new), form)
    raise AssertionError("every text can be read by lines")


def of_mapping(before: Flat, after: Flat, there: list[int], form: str) -> Script:
    """The shortest script that keeps what `there` maps; roots must be mapped to each other."""
    back = [-1] * len(after)
    for node, partner in enumerate(there):
        if partner >= 0:
            back[partner] = node
    actions: list[Action] = [Delete(node) for node, partner in enumerate(there) if partner < 0]
    actions += _moves(before, after, there, back)
    actions += [
        Update(node, after.texts[partner])
        for node, partner in enumerate(there)
        if partner >= 0 and before.texts[node] != after.texts[partner]
    ]
    actions += _inserts(after, back, len(before))
    spaces = tuple(
        (node, after.gaps[partner])
        for node, partner in enumerate(there)
        if partner >= 0 and before.gaps[node] != after.gaps[partner]
    )
    return Script(form, (len(before), len(after)), tuple(actions), spaces)


def _kept(flat: Flat, partners: list[int]) -> tuple[list[int], list[list[int]]]:
    """The tree of the mapped nodes alone: the nearest mapped node above each node, and the children of each."""
    above, children = [-1] * len(flat), [[] for _ in range(len(flat))]  # type: tuple[list[int], list[list[int]]]
    for node in range(1, len(flat)):
        parent = flat.parents[node]
        above[node] = parent if partners[parent] >= 0 else above[parent]
        if partners[node] >= 0:
            children[above[node]].append(node)
    return above, children


def _moves(before: Flat, after: Flat, there: list[int], back: list[int]) -> list[Action]:
    """From the top down, so that nothing is ever moved below itself; as few among siblings as can be."""
    above, children_b = _kept(before, there)
    _, children_a = _kept(after, back)
    places = [0] * len(before)
    for siblings in children_b:
        for place, node in enumerate(siblings):
            places[node] = place
    moves: list[Action] = []
    for parent, children in enumerate(children_a):
        if not children:
            continue
        parent = back[parent]
        nodes = [back[child] for child in children]
        stay = _increasing([(places[node], node) for node in nodes if above[node] == parent])
        behind = -1
        for node in nodes:
            if node not in stay:
                moves.append(Move(node, parent, behind))
            behind = node
    return moves


def _increasing(placed: list[tuple[int, int]]) -> set[int]:
    """The nodes of a longest run whose places increase."""
    tails: list[int] = []
    ends: list[int] = []
    earlier = [-1] * len(placed)
    for n, (place, _) in enumerate(placed):
        at = bisect_left(tails, place)
        earlier[n] = ends[at - 1] if at else -1
        tails[at : at + 1], ends[at : at + 1] = [place], [n]
    kept = set()
    n = ends[-1] if ends else -1
    while n >= 0:
        kept.add(placed[n][1])
        n = earlier[n]
    return kept


def _inserts(after: Flat, back: list[int], count: int) -> list[Action]:
    """From the bottom up, left to right: a node's children stand in a run when it comes to take them in."""
    above, _ = _kept(after, back)
    numbers = list(back)
    order = _post_order(after)
    left = [-1] * len(after)  # the sibling before
    for children in after.children:
        for one, other in pairwise(children):
            left[other] = one
    inserts: list[Action] = []
    for node in order:
        if back[node] >= 0:
            continue
        at = node
        while left[at] < 0 and back[after.parents[at]] < 0:
            at = after.parents[at]
        numbers[node] = count + len(inserts)
        inserts.append(
            Insert(
                numbers[node],
                after.kinds[node],
                after.texts[node],
                after.gaps[node],
                back[above[node]],
                numbers[left[at]] if left[at] >= 0 else -1,
                len(after.children[node]),
            )
        )
    return inserts


def _post_order(flat: Flat) -> list[int]:
    order, stack = [], [0]
    while stack:
        node = stack.pop()
        order.append(node)
        stack += flat.children[node]
    order.reverse()
    return order


def apply(edit: Script, before: bytes) -> bytes:
    """`before` rewritten by a script. Raises `MisfitError` where the script was made for another text."""
    flat = read(before, edit.form)
    if flat is None or len(flat) != edit.nodes[0]:
        raise MisfitError("this script was made for another text")
    tree = _Linked(flat)
    try:
        for action in edit.actions:
            tree.do(action)
        for node, gap in edit.spaces:
            tree.gaps[node] = gap
    except (IndexError, KeyError) as error:
        raise MisfitError("this script was made for another text") from error
    return tree.text()


class _Linked:
    """A tree whose siblings are a linked list, so that each action costs what it touches."""

    def __init__(self, flat: Flat) -> None:
        self.texts, self.gaps = list(flat.texts), list(flat.gaps)
        count = len(flat)
        self.parent = list(flat.parents)
        self.first, self.before, self.next = [-1] * count, [-1] * count, [-1] * count
        for node, children in enumerate(flat.children):
            behind = -1
            for child in children:
                self._put(child, node, behind)
                behind = child

    def _put(self, node: int, parent: int, behind: int) -> None:
        follower = self.next[behind] if behind >= 0 else self.first[parent]
        self.parent[node], self.before[node], self.next[node] = parent, behind, follower
        if behind >= 0:
            self.next[behind] = node
        else:
            self.first[parent] = node
        if follower >= 0:
            self.before[follower] = node

    def _take(self, node: int) -> None:
        behind, follower = self.before[node], self.next[node]
        if behind >= 0:
            self.next[behind] = follower
        else:
            self.first[self.parent[node]] = follower
        if follower >= 0:
            self.before[follower] = behind

    def do(self, action: Action) -> None:
        """One action."""
        if isinstance(action, Delete):
            parent, behind = self.parent[action.node], self.before[action.node]
            self._take(action.node)
            child = self.first[action.node]
            while child >= 0:
                follower = self.next[child]
                self._put(child, parent, behind)
                behind, child = child, follower
        elif isinstance(action, Move):
            self._take(action.node)
            self._put(action.node, action.parent, action.behind)
        elif isinstance(action, Update):
            self.texts[action.node] = action.text
        else:
            self._insert(action)

    def _insert(self, action: Insert) -> None:
        node = len(self.texts)
        self.texts.append(action.text)
        self.gaps.append(action.gap)
        for links in (self.parent, self.first, self.before, self.next):
            links.append(-1)
        self._put(node, action.parent, action.behind)
        inner = -1
        for _ in range(action.takes):
            child = self.next[node]
            self._take(child)
            self._put(child, node, inner)
            inner = child

    def text(self) -> bytes:
        """The source of the tree as it is now."""
        parts: list[bytes] = []
        node = 0
        while True:
            if node:
                parts += (self.gaps[node], self.texts[node])
            if self.first[node] >= 0:
                node = self.first[node]
                continue
            while node and self.next[node] < 0:
                node = self.parent[node]
            if not node:
                return b"".join((*parts, self.gaps[0]))
            node = self.next[node]
