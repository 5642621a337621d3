"""What a journal holds that concerns rules: corrections, rules and their steps, votes, places that were answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from ...store.fold import View
from ...store.items import items
from ...store.kinds import Correction, Feedback, Memory, RuleEvent, Verdict
from ...store.protocols import Journal
from ...store.record import Record
from .heeding import answered


class Known:
    """What the journal holds that concerns rules: the person's own, and what they accepted."""

    def __init__(self, journal: Journal) -> None:
        view = self.view = journal.view()
        writer = str(getattr(journal, "writer", ""))
        own = {each.id: each for each in items(view, writer)} if writer else {}
        self.items = own
        self.corrections: dict[str, Correction] = {}
        self.records: dict[str, Record] = {}
        self.rules: dict[str, Memory] = {}
        self.events: dict[str, RuleEvent] = {}
        self.wrong: Counter[str] = Counter()
        self.good: Counter[str] = Counter()
        for record in view.of_kind("correction", "memory"):
            body = record.decoded()
            if writer and (record.m not in own or own[record.m].trust == "pulled"):
                continue
            if (
                isinstance(body, Correction)
                and body.category != "evolution"
                and body.hand != "second-thought"
            ):
                self.corrections[record.m] = body
                self.records[record.m] = record
            elif isinstance(body, Memory) and body.type == "rule" and body.rule is not None:
                self.rules[record.m] = body
                self.records[record.m] = record
        for record in view.of_kind("rule-event"):
            body = record.decoded()
            if isinstance(body, RuleEvent) and (not writer or record.w == writer):
                self.events[body.rule] = body
        self.places = answered(view, writer)
        self.gone = self._gone(journal)
        self._votes(view)

    def _gone(self, journal: Journal) -> list[frozenset[str]]:
        """What deleted rules were learnt from. Only the log still knows, so it is read when there are any."""
        deleted = {rule for rule in self.events if self.view.current(rule) is None}
        out: dict[str, frozenset[str]] = {}
        for record in journal.records() if deleted else ():
            body = record.decoded() if record.m in deleted else None
            if isinstance(body, Memory) and body.provenance:
                out[record.m] = frozenset(body.provenance)
        return list(out.values())

    def _votes(self, view: View) -> None:
        latest: dict[tuple[str, str], str] = {}
        for record in view.of_kind("feedback", "verdict"):
            body = record.decoded()
            if isinstance(body, (Feedback, Verdict)):
                latest[(body.of, record.author)] = body.verdict
        for (of, _), verdict in latest.items():
            if verdict in ("wrong", "bad"):
                self.wrong[of] += 1
            elif verdict == "good":
                self.good[of] += 1

    def forgotten(self, provenance: Collection[str]) -> bool:
        """Whether a person deleted a rule that came from these corrections: it does not come back by itself."""
        support = set(provenance)
        return any(2 * len(support & each) > len(each) for each in self.gone)
