"""The graph of the code itself: which file imports which, and what each defines; derived, and made again in doubt.

Nodes are `file:PATH`, `symbol:PATH#NAME` and, for what lies outside of the repository, `module:NAME`. What a blob says
is kept by its id, so that only what is new is read; a note holds the checksum of the whole.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from ..repo.errors import BusyError, PlaceError
from ..repo.files import write_whole
from . import notes
from .derived import sha256
from .durable import SYSTEM, read
from .graph import SqliteGraph
from .layout import CODE_GRAPH, CODE_NOTE
from .lock import writer_lock

#: Raised when what is read of a blob, or what leads where, changes: an older file is then made again.
FORM = 1
#: How long a write waits for another process that works on the index, in seconds.
PATIENCE_S = 1.0
#: The part of a name behind the last dot leads to its symbols, by this relation, which is shown nowhere.
NAMED = "named"


@dataclass(frozen=True)
class Symbol:
    """One definition of a file, and how complex it is; both figures are 0 for what is no function."""

    name: str
    line: int
    end_line: int
    cyclomatic: int = 0
    cognitive: int = 0


@dataclass(frozen=True)
class Facts:
    """What one blob says: what it imports (the module, and what is taken out of it), and what it defines."""

    imports: tuple[tuple[str, tuple[str, ...]], ...] = ()
    symbols: tuple[Symbol, ...] = ()


class CodeGraph:
    """The graph in a folder, or in memory where that is None or cannot be written.

    `tree` is the id of the tree that it is of; empty while it is being made. Reading waits for nobody.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.tree = ""
        self.graph: SqliteGraph
        self._stamp: object = None
        self._known: dict[str, dict[str, Symbol]] = {}
        self._endings: dict[str, list[str]] | None = None
        self._open()

    def refreshed(self) -> bool:
        """Take up what another process wrote; whether it did."""
        if self.folder is None or self._stamp == self._now():
            return False
        self.close()
        self._open()
        return True

    def known(self) -> set[tuple[str, str]]:
        """The (blob, language) whose facts are known."""
        split = (key.partition(":") for (key,) in self._rows("select key from facts"))
        return {(blob, language) for blob, _, language in split}

    def files(self) -> dict[str, str]:
        """Path → blob of the files that the graph holds."""
        return {str(path): str(blob) for path, blob in self._rows("select path, blob from files")}

    def facts(self, blob: str, language: str) -> Facts | None:
        """What a blob says; None where it was not read yet."""
        for (said,) in self._rows("select said from facts where key = ?", _key(blob, language)):
            imports, symbols = json.loads(said)
            return Facts(
                tuple((module, tuple(names)) for module, names in imports),
                tuple(Symbol(*each) for each in symbols),
            )
        return None

    def symbol(self, path: str, name: str) -> Symbol | None:
        """The definition of this name in a file, as it stands in the tree; None where there is none."""
        return self.symbols(path).get(name)

    def symbols(self, path: str) -> Mapping[str, Symbol]:
        """The definitions of a file by their names."""
        if path not in self._known:
            if len(self._known) > 1_000:
                self._known.clear()
            rows = self._rows(
                "select said from facts join files on key = blob || ':' || language where path = ?", path
            )
            found = [Symbol(*each) for (said,) in rows for each in json.loads(said)[1]]
            self._known[path] = {each.name: each for each in found}
        return self._known[path]

    def called(self, name: str) -> list[tuple[str, str]]:
        """The (path, name) of all that is called so, with or without the names around it."""
        last = name.rpartition(".")[2]
        found = [
            node.removeprefix("symbol:").partition("#")
            for _, node in self.graph.sources(f"name:{last}", NAMED)
        ]
        return [(path, whole) for path, _, whole in found if whole == name or whole.endswith(f".{name}")]

    def ending(self, name: str) -> list[str]:
        """The paths whose last part is `name`."""
        if self._endings is None:
            self._endings = {}
            for (path,) in self._rows("select path from files order by path"):
                self._endings.setdefault(path.rpartition("/")[2], []).append(path)
        return self._endings.get(name, [])

    def complexity(self, path: str, name: str = "") -> float | None:
        """The cognitive complexity of a function, or of the middle one of a file; None where that is not known."""
        symbols = self.symbols(path)
        found = [symbols[name]] if name in symbols else [] if name else list(symbols.values())
        figures = sorted(each.cognitive for each in found if each.cyclomatic)
        return float(figures[len(figures) // 2]) if figures else None

    def at(self, blob: str) -> list[str]:
        """The paths of files that are this very blob."""
        return [path for (path,) in self._rows("select path from files where blob = ?", blob)]

    # Making it

    def learn(self, said: Mapping[tuple[str, str], Facts]) -> None:
        """Keep what blobs say: (blob, language) → facts."""
        rows = [(_key(*key), _dump(facts)) for key, facts in said.items()]
        with self._writing():
            self._connection.executemany("insert or replace into facts values (?, ?)", rows)

    def link(
        self,
        tree: str,
        changed: Mapping[str, tuple[str, str, Sequence[str]]],
        gone: Collection[str],
        done: bool,
    ) -> None:
        """Bring files in: path → blob, language, and the nodes that it imports; `gone` are taken out.

        With `done` the graph is that of `tree`, and what no file says any more is forgotten.
        """
        with self._writing():
            old = [f"file:{path}" for path in (*changed, *gone)]
            symbols = [node for each in old for relation, node in self.graph.sources(each, "seen_in")]
            self.graph.unlink_all([*old, *symbols])
            self._connection.executemany("delete from files where path = ?", [(path,) for path in gone])
            for path, (blob, language, wanted) in changed.items():
                self._connection.execute(
                    "insert or replace into files values (?, ?, ?)", (path, blob, language)
                )
                facts = self.facts(blob, language) or Facts()
                self.graph.link(_edges(path, facts, wanted))
            self._known.clear()
            self._endings = None
            self.tree = tree if done else ""
            if done:
                used = "select blob || ':' || language from files"
                self._connection.execute(f"delete from facts where key not in ({used})")  # noqa: S608

    def linked(self, path: str) -> set[str]:
        """The nodes that a file imports, as far as the graph knows."""
        return {node for _, node in self.graph.targets(f"file:{path}", "imports")}

    def close(self) -> None:
        """Let go of the file."""
        self.graph.close()

    def _open(self) -> bool:
        """Open what there is; False where that is not on the disk."""
        self.tree, self._known, self._endings, self._on_disk = "", {}, None, False
        path = self.folder / CODE_GRAPH if self.folder is not None else None
        if path is not None and self.folder is not None:
            said = self._note()
            if said is None or sha256(path) != said.get("sha256") or not self._connected(path):
                self._connected(None)  # until somebody makes it again
                self._distrust(path)
            else:
                self.tree = str(said.get("tree", ""))
            self._stamp = self._now()
        else:
            self._connected(None)
        return self._on_disk

    # On disk

    def _distrust(self, path: Path) -> None:
        """Take the note of a damaged file away, so that whoever looks for work finds some."""
        if self.folder is None:
            return
        with suppress(OSError, BusyError, PlaceError), writer_lock(self.folder, 0.0):
            said = self._note()  # under the lock nobody is between the file and its note
            if said is not None and sha256(path) != said.get("sha256"):
                (self.folder / CODE_NOTE).unlink(missing_ok=True)

    def _connected(self, path: Path | None) -> bool:
        try:
            made = SqliteGraph(path)
            self._connection = made.connection
            self._connection.execute("create table if not exists facts (key text primary key, said text)")
            self._connection.execute(
                "create table if not exists files (path text primary key, blob text, language text)"
            )
            self._connection.execute("create index if not exists files_blob on files (blob)")
            self._connection.commit()
        except sqlite3.Error:
            return False  # no file of ours, whatever its checksum says
        self.graph, self._on_disk = made, path is not None
        return True

    def _note(self) -> dict[str, object] | None:
        try:
            said = notes.read(read(SYSTEM, self.folder / CODE_NOTE)) if self.folder is not None else None
        except OSError:
            return None
        return said if said is not None and said.get("form") == FORM else None

    def begin(self) -> None:
        """Lay an empty file down where there is none that can be trusted. Raises `OSError`."""
        if self.folder is None or self._on_disk:
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with writer_lock(self.folder, PATIENCE_S):
            self.close()
            if self._open():
                return  # another process did meanwhile
            self.close()
            for ending in ("", "-journal", "-wal", "-shm"):
                (self.folder / (CODE_GRAPH + ending)).unlink(missing_ok=True)
            if not self._connected(self.folder / CODE_GRAPH):
                self._connected(None)
            self._save()

    def _rows(self, query: str, *values: str) -> list[tuple[str, ...]]:
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error:
            return []  # likewise: see `SqliteGraph`

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One write: under the index's lock, committed whole, and said by the note."""
        kept = self.folder if self._on_disk else None
        with writer_lock(kept, PATIENCE_S) if kept is not None else nullcontext():
            try:
                yield
            except sqlite3.Error as error:
                self._connection.rollback()
                raise OSError(f"the graph of the code cannot be written ({error})") from error
            self._connection.commit()
            self._save()

    def _save(self) -> None:
        """Say what the file is now: a kill before this leaves one that nobody trusts."""
        if self.folder is not None and self._on_disk:
            said = {"schema": 1, "form": FORM, "tree": self.tree, "sha256": sha256(self.folder / CODE_GRAPH)}
            write_whole(self.folder / CODE_NOTE, notes.write(said), durable=False)
            self._stamp = self._now()

    def _now(self) -> object:
        try:
            state = (self.folder / CODE_NOTE).stat() if self.folder is not None else None
        except OSError:
            return None
        return state and (state.st_ino, state.st_mtime_ns, state.st_size)


def _edges(path: str, facts: Facts, wanted: Iterable[str]) -> Iterable[tuple[str, str, str]]:
    here = f"file:{path}"
    yield from ((here, "imports", node) for node in wanted)
    for each in facts.symbols:
        symbol = f"symbol:{path}#{each.name}"
        yield symbol, "seen_in", here
        yield symbol, NAMED, f"name:{each.name.rpartition('.')[2]}"


def _key(blob: str, language: str) -> str:
    return f"{blob}:{language}"


def _dump(facts: Facts) -> str:
    symbols = [[s.name, s.line, s.end_line, s.cyclomatic, s.cognitive] for s in facts.symbols]
    return json.dumps([facts.imports, symbols], separators=(",", ":"))
