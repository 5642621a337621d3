"""A question put to a store: what is recalled for it, and the record of what was shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..repo.errors import UsageError
from ..store.kinds import Exposure
from ..store.record import Draft
from ..store.secrets import redact
from . import later
from .contracts import SCHEMA
from .contracts.asking import AskResult
from .memories import evidence
from .sources import MEMORIES, wanted
from .state import State

#: So much more evidence is asked of a memory where code, docs or history answer too: what asks for a place found a
#: memory, of a few, that had something of its words (read on 45 questions about three repositories).
BESIDE = 0.12


def ask(
    state: State,
    *,
    question: str,
    k: int | None = None,
    budget: int | None = None,
    language: str = "",
    path: str = "",
    sources: str | Sequence[str] = "memories",
    channel: str = "ask",
    cwd: str | None = None,
    explain: bool = False,
) -> AskResult:
    """Recall the memories that matter for `question`, or none; leaves an exposure record.

    `sources` says where else to look: "memories,code,history"; `explain` adds why the answer is what it is. Raises
    `UsageError` for an empty question, another source, or a `k` or `budget` out of range.
    """
    from ..models.routing import route
    from ..recall.cascade import Answer, Question, recall
    from ..store.bulk.bulk import DamagedBulk
    from . import underwork
    from .standing import standing
    from .vanished import vanished

    if not question.strip():
        raise UsageError(
            "the question is empty", 'Ask for example: cortex ask "how do we call requests.get?"'
        )
    flags = {key: value for key, value in (("recall.k", k), ("recall.budget", budget)) if value is not None}
    settings = state.settings(flags)
    named = wanted(sources)
    most = settings.integer("recall.k")
    place = state.path(path, cwd) if path else ""
    asked = Question(
        question,
        # Beside other sources memories leave room for these.
        k=most if named == (MEMORIES,) else -(-most // 2),
        budget=settings.integer("recall.budget"),
        language=language,
        path=place,
        code=underwork.written(state.place.root, place),
        bar=0.0 if named == (MEMORIES,) else BESIDE,
    )
    if named != (MEMORIES,):
        from . import finding  # what searches code takes as long to import as memories to be searched
    if MEMORIES not in named:
        told, exposure = finding.only(state, asked, most, named, explain)
        _note_answer(state, exposure, channel)
        return told
    root, stands = state.place.root, standing(state)

    def answered() -> Answer:
        index = state.index()
        return recall(
            asked,
            index.known,
            index,
            state.models.encoder,
            state.models.classifier,
            state.models.counter,
            state.clock(),
            (lambda name: (root / name).exists()) if root else None,
            code=state.code(),
            standing=stands,
            gone=vanished(state, stands),
        )

    try:
        answer = answered()
    except DamagedBulk:
        state.distrust()
        answer = answered()
    context, tokens = answer.context, answer.tokens
    # The items are clean; what stands side by side in the packed text is looked at once more.
    packed, taken = redact(context)
    if taken:
        context = state.models.counter.truncate(packed, asked.budget)
        tokens = state.models.counter.count(context)
    result: AskResult = {
        "schema": SCHEMA,
        "query": question,
        "task": {
            "type": answer.task_type,
            "confidence": round(answer.task_confidence, 4),
            "route": route(question, answer.task_type),
        },
        "context": context,
        "tokens": tokens,
        "tokenizer": state.models.counter.name,
        "memories": [
            {
                "id": recalled.item.id,
                "kind": recalled.item.kind,
                "scope": recalled.item.scope,
                "source": recalled.item.origin,
                "title": recalled.item.title,
                "text": recalled.item.text,
                "score": round(recalled.score, 6),
                "why": {name: round(share, 6) for name, share in recalled.why.items()},
                "trust": recalled.item.trust,
                "evidence": evidence(recalled.item.evidence),
                "path": "",
                "line": 0,
                "end_line": 0,
                "changed": [],
            }
            for recalled in answer.memories
        ],
        "dropped": dict(answer.dropped),
        "abstained": answer.abstained,
        "timings_ms": {name: round(value, 3) for name, value in answer.timings_ms.items()},
        "notes": _notes(state, answer.dropped.get("unseen", 0)),
        "explanation": None,
    }
    if explain:
        from . import explaining

        result["explanation"] = explaining.of_answer(asked, answer)
    exposure = answer.exposure
    if named != (MEMORIES,):
        result, exposure = finding.beside(state, asked, most, named, result, exposure)
    _note_answer(state, exposure, channel)
    return result


def _note_answer(state: State, exposure: Exposure, channel: str) -> None:
    """Have it written what an answer showed: soon, where there is somebody who sees to it."""
    exposure = replace(exposure, channel=channel)
    if state.later is None:
        note_exposure(state, exposure, channel)
    else:
        state.later.add(Draft(exposure, origin=channel))


def _notes(state: State, unseen: int) -> list[str]:
    """What an answer should say of its index."""
    from .holding import PATIENCE

    if state.holding.first:
        return [PATIENCE]
    if unseen:
        return [
            f"{unseen:,} memories are found by their words alone until their graph of neighbours is ready"
        ]
    return []


def note_exposure(state: State, exposure: Exposure, origin: str) -> None:
    """Write down what was shown, now."""
    later.write(state.journal, [Draft(exposure, origin=origin)])
