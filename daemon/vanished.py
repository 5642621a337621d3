"""Whether anything of what a correction speaks of is left in the tree: a search of its files, within bounds."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pygit2

from ..analyzers.languages import language_of
from ..repo import trees
from ..store.codegraph import CodeGraph
from ..store.items import Item
from ..store.secrets import MARK
from .standing import LARGEST, REWRITTEN
from .state import State

#: How long one answer searches: a larger tree is searched by several, and until then a memory only says so. So many
#: files are searched each time.
SEARCH_S, FILES = 0.02, 40
#: So many answers and searches that are not finished are kept.
KEPT = 4_096
#: What an edit calls, by a name that hardly anything else has: with a dot, or as long as this.
_CALL = re.compile(r"[\w$]+(?:\.[\w$]+)*(?=\()")
_OWN = 6


def vanished(
    state: State, standing: Callable[[Item], str], seconds: float = SEARCH_S
) -> Callable[[Item], bool]:
    """What says of a correction that all its places are gone, and that what it changed, what it made of it, and what
    it calls occur nowhere in today's tree; false where that is not known after so many seconds.
    """
    tree, code, end = state.tree(), state.code(), time.monotonic() + seconds

    def of(item: Item) -> bool:
        if tree is None or standing(item) in ("", REWRITTEN):
            return False
        wanted = needles(item)
        if not wanted or _defined(code, tree, item):
            return False
        key = (item.id, item.head, str(tree.id))
        if len(state.searches) >= KEPT:
            state.searches.clear()
        at = state.searches.get(key, 0)
        if isinstance(at, int) and not isinstance(at, bool):
            state.searches[key] = at = _search(state, tree, wanted, item.language, at, end)
        return at is True

    return of


def needles(item: Item) -> list[str]:
    """The texts that would show that a correction still has something to say; none where they are not known."""
    found: list[str] = []
    for one in item.evidence:
        before, after = (" ".join(side.split()) for side in (one.before, one.after))
        if MARK in before or MARK in after:
            return []  # what was taken out cannot be looked for
        found += [side for side in (before, after) if side]
        found += [f"{name}(" for name in _CALL.findall(one.before) if "." in name or len(name) >= _OWN]
    return list(dict.fromkeys(found))


def _defined(code: CodeGraph, tree: pygit2.Tree, item: Item) -> bool:
    """Whether what the edit stood in is defined in a file that is there; the graph may be of an earlier tree."""
    symbols = {one.symbol for one in item.evidence if one.symbol}
    return any(path in tree for symbol in symbols for path, _ in code.called(symbol))


def _search(
    state: State, tree: pygit2.Tree, wanted: list[str], language: str, at: int, end: float
) -> int | bool:
    """Whether none of the texts is in any file of a language; or how many files there was time for."""
    anchors = [(max(each.split(), key=len).encode(), each) for each in wanted]
    files = _files(state, tree, language)
    for number in range(at, len(files)):
        if number - at >= FILES and time.monotonic() >= end:
            return number
        held = state.repository.get(files[number])
        if not isinstance(held, pygit2.Blob) or held.size > LARGEST:
            continue
        data, text = held.data, ""
        for anchor, each in anchors:
            if anchor in data:
                text = text or " ".join(data.decode("utf-8", "replace").split())
                if each in text:
                    return False
    return True


def _files(state: State, tree: pygit2.Tree, language: str) -> list[str]:
    """The blobs of a language's files, or of all code where the language is not known."""
    key = (str(tree.id), language)
    if key not in state.of_language:
        if len(state.of_language) >= 8:
            state.of_language.clear()
        state.of_language[key] = sorted(
            str(blob.id)
            for path, blob in trees.files(tree)
            if (found := language_of(path)) and (not language or found == language)
        )
    return state.of_language[key]
