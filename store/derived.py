"""Files that are derived from the journal: a manifest with their SHA-256, and the rows that were embedded.

Nothing here is the truth. Whatever is missing, or is not what the manifest says, is made again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..repo.files import naming
from . import notes
from .durable import SYSTEM, read
from .layout import CODE_GRAPH, CODE_NOTE
from .protocols import Floats

#: Raised when what is embedded or searched is derived in another way: older files are then made again.
FORM = 2
#: A file that asks for the index to be built anew; the doctor puts it there.
REBUILD = "rebuild"
MANIFEST = "manifest.json"
#: How far learning came, in the past and on the branches; and what stood around our lines in hooks; and
#: where else the last change fits; and what this repository says of rules from elsewhere.
NOTES = {
    "history.json": {"schema", "since", "cursor"},
    "refs.json": {"schema", "known"},
    "hooks.json": {"digests", "times"},
    "sweep.json": {"commit", "places"},
    "noticed.json": {"version", "read", "counted", "time", "kept", "said"},
    "verdicts.json": {"schema", "commit", "t", "verdicts"},
    notes.SCANNED: {"number", "mark"},
    CODE_NOTE: {"schema", "form", "tree", "sha256"},
}
_FIELDS = {"schema", "form", "encoder", "width", "rows", "words", "files", "memories"}
NONE = "there was none"
OTHER_VERSION = "another version had made it"


@dataclass(frozen=True)
class Entry:
    """One memory in a file of rows: its id, the record that it was made from, and which rows it has."""

    id: str
    head: str
    code: bool
    text: bool


@dataclass
class Manifest:
    """What the files should be: name → SHA-256; `rows` and `words` name those of rows and of words, oldest first.

    `memories` is how many were taken in.
    """

    encoder: str
    width: int
    rows: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    memories: int = 0
    words: list[str] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        """Put it in place of the old one, whole or not at all."""
        value = {"schema": 1, "form": FORM, "encoder": self.encoder, "width": self.width}
        there = {"rows": self.rows, "words": self.words, "files": self.files, "memories": self.memories}
        replace(folder / MANIFEST, notes.write({**value, **there}))


def read_manifest(folder: Path) -> Manifest | str:
    """The manifest, or the reason why there is none that this version can use."""
    try:
        value = notes.read(read(SYSTEM, folder / MANIFEST))
    except FileNotFoundError:
        return NONE
    except OSError as error:
        return f"its manifest could not be read ({error})"
    if value is None:
        return "its manifest was damaged"
    if value.get("schema") != 1 or value.get("form") != FORM:
        return OTHER_VERSION
    encoder, width = value.get("encoder"), value.get("width")
    rows, words, files = (value.get(name) for name in ("rows", "words", "files"))
    if not (isinstance(encoder, str) and isinstance(width, int) and all(map(_names, (rows, words, files)))):
        return "its manifest was damaged"
    memories = value.get("memories", 0)
    taken = memories if isinstance(memories, int) else 0
    return Manifest(encoder, width, list(rows or ()), dict(files or {}), taken, list(words or ()))


def faults(folder: Path) -> list[tuple[str, str]]:
    """The files of an index that are not what its manifest says, each with what is wrong; for who holds its lock.

    One that is gone is none: all of this may be deleted at any time. Neither is one that is about to be made anew.
    """
    lost = []
    for name, fields in {**NOTES, MANIFEST: _FIELDS}.items():
        path = folder / name
        said = notes.read(path.read_bytes()) if path.is_file() else {}
        if said is None or (said.keys() - fields and said.get("form", FORM) == FORM):
            lost.append((name, "its checksum does not fit"))
    ready = folder / notes.READY
    if ready.is_file() and notes.unsealed(ready.read_bytes()) is None:
        lost.append((notes.READY, "its checksum does not fit"))
    if (folder / REBUILD).exists():
        return lost
    kept = notes.read((folder / CODE_NOTE).read_bytes()) if (folder / CODE_NOTE).is_file() else None
    if kept and (folder / CODE_GRAPH).exists() and sha256(folder / CODE_GRAPH) != kept.get("sha256"):
        lost.append((CODE_GRAPH, "is not what its note says"))
    found = read_manifest(folder)
    if isinstance(found, str):
        return lost
    return lost + [
        (name, "is not what the manifest says")
        for name, digest in found.files.items()
        if (folder / name).exists() and sha256(folder / name) != digest
    ]


def _names(value: object) -> bool:
    """Whether all names are those of files right here, and all hashes are text."""
    if isinstance(value, dict):
        return all(isinstance(each, str) for each in value.values()) and _names(list(value))
    return isinstance(value, list) and all(isinstance(each, str) and "/" not in each for each in value)


def sha256(path: Path) -> str:
    """The SHA-256 of a file; empty when it cannot be read."""
    digest = hashlib.sha256()
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError:
        return ""
    return digest.hexdigest()


def checked(path: Path, digest: str) -> bytes | None:
    """The bytes of a file whose SHA-256 is `digest`; None where there is no such file."""
    try:
        data = read(SYSTEM, path)
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == digest else None


def replace(path: Path, data: bytes) -> None:
    """Write a file under a temporary name, then put it in place."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    with naming(path):
        temporary.write_bytes(data)
        temporary.replace(path)


def probe(folder: Path) -> None:
    """Raise the `OSError` that a write of some size would meet now."""
    path = folder / "probe.new"
    try:
        with naming(path):
            path.write_bytes(bytes(1 << 20))
    finally:
        path.unlink(missing_ok=True)


def write_rows(folder: Path, entries: Sequence[Entry], rows: Floats) -> tuple[str, str]:
    """Keep embedded rows in a file of their own, named by its content; its name and SHA-256."""
    head = json.dumps([[each.id, each.head, int(each.code), int(each.text)] for each in entries])
    data = head.encode() + b"\n" + np.ascontiguousarray(rows, "<f4").tobytes()
    digest = hashlib.sha256(data).hexdigest()
    name = f"rows-{digest[:16]}.bin"
    replace(folder / name, data)
    return name, digest


def read_rows(path: Path, digest: str, width: int) -> tuple[list[Entry], Floats] | None:
    """What `write_rows` wrote; None when it is not exactly that."""
    data = checked(path, digest)
    if data is None:
        return None
    head, _, body = data.partition(b"\n")
    try:
        entries = [Entry(m, record, bool(code), bool(text)) for m, record, code, text in json.loads(head)]
        rows = np.frombuffer(body, "<f4").reshape(-1, width)
    except (ValueError, TypeError, RecursionError):
        return None
    whole = len(rows) == sum(each.code + each.text for each in entries)
    return (entries, rows.astype(np.float32, copy=False)) if whole else None


def stamps(folder: Path, names: Sequence[str]) -> Mapping[str, tuple[int, int, int]]:
    """What changes when somebody else writes or removes a file: inode, size and time of change."""
    out = {}
    for name in names:
        try:
            state = (folder / name).stat()
        except OSError:
            continue
        out[name] = (state.st_ino, state.st_size, state.st_mtime_ns)
    return out
