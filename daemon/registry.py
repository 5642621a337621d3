"""The list of repositories that the daemon looks after: `repositories.json` in the state folder."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..repo.errors import BusyError, CortexError, PlaceError
from ..repo.files import write_whole
from ..repo.places import Place, find

NAME = "repositories.json"
SCHEMA = 1


@dataclass(frozen=True)
class Entry:
    """One clone: its common git folder, and the work trees of it that were registered."""

    common: Path
    roots: tuple[Path, ...]
    added: int  # ms

    @property
    def name(self) -> Path:
        """What a person calls it: its first work tree, or the bare repository."""
        return self.roots[0] if self.roots else self.common

    @property
    def missing(self) -> bool:
        """Whether the repository is not where it was: moved, deleted, or on a disk that is not mounted."""
        return not self.common.is_dir()

    def place(self) -> Place:
        """The checkout to work in: the first work tree that is still there. Raises `PlaceError`."""
        for root in self.roots:
            with contextlib.suppress(CortexError):
                place = find(root)
                if place.common == self.common:
                    return place
        if self.missing:
            raise PlaceError(
                f"the repository {self.name} is not there any more",
                "Move it back, or run `cortex init` where it is now.",
            )
        return find(self.common)


class Registry:
    """Reads and changes the list; each change is one atomic replacement, under a lock for one alone."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def entries(self) -> list[Entry]:
        """All entries, in the order in which they were added; what cannot be read is left out."""
        try:
            return _entries(json.loads(self.path.read_bytes()))
        except (OSError, ValueError, RecursionError):
            return []

    def stamp(self) -> tuple[int, int, int]:
        """Changes whenever the list does."""
        try:
            found = self.path.stat()
        except OSError:
            return (0, 0, 0)
        return (found.st_ino, found.st_mtime_ns, found.st_size)

    def add(self, place: Place) -> Entry:
        """Enter a checkout; one of a clone that is there already joins its entry."""
        with self._changing() as entries:
            roots = (place.root,) if place.root else ()
            old = entries.get(place.common)
            kept = tuple(root for root in old.roots if root not in roots) if old else ()
            entry = Entry(place.common, (*kept, *roots), old.added if old else time.time_ns() // 1_000_000)
            entries[place.common] = entry
        return entry

    def remove(self, common: Path) -> bool:
        """Take a clone out; False when it was not in."""
        with self._changing() as entries:
            return entries.pop(common, None) is not None

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[Path, Entry]]:
        try:
            descriptor = self._locked()
        except OSError as error:
            raise PlaceError(
                f"{self.path} cannot be written: {error.strerror}",
                "Make its folder writable, or set CORTEX_HOME to one that is.",
            ) from error
        try:
            raw = self.path.read_bytes()
            try:
                before = _entries(json.loads(raw)) if raw else []
            except (ValueError, RecursionError):
                before = []
                aside = self.path.with_suffix(f".damaged-{time.time_ns()}")
                aside.write_bytes(
                    raw
                )  # nothing is thrown away, and the next change starts a list that can be read
            entries = {entry.common: entry for entry in before}
            yield entries
            if list(entries.values()) != before or not raw:
                self._write(entries)
        except OSError as error:
            raise PlaceError(f"{self.path} cannot be written: {error.strerror}") from error
        finally:
            os.close(descriptor)

    def _locked(self) -> int:
        """A lock on the file that has the name now: one that was replaced meanwhile is let go."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        end = time.monotonic() + 5.0
        while time.monotonic() < end:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(descriptor).st_ino == os.stat(self.path).st_ino:
                    return descriptor
            except (BlockingIOError, FileNotFoundError):
                time.sleep(0.01)
            os.close(descriptor)
        raise BusyError(f"{self.path} is in use by another process", "Try again in a moment.")

    def _write(self, entries: Mapping[Path, Entry]) -> None:
        body = {
            "schema": SCHEMA,
            "repositories": [
                {
                    "common": str(entry.common),
                    "roots": [str(root) for root in entry.roots],
                    "added": entry.added,
                }
                for entry in entries.values()
            ],
        }
        write_whole(self.path, json.dumps(body, indent=1).encode("ascii") + b"\n")


def _entries(value: object) -> list[Entry]:
    listed = value.get("repositories") if isinstance(value, dict) else None
    found: dict[Path, Entry] = {}
    for each in listed if isinstance(listed, list) else ():
        if not isinstance(each, dict):
            continue
        common, roots, added = each.get("common"), each.get("roots"), each.get("added")
        if not isinstance(common, str) or not common.startswith("/") or "\0" in common:
            continue
        kept = tuple(
            Path(root)
            for root in (roots if isinstance(roots, list) else ())
            if isinstance(root, str) and root.startswith("/") and "\0" not in root
        )
        found[Path(common)] = Entry(Path(common), kept, added if isinstance(added, int) else 0)
    return list(found.values())
