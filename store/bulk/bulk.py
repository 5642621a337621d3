"""The bulk of memories as it is asked: by number, from 0 in the order in which they were laid down."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...repo.errors import DamagedError
from ..graph import SqliteGraph
from ..items import Item
from ..near import VoyagerGraph
from ..pieces import Mask, Numbers, Piece
from ..protocols import Encoder, Floats
from ..record import is_memory_id
from ..scoring import Scorer
from ..vectors import FILTERS
from ..words import query_terms
from . import files
from .entries import from_bytes
from .files import COLUMN, COLUMNS, ENTRIES, GRAPH, NEAR, ROWS, WORDS, Columns, row_fits, row_type
from .laying import CONSTRUCTION, LINKS

#: So many items are kept as objects, those asked for last.
KEPT = 8_192
#: The graph of neighbours looks at so many rows at least, and at twice as many among more than `ALL` memories. Of what
#: a filter leaves so many are searched exactly, unless the graph has to give no more than `EASY` for enough to pass;
#: where there are more, it gives at most `MOST`.
SEARCH, EXACT, EASY, MOST = 300, 20_000, 2_000, 8_000
#: While there is no graph all rows are searched, up to so many memories.
ALL = 150_000
WIDENED = 8_192


class DamagedBulk(DamagedError):  # noqa: N818 - the name says what it is
    """A file of the bulk is not what was laid down: it has to be let go of."""


class Bulk:
    """What was laid down in `folder`. Nothing here changes but `alive`: the numbers that still count.

    Raises `DamagedBulk` from any question whose answer would be of damaged bytes.
    """

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        """Read what is read as a whole. Raises `DamagedBulk`, with an empty message where there is none."""
        found = files.read_manifest(folder)
        if isinstance(found, str):
            raise DamagedBulk(found)
        if (found.encoder, found.width) != (encoder.name, encoder.width):
            raise DamagedBulk(f"{found.encoder} had made it, now {encoder.name} does")
        self.folder = folder
        self.manifest = found
        self.stamps = files.stamps(folder)
        self.columns: Columns = np.frombuffer(self._whole(COLUMNS), COLUMN)
        if len(self.columns) != found.count or any(
            (folder / name).stat().st_size != size
            for name, size in found.sizes.items()
            if (folder / name).exists()
        ):
            raise DamagedBulk("its files do not fit together")
        self._order = np.argsort(self.columns["id"], kind="stable").astype(np.uint32)
        self._ids = self.columns["id"][self._order]
        self._scorer = Scorer()
        self._scorer.pieces = [_piece(self._whole(WORDS))]
        self._scorer.alive = np.ones(found.count, np.bool_)
        self._scorer.measure()
        if not (folder / GRAPH).is_file():
            raise DamagedBulk(f"{GRAPH} was missing")
        self._edges = SqliteGraph(folder / GRAPH, settled=True)
        self._entries = os.open(folder / ENTRIES, os.O_RDONLY)
        self._rows = os.open(folder / ROWS, os.O_RDONLY)
        self._kind = row_type(found.width)
        self._kept: OrderedDict[int, Item] = OrderedDict()
        self._read: dict[int, bytes] = {}  # rows of the question that is answered now
        self._filters: dict[tuple[frozenset[str], str], Mask] = {}
        self._near: VoyagerGraph | None = None
        self._fault = ""
        self._loading = threading.Thread(target=self._load, name="neighbours", daemon=True)
        self._loading.start()

    def __len__(self) -> int:
        """How many memories count."""
        return len(self.columns) - self._scorer.dead

    @property
    def graph(self) -> SqliteGraph:
        """What ties the memories to files, symbols and commits, and to each other."""
        self._check()
        return self._edges

    @property
    def alive(self) -> Mask:
        """Which numbers count."""
        return self._scorer.alive

    def stand(self, alive: Mask) -> None:
        """Only these memories count: the others were deleted, or there is a newer version of them elsewhere."""
        self._scorer.alive, self._scorer.dead = alive, int(len(alive) - np.count_nonzero(alive))
        self._filters.clear()

    @property
    def unseen(self) -> int:
        """How many memories no search by vectors looks at yet: the graph of neighbours is being read, or made."""
        return len(self) if self._graph() is None and len(self.columns) > ALL else 0

    def changed(self) -> bool:
        """Whether somebody wrote or removed one of the files since it was opened."""
        return files.stamps(self.folder) != self.stamps

    def close(self) -> None:
        """Let go of the files."""
        self._loading.join()
        self._edges.close()
        for fd in (self._entries, self._rows):
            os.close(fd)

    # By number

    def numbers(self, ids: Sequence[str]) -> npt.NDArray[np.int64]:
        """The number of each memory id; -1 for one that is not there."""
        named = [is_memory_id(m) for m in ids]
        halves = [
            (int(m[:16], 16), int(m[16:], 16)) if fits else (0, 0) for m, fits in zip(ids, named, strict=True)
        ]
        wanted = np.array(halves, np.uint64).reshape(-1, 2)
        out = np.full(len(ids), -1, np.int64)
        at = np.searchsorted(self._ids, wanted[:, 0])
        left = np.flatnonzero(named)
        while len(left):  # ids that begin alike are next to each other: hardly ever two
            left = left[at[left] < len(self._ids)]
            left = left[self._ids[at[left]] == wanted[left, 0]]
            found = self._order[at[left]]
            fits = self.columns["rest"][found] == wanted[left, 1]
            out[left[fits]] = found[fits]
            left = left[~fits]
            at[left] += 1
        return out

    def ids(self, numbers: Sequence[int] | Numbers) -> list[str]:
        """The memory ids of numbers."""
        at = np.asarray(numbers, np.int64)
        halves = np.empty((len(at), 2), ">u8")
        halves[:, 0], halves[:, 1] = self.columns["id"][at], self.columns["rest"][at]
        text = halves.tobytes().hex()
        return [text[start : start + 32] for start in range(0, len(text), 32)]

    def item(self, number: int) -> Item:
        """One memory, read where it is not kept."""
        kept = self._kept.get(number)
        if kept is not None:
            self._kept.move_to_end(number)
            return kept
        start = int(self.columns["end"][number - 1]) if number else 0
        data = os.pread(self._entries, int(self.columns["end"][number]) - start, start)
        item = from_bytes(data) if data else None
        if item is None:
            raise DamagedBulk(f"{ENTRIES} was damaged")
        self._kept[number] = item
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return item

    def similarities(self, row: Floats, numbers: Sequence[int]) -> tuple[Floats, Floats]:
        """The cosines of a row with the code and with the text of each; 0 where it has none."""
        held = np.frombuffer(b"".join(map(self._row, numbers)), self._kind)
        both = (held["row"].astype(np.float32) @ row) * held["scale"]
        return np.asarray(both[:, 0], np.float32), np.asarray(both[:, 1], np.float32)

    def _row(self, number: int) -> bytes:
        """The rows of one memory; what one question asks for is read once."""
        part = self._read.get(number)
        if part is None:
            size = self._kind.itemsize
            part = os.pread(self._rows, size, number * size)
            if len(part) != size or not row_fits(part):
                raise DamagedBulk(f"{ROWS} was damaged")
            self._read[number] = part
        return part

    # Searching

    def vectors(self, row: Floats, k: int, mask: Mask | None = None) -> list[tuple[int, float]]:
        """About the `k` memories whose code or text is nearest, and that cosine, best first; of `mask` alone, if given.

        A narrow filter is searched exactly, since the graph would lose most of what it leaves.
        """
        if k <= 0 or not len(self.columns):
            return []
        self._read.clear()
        alive = self.alive if mask is None else mask & self.alive
        near, left = self._graph(), len(self) if mask is None else int(np.count_nonzero(alive))
        if near is None and len(self.columns) > ALL and left > EXACT:
            return []
        # Each memory may come twice, and some that come are filtered.
        wanted = int((k + k // 2 + 8) * len(self.columns) / max(1, left))
        if near is None or (wanted > EASY and left <= EXACT):
            return self._exact(row, k, np.flatnonzero(alive))
        search = SEARCH if len(self.columns) <= ALL else 2 * SEARCH
        found = dict.fromkeys(number // 2 for number, _ in near.query(row, min(MOST, wanted), search))
        numbers = np.fromiter((number for number in found if alive[number]), np.int64)
        return self._ranked(numbers, np.maximum(*self.similarities(row, numbers.tolist())), k)

    def words(self, query: str, k: int, mask: Mask | None = None) -> list[tuple[int, float]]:
        """The `k` memories that hold words of the query, and their BM25 score, best first."""
        self._check()
        wanted = query_terms(query)
        if not wanted or k <= 0:
            return []
        numbers, scores = self._scorer.best(wanted, k, None if mask is None else mask & self.alive)
        return self._ranked(numbers.astype(np.int64), scores, k)

    def holding(self, numbers: Sequence[int], groups: Sequence[Collection[str]]) -> Mask:
        """Which of these memories hold a word of which group of stems: (numbers, groups)."""
        return self._scorer.holding(np.asarray(numbers, np.uint32), groups)

    def edits(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
        """What the first edit of each changed, as one number; 0 where it is none."""
        return np.asarray(self.columns["edit"][numbers], np.uint64)

    def languages(self, numbers: npt.NDArray[np.int64]) -> list[str]:
        """The language of each; empty for none."""
        named = self.manifest.languages
        return [
            named[at] if at < 255 else self.item(number).language  # all that came after share a number
            for at, number in zip(self.columns["language"][numbers].tolist(), numbers.tolist(), strict=True)
        ]

    def select(self, languages: Sequence[str], folder: str) -> Mask:
        """Which memories pass a hard filter: see `Selections.select`; kept for the next question."""
        wanted = (frozenset(languages), folder)
        if wanted not in self._filters:
            while len(self._filters) >= FILTERS:
                del self._filters[next(iter(self._filters))]
            self._filters[wanted] = self._selected(*wanted)
        return self._filters[wanted]

    def _selected(self, languages: frozenset[str], folder: str) -> Mask:
        mask = self.alive.copy()
        if languages:
            passing = [at for at, name in enumerate(self.manifest.languages) if not name or name in languages]
            passing += [255] if len(self.manifest.languages) > 255 else []  # all that came after: they pass
            mask &= np.isin(self.columns["language"], passing)
        if folder:
            mask &= self._inside(folder) | ~self.columns["placed"]
        return np.asarray(mask, np.bool_)

    def _inside(self, folder: str) -> Mask:
        """Which memories were seen in a file of this folder."""
        start = f"file:{folder.rstrip('/')}"
        try:
            numbers = self.numbers(self.graph.between("seen_in", f"{start}/", f"{start}0"))
        except sqlite3.Error as error:
            raise DamagedBulk(f"{GRAPH} was damaged") from error
        mask = np.zeros(len(self.columns), np.bool_)
        mask[numbers[numbers >= 0]] = True
        return mask

    def _exact(self, row: Floats, k: int, numbers: npt.NDArray[np.int64]) -> list[tuple[int, float]]:
        best = np.zeros(0, np.float32)
        for start in range(0, len(numbers), WIDENED):
            best = np.concatenate([best, self._product(row, numbers[start : start + WIDENED])])
        return self._ranked(numbers, best, k)

    def _product(self, row: Floats, numbers: npt.NDArray[np.int64]) -> Floats:
        """The better cosine of each, read in one piece where they lie close together."""
        first, last, size = int(numbers[0]), int(numbers[-1]) + 1, self._kind.itemsize
        if last - first > 4 * len(numbers):
            return np.asarray(np.maximum(*self.similarities(row, numbers.tolist())), np.float32)
        data = os.pread(self._rows, (last - first) * size, first * size)
        if len(data) != (last - first) * size:
            raise DamagedBulk(f"{ROWS} was damaged")
        held = np.frombuffer(data, self._kind)[numbers - first]
        both = (held["row"].astype(np.float32) @ row) * held["scale"]
        return np.asarray(np.nan_to_num(both).max(axis=1), np.float32)

    @staticmethod
    def _ranked(numbers: npt.NDArray[np.int64], scores: Floats, k: int) -> list[tuple[int, float]]:
        if k < len(numbers):
            chosen = np.argpartition(-scores, k - 1)[:k]
            numbers, scores = numbers[chosen], scores[chosen]
        order = np.lexsort((numbers, -scores))
        return [(int(numbers[at]), round(float(scores[at]), 6)) for at in order]

    # On disk

    def _whole(self, name: str) -> bytes:
        data = files.whole(self.folder, name, self.manifest)
        if data is None:
            raise DamagedBulk(f"{name} was missing or damaged")
        return data

    def _graph(self) -> VoyagerGraph | None:
        """The graph of neighbours, once it is read."""
        self._check()
        return self._near

    def _check(self) -> None:
        if self._fault:
            raise DamagedBulk(self._fault)

    def _load(self) -> None:
        """Check what is large, beside the questions that words alone can answer, and read the graph of neighbours."""
        try:
            for name in (NEAR, GRAPH):
                if (
                    name in self.manifest.files
                    and files.measured(self.folder / name) != self.manifest.files[name]
                ):
                    self._fault = f"{name} was damaged"
                    return
                if name == NEAR and name in self.manifest.files:
                    near = VoyagerGraph(self.manifest.width, LINKS, CONSTRUCTION, eight=True)
                    near.load(self.folder / NEAR)
                    self._near = near
        except (OSError, RuntimeError) as error:
            self._fault = f"it could not be read ({error})"

    def wait(self) -> None:
        """Until the graph of neighbours is read, if there is one."""
        self._loading.join()


def open_bulk(folder: Path, encoder: Encoder, note: Callable[[str], None]) -> Bulk | None:
    """The bulk of a folder; None where there is none, or none that can be used: `note` is told why."""
    try:
        return Bulk(folder, encoder)
    except DamagedBulk as error:
        if error.message:
            note(f"what was laid down is laid down again: {error.message}")
    except (OSError, sqlite3.Error) as error:
        note(f"what was laid down could not be read ({error})")
    return None


def _piece(data: bytes) -> Piece:
    """The words as `laying` wrote them; their CRC was right."""
    head, _, rest = data.partition(b"\n")
    words, texts, size = json.loads(head)
    names = rest[:size].decode("utf-8", "surrogatepass").split("\n") if words else []
    at = len(head) + size + 2
    starts = np.frombuffer(data, "<u4", words + 1, at)
    count = int(starts[-1])
    found = np.frombuffer(data, "<u4", count, at + 4 * (words + 1))
    at += 4 * (words + 1 + count)
    lengths = np.frombuffer(data, "<u2", texts, at)
    times = np.frombuffer(data, np.uint8, count, at + 2 * texts)
    return Piece([], lengths, {name: number for number, name in enumerate(names)}, starts, found, times)
