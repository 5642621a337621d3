"""The one writer's lock: flock on the folder's own inode, which nobody can unlink and so hold twice."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..repo.errors import BusyError, PlaceError
from .durable import SYSTEM, System, opened, read, retry, write_all

HOLDER = "holder"


@contextmanager
def writer_lock(folder: Path, timeout: float = 5.0, system: System = SYSTEM) -> Iterator[None]:
    """Hold the lock of `folder`; no other process and no other thread holds it meanwhile.

    Raises `BusyError` that says who holds it when it does not come free within `timeout` seconds, and
    `PlaceError` when there is no such folder. Not re-entrant.
    """
    fd = _acquire(folder, timeout, system)
    try:
        _say_who(folder, system)
        yield
    finally:
        system.close(fd)  # closing the descriptor lets go of the lock


def holder(folder: Path, system: System = SYSTEM) -> str:
    """Who took the lock last, as "process N (program)"; empty when nobody said. A hint, never a decision."""
    try:
        said = json.loads(read(system, folder / HOLDER))
        return f"process {int(said['pid'])} ({str(said['program'])[:80]})"
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return ""


def _acquire(folder: Path, timeout: float, system: System) -> int:
    end = system.now() + timeout
    pause = 0.001
    while True:
        try:
            fd = retry(lambda: system.open(folder, os.O_RDONLY | os.O_DIRECTORY))
        except (FileNotFoundError, NotADirectoryError):
            raise PlaceError(f"there is no folder {folder}", "Run `cortex init` first.") from None
        except OSError as error:
            raise PlaceError(f"cannot open {folder}: {error.strerror}") from error
        try:
            retry(lambda: system.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB))  # noqa: B023 - called at once
            if system.fstat(fd).ino == system.stat(folder).ino:
                return fd
            # The folder was replaced while we waited: the lock of the old one means nothing.
            system.close(fd)
            continue
        except OSError as error:
            system.close(fd)
            if error.errno not in {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.ENOENT}:
                raise PlaceError(
                    f"{folder} cannot be locked: {error.strerror}", "Keep the repository on a local disk."
                ) from error
        if system.now() >= end:
            who = holder(folder, system) or "another process"
            raise BusyError(
                f"{who} is writing to {folder}", "Wait until it is done, or end it, and try again."
            )
        system.sleep(pause)
        pause = min(pause * 2, 0.02)


def _say_who(folder: Path, system: System) -> None:
    """Leave a note for the error message of those who wait; a disk that refuses it refuses nothing else."""
    program = " ".join([Path(sys.argv[0] or sys.executable).name, *sys.argv[1:2]])
    note = json.dumps({"pid": os.getpid(), "program": program}).encode()
    with (
        contextlib.suppress(OSError),
        opened(system, folder / HOLDER, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW) as fd,
    ):
        write_all(system, fd, note)
