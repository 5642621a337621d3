"""What one commit says: its files on both sides, what moved between them, what it takes back."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pygit2

from ...analyzers.languages import language_of
from ..corrections.definitions import Definitions
from ..corrections.whole import Whole
from ..lineage.lines import bare, normal, rows
from ..lineage.marks import message
from ..lineage.moved import NAME, Run, restored
from ..lineage.ownership import HUGE, Change, changes, commit_at, hunks, text_blob
from ..lineage.pairing import MOVED
from ..lineage.places import LONG_HUNK

_REVERTS = re.compile(r"\bThis reverts commit ([0-9a-f]{40})")
_SHORT = 4
#: Of a commit with more files, no moved lines are looked for.
_MANY = 300


class Committed:
    """One commit beside its first parent; of a merge, only the files that differ from every parent."""

    def __init__(self, repository: pygit2.Repository, commit: pygit2.Commit) -> None:
        self.commit = commit
        self._repository = repository
        said = message(commit)
        self.reverts = reverts(commit)
        self.is_revert = bool(self.reverts) or said[:7].lower() == "revert "
        there = [commit_at(repository, oid) for oid in commit.parent_ids]
        parents = [each for each in there if each is not None]
        self._parent = parents[0].tree if parents else None
        try:
            found = changes(repository, self._parent, commit.tree)
        except (KeyError, pygit2.GitError):
            found = []
        if len(parents) > 1:
            found = [
                each
                for each in found
                if all(_id(parent.tree, each.new_path) != each.new_id for parent in parents)
            ]
        self.changes = found
        self.gone = {each.old_path for each in self.changes if not each.new_path}
        self._added: dict[str, frozenset[bytes]] | None = None
        self._runs: dict[str, list[Run]] = {}
        self._bare: dict[str, bytes] = {}
        self._places: int | None = None
        self._counted: Whole | None = None

    def has(self, path: str) -> bool:
        """Whether the commit's tree holds the path."""
        return _id(self.commit.tree, path) is not None

    def left(self, path: str) -> bool:
        """Whether the path is no longer there."""
        return not self.has(path)

    def before(self, path: str) -> bytes | None:
        """The parent's text; empty for no file, None when it is huge, binary or missing."""
        return self._text(self._parent, path)

    def after(self, path: str) -> bytes | None:
        """The commit's text, in the same terms."""
        return self._text(self.commit.tree, path)

    def _text(self, tree: pygit2.Tree | None, path: str) -> bytes | None:
        oid = _id(tree, path) if tree is not None and path else None
        if oid is None:
            return b""
        blob = text_blob(self._repository, oid)
        return None if blob is None else normal(blob.data)

    def kept(self, paths: Iterable[str], after: str) -> bool:
        """Whether the commit has what the edit led to: only what is committed is true."""
        if not after.strip():
            return True
        self._additions()
        paths = dict.fromkeys((*paths, *self._runs))  # where it stood, or where it was moved to
        for path in paths:
            if path not in self._bare:
                self._bare[path] = bare(self.after(path) or b"")
        wanted = bare(after.encode("utf-8", "replace"))
        return any(wanted in self._bare[path] for path in paths)

    def elsewhere(self, path: str) -> frozenset[bytes]:
        """The bare lines that the commit adds to other files."""
        found: set[bytes] = set()
        for other, lines in self._additions().items():
            if other != path:
                found |= lines
        return frozenset(found)

    def put_back(self, path: str, old: bytes, new: bytes) -> tuple[bytes, frozenset[str]]:
        """A version of `path` with what this commit has moved to other files put back; and these files."""
        self._additions()
        gained = {name: runs for name, runs in self._runs.items() if name != path and runs}
        return restored(old, new, gained)

    @property
    def places(self) -> int:
        """How many places of code that was there before it changed, counted as the walk through a history does;
        0 where there are too many files to count.
        """
        if self._places is None:
            self._places = 0
            for each in self.changes if len(self.changes) <= _MANY else ():
                if each.old_id is None or not each.new_path or language_of(each.new_path) is None:
                    continue
                old, new = (
                    self._text(self._parent, each.old_path),
                    self._text(self.commit.tree, each.new_path),
                )
                if old is not None and new is not None:
                    self._places += sum(
                        0 < hunk.old_lines <= LONG_HUNK and hunk.new_lines <= LONG_HUNK
                        for hunk in hunks(old, new)
                    )
        return self._places

    @property
    def counted(self) -> Whole | None:
        """What all its places say; None for a merge, which brings what others changed."""
        if self._counted is None and len(self.commit.parent_ids) < 2:
            self._counted = Definitions(self._repository).whole(self.commit)
        return self._counted

    def like(self, lines: Collection[bytes], text: bytes) -> Change | None:
        """The file that gained most of these bare lines, if it gained enough of them to be their new home.

        Where a person changed nearly each line, a new file is known by the words of the generated `text`.
        """
        if not lines:
            return None
        scores = {path: len(added.intersection(lines)) for path, added in self._additions().items()}
        best = max(scores, key=lambda path: (scores[path], path), default=None)
        found: set[bytes] = set()
        for added in self._additions().values():
            found |= added.intersection(lines)
        if best is not None and len(found) < MOVED * len(lines):  # several may share them: a file was split
            best = self._new_file(set(NAME.findall(text)))
        return next((each for each in self.changes if each.new_path == best), None)

    def _new_file(self, words: Collection[bytes]) -> str | None:
        added = [each.new_path for each in self.changes if not each.old_path and each.new_path in self._runs]
        shared = {
            path: len(
                set(NAME.findall(b"\n".join(row for run in self._runs[path] for row in run))) & set(words)
            )
            for path in added
        }
        best = max(added, key=lambda path: (shared[path], path), default=None)
        return best if best is not None and shared[best] >= max(2, MOVED * len(words)) else None

    def _additions(self) -> dict[str, frozenset[bytes]]:
        if self._added is None:
            self._added = {}
            for each in self.changes if len(self.changes) <= _MANY else ():
                old = self._text(self._parent, each.old_path)
                new = self._text(self.commit.tree, each.new_path)
                if not each.new_path or old is None or new is None:
                    continue
                present = rows(new)
                runs = [
                    present[hunk.new_start - 1 : hunk.new_start - 1 + hunk.new_lines]
                    for hunk in hunks(old, new)
                    if hunk.new_lines
                ]
                self._runs[each.new_path] = list(runs)
                self._added[each.new_path] = frozenset(
                    line for run in runs for row in run if len(line := bare(row)) >= _SHORT
                )
        return self._added


class Worktrees:
    """The checked-out files of a clone: what is written there and not committed is not lost yet."""

    def __init__(self, repository: pygit2.Repository, root: Path | None) -> None:
        found = [root] if root is not None else []
        for name in repository.list_worktrees():
            with suppress(KeyError, pygit2.GitError):  # registered, and its folder is gone
                found.append(Path(repository.lookup_worktree(name).path))
        if not repository.is_bare and repository.workdir:
            found.append(Path(repository.workdir))
        self._roots = list(dict.fromkeys(found))

    def has(self, path: str) -> bool:
        """Whether any work tree has this file."""
        return any((root / path).is_file() for root in self._roots)

    def texts(self, paths: Collection[str]) -> Iterator[bytes]:
        """What the work trees have at these paths."""
        for root in self._roots:
            for path in sorted(paths):
                full = root / path
                try:
                    if full.is_file() and full.stat().st_size <= HUGE:
                        yield full.read_bytes()
                except OSError:
                    continue


def reverts(commit: pygit2.Commit) -> list[str]:
    """The commits that this one says to take back."""
    return _REVERTS.findall(message(commit))


def holds(tree: pygit2.Tree, path: str) -> bool:
    """Whether the tree has a file at this path."""
    return _id(tree, path) is not None


def versions(
    repository: pygit2.Repository, commits: Sequence[str], path: str
) -> list[tuple[int, pygit2.Oid]]:
    """(number of the commit, blob) of a path, where these commits (ids) brought one that none before them had."""
    found: dict[pygit2.Oid, int] = {}
    for number, oid in enumerate(commits):
        commit = commit_at(repository, oid)
        blob = _id(commit.tree, path) if commit is not None else None
        if blob is not None:
            found.setdefault(blob, number)
    return [(number, blob) for blob, number in found.items()]


def _id(tree: pygit2.Tree, path: str) -> pygit2.Oid | None:
    try:
        found = tree[path]
    except (KeyError, ValueError):
        return None
    return found.id if isinstance(found, pygit2.Blob) else None
