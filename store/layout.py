"""The store's folder: what lies in it, its format, its writer's id, and where its clock stands."""

from __future__ import annotations

import errno
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..repo.errors import DamagedError, PlaceError
from . import quarantine, segments, wal
from .durable import SYSTEM, System, exists, make_folder, read, refused, retry, sync_folder, write_file
from .lock import writer_lock
from .record import NotCanonicalError, canonical, crc

FORMAT = 1
FORMAT_FILE = "format.json"
BASELINE = "baseline.json"
CODE_GRAPH = "graph-code.sqlite"  # in index/: the graph of the code
CODE = "code"  # in index/: what was read of the repository's files for searching
CODE_NOTE = "graph-code.json"  # its SHA-256, and of which tree it is
TREES = "trees"  # in index/: the same of each linked work tree, in a folder of its git folder's name
WRITER = "writer"
CLOCK = "clock"
FOLDERS = (wal.FOLDER, segments.SHARED, segments.PRIVATE, quarantine.FOLDER, "spool", "index")

#: What reading says of a folder, a pipe or a link in a file's place.
NO_FILE = frozenset({errno.EISDIR, errno.EINVAL, errno.ELOOP, errno.ENXIO})

_HEX32 = re.compile(r"[0-9a-f]{32}\Z")


def _checked(said: Mapping[str, object]) -> bytes:
    """The line of a small file, with a checksum: a flipped bit must not pass for a newer format or for a time."""
    whole: dict[str, object] = {**said, "crc": crc(canonical(said))}
    return canonical(whole) + b"\n"


FORMAT_BYTES = _checked({"format": FORMAT})


class NewerStoreError(PlaceError):
    """The store was written by a newer version: it can be read as far as it is known, and not written."""


@dataclass(frozen=True)
class Clock:
    """The largest time (ms) seen in sealed segments, and the largest number that this writer, `w`, gave there."""

    t: int
    n: int
    w: str = ""  # empty in a note of an earlier version


def create(store: Path, system: System = SYSTEM) -> None:
    """Lay down a store: its folders (mode 0700), its format, its writer's id. What is there stays.

    Raises `NotWrittenError`, or `PlaceError` when the folder above it is missing.
    """
    if not exists(system, store.parent):
        raise PlaceError(f"there is no folder {store.parent}", "Name a git repository.")
    try:
        make_folder(system, store, store)
        sync_folder(system, store.parent)
        with writer_lock(store, system=system):
            for name in FOLDERS:
                make_folder(system, store / name, store)
            if not exists(system, store / FORMAT_FILE):
                write_file(system, store / FORMAT_FILE, FORMAT_BYTES)
            new = "" if exists(system, store / WRITER) else secrets.token_hex(16)
            clock = read_clock(store, system)
            if clock is None and not exists(system, store / CLOCK):
                clock = None if segments.Shelf(store, system).listing() else Clock(0, 0)
                if clock is not None and not new:
                    write_clock(store, clock, system)
            # The writer's id comes last: it is what says that the store is whole.
            if new:
                if clock is not None:
                    write_clock(store, Clock(clock.t, 0, new), system)
                write_file(system, store / WRITER, new.encode() + b"\n")
            sync_folder(system, store)
    except OSError as error:
        raise refused(error, store) from error


def read_writer(store: Path, system: System = SYSTEM) -> str:
    """The id of this clone. Raises `PlaceError` where there is none, `DamagedError` when it is none."""
    try:
        said = read(system, store / WRITER).decode("ascii", "replace").strip()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PlaceError(f"{store} is not a store: {error.strerror}", "Run `cortex init` first.") from error
    except OSError as error:
        if error.errno in NO_FILE:
            raise DamagedError(f"{store / WRITER} is no file", "Run `cortex doctor --repair`.") from error
        raise PlaceError(
            f"{store / WRITER} cannot be read: {error.strerror}", "Check who owns it, and its mode."
        ) from error
    if not _HEX32.match(said):
        raise DamagedError(f"{store / WRITER} holds no writer id", "Run `cortex doctor --repair`.")
    return said


def is_writer(text: str) -> bool:
    """Whether a text has the form of a writer's id."""
    return _HEX32.match(text) is not None


def format_of(data: bytes) -> int:
    """The number in a `format.json`; a checksum may stand there or not. Raises `DamagedError`."""
    said = _said(data)
    number = said.get("format") if said is not None else None
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise DamagedError("format.json holds no format number", "Run `cortex doctor --repair`.")
    return number


def check_format(store: Path, system: System = SYSTEM) -> None:
    """Raise `NewerStoreError` when a newer version wrote this store, `DamagedError` when nobody can say."""
    try:
        number = format_of(read(system, store / FORMAT_FILE))
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno in NO_FILE:
            raise DamagedError(
                f"{store / FORMAT_FILE} is no file", "Run `cortex doctor --repair`."
            ) from error
        raise refused(error, store / FORMAT_FILE) from error
    if number > FORMAT:
        raise NewerStoreError(
            f"the store {store} has format {number}, and this version of Cortex writes format {FORMAT}",
            "Update Cortex: what is stored can be read meanwhile, and nothing is changed.",
        )


def read_clock(store: Path, system: System = SYSTEM) -> Clock | None:
    """Where the sealed segments ended; None when that has to be found out from the segments themselves."""
    try:
        said = _said(read(system, store / CLOCK))
    except OSError:
        return None
    if said is None or "crc" not in said:
        return None
    t, n, w = said.get("t"), said.get("n"), said.get("w", "")
    if type(t) is not int or type(n) is not int or t < 0 or n < 0:
        return None
    return Clock(t, n, w if isinstance(w, str) and _HEX32.match(w) else "")


def _said(data: bytes) -> dict[str, object] | None:
    """What a small file says; None when that is no object, or its checksum does not fit."""
    try:
        said = json.loads(data)
        if not isinstance(said, dict):
            return None
        rest = {key: each for key, each in said.items() if key != "crc"}
        return said if "crc" not in said or said["crc"] == crc(canonical(rest)) else None
    except (ValueError, RecursionError, NotCanonicalError):
        return None


def forget_clock(store: Path, system: System = SYSTEM) -> None:
    """Have the next append find out where the clock stands from the records. Raises `OSError`."""
    if exists(system, store / CLOCK):
        retry(lambda: system.unlink(store / CLOCK))
        sync_folder(system, store)


def write_clock(store: Path, clock: Clock, system: System = SYSTEM) -> None:
    """Note where the sealed segments end. Raises `OSError`."""
    said: dict[str, object] = {"n": clock.n, "t": clock.t}
    write_file(system, store / CLOCK, _checked({**said, "w": clock.w} if clock.w else said))
