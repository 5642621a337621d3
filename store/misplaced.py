"""What stands in the place of a file or a folder of the store and is none: a folder, a pipe, a link, a device."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from . import derived, layout, lock, segments, wal
from .durable import SYSTEM, System, exists, names
from .quarantine import Problem

#: Besides those of the format: where the installed shim lies.
_FOLDERS = (*layout.FOLDERS, "hooks")
_INDEX = (derived.REBUILD, derived.MANIFEST, *derived.NOTES)
_FILES = (layout.FORMAT_FILE, layout.WRITER, layout.CLOCK, lock.HOLDER, *(f"index/{name}" for name in _INDEX))


def misplaced(store: Path, system: System = SYSTEM) -> list[Problem]:
    """What has the name of a file and is no plain file, or that of a folder and is none. Opens nothing.

    The quarantine looks after its own files.
    """
    return [
        *(
            Problem(path, 0, f"is {_kind(store / path, system)} where a folder belongs")
            for path in _folders(store, system)
            if exists(system, store / path) and not _is_folder(store / path, system)
        ),
        *(
            Problem(path, 0, f"is {_kind(store / path, system)} where a file belongs")
            for path in _files(store, system)
            if exists(system, store / path) and not is_file(store / path, system)
        ),
    ]


def is_file(path: Path, system: System = SYSTEM) -> bool:
    """Whether what is there is a plain file, not a link to one. Raises `FileNotFoundError`."""
    found = system.stat(path)
    return not (found.folder or found.other)


def _folders(store: Path, system: System) -> Iterator[str]:
    yield from _FOLDERS
    for top in (segments.SHARED, segments.PRIVATE):
        for writer in filter(segments.WRITER.match, names(system, store / top)):
            yield f"{top}/{writer}"
            for month in filter(segments.MONTH.match, names(system, store / top / writer)):
                yield f"{top}/{writer}/{month}"


def _files(store: Path, system: System) -> Iterator[str]:
    yield from _FILES
    yield from (f"{wal.FOLDER}/{log.name}" for log in wal.logs(store, system))
    yield from (segment.path for segment in segments.Shelf(store, system).listing())


def _is_folder(path: Path, system: System) -> bool:
    """A link to a folder serves as one: an index may well be on another disk."""
    return system.stat(path).folder or path.is_dir()


def _kind(path: Path, system: System) -> str:
    found = system.stat(path)
    return "a folder" if found.folder else "a pipe, a link or a device" if found.other else "a file"
