"""Where damaged bytes go: kept as they were found, with the reason beside them, never dropped."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from . import notes
from .durable import SYSTEM, System, exists, make_folder, names, read, write_file

FOLDER = "quarantine"
#: How many findings in immutable files one reading copies out: their bytes stay where they are as well.
COPIES = 1000


@dataclass(frozen=True)
class Problem:
    """One thing in the store that is not as it must be; `line` from 1, 0 for the whole file."""

    path: str
    line: int
    reason: str


class Quarantine:
    """Bytes that could not be read, one file each by their hash, and beside it a note of where and why."""

    def __init__(self, store: Path, system: System = SYSTEM) -> None:
        self._store = store
        self._folder = store / FOLDER
        self._system = system
        self._copied: set[str] = set()

    def keep(self, data: bytes, problem: Problem) -> Path:
        """Copy bytes here; fsynced when this returns. The same bytes are kept once. Raises `OSError`."""
        name = hashlib.sha256(data).hexdigest()[:32]
        target = self._folder / f"{name}.bytes"
        if name not in self._copied and not self._holds(target, data):
            make_folder(self._system, self._folder, self._store)
            write_file(self._system, self._folder / f"{name}.json", note_of(problem, len(data)))
            write_file(self._system, target, data)
        self._copied.add(name)
        return target

    def note(self, data: bytes, problem: Problem) -> None:
        """Copy bytes here if the disk lets us: while reading, a full or read-only disk must stop nothing."""
        if len(self._copied) < COPIES:
            with contextlib.suppress(OSError):
                self.keep(data, problem)

    def contents(self) -> list[tuple[Path, Problem]]:
        """What is in quarantine: the bytes' file, and what was wrong with it."""
        found = []
        for name in names(self._system, self._folder):
            if name.endswith((".bytes", ".moved")):
                target = self._folder / name
                found.append((target, self._why(target.with_suffix(".json"))))
        return found

    def faults(self) -> list[Problem]:
        """What here is not as it was put here: bytes and notes that do not fit their checksum. Changes nothing."""
        found = []
        for name in names(self._system, self._folder):
            path = self._folder / name
            try:
                if name.endswith(".json"):
                    if _read_note(read(self._system, path)) is None:
                        found.append(Problem(f"{FOLDER}/{name}", 0, "its checksum does not fit"))
                    continue
                if not name.endswith((".bytes", ".moved")):
                    continue
                status = self._system.stat(path)
                if status.folder or status.other:
                    if name.endswith(".bytes") or self._hash_of_moved(path):
                        found.append(Problem(f"{FOLDER}/{name}", 0, "is no file, and a file was put there"))
                    continue
                hashed = hashlib.sha256(read(self._system, path)).hexdigest()
                expected = name[:-6] if name.endswith(".bytes") else self._hash_of_moved(path)
                if expected and not hashed.startswith(expected):
                    found.append(Problem(f"{FOLDER}/{name}", 0, "its content is not what was put there"))
            except OSError as error:
                found.append(Problem(f"{FOLDER}/{name}", 0, f"cannot be read: {error.strerror}"))
        return found

    def _hash_of_moved(self, path: Path) -> str:
        """The SHA-256 of a file that was moved here; empty where its note has none."""
        try:
            note = _read_note(read(self._system, path.with_suffix(".json")))
        except OSError:
            return ""
        return str((note or {}).get("sha256", ""))

    def _holds(self, target: Path, data: bytes) -> bool:
        return exists(self._system, target) and read(self._system, target) == data

    def _why(self, note: Path) -> Problem:
        try:
            said = json.loads(read(self._system, note))
            return Problem(str(said["path"]), int(said["line"]), str(said["reason"]))
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return Problem(note.name, 0, "its note is lost")


def note_of(problem: Problem, size: int, sha256: str = "") -> bytes:
    """The note that stands beside bytes: where they were, what was wrong with them, and its own checksum."""
    note = {"path": problem.path, "line": problem.line, "reason": problem.reason, "bytes": size}
    return notes.write({**note, "sha256": sha256} if sha256 else note) + b"\n"


def _read_note(data: bytes) -> dict[str, object] | None:
    """What a note says; None when it is damaged."""
    note = notes.read(data)
    must = {"path", "line", "reason"}
    return note if note is not None and must <= note.keys() <= {*must, "bytes", "sha256"} else None
