"""Why an answer is what it is, as data: how the question was read, what was enough, and what was nearly so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..recall import explanation
from ..recall.cascade import Answer, Question
from ..recall.codequery import read_query
from ..recall.codesearch import CODE, DOCS, ENOUGH, HISTORY, Found
from ..recall.question import LANGUAGES, Understood, understand
from ..recall.ranking import Ranked
from ..recall.surroundings import names, paths
from ..store.secrets import redact_all
from .contracts.asking import Explanation, LeftOut, Measured, Understanding

#: So many of what was left out are told, of memories and of places each; so many words of a question, so long.
NEAREST, WORDS, LONG = 5, 40, 80
#: What a name behind a dot is a file by, where no folder stands before it.
ENDINGS = frozenset({*LANGUAGES, *"cfg css html ini json md mod rst toml txt yaml yml".split()})  # noqa: SIM905 - prose
#: Why a place was left out, where that is said otherwise than of memories.
OF_PLACES = {
    "repeated": "a better one says it already, or has its place: few of one kind are shown",
    "vague": "the question says nothing that could be looked for",
    "behind": "it comes too far behind the best one of its kind",
}
#: What a question to code and history can ask for, and what it is called there.
_ASKS = {"past": "past", "place": "place", "code": "code", "tests": "testing", "nothing": "vague"}
#: What stands for a gate where nothing was measured: it came with another one.
NO_GATE = explanation.Gate("", 0.0, 0.0)


def of_question(question: Question) -> Explanation:
    """What there is to explain where no memories were looked for."""
    said = _understood(understand(question))
    return {"understood": said, "sources": {}, "needed": {}, "shown": [], "left": []}


def of_answer(question: Question, answer: Answer) -> Explanation:
    """The explanation of an answer from memory."""
    way = answer.way
    if way is None:
        return of_question(question)
    found = way.found
    least = explanation.bars(way.ranked, found.size, way.weights, way.asked.bar)
    words = {m for m, bm25 in zip(found.items.ids, found.bm25, strict=True) if bm25 > 0}
    tied = {m for m in found.items.ids if found.graph.get(m)}
    return {
        "understood": _understood(way.asked),
        "sources": {
            "memories": found.size,
            "candidates": len(found.items),
            "words": len(words),
            "graph": len(tied),
            "vectors_alone": len(found.items) - len(words | tied),
        },
        "needed": {
            "evidence": round(least.evidence, 6),
            "of_so_many": round(way.weights.threshold(found.size), 6),
        },
        "shown": [
            _measured(
                each.item.id,
                _gate(Ranked(each.item, each.score, each.why), least),
                explanation.held(way.asked, each.item)[:WORDS],
            )
            for each in answer.memories
        ],
        "left": [_left(each, least) for each in explanation.nearest(answer.left, NEAREST)],
    }


def add_places(
    told: Explanation, looked: Mapping[str, int], shown: Sequence[Found], left: Sequence[tuple[Found, str]]
) -> None:
    """What there is to say of code, docs and history; `looked` counts the candidates of each."""
    told["sources"] |= {source: looked[source] for source in (CODE, DOCS, HISTORY) if source in looked}
    told["needed"]["chance"] = ENOUGH
    told["shown"] += [_measured(_id(each), _chance(each)) for each in shown]
    for each, reason in left[:NEAREST]:
        (title,), _ = redact_all([each.name or _id(each)])
        gate = _chance(each)
        told["left"].append(
            {
                "id": _id(each),
                "kind": each.kind,
                "source": HISTORY if each.commit else each.source,
                "title": title,
                "score": round(each.score, 6),
                "why": _shares(each.why),
                "reason": reason,
                "said": OF_PLACES.get(reason) or explanation.REASONS.get(reason, reason),
                "measure": gate.measure,
                "had": round(gate.had, 6),
                "needed": gate.needed,
            }
        )


def _understood(asked: Understood) -> Understanding:
    code = read_query(asked.text)
    dotted = paths(asked.text)  # `requests.get` has the shape of one, too
    files = [each for each in dotted if "/" in each or each.rpartition(".")[2].lower() in ENDINGS]
    symbols = [*names(asked.text), *(each for each in dotted if each not in files)]
    symbols = [each for each in dict.fromkeys(symbols) if not any(path.endswith(each) for path in files)]
    texts, _ = redact_all([*symbols, *files, *dict.fromkeys(asked.terms)])
    texts = [each if len(each) <= LONG else f"{each[: LONG - 1]}…" for each in texts]
    return {
        "kind": asked.kind,
        "task_likeness": round(code.task, 4),
        "languages": list(asked.languages),
        "named": sorted(asked.named),
        "folder": asked.folder,
        "file": asked.file,
        "symbols": texts[: len(symbols)],
        "paths": texts[len(symbols) : len(symbols) + len(files)],
        "words": texts[len(symbols) + len(files) :][:WORDS],
        "asks": [said for said, asks in _ASKS.items() if getattr(code, asks)],
    }


def _left(each: Ranked, least: explanation.Bars) -> LeftOut:
    gate = _gate(each, least)
    return {
        "id": each.item.id,
        "kind": each.item.kind,
        "source": each.item.origin,
        "title": each.item.title,
        "score": round(each.score, 6),
        "why": _shares(each.why),
        "reason": each.dropped,
        "said": explanation.REASONS.get(each.dropped, each.dropped),
        "measure": gate.measure,
        "had": round(gate.had, 6),
        "needed": round(gate.needed, 6),
    }


def _gate(each: Ranked, least: explanation.Bars) -> explanation.Gate:
    return explanation.gate(each, least) if "similarity" in each.why else NO_GATE


def _chance(each: Found) -> explanation.Gate:
    return explanation.Gate("chance", each.chance, each.needed)


def _measured(of: str, gate: explanation.Gate, words: Sequence[str] = ()) -> Measured:
    had, needed = round(gate.had, 6), round(gate.needed, 6)
    return {"id": of, "measure": gate.measure, "had": had, "needed": needed, "words": list(words)}


def _shares(why: Mapping[str, float]) -> dict[str, float]:
    return {name: round(share, 6) for name, share in why.items()}


def _id(found: Found) -> str:
    return found.commit.id if found.commit else f"{found.path}:{found.first}"
