"""What makes memories findable: their vectors, words and graph; local, derived, rebuilt when in doubt."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..repo.errors import BusyError, PlaceError
from . import derived
from .derived import Entry, Manifest
from .edits import edit_key
from .graph import MemoryGraph, SqliteGraph, edges
from .items import Item, by_id
from .lock import writer_lock
from .pieces import Mask
from .postings import PostingWords
from .protocols import Encoder, Floats
from .reading import uncollected
from .rowfiles import RowFiles, places
from .scan import Scan
from .selections import Selections
from .vectors import ExactVectors
from .words import terms

#: How many memories are taken in at a time: so much is lost by a kill, and so long is the shortest step.
PIECE = 512
#: How long a refresh without a bound, and one for idle time, wait for another process, in seconds.
PATIENCE_S, IDLE_S = 5.0, 0.1
GRAPH = "graph.sqlite"


class MemoryIndex:
    """The index of one store, in `folder`, that searches all its rows: for some ten thousand memories. See `layered`.

    Each memory has up to two rows: one of its code, one of its title and text. What a refresh had no time for
    waits for `catch_up`; its words are found meanwhile, and what they find is embedded when it is asked for.
    `notes` says what had to be made again, and why.
    """

    def __init__(
        self,
        folder: Path,
        encoder: Encoder,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self.encoder = encoder
        self.notes: list[str] = []
        self._clock = clock
        self._given: Sequence[Item] = ()
        self._items: dict[str, Item] = {}
        self._fresh()

    def _fresh(self) -> None:
        """Empty, in memory, with nothing opened."""
        width = self.encoder.width
        self._manifest = Manifest(self.encoder.name, width)
        self._files = RowFiles(self.folder, self._manifest)
        self._stamps: Mapping[str, tuple[int, int, int]] = {}
        self._opened = self._in_memory = False
        self._heads: dict[str, str] = {}  # of what is embedded: the records that it was made from
        self._selections = Selections()
        self._followed: dict[str, Item] | None = None
        self._waiting: dict[str, Item] = {}  # what is not taken in, newest first
        self._unsaid: set[str] = set()  # those of them whose words are not in `_words`
        self._told: set[str] = set()  # those of them whose words are there, as they should be
        self._gone: set[str] = set()  # what `_words` and `_graph` hold and should not
        self._scan: Scan | None = None
        self._rows = {name: ExactVectors(width) for name in ("code", "text")}
        self._words = PostingWords()
        self._graph: SqliteGraph | MemoryGraph = MemoryGraph()

    @property
    def graph(self) -> SqliteGraph | MemoryGraph:
        """Memories, files, symbols and commits, and what ties them: see `graph.edges`."""
        return self._graph

    def __len__(self) -> int:
        return len(self._items)

    @property
    def waiting(self) -> Collection[Item]:
        """The memories that are not taken in, and not in the graph."""
        return self._waiting.values()

    @property
    def behind(self) -> int:
        """How many memories still wait to be taken in; they are found by their words alone."""
        return len(self._waiting)

    @property
    def unseen(self) -> int:
        """How many memories no search by vectors looks at yet: none but those that wait, and are found by words."""
        return 0

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
        if self._waiting:
            self._embed([self._waiting[m] for m in ids if m in self._waiting])
        return self._rows["code"].cosines(row, ids), self._rows["text"].cosines(row, ids)

    def words(self, query: str, k: int, among: Collection[str] | None = None) -> list[tuple[str, float]]:
        """The `k` memories that hold words of the query, and their BM25 score, best first."""
        hits = self._words.search(query, k, among)
        if self._unsaid or self._gone:
            hits = [hit for hit in hits if hit[0] in self._items and hit[0] not in self._unsaid]
        if self._unsaid:
            if self._scan is None:
                self._scan = Scan((m, each.words) for m, each in self._waiting.items() if m in self._unsaid)
            hits += self._scan.search(query, k, self._unsaid if among is None else self._unsaid & set(among))
            hits = sorted(hits, key=lambda hit: (-hit[1], hit[0]))[: max(0, k)]
        return hits

    def holding(self, ids: Sequence[str], groups: Sequence[Collection[str]]) -> Mask:
        """Which of these memories hold a word of which group of stems: (ids, groups)."""
        out = self._words.holding(ids, groups)
        for at, m in enumerate(ids) if self._unsaid else ():
            if m in self._unsaid:
                held = set(terms(self._items[m].words))
                out[at] = [not held.isdisjoint(group) for group in groups]
        return out

    def edits(self, ids: Sequence[str]) -> npt.NDArray[np.uint64]:
        """What the first edit of each memory changed, as one number (see `edits.edit_key`); 0 where it is none."""
        return np.fromiter((edit_key(self._items[m]) for m in ids), np.uint64, len(ids))

    def languages(self, ids: Sequence[str]) -> list[str]:
        """The language of each memory; empty for none."""
        return [self._items[m].language for m in ids]

    @property
    def known(self) -> Mapping[str, Item]:
        """All memories that it was last refreshed with, by their id."""
        return self._items

    def select(self, languages: Sequence[str] = (), folder: str = "") -> frozenset[str] | None:
        """The memories that pass a hard filter, kept for the next question; None where none is asked for.

        A memory that names no language passes each, and so does one that names no path.
        """
        return self._selections.select(self._items, languages, folder)

    def lookup(self, items: Sequence[Item]) -> Mapping[str, Item]:
        """`items` by their id; at no cost for those that the index was last refreshed with."""
        return self._items if items is self._given else by_id(items)

    # Keeping up

    def refresh(self, items: Sequence[Item], seconds: float | None = None) -> None:
        """Make the index hold exactly `items`, the newest first; only what is new or was edited is embedded.

        After about `seconds` the rest is left to `catch_up`; with 0 nothing is taken in. What is missing or
        damaged on disk is made again, and where nothing can be written the index lives in memory: `notes`
        says so.
        """
        if not self.behind:
            self.notes = []
        self._items, self._given = by_id(items), items
        self._bring(seconds, PATIENCE_S if seconds is None else seconds)

    def catch_up(self, seconds: float = 1.0) -> bool:
        """Go on with what waits for about that long; True when nothing does. For idle time."""
        if self._items or self._opened:
            self._bring(seconds, IDLE_S)
        return not (self.behind or self._gone)

    def holds(self, items: Sequence[Item]) -> bool:
        """Whether the last refresh was with this very list."""
        return items is self._given

    def clear(self) -> None:
        """Hold nothing: what is on disk is taken away, and the next refresh begins anew."""
        self.close()
        try:
            with writer_lock(self.folder, IDLE_S):
                self._again("")
        except (OSError, PlaceError) as error:
            self.notes = [f"what the index held before stays on disk for now ({error})"]

    def close(self) -> None:
        """Let go of the files; the next refresh opens them again."""
        self._words.close()
        self._graph.close()
        self._given, self._items = (), {}
        self._fresh()

    def _bring(self, seconds: float | None, patience: float) -> None:
        """Bring all parts to `_items`, for about `seconds`."""
        end = None if seconds is None else self._clock() + seconds
        some = seconds != 0  # however long it took to get here
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with writer_lock(self.folder, patience):
                if self._in_memory:
                    derived.probe(self.folder)
                if not self._opened or self._changed_outside():
                    self._open()
                self._follow()
                self._work(end, some)
        except BusyError:
            self._follow()  # another process is at work on it: what was taken in here answers
        except (OSError, sqlite3.Error, PlaceError) as error:
            self.notes = [f"the index cannot be kept on disk ({error}): it stays in memory"]
            self._leave_disk()
            self._follow()
            self._work(end, some)

    def _leave_disk(self) -> None:
        """Go on in memory; what was embedded is kept. The next refresh tries the disk again."""
        if not self._in_memory:
            self._graph.close()
            self._graph = MemoryGraph()
            self._opened, self._in_memory, self._followed = False, True, None

    def _follow(self) -> None:
        """Note what waits to be taken in, and what is gone."""
        wanted, before = self._items, self._followed
        if wanted is before:
            return
        if before is None:
            self._compare()
        else:
            new = [each for m, each in wanted.items() if before.get(m) is not each]
            waiting = {
                each.id: each
                for each in reversed(new)
                if each.id in self._waiting or self._heads.get(each.id) != each.head
            }
            gone = before.keys() - wanted.keys()
            self._selections.follow(gone, new)
            self._gone = (self._gone | gone) - wanted.keys()
            self._told -= {each.id for each in new} | gone
            self._unsaid = (self._unsaid | (waiting.keys() - self._told)) - gone
            for m, each in self._waiting.items():
                if m not in gone:
                    waiting.setdefault(m, each)
            self._waiting = waiting
            self._forget(gone)
        self._followed, self._scan = wanted, None

    def _compare(self) -> None:
        """The same by what there is, when nothing is known of it yet."""
        said, tied, kept = self._words.keys(), self._graph.nodes(), self._files.held()
        self._waiting, self._unsaid, self._told, self._selections = {}, set(), set(), Selections()
        for m in reversed(self._items):
            each, head = self._items[m], self._heads.get(m)
            here = self._in_memory or m in kept
            if head != each.head or not here or m not in said or (m not in tied and any(edges(each))):
                self._waiting[m] = each
                if m not in said or head not in (None, each.head):
                    self._unsaid.add(m)
                elif head == each.head:
                    self._told.add(m)
        self._gone = (said | tied) - self._items.keys()
        self._forget(self._heads.keys() - self._items.keys())

    def _forget(self, gone: Collection[str]) -> None:
        for m in gone:
            self._heads.pop(m, None)
        for rows in self._rows.values():
            rows.remove(gone)
        self._files.drop(gone)

    def _work(self, end: float | None, some: bool) -> None:
        """Take in what waits, piece by piece, as long as another one fits before `end`; one at least if `some`."""
        took = 0.0
        while self._waiting or self._gone or not (self._manifest.files or self._in_memory):
            start = self._clock()
            if end is not None and not some and start + took >= end:
                return
            self._take_in(list(islice(self._waiting.values(), PIECE)), list(islice(self._gone, PIECE)))
            took, some = self._clock() - start, False

    def _take_in(self, batch: Sequence[Item], gone: Sequence[str]) -> None:
        """One piece: when it returns, what it did is on disk, and the manifest says so."""
        self._embed(batch)
        ids = [each.id for each in batch]
        self._words.remove(gone)
        self._words.put([(each.id, each.words) for each in batch if each.id not in self._told])
        self._graph.unlink_all([*gone, *ids])
        self._graph.link(edge for each in batch for edge in edges(each))
        if not self._in_memory:
            self._files.add(ids, self._made)
            self._manifest.memories = len(self._items) - len(self._waiting) + len(ids)
            self._keep_words()
            # Its hash is taken of all of it, so only at the end: after a kill before that it is made again.
            if len(ids) == len(self._waiting) and len(gone) == len(self._gone):
                self._manifest.files[GRAPH] = derived.sha256(self.folder / GRAPH)
            else:
                self._manifest.files.pop(GRAPH, None)
            self._write_manifest()
        for m in ids:
            del self._waiting[m]
        self._unsaid.difference_update(ids)
        self._told.difference_update(ids)
        self._gone.difference_update(gone)

    def _embed(self, items: Sequence[Item]) -> None:
        """Embed what is not yet, as it stands now."""
        new = [each for each in items if self._heads.get(each.id) != each.head]
        if new:
            self._put("code", "code", {each.id: each.code for each in new})
            self._put("text", "query", {each.id: f"{each.title}\n{each.text}" for each in new})
            self._files.drop([each.id for each in new])
            self._heads.update((each.id, each.head) for each in new)

    def _put(self, name: str, kind: str, texts: Mapping[str, str]) -> None:
        self._rows[name].remove(texts)
        filled = {key: text for key, text in texts.items() if text.strip()}
        if filled:
            rows = self.encoder.encode(list(filled.values()), kind=kind)
            self._rows[name].put(list(filled), np.nan_to_num(rows))

    # On disk

    def _open(self) -> None:
        """Take up what is on disk, as far as it is what the manifest says."""
        self._graph.close()
        self._fresh()
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
            self._files = RowFiles(self.folder, found)
            with uncollected():
                for entries, rows in self._files.read(self._missed):
                    self._take(entries, rows)
            self._read_words()
        self._graph = self._open_graph()
        self._opened = True
        self._stamps = self._now()

    def _again(self, note: str) -> None:
        self.notes += [note] if note else []
        for path in self.folder.iterdir():
            if path.name.startswith(("rows-", "near-", "words", GRAPH, derived.MANIFEST)):
                path.unlink(missing_ok=True)

    def _open_graph(self) -> SqliteGraph:
        path = self.folder / GRAPH
        expected = self._manifest.files.get(GRAPH)
        if expected is not None and derived.sha256(path) == expected:
            try:
                return SqliteGraph(path)
            except sqlite3.Error as error:
                self.notes.append(f"{GRAPH} could not be opened ({error})")
        if expected is not None:
            self.notes.append(f"{GRAPH} was missing or damaged, and was built again")
        for ending in ("", "-journal", "-wal", "-shm"):
            path.with_name(GRAPH + ending).unlink(missing_ok=True)
        return SqliteGraph(path)

    def _read_words(self) -> None:
        """Take up the pieces of words that are what the manifest says."""
        for name in list(self._manifest.words):
            data = derived.checked(self.folder / name, self._manifest.files.get(name, ""))
            if data is None or not self._words.load(name, data):
                self._manifest.words.remove(name)
                self._manifest.files.pop(name, None)
                self.notes.append(f"{name} was missing or damaged, and was built again")

    def _keep_words(self) -> None:
        kept = self._words.keep(self.folder)
        for name in set(self._manifest.words) - kept.keys():
            self._manifest.files.pop(name, None)
        self._manifest.words = list(kept)
        self._manifest.files.update((name, digest) for name, digest in kept.items() if digest)

    def _missed(self, name: str) -> None:
        self.notes.append(f"{name} was missing or damaged: what it held is embedded again")

    def _take(self, entries: Sequence[Entry], rows: Floats) -> None:
        """Take up rows from disk; those that a newer file gave already stay."""
        for name, (keys, numbers) in places(entries).items():
            new = [at for at, key in enumerate(keys) if key not in self._heads]
            self._rows[name].put([keys[at] for at in new], rows[[numbers[at] for at in new]])
        for entry in entries:
            self._heads.setdefault(entry.id, entry.head)

    def _made(self, ids: Sequence[str]) -> tuple[list[Entry], Floats]:
        """What a file of rows is to hold of these memories."""
        code, text = self._rows["code"], self._rows["text"]
        entries = [Entry(m, self._heads[m], m in code, m in text) for m in ids]
        data = np.zeros((sum(each.code + each.text for each in entries), self.encoder.width), np.float32)
        for name, (keys, numbers) in places(entries).items():
            data[numbers] = self._rows[name].rows(keys)
        return entries, data

    def _write_manifest(self) -> None:
        used = {
            *self._manifest.rows,
            *self._manifest.words,
            GRAPH,
        }
        self._manifest.files = {name: sha for name, sha in self._manifest.files.items() if name in used}
        self._manifest.write(self.folder)
        for path in (*self.folder.glob("rows-*"), *self.folder.glob("words-*")):
            if path.name not in used:
                path.unlink(missing_ok=True)
        self._stamps = self._now()

    def _now(self) -> Mapping[str, tuple[int, int, int]]:
        return derived.stamps(self.folder, [derived.MANIFEST, *self._manifest.files])

    def _changed_outside(self) -> bool:
        """Whether another process wrote or removed a file since this one did."""
        return self._now() != self._stamps
