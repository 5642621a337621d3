"""The note of where hooks were put: core.hooksPath may name another folder by the time they are taken out."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

from ..repo import marked
from ..repo.errors import DamagedError
from ..store import durable
from ..store.durable import SYSTEM
from ..store.record import crc

NAME = "folders.json"


def read(file: Path) -> list[Path]:
    """The folders that the note names, as far as it can be read."""
    try:
        return parse(durable.read(SYSTEM, file))
    except (OSError, DamagedError):
        return []


def parse(data: bytes) -> list[Path]:
    """The folders in a note. Raises `DamagedError` when it is not what was written.

    A last entry `{"crc": …}` is the checksum of the others; in a note of an earlier version there is none.
    """
    try:
        said = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"is no JSON ({error})") from error
    if not isinstance(said, list):
        raise DamagedError("is no list of folders")
    sums = said[-1:] if said and isinstance(said[-1], dict) else []
    paths = said[: len(said) - len(sums)]
    if not all(isinstance(each, str) and Path(each).is_absolute() for each in paths):
        raise DamagedError("names what is no folder")
    if sums and sums != [{"crc": crc(_dump(paths))}]:
        raise DamagedError("its checksum does not fit")
    return [Path(each) for each in paths]


def salvage(file: Path) -> list[Path]:
    """The folders that are there among those that a note names, be it damaged."""
    try:
        data = durable.read(SYSTEM, file)
    except OSError:
        return []
    found = []
    for text in re.findall(rb'"(?:[^"\\\\]|\\\\.)*"', data):
        with contextlib.suppress(ValueError):
            path = Path(json.loads(text))
            if path.is_absolute() and path.is_dir():
                found.append(path)
    return found


def write(file: Path, folders: Iterable[Path]) -> None:
    """Put the note in place of the old one. Raises `OSError`."""
    paths = list(dict.fromkeys(map(str, folders)))
    marked.write(file, _dump([*paths, {"crc": crc(_dump(paths))}]) + b"\n", 0o600)


def _dump(value: object) -> bytes:
    return json.dumps(value).encode()
