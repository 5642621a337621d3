"""The rules that may warn in one clone, as of now: made of the journal, or as they were kept while it was not read."""

from __future__ import annotations

from pathlib import Path

from ..learning.guard.findings import ActiveRule
from ..learning.guard.speaking import active_rules, reworded
from ..learning.rules.arrived import arrived
from ..store.items import MADE_OF, Item, rule_items
from ..store.journal import FileJournal
from ..store.redacted import without_secrets
from . import ready, receiving
from .ready import Ready


class Active:
    """The active rules of one store, without those from elsewhere that wait for their back-test or failed it."""

    def __init__(self, store: Path, journal: FileJournal) -> None:
        self.unjudged = False  # whether a rule from elsewhere waits for its back-test
        self.ready: Ready | None = None  # the rules that are kept, while the journal was not read
        self._store = store
        self._journal = journal
        self._made: tuple[int, object, list[ActiveRule]] | None = None
        self._items: dict[str, Item] = {}
        self._kept: object = None  # what the rules were made of that were kept last

    def rules(self) -> list[ActiveRule]:
        """The rules as they are recorded; the same list while nothing changed them."""
        stamp = receiving.stamp(self._store)
        if not self._journal.is_read:
            self.ready = ready.load(self._store, self._journal.writer, stamp, self.ready)
            if self.ready is not None:
                return self.ready.rules
        self.ready = None
        view = self._journal.view()
        version = view.changed(*MADE_OF)  # each warning leaves an exposure record, which changes no rule
        if self._made is None or self._made[:2] != (version, stamp):
            # Not all that can be recalled: the guard would wait while thousands of texts are looked through.
            known = rule_items(view, self._journal.writer)
            waiting = arrived(view, known, self._journal.writer)
            said = receiving.verdicts(self._store) if waiting else {}
            silent = {
                rule
                for rule, (record, vouched) in waiting.items()
                if record not in said or not said[record].speaks(vouched)
            }
            self.unjudged = any(record not in said for record, _ in waiting.values())
            active = [rule for rule in active_rules(view, known) if rule.id not in silent]
            spoken = {rule.id for rule in active}
            self._made = (version, stamp, active)
            self._items = {item.id: item for item in known if item.id in spoken}
        return self._made[2]

    def shown(self, rule: str) -> ActiveRule:
        """One of the rules last told by `rules()`, by its id, without secrets."""
        # Not read anew: the finding is of these.
        known = self.ready.rules if self.ready else self._made[2] if self._made else []
        found = next(each for each in known if each.id == rule)
        item = self.ready.item(rule) if self.ready else self._items[rule]
        return reworded(found, without_secrets(item))

    def keep(self) -> None:
        """Keep the rules ready for a check that comes before the journal is read. Raises `OSError`."""
        self.rules()  # once the journal is read it is known which of its own lines are
        stamp, journal = receiving.stamp(self._store), ready.state_of(self._store, self._journal.number)
        rules = self.rules()  # which looks at the journal after its state was taken
        if self.ready is not None or self._made is None or self.unjudged or self._journal.waiting()[0]:
            return
        made_of = (self._made[:2], stamp, journal["mark"]["segments"])
        if made_of != self._kept and stamp == self._made[1]:
            ready.keep(self._store, self._journal.writer, stamp, journal, rules, self._items)
            self._kept = made_of

    def forget(self) -> None:
        """Hold nothing that was made of the journal, which was let go of."""
        self._made = None
