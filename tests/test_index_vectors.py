"""One contract for all implementations of `Vectors`, and one for graphs of neighbours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cortex.store.near import HnswlibGraph, VoyagerGraph, has_hnswlib
from cortex.store.protocols import Floats, NearGraph, Vectors
from cortex.store.vectors import ExactVectors

WIDTH = 16


MAKERS: dict[str, Callable[[], Vectors]] = {"exact": lambda: ExactVectors(WIDTH)}
GRAPHS: dict[str, Callable[[], NearGraph]] = {
    "voyager": lambda: VoyagerGraph(WIDTH, 16, 200),
    "voyager, 8 bits": lambda: VoyagerGraph(WIDTH, 16, 200, eight=True),
}
if has_hnswlib():
    GRAPHS["hnswlib"] = lambda: HnswlibGraph(WIDTH, 16, 200)


@pytest.fixture(params=MAKERS)
def vectors(request: pytest.FixtureRequest) -> Vectors:
    return MAKERS[request.param]()


def unit(count: int, seed: int = 0) -> Floats:
    rows = np.random.default_rng(seed).normal(size=(count, WIDTH)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def names(count: int) -> list[str]:
    return [f"k{number:03}" for number in range(count)]


def test_nothing_is_found_in_nothing(vectors: Vectors) -> None:
    assert len(vectors) == 0
    assert vectors.search(unit(1)[0], 5) == []
    assert vectors.search(unit(1)[0], 5, {"k000"}) == []
    vectors.remove(["k000"])
    vectors.put([], unit(0))
    assert len(vectors) == 0


def test_each_row_is_nearest_to_itself(vectors: Vectors) -> None:
    rows = unit(200)
    vectors.put(names(200), rows)
    for number in range(0, 200, 17):
        (key, cosine), *_ = vectors.search(rows[number], 3)
        assert key == f"k{number:03}"
        assert cosine == pytest.approx(1.0, abs=1e-5)


def test_the_best_come_first_and_equal_exact_search(vectors: Vectors) -> None:
    rows = unit(300)
    vectors.put(names(300), rows)
    query = unit(1, seed=9)[0]
    expected = np.sort(rows @ query)[::-1][:10]
    hits = vectors.search(query, 10)
    assert [cosine for _, cosine in hits] == pytest.approx(list(expected), abs=1e-5)
    for key, cosine in hits:
        assert cosine == pytest.approx(float(rows[int(key[1:])] @ query), abs=1e-5)


def test_no_more_than_there_are_come_back(vectors: Vectors) -> None:
    vectors.put(names(3), unit(3))
    assert len(vectors.search(unit(1)[0], 10)) == 3
    assert vectors.search(unit(1)[0], 0) == []


def test_a_key_is_replaced(vectors: Vectors) -> None:
    rows = unit(3)
    vectors.put(names(2), rows[:2])
    vectors.put(["k000"], rows[2:])
    assert len(vectors) == 2
    assert vectors.search(rows[2], 1)[0][0] == "k000"
    assert dict(vectors.search(rows[0], 2))["k000"] == pytest.approx(float(rows[2] @ rows[0]), abs=1e-5)


def test_of_two_rows_with_one_key_the_later_counts(vectors: Vectors) -> None:
    rows = unit(3)
    vectors.put(["a", "b", "a"], rows)
    assert len(vectors) == 2
    assert dict(vectors.search(rows[2], 2))["a"] == pytest.approx(1.0, abs=1e-5)


def test_what_was_removed_is_not_found(vectors: Vectors) -> None:
    rows = unit(300)
    vectors.put(names(300), rows)
    vectors.remove([*names(150), "never there"])
    assert len(vectors) == 150
    found = {key for number in range(0, 300, 13) for key, _ in vectors.search(rows[number], 20)}
    assert not found & set(names(150))
    vectors.remove(names(300))
    assert len(vectors) == 0
    assert vectors.search(rows[0], 5) == []


def test_a_filter_keeps_recall(vectors: Vectors) -> None:
    rows = unit(300)
    vectors.put(names(300), rows)
    query = unit(1, seed=4)[0]
    for among in (frozenset({"k007", "k113", "k299", "unknown"}), set(names(299)[1:])):
        inside = sorted(
            (key for key in among if key != "unknown"), key=lambda k: -float(rows[int(k[1:])] @ query)
        )
        for _ in range(2):  # the second time from what is kept of the filter
            assert [key for key, _ in vectors.search(query, 3, among)] == inside[:3]
    assert vectors.search(query, 3, set()) == []


def test_a_kept_filter_follows_changes(vectors: Vectors) -> None:
    rows = unit(4)
    among = frozenset({"k000", "k003"})
    vectors.put(names(3), rows[:3])
    assert {key for key, _ in vectors.search(rows[0], 4, among)} == {"k000"}
    vectors.put(["k003"], rows[3:])
    assert {key for key, _ in vectors.search(rows[0], 4, among)} == {"k000", "k003"}
    vectors.remove(["k000"])
    assert {key for key, _ in vectors.search(rows[0], 4, among)} == {"k003"}


def test_ties_are_broken_by_key(vectors: Vectors) -> None:
    row = unit(1)
    vectors.put(["c", "a", "b"], np.repeat(row, 3, axis=0))
    assert [key for key, _ in vectors.search(row[0], 3)] == ["a", "b", "c"]


def test_a_row_of_nothing_is_near_nothing(vectors: Vectors) -> None:
    vectors.put(["zero", "one"], np.vstack([np.zeros((1, WIDTH), np.float32), unit(1)]))
    assert dict(vectors.search(unit(1)[0], 2))["zero"] == pytest.approx(0.0, abs=1e-6)


def test_rows_of_another_width_are_refused(vectors: Vectors) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        vectors.put(["a"], np.zeros((1, WIDTH + 1), np.float32))


@pytest.fixture(params=GRAPHS)
def graph(request: pytest.FixtureRequest) -> NearGraph:
    return GRAPHS[request.param]()


def nearest(graph: NearGraph, row: Floats, k: int) -> list[int]:
    return [number for number, _ in graph.query(row, k, 200)]


def test_a_graph_finds_what_is_nearest(graph: NearGraph) -> None:
    rows = unit(500)
    assert graph.query(rows[0], 5, 50) == []
    graph.add(rows[:300], list(range(0, 600, 2)))
    graph.add(rows[300:], list(range(600, 1000, 2)), threads=2)
    assert len(graph) == 500
    hits = wanted = 0
    for at in range(0, 500, 10):
        right = np.argsort(-(rows @ rows[at]))[:10] * 2
        found = graph.query(rows[at], 10, 200)
        hits, wanted = hits + len({number for number, _ in found} & set(right.tolist())), wanted + 10
        assert [cosine for _, cosine in found] == sorted((cosine for _, cosine in found), reverse=True)
        assert found[0][1] == pytest.approx(1, abs=0.05)
    assert hits >= 0.9 * wanted


def test_a_graph_gives_less_where_there_is_less(graph: NearGraph) -> None:
    graph.add(unit(3), [5, 6, 7])
    assert sorted(nearest(graph, unit(1)[0], 3)) == [5, 6, 7]
    assert len(nearest(graph, unit(1)[0], 50)) <= 3


def test_a_graph_forgets(graph: NearGraph) -> None:
    rows = unit(50)
    graph.add(rows, list(range(50)))
    graph.forget(7)
    assert 7 not in nearest(graph, rows[7], 20)


def test_a_saved_graph_answers_as_before(
    graph: NearGraph, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    rows = unit(100)
    graph.add(rows, list(range(100)))
    graph.save(tmp_path / "graph")
    other = GRAPHS[request.node.callspec.params["graph"]]()
    other.load(tmp_path / "graph")
    assert len(other) == 100
    assert other.query(rows[50], 5, 200) == graph.query(rows[50], 5, 200)
    other.add(unit(1, seed=5), [100])
    assert nearest(other, unit(1, seed=5)[0], 1) == [100]
