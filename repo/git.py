"""The one place that starts the `git` program, with an environment that hooks cannot have bent."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .errors import PlaceError

#: What a person's git needs to reach a remote; every other `GIT_*` would make it read another repository.
_KEPT = frozenset({"GIT_ASKPASS", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_CONFIG_NOSYSTEM"})


class GitError(PlaceError):
    """`git` said no; `stderr` holds its words."""

    def __init__(self, arguments: Sequence[str], status: int, stderr: str) -> None:
        said = stderr.strip() or f"exit status {status}"
        super().__init__(f"git {_command(arguments)} failed: {said}")
        self.status = status
        self.stderr = stderr


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without what git sets for its hooks, plus `extra`."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_") or key in _KEPT}
    kept["GIT_TERMINAL_PROMPT"] = "0"
    kept["GIT_OPTIONAL_LOCKS"] = "0"
    # In a partial clone git asks for what is missing, in passing, with the programs that the repository names.
    kept["GIT_NO_LAZY_FETCH"] = "1"
    kept["LC_ALL"] = "C.UTF-8"
    return {**kept, **(extra or {})}


def git(
    *arguments: str,
    cwd: Path | None = None,
    stdin: bytes | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float | None = 60.0,
) -> bytes:
    """Run `git` and return what it printed.

    Raises `GitError` when it exits with another status than 0 or takes longer than `timeout` seconds, and
    `PlaceError` when there is no git.
    """
    try:
        done = subprocess.run(  # noqa: S603 - no shell; the arguments are ours
            ["git", *arguments],  # noqa: S607 - the person's own git, wherever it is
            cwd=cwd,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            env=clean_environment(environment),
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as error:
        if cwd is not None and not cwd.is_dir():
            raise PlaceError(f"there is no folder {cwd}") from error
        raise PlaceError("there is no `git` on the path", "Install git, then run this again.") from error
    except subprocess.TimeoutExpired as error:
        raise GitError(arguments, -1, f"no answer within {timeout:g} s") from error
    if done.returncode != 0:
        raise GitError(arguments, done.returncode, done.stderr.decode("utf-8", "replace"))
    return done.stdout


def git_text(*arguments: str, cwd: Path | None = None, timeout: float | None = 60.0) -> str:
    """What `git` printed, as text without its last line end; bytes that are not UTF-8 survive as surrogates."""
    return git(*arguments, cwd=cwd, timeout=timeout).decode("utf-8", "surrogateescape").rstrip("\n")


def _command(arguments: Sequence[str]) -> str:
    """The command among git's words: settings of this one call may stand before it."""
    words = iter(arguments)
    for word in words:
        if word == "-c":
            next(words, "")
        elif not word.startswith("-"):
            return word
    return ""
