"""One contract for all implementations of `Vectors`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cortex.store.growing import GrowingVectors
from cortex.store.near import has_hnswlib
from cortex.store.protocols import Floats, Vectors
from cortex.store.vectors import ExactVectors, HnswlibVectors, HnswVectors

WIDTH = 16


class Grown(GrowingVectors):
    """Growing vectors whose graph holds half of what was put: both ways of searching answer together."""

    def put(self, keys: object, rows: Floats) -> None:
        super().put(keys, rows)  # type: ignore[arg-type]
        self.catch_up(len(self) * 2 // 3)


MAKERS: dict[str, Callable[[], Vectors]] = {
    "exact": lambda: ExactVectors(WIDTH),
    "hnsw": lambda: HnswVectors(WIDTH),
    "growing, small": lambda: GrowingVectors(WIDTH),
    "growing, large": lambda: Grown(WIDTH, large=2),
}
if has_hnswlib():
    MAKERS["hnswlib"] = lambda: HnswlibVectors(WIDTH)


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


@pytest.mark.parametrize("make", [HnswVectors, *([HnswlibVectors] if has_hnswlib() else [])])
def test_a_saved_graph_answers_as_before(tmp_path: Path, make: type[HnswVectors]) -> None:
    rows = unit(100)
    one, other = make(WIDTH), make(WIDTH)
    one.put(names(100), rows)
    one.remove(names(30))
    other.load(tmp_path / "graph", one.save(tmp_path / "graph"))
    assert other.search(rows[50], 5) == one.search(rows[50], 5)
    other.put(["new"], rows[:1])
    assert other.search(rows[0], 1)[0][0] == "new"
    assert len(other) == 71


def test_growing_vectors_answer_while_the_graph_grows() -> None:
    rows = unit(500)
    growing = GrowingVectors(WIDTH, large=100)
    growing.put(names(500), rows)
    exact = [[key for key, _ in growing.search(row, 5)] for row in rows[::50]]
    assert growing.behind == 500
    while growing.behind:
        growing.catch_up(90)
        assert [[key for key, _ in growing.search(row, 5)] for row in rows[::50]] == exact
    assert len(growing.near) == 500


def test_in_16_bits_the_same_are_found_and_the_cosines_are_near() -> None:
    rows = unit(500)
    growing = GrowingVectors(WIDTH, large=100, halves=True)
    growing.put(names(500), rows)
    exact = [growing.search(row, 5) for row in rows[::50]]
    while growing.behind:
        growing.catch_up(90)
    assert growing.rows(["k007"]).dtype == np.float32
    for row, right in zip(rows[::50], exact, strict=True):
        found = growing.search(row, 5)
        assert [cosine for _, cosine in found] == pytest.approx([cosine for _, cosine in right], abs=1e-3)
        assert len({key for key, _ in found} & {key for key, _ in right}) >= 4
    growing.put(["new"], unit(1, seed=5))
    assert growing.search(unit(1, seed=5)[0], 1)[0] == ("new", pytest.approx(1, abs=1e-3))


def test_of_very_many_rows_the_last_are_seen_before_the_graph_holds_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cortex.store.growing.FEW", 10)
    monkeypatch.setattr("cortex.store.growing.LAST", 50)
    rows = unit(300)
    growing = GrowingVectors(WIDTH, large=100, every=200)
    growing.put(names(300), rows)
    assert growing.unseen == 250
    assert growing.search(rows[299], 1)[0][0] == "k299"
    assert "k000" not in {key for key, _ in growing.search(rows[0], 300)}
    assert growing.search(rows[0], 1, {"k000"})[0][0] == "k000"  # a filter is searched whole
    while growing.behind:
        growing.catch_up(64)
    assert growing.unseen == 0
    assert growing.search(rows[0], 1)[0][0] == "k000"
