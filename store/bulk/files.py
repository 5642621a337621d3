"""The files of a bulk, and the manifest that says what they are; docs/format.md tells it to other programs.

Whatever is read as a whole has its CRC-32C in the manifest; entries and rows are read one by one, and have their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import numpy.typing as npt

from .. import derived, edits, notes
from ..durable import SYSTEM, read
from ..secret_rules import TOKENS
from .entries import EVIDENCE, FIELDS, from_bytes

FOLDER = "bulk"
MANIFEST = "bulk.json"
#: Raised when the files are laid down in another way, or what may be shown of a memory is another.
FORM = 2
ENTRIES, ROWS, COLUMNS, WORDS, GRAPH, NEAR = (
    "entries.bin", "rows.bin", "columns.bin", "words.bin", "graph.sqlite", "near.voyager",
)  # fmt: skip
#: What is told of each memory without reading its entry. `id` is cut to its first eight bytes, `made` is of what
#: the item was made (see `late.fingerprint`), `end` is where its entry ends, `edit` what it changed (see
#: `edits.edit_key`), `placed` whether it names a path.
COLUMN = np.dtype([
    ("id", "<u8"), ("rest", "<u8"), ("made", "<u8"), ("end", "<u8"), ("edit", "<u8"),
    ("language", "u1"), ("placed", "?"),
])  # fmt: skip
Columns = npt.NDArray[np.void]


@dataclass
class Manifest:
    """What the files are: `files` gives the size and CRC-32C of those that are read as a whole, `sizes` of the others.

    `mark` is where the journal stood (see `marks`), `languages` are those that the columns number.
    """

    encoder: str
    width: int
    count: int
    mark: Mapping[str, Any]
    languages: list[str] = field(default_factory=list)
    files: dict[str, tuple[int, int]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Put it in place, whole or not at all. Raises `OSError`."""
        derived.replace(
            folder / MANIFEST, notes.write({"schema": 1, "form": FORM, "by": maker(), **vars(self)})
        )


def maker() -> str:
    """By what code it was laid down: another version may see other secrets, or keep other fields."""
    return hashlib.sha256(
        repr((FORM, edits.FORM, COLUMN.descr, TOKENS, FIELDS, EVIDENCE)).encode()
    ).hexdigest()[:16]


def read_manifest(folder: Path) -> Manifest | str:
    """The manifest, or why there is none that can be used; empty where there is none at all."""
    try:
        said = notes.read(read(SYSTEM, folder / MANIFEST))
    except OSError:
        return ""
    if said is None:
        return "its manifest was damaged"
    if said.get("schema") != 1 or said.get("form") != FORM or said.get("by") != maker():
        return derived.OTHER_VERSION
    try:
        return Manifest(
            str(said["encoder"]),
            int(said["width"]),
            int(said["count"]),
            dict(said["mark"]),
            [str(each) for each in said["languages"]],
            {str(name): (int(size), int(crc)) for name, (size, crc) in said["files"].items()},
            {str(name): int(size) for name, size in said["sizes"].items()},
        )
    except (KeyError, TypeError, ValueError):
        return "its manifest was damaged"


def whole(folder: Path, name: str, manifest: Manifest) -> bytes | None:
    """A file that is exactly what the manifest says; None for any other."""
    size, crc = manifest.files.get(name, (-1, 0))
    try:
        data = read(SYSTEM, folder / name)
    except OSError:
        return None
    return data if len(data) == size and google_crc32c.value(data) == crc else None


def measured(path: Path) -> tuple[int, int]:
    """The size of a file and its CRC-32C. Raises `OSError`."""
    crc = size = 0
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            crc = google_crc32c.extend(crc, block)
            size += len(block)
    return size, crc


def faults(folder: Path) -> list[tuple[str, str]]:
    """The files that are not what was laid down, each with what is wrong; nothing where there are none."""
    found = read_manifest(folder)
    if isinstance(found, str):
        damaged = "damaged" in found
        return [(MANIFEST, "its checksum does not fit")] if damaged else []
    wrong = [name for name, said in found.files.items() if _measured(folder / name) != said]
    if COLUMNS not in wrong and not _entries_fit(folder, found):
        wrong.append(ENTRIES)
    if not _rows_fit(folder, found):
        wrong.append(ROWS)
    return [(name, "is not what was laid down") for name in wrong]


def _measured(path: Path) -> tuple[int, int]:
    try:
        return measured(path)
    except OSError:
        return (-1, 0)


def _entries_fit(folder: Path, manifest: Manifest) -> bool:
    start = 0
    try:
        with (folder / ENTRIES).open("rb") as file:
            for end in np.fromfile(folder / COLUMNS, COLUMN)["end"].tolist():
                if from_bytes(file.read(end - start)) is None:
                    return False
                start = end
    except OSError:
        return False
    return start == manifest.sizes.get(ENTRIES)


def _rows_fit(folder: Path, manifest: Manifest) -> bool:
    size = row_type(manifest.width).itemsize
    try:
        with (folder / ROWS).open("rb") as file:
            for _ in range(manifest.count):
                part = file.read(size)
                if len(part) != size or not row_fits(part):
                    return False
            return not file.read(1)
    except OSError:
        return False


def row_fits(part: bytes) -> bool:
    """Whether a row is what was laid down."""
    return bool(google_crc32c.value(part[:-4]) == int.from_bytes(part[-4:], "little"))


def stamps(folder: Path) -> Mapping[str, tuple[int, int, int]]:
    """What changes when somebody else writes or removes one of the files."""
    return derived.stamps(folder, [MANIFEST, ENTRIES, ROWS, COLUMNS, WORDS, GRAPH, NEAR])


def row_type(width: int) -> np.dtype[np.void]:
    """The rows of one memory, of its code and of its text: 8 bits, to be multiplied by the scale; 0 for none."""
    return np.dtype([("scale", "<f4", (2,)), ("row", "i1", (2, width)), ("crc", "<u4")])
