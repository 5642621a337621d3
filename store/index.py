"""What makes memories findable: their vectors, words and graph; local, derived, rebuilt when in doubt."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from ..repo.errors import PlaceError
from . import derived
from .derived import Entry, Manifest
from .graph import MemoryGraph, SqliteGraph
from .growing import LARGE, GrowingVectors
from .items import Item, by_id
from .lock import writer_lock
from .protocols import Encoder, Floats
from .vectors import FILTERS
from .words import Fts5Words, MemoryWords

#: A refresh adds at most this many rows to an HNSW graph itself; `catch_up` adds the rest.
AT_ONCE = 256
#: How many texts are embedded at a time, and how many files of rows there may be before they become one.
BATCH = 512
FILES = 32
WORDS, GRAPH = "words.sqlite", "graph.sqlite"

Opened = TypeVar("Opened", Fts5Words, SqliteGraph)


class MemoryIndex:
    """The index of one store, in `folder`; `large` is the number of rows above which HNSW answers.

    Each memory has up to two rows: one of its code, one of its title and text. `notes` says what the last
    refresh had to make again, and why.
    """

    def __init__(self, folder: Path, encoder: Encoder, large: int = LARGE) -> None:
        self.folder = folder
        self.encoder = encoder
        self.notes: list[str] = []
        self._large = large
        self._doubted = False
        self._fresh()

    def _fresh(self) -> None:
        """Empty, in memory, with nothing opened."""
        width = self.encoder.width
        self._manifest = Manifest(self.encoder.name, width)
        self._stamps: Mapping[str, tuple[int, int, int]] = {}
        self._opened = False
        self._saved = 0  # rows in the HNSW graphs on disk
        self._heads: dict[str, str] = {}
        self._given: Sequence[Item] = ()
        self._items: Mapping[str, Item] = {}
        self._selections: dict[tuple[frozenset[str], str], frozenset[str]] = {}
        self._rows = {"code": GrowingVectors(width, self._large), "text": GrowingVectors(width, self._large)}
        self._words: Fts5Words | MemoryWords = MemoryWords()
        self._graph: SqliteGraph | MemoryGraph = MemoryGraph()

    @property
    def graph(self) -> SqliteGraph | MemoryGraph:
        """Memories, files and commits, and what ties them: seen_in, fixed_by, learnt_from."""
        return self._graph

    def __len__(self) -> int:
        return len(self._heads)

    # Asking

    def vectors(self, row: Floats, k: int, among: Collection[str] | None = None) -> list[tuple[str, float]]:
        """The `k` memories whose code or text is nearest to a row, and that cosine, best first."""
        best: dict[str, float] = {}
        for rows in self._rows.values():
            for key, cosine in rows.search(row, k, among):
                best[key] = max(cosine, best.get(key, -1.0))
        return sorted(best.items(), key=lambda hit: (-hit[1], hit[0]))[: max(0, k)]

    def similarities(self, row: Floats, ids: Sequence[str]) -> tuple[Floats, Floats]:
        """The cosines of a row with the code and with the text of each memory; 0 where it has none."""
        return self._rows["code"].cosines(row, ids), self._rows["text"].cosines(row, ids)

    def words(self, query: str, k: int, among: Collection[str] | None = None) -> list[tuple[str, float]]:
        """The `k` memories that hold words of the query, and their BM25 score, best first."""
        try:
            return self._words.search(query, k, among)
        except sqlite3.Error:
            self._doubted = True  # the next refresh makes it again; until then vectors answer alone
            return []

    def select(self, languages: Sequence[str] = (), folder: str = "") -> frozenset[str] | None:
        """The memories that pass a hard filter, kept for the next question; None where none is asked for.

        A memory that names no language passes each, and so does one that names no path.
        """
        if not languages and not folder:
            return None
        wanted = (frozenset(languages), folder)
        if wanted not in self._selections:
            while len(self._selections) >= FILTERS:
                del self._selections[next(iter(self._selections))]
            self._selections[wanted] = frozenset(
                m for m, each in self._items.items() if passes(each, *wanted)
            )
        return self._selections[wanted]

    def lookup(self, items: Sequence[Item]) -> Mapping[str, Item]:
        """`items` by their id; at no cost for those that the index was last refreshed with."""
        return self._items if items is self._given else by_id(items)

    # Keeping up

    def refresh(self, items: Sequence[Item]) -> None:
        """Make the index hold exactly `items`; only what is new or was edited is embedded.

        What is missing or damaged on disk is made again, and where nothing can be written the index lives in
        memory: `notes` says so.
        """
        self.notes = []
        wanted = by_id(items)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with writer_lock(self.folder):
                self._refresh(wanted)
        except (OSError, sqlite3.Error, PlaceError) as error:
            self.notes.append(f"the index cannot be kept on disk ({error}): it stays in memory")
            self._in_memory(wanted)
        self._given, self._items, self._selections = items, wanted, {}

    def catch_up(self, seconds: float = 1.0) -> bool:
        """Add rows to the HNSW graphs for about that long; True when they hold all. For idle time."""
        end = time.monotonic() + seconds
        while self.behind and time.monotonic() < end:
            for rows in self._rows.values():
                rows.catch_up(64)
        held = sum(len(rows.near) for rows in self._rows.values())
        if self._opened and not self.behind and held > 1.05 * self._saved:
            try:
                with writer_lock(self.folder):
                    if not self._changed_outside():
                        self._save_near()
                        self._write_manifest()
                        self._stamps = self._now()
                        self._saved = held
            except (OSError, PlaceError) as error:
                self.notes.append(f"the graph of neighbours could not be kept ({error})")
        return not self.behind

    @property
    def behind(self) -> int:
        """How many rows exact search still answers for, though they are many enough for HNSW."""
        return sum(rows.behind for rows in self._rows.values())

    def close(self) -> None:
        """Let go of the files; the next refresh opens them again."""
        self._words.close()
        self._graph.close()
        self._fresh()

    def _refresh(self, wanted: Mapping[str, Item]) -> None:
        if not self._opened or self._doubted or self._changed_outside():
            self._open()
        new, changed = self._follow(wanted)
        if changed or not self._manifest.files:
            self._write_rows(new)
            self._manifest.files[WORDS] = derived.sha256(self.folder / WORDS)
            self._manifest.files[GRAPH] = derived.sha256(self.folder / GRAPH)
            self._write_manifest()
        self._stamps = self._now()

    def _follow(self, wanted: Mapping[str, Item]) -> tuple[list[Item], bool]:
        """Bring all parts to `wanted`; what was embedded, and whether anything changed."""
        gone = [m for m in self._heads if m not in wanted]
        new = [each for m, each in wanted.items() if self._heads.get(m) != each.head]
        for m in gone:
            del self._heads[m]
        for rows in self._rows.values():
            rows.remove(gone)
        self._embed(new)
        changed = [self._follow_words(wanted, new), self._follow_graph(wanted, new), bool(gone or new)]
        if self.behind <= AT_ONCE:
            for rows in self._rows.values():
                rows.catch_up(AT_ONCE)
        return new, any(changed)

    def _embed(self, new: Sequence[Item]) -> None:
        for start in range(0, len(new), BATCH):
            batch = new[start : start + BATCH]
            self._put("code", "code", {each.id: each.code for each in batch})
            self._put("text", "query", {each.id: f"{each.title}\n{each.text}" for each in batch})
            self._heads.update((each.id, each.head) for each in batch)

    def _put(self, name: str, kind: str, texts: Mapping[str, str]) -> None:
        self._rows[name].remove(texts)
        filled = {key: text for key, text in texts.items() if text.strip()}
        if filled:
            rows = self.encoder.encode(list(filled.values()), kind=kind)
            self._rows[name].put(list(filled), np.nan_to_num(rows))

    def _follow_words(self, wanted: Mapping[str, Item], new: Sequence[Item]) -> bool:
        there = self._words.keys()
        gone = there - wanted.keys()
        put = {each.id: each.words for each in new}
        put.update((m, each.words) for m, each in wanted.items() if m not in there)
        if gone:
            self._words.remove(gone)
        if put:
            self._words.put(list(put.items()))
        return bool(gone or put)

    def _follow_graph(self, wanted: Mapping[str, Item], new: Sequence[Item]) -> bool:
        there = self._graph.nodes()
        gone = there - wanted.keys()
        put = {each.id: each for each in new}
        put.update((m, each) for m, each in wanted.items() if m not in there and any(edges(each)))
        if gone or put:
            self._graph.unlink_all(gone | put.keys())
            self._graph.link(edge for each in put.values() for edge in edges(each))
        return bool(gone or put)

    def _in_memory(self, wanted: Mapping[str, Item]) -> None:
        """The same with nothing on disk; what was embedded is kept. The next refresh tries the disk again."""
        self._words.close()
        self._graph.close()
        self._words, self._graph = MemoryWords(), MemoryGraph()
        self._opened = False
        self._follow(wanted)

    # On disk

    def _open(self) -> None:
        """Take up what is on disk, as far as it is what the manifest says."""
        self.close()
        self._doubted = False
        found = derived.read_manifest(self.folder)
        asked = self.folder / derived.REBUILD
        if asked.exists():
            asked.unlink(missing_ok=True)
            self._again("the index was built again: the doctor asked for it")
        elif isinstance(found, str):
            self._again(f"the index was built: {found}" if found else "")
        elif (found.encoder, found.width) != (self.encoder.name, self.encoder.width):
            self._again(
                f"the index was built again: {found.encoder} had made it, now {self.encoder.name} does"
            )
        else:
            self._manifest = found
            self._read_rows()
            self._read_near()
        self._words = self._sqlite(WORDS, Fts5Words)
        self._graph = self._sqlite(GRAPH, SqliteGraph)
        self._opened = True

    def _again(self, note: str) -> None:
        self.notes.append(note)
        for path in self.folder.iterdir():
            if path.name.startswith(("rows-", "near-", WORDS, GRAPH, derived.MANIFEST)):
                path.unlink(missing_ok=True)

    def _sqlite(self, name: str, opener: Callable[[Path], Opened]) -> Opened:
        path = self.folder / name
        expected = self._manifest.files.get(name)
        if expected is not None and derived.sha256(path) == expected:
            try:
                return opener(path)
            except sqlite3.Error as error:
                self.notes.append(f"{name} could not be opened ({error})")
        if expected is not None:
            self.notes.append(f"{name} was missing or damaged, and was built again")
        for ending in ("", "-journal", "-wal", "-shm"):
            path.with_name(name + ending).unlink(missing_ok=True)
        return opener(path)

    def _read_rows(self) -> None:
        for name in list(self._manifest.rows):
            found = derived.read_rows(
                self.folder / name, self._manifest.files.get(name, ""), self.encoder.width
            )
            if found is None:
                self.notes.append(f"{name} was missing or damaged, and was embedded again")
                self._manifest.rows.remove(name)
                self._manifest.files.pop(name, None)
                continue
            entries, rows = found
            self._take(entries, rows)

    def _take(self, entries: Sequence[Entry], rows: Floats) -> None:
        at: dict[str, tuple[list[str], list[int]]] = {"code": ([], []), "text": ([], [])}
        row = 0
        for entry in entries:
            for name, has in (("code", entry.code), ("text", entry.text)):
                if has:
                    at[name][0].append(entry.id)
                    at[name][1].append(row)
                    row += 1
            self._heads[entry.id] = entry.head
        for name, (keys, numbers) in at.items():
            self._rows[name].remove([entry.id for entry in entries])
            self._rows[name].put(keys, rows[numbers])

    def _write_rows(self, new: Sequence[Item]) -> None:
        """Keep what was embedded; write all rows as one file when the files are many or mostly dead."""
        kept = len(self._manifest.rows)
        ids = [each.id for each in new]
        if kept >= FILES:
            ids, self._manifest.rows = list(self._heads), []
        if ids:
            code, text = self._rows["code"], self._rows["text"]
            entries = [Entry(m, self._heads[m], m in code, m in text) for m in ids]
            pairs = [
                (name, each.id) for each in entries for name in self._rows if each.id in self._rows[name]
            ]
            data = np.zeros((len(pairs), self.encoder.width), np.float32)
            for name, rows in self._rows.items():
                where = [at for at, (of, _) in enumerate(pairs) if of == name]
                data[where] = rows.rows([pairs[at][1] for at in where])
            name, digest = derived.write_rows(self.folder, entries, data)
            if name not in self._manifest.rows:
                self._manifest.rows.append(name)
            self._manifest.files[name] = digest

    def _read_near(self) -> None:
        """Take up the HNSW graphs. A damaged one can crash the process, so its hash is looked at first."""
        for name, rows in self._rows.items():
            graph, names = f"near-{name}.voyager", f"near-{name}.json"
            if graph not in self._manifest.files:
                continue
            paths = {each: self.folder / each for each in (graph, names)}
            if any(derived.sha256(path) != self._manifest.files.get(each) for each, path in paths.items()):
                self.notes.append(f"{graph} was missing or damaged, and is built again")
                continue
            held = json.loads(paths[names].read_bytes())
            stale = [m for m, _, head in held if self._heads.get(m) != head]
            rows.restore(paths[graph], {m: number for m, number, _ in held}, stale)
            self._saved += len(rows.near)

    def _save_near(self) -> None:
        for name, rows in self._rows.items():
            if len(rows) < self._large:
                continue
            graph, names = f"near-{name}.voyager", f"near-{name}.json"
            temporary = self.folder / f"{graph}.new"
            held = [(m, number, self._heads[m]) for m, number in rows.near.save(temporary)]
            self._manifest.files[graph] = derived.sha256(temporary)
            temporary.replace(self.folder / graph)
            data = json.dumps(held).encode()
            derived.replace(self.folder / names, data)
            self._manifest.files[names] = derived.sha256(self.folder / names)

    def _write_manifest(self) -> None:
        used = {
            *self._manifest.rows,
            WORDS,
            GRAPH,
            *(f for f in self._manifest.files if f.startswith("near-")),
        }
        self._manifest.files = {name: sha for name, sha in self._manifest.files.items() if name in used}
        self._manifest.write(self.folder)
        for path in self.folder.glob("rows-*"):
            if path.name not in used:
                path.unlink(missing_ok=True)

    def _now(self) -> Mapping[str, tuple[int, int, int]]:
        return derived.stamps(self.folder, [derived.MANIFEST, *self._manifest.files])

    def _changed_outside(self) -> bool:
        """Whether another process wrote or removed a file since this one did."""
        return self._now() != self._stamps


def edges(item: Item) -> Iterator[tuple[str, str, str]]:
    """What a memory is tied to in the graph."""
    paths = {item.path, *(each.path for each in item.evidence)} - {""}
    yield from ((item.id, "seen_in", f"file:{path}") for path in sorted(paths))
    commits = {each.commit for each in item.evidence} - {""}
    yield from ((item.id, "fixed_by", f"commit:{commit}") for commit in sorted(commits))
    yield from ((item.id, "learnt_from", f"memory:{m}") for m in sorted(set(item.sources)))


def passes(item: Item, languages: Collection[str], folder: str) -> bool:
    """Whether a memory is of one of these languages, and was seen in this folder."""
    if languages and item.language and item.language not in languages:
        return False
    paths = [path for path in (item.path, *(each.path for each in item.evidence)) if path]
    return not folder or not paths or any(path.startswith(folder.rstrip("/") + "/") for path in paths)
