"""What the guard takes for the change: the same from libgit2 and, where the index is large, from git."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cortex.daemon import changed
from cortex.daemon.state import Models, State
from cortex.repo.places import find
from cortex.store.journal import create


def staged(state: State) -> list[tuple[str, bytes, frozenset[int] | None]]:
    found = changed.staged(state, None, "", "", None)
    return sorted((each.path, each.data, each.added) for each in found)


def test_a_large_index_is_compared_as_a_small_one(
    repo: Path, commit: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "".join(f"line_{n} = {n}\n" for n in range(40))
    commit(repo, dict.fromkeys(("same.py", "edited.py", "gone.py", "moved.py", "mode.py", "ü b.py"), text))
    (repo / "edited.py").write_text(text.replace("line_3 =", "other_3 =").replace("line_30 = 30\n", ""))
    (repo / "ü b.py").write_text("first = 1\n" + text + "last = 1\n")
    (repo / "new.py").write_text("a = 1\nb = 2\n")
    (repo / "empty.py").write_text("")
    (repo / "link.py").symlink_to("new.py")
    (repo / "mode.py").chmod(0o755)
    (repo / "gone.py").unlink()
    for words in (["mv", "moved.py", "there.py"], ["add", "-A"]):
        subprocess.run(["git", *words], cwd=repo, check=True)
    (repo / "not staged.py").write_text("c = 3\n")
    place = find(repo)
    create(place.store)
    state = State(place, Models())
    small = staged(state)
    assert [path for path, _, _ in small] == [
        "edited.py",
        "empty.py",
        "mode.py",
        "new.py",
        "there.py",
        "ü b.py",
    ]
    monkeypatch.setattr(changed, "LARGE_INDEX", -1)
    monkeypatch.setattr(changed, "_from_index", None)
    assert staged(state) == small
