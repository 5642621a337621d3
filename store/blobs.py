"""Generated code as blobs in the object database, held by refs that expire and that Cortex never pushes.

A push of all refs (`git push --mirror`) and a bundle of all refs take them along: see `repo.mirrors`.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from threading import RLock

import pygit2
from pygit2.enums import FileMode

from ..repo.errors import DamagedError, PlaceError
from ..repo.git import GitError, git
from ..repo.mirrors import OURS
from ..repo.open import open_repository
from ..repo.places import Place
from .durable import SYSTEM, NotWrittenError, read

#: One ref an hour, to a tree and not to a commit: `git log --all` shows nothing of it.
HELD = f"{OURS}kept/"
_TRIES = 20
#: A ref that goes is news for `reference-transaction`, a program that the repository names; ours are nobody's news.
NO_HOOKS = ("-c", "core.hooksPath=/dev/null")
#: Git holds a lock for milliseconds: one that is older than this (seconds) is held by nobody.
STALE_S = 60.0
#: One that is older than this is not waited for, since another name holds as well.
STUCK_S = 0.3


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
            return self._keep(contents, HELD + _hour(self._clock()))

    def _keep(self, contents: Iterable[bytes], ref: str) -> list[str]:
        try:
            ids = [self._git.create_blob(data) for data in contents]
            self._hold(ids, ref)
        except (pygit2.GitError, OSError) as error:
            raise NotWrittenError(
                f"cannot keep a blob in {self._git.path}: {error}",
                "Check the disk's space and who owns the repository.",
            ) from error
        return [str(each) for each in ids]

    def kept(self) -> Iterator[tuple[str, str]]:
        """What is held, newest first: the ref's last part, and the blob's id; each blob once."""
        seen: set[str] = set()
        with self._lock:
            for name in reversed(self._held()):
                tree = self._git.get(self._git.references[name].target)
                for entry in tree if isinstance(tree, pygit2.Tree) else ():
                    if str(entry.id) not in seen and isinstance(entry, pygit2.Blob):
                        seen.add(str(entry.id))
                        yield name[len(HELD) :], str(entry.id)

    def bring_back(self, hour: str, contents: Mapping[str, bytes]) -> int:
        """Hold blobs again, as they were held in `hour`, and for as long; returns how many were not there.

        Raises `DamagedError` where one is not what its id says, `NotWrittenError`.
        """
        for oid, data in contents.items():
            if str(pygit2.hash(data)) != oid:
                raise DamagedError(f"the code {oid} is not what its id says", "Use another backup.")
        with self._lock:
            new = sum(self.read(oid) is None for oid in contents)
            self._keep(contents.values(), HELD + hour)
            return new

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
            self._delete(ours)
            # Git leaves the folders of its loose refs; one that another process has just used stays.
            for folder, _, _ in os.walk(self._refs, topdown=False):
                with suppress(OSError):
                    Path(folder).rmdir()
            return len(ours)

    def _delete(self, refs: list[str]) -> None:
        """Take refs away for good: out of packed-refs too, and out of the list for servers that `git gc` leaves."""
        common = self._refs.parent.parent
        here = f"--git-dir={common}"
        try:
            lines = "".join(f"delete {name}\n" for name in refs)
            git(here, *NO_HOOKS, "update-ref", "--no-deref", "--stdin", stdin=lines.encode())
        except GitError:  # a lock that a killed process left: one by one, as far as it goes
            for name in refs:
                self._git.references.delete(name)
        listed = common / "info" / "refs"
        with suppress(OSError):
            if f"\t{OURS}".encode() in read(SYSTEM, listed):
                git(here, "update-server-info")

    def _held(self) -> list[str]:
        return sorted(name for name in self._git.references if name.startswith(HELD))

    def _hold(self, ids: list[pygit2.Oid], hour: str) -> None:
        """Name the blobs in an hour's tree: compare and swap, again while another process is first."""
        for attempt in range(_TRIES):
            name = self._free(hour) if attempt < _TRIES // 2 else f"{hour}-{secrets.token_hex(4)}"
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

    def _free(self, hour: str) -> str:
        """This hour's ref, or the next beside it: what a killed process locked stays locked for the whole hour."""
        now = time.time()
        for name in (hour, *(f"{hour}-{number}" for number in range(1, 100))):
            try:
                locked = os.stat(self._refs.parent.parent / f"{name}.lock").st_mtime
            except OSError:
                return name
            if now - locked < STUCK_S:
                return name
        return hour


def stale_locks(common: Path, now: float, older_s: float = STALE_S) -> list[Path]:
    """Locks on Cortex's own refs that stood for longer than git ever holds one: their owner died."""
    found = []
    for top in (OURS, "refs/heads/cortex/"):
        for path in sorted((common / top).rglob("*.lock")):
            with suppress(OSError):
                if path.is_file() and now - path.stat().st_mtime > older_s:
                    found.append(path)
    return found


def _hour(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, timezone.utc).strftime("%Y%m%d%H")
