"""What changed in a repository: its spool, its refs, its work trees. Events where they come, else polling."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .logs import logger
from .registry import Entry

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

    from .worktree import WorkTree

POLL_S = (
    10.0  # of spool and refs, as a belt to the braces of events: some file systems of containers have none
)
FAST_POLL_S = 2.0  # of the same where there are no events
QUIET_S = 0.1  # a change is passed on when nothing more came for so long,
PATIENCE_S = 1.0  # or at the latest after this
MAX_PATHS = 20_000  # held in memory; beyond it the work tree is compared with git instead


@dataclass(frozen=True)
class Changes:
    """What one look found. Paths are absolute."""

    spool: bool = False
    refs: bool = False
    paths: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return self.spool or self.refs or bool(self.paths)

    def joined(self, other: Changes) -> Changes:
        """Both together."""
        return Changes(self.spool or other.spool, self.refs or other.refs, self.paths | other.paths)


class Watch:
    """Watches one repository. `open` and `wait` are for one thread; `nudge` may be called from any."""

    def __init__(self, entry: Entry, poll_s: float = POLL_S, fast_poll_s: float = FAST_POLL_S) -> None:
        self.entry = entry
        self.spool = entry.common / "cortex" / "spool"
        self._poll_s, self._fast_poll_s = poll_s, fast_poll_s
        self._woken = threading.Condition()
        self._observer: BaseObserver | None = None
        self._trees: tuple[WorkTree, ...] = ()
        self._mode = ""
        self._opened: tuple[str, ...] = ()
        self._spool = self._refs = self._lost = self._nudged = False
        self._paths: set[str] = set()
        self._signature: tuple[object, ...] | None = None
        self._spool_path = str(self.spool) + "/"
        self._common_path = str(entry.common) + "/"
        self._heads = str(entry.common / "refs" / "heads")

    def open(self, entry: Entry) -> str:
        """Start watching, or go on; how: "events", "polling", or "refs" where the tree is too large."""
        self.entry = entry
        wanted = tuple(str(root) for root in self.entry.roots if root.is_dir())
        if self._mode and wanted == self._opened:
            return self._mode
        self.close()
        from .worktree import WorkTree

        with contextlib.suppress(
            OSError
        ):  # so that there is a folder to watch; what matters is told when it is used
            self.spool.mkdir(mode=0o700, exist_ok=True)
        self._opened = wanted
        self._trees = tuple(WorkTree(Path(root)) for root in wanted)
        self._mode = self._observe()
        self._signature = None  # what was missed in between is seen at the next look
        return self._mode

    def close(self) -> None:
        """Stop watching."""
        observer, self._observer = self._observer, None
        self._mode = ""
        if observer is not None:
            observer.stop()
            observer.join()

    def nudge(self) -> None:
        """End a wait now."""
        with self._woken:
            self._nudged = True
            self._woken.notify_all()

    def rest(self, seconds: float, stopping: Callable[[], bool]) -> None:
        """Do nothing for a while, unless nudged or stopping."""
        with self._woken:
            if not stopping():
                self._woken.wait_for(lambda: self._nudged or stopping(), seconds)
            self._nudged = False

    def wait(self, timeout: float, stopping: Callable[[], bool]) -> Changes:
        """What changed since the last call: at once if anything did, else after `timeout` seconds."""
        end = time.monotonic() + timeout
        while True:
            spool, refs, paths, lost = self._gather(min(end, time.monotonic() + self._pace()), stopping)
            if stopping():
                return Changes()
            signature, recent = refs_signature(self.entry.common)
            if recent:  # two changes within one tick of the file system's clock look like one: let it tick
                time.sleep(QUIET_S)
                signature, _ = refs_signature(self.entry.common)
            refs = refs or signature != self._signature
            self._signature = signature
            spool = spool or holds_events(self.spool)
            found = frozenset(path for path in paths if self._counts(path))
            if lost:
                found |= self._recover()
            elif self._mode == "polling":
                found |= frozenset().union(*(tree.poll() for tree in self._trees))
            if spool or refs or found or time.monotonic() >= end or self._nudged:
                self._nudged = False
                return Changes(spool, refs, found)

    def reconcile(self) -> frozenset[str]:
        """Files of the work trees that differ from git's index, and did not when this was asked last."""
        if self._mode == "refs":
            return frozenset()
        return frozenset().union(*(tree.poll() for tree in self._trees))

    def _observe(self) -> str:
        from . import tree

        common = self.entry.common
        flat = (common, self.spool, common / "reftable", *_worktree_folders(common))
        there = tuple(str(folder) for folder in flat if folder.is_dir())
        heads = (self._heads,) if Path(self._heads).is_dir() else ()
        roots = tuple(str(each.root) for each in self._trees)
        for trees, mode in ((roots, "events"), ((), "refs")):
            plan = tree.Plan((*heads, *trees), there, self._skip, tree.limit())
            try:
                self._observer = tree.observe(plan, self._sink)
            except tree.TooLarge:
                logger.warning(
                    "%s has too many folders: its commits are watched, its files are not", self.entry.name
                )
            except OSError as error:
                logger.warning("%s is polled: %s", self.entry.name, error.strerror)
                return "polling"
            else:
                return mode
        return "polling"

    def _skip(self, folder: str) -> bool:
        if folder.startswith(self._common_path):
            return not folder.startswith(self._heads) or folder == self._heads + "/cortex"
        return any(each.skips(folder) for each in self._trees if folder.startswith(each.prefix))

    def _sink(self, path: str, lost: bool) -> None:
        """Called for each event, in watchdog's thread."""
        if path.startswith(self._spool_path) and not os.path.lexists(path):
            return  # taken in and removed: our own doing
        with self._woken:
            if lost:
                self._lost = True
            elif path.startswith(self._spool_path):
                if path.rpartition("/")[2].startswith("."):
                    return  # a draft
                self._spool = True
            elif path.startswith(self._common_path):
                if not _tells_of_refs(path[len(self._common_path) :]):
                    return
                self._refs = True
            elif len(self._paths) >= MAX_PATHS:
                self._lost = True
            else:
                self._paths.add(path)
            self._woken.notify_all()

    def _gather(self, end: float, stopping: Callable[[], bool]) -> tuple[bool, bool, set[str], bool]:
        """Wait for events until `end`; then, once there are some, until they pause."""
        with self._woken:
            while not (self._dirty() or self._nudged or stopping()) and (left := end - time.monotonic()) > 0:
                self._woken.wait(left)
            first = time.monotonic()
            while (
                self._dirty() and not self._spool and not stopping() and time.monotonic() < first + PATIENCE_S
            ):
                if not self._woken.wait(QUIET_S):
                    break
            taken = (self._spool, self._refs, self._paths, self._lost)
            self._spool = self._refs = self._lost = False
            self._paths = set()
        return taken

    def _dirty(self) -> bool:
        return self._spool or self._refs or self._lost or bool(self._paths)

    def _pace(self) -> float:
        return self._fast_poll_s if self._mode == "polling" else self._poll_s

    def _counts(self, path: str) -> bool:
        return any(each.counts(path) for each in self._trees if path.startswith(each.prefix))

    def _recover(self) -> frozenset[str]:
        """Events were lost: compare with git, and see whether there are events still."""
        logger.info("not all that changed in %s was told: it is compared with git", self.entry.name)
        observer = self._observer
        if observer is not None and not all(each.is_alive() for each in observer.emitters):
            self.close()
            self._mode = "polling"
        return frozenset().union(*(tree.compare() for tree in self._trees))


def holds_events(spool: Path) -> bool:
    """Whether a spool has a whole file: drafts begin with a dot."""
    try:
        with os.scandir(spool) as entries:
            return any(not entry.name.startswith(".") for entry in entries)
    except OSError:
        return False


def refs_signature(common: Path) -> tuple[tuple[object, ...], bool]:
    """Something that changes whenever a branch or HEAD does, and whether it did only just now.

    git replaces ref files by renaming, so the times of their folders tell; neither git nor libgit2 is needed.
    """
    newest = 0
    seen: list[object] = []
    for path in (
        common / "HEAD",
        common / "packed-refs",
        common / "reftable" / "tables.list",
        *_ref_folders(common),
        *(folder / "HEAD" for folder in _worktree_folders(common)),
    ):
        try:
            found = path.stat()
        except OSError:
            continue
        seen.append((str(path), found.st_mtime_ns, found.st_ino, found.st_size))
        newest = max(newest, found.st_mtime_ns)
    return tuple(seen), abs(time.time_ns() - newest) < 50_000_000


def _ref_folders(common: Path) -> list[Path]:
    """The folders of branches, without the branch that Cortex itself writes."""
    heads = common / "refs" / "heads"
    found, waiting = [], [heads]
    while waiting:
        folder = waiting.pop()
        found.append(folder)
        try:
            with os.scandir(folder) as entries:
                waiting += [
                    Path(each.path)
                    for each in entries
                    if each.is_dir(follow_symlinks=False) and not (folder == heads and each.name == "cortex")
                ]
        except OSError:
            continue
    return found


def _worktree_folders(common: Path) -> list[Path]:
    try:
        with os.scandir(common / "worktrees") as entries:
            return [Path(each.path) for each in entries if each.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _tells_of_refs(name: str) -> bool:
    """Whether a change of this file of the git folder may be one of branches or HEADs."""
    if name.endswith(".lock"):
        return False
    return (
        name in ("HEAD", "packed-refs", "reftable/tables.list")
        or (name.startswith("refs/heads/") and not name.startswith("refs/heads/cortex/"))
        or (name.startswith("worktrees/") and name.endswith("/HEAD"))
    )
