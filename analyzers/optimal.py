"""The cheapest mapping between two small ordered trees: Zhang and Shasha's dynamic program.

"Simple fast algorithms for the editing distance between trees and related problems", SIAM J. Comput. 18 (1989).
Its cost grows with the fourth power of the trees' size at worst, so `work` says beforehand what it will be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

#: Parents in pre-order; the root's is -1.
Parents = Sequence[int]


class Small:
    """A small tree as the method wants it: in post-order, from 1, with the first leaf below each node."""

    def __init__(self, parents: Parents) -> None:
        count = len(parents)
        below: list[list[int]] = [[] for _ in parents]
        for node, parent in enumerate(parents):
            if parent >= 0:
                below[parent].append(node)
        self.nodes: list[int] = [0]  # by place in post-order: the node's number in pre-order
        stack = [(0, 0)] if count else []
        while stack:
            node, at = stack.pop()
            if at < len(below[node]):
                stack += [(node, at + 1), (below[node][at], 0)]
            else:
                self.nodes.append(node)
        places = {node: place for place, node in enumerate(self.nodes) if place}
        self.first = [0] * (count + 1)
        for place in range(1, count + 1):
            children = below[self.nodes[place]]
            self.first[place] = self.first[places[children[0]]] if children else place
        last = {self.first[place]: place for place in range(1, count + 1)}
        self.keys = sorted(last.values())

    def __len__(self) -> int:
        return len(self.nodes) - 1


def work(one: Small, other: Small) -> int:
    """How many cells the dynamic program fills."""
    sums = [sum(place - tree.first[place] + 1 for place in tree.keys) for tree in (one, other)]
    return sums[0] * sums[1]


def mapping(
    one: Small,
    other: Small,
    delete: Sequence[int],
    insert: Sequence[int],
    rename: Callable[[int, int], int],
) -> list[tuple[int, int]]:
    """The pairs of nodes (numbers in pre-order) of a cheapest edit, both roots paired.

    `delete` and `insert` are the nodes' costs, `rename(a, b)` that of pairing two; all in whole numbers.
    """
    costs_b = [0, *(delete[node] for node in one.nodes[1:])]
    costs_a = [0, *(insert[node] for node in other.nodes[1:])]
    pairing = [
        [0, *(rename(x, y) for y in other.nodes[1:])] if place else [] for place, x in enumerate(one.nodes)
    ]
    trees = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i in one.keys:
        for j in other.keys:
            _forests(one, other, i, j, costs_b, costs_a, pairing, trees)
    out: list[tuple[int, int]] = []
    due = [(len(one), len(other))]
    while due:
        i, j = due.pop()
        table = _forests(one, other, i, j, costs_b, costs_a, pairing, trees)
        left, top = one.first[i], other.first[j]
        x, y = i, j
        while x >= left or y >= top:
            row, column = x - left + 1, y - top + 1
            here = table[row][column]
            if x >= left and here == table[row - 1][column] + costs_b[x]:
                x -= 1
            elif y >= top and here == table[row][column - 1] + costs_a[y]:
                y -= 1
            elif one.first[x] == left and other.first[y] == top:
                out.append((one.nodes[x], other.nodes[y]))
                x, y = x - 1, y - 1
            else:
                due.append((x, y))
                x, y = one.first[x] - 1, other.first[y] - 1
    return out


def _forests(
    one: Small,
    other: Small,
    i: int,
    j: int,
    costs_b: Sequence[int],
    costs_a: Sequence[int],
    pairing: Sequence[Sequence[int]],
    trees: list[list[int]],
) -> list[list[int]]:
    """The costs between all forests that end below `i` and `j`; whole trees among them go to `trees`."""
    first_b, first_a = one.first, other.first
    left, top = first_b[i], first_a[j]
    above = [0]
    for y in range(top, j + 1):
        above.append(above[-1] + costs_a[y])
    table = [above]
    for x in range(left, i + 1):
        gone = costs_b[x]
        row = [above[0] + gone]
        before = first_b[x]
        is_tree = before == left
        behind = table[before - left]
        pairs, known = pairing[x], trees[x]
        last, diagonal = row[0], above[0]
        for column, y in enumerate(range(top, j + 1), 1):
            up = above[column]
            best = up + gone
            other_way = last + costs_a[y]
            if other_way < best:
                best = other_way
            if is_tree and first_a[y] == top:
                paired = diagonal + pairs[y]
                if paired < best:
                    best = paired
                known[y] = best
            else:
                paired = behind[first_a[y] - top] + known[y]
                if paired < best:
                    best = paired
            row.append(best)
            diagonal = up
            last = best
        table.append(row)
        above = row
    return table
