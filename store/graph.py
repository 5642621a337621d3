"""Named nodes and typed edges, in SQLite or in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from .items import Item

#: The commit that wrote what a memory mends causes it: kept from the memory's side.
CAUSED_BY = "caused_by"


class SqliteGraph:
    """`Graph` in an SQLite file, or in memory where `path` is None; `settled` is one that nobody changes."""

    def __init__(self, path: Path | None = None, *, settled: bool = False) -> None:
        where = (
            ":memory:"
            if path is None
            else f"{path.absolute().as_uri()}?mode=ro&immutable=1"
            if settled
            else path
        )
        self._connection = sqlite3.connect(where, check_same_thread=False, uri=settled)
        # A power cut may damage it: its hash then differs, and it is made again.
        self._connection.execute("pragma synchronous = off")
        known = "select 1 from sqlite_master where type = 'table' and name = 'edges'"
        if self._connection.execute(known).fetchone() is None:
            with self._connection:
                # The key leads with the node that an edge leaves; the index serves the other direction.
                self._connection.execute(
                    "create table if not exists edges"
                    " (node text, relation text, target text, primary key (node, relation, target))"
                )
                self._connection.execute(
                    "create index if not exists edges_target_relation on edges (target, relation)"
                )

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, for whoever keeps more beside the edges."""
        return self._connection

    def link(self, edges: Iterable[tuple[str, str, str]]) -> None:
        """Add (from, relation, to); an edge that is there already stays one."""
        with self._connection:
            self._connection.executemany(
                "insert or ignore into edges (node, relation, target) values (?, ?, ?)", edges
            )

    def unlink(self, node: str) -> None:
        """Take out the edges that leave `node`."""
        self.unlink_all([node])

    def unlink_all(self, nodes: Iterable[str]) -> None:
        """Take out the edges that leave any of `nodes`, in one transaction."""
        with self._connection:
            self._connection.executemany("delete from edges where node = ?", [(node,) for node in nodes])

    def targets(self, node: str, relation: str | None = None) -> list[tuple[str, str]]:
        """(relation, to) of the edges that leave `node`, sorted."""
        return self._ends("target", "node", node, relation)

    def sources(self, node: str, relation: str | None = None) -> list[tuple[str, str]]:
        """(relation, from) of the edges that enter `node`, sorted."""
        return self._ends("node", "target", node, relation)

    def _ends(self, far: str, near: str, node: str, relation: str | None) -> list[tuple[str, str]]:
        where, values = f"{near} = ?", [node]
        if relation is not None:
            where, values = f"{where} and relation = ?", [node, relation]
        query = f"select relation, {far} from edges where {where} order by relation, {far}"  # noqa: S608
        try:
            return [(str(found), str(end)) for found, end in self._connection.execute(query, values)]
        except sqlite3.Error:
            return []  # somebody damaged the file: whoever keeps it makes it again, and an answer does not wait

    def between(self, relation: str, low: str, high: str) -> list[str]:
        """The nodes with such an edge to a node from `low` on, and before `high`. Raises `sqlite3.Error`."""
        query = "select distinct node from edges where target >= ? and target < ? and relation = ?"
        return [str(node) for (node,) in self._connection.execute(query, [low, high, relation])]

    def nodes(self) -> set[str]:
        """The nodes that edges leave."""
        return {node for (node,) in self._connection.execute("select distinct node from edges")}

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


class MemoryGraph:
    """`Graph` in two dictionaries, one for each direction."""

    def __init__(self) -> None:
        self._out: dict[str, set[tuple[str, str]]] = {}
        self._into: dict[str, set[tuple[str, str]]] = {}

    def link(self, edges: Iterable[tuple[str, str, str]]) -> None:
        """Add (from, relation, to); an edge that is there already stays one."""
        for node, relation, to in edges:
            self._out.setdefault(node, set()).add((relation, to))
            self._into.setdefault(to, set()).add((relation, node))

    def unlink(self, node: str) -> None:
        """Take out the edges that leave `node`."""
        for relation, to in self._out.pop(node, set()):
            self._into[to].discard((relation, node))
            if not self._into[to]:
                del self._into[to]

    def unlink_all(self, nodes: Iterable[str]) -> None:
        """Take out the edges that leave any of `nodes`."""
        for node in nodes:
            self.unlink(node)

    def targets(self, node: str, relation: str | None = None) -> list[tuple[str, str]]:
        """(relation, to) of the edges that leave `node`, sorted."""
        return sorted(edge for edge in self._out.get(node, ()) if relation in (None, edge[0]))

    def sources(self, node: str, relation: str | None = None) -> list[tuple[str, str]]:
        """(relation, from) of the edges that enter `node`, sorted."""
        return sorted(edge for edge in self._into.get(node, ()) if relation in (None, edge[0]))

    def nodes(self) -> set[str]:
        """The nodes that edges leave."""
        return set(self._out)

    def close(self) -> None:
        """Nothing to let go of."""


def edges(item: Item) -> Iterator[tuple[str, str, str]]:
    """What a memory is tied to in the graph; all of it leaves the memory, so that a new version of it replaces it."""
    paths = {item.path, *(each.path for each in item.evidence)} - {""}
    yield from ((item.id, "seen_in", f"file:{path}") for path in sorted(paths))
    symbols = {(each.path, each.symbol) for each in item.evidence if each.path and each.symbol}
    yield from ((item.id, "seen_in", f"symbol:{path}#{name}") for path, name in sorted(symbols))
    commits = {each.commit for each in item.evidence} - {""}
    yield from ((item.id, "fixed_by", f"commit:{commit}") for commit in sorted(commits))
    if item.written:
        yield item.id, CAUSED_BY, f"commit:{item.written}"
    for relation, others in (
        ("learnt_from", item.sources),
        ("supersedes", item.supersedes),
        ("requires", item.requires),
        ("causes", item.causes),
    ):
        yield from ((item.id, relation, m) for m in sorted(set(others) - {item.id}))
