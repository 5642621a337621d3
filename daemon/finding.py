"""`ask --in code,history`: what was found beside memories, in the same answer, budget and care for secrets."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ..models.routing import route
from ..recall import codepacking
from ..recall.codesearch import RANKER, Found
from ..recall.explanation import digest
from ..recall.question import LANGUAGES, Question
from ..store.kinds import MILLION, Exposure, Shown
from ..store.secrets import redact, redact_all
from . import explaining
from .contracts import SCHEMA, Evidence
from .contracts.asking import AskResult, RecalledMemory
from .searching import HISTORY, changed_by, text_at
from .state import State

__all__ = ["beside", "only"]

#: So much of a place's text stands in the answer; the whole is at its path and line.
LONGEST = 2_000
#: So many of what was left out stand in an exposure record.
MISSES = 10


def only(
    state: State, asked: Question, most: int, sources: Sequence[str], explain: bool = False
) -> tuple[AskResult, Exposure]:
    """The answer where memories are not asked for, and the record of what it shows."""
    start = time.perf_counter()
    task, confidence = state.models.classifier.classify([asked.text])[0]
    result: AskResult = {
        "schema": SCHEMA,
        "query": asked.text,
        "task": {"type": task, "confidence": round(confidence, 4), "route": route(asked.text, task)},
        "context": "",
        "tokens": 0,
        "tokenizer": state.models.counter.name,
        "memories": [],
        "dropped": {},
        "abstained": True,
        "timings_ms": {"understand": round((time.perf_counter() - start) * 1e3, 3)},
        "notes": [],
        "explanation": explaining.of_question(asked) if explain else None,
    }
    seen = Exposure(query=digest(asked.text), task_type=task, encoder=state.models.encoder.name)
    return beside(state, asked, most, sources, result, seen)


def beside(
    state: State,
    asked: Question,
    most: int,
    sources: Sequence[str],
    result: AskResult,
    exposure: Exposure,
) -> tuple[AskResult, Exposure]:
    """The answer with what code, docs and history say, in the room that memories left, and the record of all of it."""
    start = time.perf_counter()
    file = "." in asked.path.rpartition("/")[2]
    told = state.searcher.look(
        state, asked.text, sources, "" if file else asked.path, _endings(asked.language)
    )
    repository, counter = state.repository, state.models.counter
    quoted = []
    by_place: dict[int, tuple[str, str, Sequence[str]]] = {}
    for each in told.found[: 3 * most]:
        commit = each.commit
        text, doc = (commit.body, "") if commit else text_at(repository, each)
        # What is shown beside each other is looked at together: a secret may be whole in one of them alone.
        changed = changed_by(repository, commit) if commit else []
        (text, doc, name, *changed), _ = redact_all([text[: 4 * LONGEST], doc, each.name, *changed])
        by_place[id(each)] = text, name, changed
        quoted.append(codepacking.Quoted(each, text, doc, state.searcher.today(changed)))
    context, tokens, shown, unfit = codepacking.pack(
        quoted,
        result["context"],
        most - len(result["memories"]),
        asked.budget,
        counter,
        told.terms,
    )
    packed, taken = redact(context)
    if taken:
        context = counter.truncate(packed, asked.budget)
        tokens = counter.count(context)
    result["context"], result["tokens"] = context, tokens
    result["memories"] += [_told(state, each, *by_place[id(each)]) for each in shown]
    counts = Counter(result["dropped"])
    counts.update(told.dropped)
    counts.update(reason for _, reason in unfit)
    result["dropped"] = dict(counts)
    result["abstained"] = not result["memories"]
    left = [*unfit, *told.left]
    if result["explanation"] is not None:
        looked = Counter(HISTORY if each.commit else each.source for each in told.found)
        looked.update(HISTORY if each.commit else each.source for each, _ in told.left)
        explaining.add_places(result["explanation"], looked, shown, left)
    result["notes"] = list(told.notes)
    timings = result["timings_ms"]
    timings["search"] = round((time.perf_counter() - start) * 1e3, 3)
    timings["total"] = round(sum(took for name, took in timings.items() if name != "total"), 3)
    first = 1 + sum(each.rank > 0 for each in exposure.items)
    items = [_shown(each, rank, "") for rank, each in enumerate(shown, first)]
    items += [_shown(each, 0, reason) for each, reason in left[:MISSES]]
    return result, replace(
        exposure,
        ranker=",".join(name for name in (exposure.ranker, RANKER) if name),
        tokens=tokens,
        abstained=result["abstained"],
        items=(*exposure.items, *items),
    )


def _shown(found: Found, rank: int, why_not: str) -> Shown:
    """What is noted of a place or a commit: it is no memory, and has no id of one."""
    (path,), _ = redact_all([found.path])
    why = {**found.why, "chance": found.chance}
    return Shown(
        rank=rank,
        score=round(found.score * MILLION),
        dropped=why_not,
        features=tuple((name, round(share * MILLION)) for name, share in sorted(why.items()) if share),
        path=path,
        source=HISTORY if found.commit else found.source,
        blob=found.blob,
        line=found.first,
        last=found.last,
        commit=found.commit.id if found.commit else "",
    )


def _told(state: State, found: Found, text: str, name: str, changed: Sequence[str]) -> RecalledMemory:
    commit = found.commit
    seen: Evidence = {
        "commit": commit.id if commit else state.head(),
        "path": found.path,
        "before": "",
        "after": "" if commit else text[:LONGEST],
        "author": commit.author if commit else "",
        "time": commit.t if commit else 0,
    }
    return {
        "id": commit.id if commit else f"{found.path}:{found.first}",
        "kind": found.kind,
        "scope": "project",
        "source": HISTORY if commit else found.source,
        "title": name,
        "text": text[:LONGEST],
        "score": round(found.score, 6),
        "why": {reason: round(share, 6) for reason, share in found.why.items()},
        "trust": "accepted",
        "evidence": [seen],
        "path": found.path,
        "line": found.first,
        "end_line": found.last,
        "changed": list(changed),
    }


def _endings(language: str) -> tuple[str, ...]:
    """The endings of a language's files; those of its family where it has one."""
    wish = LANGUAGES.get(language.strip().lower(), "")
    family = {"javascript", "typescript", "tsx"}
    names = family if wish in family else {wish}
    return tuple(
        f".{ending}" for ending, name in LANGUAGES.items() if wish and name in names and len(ending) <= 3
    )
