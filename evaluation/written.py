"""What was written: the lines that a commit added, hunk by hunk, and what became of a place in them later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pygit2

from ..analyzers.languages import is_generated, language_of
from ..learning.lineage.marks import Marks, message
from ..learning.lineage.ownership import Change, changes, commit_at, hunks, text_blob
from ..learning.lineage.places import made_by_a_tool, text_of
from ..learning.past.asked import MANY_FILES
from ..learning.past.history import COMMITS, DAYS
from ..repo import trees
from .order import Order

LARGEST = 512 * 1024
_DAY = 86_400


@dataclass(frozen=True)
class Written:
    """One file of a commit: its text then, and the runs of lines (from 1, both ends) that the commit added."""

    commit: str
    at: int
    subject: str
    path: str
    language: str
    text: str
    runs: tuple[tuple[int, int], ...]

    @property
    def added(self) -> frozenset[int]:
        """The lines that came."""
        return frozenset(line for first, last in self.runs for line in range(first, last + 1))


def written(repository: pygit2.Repository, marks: Marks, order: Order, at: int) -> list[Written]:
    """The source files that the commit at a place wrote in; none of one that changed very many."""
    commit = commit_at(repository, pygit2.Oid(raw=order.commits[at]))
    if commit is None:
        return []
    try:
        parents = commit.parents
        found = changes(repository, parents[0].tree if parents else None, commit.tree)
    except (KeyError, pygit2.GitError):
        return []
    if len(found) > MANY_FILES:
        return []
    mark = marks.of(commit)
    out = []
    for change in found:
        language = language_of(change.new_path) if change.new_path else None
        if language is None or change.old_id == change.new_id or is_generated(change.new_path):
            continue
        text = text_of(repository, change.new_id)
        if text is None or made_by_a_tool(change.new_path, text.encode()):
            continue
        runs = _runs(repository, change, text)
        if mark.agent and mark.lines is not None:
            runs = [run for run in runs if any(mark.wrote(change.new_path, line) for line in _lines(run))]
        if runs:
            subject = message(commit).strip().partition("\n")[0][:200]
            out.append(Written(str(commit.id), at, subject, change.new_path, language, text, tuple(runs)))
    return out


def _runs(repository: pygit2.Repository, change: Change, text: str) -> list[tuple[int, int]]:
    new = text_blob(repository, change.new_id)
    old = text_blob(repository, change.old_id)
    if new is None or (change.old_id is not None and old is None):
        return []
    if old is None:
        return [(1, text.count("\n") + (not text.endswith("\n")))] if text else []
    return [
        (each.new_start, each.new_start + each.new_lines - 1) for each in hunks(old, new) if each.new_lines
    ]


def _lines(run: tuple[int, int]) -> range:
    return range(run[0], run[1] + 1)


def accepted(repository: pygit2.Repository, order: Order, before: int) -> Iterator[tuple[str, str]]:
    """Path and text of the sources as they were just before a place of the order."""
    commit = commit_at(repository, pygit2.Oid(raw=order.commits[before - 1])) if before else None
    for path, entry in trees.files(commit.tree) if commit is not None else ():
        if language_of(path):
            blob = text_blob(repository, entry.id)  # none where a partial clone lacks it
            if blob is not None and blob.size <= LARGEST and not is_generated(path, blob.data[:4096]):
                yield path, blob.data.decode("utf-8", "replace")


@dataclass(frozen=True)
class Fate:
    """What became of a flagged place: "fixed" so, "changed" otherwise, or "stood"; by which commit."""

    kind: str
    commit: str = ""
    by: str = ""  # person, agent


def is_over(order: Order, at: int, now: int) -> bool:
    """Whether at place `now` it is too late for a correction of what was written at place `at`."""
    return now - at > COMMITS or order.times[now] - order.times[at] > DAYS * _DAY


class Follower:
    """Looks at what later commits did to places, within the limits of a correction."""

    def __init__(self, repository: pygit2.Repository, marks: Marks, order: Order) -> None:
        self._repository, self._marks, self._order = repository, marks, order
        self._later: dict[tuple[int, str], list[tuple[pygit2.Commit, pygit2.Oid, pygit2.Oid | None]]] = {}

    def fate(self, at: int, path: str, line: str, before: str, after: str) -> Fate:
        """Whether a later commit replaced `line` (which holds `before`) by lines that hold `after`."""
        gone, came = squeezed(before), squeezed(after)
        wanted = line.strip()
        for commit, old_id, new_id in self._versions(at, path):
            old, new = text_blob(self._repository, old_id), text_blob(self._repository, new_id)
            if new_id is None or old is None or new is None:
                return Fate("changed", str(commit.id))
            if wanted.encode() in new.data and old.data.count(wanted.encode()) <= new.data.count(
                wanted.encode()
            ):
                continue
            was, now = (side.data.decode("utf-8", "replace").split("\n") for side in (old, new))
            for hunk in hunks(old, new):
                removed = was[hunk.old_start - 1 : hunk.old_start - 1 + hunk.old_lines]
                if not hunk.old_lines or not any(each.strip() == wanted for each in removed):
                    continue
                added = now[hunk.new_start - 1 : hunk.new_start - 1 + hunk.new_lines]
                there, here = squeezed("\n".join(removed)), squeezed("\n".join(added))
                if here.count(came) > there.count(came) and (
                    here.count(gone) < there.count(gone) or gone in came
                ):
                    mark = self._marks.of(commit)
                    return Fate(
                        "fixed", str(commit.id), "agent" if mark.agent and mark.lines is None else "person"
                    )
                return Fate("changed", str(commit.id))
        return Fate("stood")

    def _versions(self, at: int, path: str) -> list[tuple[pygit2.Commit, pygit2.Oid, pygit2.Oid | None]]:
        """The commits that changed a path soon after a place, with both versions."""
        known = self._later.get((at, path))
        if known is not None:
            return known
        out: list[tuple[pygit2.Commit, pygit2.Oid, pygit2.Oid | None]] = []
        order = self._order
        entries: dict[bytes, pygit2.Oid | None] = {}
        for place in range(at + 1, min(len(order.commits), at + COMMITS + 1)):
            if is_over(order, at, place):
                break
            commit = commit_at(self._repository, pygit2.Oid(raw=order.commits[place]))
            if commit is None or len(commit.parent_ids) != 1:
                continue
            parent = commit_at(self._repository, commit.parent_ids[0])
            if parent is None:
                continue
            for each in (parent, commit):  # mostly the one before: looked up once
                if each.id.raw not in entries:
                    entries[each.id.raw] = _entry(each, path)
            old, new = entries[parent.id.raw], entries[commit.id.raw]
            if old is not None and old != new:
                out.append((commit, old, new))
        if len(self._later) > 256:
            self._later.clear()
        self._later[(at, path)] = out
        return out


def _entry(commit: pygit2.Commit, path: str) -> pygit2.Oid | None:
    try:
        return commit.tree[path].id
    except (KeyError, ValueError, pygit2.GitError):
        return None


def squeezed(text: str) -> str:
    """A text without white space and choice of quotes."""
    return "".join(text.split()).replace("'", '"')
