"""What was taken back, and what stood in its place afterwards.

A history is read newest first, so a revert is seen before what it reverts, and before both what replaced it: at the
commit that was taken back all three are known.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import pygit2

from ..lineage.marks import Mark, message
from ..lineage.ownership import Change, Hunk, commit_at, entry, hunks, text_blob

_BY_NAME = re.compile(r"\brevert(?:s|ed|ing)?(?: commit)? ([0-9a-f]{7,40})\b", re.IGNORECASE)
#: GitHub's button quotes the subject; conventional commits put it behind `revert:`.
_BY_SUBJECT = re.compile(r"(?:revert(?:\([^)]*\))?!?:|revert(?=\s+[\"“]))\s*(.+)\Z", re.IGNORECASE)
_NUMBER = re.compile(r"\s*\(#\d+\)\s*\Z")
_AGAIN = re.compile(r"\b(re-?land|re-?apply|re-?do|again|second (try|attempt)|take (2|two))\b", re.IGNORECASE)
#: A shorter subject ("update", "wip") names no commit in particular.
_TELLING = 12
#: What came again holds so much of what was taken back, in lines that say something.
_SAME, _LINES = 0.5, 3
#: A commit of more files was no single mistake.
_FILES = 20


@dataclass(frozen=True)
class TakenBack:
    """A commit was reverted by the commit `by`, which was read as number `at`.

    `agent`: by an agent's own commit. `stands`: the revert was taken back in turn, as one does to bring it again.
    """

    by: str
    at: int
    agent: bool
    stands: bool = False


@dataclass(frozen=True)
class Replaced:
    """One file of a commit that was taken back, and the commit that brought it again, changed."""

    change: Change
    again: pygit2.Commit
    after: pygit2.Oid
    lines: tuple[tuple[int, int], ...]  # of the version that was taken back: what it had added


class Reverts:
    """The reverts of a walk, and its last few hundred commits."""

    def __init__(self, repository: pygit2.Repository, reach: int) -> None:
        self._repository, self._reach = repository, reach
        self._names: dict[str, TakenBack] = {}
        self._lengths: set[int] = set()
        self._subjects: dict[str, TakenBack] = {}
        self._recent: deque[tuple[int, bytes, Collection[str] | None]] = deque(maxlen=reach)

    def note(self, commit: pygit2.Commit, at: int, mark: Mark) -> bool:
        """Whether this commit takes another one back; if so, remember which."""
        said = message(commit)
        names = [name.lower() for name in _BY_NAME.findall(said)]
        quoted = _BY_SUBJECT.match(_subject(said))
        if not names and quoted is None and said[:7].lower() != "revert ":
            return False
        undone = self.of(commit, at)
        stands = undone is not None and not undone.stands
        taken = TakenBack(str(commit.id), at, bool(mark.agent), stands)
        for name in names:
            self._names.setdefault(name, taken)
            self._lengths.add(len(name))
        if quoted and not names and len(_bare(quoted[1])) >= _TELLING:
            self._subjects[_bare(quoted[1])] = taken
        return True

    def of(self, commit: pygit2.Commit, at: int) -> TakenBack | None:
        """The revert of this commit, where one was seen."""
        if not self._names and not self._subjects:
            return None
        name = str(commit.id)
        for length in self._lengths:
            found = self._names.get(name[:length])
            if found is not None and found.at < at:
                return found
        subject = _bare(_subject(message(commit))) if self._subjects else ""
        found = self._subjects.get(subject)
        if found is None or not found.at < at <= found.at + self._reach:
            return None
        del self._subjects[subject]  # the newest commit of this name, and no other
        self._names[name] = found
        self._lengths.add(len(name))
        return found

    def passed(self, commit: pygit2.Commit, at: int, changed: Sequence[Change] | None) -> None:
        """Remember this commit: older ones may have been replaced by it. `changed` is None where nobody looked."""
        paths = None if changed is None or len(changed) > self._reach else {each.new_path for each in changed}
        self._recent.append((at, commit.id.raw, paths))

    def replaced(
        self, commit: pygit2.Commit, taken: TakenBack, changed: Sequence[Change]
    ) -> Iterator[Replaced]:
        """The files of a commit that was taken back which a later commit brought again in another form."""
        if len(changed) > _FILES:
            return
        for change in changed:
            if change.new_id is None:
                continue
            new = text_blob(self._repository, change.new_id)
            old = text_blob(self._repository, change.old_id)
            if new is None or (old is None and change.old_id is not None):
                continue
            data = new.data
            places = hunks(old.data if old else b"", data)
            found = self._again(commit, taken, change, places, data)
            if found is not None:
                yield found

    def _again(
        self, commit: pygit2.Commit, taken: TakenBack, change: Change, places: Sequence[Hunk], data: bytes
    ) -> Replaced | None:
        rows = data.split(b"\n")
        ranges = tuple(
            (each.new_start, each.new_start + each.new_lines - 1) for each in places if each.new_lines
        )
        brought = {row.strip() for first, last in ranges for row in rows[first - 1 : last]}
        solid = {row for row in brought if len(row) > 3}
        if not solid:
            return None
        title = _bare(_subject(message(commit)))
        for at, name, paths in reversed(self._recent):
            if at >= taken.at or (paths is not None and change.new_path not in paths):
                continue
            again = commit_at(self._repository, pygit2.Oid(raw=name))
            if again is None or len(again.parent_ids) != 1:
                continue
            parent = commit_at(self._repository, again.parent_ids[0])
            here = entry(again.tree, change.new_path)
            there = entry(parent.tree, change.new_path) if parent is not None else None
            if parent is None or here is None or here == there:
                continue
            came, stood = text_blob(self._repository, here), text_blob(self._repository, there)
            if came is None or self.of(again, at) is not None:
                continue
            lines = {row.strip() for row in came.data.split(b"\n")}
            if stood is not None:
                lines -= {row.strip() for row in stood.data.split(b"\n")}
            subject = _bare(_subject(message(again)))
            named = title and title in subject and len(title) >= _TELLING
            shared = len(solid & lines)
            same = len(solid) >= _LINES and shared >= _SAME * len(solid)
            if same or (shared and (named or _AGAIN.search(subject))):
                return Replaced(change, again, here, ranges)
        return None


def _subject(said: str) -> str:
    return said.strip().partition("\n")[0].strip()


def _bare(subject: str) -> str:
    """Without the number that a forge adds, and without quotation marks around it."""
    while (shorter := _NUMBER.sub("", subject).strip(" \t\"'“”")) != subject:
        subject = shorter
    return subject
