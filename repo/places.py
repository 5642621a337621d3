"""Where things are: the repository around a path, its store, and the person's own folders."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from . import home
from .errors import DamagedError, PlaceError

STORE = "cortex"
LINK = ".cortex"
#: Folders of the store with records in them.
_RECORDS = ("wal", "seg", "private")


@dataclass(frozen=True)
class Place:
    """One checkout: `root` is its work tree (None when bare); all checkouts of one clone share `common`."""

    root: Path | None
    gitdir: Path
    common: Path

    @property
    def store(self) -> Path:
        """The folder that holds the journal: the truth, shared by all linked work trees."""
        return self.common / STORE

    @property
    def initialised(self) -> bool:
        """Whether `cortex init` has run for this clone."""
        return (self.store / "writer").is_file()

    def require_root(self) -> Path:
        """The work tree; raises `PlaceError` in a bare repository."""
        if self.root is None:
            raise PlaceError(
                f"{self.gitdir} is a bare repository: it has no files to watch",
                "Run this in a clone that has a work tree; a bare repository can only be synced with.",
            )
        return self.root

    def require_store(self) -> Path:
        """The store's folder; raises `PlaceError` before `cortex init`, and `DamagedError` where a journal stands
        whose `writer` is gone or no file.
        """
        if not self.initialised:
            writer = self.store / "writer"
            there = os.path.lexists(writer)
            if there or any(
                each.is_file() for top in _RECORDS for each in (self.store / top).rglob("*.jsonl")
            ):
                raise DamagedError(
                    f"{writer} {'is no file' if there else 'is gone, and a journal stands beside it'}",
                    "Run `cortex doctor --repair`.",
                )
            self.require_root()
            raise PlaceError(
                f"Cortex does not know {self.root or self.gitdir} yet", "Run `cortex init` there first."
            )
        return self.store

    def relative(self, path: str | Path) -> str:
        """`path` (absolute, or relative to the work tree) as git names it.

        Raises `PlaceError` when it lies outside the work tree or inside a `.git` folder.
        """
        root = self.require_root()
        given = Path(path)
        full = given if given.is_absolute() else root / given
        # The folder is resolved and the name is not: a link that git tracks is itself the file.
        full = Path(os.path.realpath(full.parent)) / full.name if full.name != ".." else full.resolve()
        try:
            inside = full.relative_to(os.path.realpath(root))
        except ValueError:
            raise PlaceError(
                f"{path} is outside the repository {root}", "Name a file of this repository."
            ) from None
        if not inside.parts or ".git" in inside.parts:
            raise PlaceError(f"{path} is not a file of the work tree", "Name a file of this repository.")
        return inside.as_posix()


def find(path: str | Path = ".") -> Place:
    """The checkout around `path`, found without starting git.

    Raises `PlaceError` when there is none. Sources: gitrepository-layout(5), git-worktree(1).
    """
    start = Path(os.path.realpath(path))
    if not start.exists():
        raise PlaceError(f"there is no {path}", "Name a folder of a git repository.")
    for folder in (start, *start.parents):
        dot = folder / ".git"
        if dot.is_dir() and (dot / "HEAD").exists():
            return _place(folder, dot)
        if dot.is_file():
            return _place(folder, _linked(dot))
        if (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir():
            if folder.name == ".git":
                return _place(folder.parent, folder)
            return Place(None, folder, _common(folder))
    raise PlaceError(
        f"{start} is not in a git repository", "Go into a repository, or make one with `git init`."
    )


def _linked(dot: Path) -> Path:
    """The git folder that a `.git` file names (a linked work tree's, or a submodule's)."""
    word, _, target = dot.read_text(encoding="utf-8", errors="surrogateescape").partition(":")
    if word.strip() != "gitdir" or not target.strip():
        raise PlaceError(
            f"{dot} does not say where its repository is", "Repair it with `git worktree repair`."
        )
    gitdir = Path(os.path.normpath(dot.parent / target.strip()))
    if not gitdir.is_dir():
        raise PlaceError(
            f"{dot} points at {gitdir}, which is not there", "Repair it with `git worktree repair`."
        )
    return gitdir


def _common(gitdir: Path) -> Path:
    """The folder that all work trees of one clone share."""
    pointer = gitdir / "commondir"
    if pointer.is_file():
        return Path(os.path.realpath(gitdir / pointer.read_text(encoding="utf-8").strip()))
    return Path(os.path.realpath(gitdir))


def _place(root: Path, gitdir: Path) -> Place:
    return Place(root, gitdir, _common(gitdir))


def state_folder() -> Path:
    """The person's folder for the daemon: its registry, log and settings. `CORTEX_HOME` moves it."""
    return Path(home.state_folder())


def user_config() -> Path:
    """The person's own settings, for all repositories."""
    return Path(home.user_config())
