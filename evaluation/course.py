"""What a learner is taught in the course of a history: what was corrected before a place, as the daemon takes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pygit2

from ..learning.rules.lately import in_progress, text_before
from ..store.kinds import Reaction
from .gathered import Case
from .order import Order
from .scratch import Learner
from .written import accepted


class Course:
    """Teaches one learner, oldest first. `between` gives the cases that became known from one place up to another."""

    def __init__(
        self,
        repository: pygit2.Repository,
        order: Order,
        between: Callable[[int, int], Iterable[Case]],
        learner: Learner,
        first: int = 0,
    ) -> None:
        self._repository, self._order, self._between, self._learner = repository, order, between, learner
        self._known = self._first = first
        self.revised = self.left = 0

    def up_to(
        self, before: int, regular: bool, reactions: Iterable[Reaction] = (), *, ask: bool = True
    ) -> list[Case]:
        """Know what was corrected in commits before a place, and nothing of it or later; returns what is new.

        The daemon revises the rules whenever it learnt something. Here it is done where that may make a difference:
        when other rules may be made, while a rule speaks (a change in progress ends), and at `regular` times. To `ask`
        takes as long as to make rules; without it they are made at each regular time.
        """
        fresh = list(self._between(self._known, before))
        self._known = max(self._known, before)
        learner = self._learner
        added = learner.learn(fresh, self._order.times[before] * 1000) if fresh else 0
        left = learner.heed(reactions)
        self.left += left
        moved = added > 0 and (learner.moved() if ask else regular)
        if self._known > self._first and (moved or left or learner.active or (regular and learner.may)):
            self.revise(before)
        return fresh

    def revise(self, before: int) -> None:
        """Make the rules anew, on the tree and with the changes in progress just before a place."""
        tip = pygit2.Oid(raw=self._order.commits[before - 1])
        self._learner.revise(
            accepted(self._repository, self._order, before),
            in_progress(self._repository, tip),
            lambda commit, path: text_before(self._repository, commit, path),
        )
        self.revised += 1
