"""`graph`: what lies around a memory, a file, a symbol, a commit or a conversation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pygit2

from ..repo.errors import BusyError, PlaceError, UsageError
from ..store.fold import View
from ..store.kinds import Execution, Generation, Outcome, Reason
from ..store.secrets import clean
from . import charting
from .contracts import SCHEMA
from .state import State

if TYPE_CHECKING:
    from ..store.graph import MemoryGraph
    from ..store.items import Item

#: How long a question for the graph reads code that the daemon has not come to, in seconds.
BUDGET_S = 5.0
DEPTH = 4
#: The nearest others of a memory that count as similar, and how near they must be.
SIMILAR, NEAR = 4, 0.6
_HEX = re.compile(r"[0-9a-fA-F]{4,40}\Z")


def graph(
    state: State, *, what: str, depth: int = 1, relations: Sequence[str] = (), cwd: str | None = None
) -> dict[str, object]:
    """What is at most `depth` steps from `what`: a memory's id, a path, a symbol, a commit, a conversation.

    Raises `UsageError` for what is not known, or may mean several things.
    """
    from ..store.graph import MemoryGraph
    from ..store.neighbourhood import RELATIONS, neighbourhood

    if unknown := [each for each in relations if each not in RELATIONS]:
        raise UsageError(f"there is no relation {unknown[0]}", f"The relations: {', '.join(RELATIONS)}.")
    if not 1 <= depth <= DEPTH:
        raise UsageError(f"a depth of {depth} is none", f"Give 1 to {DEPTH}.")
    notes = []
    try:
        if not charting.catch_up(state, BUDGET_S):
            notes.append("not all code is read yet: imports and symbols may lack")
    except (OSError, BusyError, PlaceError) as error:
        notes.append(f"the code could not be read anew ({error})")
    items = {item.id: item for item in state.items()}
    index, said = state.index(), told(state.view())
    root = _root(state, what, cwd, items, said)
    similar = MemoryGraph()
    if root in items and (not relations or "similar_to" in relations):
        similar.link((root, "similar_to", m) for m in _similar(state, items[root]) if m in items)
    graphs = (index.graph, state.code().graph, said, similar)
    found = neighbourhood(graphs, root, depth, tuple(relations) or RELATIONS)
    result: dict[str, object] = {
        "schema": SCHEMA,
        "root": root,
        "nodes": [
            {
                "id": node,
                "kind": _kind(node, items),
                "title": _title(state, node, items),
                "depth": far,
                "left_out": found.left.get(node, 0),
                **_complexity(state, node),
            }
            for node, far in found.nodes.items()
        ],
        "edges": [
            {"from": each.source, "relation": each.relation, "to": each.target} for each in found.edges
        ],
        "left_out": sum(found.left.values()),
        "notes": notes,
    }
    cleaned: dict[str, object] = clean(result)[0]
    return cleaned


def told(view: View) -> MemoryGraph:
    """Conversations and the commits that decided what was generated in them, by what is recorded."""
    from ..store.graph import MemoryGraph

    of: dict[str, str] = {
        record.m: f"conversation:{name}"
        for record in view.of_kind(Execution.KIND)
        if (name := record.body.get("conversation"))
    }
    made: dict[str, str] = {
        record.m: of[execution]
        for record in view.of_kind(Generation.KIND)
        if (execution := str(record.body.get("execution", ""))) in of
    }
    out = MemoryGraph()
    for record in view.of_kind(Outcome.KIND, Reason.KIND):
        body = record.body
        if record.kind == Outcome.KIND and body.get("generation") in made and body.get("commit"):
            out.link([(f"commit:{body['commit']}", "seen_in", made[str(body["generation"])])])
        elif record.kind == Reason.KIND and body.get("execution") in of:
            out.link([(str(body.get("of")), "seen_in", of[str(body["execution"])])])
    return out


def _root(state: State, what: str, cwd: str | None, items: Mapping[str, Item], said: MemoryGraph) -> str:
    """The node that is meant."""
    word = what.strip()
    if not word:
        raise UsageError("nothing is named", "Give a memory's id, a path, a symbol or a commit.")
    if _HEX.match(word):
        ids = state.view().find(word.lower())
        if len(ids) > 1:
            raise UsageError(f"{len(ids):,} memories begin with {word}", "Give more of the id.")
        if ids:
            return ids[0]
    if (path := _path(state, word, cwd)) is not None:
        return f"file:{path}"
    if commit := _commit(state, word):
        return f"commit:{commit}"
    place, mark, name = word.rpartition("#")
    symbols = [each for each in state.code().called(name or word) if not mark or each[0] == place]
    if len(symbols) == 1:
        return "symbol:{}#{}".format(*symbols[0])
    if symbols:
        raise UsageError(
            f"{len(symbols):,} things are called {word}",
            "Name one of them: " + ", ".join("#".join(each) for each in sorted(symbols)[:5]),
        )
    if said.sources(f"conversation:{word}"):
        return f"conversation:{word}"
    raise UsageError(
        f"nothing that is called {word} is known",
        "Give a memory's id, a path, a symbol or a commit; `cortex log` lists the memories.",
    )


def _path(state: State, word: str, cwd: str | None) -> str | None:
    try:
        path = state.path(word, cwd)
    except (PlaceError, UsageError):
        return None
    tree = state.tree()
    try:
        if path and tree is not None and isinstance(tree[path], pygit2.Blob):
            return path
    except (KeyError, ValueError, pygit2.GitError):
        pass  # not in the tree; a memory may have been seen there all the same
    node = f"file:{path}"
    return path if path and (state.index().graph.sources(node) or state.code().graph.sources(node)) else None


def _commit(state: State, word: str) -> str:
    if not (_HEX.match(word) or word == "HEAD"):
        return ""
    try:
        return str(state.repository.revparse_single(word).peel(pygit2.Commit).id)
    except (KeyError, ValueError, pygit2.GitError):
        return ""


def _similar(state: State, item: Item) -> list[str]:
    """The memories whose code or text is nearest to a memory's own."""
    encoder, text = state.models.encoder, item.code or f"{item.title}\n{item.text}"
    if not text.strip():
        return []
    row = encoder.encode([text], kind="code" if item.code else "query")[0]
    hits = state.index().vectors(row, SIMILAR + 1)
    return [m for m, cosine in hits if m != item.id and cosine >= NEAR][:SIMILAR]


def _kind(node: str, items: Mapping[str, Item]) -> str:
    kind, mark, _ = node.partition(":")
    return kind if mark else items[node].kind if node in items else "memory"


def _title(state: State, node: str, items: Mapping[str, Item]) -> str:
    kind, mark, name = node.partition(":")
    if not mark:
        return items[node].title if node in items else "a memory that is not there"
    if kind == "symbol":
        path, _, called = name.partition("#")
        return f"{called} in {path}"
    if kind == "commit":
        try:
            held = state.repository[name].peel(pygit2.Commit)
        except (KeyError, ValueError, pygit2.GitError):
            return f"{name[:10]} (not in this clone)"
        subject = held.message.strip().partition("\n")[0]
        return f"{name[:10]} {subject}".strip()
    return name


def _complexity(state: State, node: str) -> dict[str, int]:
    """How complex a function is; 0 and 0 for all else."""
    path, _, name = node.removeprefix("symbol:").partition("#")
    found = state.code().symbol(path, name) if node.startswith("symbol:") else None
    return {
        "cyclomatic": found.cyclomatic if found else 0,
        "cognitive": found.cognitive if found else 0,
    }
