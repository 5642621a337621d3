"""One file read, whatever it may be (a link to a device, a pipe, a file that grows), or replaced at one stroke."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import UsageError


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """Have an error of the system that names no file name this one: a write says only that the disk is full."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(file)
        raise


def read_plain(file: Path, most: int) -> bytes:
    """The first `most` bytes of a plain file; links are followed.

    Raises `UsageError` for a device, a pipe or a socket, and `OSError` as opening does. Nothing is waited for:
    a pipe that nobody writes to is refused.
    """
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with open(descriptor, "rb") as opened:
        kind = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(file)
        if not stat.S_ISREG(kind):
            raise UsageError(f"{file} is not a plain file", "Name a file with text in it.")
        return opened.read(most)


def write_whole(file: Path, data: bytes, *, mode: int = 0o600, durable: bool = True) -> None:
    """Replace `file` so that a reader, and where it is `durable` a power cut, finds the old content or the new one.

    The umask takes from `mode`. Raises `OSError`; what was there is untouched then.
    """
    draft = file.with_name(f".{file.name}.{os.getpid()}.{time.monotonic_ns()}")
    try:
        opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            with open(opened, "wb") as out:
                out.write(data)
                out.flush()
                if durable:
                    os.fsync(out.fileno())
            draft.replace(file)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        if durable:
            sync_folder(file.parent)
    except OSError as error:
        error.filename = str(file)  # nobody asked for a draft
        raise


def sync_folder(folder: Path) -> None:
    """Return when the names in `folder` are on the disk."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
