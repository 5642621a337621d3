"""Row 5 of the test programme: the fold gives the same view everywhere, whatever order records come in."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from cortex.store.codec import encode
from cortex.store.fold import View
from cortex.store.kinds import Correction
from cortex.store.record import Draft, Record, make

M = "ab" * 16


def write(
    text: str, t: int, m: str = M, parents: tuple[str, ...] = (), op: str = "put", w: str = "0" * 32
) -> Record:
    body = Correction(before=text)
    draft = Draft(body, m, parents, "del" if op == "del" else "put")
    return make(draft, t=t, w=w, n=t, author="", body=encode(body))


class Node:
    """One clone in memory: its own clock, its own writer id, what it has seen."""

    def __init__(self, number: int, skew: int) -> None:
        self.writer = f"{number:032x}"
        self.skew = skew
        self.records: dict[str, Record] = {}
        self.view = View()
        self.t = self.n = 0

    def take(self, records: list[Record]) -> None:
        for record in records:
            self.records[record.id] = record
            self.t = max(self.t, record.t)
        self.view.add(records)

    def write(self, now: int, text: str, m: str, parents: tuple[str, ...], op: str) -> None:
        self.t, self.n = max(now + self.skew, self.t + 1), self.n + 1
        body = Correction(before=text)
        draft = Draft(body, m, parents, "del" if op == "del" else "put")
        self.take([make(draft, t=self.t, w=self.writer, n=self.n, author="", body=encode(body))])


def state(view: View) -> object:
    return (
        [(m, [h.id for h in view.heads(m)], view.current(m)) for m in view.memories()],
        view.conflicts(),
        [record.id for record in view.of_kind("correction")],
        [record.id for record in view.of_kind()],
        len(view),
        view.count,
    )


def converge(seed: int, runs: int) -> tuple[int, int]:
    """Random histories on 3 to 5 nodes: how many operations, and in how many runs two views differed."""
    chance = random.Random(seed)
    operations = differing = 0
    for _ in range(runs):
        nodes = [Node(i, chance.randint(-1_000_000, 1_000_000)) for i in range(chance.randint(3, 5))]
        memories = [f"{i:032x}" for i in range(chance.randint(1, 5))]
        now = 10_000_000
        for _ in range(chance.randint(5, 60)):
            operations += 1
            now += chance.randrange(3)
            node = chance.choice(nodes)
            m = chance.choice(memories)
            if chance.random() < 0.35:
                other = chance.choice(nodes)
                some = list(other.records.values())
                chance.shuffle(some)
                node.take(some[: chance.randint(0, len(some))] * chance.choice([1, 1, 2]))
            else:
                heads = tuple(head.id for head in node.view.heads(m))
                op = "del" if heads and chance.random() < 0.2 else "put"
                node.write(now, f"{chance.randrange(9)}", m, heads if chance.random() < 0.9 else (), op)
        everything = [record for node in nodes for record in node.records.values()]
        for node in nodes:
            chance.shuffle(everything)
            for start in range(0, len(everything), 7):
                node.take(everything[start : start + 7])
        views = [state(node.view) for node in nodes] + [state(View(everything))]
        differing += any(view != views[0] for view in views)
    return operations, differing


def test_all_nodes_come_to_the_same_view(seed: int, tell: Callable[[str], None]) -> None:
    operations, differing = converge(seed, 320)
    tell(
        f"convergence: {operations:,} operations on 3 to 5 nodes, {differing} differing (CORTEX_SEED={seed})"
    )
    assert operations >= 9_000 and differing == 0


@pytest.mark.nightly
def test_all_nodes_come_to_the_same_view_all_night(seed: int, tell: Callable[[str], None]) -> None:
    operations, differing = converge(seed, 32_000)
    tell(
        f"convergence: {operations:,} operations on 3 to 5 nodes, {differing} differing (CORTEX_SEED={seed})"
    )
    assert differing == 0


def test_an_edit_replaces_what_it_names_and_two_at_once_are_a_conflict() -> None:
    first = write("first", 1)
    ours, theirs = write("ours", 2, parents=(first.id,)), write("theirs", 3, parents=(first.id,), w="1" * 32)
    view = View([theirs, first, ours])
    assert view.heads(M) == (ours, theirs)
    assert view.conflicts() == [M]
    assert view.current(M) == theirs
    settled = write("settled", 4, parents=(ours.id, theirs.id))
    before = view.version
    assert view.add([settled]) == 1
    assert view.version > before and view.conflicts() == [] and view.current(M) == settled


def test_two_who_write_the_same_do_not_disagree() -> None:
    view = View([write("same", 1), write("same", 2, w="1" * 32)])
    assert len(view.heads(M)) == 2 and view.conflicts() == []


def test_only_a_tombstone_deletes() -> None:
    first = write("first", 1)
    view = View([first])
    assert view.add([]) == 0 and view.current(M) == first
    view.add([write("", 2, parents=(first.id,), op="del")])
    assert view.current(M) is None and len(view) == 0 and view.find("ab") == []
    assert view.memories() == [M]
    view.add([first])  # it comes again from another clone, and stays deleted
    assert view.current(M) is None


def test_a_deletion_and_an_edit_at_once_are_a_conflict() -> None:
    first = write("first", 1)
    gone = write("", 2, parents=(first.id,), op="del")
    edited = write("edited", 3, parents=(first.id,), w="1" * 32)
    view = View([first, gone, edited])
    assert view.conflicts() == [M] and view.current(M) == edited


def test_a_record_replaces_none_of_another_memory() -> None:
    first = write("first", 1)
    view = View([first, write("thief", 2, m="cd" * 16, parents=(first.id,))])
    assert view.current(M) == first


def test_records_are_listed_by_kind_in_order() -> None:
    records = [write(str(t), t, m=f"{t:032x}") for t in range(200)]
    chance = random.Random(1)
    chance.shuffle(records)
    view = View(records[:150])
    for record in records[150:]:
        view.add([record])
    assert [record.t for record in view.of_kind("correction")] == list(range(200))
    assert list(view.of_kind("memory")) == []
    assert len(view) == 200


def test_an_operation_of_a_newer_version_hides_nothing() -> None:
    first = write("first", 1)
    newer = Record(
        "f" * 64, 9, M, "merge", (first.id,), 2, "1" * 32, 1, "", "", {"kind": "correction"}, False
    )
    view = View([newer, first])
    assert view.current(M) == first


def test_whoever_follows_the_tail_of_a_kind_knows_all_of_it(seed: int) -> None:
    chance = random.Random(seed)
    view, known, version, taken, by_tail = View(), [], 0, 0, 0
    for now in range(1, 3_000):
        m = f"{chance.randrange(200):032x}"
        edit = chance.random() < 0.05
        parents = tuple(head.id for head in view.heads(m)) if edit else ()
        late = chance.random() < 0.02
        records = [write(f"{now}.{i}", now - 500 if late else now, m if edit else f"{now:032x}", parents)
                   for i in range(100 if chance.random() < 0.01 else 1)]  # fmt: skip
        view.add(records)
        if chance.random() < 0.5:
            new = view.tail("correction", len(known), version)
            by_tail += new is not None
            known = list(view.of_kind("correction")) if new is None else known + new
            version, taken = view.version, taken + 1
            assert known == list(view.of_kind("correction"))
    assert 0.5 * taken < by_tail < taken
