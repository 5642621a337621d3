"""Memories one by one: listed and shown, written by hand, judged, forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..learning.live.outcomes import changes
from ..repo.errors import UsageError
from ..store.codec import decode, encode
from ..store.items import Evidence as ItemEvidence
from ..store.items import Item
from ..store.kinds import Correction, Feedback, Memory, Pattern, RuleEvent, Verdict
from ..store.record import Draft, Record
from ..store.secrets import clean, redact_all
from .contracts import SCHEMA, Evidence
from .contracts.keeping import LogResult, MemoryResult
from .state import State

VERDICTS = ("good", "bad", "wrong")
CATEGORIES = ("bug", "style", "preference", "evolution")
NOTE_TYPES = ("note", "decision", "pattern", "preference", "fix", "task")


def log(state: State, *, limit: int = 20, kind: str = "", language: str = "", path: str = "") -> LogResult:
    """The memories, newest first."""
    found = [
        item
        for item in state.items()
        if (not kind or item.kind == kind)
        and (not language or item.language == language)
        and (not path or any(each.path.startswith(path) for each in item.evidence))
    ]
    found.sort(key=lambda item: (item.created, item.id), reverse=True)
    from .settling import conflicts

    return {
        "schema": SCHEMA,
        "memories": [memory(item) for item in found[:limit]] if limit else [memory(item) for item in found],
        "total": len(found),
        "conflicts": conflicts(state.view(), state.journal.writer),
        "waiting": dict(zip(("records", "until"), state.journal.waiting(), strict=True)),
        "changes": changes(state.view()),
    }


def show(state: State, *, id: str) -> dict[str, object]:
    """One memory whole: its contract form, the record's body, its versions, conflicts, and a rule's history."""
    from .settling import conflict

    m = resolve(state, id)
    view = state.view()
    item = next((each for each in state.items() if each.id == m), None)
    heads = view.heads(m)
    result: dict[str, object] = {
        "schema": SCHEMA,
        **(memory(item) if item else {"id": m, "kind": heads[-1].kind}),
        "body": dict(heads[-1].body),
        "record": heads[-1].id,
        "conflict": [head.id for head in heads] if m in view.conflicts() else [],
        "versions": conflict(m, heads, state.journal.writer)["versions"] if m in view.conflicts() else [],
        "deleted": view.current(m) is None,
    }
    body = heads[-1].decoded()
    steps = [_event(record) for record in _events(state, m)] if isinstance(body, Memory) else []
    if isinstance(body, Memory) and body.rule is not None:
        result["rule"] = _rule(body.rule)
    if "rule" in result or steps:
        result["history"] = steps
    cleaned: dict[str, object] = clean(result)[0]
    return cleaned


def feedback(
    state: State,
    *,
    id: str,
    verdict: str = "",
    category: str = "",
    remark: str = "",
    origin: str = "cli",
    request: str = "",
) -> dict[str, object]:
    """Note what a person says of a memory; a rule that is called wrong steps down at once."""
    if verdict and verdict not in VERDICTS:
        raise UsageError(f"there is no verdict {verdict}", f"The verdicts: {', '.join(VERDICTS)}.")
    if category and category not in CATEGORIES:
        raise UsageError(f"there is no category {category}", f"The categories: {', '.join(CATEGORIES)}.")
    if not verdict and not category:
        raise UsageError("nothing is said", "Give a verdict (good, bad, wrong) or --category.")
    from .noticing import ORIGINS  # which brings what reads code along: no question needs that

    m = resolve(state, id)
    current = state.view().current(m)
    body = current.decoded() if current else None
    told = Feedback(of=m, verdict=verdict, category=category, remark=remark)
    if category and isinstance(body, Correction):
        # Both sides of the answer are kept: what was guessed is what a better guess is learnt from.
        told = replace(told, guess=body.category, guessed=body.confidence)
    drafts = [
        Draft(told, origin=origin),
        Draft(Verdict(of=m, verdict=verdict, category=category), origin=origin),
    ]
    if category and current is not None and isinstance(body, Correction):
        settled = replace(body, category=category, confidence=1_000_000)
        if settled != body:
            drafts.append(Draft(settled, m=m, parents=_heads(state, m), origin=origin))
    if verdict in ("bad", "wrong"):
        drafts += _released(state, m, origin)
        if current is not None and current.origin in ORIGINS and isinstance(body, Memory):
            # It was counted or read, and will be again: a person's word ends that.
            step = RuleEvent(rule=m, to_state="retired", reason=f"called {verdict}", by="person")
            drafts.append(Draft(step, origin=origin))
    before = state.journal.redactions
    written = state.journal.append(drafts, request)
    redacted = state.journal.redactions - before
    from .teaching import revise_rules

    changed = revise_rules(state)
    return {
        "schema": SCHEMA,
        "id": m,
        "feedback": written[0].m,
        "verdict": verdict,
        "rules": changed,
        "redacted": redacted,
    }


def _released(state: State, rule: str, origin: str) -> list[Draft]:
    """The step of a rule that a person accepted before and calls wrong now: the lifecycle decides again."""
    own = [record for record in _events(state, rule) if record.w == state.journal.writer]
    last = own[-1].decoded() if own else None
    if not isinstance(last, RuleEvent) or last.by != "person" or last.to_state != "active":
        return []
    step = replace(last, from_state=last.to_state, to_state="shadow", reason="called wrong", by="")
    return [Draft(step, origin=origin)]


def forget(state: State, *, id: str, origin: str = "cli", request: str = "") -> dict[str, object]:
    """Delete a memory: a tombstone is written and shared, so that it is gone everywhere."""
    record = written_for(state, id, request)
    if record is None:
        record = state.journal.delete(resolve(state, id), origin=origin, request=request)
    return {"schema": SCHEMA, "id": record.m, "record": record.id}


def remember(
    state: State,
    *,
    text: str,
    title: str = "",
    type: str = "note",
    scope: str = "project",
    language: str = "",
    path: str = "",
    reason: str = "",
    private: bool = False,
    supersedes: Sequence[str] = (),
    requires: Sequence[str] = (),
    causes: Sequence[str] = (),
    origin: str = "cli",
    request: str = "",
) -> dict[str, object]:
    """Write a memory down by hand; the last three are ids, or the beginnings of ids, of other memories."""
    if not text.strip():
        raise UsageError("there is nothing to remember", "Give the text of the memory.")
    if type not in NOTE_TYPES:
        raise UsageError(f"there is no type {type}", f"The types: {', '.join(NOTE_TYPES)}.")
    if scope not in ("universal", "language", "framework", "project", "user"):
        raise UsageError(f"there is no scope {scope}")
    # Before the title is cut out of it: a token that is cut has lost its shape.
    (text, title, reason, path), redacted = redact_all([text, title, reason, path])
    body = Memory(
        type=type,
        scope=scope,
        title=title or text.strip().splitlines()[0][:80],
        text=text.strip(),
        language=language,
        path=path,
        reason=reason,
        private=private,
        supersedes=tuple(resolve(state, each) for each in supersedes),
        requires=tuple(resolve(state, each) for each in requires),
        causes=tuple(resolve(state, each) for each in causes),
    )
    before = state.journal.redactions
    record = state.journal.append([Draft(body, origin=origin)], request)[0]
    redacted += state.journal.redactions - before
    return {"schema": SCHEMA, "id": record.m, "record": record.id, "redacted": redacted}


def resolve(state: State, prefix: str) -> str:
    """The one memory id that begins with `prefix`; raises `UsageError` for none or several."""
    word = prefix.strip().lower()
    if len(word) < 4:
        raise UsageError(
            f"{prefix!r} is too short for an id",
            "Give at least four characters, as `cortex log` prints them.",
        )
    view = state.view()
    # What was deleted is found only while somebody else's edit says that it is not.
    found = sorted({*view.find(word), *(m for m in view.conflicts() if m.startswith(word))})
    if not found:
        raise UsageError(f"there is no memory {prefix}", "List them with `cortex log`.")
    if len(found) > 1:
        raise UsageError(
            f"{len(found):,} memories begin with {prefix}",
            "Give more of the id: " + ", ".join(m[:12] for m in found[:5]),
        )
    return found[0]


def memory(item: Item) -> MemoryResult:
    """The contract form of a memory."""
    return {
        "id": item.id,
        "kind": item.kind,
        "scope": item.scope,
        "language": item.language,
        "title": item.title,
        "text": item.text,
        "created": item.created,
        "author": item.author,
        "trust": item.trust,
        "support": item.support,
        "against": item.against,
        "status": item.status,
        "category": item.category,
        "evidence": evidence(item.evidence),
    }


def evidence(found: Sequence[ItemEvidence]) -> list[Evidence]:
    """The contract form of evidence."""
    return [
        {
            "commit": each.commit,
            "path": each.path,
            "before": each.before,
            "after": each.after,
            "author": each.author,
            "time": each.t,
        }
        for each in found
    ]


def written_for(state: State, prefix: str, request: str) -> Record | None:
    """The version that this request has put in place of others already: nobody may know that it came so far."""
    word = prefix.strip().lower()
    view = state.view()
    for m in view.memories() if request else ():
        if m.startswith(word):
            for head in view.heads(m):
                if head.body.get("request") == request:
                    return head
    return None


def _heads(state: State, m: str) -> tuple[str, ...]:
    return tuple(record.id for record in state.view().heads(m))


def _rule(pattern: Pattern) -> Mapping[str, object]:
    return {key: value for key, value in encode(pattern).items() if key != "kind"}


def _events(state: State, rule: str) -> list[Record]:
    return [each for each in state.view().of_kind(RuleEvent.KIND) if each.body.get("rule") == rule]


def _event(record: Record) -> Mapping[str, object]:
    event = decode(RuleEvent, record.body)
    return {
        "time": record.t,
        "from": event.from_state,
        "to": event.to_state,
        "reason": event.reason,
        "support": event.support,
        "commits": event.commits,
        "matched": event.matched,
        "stood": event.stood,
        "changed": event.changed,
        "against": event.against,
        "confidence": event.confidence / 1_000_000,
    }
