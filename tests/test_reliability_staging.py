"""Row 12: however little of a change is staged, the guard leaves the index and the files as they are, to the bit."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cortex.cli.init import program
from cortex.daemon.engine import Engine
from cortex.daemon.state import Models
from cortex.hooks.install import install
from cortex.repo.layout import lay_down
from cortex.repo.places import find
from cortex.store.journal import create

TEMPLATE = Path(__file__).resolve().parent.parent / ".cortex-template"
FILES = ("a.py", "deep/b.go", "c.txt", "d e.py")


def git(folder: Path, *words: str, stdin: bytes | None = None) -> bytes:
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, input=stdin).stdout


def facts(root: Path) -> dict[str, object]:
    """The bytes and the times of the index, and every file with its mode and its times."""
    found: dict[str, object] = {}
    for path in [root / ".git" / "index", *sorted(root.rglob("*"))]:
        name = path.relative_to(root).as_posix()
        if path.is_file() and (name == ".git/index" or not name.startswith((".git/", ".cortex"))):
            found[name] = (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns)
    return found


def edited(text: str, chance: random.Random) -> str:
    """A file after a person was at it: lines changed, added and taken out."""
    lines = text.splitlines(keepends=True)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(lines))
        what = chance.choice(("change", "add", "drop"))
        if what == "drop" and len(lines) > 5:
            del lines[at]
        else:
            lines[at : at + (what == "change")] = [f"value_{chance.randrange(1000)} = {chance.random()}\n"]
    return "".join(lines)


def part(patch: bytes, chance: random.Random) -> bytes:
    """Some of the hunks of a patch without context."""
    kept: list[bytes] = []
    for each in patch.split(b"diff --git ")[1:]:
        head, *hunks = each.split(b"\n@@ ")
        chosen = [hunk for hunk in hunks if chance.random() < 0.5]
        if chosen:
            kept.append(b"diff --git " + b"\n@@ ".join([head, *chosen]).rstrip(b"\n") + b"\n")
    return b"".join(kept)


def rounds(repo: Path, seed: int, count: int, hooks: int) -> tuple[int, int]:
    """How many partial stagings were made, and how many differed after the guard; `hooks` of them by the hook."""
    chance = random.Random(seed)
    for name in FILES:
        (repo / name).parent.mkdir(exist_ok=True)
        (repo / name).write_text("".join(f"value_{n} = {n}\n" for n in range(30)))
    git(repo, "add", "-A")
    git(repo, "commit", "--quiet", "-m", "Files")
    place = find(repo)
    lay_down(place, TEMPLATE)
    create(place.store)
    install(place, program())
    engine = Engine(place, Models())
    by_hook = set(chance.sample(range(count), hooks))
    differing = 0
    for number in range(count):
        for name in chance.sample(FILES, chance.randint(1, len(FILES))):
            (repo / name).write_text(edited((repo / name).read_text(), chance))
        if chance.random() < 0.2:
            (repo / "new.py").write_text(f"value = {number}\n")
            git(repo, "add", *(["-N"] if chance.random() < 0.5 else []), "new.py")
        staged = part(git(repo, "diff", "-U0", "--no-ext-diff"), chance)
        if staged:
            # Hunks without context, drawn apart from each other, are sometimes more than git will place: then
            # nothing of them is staged, and the guard meets the index as it is.
            words = ["git", "apply", "--cached", "--unidiff-zero", "-"]
            subprocess.run(words, cwd=repo, input=staged, capture_output=True, check=False)
        before = facts(repo)
        engine.handle("check", {})
        if number in by_hook:
            hook = repo / ".git" / "hooks" / "pre-commit"
            done = subprocess.run([str(hook)], cwd=repo, capture_output=True, check=False)
            differing += done.returncode != 0
        differing += facts(repo) != before
        if chance.random() < 0.05:
            tree = git(repo, "write-tree")
            git(repo, "commit", "--quiet", "--allow-empty", "-m", f"Part {number}")
            differing += git(repo, "rev-parse", "HEAD^{tree}") != tree
        elif chance.random() < 0.2:
            git(repo, "checkout", "--quiet", "HEAD", "--", *FILES)
    engine.close()
    return count, differing


@pytest.mark.skipif(os.name != "posix", reason="hooks are shell scripts")
def test_partial_staging_stays_as_it_is(
    repo: Path, seed: int, tell: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORTEX_NO_DAEMON", "1")
    made, differing = rounds(repo, seed, 200, 8)
    tell(f"partial staging: {made} stagings, {differing} differing (seed {seed})")
    assert differing == 0


@pytest.mark.nightly
def test_partial_staging_stays_as_it_is_all_night(
    repo: Path, seed: int, tell: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORTEX_NO_DAEMON", "1")
    made, differing = rounds(repo, seed, 5000, 200)
    tell(f"partial staging: {made} stagings, {differing} differing (seed {seed})")
    assert differing == 0
