"""The daemon's folder: made for one person alone, held by one daemon, and marked while one is on its way."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from ..repo.errors import BusyError, PlaceError
from ..repo.places import state_folder
from . import client, logs

#: A file that says since when a daemon is on its way; one older than this is of a start that failed.
_COMING, _COMING_S = "coming", 15.0
#: What flock says when another holds the lock.
_HELD = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES})


def made() -> Path:
    """The state folder, made if need be, for this person alone. Raises `PlaceError` when it is read-only."""
    folder = state_folder().absolute()
    try:
        logs.path(folder).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        probe = folder / f".probe.{os.getpid()}.{threading.get_ident()}"
        probe.touch()
        probe.unlink(missing_ok=True)
    except OSError as error:
        raise PlaceError(
            f"the daemon cannot write its folder {folder}: {error.strerror}",
            "Make it writable, or set CORTEX_HOME to a folder that is.",
        ) from error
    return folder


def is_same(folder: Path, inode: int) -> bool:
    """Whether the folder that is held still has its name."""
    try:
        return folder.stat().st_ino == inode
    except OSError:
        return False


def is_held(folder: Path) -> bool:
    """Whether a daemon holds this state folder."""
    with contextlib.suppress(OSError), _opened(folder) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno in _HELD  # nobody holds what cannot be locked
    return False


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """The one lock that makes this process the daemon: on the folder, since a lock file can be unlinked."""
    with _opened(folder) as descriptor:
        # others may look at the lock for an instant
        if not _lock(descriptor, folder, time.monotonic() + 1.0):
            raise BusyError(
                f"a daemon runs already: process {client.describe().get('pid', 'unknown')} holds {folder}",
                "`cortex daemon status` tells how it is; `cortex daemon stop` ends it.",
            )
        yield


@contextlib.contextmanager
def starting(folder: Path, end: float) -> Iterator[None]:
    """One start at a time: the lock is on the log's folder."""
    with _opened(logs.path(folder).parent) as descriptor:
        if not _lock(descriptor, folder, end):
            raise BusyError(
                "another process is starting the daemon, and does not get done", "Try again in a moment."
            )
        yield


@contextlib.contextmanager
def announced(folder: Path, version: str) -> Iterator[None]:
    """While it lasts, `status` says that a daemon is on its way, where there is a place for one."""
    with contextlib.suppress(OSError):
        announce(folder, version)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            arrived(folder)


def announce(folder: Path, version: str) -> None:
    """Say that a daemon is on its way, where there is a place for one. Raises `OSError`."""
    if _has_place(folder, version):
        (folder / _COMING).touch()


def arrived(folder: Path) -> None:
    """Take that back: it is there. Raises `OSError`."""
    (folder / _COMING).unlink(missing_ok=True)


def is_coming(folder: Path) -> bool:
    """Whether somebody said, not long ago, that they start a daemon."""
    try:
        return 0 <= time.time() - (folder / _COMING).stat().st_mtime < _COMING_S
    except OSError:
        return False


def lockable(folder: Path) -> None:
    """Raise `PlaceError` where the folder cannot be locked, and `OSError` where it cannot be opened."""
    with _opened(folder) as descriptor:
        _locks(descriptor, folder)


def _has_place(folder: Path, version: str) -> bool:
    """Whether a daemon of this version can come: one that runs unseen (a sandbox hides its socket) keeps it."""
    return not is_held(folder) or client.is_of_another_version(version)


def _lock(descriptor: int, folder: Path, end: float) -> bool:
    """Whether the lock came free before `end`. Raises `PlaceError` where a folder cannot be locked."""
    while not _locks(descriptor, folder):
        if time.monotonic() >= end:
            return False
        time.sleep(0.02)
    return True


def _locks(descriptor: int, folder: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD:
            return False
        raise PlaceError(
            f"the daemon's folder {folder} cannot be locked: {error.strerror}",
            "Its file system has no locks: set CORTEX_HOME to a folder on a local disk.",
        ) from error
    return True


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
