"""Which commits count as a change that somebody is at."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pygit2

from cortex.daemon.teaching import _in_progress
from cortex.learning.rules.lately import IN_PROGRESS

FIRST_DATE = 1_700_000_000


def run_git(repo: Path, *arguments: str, **environment: str) -> str:
    """Run git there, and return what it printed."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=repo,
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def state_of(repo: Path) -> Any:
    return cast(Any, SimpleNamespace(repository=pygit2.Repository(str(repo))))


def at(repo: Path, seconds: int) -> str:
    date = f"{FIRST_DATE + seconds} +0000"
    run_git(repo, "commit", "-q", "--allow-empty", "-m", "x", GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date)
    return run_git(repo, "rev-parse", "HEAD")


def test_the_last_three_days_of_what_is_checked_out_are_in_progress(repo: Path) -> None:
    old = at(repo, 0)
    near = at(repo, 8 * 86_400)
    newest = at(repo, 10 * 86_400)
    assert _in_progress(state_of(repo)) == {near, newest}
    assert old not in _in_progress(state_of(repo))


def test_a_repository_without_commits_has_nothing_in_progress(tmp_path: Path) -> None:
    run_git(tmp_path, "init", "-q")
    assert _in_progress(state_of(tmp_path)) == frozenset()


def test_so_many_commits_count_at_most(repo: Path) -> None:
    stream = "".join(
        f"commit refs/heads/main\ncommitter A <a@example.org> {FIRST_DATE + n} +0000\ndata 1\nx\n"
        + ("from refs/heads/main^0\n" if n == 0 else "")
        for n in range(IN_PROGRESS + 5)
    )
    subprocess.run(["git", "fast-import", "--quiet"], cwd=repo, input=stream.encode(), check=True)
    assert len(_in_progress(state_of(repo))) == IN_PROGRESS
