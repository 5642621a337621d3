from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pygit2
import pytest
from running import git

from cortex.learning.lineage.ownership import Hunk, changes, hunks, owners, shallow_commits, split

Commit = Callable[..., str]


def blamed(repo: Path, path: str) -> dict[int, str]:
    found = {}
    for row in git(repo, "blame", "--porcelain", "HEAD", "--", path).splitlines():
        words = row.split()
        if not row.startswith("\t") and len(words) in (3, 4) and len(words[0]) == 40:
            found[int(words[2])] = words[0]
    return found


def owned(repo: Path, path: str) -> dict[int, str]:
    repository = pygit2.Repository(str(repo))
    head = repository.head.peel(pygit2.Commit)
    count = len(repository.revparse_single(f"HEAD:{path}").data.splitlines())
    return dict(owners(repository, head.id, path, range(1, count + 1)))


def test_hunks_name_both_sides_of_each_change() -> None:
    assert hunks(b"a\nb\nc\n", b"a\nB\nc\nd\n") == [Hunk(2, 1, 2, 1), Hunk(3, 0, 4, 1)]
    assert hunks(b"", b"a\n") == [Hunk(0, 0, 1, 1)]
    assert hunks(b"a\n", b"a\n") == []


@pytest.mark.parametrize("seed_of_text", range(20))
def test_lines_are_renumbered_as_the_difference_says(seed_of_text: int) -> None:
    chance = random.Random(seed_of_text)
    old = [f"line {chance.randrange(30)}" for _ in range(400)]
    new = [line for line in old if chance.random() > 0.1]
    for _ in range(30):
        new.insert(chance.randrange(len(new)), f"fresh {chance.random()}")
    found = hunks("\n".join(old).encode(), "\n".join(new).encode())
    kept, added = split(found, [(n, n) for n in range(1, len(new) + 1)])
    assert len(kept) + len(added) == len(new)
    for line, ticket in kept:
        assert old[line - 1] == new[ticket - 1]


def test_a_line_belongs_to_the_commit_that_added_it(repo: Path, commit: Commit) -> None:
    first = commit(repo, {"a.py": "one\ntwo\nthree\n"})
    second = commit(repo, {"a.py": "zero\none\nTWO\nthree\n"})
    assert owned(repo, "a.py") == {1: second, 2: first, 3: second, 4: first}


def test_a_rename_changes_no_owner(repo: Path, commit: Commit) -> None:
    text = "".join(f"line {n}\n" for n in range(30))
    first = commit(repo, {"a.py": text})
    second = commit(repo, {"a.py": None, "b.py": text + "more\n"})
    assert owned(repo, "b.py") == {**dict.fromkeys(range(1, 31), first), 31: second}


def test_two_files_may_both_come_from_one_that_went(repo: Path, commit: Commit) -> None:
    text = "".join(f"line {n} of it\n" for n in range(30))
    first = commit(repo, {"a.py": text})
    second = commit(repo, {"a.py": None, "x/a.py": text, "y/b.py": text + "more\n"})
    assert owned(repo, "x/a.py") == blamed(repo, "x/a.py") == dict.fromkeys(range(1, 31), first)
    assert (
        owned(repo, "y/b.py") == blamed(repo, "y/b.py") == {**dict.fromkeys(range(1, 31), first), 31: second}
    )


@pytest.mark.parametrize("kept", [9, 13, 14, 15, 16, 17, 21])
def test_a_rename_is_one_where_git_says_so(repo: Path, commit: Commit, kept: int) -> None:
    lines = [f"    value_{n} = compute({n}, {n * n})\n" for n in range(30)]
    fresh = [f"    other_{n} = combine({n}, {n * n})\n" for n in range(30)]
    commit(repo, {"a.py": "".join(lines), "z.py": "".join(fresh[:9] + lines[:9])})
    commit(repo, {"a.py": None, "z.py": None, "b.py": "".join(lines[:kept] + fresh[kept:])})
    assert owned(repo, "b.py") == blamed(repo, "b.py")


def test_random_histories_with_merges_and_renames_agree_with_git_blame(
    repo: Path, commit: Commit, seed: int
) -> None:
    chance = random.Random(seed)
    lines = [f"line {chance.random()}" for _ in range(60)]
    commit(repo, {"a.py": "\n".join(lines) + "\n"})
    name = "a.py"
    for step in range(25):
        text = (repo / name).read_text().splitlines()
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(text))
            text[at : at + chance.randrange(2)] = [f"edit {step} {chance.random()}"]
        if step % 8 == 5:
            git(repo, "checkout", "-q", "-b", f"side{step}")
            commit(repo, {name: "\n".join([f"top {step}", *text]) + "\n"})
            git(repo, "checkout", "-q", "main")
            same = (repo / name).read_text()
            commit(repo, {name: same + f"bottom {step}\n"})
            git(repo, "merge", "-q", "--no-edit", f"side{step}", check=False)
            if (repo / ".git" / "MERGE_HEAD").exists():
                git(repo, "checkout", "-q", "--ours", name)
                git(repo, "commit", "-q", "-a", "--no-edit")
        elif step % 8 == 7:
            body = "\n".join(text) + "\n"
            commit(repo, {name: None, f"n{step}.py": body})
            name = f"n{step}.py"
        else:
            commit(repo, {name: "\n".join(text) + "\n"})
    assert owned(repo, name) == blamed(repo, name)


def test_a_shallow_clones_end_owns_nothing(repo: Path, commit: Commit, tmp_path: Path) -> None:
    commit(repo, {"a.py": "one\n"})
    commit(repo, {"b.py": "x\n"})
    last = commit(repo, {"a.py": "one\ntwo\n"})
    git(tmp_path, "clone", "-q", "--depth", "2", f"file://{repo}", "short")
    short = tmp_path / "short"
    assert len(shallow_commits(pygit2.Repository(str(short)))) == 1
    assert owned(short, "a.py") == {2: last}


def test_links_and_odd_names_are_left_out(repo: Path, commit: Commit) -> None:
    (repo / "link").symlink_to("README.md")
    (repo / os.fsdecode(b"caf\xe9.py")).write_text("x = 1\n")
    git(repo, "add", "-A")
    commit(repo, {"ok.py": "x = 1\n"})
    repository = pygit2.Repository(str(repo))
    tree = repository.head.peel(pygit2.Commit).tree
    assert "link" not in {each.new_path for each in changes(repository, None, tree)}
    assert {each.new_path for each in changes(repository, None, tree)} == {"README.md", "ok.py"}
