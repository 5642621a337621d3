"""The seams of the store: what stands behind each can be replaced, and one contract suite holds them all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from .fold import View
from .record import Draft, Record

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from .items import Item

Floats: TypeAlias = "npt.NDArray[np.float32]"  # in words: a daemon that is asked nothing loads no numpy


class Journal(Protocol):
    """The append-only log of records: the one truth."""

    def append(self, drafts: Sequence[Draft], request: str = "") -> list[Record]:
        """Write records; when this returns they are on disk, fsynced. All of them, or an error."""
        ...

    def beware(self, secrets: Iterable[str]) -> None:
        """Take these out of all that is written from now on: secrets that were found in what is not written itself."""
        ...

    def records(self) -> Iterator[Record]:
        """All records that can be read, in the order (t, w, id)."""
        ...

    def view(self) -> View:
        """What is current: the fold over all records, brought up to date with the disk."""
        ...


class Vectors(Protocol):
    """Nearest neighbours by cosine, over L2-normalised rows of one width."""

    def put(self, keys: Sequence[str], rows: Floats) -> None:
        """Add rows (n, d), or replace those whose key is there already."""
        ...

    def remove(self, keys: Iterable[str]) -> None:
        """Take rows out; a key that is not there is passed over."""
        ...

    def search(self, row: Floats, k: int, among: Collection[str] | None = None) -> list[tuple[str, float]]:
        """The `k` nearest keys and their cosine, best first; only those in `among` where it is given."""
        ...

    def __len__(self) -> int: ...


class NearGraph(Protocol):
    """Approximate nearest neighbours by cosine, over L2-normalised rows of one width that have numbers."""

    def add(self, rows: Floats, numbers: list[int], threads: int = 1) -> None:
        """Add rows (n, d) under new numbers."""
        ...

    def forget(self, number: int) -> None:
        """Find this one no more."""
        ...

    def query(self, row: Floats, k: int, search: int) -> list[tuple[int, float]]:
        """About the `k` nearest numbers and their cosine, best first; `search` are looked at, `k` at least."""
        ...

    def save(self, path: Path) -> None:
        """Write the graph to a file."""
        ...

    def load(self, path: Path) -> None:
        """Read what `save` wrote. The caller has checked its hash: a damaged file can crash the process."""
        ...

    def __len__(self) -> int: ...


class Words(Protocol):
    """Full-text search over identifier-split, stemmed words, ranked by BM25."""

    def put(self, texts: Sequence[tuple[str, str]]) -> None:
        """Add (key, text) pairs, or replace those whose key is there already."""
        ...

    def remove(self, keys: Iterable[str]) -> None:
        """Take texts out; a key that is not there is passed over."""
        ...

    def search(self, query: str, k: int, among: Collection[str] | None = None) -> list[tuple[str, float]]:
        """The `k` best keys and their BM25 score (higher is better), best first; no words, no hits."""
        ...

    def __len__(self) -> int: ...


class Graph(Protocol):
    """Named nodes and typed edges: memories, files, symbols, commits."""

    def link(self, edges: Iterable[tuple[str, str, str]]) -> None:
        """Add (from, relation, to); an edge that is there already stays one."""
        ...

    def unlink(self, node: str) -> None:
        """Take out the edges that leave `node`."""
        ...

    def targets(self, node: str, relation: str | None = None) -> list[tuple[str, str]]:
        """(relation, to) of the edges that leave `node`, sorted."""
        ...

    def sources(self, node: str, relation: str | None = None) -> list[tuple[str, str]]:
        """(relation, from) of the edges that enter `node`, sorted."""
        ...


class Index(Protocol):
    """What is asked of all memories together, wherever they are kept."""

    @property
    def graph(self) -> Graph:
        """Memories, files, symbols and commits, and what ties them: see `graph.edges`."""
        ...

    @property
    def known(self) -> Mapping[str, Item]:
        """All memories by their id."""
        ...

    @property
    def waiting(self) -> Collection[Item]:
        """The memories that are not in the graph yet."""
        ...

    @property
    def unseen(self) -> int:
        """How many memories no search by vectors without a filter looks at yet."""
        ...

    def __len__(self) -> int: ...

    def vectors(self, row: Floats, k: int, among: Collection[str] | None = None) -> list[tuple[str, float]]:
        """The `k` memories whose code or text is nearest to a row, and that cosine, best first."""
        ...

    def words(self, query: str, k: int, among: Collection[str] | None = None) -> list[tuple[str, float]]:
        """The `k` memories that hold words of the query, and their BM25 score, best first."""
        ...

    def similarities(self, row: Floats, ids: Sequence[str]) -> tuple[Floats, Floats]:
        """The cosines of a row with the code and with the text of each memory; 0 where it has none."""
        ...

    def holding(self, ids: Sequence[str], groups: Sequence[Collection[str]]) -> npt.NDArray[np.bool_]:
        """Which of these memories hold a word of which group of stems: (ids, groups)."""
        ...

    def edits(self, ids: Sequence[str]) -> npt.NDArray[np.uint64]:
        """What the first edit of each memory changed, as one number (see `edits.edit_key`); 0 where it is none."""
        ...

    def languages(self, ids: Sequence[str]) -> list[str]:
        """The language of each memory; empty for none."""
        ...

    def select(self, languages: Sequence[str] = (), folder: str = "") -> Collection[str] | None:
        """The memories that pass a hard filter; None where none is asked for."""
        ...

    def lookup(self, items: Sequence[Item]) -> Mapping[str, Item]:
        """`items` by their id."""
        ...


class Encoder(Protocol):
    """What the store asks of an encoder; `cortex.models` satisfies it."""

    name: str
    width: int

    def encode(self, texts: Sequence[str], kind: str = "query") -> Floats:
        """Texts to float32 rows (n, width), L2-normalised; `kind` is "query" or "code"."""
        ...


class Passage(Protocol):
    """One thing that can be found in a file, as an analyser of code tells it: lines from 1, both included."""

    @property
    def kind(self) -> str:
        """What it is: function, type, section or lines."""
        ...

    @property
    def name(self) -> str:
        """Its name, with the names that it stands in."""
        ...

    @property
    def first(self) -> int:
        """Its first line."""
        ...

    @property
    def last(self) -> int:
        """Its last line."""
        ...

    @property
    def doc(self) -> str:
        """Its doc comment."""
        ...

    @property
    def code(self) -> str:
        """Its text without that."""
        ...


class Source(Protocol):
    """The files of one tree, as an index of code reads them."""

    def files(self) -> Sequence[tuple[str, str]]:
        """Path and blob of each."""
        ...

    def read(self, path: str, blob: str) -> Sequence[Passage] | str:
        """What there is to find in one; or in words why it is passed over."""
        ...
