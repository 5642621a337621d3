"""What a commit defines and changes in all its places.

A name that came with its own definition is the work going on, and no lesson by itself.
"""

from __future__ import annotations

import re
from collections import OrderedDict

import pygit2

from ...analyzers.languages import is_generated, language_of, words
from ..lineage.ownership import changes, commit_at, hunks, text_blob
from .whole import Whole, whole

_NAME = r"([A-Za-z_$][\w$]*)"
_NAMES = re.compile(r"[A-Za-z_$][\w$]*")
_TEXT = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`[^`]*`")
_EVERYWHERE = re.compile(
    r"\b(?:def|func|function|class|type|interface|enum|const|let|var)\s+(?:\([^)]*\)\s*)?" + _NAME
)
#: Fields and parameters stand on rows of their own. Of calls, `name=value,` is an argument, and defines nothing.
_ROWS = {
    "go": (re.compile(r"^\s*" + _NAME + r"\s+[*\[\]\w\".]"),),
    "python": (
        re.compile(r"^\s*(?:self\.)?" + _NAME + r"\s*:\s*\S"),
        re.compile(r"^\s*self\." + _NAME + r"\s*=[^=]"),
    ),
}
_SCRIPT = (
    re.compile(r"^\s*(?:(?:public|private|protected|readonly|static|async)\s+)*" + _NAME + r"\s*\(.*\{\s*$"),
    re.compile(r"^\s*(?:(?:public|private|protected|readonly|static)\s+)*" + _NAME + r"\??\s*:.*[^,{(\[]$"),
)
_NOT_NAMES = words(
    """if else elif for while switch case return go defer range select package import from func type var const
    default try except catch finally with as lambda class def async await function let new yield raise throw
    true false null nil undefined True False None this self not and or in is"""
)
_COMMITS = 32
#: A commit of more files is not looked through for definitions.
_FILES = 300


class Definitions:
    """The names that commits define, and what they change, for the last few that were asked for."""

    def __init__(self, repository: pygit2.Repository) -> None:
        self._repository = repository
        self._known: OrderedDict[bytes, tuple[frozenset[str], Whole | None]] = OrderedDict()

    def brings(self, commit: pygit2.Commit, before: str, after: str) -> bool:
        """Whether at least half of the names that `after` has over `before` were defined by this very commit."""
        came = _names(after) - _names(before)
        return bool(came) and 2 * len(came & self._of(commit)[0]) >= len(came)

    def whole(self, commit: pygit2.Commit) -> Whole | None:
        """What all its places say; None where it has very many files, or nobody can say."""
        return self._of(commit)[1]

    def _of(self, commit: pygit2.Commit) -> tuple[frozenset[str], Whole | None]:
        key = commit.id.raw
        if key not in self._known:
            self._known[key] = self._read(commit)
            if len(self._known) > _COMMITS:
                self._known.popitem(last=False)
        return self._known[key]

    def _read(self, commit: pygit2.Commit) -> tuple[frozenset[str], Whole | None]:
        parent = commit_at(self._repository, commit.parent_ids[0]) if commit.parent_ids else None
        try:
            found = changes(self._repository, parent.tree if parent else None, commit.tree)
        except (KeyError, pygit2.GitError):
            return frozenset(), None
        if len(found) > _FILES:
            return frozenset(), None
        defined: set[str] = set()
        files = []
        for change in found:
            path = change.new_path or change.old_path
            language = language_of(path)
            if language is None or change.old_id == change.new_id:
                continue
            new, old = text_blob(self._repository, change.new_id), text_blob(self._repository, change.old_id)
            if (new is None and change.new_id is not None) or (old is None and change.old_id is not None):
                continue
            was, rows = _rows(old), _rows(new)
            places = []
            for hunk in hunks(old.data if old else b"", new.data if new else b""):
                fresh = rows[hunk.new_start - 1 : hunk.new_start - 1 + hunk.new_lines]
                gone = was[hunk.old_start - 1 : hunk.old_start - 1 + hunk.old_lines]
                places.append(("\n".join(gone), "\n".join(fresh)))
                for row in fresh:
                    defined.update(_EVERYWHERE.findall(row))
                    for pattern in _ROWS.get(language, _SCRIPT):
                        defined.update(pattern.findall(row))
            if not is_generated(path):
                files.append((path, old is None, places))
        return frozenset(defined - _NOT_NAMES), whole(files)


def _rows(blob: pygit2.Blob | None) -> list[str]:
    return blob.data.decode("utf-8", "replace").split("\n") if blob is not None else []


def _names(text: str) -> set[str]:
    return set(_NAMES.findall(_TEXT.sub(" ", text))) - _NOT_NAMES
