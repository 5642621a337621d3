"""The order in which a history happened: parents before children, whatever the clocks say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pygit2
from pygit2.enums import SortMode

from ..learning.lineage.marks import Marks
from ..learning.lineage.ownership import shallow_commits
from ..learning.past.history import RARE_AGENT

_EVERY = 512


@dataclass(frozen=True)
class Order:
    """All commits, oldest first; `at` finds one's place, `times` are in seconds and never run backwards.

    `writers` are the places of the commits that wrote the code that may be corrected: agents' where agents
    wrote, else people's.
    """

    commits: tuple[bytes, ...]
    times: tuple[int, ...]
    at: dict[bytes, int]
    writers: tuple[int, ...]
    agents: int
    shallow: bool

    @property
    def by_agents(self) -> bool:
        """Whether agents wrote enough here to be asked about alone, as the walk through history decides it."""
        return self.agents * RARE_AGENT >= len(self.commits) > 0

    def place(self, commit: str) -> int | None:
        """The place of a commit by its hex name; None when it is not there (a shallow clone)."""
        try:
            return self.at.get(bytes.fromhex(commit))
        except ValueError:
            return None


def order(
    repository: pygit2.Repository, tips: Sequence[str], told: Callable[[int], None] = lambda _: None
) -> Order:
    """Sort by time among commits that no ancestry sorts.

    A commit's time is at least its parents': a clock that ran backwards puts no child before its parent, and
    nothing that came of a commit is known before it.
    """
    walker = repository.walk(None, SortMode.TOPOLOGICAL | SortMode.TIME)
    for tip in tips:
        if tip in repository:
            walker.push(pygit2.Oid(hex=tip))
    newest_first: list[tuple[bytes, int, tuple[bytes, ...], str]] = []
    marks = Marks(repository, keep=1)
    boundary = shallow_commits(repository)
    agents = 0
    try:
        for commit in walker if tips else ():
            mark = marks.of(commit)
            agents += bool(mark.agent)
            parents = tuple(each.raw for each in commit.parent_ids)
            who = "" if mark.bot or len(parents) > 1 or commit.id.raw in boundary else mark.agent or "people"
            newest_first.append((commit.id.raw, commit.commit_time, parents, who))
            if len(newest_first) % _EVERY == 0:
                told(len(newest_first))
    except (KeyError, pygit2.GitError):  # a parent is missing: the history ends here
        pass
    clocks: dict[bytes, int] = {}
    keyed: list[tuple[int, int, bytes, str]] = []
    for number, (commit_id, time, parents, who) in enumerate(reversed(newest_first)):
        clocks[commit_id] = max([time, *(clocks[each] for each in parents if each in clocks)])
        keyed.append((clocks[commit_id], number, commit_id, who))
    keyed.sort()
    people = agents * RARE_AGENT < len(keyed)
    return Order(
        commits=tuple(each for _, _, each, _ in keyed),
        times=tuple(time for time, *_ in keyed),
        at={each: place for place, (_, _, each, _) in enumerate(keyed)},
        writers=tuple(place for place, (*_, who) in enumerate(keyed) if who and (who == "people") == people),
        agents=agents,
        shallow=bool(boundary),
    )
