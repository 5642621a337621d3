"""Whether what a memory speaks of still stands in the code that is checked out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

import pygit2
from pygit2.enums import DeltaStatus

from ..recall.candidates import places
from ..store.items import Evidence, Item
from ..store.secrets import MARK
from .state import State

FILE_GONE, CODE_GONE, REWRITTEN = "that file is gone", "that code is gone", "that code was rewritten since"
#: So many files are looked into for code that moved, and the largest in bytes.
MOVED, LARGEST = 8, 512 * 1024
#: Of more changes since no renamed file is looked for.
CHANGED = 3_000
#: So many answers are kept.
SAID = 4_096
_KEPT = 64


def standing(state: State) -> Callable[[Item], str]:
    """What says of a memory that its code is not there any more; empty where it is, or where nobody can tell.

    Code stands where its file is what it was, or holds what the correction made of it; a file that was renamed is found
    by its content, its name, or the function that it holds.
    """
    tree, code, root = state.tree(), state.code(), state.place.root
    repository = state.repository

    @lru_cache(maxsize=_KEPT)
    def text(blob: str) -> str:
        held = repository[blob]
        if not isinstance(held, pygit2.Blob) or held.size > LARGEST:
            return ""
        return " ".join(held.data.decode("utf-8", "replace").split())

    def then(one: Evidence) -> str:
        try:
            return _blob(repository[one.commit].peel(pygit2.Tree), one.path) if one.commit else ""
        except (KeyError, ValueError, pygit2.GitError):
            return ""

    def renamed(commit: str) -> dict[str, str]:
        assert tree is not None
        key = (commit, str(tree.id))
        if key not in state.renames:
            if len(state.renames) >= _KEPT:
                state.renames.clear()
            state.renames[key] = _renamed(repository, commit, tree)
        return state.renames[key]

    def elsewhere(one: Evidence, was: str, here: str) -> Iterator[str]:
        """Where the code may have gone to."""
        if not here and one.commit and (name := renamed(one.commit).get(one.path)):
            yield name
        paths = [path for path, _ in code.called(one.symbol)] if one.symbol else []
        paths += [*code.at(was), *code.ending(one.path.rpartition("/")[2])]
        yield from list(dict.fromkeys(path for path in paths if path != one.path))[:MOVED]

    def state_of(one: Evidence) -> str:
        wanted = " ".join(one.after.split())
        if not wanted or MARK in wanted:
            wanted = ""  # what was taken out leaves nothing to be found, and a secret is not in the record
        here = _blob(tree, one.path) if tree is not None else ""
        was = then(one)
        if not here and root is not None and not one.commit and (root / one.path).exists():
            return ""  # not committed yet
        if here and (here == was or wanted in text(here)):
            return ""
        for path in elsewhere(one, was, here):
            blob = _blob(tree, path) if tree is not None else ""
            if blob and (blob == was or (wanted and wanted in text(blob))):
                return ""
        if not here:
            return FILE_GONE
        known = code.tree and tree is not None and code.tree == str(tree.id)
        return CODE_GONE if known and one.symbol and code.symbol(one.path, one.symbol) is None else REWRITTEN

    def of(item: Item) -> str:
        if tree is None or not all(one.commit for one in item.evidence):
            return look(item)  # files that are not committed come and go
        key = (item.id, item.head, str(len(item.evidence)), str(tree.id), code.tree)
        if key not in state.standings:
            if len(state.standings) >= SAID:
                state.standings.clear()
            state.standings[key] = look(item)
        return state.standings[key]

    def look(item: Item) -> str:
        shown = [one for one in item.evidence if one.path]
        if tree is None or not (shown or item.path):
            return ""
        if item.kind not in ("correction", "rule") or not shown:
            there = any(
                _blob(tree, path) or (root is not None and (root / path).exists()) for path in places(item)
            )
            return "" if there else FILE_GONE
        said = [state_of(one) for one in shown]
        if "" in said:
            return ""
        return REWRITTEN if REWRITTEN in said else said[0]

    return of


def _renamed(repository: pygit2.Repository, commit: str, tree: pygit2.Tree) -> dict[str, str]:
    """The files of a commit that have another name in `tree`, as git tells; nothing where too much changed."""
    try:
        changed = repository[commit].peel(pygit2.Tree).diff_to_tree(tree)
        if len(changed) > CHANGED:
            return {}
        changed.find_similar()
    except (KeyError, ValueError, pygit2.GitError):
        return {}  # a partial clone lacks some of it
    return {
        each.old_file.path: each.new_file.path
        for each in changed.deltas
        if each.status == DeltaStatus.RENAMED
    }


def _blob(tree: pygit2.Tree, path: str) -> str:
    """The blob of a path; empty where there is none."""
    try:
        held = tree[path]
    except (KeyError, ValueError, pygit2.GitError):
        return ""
    return str(held.id) if isinstance(held, pygit2.Blob) else ""
