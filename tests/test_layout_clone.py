"""What `cortex init` lays down in a clone is all that `cortex uninit` takes away."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from running import git

import cortex
from cortex.repo import ignore, marked
from cortex.repo.errors import PlaceError
from cortex.repo.layout import lay_down, relink, take_away, work_trees
from cortex.repo.places import Place, find

TEMPLATE = Path(cortex.__file__).parent / ".cortex-template"
Facts = dict[str, tuple[int, str, bytes, int]]


def facts(folder: Path) -> Facts:
    """Mode, link, content and time of each file below a folder; of folders the mode alone."""
    found: Facts = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        link = str(path.readlink()) if path.is_symlink() else ""
        plain = stat.S_ISREG(status.st_mode)
        data = path.read_bytes() if plain else b""
        found[str(path)] = (status.st_mode, link, data, status.st_mtime_ns if plain else 0)
    return found


@pytest.fixture
def place(repo: Path) -> Place:
    return find(repo)


@pytest.mark.parametrize("exclude", [None, b"", b"*.tmp\n", b"*.tmp", b"a\r\nb\r\n", b"no folder"])
def test_laying_down_and_taking_away_leaves_every_byte_as_it_was(place: Place, exclude: bytes | None) -> None:
    assert place.root is not None
    file = place.common / "info" / "exclude"
    file.parent.mkdir(exist_ok=True)
    if exclude is None:
        file.unlink(missing_ok=True)
    elif exclude == b"no folder":
        file.unlink(missing_ok=True)
        file.parent.rmdir()
    else:
        file.write_bytes(exclude)
        os.utime(file, ns=(1_600_000_000_123_456_789,) * 2)
    before = facts(place.root)
    report = lay_down(place, TEMPLATE)
    assert report.changed and not report.notes
    assert stat.S_IMODE(place.store.stat().st_mode) == 0o700
    assert (place.root / ".cortex").readlink() == Path(".git/cortex")
    assert (place.root / ".cortex" / "config.toml").is_file()
    status = git(place.root, "--no-optional-locks", "status", "--porcelain", "--ignored")
    assert status == "!! .cortex"
    assert not lay_down(place, TEMPLATE).changed
    take_away(place, TEMPLATE)
    assert facts(place.root) == before


def test_a_person_s_edits_are_not_overwritten(place: Place) -> None:
    lay_down(place, TEMPLATE)
    (place.store / "config.toml").write_text("[recall]\nk = 3\n")
    (place.store / "ignore").unlink()
    lay_down(place, TEMPLATE)
    assert (place.store / "config.toml").read_text() == "[recall]\nk = 3\n"
    assert (place.store / "ignore").read_bytes() == (TEMPLATE / "ignore").read_bytes()


def test_lines_that_were_added_to_exclude_stay(place: Place) -> None:
    file = place.common / "info" / "exclude"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"*.tmp")
    lay_down(place, TEMPLATE)
    file.write_bytes(file.read_bytes() + b"*.log\n")
    take_away(place, TEMPLATE)
    assert file.read_bytes() == b"*.tmp\n*.log\n"


def test_data_is_kept_or_set_aside_when_asked(place: Place, tmp_path: Path) -> None:
    lay_down(place, TEMPLATE)
    (place.store / "wal").mkdir()
    (place.store / "wal" / "x.jsonl").write_bytes(b"{}\n")
    (place.store / "config.toml").write_text("# mine\n")
    take_away(place, TEMPLATE, keep_data=True)
    assert sorted(each.name for each in place.store.iterdir()) == ["config.toml", "wal"]
    lay_down(place, TEMPLATE)
    aside = tmp_path / "kept" / "store"
    take_away(place, TEMPLATE, aside=aside)
    assert not place.store.exists() and (aside / "wal" / "x.jsonl").read_bytes() == b"{}\n"
    lay_down(place, TEMPLATE)
    with pytest.raises(PlaceError, match="there already"):
        take_away(place, TEMPLATE, aside=aside)


@pytest.mark.parametrize("what", ["folder", "file", "link elsewhere", "dangling link"])
def test_a_cortex_of_somebody_else_s_is_left_and_said(place: Place, tmp_path: Path, what: str) -> None:
    assert place.root is not None
    link = place.root / ".cortex"
    if what == "folder":
        link.mkdir()
        (link / "x").write_text("mine")
    elif what == "file":
        link.write_text("mine")
    else:
        (tmp_path / "elsewhere").mkdir()
        link.symlink_to(tmp_path / ("elsewhere" if what == "link elsewhere" else "nowhere"))
    before = {name: each for name, each in facts(place.root).items() if "/.git/" not in name}
    assert "left as it is" in lay_down(place, TEMPLATE).notes[0]
    assert "left as it is" in take_away(place, TEMPLATE).notes[0]
    assert {name: each for name, each in facts(place.root).items() if "/.git/" not in name} == before


def test_a_tracked_cortex_is_left_even_when_it_is_not_checked_out(
    place: Place, commit: Callable[..., str]
) -> None:
    assert place.root is not None
    commit(place.root, {".cortex/config.toml": "theirs\n"})
    assert "tracked" in lay_down(place, TEMPLATE).notes[0]
    (place.root / ".cortex" / "config.toml").unlink()
    (place.root / ".cortex").rmdir()
    assert "tracked" in lay_down(place, TEMPLATE).notes[0]
    assert not os.path.lexists(place.root / ".cortex")


def test_a_lost_link_is_made_again_and_the_store_survives(place: Place) -> None:
    assert place.root is not None
    lay_down(place, TEMPLATE)
    (place.store / "writer").write_text("x")
    git(place.root, "clean", "-fdxq")
    assert not os.path.lexists(place.root / ".cortex")
    assert relink(place) == (place.root / ".cortex",)
    assert relink(place) == ()
    assert (place.root / ".cortex" / "writer").read_text() == "x"


def test_a_link_that_a_stash_took_along_waits_for_the_stash(place: Place) -> None:
    assert place.root is not None
    (place.root / "kept.txt").write_text("a\n")
    git(place.root, "add", "kept.txt")
    git(place.root, "commit", "--quiet", "-m", "Begin")
    lay_down(place, TEMPLATE)
    (place.store / "writer").write_text("0" * 32)
    for text in ("one", "two"):
        (place.root / "new.txt").write_text(text)
        git(place.root, "stash", "push", "--quiet", "--all" if text == "one" else "--include-untracked")
    assert relink(place) == ()
    assert [note for note in lay_down(place, TEMPLATE).notes if "stash" in note]
    git(place.root, "stash", "pop", "--quiet")
    (place.root / "new.txt").unlink()
    git(place.root, "stash", "pop", "--quiet")
    assert (place.root / ".cortex").is_symlink()
    assert (place.root / "new.txt").read_text() == "one"
    assert git(place.root, "stash", "list") == ""
    (place.root / ".cortex").unlink()
    assert relink(place) == (place.root / ".cortex",)


def test_each_work_tree_gets_the_link_and_loses_it(place: Place, tmp_path: Path) -> None:
    assert place.root is not None
    git(place.root, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    git(place.root, "worktree", "add", "--quiet", str(tmp_path / "gone"))
    for path in (tmp_path / "gone").iterdir():
        path.unlink()
    (tmp_path / "gone").rmdir()
    linked = find(tmp_path / "linked")
    assert work_trees(place) == [place.root, tmp_path / "linked"]
    lay_down(linked, TEMPLATE)
    for root in (place.root, tmp_path / "linked"):
        assert os.path.realpath(root / ".cortex") == str(place.store)
        assert git(root, "status", "--porcelain") == ""
    take_away(place, TEMPLATE)
    assert not os.path.lexists(place.root / ".cortex") and not os.path.lexists(
        tmp_path / "linked" / ".cortex"
    )


def test_a_submodule_s_link_survives_moving_the_whole(place: Place, tmp_path: Path) -> None:
    assert place.root is not None
    git(place.root, "clone", "--quiet", ".", str(tmp_path / "other"))
    git(
        place.root,
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "add",
        "--quiet",
        str(tmp_path / "other"),
        "sub",
    )
    lay_down(find(place.root / "sub"), TEMPLATE)
    place.root.rename(tmp_path / "moved")
    inner = find(tmp_path / "moved" / "sub")
    assert os.path.realpath(tmp_path / "moved" / "sub" / ".cortex") == str(inner.store)
    assert git(tmp_path / "moved" / "sub", "status", "--porcelain") == ""
    take_away(inner, TEMPLATE)
    assert not os.path.lexists(tmp_path / "moved" / "sub" / ".cortex")


def test_a_link_to_where_the_clone_was_is_mended(place: Place, tmp_path: Path) -> None:
    assert place.root is not None
    git(place.root, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    lay_down(place, TEMPLATE)
    place.root.rename(tmp_path / "moved")
    git(tmp_path / "moved", "worktree", "repair")
    moved = find(tmp_path / "moved")
    lay_down(moved, TEMPLATE)
    assert os.path.realpath(tmp_path / "linked" / ".cortex") == str(moved.store)


def test_a_bare_repository_has_a_store_and_no_link(place: Place, tmp_path: Path) -> None:
    assert place.root is not None
    git(place.root, "clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    bare = find(tmp_path / "bare.git")
    before = facts(tmp_path / "bare.git")
    lay_down(bare, TEMPLATE)
    assert (bare.store / "config.toml").is_file()
    take_away(bare, TEMPLATE)
    assert facts(tmp_path / "bare.git") == before


@pytest.mark.parametrize("what", ["file", "link"])
def test_a_store_that_is_no_folder_is_refused(place: Place, tmp_path: Path, what: str) -> None:
    if what == "file":
        place.store.write_text("mine")
    else:
        place.store.symlink_to(tmp_path)
    with pytest.raises(PlaceError, match="not a folder of Cortex"):
        lay_down(place, TEMPLATE)


def test_a_hostile_monitor_is_not_started(place: Place, tmp_path: Path) -> None:
    assert place.root is not None
    canary = tmp_path / "canary"
    script = tmp_path / "monitor"
    script.write_text(f"#!/bin/sh\ntouch {canary}\n")
    script.chmod(0o755)
    git(place.root, "config", "core.fsmonitor", str(script))
    lay_down(place, TEMPLATE)
    take_away(place, TEMPLATE)
    assert not canary.exists()


def test_the_template_says_what_each_thing_is() -> None:
    names = {each.name for each in TEMPLATE.iterdir()}
    assert names == {"README.md", "config.toml", "ignore"}
    page = (TEMPLATE / "README.md").read_text(encoding="utf-8")
    for name in (*names, "writer", "wal/", "seg/", "private/", "quarantine/", "spool/", "hooks/", "index/"):
        assert f"`{name}`" in page


def test_the_template_s_settings_are_those_that_there_are() -> None:
    import tomlkit

    from cortex.repo.config import OPTIONS

    text = (TEMPLATE / "config.toml").read_text(encoding="utf-8")
    head, _, rest = text.partition("\n\n")
    assert all(line.startswith("#") for line in head.splitlines())
    shown = tomlkit.parse(rest.replace("\n# ", "\n")).unwrap()
    flat = {f"{section}.{name}": value for section, values in shown.items() for name, value in values.items()}
    assert flat == {key: option.default for key, option in OPTIONS.items()}
    assert not any(tomlkit.parse(text).unwrap().values())


def test_ignored_paths_follow_git_s_syntax() -> None:
    rules = ignore.parse("# note\n*.min.js\n/build/\n!keep.min.js\ndocs/**/x.md\n\n")
    assert not rules.problems
    told = {
        path: rules.matches(path)
        for path in ("a/b.min.js", "keep.min.js", "build/x", "a/build/x", "docs/a/b/x.md", "x.md")
    }
    assert told == {
        "a/b.min.js": True,
        "keep.min.js": False,
        "build/x": True,
        "a/build/x": False,
        "docs/a/b/x.md": True,
        "x.md": False,
    }


def test_a_line_that_is_no_pattern_is_said_and_the_rest_holds(tmp_path: Path) -> None:
    rules = ignore.parse("*.log\n!\n")
    assert rules.matches("a.log") and len(rules.problems) == 1
    assert not ignore.read(tmp_path).matches("a.log")
    (tmp_path / "ignore").write_bytes(b"*.log\n\xff\n")
    assert ignore.read(tmp_path).matches("a.log")


def test_a_marked_block_in_the_middle_of_any_text_comes_out_again(tmp_path: Path, seed: int) -> None:
    import random

    chance = random.Random(seed)
    pieces = [
        b"a\n",
        b"b",
        b"\r\n",
        b"\n",
        b"# >>> other >>>\n",
        b"\xff\n",
        b"#!/bin/sh\n",
        b" # >>> cortex >>>\n",
    ]
    for number in range(100):
        text = b"".join(chance.choice(pieces) for _ in range(chance.randrange(8)))
        file = tmp_path / str(number)
        file.write_bytes(text)
        lines = [0, *(at + 1 for at, byte in enumerate(text) if byte == 10), len(text)]
        offset = chance.choice(lines)
        if marked.find(text, file) is not None:
            continue
        assert marked.put_in(file, "x\n", at=lambda _, offset=offset: offset)  # type: ignore[misc]
        assert not marked.put_in(file, "x\n")
        assert marked.put_in(file, "y\nz\n")
        assert marked.take_out(file)
        assert not marked.take_out(file)
        assert file.read_bytes() == text
