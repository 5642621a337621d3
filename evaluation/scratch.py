"""A memory that lives as long as one replay: the same records, folds, rules and index, and no disk under them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ..learning.candidates import SELDOM, Candidate, Candidates
from ..learning.guard import ActiveRule
from ..learning.lifecycle import ACTIVE, SHADOW
from ..learning.rules import Settings, active_rules, revise
from ..store.fold import View
from ..store.index import MemoryIndex
from ..store.items import Item, Listing
from ..store.kinds import Memory, Pattern, encode
from ..store.protocols import Encoder
from ..store.record import Draft, Record, make
from .gathered import Case
from .likeness import Likeness, Twins

WRITER = "0" * 32


class ScratchJournal:
    """A journal in memory; `now` (ms) is the time of the replay, so that nothing is younger than it may be."""

    def __init__(self) -> None:
        self.writer = WRITER
        self.now = 0
        self._view = View()
        self._records: list[Record] = []

    def append(self, drafts: Sequence[Draft], request: str = "") -> list[Record]:
        """Keep records."""
        made: list[Record] = []
        for draft in drafts:
            number = len(self._records) + len(made)
            made.append(
                make(draft, t=self.now, w=self.writer, n=number, author="replay", body=encode(draft.body))
            )
        self._records += made
        self._view.add(made)
        return made

    def beware(self, secrets: Iterable[str]) -> None:
        """Nothing leaves this journal."""

    def records(self) -> Iterator[Record]:
        """All records, in the order in which they came."""
        return iter(self._records)

    def view(self) -> View:
        """What is current."""
        return self._view


class Scratch:
    """What Cortex would know at a time of the replay, in a temporary folder."""

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        self.journal = ScratchJournal()
        self._candidates = Candidates(folder / "candidates.db")
        self.index = MemoryIndex(folder / "index", encoder)
        self._listing = Listing(WRITER)
        self.items: list[Item] = []
        self.known: dict[str, Likeness] = {}  # corrections by their memory id, remembered or not
        self.kept = Twins()  # those that are remembered
        self._counted: set[str] = set()
        self.rules: list[ActiveRule] = []
        self.active: frozenset[str] = frozenset()
        self.patterns: dict[str, Pattern] = {}

    def learn(self, cases: Iterable[Case], now: int) -> None:
        """Take what became known: as the daemon takes a new commit, and a look through the past the rest."""
        self.journal.now = now
        drafts, waiting = [], []
        for case in cases:
            self.known[case.m] = Likeness.of(case.correction, case.edit)
            if case.may == "alone" and case.learnable:
                drafts.append(Draft(case.correction, m=case.m, origin="live"))
            if case.may:
                key = SELDOM + case.key if case.seldom and case.key else case.key
                waiting.append(Candidate(case.m, key, now, case.correction))
        self.journal.append(drafts)
        self._candidates.add(waiting)
        self._candidates.mark_recorded(draft.m for draft in drafts)
        again = list(self._candidates.recurring())
        self.journal.append([Draft(each.correction, m=each.m, origin="history") for each in again])
        self._candidates.mark_recorded(each.m for each in again)

    def revise(self, files: Iterable[tuple[str, str]]) -> None:
        """Make rules of what is known, and test them on the code that was accepted by then."""
        revise(self.journal, files, Settings())
        view = self.journal.view()
        known = [each for each in self._listing.items(view) if each.kind == "rule"]
        self.active = frozenset(each.id for each in known if each.status == ACTIVE)
        # Silent rules are replayed too: the curve shows what letting them speak would have given.
        speak = [_aloud(each) for each in known if each.status in (ACTIVE, SHADOW)]
        self.rules = active_rules(view, speak)
        self.patterns = {}
        for record in view.of_kind("memory"):
            body = record.decoded()
            if isinstance(body, Memory) and body.rule is not None:
                self.patterns[record.m] = body.rule

    def refresh(self) -> None:
        """Bring what is recalled from up to date."""
        self.items = self._listing.items(self.journal.view())
        self.index.refresh(self.items)
        for item in self.items:
            if item.id in self.known and item.id not in self._counted:
                self._counted.add(item.id)
                self.kept.add(0, self.known[item.id])

    def close(self) -> None:
        """Let go of the files."""
        self.index.close()
        self._candidates.close()


def _aloud(item: Item) -> Item:
    return replace(item, status=ACTIVE)
