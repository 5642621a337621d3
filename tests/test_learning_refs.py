from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pygit2
import pytest
from running import git

from cortex.learning.past.refs import commits_since, remember, scan

Commit = Callable[..., str]


def look(repo: Path, state: Path) -> list[str]:
    """The commits that are new since the last look, oldest first, and remembered at once."""
    found = scan(pygit2.Repository(str(repo)), state)
    remember(state, found)
    return list(found.commits)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "refs.json"


def test_at_the_first_look_everything_is_known(repo: Path, state: Path) -> None:
    assert look(repo, state) == []
    assert look(repo, state) == []


def test_new_commits_come_once_and_oldest_first(repo: Path, state: Path, commit: Commit) -> None:
    look(repo, state)
    made = [commit(repo, {"a": str(n)}) for n in range(3)]
    assert look(repo, state) == made
    assert look(repo, state) == []


def test_the_first_commit_of_a_repository_is_new(tmp_path: Path, state: Path, commit: Commit) -> None:
    folder = tmp_path / "fresh"
    folder.mkdir()
    git(folder, "init", "-q")
    assert look(folder, state) == []
    made = commit(folder, {"a": "1"})
    assert look(folder, state) == [made]


def test_the_memory_branch_and_our_own_refs_are_not_looked_at(
    repo: Path, state: Path, commit: Commit
) -> None:
    look(repo, state)
    head = git(repo, "rev-parse", "HEAD")
    made = commit(repo, {"a": "1"})
    git(repo, "update-ref", "refs/heads/cortex/memory", made)
    git(repo, "update-ref", "refs/cortex/kept/1", made)
    git(repo, "reset", "-q", "--hard", head)
    assert look(repo, state) == []


def test_an_amended_commit_names_the_one_that_it_replaces(repo: Path, state: Path, commit: Commit) -> None:
    old = commit(repo, {"a": "1"})
    look(repo, state)
    (repo / "a").write_text("2")
    git(repo, "commit", "-q", "-a", "--amend", "--no-edit")
    found = scan(pygit2.Repository(str(repo)), state)
    new = git(repo, "rev-parse", "HEAD")
    assert found.commits == (new,) and found.rewritten == {new: old}


def test_what_was_not_remembered_comes_again(repo: Path, state: Path, commit: Commit) -> None:
    look(repo, state)
    made = commit(repo, {"a": "1"})
    repository = pygit2.Repository(str(repo))
    assert scan(repository, state).commits == (made,)
    found = scan(repository, state)
    assert found.commits == (made,)
    remember(state, found)
    assert scan(repository, state).commits == ()


def test_many_commits_come_in_pieces_and_none_is_lost(repo: Path, state: Path, commit: Commit) -> None:
    look(repo, state)
    git(repo, "checkout", "-q", "-b", "side")
    made = [commit(repo, {"a": str(n)}) for n in range(4)]
    git(repo, "checkout", "-q", "main")
    made += [commit(repo, {"b": str(n)}) for n in range(4)]
    git(repo, "merge", "-q", "--no-edit", "side")
    made.append(git(repo, "rev-parse", "HEAD"))
    repository, seen = pygit2.Repository(str(repo)), []
    for _ in range(10):
        found = scan(repository, state, limit=2)
        remember(state, found)
        seen.extend(found.commits)
    assert len(seen) == len(made) and set(seen) == set(made)


def test_a_detached_head_is_looked_at(repo: Path, state: Path, commit: Commit) -> None:
    look(repo, state)
    git(repo, "checkout", "-q", "--detach")
    made = commit(repo, {"a": "1"})
    assert look(repo, state) == [made]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"known": 1}'])
def test_a_damaged_state_is_a_first_look(repo: Path, state: Path, commit: Commit, text: str) -> None:
    look(repo, state)
    state.write_text(text)
    commit(repo, {"a": "1"})
    assert look(repo, state) == []
    made = commit(repo, {"a": "2"})
    assert look(repo, state) == [made]


def test_commits_since_a_revision(repo: Path, commit: Commit) -> None:
    made = [commit(repo, {"a": str(n)}) for n in range(3)]
    repository = pygit2.Repository(str(repo))
    assert [str(oid) for oid in commits_since(repository, "HEAD~2")] == made[1:]
    with pytest.raises(KeyError):
        commits_since(repository, "nothing")
