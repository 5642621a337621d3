"""What a replay saw: its counts, by kinds of corrections, and what is to be read by a person."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .figures import Share
from .gathered import Case
from .guarding import Guarded
from .order import Order
from .sweeping import Swept


@dataclass
class Group:
    """One kind of correction: how many had an earlier like one, and how many recall brought back."""

    at_writing: Share = field(default_factory=Share)
    at_correcting: Share = field(default_factory=Share)
    kept: Share = field(default_factory=Share)  # of those asked about: a like one was in memory
    recalled: Share = field(default_factory=Share)
    bm25: Share = field(default_factory=Share)
    shuffled: Share = field(default_factory=Share)
    # The same of related ones: that brought the same interface.
    related_at_writing: Share = field(default_factory=Share)
    related: Share = field(default_factory=Share)
    related_bm25: Share = field(default_factory=Share)
    related_shuffled: Share = field(default_factory=Share)


@dataclass(frozen=True)
class Example:
    """A hit to be read by a person: `via` is what brought it."""

    via: str
    commit: str
    path: str
    subject: str
    before: str
    after: str
    corrected_in: str
    known: str


@dataclass
class Rules:
    """How far rules came: of what is alike to what was said aloud. Three corrections of two commits make one."""

    revised: int = 0
    left: int = 0  # places that stood though the guard had warned of them, and that lowered a rule
    alike: int = 0  # kinds of corrections that were seen so often by the end
    patterns: int = 0  # that were made of what was in memory, at any time, from however many commits
    written: int = 0  # rules that were written down
    silent: int = 0  # of these: that never were more than silent
    active: int = 0  # that were allowed to speak at some time
    now: int = 0  # that are at the end
    spoke: int = 0  # that found something in what was written
    reach: Share = field(default_factory=Share)  # corrections that so many alike ones preceded when written


@dataclass
class Replayed:
    """What a replay saw."""

    order: Order
    seed: int
    first: int = 0  # the place of the first commit that was looked at
    finished: bool = False
    read: int = 0
    total: int = 0
    outside: int = 0
    corrections: int = 0
    learnable: int = 0
    by_hand: Counter[str] = field(default_factory=Counter)
    by_category: Counter[str] = field(default_factory=Counter)
    by_month: Counter[str] = field(default_factory=Counter)
    caught_by_month: Counter[str] = field(default_factory=Counter)
    groups: dict[str, Group] = field(default_factory=dict)
    writers: int = 0
    replayed: int = 0
    asked: int = 0
    tokens: list[int] = field(default_factory=list)  # of tasks drawn by chance, corrected or not
    tokens_corrected: list[int] = field(default_factory=list)
    tasks: int = 0
    guard: Guarded = field(default_factory=Guarded)
    remembered: int = 0
    rules: Rules = field(default_factory=Rules)
    sweeps: Swept = field(default_factory=Swept)
    judged: int = 0  # learnable corrections of commits that the guard looked at
    examples: list[Example] = field(default_factory=list)
    shown: list[Example] = field(default_factory=list)  # answers that brought no twin
    elapsed_s: float = 0.0

    def group(self, name: str) -> Group:
        """The group of this name, begun when it is not there."""
        return self.groups.setdefault(name, Group())

    def groups_of(self, case: Case) -> list[Group]:
        """The groups that a case counts in: all that can be learnt from, its hand, its category."""
        names = [f"hand: {case.correction.hand}", f"category: {case.correction.category or 'not said'}"]
        return [self.group(name) for name in (["learnable"] if case.learnable else []) + names]
