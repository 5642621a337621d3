"""A file of the work tree changed in one step, and only while it is what was read."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from .errors import CortexError
from .files import naming

#: Lines from a number (from 1) on, how many go, and what comes for them.
Edit = tuple[int, int, bytes]


class ChangedError(CortexError):
    """The file is not what was read any more."""


def edited(data: bytes, edits: Sequence[Edit]) -> bytes:
    """`data` with the edits, which are in order and apart; every other byte stays."""
    lines = _lines(data)
    out: list[bytes] = []
    at = 0
    for line, removed, text in edits:
        out += lines[at : line - 1]
        out.append(text)
        at = line - 1 + removed
    return b"".join([*out, *lines[at:]])


def _lines(data: bytes) -> list[bytes]:
    # A lone CR ends no line for git, nor here.
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def rewrite(root: Path, path: str, read: str, edits: Sequence[Edit], written: str) -> None:
    """Put the edits into the file at `path` below `root`, whole or not at all; its mode stays.

    `read` and `written` are SHA-256 of the file before and after. Raises `ChangedError` where it is not the same
    file any more, or where it is none: a link, or behind one.
    """
    file = root / path
    folder = file.parent
    if folder.resolve() != root.resolve() / Path(path).parent:
        raise ChangedError(f"{path} lies behind a link, and is left alone")
    before = os.lstat(file)
    if not stat.S_ISREG(before.st_mode):
        raise ChangedError(f"{path} is no plain file, and is left alone")
    data = file.read_bytes()
    if hashlib.sha256(data).hexdigest() != read:
        raise ChangedError(f"{path} was changed meanwhile, and is left alone", "Run `cortex fix` again.")
    after = edited(data, edits)
    if hashlib.sha256(after).hexdigest() != written:
        raise ChangedError(f"{path} would not become what was shown, and is left alone")
    with naming(file):
        handle, draft = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".cortex", dir=folder)
        try:
            with open(handle, "wb") as opened:
                opened.write(after)
                opened.flush()
                os.fsync(opened.fileno())
            os.chmod(draft, stat.S_IMODE(before.st_mode))
            now = os.lstat(file)
            if (now.st_ino, now.st_size, now.st_mtime_ns) != (
                before.st_ino,
                before.st_size,
                before.st_mtime_ns,
            ):
                raise ChangedError(
                    f"{path} was changed meanwhile, and is left alone", "Run `cortex fix` again."
                )
            os.replace(draft, file)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(draft)
            raise
