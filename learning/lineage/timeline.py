"""The commits of a history in the order in which they are read: newest first, children before their parents."""

from __future__ import annotations

import heapq
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence

import pygit2
from pygit2.enums import SortMode

from .marks import Marks
from .ownership import commit_at

#: Whether agents wrote here is told from so many of the newest commits: to read the words of all takes longer.
SURVEYED = 20_000
_NAME = 20  # bytes of a commit's name


class Timeline:
    """The history behind `tips`. `total` and `agents` (commits of agents among the newest) are known after `survey`.

    The order is found out once and kept as names, 20 bytes a commit.
    """

    def __init__(self, repository: pygit2.Repository, tips: Sequence[str], passed: Counter[str]) -> None:
        self._repository, self._passed = repository, passed
        self._tips = [tip for tip in tips if self._commit(tip) is not None]
        passed["no commit"] += len(tips) - len(self._tips)
        self._names = array("B")
        self.total = self.surveyed = self.agents = 0
        self.end = 0  # behind this place every commit is older than `since`

    def survey(self, marks: Marks, since: int | None) -> None:
        """Put all commits in order, and count them."""
        for commit in self._walk(SortMode.TOPOLOGICAL | SortMode.TIME):
            self._names.frombytes(commit.id.raw)
            if self.total < SURVEYED:
                self.surveyed += 1
                self.agents += bool(marks.of(commit).agent)
            self.total += 1
            if since is None or commit.commit_time >= since:
                self.end = self.total

    def commits(self) -> Iterator[pygit2.Commit]:
        """All of them, in order, after `survey`."""
        for at in range(0, len(self._names), _NAME):
            oid = pygit2.Oid(raw=self._names[at : at + _NAME].tobytes())
            yield self._repository[oid].peel(pygit2.Commit)

    def latest(self) -> Iterator[pygit2.Commit]:
        """The same without a survey, for a few new commits: ordered by their times, which has to do."""
        return self._walk(SortMode.TIME)

    def _walk(self, order: SortMode) -> Iterator[pygit2.Commit]:
        known = 0
        try:
            for commit in self._from_tips(order):
                known += 1
                yield commit
        except (KeyError, pygit2.GitError):  # a commit is missing, and libgit2 orders all of them or none
            self._passed["history ends early"] += 1
            if not known:
                yield from self._what_is_there()

    def _what_is_there(self) -> Iterator[pygit2.Commit]:
        """By time alone, down to what is missing."""
        seen = set(self._tips)
        waiting = [(-commit.commit_time, tip) for tip in self._tips if (commit := self._commit(tip))]
        heapq.heapify(waiting)
        while waiting:
            commit = self._commit(heapq.heappop(waiting)[1])
            if commit is None:
                continue
            for parent in map(str, commit.parent_ids):
                if parent not in seen and (before := self._commit(parent)):
                    seen.add(parent)
                    # Never before its child, whatever its clock says.
                    heapq.heappush(waiting, (max(-before.commit_time, -commit.commit_time), parent))
            yield commit

    def _from_tips(self, order: SortMode) -> Iterator[pygit2.Commit]:
        if not self._tips:
            return
        walker = self._repository.walk(None, order)
        for tip in self._tips:
            walker.push(pygit2.Oid(hex=tip))
        yield from walker

    def _commit(self, name: str) -> pygit2.Commit | None:
        try:
            return commit_at(self._repository, name)
        except (ValueError, pygit2.GitError):
            return None
