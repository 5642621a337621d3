"""Laying the bulk down: one pass over the memories in pieces, then the graph of their neighbours."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np

from ..edits import edit_key
from ..graph import SqliteGraph, edges
from ..items import Item
from ..near import VoyagerGraph
from ..pieces import Piece, merged, piece_of
from ..protocols import Encoder, Floats
from ..record import is_memory_id
from . import files
from .entries import to_bytes
from .files import COLUMN, ENTRIES, GRAPH, NEAR, ROWS, WORDS, Manifest, row_type

#: So many memories are taken at a time; the words of so many pieces are merged at a time.
PIECE, MERGED = 4_096, 32
#: From this many rows on a graph of neighbours is worth its build; fewer are searched exactly.
LARGE = 8_000
LINKS, CONSTRUCTION = 16, 200
#: Half of the cores, two at least where there are two: somebody works at this machine, and goes first.
THREADS = max(min(2, os.cpu_count() or 1), (os.cpu_count() or 1) // 2)

Progress = Callable[[str, int], None]


def lay(
    folder: Path,
    encoder: Encoder,
    given: Iterable[tuple[Item, int]],
    mark: Mapping[str, Any],
    *,
    large: int = LARGE,
    progress: Progress = lambda _what, _done: None,
) -> int:
    """Lay `given` down in `folder`, each with the number that says what it was made of; how many there are.

    First without the graph of neighbours, then with it: what is there can be asked meanwhile. Memories whose id is not
    of 32 hex digits are passed over. One at a time: whoever calls holds a lock. Raises `OSError`; what was there before
    stays then.
    """
    new = folder.with_name(f"{folder.name}.{os.getpid()}.new")
    for left in (*folder.parent.glob(f"{folder.name}.*.new"), *folder.parent.glob(f"{folder.name}.*.old")):
        shutil.rmtree(left, ignore_errors=True)  # of one that was killed
    new.mkdir(mode=0o700, parents=True)
    try:
        manifest = _written(new, encoder, given, mark, progress)
        manifest.write(new)
        rows = np.fromfile(new / ROWS, row_type(encoder.width))
        _put_in_place(new, folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    if int((rows["scale"] > 0).sum()) >= large:
        _graph(folder, manifest, rows, progress)
    return manifest.count


def _written(
    new: Path,
    encoder: Encoder,
    given: Iterable[tuple[Item, int]],
    mark: Mapping[str, Any],
    progress: Progress,
) -> Manifest:
    languages: dict[str, int] = {"": 0}
    columns, pieces, end = [], [], 0
    kind = row_type(encoder.width)
    graph = SqliteGraph(new / GRAPH)
    rest = (pair for pair in given if is_memory_id(pair[0].id))
    count = 0
    with (new / ENTRIES).open("wb") as entries, (new / ROWS).open("wb") as rows:
        while batch := list(islice(rest, PIECE)):
            table = np.zeros(len(batch), COLUMN)
            for at, (item, made) in enumerate(batch):
                entry = to_bytes(item)
                entries.write(entry)
                end += len(entry)
                table[at] = (
                    int(item.id[:16], 16),
                    int(item.id[16:], 16),
                    made,
                    end,
                    edit_key(item),
                    min(255, languages.setdefault(item.language, len(languages))),
                    bool(item.path) or any(each.path for each in item.evidence),
                )
            columns.append(table)
            items = [item for item, _ in batch]
            _rows(encoder, items, kind).tofile(rows)
            pieces.append(_keyless(piece_of((item.id, item.words) for item in items)))
            if len(pieces) == MERGED:
                pieces = [_joined(pieces)]
            graph.link(edge for item in items for edge in edges(item))
            count += len(batch)
            progress("memories", count)
    graph.close()
    _whole(new / files.COLUMNS, np.concatenate(columns).tobytes() if columns else b"")
    _whole(new / WORDS, _words(_joined(pieces)))
    named = list(languages)[:256]
    sizes = {name: (new / name).stat().st_size for name in (ENTRIES, ROWS)}
    checked = {name: files.measured(new / name) for name in (files.COLUMNS, WORDS, GRAPH)}
    return Manifest(encoder.name, encoder.width, count, mark, named, checked, sizes)


def _rows(encoder: Encoder, items: list[Item], kind: np.dtype[np.void]) -> np.ndarray[Any, np.dtype[np.void]]:
    out = np.zeros(len(items), kind)
    texts = ([item.code for item in items], [f"{item.title}\n{item.text}" for item in items])
    for side, how in enumerate(("code", "query")):
        filled = [at for at, text in enumerate(texts[side]) if text.strip()]
        if filled:
            rows = np.nan_to_num(encoder.encode([texts[side][at] for at in filled], kind=how))
            scale = np.abs(rows).max(axis=1) / 127
            safe = np.where(scale > 0, scale, 1)
            out["scale"][filled, side] = scale
            out["row"][filled, side] = np.rint(rows / safe[:, None]).astype(np.int8)
    body = out.view(np.uint8).reshape(len(items), kind.itemsize)[:, :-4]
    out["crc"] = [google_crc32c.value(each.tobytes()) for each in body]
    return out


def _keyless(piece: Piece) -> Piece:
    # A text's number says which it is; no key is kept.
    return Piece(
        [""] * len(piece.lengths), piece.lengths, piece.words, piece.starts, piece.texts, piece.times
    )


def _joined(pieces: list[Piece]) -> Piece:
    if not pieces:
        return piece_of(())
    return merged([(each, np.ones(len(each.lengths), np.bool_)) for each in pieces])


def _words(piece: Piece) -> bytes:
    """How many words and texts; the words, one a line; starts, texts, lengths and times, from a multiple of 4 on."""
    names = "\n".join(piece.words).encode("utf-8", "surrogatepass")
    head = json.dumps([len(piece.words), len(piece.lengths), len(names)]).encode()
    head += b" " * (-(len(head) + len(names) + 2) % 4)
    arrays = (
        piece.starts.astype("<u4"),
        piece.texts.astype("<u4"),
        piece.lengths.astype("<u2"),
        piece.times,
    )
    return b"\n".join((head, names, b"".join(each.tobytes() for each in arrays)))


def _whole(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _put_in_place(new: Path, folder: Path) -> None:
    """One folder in place of another: between the two steps there is none, and the next start makes it again."""
    old = folder.with_name(f"{folder.name}.{os.getpid()}.old")
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _graph(
    folder: Path,
    manifest: Manifest,
    rows: np.ndarray[Any, np.dtype[np.void]],
    progress: Progress,
) -> None:
    """Add the graph of neighbours: of all rows, under twice the memory's number for its code, one more for its text."""
    near = VoyagerGraph(manifest.width, LINKS, CONSTRUCTION, eight=True)
    done = 0
    for numbers, part in _unit_rows(rows):
        near.add(part, numbers, THREADS)
        done += len(numbers)
        progress("neighbours", done)
    temporary = folder / f"{NEAR}.{os.getpid()}.new"
    near.save(temporary)
    manifest.files[NEAR] = files.measured(temporary)
    temporary.replace(folder / NEAR)
    manifest.write(folder)


def _unit_rows(rows: np.ndarray[Any, np.dtype[np.void]]) -> Iterator[tuple[list[int], Floats]]:
    for start in range(0, len(rows), PIECE):
        part = rows[start : start + PIECE]
        memory, side = np.nonzero(part["scale"] > 0)
        floats = part["row"][memory, side].astype(np.float32) * part["scale"][memory, side][:, None]
        yield [int(number) for number in 2 * (start + memory) + side], floats
