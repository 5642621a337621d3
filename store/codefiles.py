"""What was read of a repository's files for searching, in checksummed pieces on disk; derived, like all of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import derived, notes
from .codewords import FIELDS, Bag, Vocabulary
from .durable import SYSTEM, read

#: Raised when what is kept of a file is made in another way.
FORM = 2
MANIFEST, COMMITS = "manifest.json", "commits.json"
#: The notes, and the fields that each has.
NOTES = {MANIFEST: {"schema", "form", "encoder", "pieces"}, COMMITS: {"schema", "form", "head", "commits"}}
PREFIX = "piece-"
#: Vectors are kept in 8 bits: a cosine is off by less than a hundredth.
SCALE = 127.0
Rows = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Place:
    """One thing that can be found: what and where it is, and how many windows of lines were embedded of it."""

    kind: str
    name: str
    first: int
    last: int
    windows: int


@dataclass(frozen=True)
class FileEntry:
    """All that is kept of one file. `rows`: one of its path, then for each place one of its name, one of all of it
    and one of each window.
    """

    path: str
    blob: str
    places: tuple[Place, ...]
    bags: tuple[Bag, ...]
    rows: Rows
    passed: str = ""  # why nothing was read of it

    @property
    def key(self) -> str:
        """What it was made of: the same file with the same content need not be read again."""
        return f"{self.blob} {self.path}"


def keep(folder: Path, entries: Sequence[FileEntry], vocabulary: Vocabulary) -> tuple[str, str]:
    """Write a piece; its name and SHA-256."""
    bags = [bag for each in entries for bag in each.bags]
    words = np.concatenate([bag.words for bag in bags] or [np.zeros(0, np.int32)])
    used, local = np.unique(words, return_inverse=True)
    head = {
        "words": [vocabulary.words[number] for number in used],
        "files": [
            [
                each.path,
                each.blob,
                len(each.rows),
                [[p.kind, p.name, p.first, p.last, p.windows] for p in each.places],
                [len(bag.words) for bag in each.bags],
                each.passed,
            ]
            for each in entries
        ],
    }
    counts = np.concatenate([bag.counts for bag in bags] or [np.zeros((0, len(FIELDS)), np.uint16)])
    rows = np.concatenate([each.rows for each in entries])
    data = json.dumps(head).encode() + b"\n" + local.astype("<i4").tobytes()
    data += counts.astype("<u2").tobytes() + rows.tobytes()
    digest = hashlib.sha256(data).hexdigest()
    name = f"{PREFIX}{digest[:16]}.bin"
    derived.replace(folder / name, data)
    return name, digest


def take(path: Path, digest: str, width: int, vocabulary: Vocabulary) -> list[FileEntry] | None:
    """What `keep` wrote; None where it is not exactly that."""
    try:
        data = read(SYSTEM, path)
    except OSError:
        return None
    if hashlib.sha256(data).hexdigest() != digest:
        return None
    head, _, body = data.partition(b"\n")
    said = json.loads(head)
    known = np.array([vocabulary.number(word) for word in said["words"]], np.int32)
    sizes = [size for each in said["files"] for size in each[4]]
    many = sum(sizes)
    words = known[np.frombuffer(body, "<i4", many)] if many else np.zeros(0, np.int32)
    counts = np.frombuffer(body, "<u2", many * len(FIELDS), 4 * many).reshape(-1, len(FIELDS))
    rows = np.frombuffer(body, np.int8, offset=many * (4 + 2 * len(FIELDS))).reshape(-1, width)
    out, at, row = [], 0, 0
    for file, blob, height, places, lengths, passed in said["files"]:
        bags = []
        for length in lengths:
            bags.append(Bag(words[at : at + length], counts[at : at + length].astype(np.uint16, copy=False)))
            at += length
        found = tuple(Place(*each) for each in places)
        out.append(FileEntry(file, blob, found, tuple(bags), rows[row : row + height], passed))
        row += height
    return out


def read_manifest(folder: Path, encoder: str) -> Mapping[str, str]:
    """The pieces and their SHA-256, as far as this version and this encoder can use them."""
    try:
        said = notes.read(read(SYSTEM, folder / MANIFEST)) or {}
    except OSError:
        return {}
    if said.get("form") != FORM or said.get("encoder") != encoder:
        return {}
    pieces = said.get("pieces")
    if not isinstance(pieces, dict):
        return {}
    return {
        name: digest
        for name, digest in pieces.items()
        if isinstance(digest, str) and name.startswith(PREFIX) and "/" not in name
    }


def write_manifest(folder: Path, encoder: str, pieces: Mapping[str, str]) -> None:
    """Say what there is, and remove what is not said."""
    said = {"schema": 1, "form": FORM, "encoder": encoder, "pieces": dict(pieces)}
    derived.replace(folder / MANIFEST, notes.write(said))
    for path in folder.glob(f"{PREFIX}*"):
        if path.name not in pieces:
            path.unlink(missing_ok=True)


def faults(folder: Path) -> list[tuple[str, str]]:
    """The files in a folder that are not what was written, each with what is wrong. One that is gone is none."""
    lost = []
    said: dict[str, dict[str, Any] | None] = {}
    for name, fields in NOTES.items():
        path = folder / name
        said[name] = notes.read(path.read_bytes()) if path.is_file() else {}
        found = said[name]
        if found is None or (found.keys() - fields and found.get("form") == FORM):
            lost.append((name, "its checksum does not fit"))
    pieces = (said[MANIFEST] or {}).get("pieces")
    for name, digest in pieces.items() if isinstance(pieces, dict) and not lost else ():
        path = folder / name
        if name.startswith(PREFIX) and "/" not in name and path.is_file() and derived.sha256(path) != digest:
            lost.append((name, "is not what the manifest says"))
    return lost


def packed(rows: npt.NDArray[np.float32]) -> Rows:
    """Rows of length 1 in 8 bits."""
    return np.asarray(np.clip(np.rint(np.nan_to_num(rows) * SCALE), -127, 127), np.int8)


def cosines(rows: Iterable[Rows], asked: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The cosine of each of the rows with each column of `asked` (width, n)."""
    parts = [np.asarray(block, np.float32) @ asked for block in rows]
    found = np.concatenate(parts or [np.zeros((0, asked.shape[1]), np.float32)])
    return np.asarray(found / SCALE, np.float32)
