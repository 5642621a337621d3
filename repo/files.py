"""Reading a file of a work tree, which may be anything: a link to a device, a pipe, a file that grows."""

from __future__ import annotations

import os
import stat
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
