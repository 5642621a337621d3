"""Keeping the graph of the code at what is checked out: each new blob is read once, in the background."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pygit2

from ..analyzers.languages import is_generated, language_of
from ..repo import trees
from ..store import notes
from ..store.durable import SYSTEM, read
from ..store.layout import CODE_NOTE, TREES
from .state import State

if TYPE_CHECKING:
    from ..store.codegraph import Facts

#: Larger files are not read; of one file so many definitions are kept.
LARGEST, SYMBOLS = 512 * 1024, 2_000
#: Blobs that are kept at a time: so much is read again after a kill.
_BATCH = 100
_STEP = 20


def due(state: State) -> bool:
    """Whether something else is checked out than the graph is of: cheap, for the daemon's every round."""
    tree = state.tree()
    try:
        said = notes.read(read(SYSTEM, state.code_folder / CODE_NOTE))
    except OSError:
        said = None
    return tree is not None and (said or {}).get("tree") != str(tree.id)


def chart(state: State) -> Iterator[None]:
    """Bring the graph to what is checked out; yields in between, so that whoever asks may stop, or go on later.

    What was read of a blob is kept, so nothing is lost where it is not gone on with. Files that are missing (a partial
    clone), ignored or generated are passed over. Raises `OSError`, `BusyError`.
    """
    tree, code = state.tree(), state.code()
    if tree is None or code.tree == str(tree.id):
        return
    code.begin()
    paths = {path: str(blob.id) for path, blob in trees.files(tree)}
    wanted = {
        path: (blob, language)
        for path, blob in paths.items()
        if (language := language_of(path)) and not is_generated(path) and not state.ignored.matches(path)
    }
    yield
    known, learnt = code.known(), {}
    for key in sorted(set(wanted.values()) - known):
        learnt[key] = _facts(state.repository, *key)
        if len(learnt) >= _BATCH:
            code.learn(learnt)
            learnt = {}
        yield
    code.learn(learnt)
    yield from _link(state, tree, paths, wanted)
    forget(state)


def forget(state: State) -> None:
    """Take the graphs of work trees away that git has forgotten."""
    try:
        for folder in (state.place.store / "index" / TREES).iterdir():
            if not (state.place.common / "worktrees" / folder.name).is_dir():
                shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        return  # there are none


def catch_up(state: State, seconds: float) -> bool:
    """Go on for about that long; whether the graph is that of what is checked out."""
    end = time.monotonic() + seconds
    return all(time.monotonic() <= end for _ in chart(state))


def _link(
    state: State, tree: pygit2.Tree, paths: dict[str, str], wanted: dict[str, tuple[str, str]]
) -> Iterator[None]:
    """Say what leads where: a new file may be what an old one has imported all along."""
    from ..analyzers.dependencies import Import, Resolver
    from ..store.codegraph import Facts

    code = state.code()
    resolver = Resolver(paths.keys(), lambda path: _data(state.repository, paths[path]))
    held = code.files()
    changed = {}
    for number, (path, (blob, language)) in enumerate(sorted(wanted.items()), 1):
        facts = code.facts(blob, language) or Facts()
        found: dict[str, None] = {}
        for module, names in facts.imports:
            for each in resolver.resolve(path, language, Import(module, names)):
                found[each if each.startswith("module:") else f"file:{each}"] = None
        found.pop(f"file:{path}", None)
        if held.get(path) != blob or set(found) != code.linked(path):
            changed[path] = (blob, language, tuple(found))
        if number % _STEP == 0:
            yield
    code.link(str(tree.id), changed, held.keys() - wanted.keys(), done=True)


def _facts(repository: pygit2.Repository, blob: str, language: str) -> Facts:
    from ..analyzers.complexity import definitions
    from ..analyzers.dependencies import imported
    from ..store.codegraph import Facts, Symbol

    data = _data(repository, blob)
    if data is None or is_generated("", data) or b"\0" in data[:8192]:
        return Facts()
    imports = tuple((each.module, each.names) for each in imported(data.decode("utf-8", "replace"), language))
    symbols: dict[str, Symbol] = {}
    for each in definitions(data, language):
        if each.name.rpartition(".")[2] and len(symbols) < SYMBOLS:
            made = Symbol(each.name, each.line, each.end_line, each.cyclomatic, each.cognitive)
            symbols.setdefault(each.name, made)
    return Facts(imports, tuple(symbols.values()))


def _data(repository: pygit2.Repository, blob: str) -> bytes | None:
    try:
        found = repository[blob]
    except (KeyError, ValueError, pygit2.GitError):
        return None
    return found.data if isinstance(found, pygit2.Blob) and found.size <= LARGEST else None
