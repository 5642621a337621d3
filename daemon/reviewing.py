"""What a person is asked: the few corrections that matter most and are unsure; and how an answer is taken back."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace

from ..learning.corrections.categories import speaks
from ..learning.past.candidates import key_of
from ..repo.errors import UsageError
from ..store.kinds import MILLION, Correction, Feedback
from ..store.record import Draft, Record
from ..store.secrets import clean
from .contracts import SCHEMA
from .contracts.keeping import ReviewEntry, ReviewResult
from .memories import resolve
from .state import State

#: After so many milliseconds a correction matters half as much.
HALF_LIFE_MS = 180 * 86_400_000
#: What is less unsure than this is left alone.
LEAST = 0.2


def review(state: State, *, limit: int = 10) -> ReviewResult:
    """The corrections whose category a person's word would settle best, the one that matters most first.

    Each is weighed by how unsure its category is, by how often its like came, and by how recent it is. What a
    person has answered is not asked again.
    """
    view = state.view()
    found: list[tuple[Record, Correction, str]] = []
    commits: defaultdict[str, set[str]] = defaultdict(set)
    counts: Counter[str] = Counter()
    for record in view.of_kind(Correction.KIND):
        body = record.decoded()
        if not isinstance(body, Correction) or body.hand == "second-thought" or not body.before + body.after:
            continue
        key = key_of(body) or record.m
        commits[key].add(body.commit)
        counts[key] += max(1, body.count)
        if doubt(body) >= LEAST:
            found.append((record, body, key))
    now = state.clock()
    weighed = []
    for record, body, key in found:
        support = len(commits[key]) + math.log2(max(1, counts[key]))
        age = max(0, now - (body.committed or record.t))
        weight = doubt(body) * math.log2(1 + support) * 0.5 ** (age / HALF_LIFE_MS)
        weighed.append((weight, record, body, len(commits[key])))
    weighed.sort(key=lambda each: (-each[0], each[1].m))
    # Alike ones are asked of once: the answer to the first says what to ask next time.
    shown: dict[str, ReviewEntry] = {}
    for _, record, body, support in weighed:
        shown.setdefault(key_of(body) or record.m, _entry(record, body, support))
        if len(shown) == limit:
            break
    result: ReviewResult = {"schema": SCHEMA, "corrections": list(shown.values()), "total": len(found)}
    cleaned: ReviewResult = clean(result)[0]
    return cleaned


def doubt(body: Correction) -> float:
    """How unsure a category is, from 0 to 1; nobody has guessed where there is neither category nor confidence."""
    sure = body.confidence / MILLION
    if not body.category:
        return 1 - abs(2 * sure - 1) if body.confidence else 1.0
    return min(1.0, 2 * (1 - sure)) if body.category == "evolution" else 1 - sure


def unsay(state: State, *, id: str, origin: str = "cli", request: str = "") -> Mapping[str, object]:
    """Take back the category that was last given to a correction: the guess counts again.

    Raises `UsageError` where none was given here.
    """
    m = resolve(state, id)
    view = state.view()
    given = [
        record
        for record in view.of_kind(Feedback.KIND)
        if record.body.get("of") == m and record.w == state.journal.writer
    ]
    last = max(given, key=lambda record: record.order, default=None)
    current = view.current(m)
    body = current.decoded() if current else None
    told = last.decoded() if last else None
    if not isinstance(told, Feedback) or not told.category or not isinstance(body, Correction):
        raise UsageError(f"no category was given to {m[:12]}", "List what is unsure with `cortex review`.")
    before = replace(body, category=told.guess, confidence=told.guessed)
    written = state.journal.append(
        [
            Draft(
                Feedback(of=m, guess=body.category, guessed=body.confidence, remark="taken back"),
                origin=origin,
            ),
            Draft(before, m=m, parents=tuple(head.id for head in view.heads(m)), origin=origin),
        ],
        request,
    )
    return {"schema": SCHEMA, "id": m, "record": written[-1].id, "category": told.guess}


def _entry(record: Record, body: Correction, support: int) -> ReviewEntry:
    towards, against = speaks(body)
    return {
        "id": record.m,
        "category": body.category,
        "confidence": body.confidence / MILLION,
        "path": body.path,
        "line": body.line,
        "enclosing": body.enclosing,
        "language": body.language,
        "commit": body.commit,
        "subject": body.subject,
        "author": body.author or record.author,
        "time": body.committed or record.t,
        "before": body.before,
        "after": body.after,
        "count": max(1, body.count),
        "commits": support,
        "speaks_for": list(towards),
        "speaks_against": list(against),
    }
