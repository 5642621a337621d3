"""Generated code as blobs in the object database, held by refs that are never pushed and that expire."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from threading import RLock

import pygit2
from pygit2.enums import FileMode

from ..repo.errors import PlaceError
from ..repo.open import open_repository
from ..repo.places import Place
from .durable import NotWrittenError

#: One ref an hour, to a tree and not to a commit: `git log --all` shows nothing of it.
HELD = "refs/cortex/kept/"
OURS = "refs/cortex/"
_TRIES = 20


class Blobs:
    """The kept blobs of one clone. `clock` gives ms since the epoch."""

    def __init__(self, place: Place, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        # An object that is acknowledged must be on the medium; git itself does not fsync by default.
        pygit2.settings.enable_fsync_gitdir(True)
        self._git = open_repository(place)
        self._refs = place.common / OURS
        self._clock = clock
        self._lock = RLock()

    def keep(self, data: bytes) -> str:
        """Store `data`; its object id. It is on disk and held then. Raises `NotWrittenError`."""
        return self.keep_many([data])[0]

    def keep_many(self, contents: Iterable[bytes]) -> list[str]:
        """Store several at the cost of holding one."""
        with self._lock:
            try:
                ids = [self._git.create_blob(data) for data in contents]
                self._hold(ids)
            except (pygit2.GitError, OSError) as error:
                raise NotWrittenError(
                    f"cannot keep a blob in {self._git.path}: {error}",
                    "Check the disk's space and who owns the repository.",
                ) from error
            return [str(each) for each in ids]

    def read(self, oid: str) -> bytes | None:
        """The blob's bytes; None when it is not there any more."""
        with self._lock:
            try:
                found = self._git.get(oid)
            except (ValueError, pygit2.GitError):
                return None
            return found.data if isinstance(found, pygit2.Blob) else None

    def expire(self, before_ms: int) -> int:
        """Let go of what was kept in the hours that ended before a time; returns how many hours that were.

        Git collects what nothing else holds, when it collects.
        """
        limit = _hour(before_ms)
        with self._lock:
            old = [name for name in self._held() if name[len(HELD) :] < limit]
            for name in old:
                self._git.references.delete(name)
            return len(old)

    def drop(self) -> int:
        """Take away all refs that Cortex made outside of branches; returns how many there were."""
        with self._lock:
            ours = [name for name in self._git.references if name.startswith(OURS)]
            for name in ours:
                self._git.references.delete(name)
            # Git leaves the folders of its loose refs; one that another process has just used stays.
            for folder, _, _ in os.walk(self._refs, topdown=False):
                with suppress(OSError):
                    Path(folder).rmdir()
            return len(ours)

    def _held(self) -> list[str]:
        return sorted(name for name in self._git.references if name.startswith(HELD))

    def _hold(self, ids: list[pygit2.Oid]) -> None:
        """Name the blobs in this hour's tree: compare and swap, again while another process is first."""
        hour = HELD + _hour(self._clock())
        for attempt in range(_TRIES):
            # A lock that a killed process left would stand for the whole hour: another name holds as well.
            name = hour if attempt < _TRIES // 2 else f"{hour}-{secrets.token_hex(4)}"
            try:
                held = self._git.references.get(name)
                before = self._git.get(held.target) if held is not None else None
                builder = self._git.TreeBuilder(*([before] if isinstance(before, pygit2.Tree) else []))
                for each in ids:
                    builder.insert(str(each), each, FileMode.BLOB)
                tree = builder.write()
                if held is None:
                    self._git.references.create(name, tree)
                elif held.target != tree:
                    held.set_target(tree)
                return
            except (pygit2.GitError, ValueError, KeyError, OSError) as error:
                full = isinstance(error, OSError) and "failed to lock" not in str(error)
                if full or attempt == _TRIES - 1:
                    raise
                time.sleep(0.005 * (attempt + 1))
        raise PlaceError(f"{hour} cannot be written")


def _hour(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, timezone.utc).strftime("%Y%m%d%H")
