"""The graph of the code: what is checked out, read once, kept with a checksum, made again in doubt."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from running import git

from cortex.daemon import charting
from cortex.daemon.engine import Engine
from cortex.daemon.state import Models, State
from cortex.repo.places import find
from cortex.store import doctor, layout
from cortex.store.codegraph import CodeGraph, Facts, Symbol
from cortex.store.graph import MemoryGraph, SqliteGraph
from cortex.store.neighbourhood import Edge, around, neighbourhood

Commit = Callable[..., str]
SHOP = {
    "shop/__init__.py": "",
    "shop/cart.py": "from . import money\nimport json\n\ndef total(x):\n    return money.add(x) if x else 0\n",
    "shop/money.py": "def add(x):\n    return x\n",
    "web/app.ts": "import { draw } from './draw'\nexport const main = () => draw()\n",
    "web/draw.ts": "export function draw() {}\n",
    "vendor/x.py": "import shop\n",
}


@pytest.fixture
def state(repo: Path, commit: Commit) -> Iterator[State]:
    commit(repo, SHOP)
    place = find(repo)
    layout.create(place.store)
    made = State(place, Models())
    yield made
    made.close()


def imports(code: CodeGraph, path: str) -> set[str]:
    return {node for _, node in code.graph.targets(f"file:{path}", "imports")}


def test_files_imports_and_symbols_are_those_of_what_is_checked_out(state: State):
    assert charting.due(state) and charting.catch_up(state, 60) and not charting.due(state)
    code = state.code()
    assert imports(code, "shop/cart.py") == {"file:shop/money.py", "module:json"}
    assert imports(code, "web/app.ts") == {"file:web/draw.ts"}
    assert code.called("total") == [("shop/cart.py", "total")]
    assert code.symbol("shop/cart.py", "total") == Symbol("total", 4, 5, 2, 1)
    assert "vendor/x.py" not in code.files() and imports(code, "vendor/x.py") == set()


def test_only_new_blobs_are_read_and_what_is_gone_is_forgotten(
    state: State, repo: Path, commit: Commit, monkeypatch: pytest.MonkeyPatch
):
    charting.catch_up(state, 60)
    read: list[str] = []
    whole = charting._facts
    monkeypatch.setattr(charting, "_facts", lambda *given: read.append(given[1]) or whole(*given))
    commit(
        repo, {"shop/money.py": None, "shop/coin.py": SHOP["shop/money.py"], "web/new.ts": "import './app'\n"}
    )
    charting.catch_up(state, 60)
    code = state.code()
    assert len(read) == 1  # the renamed file is a blob that is known
    assert imports(code, "shop/cart.py") == {"file:shop/__init__.py", "module:json"}
    assert code.called("add") == [("shop/coin.py", "add")] and code.files().keys() >= {
        "shop/coin.py",
        "web/new.ts",
    }
    commit(repo, {"shop/money.py": "def other(): pass\n"})
    charting.catch_up(state, 60)
    assert imports(state.code(), "shop/cart.py") == {"file:shop/money.py", "module:json"}


@pytest.mark.parametrize("damage", ["flip", "cut", "gone", "note", "other"])
def test_a_damaged_file_is_not_believed_and_is_made_again(state: State, damage: str):
    charting.catch_up(state, 60)
    state.close()
    file, note = (
        state.place.store / "index" / layout.CODE_GRAPH,
        state.place.store / "index" / layout.CODE_NOTE,
    )
    data = file.read_bytes()
    if damage == "flip":
        file.write_bytes(data[:5_000] + bytes([data[5_000] ^ 1]) + data[5_001:])
    elif damage == "cut":
        file.write_bytes(data[:1_000])
    elif damage == "gone":
        file.unlink()
    elif damage == "note":
        note.write_bytes(note.read_bytes().replace(b"sha256", b"sha257"))
    else:
        file.write_bytes(b"no database")
    told = doctor.examine(state.place.store).problems
    assert [each.path for each in told] == (
        [] if damage == "gone" else [f"index/{(note if damage == 'note' else file).name}"]
    )
    assert state.code().files() == {}
    assert charting.due(state)
    assert charting.catch_up(state, 60)
    assert imports(state.code(), "web/app.ts") == {"file:web/draw.ts"}
    assert CodeGraph(state.place.store / "index").tree == str(state.tree().id)  # type: ignore[union-attr]


def test_it_goes_on_where_it_was_left(state: State, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(charting, "_BATCH", 1)
    steps = charting.chart(state)
    for _ in range(4):
        next(steps)
    steps.close()
    state.close()
    known = len(CodeGraph(state.place.store / "index").known())
    assert known >= 2 and state.code().tree == ""
    assert charting.catch_up(state, 60) and state.code().tree


def test_one_process_sees_what_another_wrote(state: State):
    reading = CodeGraph(state.place.store / "index")
    assert not reading.refreshed()
    charting.catch_up(state, 60)
    assert reading.refreshed() and imports(reading, "web/app.ts") == {"file:web/draw.ts"}
    assert not reading.refreshed()
    reading.close()


def test_without_a_folder_it_lives_in_memory():
    code = CodeGraph(None)
    code.begin()
    code.learn({("b1", "python"): Facts((), (Symbol("f", 1, 2, 1, 0),))})
    code.link("t", {"a.py": ("b1", "python", ["module:os"])}, (), done=True)
    assert code.tree == "t" and code.at("b1") == ["a.py"] and imports(code, "a.py") == {"module:os"}
    with pytest.raises(OSError, match="cannot be written"):
        code.link("t", {"a.py": (object(), "python", [])}, (), done=True)  # type: ignore[dict-item]
    assert code.at("b1") == ["a.py"]


@pytest.fixture(params=[MemoryGraph, SqliteGraph])
def graph(request: pytest.FixtureRequest) -> Iterator[MemoryGraph | SqliteGraph]:
    made = request.param()
    yield made
    made.close()


def test_a_neighbourhood_is_the_same_in_every_implementation(graph: MemoryGraph | SqliteGraph):
    graph.link(
        [("m1", "seen_in", "file:a"), ("file:b", "imports", "file:a"), ("file:b", "imports", "file:c")]
    )
    graph.link([("m1", "caused_by", "commit:1"), ("m1", "named", "name:x"), ("m1", "requires", "m1")])
    near = neighbourhood([graph], "m1")
    assert near.nodes == {"m1": 0, "commit:1": 1, "file:a": 1} and not near.left
    assert near.edges == [Edge("commit:1", "causes", "m1"), Edge("m1", "seen_in", "file:a")]
    assert neighbourhood([graph], "m1", 2).nodes.keys() == near.nodes.keys() | {"file:b"}
    assert neighbourhood([graph], "file:a", 2, ["imports"]).nodes == {"file:a": 0, "file:b": 1, "file:c": 2}


def test_what_is_too_much_is_left_out_and_counted_and_memories_come_first(graph: MemoryGraph | SqliteGraph):
    graph.link((f"symbol:a#{n}", "seen_in", "file:a") for n in range(50))
    graph.link((f"m{n}", "seen_in", "file:a") for n in range(10))
    near = neighbourhood([graph], "file:a", each=8)
    assert sum(":" not in node for node in near.nodes) == 8 and len(near.nodes) == 17
    assert near.left == {"file:a": 44}
    few = neighbourhood([graph], "file:a", most=5)
    assert list(few.nodes) == ["file:a", "m0", "m1", "m2", "m3"] and few.left == {"file:a": 56}


def test_two_graphs_say_an_edge_once(graph: MemoryGraph | SqliteGraph):
    other = MemoryGraph()
    for each in (graph, other):
        each.link([("m1", "similar_to", "m2")])
    other.link([("m2", "similar_to", "m1")])
    assert around([graph, other], "m1", ["similar_to"]) == [
        Edge("m1", "similar_to", "m2"),
        Edge("m2", "similar_to", "m1"),
    ]


def test_the_daemon_s_idle_time_brings_the_graph_to_each_new_tree(state: State, repo: Path, commit: Commit):
    engine = Engine(find(repo), Models())
    for files in ({}, {"shop/late.py": "import shop.money\n"}):
        commit(repo, files)
        end = time.monotonic() + 120
        while charting.due(state) and time.monotonic() < end:
            engine.background(lambda: False, 0.5)
        assert state.code().tree == str(state.tree().id)  # type: ignore[union-attr]
    assert imports(state.code(), "shop/late.py") == {"file:shop/money.py"}
    engine.close()


def test_each_work_tree_has_the_graph_of_its_own_head(
    state: State, repo: Path, commit: Commit, tmp_path: Path
):
    charting.catch_up(state, 60)
    git(repo, "worktree", "add", "-q", "-b", "other", str(tmp_path / "other"))
    commit(tmp_path / "other", {"shop/money.py": "def subtract(x):\n    return -x\n"})
    other = state.beside(find(tmp_path / "other"))
    assert charting.due(other) and not charting.due(state)
    assert other.code().tree == "" and other.code().called("add") == []  # not that of another tree
    charting.catch_up(other, 60)
    assert other.code().called("subtract") and not other.code().called("add")
    assert state.code().called("add") and not state.code().called("subtract")
    assert not charting.due(other) and not charting.due(state)
    git(repo, "worktree", "remove", "--force", str(tmp_path / "other"))
    commit(repo, {"shop/money.py": "def add(x):\n    return x + 0\n"})
    charting.catch_up(state, 60)
    assert list((state.place.store / "index" / layout.TREES).iterdir()) == []
