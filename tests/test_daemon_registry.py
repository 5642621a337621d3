"""The list of repositories: changed whole or not at all, one entry a clone, readable whatever befell it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from running import git

from cortex.daemon.registry import Registry
from cortex.repo.errors import PlaceError
from cortex.repo.places import find


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "state")


def test_the_list_reads_back_what_was_added(registry: Registry, repo: Path) -> None:
    assert registry.entries() == []
    entry = registry.add(find(repo))
    assert registry.entries() == [entry]
    assert (entry.name, entry.common, entry.missing) == (repo, repo / ".git", False)
    assert entry.place() == find(repo)
    assert registry.add(find(repo)) == entry, "adding again changes nothing"
    assert registry.remove(repo / ".git") and registry.entries() == []
    assert not registry.remove(repo / ".git")


def test_linked_work_trees_are_one_entry(registry: Registry, repo: Path, tmp_path: Path) -> None:
    git(repo, "worktree", "add", "--quiet", str(tmp_path / "linked"), "-b", "other")
    registry.add(find(repo))
    registry.add(find(tmp_path / "linked"))
    (entry,) = registry.entries()
    assert entry.roots == (repo, tmp_path / "linked")


def test_a_repository_that_vanished_is_told_and_does_no_harm(registry: Registry, repo: Path) -> None:
    registry.add(find(repo))
    shutil.rmtree(repo)
    (entry,) = registry.entries()
    assert entry.missing
    with pytest.raises(PlaceError, match="not there any more"):
        entry.place()


def test_a_work_tree_that_vanished_leaves_the_others(registry: Registry, repo: Path, tmp_path: Path) -> None:
    git(repo, "worktree", "add", "--quiet", str(tmp_path / "linked"), "-b", "other")
    registry.add(find(tmp_path / "linked"))
    registry.add(find(repo))
    shutil.rmtree(tmp_path / "linked")
    assert registry.entries()[0].place() == find(repo)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"repositories": 1}',
        b'{"repositories": [1, {"common": "x"}, {"common": 3}]}',
        b"\xff",
    ],
)
def test_a_damaged_list_is_kept_aside_and_begun_anew(registry: Registry, repo: Path, content: bytes) -> None:
    registry.path.parent.mkdir()
    registry.path.write_bytes(content)
    assert registry.entries() == []
    entry = registry.add(find(repo))
    assert registry.entries() == [entry]
    assert json.loads(registry.path.read_bytes())["schema"] == 1
    aside = list(registry.path.parent.glob("*.damaged-*"))
    assert [each.read_bytes() for each in aside] in ([], [content])


def test_a_path_that_is_not_utf8_survives(registry: Registry, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9")
    odd.mkdir()
    git(odd, "init", "--quiet")
    assert registry.add(find(odd)) == registry.entries()[0]


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path, repo: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PlaceError, match="cannot be written"):
        Registry(tmp_path / "file").add(find(repo))


def test_changes_at_once_from_several_processes_are_all_there(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from cortex.daemon.registry import Registry;"
        "from cortex.repo.places import Place\n"
        "for n in range(20): Registry(Path(sys.argv[1])).add(Place(None, Path(f'/x/{sys.argv[2]}-{n}'),"
        " Path(f'/x/{sys.argv[2]}-{n}')))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "s"), str(n)]) for n in range(4)
    ]
    assert [each.wait(30) for each in running] == [0, 0, 0, 0]
    assert len(Registry(tmp_path / "s").entries()) == 80
    assert [each.name for each in (tmp_path / "s").iterdir()] == ["repositories.json"]
