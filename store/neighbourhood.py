"""What lies around a node of the graph: so many steps, and no more than can be read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .graph import CAUSED_BY
from .protocols import Graph

#: What ties things, as a person may ask for it.
RELATIONS = (
    "causes",
    "fixed_by",
    "imports",
    "learnt_from",
    "requires",
    "seen_in",
    "similar_to",
    "supersedes",
)
#: So many nodes in all, and of one node so many in each direction of a relation.
NODES, EACH = 60, 8


class Edge(NamedTuple):
    """One tie, as it is read: `source` causes, imports or is seen in `target`."""

    source: str
    relation: str
    target: str


@dataclass
class Neighbourhood:
    """Nodes by their distance from `root`, the edges between them, and how many neighbours of a node were left out."""

    root: str
    nodes: dict[str, int] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)


def neighbourhood(
    graphs: Sequence[Graph],
    root: str,
    depth: int = 1,
    relations: Collection[str] = RELATIONS,
    most: int = NODES,
    each: int = EACH,
) -> Neighbourhood:
    """What is at most `depth` steps from `root` in any of `graphs`, whichever way the edges lead."""
    found = Neighbourhood(root, {root: 0})
    edges: dict[Edge, None] = {}
    waiting = [root]
    for far in range(1, depth + 1):
        nearer, waiting = waiting, []
        for node in nearer:
            taken: dict[tuple[str, bool, bool], int] = {}
            for edge in around(graphs, node, relations):
                out = edge.source == node
                other = edge.target if out else edge.source
                if other not in found.nodes:
                    key = (edge.relation, out, is_memory(other))
                    taken[key] = taken.get(key, 0) + 1
                    if taken[key] > each or len(found.nodes) >= most:
                        found.left[node] = found.left.get(node, 0) + 1
                        continue
                    found.nodes[other] = far
                    waiting.append(other)
                edges[edge] = None
    found.edges = list(edges)
    return found


def around(graphs: Sequence[Graph], node: str, relations: Collection[str] = RELATIONS) -> list[Edge]:
    """The edges that leave and enter one node: those that leave first, and memories before the rest; each once."""
    out = {_read(node, relation, to) for graph in graphs for relation, to in graph.targets(node)}
    into = {_read(of, relation, node) for graph in graphs for relation, of in graph.sources(node)}
    wanted = sorted(out, key=lambda edge: (edge.relation, not is_memory(edge.target), edge.target))
    wanted += sorted(into - out, key=lambda edge: (edge.relation, not is_memory(edge.source), edge.source))
    return [edge for edge in wanted if edge.relation in relations and edge.source != edge.target]


def is_memory(node: str) -> bool:
    """Whether a node is a memory: all others say what they are before a colon."""
    return ":" not in node


def _read(source: str, relation: str, target: str) -> Edge:
    return Edge(target, "causes", source) if relation == CAUSED_BY else Edge(source, relation, target)
