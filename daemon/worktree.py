"""The files of a work tree that count: those that git does not ignore; and which differ from the index."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pygit2

#: Folders that hold what was made or fetched, never what a person writes.
SKIPPED = frozenset(
    {
        ".git",
        ".cortex",
        "node_modules",
        ".venv",
        "venv",
        "__pycache__",
        ".tox",
        ".nox",
        ".mypy_cache",
        ".pytest_cache",
    }
    | {".ruff_cache", ".hypothesis", ".gradle", ".idea", ".terraform", ".next", ".yarn", "bower_components"}
)
MAX_DIFFERENT = 100_000  # held in memory while a tree differs that much
POLL_S = 5.0
SHARE = (
    0.0004  # of one core that comparing may take, on the average: ten repositories stay below half a percent
)


class WorkTree:
    """One work tree. Its git is opened when it is first asked, and only reads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.prefix = str(root) + "/"
        self._git: pygit2.Repository | None = None
        self._failed = False
        self._known: dict[str, tuple[int, int]] = {}
        self._next = 0.0

    def skips(self, folder: str) -> bool:
        """Whether nothing in `folder` (absolute) counts: made by tools, ignored, or another repository."""
        name = folder.rpartition("/")[2]
        return name in SKIPPED or os.path.lexists(folder + "/.git") or self._ignores(folder + "/")

    def counts(self, path: str) -> bool:
        """Whether a file (an absolute path in this tree) is one that git would track."""
        parts = path[len(self.prefix) :].split("/")
        return SKIPPED.isdisjoint(parts) and not self._ignores(path)

    def poll(self) -> frozenset[str]:
        """What `compare` finds, as often as its own cost allows; empty in between."""
        if time.monotonic() < self._next:
            return frozenset()
        return self.compare()

    def compare(self) -> frozenset[str]:
        """Files that differ from the index, and did not, or not in this way, at the last comparison.

        The index is read and never written. Empty where libgit2 cannot read the repository.
        """
        began = time.thread_time()
        now: dict[str, tuple[int, int]] = {}
        for relative in self._different():
            if not SKIPPED.isdisjoint(relative.split("/")):
                continue
            path = self.prefix + relative
            try:
                found = os.lstat(path)
                now[path] = (found.st_mtime_ns, found.st_size)
            except OSError:
                now[path] = (0, -1)
            if len(now) >= MAX_DIFFERENT:
                break
        fresh = {path for path, facts in now.items() if self._known.get(path) != facts}
        fresh |= self._known.keys() - now.keys()  # put back, committed, or removed again
        self._known = now
        self._next = time.monotonic() + max(POLL_S, (time.thread_time() - began) / SHARE)
        return frozenset(fresh)

    def _different(self) -> list[str]:
        repository = self._repository()
        if repository is None:
            return []
        import pygit2

        try:
            return list(repository.status(untracked_files="all"))
        except (pygit2.GitError, OSError, ValueError):
            return []

    def _ignores(self, path: str) -> bool:
        repository = self._repository()
        if repository is None:
            return False
        import pygit2

        try:
            return bool(repository.path_is_ignored(path[len(self.prefix) :]))
        except (pygit2.GitError, OSError, ValueError):
            return False

    def _repository(self) -> pygit2.Repository | None:
        if self._git is None and not self._failed:
            import pygit2

            try:
                self._git = pygit2.Repository(str(self.root))
            except (pygit2.GitError, OSError, ValueError):
                self._failed = True  # a form that libgit2 cannot read: the plain list must do
        return self._git
