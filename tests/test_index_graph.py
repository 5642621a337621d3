"""One contract for all implementations of `Graph`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cortex.store.graph import MemoryGraph, SqliteGraph

Made = MemoryGraph | SqliteGraph
MAKERS: dict[str, Callable[[Path], Made]] = {
    "memory": lambda _: MemoryGraph(),
    "sqlite": lambda folder: SqliteGraph(folder / "graph.sqlite"),
    "sqlite in memory": lambda _: SqliteGraph(),
}
EDGES = [
    ("m1", "seen_in", "file:b.py"),
    ("m1", "seen_in", "file:a.py"),
    ("m1", "fixed_by", "commit:1"),
    ("m2", "seen_in", "file:a.py"),
]


@pytest.fixture(params=MAKERS)
def graph(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Made]:
    made = MAKERS[request.param](tmp_path)
    yield made
    made.close()


def test_an_edge_is_found_from_both_ends(graph: Made) -> None:
    graph.link(EDGES)
    assert graph.targets("m1") == [
        ("fixed_by", "commit:1"),
        ("seen_in", "file:a.py"),
        ("seen_in", "file:b.py"),
    ]
    assert graph.sources("file:a.py") == [("seen_in", "m1"), ("seen_in", "m2")]


def test_a_relation_narrows(graph: Made) -> None:
    graph.link(EDGES)
    assert graph.targets("m1", "fixed_by") == [("fixed_by", "commit:1")]
    assert graph.sources("file:a.py", "fixed_by") == []


def test_an_edge_that_is_there_stays_one(graph: Made) -> None:
    graph.link(EDGES)
    graph.link(iter(EDGES))
    assert len(graph.targets("m1")) == 3


def test_unlinking_takes_only_what_leaves_a_node(graph: Made) -> None:
    graph.link([*EDGES, ("m3", "learnt_from", "m1")])
    graph.unlink("m1")
    assert graph.targets("m1") == []
    assert graph.sources("m1") == [("learnt_from", "m3")]
    assert graph.sources("file:a.py") == [("seen_in", "m2")]
    graph.unlink("never there")
    graph.unlink_all({"m2", "m3"})
    assert graph.nodes() == set()


def test_an_unknown_node_has_no_edges(graph: Made) -> None:
    assert graph.targets("nobody") == []
    assert graph.sources("nobody") == []
    graph.link([])


def test_a_file_keeps_its_edges(tmp_path: Path) -> None:
    first = SqliteGraph(tmp_path / "g")
    first.link(EDGES)
    first.close()
    again = SqliteGraph(tmp_path / "g")
    assert again.nodes() == {"m1", "m2"}
    again.close()
