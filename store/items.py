"""What can be recalled or listed: corrections and memories, each with its evidence, made from the view."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from .fold import View
from .kinds import Correction, Feedback, Memory, Pattern, Purge, RuleEvent, Scope, Trust, Verdict
from .record import Record
from .wording import LONGEST, SIDE, headline, one_line, shown, tick

#: The kinds of records that items are made of: while none of them changed, the items are the same.
SAID = ("feedback", "verdict", "rule-event", "scope", "trust", "purge")
MADE_OF = ("correction", "memory", *SAID)
#: The origins of memories that nobody wrote down: counted in code, or read in the history and the docs.
NOTICED = ("preferences", "fixes", "decisions")
#: How many pieces of evidence an item keeps.
EVIDENCE = 5


@dataclass(frozen=True, slots=True)
class Evidence:
    """One place where it happened: both sides of the edit, who made it when (`t` in ms), and in which definition."""

    commit: str
    path: str
    before: str
    after: str
    author: str = ""
    t: int = 0
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One memory as it stands now; `id` is its memory id, `head` the record that says so.

    `kind` is "correction" or the type of a memory ("rule", "note", …); `trust` is "own", "accepted" or
    "pulled"; `status` is a rule's state. `code` is what is embedded as code, `words` what is searched as
    text; `sources` are the ids of the memories that it was learnt from, `subject` is its commit's. `supersedes`,
    `requires` and `causes` are ids of memories, `written` is the commit that wrote what was corrected.
    """

    id: str
    head: str
    kind: str
    scope: str = "project"
    language: str = ""
    framework: str = ""
    path: str = ""
    title: str = ""
    text: str = ""
    created: int = 0
    author: str = ""
    origin: str = ""
    trust: str = "own"
    support: int = 0
    against: int = 0
    status: str = ""
    hand: str = ""
    category: str = ""
    evidence: tuple[Evidence, ...] = ()
    code: str = ""
    words: str = ""
    sources: tuple[str, ...] = ()
    subject: str = ""
    supersedes: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    written: str = ""


class Listing:
    """The items of one view, brought up to date by what changed in it.

    `own_writer` is who writes here; `shown` makes of each item what may be shown of it.
    """

    def __init__(self, own_writer: str, shown: Callable[[Item], Item] = lambda item: item) -> None:
        self.own_writer = own_writer
        self._shown = shown
        self._version = -1
        self._items: list[Item] = []
        self._orders: list[tuple[int, str, str]] = []  # of the items' records, in step with them
        self._placed: dict[str, tuple[int, str, str]] = {}
        self._used: dict[str, set[str]] = {}  # correction → the memories that were learnt from it
        self._said: Said | None = None

    def items(self, view: View) -> list[Item]:
        """All that can be recalled, ordered by (t, w, id) of the records; the same list while it is the same.

        Left out are corrections by a feature that went on (evolution) and by an agent's second thought, what
        the person has purged, and what an author whom they revoked has written.
        """
        version = view.changed(*MADE_OF)
        if version != self._version:
            changed = None if self._version < 0 else view.since(self._version)
            if changed is not None and any(record.kind in SAID for record in changed):
                self._said = None
            found = None if changed is None else touched(changed, lambda m: self._used.get(m, set()))
            if found is None:
                self._all(view)
            else:
                self._some(view, found)
            self._version = version
        return self._items

    def _all(self, view: View) -> None:
        self._items, self._orders, self._placed, self._used = [], [], {}, {}
        self._said = said = hear(view, self.own_writer)
        corrections = {record.m: record for record in view.of_kind("correction")}
        for record in view.of_kind("correction", "memory"):
            made = _make(record, corrections, said, self.own_writer)
            if made is not None:
                self._items.append(self._shown(made))
                self._orders.append(record.order)
                self._note(made, record)

    def _note(self, made: Item, record: Record) -> None:
        self._placed[made.id] = record.order
        for source in made.sources:
            self._used.setdefault(source, set()).add(made.id)

    def _some(self, view: View, found: Iterable[str]) -> None:
        self._items = list(self._items)
        self._said = said = self._said or hear(view, self.own_writer)
        for m in found:
            order = self._placed.pop(m, None)
            if order is not None:
                at = bisect_left(self._orders, order)
                del self._orders[at], self._items[at]
            record = view.current(m)
            if record is None:
                continue
            made = make_one(view, record, said, self.own_writer)
            if made is not None:
                at = bisect_left(self._orders, record.order)
                self._orders.insert(at, record.order)
                self._items.insert(at, self._shown(made))
                self._note(made, record)


def touched(changed: Iterable[Record], used: Callable[[str], Collection[str]]) -> set[str] | None:
    """The items that these changes may change; None for all. `used` tells the memories learnt from a correction."""
    found: set[str] = set()
    for record in changed:
        if record.kind in SAID:
            body = record.decoded()
            if isinstance(body, (Feedback, Verdict)):
                found.add(body.of)
            elif isinstance(body, RuleEvent):
                found.add(body.rule)
            elif isinstance(body, (Scope, Purge)):
                found.add(body.what)
            else:
                return None
        elif record.kind in MADE_OF:
            found.add(record.m)
            found.update(used(record.m))
    return found


def items(view: View, own_writer: str) -> list[Item]:
    """All that can be recalled; see `Listing.items`."""
    return Listing(own_writer).items(view)


def rule_items(view: View, own_writer: str) -> list[Item]:
    """The rules among `items`, and no time spent on the others."""
    said = hear(view, own_writer)
    corrections = {record.m: record for record in view.of_kind("correction")}
    rules = (record for record in view.of_kind("memory") if record.body.get("type") == "rule")
    made = (_make(record, corrections, said, own_writer) for record in rules)
    return [each for each in made if each is not None]


def item(view: View, m: str, own_writer: str) -> Item | None:
    """The item of one memory id; None when it is unknown, deleted, or nothing that can be recalled."""
    record = view.current(m)
    return None if record is None else make_one(view, record, hear(view, own_writer), own_writer)


@dataclass(frozen=True)
class Said:
    """What other records say of memories and authors."""

    votes: Mapping[str, Mapping[str, str]]  # memory → author → their latest verdict
    events: Mapping[str, RuleEvent]
    scopes: Mapping[str, str]
    trust: Mapping[str, str]  # an author, a memory or a record → accepted, revoked
    purged: frozenset[str]

    def of(self, record: Record) -> list[object]:
        """All that is said of a memory, in an order of its own."""
        m = record.m
        return [
            self.trust.get(record.id) or self.trust.get(m) or self.trust.get(record.author),
            sorted(self.votes.get(m, {}).items()),
            self.events.get(m),
            self.scopes.get(m),
            m in self.purged,
        ]

    def count(self, m: str, *verdicts: str) -> int:
        """How many people gave one of these verdicts."""
        return sum(1 for verdict in self.votes.get(m, {}).values() if verdict in verdicts)


def hear(view: View, own_writer: str) -> Said:
    """What a view says of memories and authors."""
    votes: dict[str, dict[str, str]] = {}
    events: dict[str, tuple[bool, RuleEvent]] = {}
    scopes: dict[str, str] = {}
    trust: dict[str, str] = {}
    purged: set[str] = set()
    for record in view.of_kind(*SAID):
        body, own = record.decoded(), record.w == own_writer
        if isinstance(body, (Feedback, Verdict)):
            # One voice per author: a feedback and its shared verdict are one, and nobody counts twice.
            votes.setdefault(body.of, {})[record.author] = body.verdict
        elif isinstance(body, RuleEvent):
            # What arrives from others does not change the state of a rule that was decided here.
            if own or not events.get(body.rule, (False, body))[0]:
                events[body.rule] = (own, body)
        elif own and isinstance(body, Scope):
            scopes[body.what] = body.scope
        elif own and isinstance(body, Trust):
            trust[body.who] = body.what
        elif own and isinstance(body, Purge):
            purged.add(body.what)
    states = {rule: event for rule, (_, event) in events.items()}
    return Said(votes, states, scopes, trust, frozenset(purged))


def make_one(view: View, record: Record, said: Said, own_writer: str) -> Item | None:
    """The item of one record; None when it is nothing that can be recalled."""
    if record.kind not in ("correction", "memory"):
        return None
    body = record.decoded()
    found = {m: view.current(m) for m in body.provenance} if isinstance(body, Memory) else {}
    corrections = {m: each for m, each in found.items() if each is not None and each.kind == "correction"}
    return _make(record, corrections, said, own_writer)


def _make(record: Record, corrections: Mapping[str, Record], said: Said, own_writer: str) -> Item | None:
    # A version that was accepted as it reads is not what somebody makes of it later.
    trust = said.trust.get(record.id) or said.trust.get(record.m) or said.trust.get(record.author)
    if record.m in said.purged or (trust == "revoked" and record.w != own_writer):
        return None
    body = record.decoded()
    made: Item | None = None
    if isinstance(body, Correction):
        made = _correction(record, body)
    elif isinstance(body, Memory):
        made = _memory(record, body, corrections)
    if made is None:
        return None
    support, against, status = made.support, 0, ""
    event = said.events.get(record.m)
    if event is not None:
        # What the last step was decided on, and what the guard says: a correction more makes no new step yet.
        support, against, status = event.support or support, event.against, event.to_state
    elif made.kind == "rule":
        status = "candidate"
    return replace(
        made,
        scope=said.scopes.get(record.m, made.scope),
        trust="own" if record.w == own_writer else "accepted" if trust == "accepted" else "pulled",
        support=support + said.count(record.m, "good"),
        against=against + said.count(record.m, "bad", "wrong"),
        status=status,
    )


def _correction(record: Record, body: Correction) -> Item | None:
    if body.category == "evolution" or body.hand == "second-thought":
        return None
    if not one_line(body.before) and not one_line(body.after):
        return None
    where = f"in {tick(one_line(body.enclosing))} of {body.path}" if body.enclosing else f"in {body.path}"
    text = ". ".join(part for part in (where if body.path else "", one_line(body.subject)) if part)
    title = headline(body.before, body.after)
    code = _joined(body.before, body.after)
    return Item(
        id=record.m,
        head=record.id,
        kind="correction",
        language=body.language,
        framework=body.framework,
        path=body.path,
        title=title,
        text=text,
        created=body.committed or record.t,
        author=body.author or record.author,
        origin=record.origin,
        support=max(1, body.count),
        hand=body.hand,
        category=body.category,
        evidence=(_evidence(record, body),),
        code=code,
        words=_joined(title, text, code, " ".join(body.imports)),
        subject=one_line(body.subject),
        written=body.written,
    )


def _memory(record: Record, body: Memory, corrections: Mapping[str, Record]) -> Item:
    came = [corrections[m] for m in body.provenance if m in corrections]
    came.sort(key=lambda each: (each.t, each.w, each.id), reverse=True)
    evidence = []
    for each in came[:EVIDENCE]:
        decoded = each.decoded()
        if isinstance(decoded, Correction):
            evidence.append(_evidence(each, decoded))
    evidence += [
        Evidence(each.commit, each.path, each.before, each.after, each.author, each.time)
        for each in body.examples[: EVIDENCE - len(evidence)]
    ]
    rule = body.rule
    title = one_line(body.title) or (headline(shown(rule.pattern), shown(rule.rewrite)) if rule else "")
    title = title or _cut(one_line(body.text), 2 * SIDE)
    language = body.language or (rule.language if rule else "")
    # What merely shows a preference is any code: it would bring the preference up wherever alike code is asked of.
    shows = () if body.type == "preference" else evidence[:2]
    code = _joined(*_pattern_code(rule), *(side for one in shows for side in (one.before, one.after)))
    return Item(
        id=record.m,
        head=record.id,
        kind=body.type or "note",
        scope=body.scope,
        language=language,
        framework=body.framework,
        path=body.path,
        title=title,
        text=body.text[:LONGEST],
        # A fix is as old as its commit, however late it was read.
        created=max((each.time for each in body.examples), default=0) or record.t,
        author=record.author,
        origin=record.origin,
        support=body.support or len(came),
        evidence=tuple(evidence),
        code=code,
        words=_joined(title, body.text, body.reason, body.path, code),
        sources=body.provenance,
        supersedes=body.supersedes,
        requires=body.requires,
        causes=body.causes,
    )


def _evidence(record: Record, body: Correction) -> Evidence:
    return Evidence(
        body.commit,
        body.path,
        body.before,
        body.after,
        body.author or record.author,
        body.committed or record.t,
        body.enclosing,
    )


def _pattern_code(rule: Pattern | None) -> tuple[str, ...]:
    return (shown(rule.pattern), shown(rule.rewrite)) if rule else ()


def _joined(*parts: str) -> str:
    # A longer one is cut, so that one memory cannot stop the embedding and the search of the rest.
    return "\n".join(part for part in parts if part)[:LONGEST]


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def by_id(given: Iterable[Item]) -> dict[str, Item]:
    """Items by their memory id."""
    return {each.id: each for each in given}
