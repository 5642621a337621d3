"""Which nodes of two syntax trees are the same: the mapping that an edit script is read from.

As GumTree does it (Falleri, Morandat, Blanc, Martinez, Monperrus: "Fine-grained and accurate source code
differencing", ASE 2014): equal subtrees that stand once on each side are anchors, largest first; what holds enough of
the same anchors is the same container (dice); inside matched containers an optimal mapping is looked for where
that is small (`optimal`), with a subtree that is matched already as one leaf, so that it counts as one move;
else children are aligned in their order. What is left and equal comes last.

Work is bounded: each step draws on a budget that grows with the trees, and what it no longer covers is matched more
coarsely, never wrongly: any mapping gives a script that is exact.
"""

from __future__ import annotations

from collections import Counter

from ..store.ends import common_ends
from .flat import LINES, Flat
from .optimal import Small, mapping, work

#: Smaller subtrees are no anchors: they stand everywhere.
_ANCHOR = 4
#: A single token this long (bytes) says as much as a subtree.
_LONG_TEXT = 12
_DICE = 0.4
_ALIKE = 0.4
#: Cells of the optimal mapping: for one pair of containers, and for a pair of files.
_CELLS = 300_000
_ALL_CELLS = 1_500_000
_WINDOW = 20
_PAIRS = 900
#: Steps for each node of both trees, for what is not linear.
_STEPS = 40
_LCS = 40_000_000


def match(before: Flat, after: Flat) -> list[int]:
    """For each node of `before` its partner in `after`, -1 where it has none. Partners are of one kind."""
    return Matching(before, after).run()


class Matching:
    """One mapping in the making; `there` leads from `before` to `after`, `back` the other way."""

    def __init__(self, before: Flat, after: Flat) -> None:
        self.before, self.after = before, after
        self.there, self.back = [-1] * len(before), [-1] * len(after)
        self._steps = _STEPS * (len(before) + len(after)) + 10_000
        self._cells = _ALL_CELLS
        known: dict[tuple[object, ...], int] = {}
        self.ids_b, self.ids_a = _identities(before, known), _identities(after, known)
        self._bags: tuple[dict[int, Counter[int]], dict[int, Counter[int]]] = ({}, {})

    def run(self) -> list[int]:
        """All phases, one after the other."""
        self._link(0, 0)
        if self.ids_b[0] == self.ids_a[0]:
            self._link_all(0, 0)
            return self.there
        self._anchors(once=True)
        self._containers()
        self._recover()
        self._anchors(once=False)
        return self.there

    def moved(self) -> list[int]:
        """Only what is surely the same code, wherever it stands: equal subtrees, and what holds most of them."""
        self._anchors(once=True)
        self._anchors(once=False)
        self._containers()
        return self.there

    def dice(self, node: int) -> float:
        """The share of what a matched node and its partner hold that is matched between them."""
        first = self.there[node]
        last = first + self.after.sizes[first]
        shared = sum(weight for each, weight in self._held(node)[0] if first < each < last)
        return 2 * shared / max(1, self.before.sizes[node] + self.after.sizes[first] - 2)

    def equal(self, node: int) -> bool:
        """Whether a matched node and its partner are equal subtrees."""
        return self.ids_b[node] == self.ids_a[self.there[node]]

    def _link(self, b: int, a: int) -> None:
        self.there[b], self.back[a] = a, b

    def _link_all(self, b: int, a: int) -> None:
        """Match two equal subtrees, node by node, where both are still free."""
        for n in range(self.before.sizes[b]):
            if self.there[b + n] < 0 and self.back[a + n] < 0:
                self._link(b + n, a + n)

    def _anchors(self, *, once: bool) -> None:
        """Equal subtrees, largest first: those that stand once on each side, or all, in their order."""
        free_b = self._free(self.before, self.ids_b, self.there)
        free_a = self._free(self.after, self.ids_a, self.back)
        common = [(-self.before.sizes[nodes[0]], key) for key, nodes in free_b.items() if key in free_a]
        for _, key in sorted(common):
            here = [node for node in free_b[key] if self.there[node] < 0]
            other = [node for node in free_a[key] if self.back[node] < 0]
            if not once or len(here) == len(other) == 1:
                for b, a in zip(here, other, strict=False):
                    if self.there[b] < 0 and self.back[a] < 0:
                        self._link_all(b, a)

    def _free(self, flat: Flat, ids: list[int], partners: list[int]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        least = 1 if flat.kinds[0] == LINES else _ANCHOR
        for node, size in enumerate(flat.sizes):
            if partners[node] < 0 and (size >= least or len(flat.texts[node]) >= _LONG_TEXT):
                found.setdefault(ids[node], []).append(node)
        return found

    def _containers(self) -> None:
        """Bottom-up: a free node is the node of its kind that holds most of what it holds."""
        kinds, parents, sizes = self.after.kinds, self.after.parents, self.after.sizes
        for node in range(len(self.before) - 1, 0, -1):
            if self.there[node] >= 0 or not self.before.children[node]:
                continue
            held, steps = self._held(node)
            self._steps -= steps
            if self._steps < 0:
                return
            kind = self.before.kinds[node]
            seen: set[int] = set()
            best, chosen = _DICE, -1
            for partner, _ in held:
                above = parents[partner]
                while above > 0 and above not in seen:
                    seen.add(above)
                    if self.back[above] < 0 and kinds[above] == kind:
                        last = above + sizes[above]
                        shared = sum(weight for each, weight in held if above < each < last)
                        self._steps -= len(held)
                        dice = 2 * shared / (self.before.sizes[node] + sizes[above] - 2)
                        if dice > best:
                            best, chosen = dice, above
                    above = parents[above]
                self._steps -= 1
            if chosen >= 0:
                self._link(node, chosen)

    def _held(self, node: int) -> tuple[list[tuple[int, int]], int]:
        """(partner, size) of the matched subtrees below a node; equal ones count as a whole."""
        held, steps = [], 0
        each, last = node + 1, node + self.before.sizes[node]
        while each < last:
            steps += 1
            partner = self.there[each]
            if partner >= 0:
                equal = self.ids_b[each] == self.ids_a[partner]
                size = self.before.sizes[each] if equal else 1
                held.append((partner, size))
                each += size
            else:
                each += 1
        return held, steps

    def _recover(self) -> None:
        """Top-down: what is free below two matched nodes is matched there."""
        due = [
            (node, partner)
            for node, partner in enumerate(self.there)
            if partner >= 0 and self.ids_b[node] != self.ids_a[partner]
        ]
        due.reverse()
        while due:
            b, a = due.pop()
            if not self._optimal(b, a):
                due += self._align(b, a)

    def _below(self, flat: Flat, partners: list[int], root: int) -> list[int] | None:
        """The free nodes below a matched one, and the matched ones that end them; None: too many."""
        found, stack = [root], list(reversed(flat.children[root]))
        while stack:
            node = stack.pop()
            found.append(node)
            if len(found) > 400:
                return None
            if partners[node] < 0:
                stack += reversed(flat.children[node])
        self._steps -= len(found)
        return found

    def _optimal(self, b: int, a: int) -> bool:
        """The cheapest mapping below two matched nodes; False where it would cost too much."""
        nodes_b = self._below(self.before, self.there, b)
        nodes_a = self._below(self.after, self.back, a)
        if nodes_b is None or nodes_a is None or self._steps < 0:
            return False
        if all(self.there[node] >= 0 for node in nodes_b) or all(self.back[node] >= 0 for node in nodes_a):
            return True
        here, other = set(nodes_b), set(nodes_a)
        one = Small(_parents(self.before, nodes_b))
        two = Small(_parents(self.after, nodes_a))
        cells = work(one, two)
        if cells > _CELLS or cells > self._cells:
            return False
        self._cells -= cells
        delete = [2 if self.there[n] < 0 else int(self.there[n] in other) for n in nodes_b]
        insert = [2 if self.back[n] < 0 else int(self.back[n] in here) for n in nodes_a]
        delete[0] = insert[0] = 1_000_000
        for x, y in mapping(one, two, delete, insert, lambda x, y: self._cost(nodes_b[x], nodes_a[y])):
            if self.there[nodes_b[x]] < 0 and self.back[nodes_a[y]] < 0:
                self._link(nodes_b[x], nodes_a[y])
        return True

    def _cost(self, b: int, a: int) -> int:
        """What pairing two nodes costs, where inserting or deleting one costs 2."""
        if self.there[b] >= 0 or self.back[a] >= 0:
            return 0 if self.there[b] == a else 1_000_000
        if self.before.kinds[b] != self.after.kinds[a]:
            return 1_000_000
        return 0 if self.before.texts[b] == self.after.texts[a] else 2

    def _align(self, b: int, a: int) -> list[tuple[int, int]]:
        """Match the free children of two matched nodes in their order; the pairs that are not equal."""
        here = [node for node in self.before.children[b] if self.there[node] < 0]
        other = [node for node in self.after.children[a] if self.back[node] < 0]
        for i, j in common_run([self.ids_b[n] for n in here], [self.ids_a[n] for n in other]):
            self._link_all(here[i], other[j])
        here = [node for node in here if self.there[node] < 0]
        other = [node for node in other if self.back[node] < 0]
        found = []
        start = 0
        narrow = len(here) * len(other) > _PAIRS
        for n, node in enumerate(here):
            best, chosen = -1.0, -1
            window = other[start : start + _WINDOW] if narrow else other[start:]
            for at, each in enumerate(window, start):
                if self.before.kinds[node] != self.after.kinds[each]:
                    continue
                alike = self.alike(node, each)
                if alike >= _ALIKE and alike > best:
                    best, chosen = alike, at
                    if alike == 1:
                        break
            if chosen < 0 and len(here) - n == len(other) - start == 1:
                chosen = start if self.before.kinds[node] == self.after.kinds[other[start]] else -1
            if chosen >= 0:
                self._link(node, other[chosen])
                found.append((node, other[chosen]))
                start = chosen + 1
        return found[::-1]

    def alike(self, b: int, a: int) -> float:
        """Dice of the tokens below two nodes; with the budget spent, only by their sizes."""
        sizes = self.before.sizes[b], self.after.sizes[a]
        if self._steps < 0:
            return 2 * min(sizes) / sum(sizes)
        bag_b, bag_a = self._bag(0, b), self._bag(1, a)
        small, large = (bag_b, bag_a) if len(bag_b) < len(bag_a) else (bag_a, bag_b)
        self._steps -= len(small)
        both = bag_b.total() + bag_a.total()
        return 2 * sum(min(count, large[key]) for key, count in small.items()) / max(1, both)

    def _bag(self, side: int, node: int) -> Counter[int]:
        bag = self._bags[side].get(node)
        if bag is None:
            flat, ids = (self.before, self.ids_b) if side == 0 else (self.after, self.ids_a)
            last = node + flat.sizes[node]
            self._steps -= last - node
            bag = Counter(ids[n] for n in range(node, last) if flat.sizes[n] == 1)
            self._bags[side][node] = bag
        return bag


def _identities(flat: Flat, known: dict[tuple[object, ...], int]) -> list[int]:
    """A number for each subtree, the same for equal ones; numbers instead of hashes, so that none collide."""
    ids = [0] * len(flat)
    for node in range(len(flat) - 1, -1, -1):
        key = (flat.kinds[node], flat.texts[node], *[ids[child] for child in flat.children[node]])
        ids[node] = known.setdefault(key, len(known))
    return ids


def _parents(flat: Flat, nodes: list[int]) -> list[int]:
    places = {node: place for place, node in enumerate(nodes)}
    return [places[flat.parents[node]] if place else -1 for place, node in enumerate(nodes)]


def common_run(before: list[int], after: list[int]) -> list[tuple[int, int]]:
    """Indexes of a longest common subsequence; of very long sequences, only of what both begin and end with.

    Bit-parallel (Hyyrö, "Bit-parallel LCS-length computation revisited", AWOCA 2004), one long integer a row.
    """
    first, last = common_ends(before, after)
    out = [(n, n) for n in range(first)]
    out += [(len(before) - n, len(after) - n) for n in range(1, last + 1)]
    before, after = before[first : len(before) - last], after[first : len(after) - last]
    if before and after and len(before) * len(after) <= _LCS:
        out += [(first + i, first + j) for i, j in _common(before, after)]
    return out


def _common(before: list[int], after: list[int]) -> list[tuple[int, int]]:
    places: dict[int, int] = {}
    for n, key in enumerate(after):
        places[key] = places.get(key, 0) | 1 << n
    full = (1 << len(after)) - 1
    bits, table = full, []
    for key in before:
        shared = bits & places.get(key, 0)
        bits = ((bits + shared) | (bits - shared)) & full
        table.append(bits)
    out = []
    row, column = len(before), len(after)
    while row and column:
        if table[row - 1] >> (column - 1) & 1:
            column -= 1
            continue
        row -= 1
        if not row or table[row - 1] >> (column - 1) & 1:
            column -= 1
            out.append((row, column))
    return out
