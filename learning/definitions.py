"""What a commit defines: a name that came with its own definition is the work going on, and no lesson by itself."""

from __future__ import annotations

import re
from collections import OrderedDict

import pygit2

from ..analyzers.languages import language_of, words
from .ownership import changes, commit_at, hunks, text_blob

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
    """The names that commits define, for the last few that were asked for."""

    def __init__(self, repository: pygit2.Repository) -> None:
        self._repository = repository
        self._known: OrderedDict[bytes, frozenset[str]] = OrderedDict()

    def brings(self, commit: pygit2.Commit, before: str, after: str) -> bool:
        """Whether at least half of the names that `after` has over `before` were defined by this very commit."""
        came = _names(after) - _names(before)
        return bool(came) and 2 * len(came & self._of(commit)) >= len(came)

    def _of(self, commit: pygit2.Commit) -> frozenset[str]:
        key = commit.id.raw
        if key not in self._known:
            self._known[key] = frozenset(self._read(commit))
            if len(self._known) > _COMMITS:
                self._known.popitem(last=False)
        return self._known[key]

    def _read(self, commit: pygit2.Commit) -> set[str]:
        parent = commit_at(self._repository, commit.parent_ids[0]) if commit.parent_ids else None
        try:
            found = changes(self._repository, parent.tree if parent else None, commit.tree)
        except (KeyError, pygit2.GitError):
            return set()
        defined: set[str] = set()
        for change in found if len(found) <= _FILES else ():
            language = language_of(change.new_path) if change.new_path else None
            if language is None or change.old_id == change.new_id:
                continue
            new, old = text_blob(self._repository, change.new_id), text_blob(self._repository, change.old_id)
            if new is None or (old is None and change.old_id is not None):
                continue
            rows = new.data.decode("utf-8", "replace").split("\n")
            for hunk in hunks(old.data if old else b"", new.data):
                for row in rows[hunk.new_start - 1 : hunk.new_start - 1 + hunk.new_lines]:
                    defined.update(_EVERYWHERE.findall(row))
                    for pattern in _ROWS.get(language, _SCRIPT):
                        defined.update(pattern.findall(row))
        return defined - _NOT_NAMES


def _names(text: str) -> set[str]:
    return set(_NAMES.findall(_TEXT.sub(" ", text))) - _NOT_NAMES
