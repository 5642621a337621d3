"""Who added a line: blame run backwards over the whole history at once, newest commit first.

Asked lines wait at a commit; `step` takes one commit after all its children (topological order), and
either says that the commit added them or hands them on to its parents. Each commit's trees are compared
once, however many lines are asked for. The answers are `git blame`'s: renames are followed, and a merge's
lines go to the first parent that has them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import pygit2
from pygit2.enums import DeltaStatus, DiffFind, DiffOption, FileMode, SortMode

from .renames import Gone

T = TypeVar("T")
HUGE = 1 << 20
#: Renames are looked for among so many files that went or came in one commit: the search is quadratic.
RENAME_LIMIT = 400


@dataclass(frozen=True)
class Hunk:
    """One changed place of a diff without context; an empty side's `start` is the line before it."""

    old_start: int
    old_lines: int
    new_start: int
    new_lines: int


@dataclass(frozen=True)
class Change:
    """One file that differs between two trees; an empty path or id: the file is not on that side."""

    old_path: str
    new_path: str
    old_id: pygit2.Oid | None
    new_id: pygit2.Oid | None


@dataclass(frozen=True)
class Owned(Generic[T]):
    """An answer: `commit` added the line, which stands at `line` (from 1) in its version of `path`."""

    ticket: T
    commit: pygit2.Commit
    path: str
    line: int


def hunks(before: bytes | pygit2.Blob, after: bytes | pygit2.Blob) -> list[Hunk]:
    """The changed places between two texts, by git's own line difference; none for binary content."""
    old, new = _without_common_tail(
        before if isinstance(before, bytes) else before.data,
        after if isinstance(after, bytes) else after.data,
    )
    patch = pygit2.Patch.create_from(
        old, new, flag=DiffOption.INDENT_HEURISTIC, context_lines=0, interhunk_lines=0
    )
    return [Hunk(each.old_start, each.old_lines, each.new_start, each.new_lines) for each in patch.hunks]


def _without_common_tail(before: bytes, after: bytes, block: int = 1024) -> tuple[bytes, bytes]:
    """Both texts without the blocks that they end with alike, up to the end of a line.

    It saves time, and git does the same for differences without context (`trim_common_tail` in its
    xdiff-interface.c): where several smallest differences exist, only so is the same one found.
    """
    shorter, trimmed = min(len(before), len(after)), 0
    old_end, new_end = len(before), len(after)
    while (
        trimmed + block <= shorter and before[old_end - block : old_end] == after[new_end - block : new_end]
    ):
        trimmed += block
        old_end -= block
        new_end -= block
    if not trimmed:
        return before, after
    line_end = before.find(b"\n", old_end)
    recovered = len(before) - old_end if line_end < 0 else line_end + 1 - old_end
    return before[: old_end + recovered], after[: new_end + recovered]


def changes(
    repository: pygit2.Repository,
    before: pygit2.Tree | None,
    after: pygit2.Tree,
    passed: Counter[str] | None = None,
) -> list[Change]:
    """The files that differ, renames found. Links and submodules, and names that are not UTF-8, are left out, and
    counted in `passed`.

    Raises `KeyError` or `pygit2.GitError` when a tree is not there (a partial clone).
    """
    if before is None:
        diff = after.diff_to_tree(context_lines=0, swap=True)
    else:
        diff = before.diff_to_tree(after, context_lines=0)
        kinds = {delta.status for delta in diff.deltas}
        if DeltaStatus.ADDED in kinds and DeltaStatus.DELETED in kinds:
            try:
                diff.find_similar(DiffFind.FIND_RENAMES, rename_limit=RENAME_LIMIT)
            except (KeyError, pygit2.GitError):  # a blob is missing: what was moved as it stood needs none
                diff = before.diff_to_tree(after, context_lines=0)
                diff.find_similar(DiffFind.FIND_RENAMES | DiffFind.FIND_EXACT_MATCH_ONLY)
    found = []
    for delta in diff.deltas:
        old, new = delta.old_file, delta.new_file
        old_there = delta.status != DeltaStatus.ADDED and _is_file(old.mode)
        new_there = delta.status != DeltaStatus.DELETED and _is_file(new.mode)
        try:
            old_path = old.raw_path.decode() if old_there else ""
            new_path = new.raw_path.decode() if new_there else ""
        except UnicodeDecodeError:
            if passed is not None:
                passed["name not UTF-8"] += 1
            continue
        if passed is not None and not (old_path and new_path):
            passed["links and submodules"] += _is_link(old.mode) or _is_link(new.mode)
        if old_path or new_path:
            found.append(
                Change(old_path, new_path, old.id if old_there else None, new.id if new_there else None)
            )
    return found


def _is_file(mode: int) -> bool:
    return mode in (FileMode.BLOB, FileMode.BLOB_EXECUTABLE, 0o100664)


def _is_link(mode: int) -> bool:
    return mode in (FileMode.LINK, FileMode.COMMIT)


def text_blob(repository: pygit2.Repository, oid: pygit2.Oid | None) -> pygit2.Blob | None:
    """The blob when it is there, is text, and is not huge."""
    if oid is None:
        return None
    try:
        blob = repository.get(oid)
    except pygit2.GitError:
        return None
    if not isinstance(blob, pygit2.Blob) or blob.size > HUGE or blob.is_binary:
        return None
    return blob


def why_no_text(repository: pygit2.Repository, oid: pygit2.Oid | None) -> str:
    """Why `text_blob` gives nothing, in a word."""
    try:
        blob = repository.get(oid) if oid is not None else None
    except pygit2.GitError:
        return "missing"
    if not isinstance(blob, pygit2.Blob):
        return "missing"
    return "huge" if blob.size > HUGE else "binary"


def commit_at(repository: pygit2.Repository, oid: pygit2.Oid | str) -> pygit2.Commit | None:
    """The commit, where it is there."""
    found: object = repository.get(oid if isinstance(oid, pygit2.Oid) else pygit2.Oid(hex=oid))
    return found if isinstance(found, pygit2.Commit) else None


def shallow_commits(repository: pygit2.Repository) -> frozenset[bytes]:
    """The commits at which a shallow clone ends: what they seem to add is older than they are."""
    if not repository.is_shallow:
        return frozenset()
    for folder in (Path(repository.path), Path(repository.path).parent.parent):
        listed = folder / "shallow"
        if listed.is_file():
            return frozenset(bytes.fromhex(row) for row in listed.read_text().split() if len(row) == 40)
    return frozenset()


class Ownership(Generic[T]):
    """Lines that wait for the commit that added them; `T` is whatever the asker wants back."""

    def __init__(self, repository: pygit2.Repository, boundary: Collection[bytes] = frozenset()) -> None:
        self._repository = repository
        self._boundary = boundary
        self._waiting: dict[bytes, dict[str, list[tuple[int, T]]]] = {}

    def __len__(self) -> int:
        return sum(len(rows) for table in self._waiting.values() for rows in table.values())

    def ask(self, commit: pygit2.Oid, path: str, rows: Iterable[tuple[int, T]]) -> None:
        """Ask who added these (line, ticket) pairs of `path` in the version of `commit`."""
        self._hand(commit.raw, path, list(rows))

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def keep(self, wanted: Callable[[T], bool]) -> None:
        """Forget all lines whose ticket is no longer wanted."""
        for key in list(self._waiting):
            table = self._waiting[key]
            for path in list(table):
                rows = [row for row in table[path] if wanted(row[1])]
                if rows:
                    table[path] = rows
                else:
                    del table[path]
            if not table:
                del self._waiting[key]

    def waits_at(self, commit: pygit2.Oid) -> bool:
        """Whether any line waits at this commit."""
        return commit.raw in self._waiting

    def step(self, commit: pygit2.Commit, changed: Sequence[Change] | None = None) -> list[Owned[T]]:
        """The lines that `commit` added; the others now wait at its parents.

        `changed` is `changes` against the only parent, where the caller has it already.
        """
        table = self._waiting.pop(commit.id.raw, None)
        if not table or commit.id.raw in self._boundary:
            return []
        parents = [commit_at(self._repository, oid) for oid in commit.parent_ids]
        present = [parent for parent in parents if parent is not None]
        if len(present) < len(parents):
            return []
        try:
            if not present:
                rest = table
            elif len(present) == 1:
                found = (
                    changes(self._repository, present[0].tree, commit.tree) if changed is None else changed
                )
                rest = self._pass(table, present[0], found)
            else:
                rest = self._merge(table, commit, present)
        except (KeyError, pygit2.GitError):  # a tree is missing: nobody can say
            return []
        return [Owned(ticket, commit, path, line) for path, rows in rest.items() for line, ticket in rows]

    def _hand(self, commit: bytes, path: str, rows: list[tuple[int, T]]) -> None:
        if rows:
            self._waiting.setdefault(commit, {}).setdefault(path, []).extend(rows)

    def _hand_all(self, commit: bytes, table: dict[str, list[tuple[int, T]]]) -> None:
        if not table:
            return
        there = self._waiting.get(commit)
        if there is None:
            self._waiting[commit] = table
            return
        for path, rows in table.items():
            there.setdefault(path, []).extend(rows)

    def _pass(
        self, table: dict[str, list[tuple[int, T]]], parent: pygit2.Commit, found: Sequence[Change]
    ) -> dict[str, list[tuple[int, T]]]:
        """Hand to the parent what it has; what is left was added since."""
        rest: dict[str, list[tuple[int, T]]] = {}
        moved: list[tuple[str, list[tuple[int, T]]]] = []
        gone: Gone | None = None
        for change in found:
            rows = table.pop(change.new_path, None) if change.new_path else None
            if rows is None:
                continue
            if change.old_path != change.new_path:
                gone = gone or self._gone(found)
                change = _renamed(change, gone, found)
            kept, added = self._split(change, rows)
            if kept:
                moved.append((change.old_path, kept))
            if added:
                rest[change.new_path] = added
        self._hand_all(parent.id.raw, table)
        for path, rows in moved:
            self._hand(parent.id.raw, path, rows)
        return rest

    def _gone(self, found: Sequence[Change]) -> Gone:
        """The files that are only on the old side."""
        kept = {change.new_path for change in found if change.new_path == change.old_path}
        ids = {each.old_path: each.old_id for each in found if each.old_id and each.old_path not in kept}

        def read(oid: object) -> bytes | None:
            blob = text_blob(self._repository, oid) if isinstance(oid, pygit2.Oid) else None
            return None if blob is None else blob.data

        return Gone(ids, read)

    def _split(
        self, change: Change, rows: list[tuple[int, T]]
    ) -> tuple[list[tuple[int, T]], list[tuple[int, T]]]:
        """The rows that the old version has, in its line numbers, and those that it has not."""
        if change.old_id is None:
            return [], rows
        if change.old_id == change.new_id:
            return rows, []
        old, new = text_blob(self._repository, change.old_id), text_blob(self._repository, change.new_id)
        if old is None or new is None:  # huge, binary or missing: not followed further
            return [], []
        return split(hunks(old, new), rows)

    def _merge(
        self, table: dict[str, list[tuple[int, T]]], commit: pygit2.Commit, parents: Sequence[pygit2.Commit]
    ) -> dict[str, list[tuple[int, T]]]:
        """As `git blame` does: a parent with the very same file takes all; else each takes what it has."""
        against = parents[0].tree.diff_to_tree(commit.tree, context_lines=0)
        differing = {each.new_file.raw_path for each in against.deltas}
        if not differing:
            self._hand_all(parents[0].id.raw, table)
            return {}
        open_paths = {path: table.pop(path) for path in list(table) if path.encode() in differing}
        self._hand_all(parents[0].id.raw, table)
        rest: dict[str, list[tuple[int, T]]] = {}
        renames: dict[int, tuple[Gone, list[Change]]] = {}
        for path, rows in open_paths.items():
            here = entry(commit.tree, path)
            if here is None:
                continue
            there = [entry(parent.tree, path) for parent in parents]
            same = next((n for n, oid in enumerate(there) if oid == here), None)
            if same is not None:
                self._hand(parents[same].id.raw, path, rows)
                continue
            left = rows
            for n, parent in enumerate(parents):
                if not left:
                    break
                oid = there[n]
                if oid is not None:
                    change = Change(path, path, oid, here)
                else:
                    if n not in renames:
                        found = changes(self._repository, parent.tree, commit.tree)
                        renames[n] = self._gone(found), found
                    change = _renamed(Change("", path, None, here), *renames[n])
                    if not change.old_path:
                        continue
                kept, left = self._split(change, left)
                self._hand(parent.id.raw, change.old_path, kept)
            if left:
                rest[path] = left
        return rest


def split(
    found: Sequence[Hunk], rows: list[tuple[int, T]]
) -> tuple[list[tuple[int, T]], list[tuple[int, T]]]:
    """Rows of the new version into those of the old one (renumbered) and those that a hunk added."""
    starts, ends, shifts, shift = [], [], [], 0
    for hunk in found:
        # The first line behind the hunk, on each side; an empty side names the line before it.
        start = hunk.new_start if hunk.new_lines else hunk.new_start + 1
        shift += hunk.old_lines - hunk.new_lines
        starts.append(start)
        ends.append(start + hunk.new_lines)
        shifts.append(shift)
    kept, added = [], []
    for line, ticket in rows:
        at = bisect_right(starts, line) - 1
        if at < 0:
            kept.append((line, ticket))
        elif line < ends[at]:
            added.append((line, ticket))
        else:
            kept.append((line + shifts[at], ticket))
    return kept, added


def _renamed(change: Change, gone: Gone, found: Sequence[Change]) -> Change:
    """A file that is new at its path, with the one that it was renamed from, if any."""
    old = gone.source(change.new_path, change.new_id)
    old_id = next((each.old_id for each in found if each.old_path == old), None) if old else None
    return Change(old if old_id else "", change.new_path, old_id, change.new_id)


def entry(tree: pygit2.Tree, path: str) -> pygit2.Oid | None:
    """The file at `path`; None where there is none, or a link, a folder or a submodule stands there."""
    try:
        found = tree[path]
    except (KeyError, ValueError):
        return None
    return found.id if _is_file(found.filemode) else None


def owners(
    repository: pygit2.Repository, commit: pygit2.Oid, path: str, lines: Iterable[int]
) -> Iterator[tuple[int, str]]:
    """(line, commit that added it) for lines of `path` at `commit`, as `git blame` gives them."""
    asked: Ownership[int] = Ownership(repository, shallow_commits(repository))
    asked.ask(commit, path, [(line, line) for line in lines])
    for each in repository.walk(commit, SortMode.TOPOLOGICAL | SortMode.TIME):
        if asked.waits_at(each.id):
            for owned in asked.step(each):
                yield owned.ticket, str(owned.commit.id)
        if not asked:
            return
