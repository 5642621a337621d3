"""A memory that lives as long as one replay: the same records, folds, rules and index, and no disk under them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ..learning.guard.findings import ActiveRule
from ..learning.guard.speaking import active_rules
from ..learning.past.candidates import SELDOM, Candidate, Candidates
from ..learning.rules.generalise import generalise
from ..learning.rules.lifecycle import ACTIVE, SHADOW, Settings
from ..learning.rules.revising import Before, revise
from ..store.codec import encode
from ..store.fold import View
from ..store.index import MemoryIndex
from ..store.items import Item, Listing
from ..store.kinds import Correction, Memory, Pattern, Reaction, RuleEvent
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


class Learner:
    """What Cortex would have learnt by a time of the replay: corrections, and the rules made of them."""

    def __init__(self, folder: Path, settings: Settings | None = None) -> None:
        self.journal = ScratchJournal()
        self._settings = settings or Settings()
        self._candidates = Candidates(folder / "candidates.db")
        self._listing = Listing(WRITER)
        self._patterns: dict[tuple[str, str, str], int] = {}  # that may be made, with their support
        self.made: set[tuple[str, str, str]] = set()  # all that might have been, at any time
        self.rules: list[ActiveRule] = []
        self.active: frozenset[str] = frozenset()
        self.states: dict[str, set[str]] = {}  # of each rule that was written down, all that it was in

    def learn(self, cases: Iterable[Case], now: int) -> int:
        """Take what became known: as the daemon takes a new commit, and a look through the past the rest.

        Returns how many corrections the journal has more.
        """
        self.journal.now = now
        drafts, waiting = [], []
        for case in cases:
            self.take(case)
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
        return len(drafts) + len(again)

    def take(self, case: Case) -> None:
        """See one case; nothing is kept of it here."""

    def heed(self, reactions: Iterable[Reaction]) -> int:
        """Note what became of places that the guard showed; returns how many there were."""
        return len(self.journal.append([Draft(each, origin="commit") for each in reactions]))

    @property
    def may(self) -> bool:
        """Whether there is anything that a rule may be made of."""
        return bool(self._patterns or self.rules)

    def moved(self) -> bool:
        """Whether what is known now may make another rule than when this was asked last, or a better held one."""
        known = {
            record.m: body
            for record in self.journal.view().of_kind("correction")
            if isinstance(body := record.decoded(), Correction) and body.category != "evolution"
        }
        found: dict[tuple[str, str, str], int] = {}
        for each in generalise(list(known.items()), self._settings.min_support):
            said = (each.pattern.language, each.pattern.pattern, each.pattern.rewrite)
            self.made.add(said)
            if len({known[m].commit for m in each.support}) >= self._settings.min_commits:
                found[said] = len(each.support)
        moved = found != self._patterns
        self._patterns = found
        return moved

    def revise(
        self,
        files: Iterable[tuple[str, str]],
        recent: Collection[str] = (),
        before: Before | None = None,
    ) -> None:
        """Make rules of what is known, and test them on the code that was accepted by then."""
        revise(self.journal, files, self._settings, recent=recent, before=before)
        view = self.journal.view()
        known = [each for each in self._listing.items(view) if each.kind == "rule"]
        self.active = frozenset(each.id for each in known if each.status == ACTIVE)
        # Silent rules are replayed too: the curve shows what letting them speak would have given.
        speak = [replace(each, status=ACTIVE) for each in known if each.status in (ACTIVE, SHADOW)]
        self.rules = active_rules(view, speak)
        for record in view.of_kind(RuleEvent.KIND):
            body = record.decoded()
            if isinstance(body, RuleEvent):
                self.states.setdefault(body.rule, set()).add(body.to_state)

    def listed(self) -> list[Item]:
        """All that is remembered."""
        return self._listing.items(self.journal.view())

    def close(self) -> None:
        """Let go of the files."""
        self._candidates.close()


class Scratch(Learner):
    """What Cortex would know at a time of the replay: the learner, with an index to recall from."""

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        super().__init__(folder)
        self.index = MemoryIndex(folder / "index", encoder)
        self.items: list[Item] = []
        self.known: dict[str, Likeness] = {}  # corrections by their memory id, remembered or not
        self.kept = Twins()  # those that are remembered
        self.patterns: dict[str, Pattern] = {}
        self._counted: set[str] = set()

    def take(self, case: Case) -> None:
        """Keep the likeness of a case."""
        self.known[case.m] = Likeness.of(case.correction, case.edit)

    def refresh(self) -> None:
        """Bring what is recalled from up to date."""
        self.items = self.listed()
        self.index.refresh(self.items)
        for item in self.items:
            if item.id in self.known and item.id not in self._counted:
                self._counted.add(item.id)
                self.kept.add(0, self.known[item.id])
        self.patterns = {}
        for record in self.journal.view().of_kind("memory"):
            body = record.decoded()
            if isinstance(body, Memory) and body.rule is not None:
                self.patterns[record.m] = body.rule

    def close(self) -> None:
        """Let go of the files."""
        self.index.close()
        super().close()
