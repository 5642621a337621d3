"""The doctor and what was read of the code for searching: each flipped byte is named, set aside, and made again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from running import git

from cortex.daemon import charting
from cortex.daemon.session import Session
from cortex.daemon.state import Models, State
from cortex.repo.places import find
from cortex.store import layout
from cortex.store.doctor import examine, repair
from cortex.store.journal import create

Commit = Callable[..., str]
FILES = {
    "net/retry.py": 'def call_again(send):\n    """Send a request again after a pause."""\n    return send()\n',
    "queue.go": "package queue\n\n// Drain waits for all jobs.\nfunc Drain() {\n}\n",
    "docs/guide.md": "# Guide\n\n## Deploying\n\nRun make deploy.\n",
}
QUESTION = "send a request again after a pause"


@pytest.fixture
def store(repo: Path, commit: Commit, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store whose repository was searched, in two pieces."""
    monkeypatch.setenv("CORTEX_NO_DAEMON", "1")
    commit(repo, FILES)
    create(find(repo).store)
    found(repo)
    commit(repo, {"net/late.py": "def too_late(when):\n    return when > 3\n"})
    found(repo)
    return find(repo).store


def found(repo: Path) -> list[str]:
    with Session.open(repo, daemon=False) as memory:
        told = memory.recall(QUESTION, sources="code,history")
        return [each["id"] for each in told["memories"] if each["kind"] != "commit"]


def kept(store: Path) -> list[Path]:
    found = (store / "index" / layout.CODE).iterdir()
    return sorted(path for path in found if path.is_file() and path.name != "holder")


def test_what_was_read_is_sound(store: Path):
    assert examine(store).sound
    assert len([path for path in kept(store) if path.name.startswith("piece-")]) == 2
    assert {"manifest.json", "commits.json"} <= {path.name for path in kept(store)}


@pytest.mark.parametrize("at", [0, 0.3, 0.6, 0.999])
def test_a_flipped_byte_is_named_in_each_file_and_the_answer_is_the_same(store: Path, repo: Path, at: float):
    before = found(repo)
    assert before[0] == "net/retry.py:1"
    for path in kept(store):
        whole = path.read_bytes()
        place = int(at * (len(whole) - 1))
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert [each.path for each in examine(store).problems] == [f"index/code/{path.name}"]
        path.write_bytes(whole)
    assert examine(store).sound
    for path in kept(store):
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
    assert repair(store).sound
    assert found(repo) == before and examine(store).sound
    assert {"manifest.json", "commits.json"} <= {path.name for path in kept(store)}


def test_what_is_gone_is_no_fault(store: Path):
    for path in kept(store):
        data = path.read_bytes()
        path.unlink()
        assert examine(store).sound, path.name
        path.write_bytes(data)


def test_the_graph_of_a_linked_work_tree_is_looked_at_too(store: Path, repo: Path, tmp_path: Path):
    git(repo, "worktree", "add", "-q", "-b", "other", str(tmp_path / "other"))
    state = State(find(tmp_path / "other"), Models())
    charting.catch_up(state, 60)
    state.close()
    file = store / "index" / layout.TREES / "other" / layout.CODE_GRAPH
    data = file.read_bytes()
    file.write_bytes(data[:4_000] + bytes([data[4_000] ^ 1]) + data[4_001:])
    told = [each.path for each in examine(store).problems]
    assert told == [f"index/{layout.TREES}/other/{layout.CODE_GRAPH}"]
    assert repair(store).sound
