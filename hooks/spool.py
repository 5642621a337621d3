"""The spool: events that hooks wrote down in passing, one file each, until the daemon has taken them in.

A writer makes a draft whose name begins with a dot and renames it, so a file with a full name is whole. It is
not fsynced: killing a process loses nothing, a power cut may lose the last second.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from ..repo.errors import PlaceError
from ..repo.files import sync_folder

LARGEST = 8 * 1024 * 1024
_AT_ONCE = 64 * 1024 * 1024
_STALE = 24 * 3600.0
_NAME = re.compile(r"[0-9A-Za-z-]{1,80}\.(git|agent)\.([a-z0-9-]{1,40})")
_REWRITTEN = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64})(?: .*)?")


@dataclass(frozen=True)
class Event:
    """One spooled event: `kind` is "git" or "agent", `name` the hook or the agent, `t` ms since the epoch."""

    kind: str
    name: str
    payload: bytes
    t: int
    file: Path


@dataclass(frozen=True)
class GitEvent:
    """What a git hook said: where it ran, what was checked out, its arguments, rewritten pairs (old, new)."""

    hook: str
    cwd: str = ""
    git_dir: str = ""
    index: str = ""
    ref: str = ""
    head: str = ""
    arguments: tuple[str, ...] = ()
    rewritten: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, payload: bytes) -> GitEvent:
        """Read what the shim wrote; lines that it does not know are passed over."""
        top, _, below = payload.partition(b"\n\n")
        values: dict[str, str] = {}
        arguments: list[str] = []
        for line in top.split(b"\n"):
            key, equals, value = line.decode("utf-8", "surrogateescape").partition("=")
            if key == "arg":
                arguments.append(value)
            elif equals:
                values[key] = value
        pairs = (_REWRITTEN.fullmatch(line) for line in below.split(b"\n"))
        return cls(
            hook=values.get("hook", ""),
            cwd=values.get("cwd", ""),
            git_dir=values.get("git_dir", ""),
            index=values.get("index", ""),
            ref=values.get("ref", ""),
            head=values.get("head", ""),
            arguments=tuple(arguments),
            rewritten=tuple((pair[1].decode(), pair[2].decode()) for pair in pairs if pair),
        )


def write(spool: Path, kind: str, name: str, payload: bytes, *, durable: bool = False) -> Path:
    """Spool an event and return its file; `durable` also waits until it is on disk.

    Raises `PlaceError` where it cannot be written.
    """
    own = f"{uuid.uuid4()}-{os.getpid()}"
    draft, file = spool / f".{own}.draft", spool / f"{own}.{kind}.{name}"
    if not _NAME.fullmatch(file.name):
        raise ValueError(f"no name for an event: {kind!r}, {name!r}")
    try:
        spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(payload)
            out.flush()
            if durable:
                os.fsync(out.fileno())
        draft.replace(file)
        if durable:
            sync_folder(spool)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise PlaceError(
            f"cannot write into {spool}: {error.strerror}", "Free some space or mend its rights."
        ) from error
    return file


def pending(spool: Path, limit: int = 1000) -> list[Event]:
    """Events that wait, oldest first: `limit` at most and 64 MiB in all; ask again once these are done.

    What is larger than 8 MiB or no plain file is moved to the quarantine.
    """
    found: list[tuple[int, str, int]] = []
    with contextlib.suppress(FileNotFoundError), os.scandir(spool) as entries:
        for entry in entries:
            if not _NAME.fullmatch(entry.name):
                continue
            with contextlib.suppress(FileNotFoundError):
                facts = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(facts.st_mode) and facts.st_size <= LARGEST:
                    found.append((facts.st_mtime_ns, entry.name, facts.st_size))
                else:
                    _quarantine(spool, entry.name)
    events: list[Event] = []
    total = 0
    for at, name, size in sorted(found)[:limit]:
        total += size
        if events and total > _AT_ONCE:
            break
        event = read(spool / name, at)
        if event:
            events.append(event)
    return events


def count(spool: Path) -> int:
    """How many events wait, by their names alone."""
    try:
        with os.scandir(spool) as entries:
            return sum(_NAME.fullmatch(entry.name) is not None for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return 0


def read(file: Path, at: int = 0) -> Event | None:
    """The event in one spool file, None when it is gone; `at` is its time in ns where that is known."""
    match = _NAME.fullmatch(file.name)
    if match is None:
        return None
    try:
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW), "rb") as opened:
            at = at or os.fstat(opened.fileno()).st_mtime_ns
            payload = opened.read(LARGEST + 1)
    except OSError:
        return None
    return Event(match[1], match[2], payload[:LARGEST], at // 1_000_000, file)


def done(event: Event) -> None:
    """Take an event out of the spool: what it said has been taken in."""
    event.file.unlink(missing_ok=True)


def sweep(spool: Path, now: float | None = None) -> int:
    """Move drafts and strangers older than a day to the quarantine; returns how many."""
    moved = 0
    now = time.time() if now is None else now
    with contextlib.suppress(FileNotFoundError), os.scandir(spool) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                old = entry.stat(follow_symlinks=False).st_mtime < now - _STALE
                if old and entry.name.endswith(".answer"):  # what a guard had said: nobody waits for it now
                    (spool / entry.name).unlink()
                elif old and not _NAME.fullmatch(entry.name):
                    _quarantine(spool, entry.name)
                    moved += 1
    return moved


def _quarantine(spool: Path, name: str) -> None:
    folder = spool.parent / "quarantine"
    folder.mkdir(mode=0o700, exist_ok=True)
    with contextlib.suppress(OSError):
        (spool / name).rename(folder / f"spool-{name.lstrip('.')}")
