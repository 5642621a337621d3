"""How many outcomes, and how many changes of each kind, a journal holds."""

from __future__ import annotations

from collections.abc import Mapping

from ...store.fold import View
from ...store.kinds import Correction, Generation, Outcome

VERDICTS = ("accepted", "edited", "rejected")


def outcomes(view: View) -> dict[str, int]:
    """Generations by what became of them; `waiting` ones are in no commit yet."""
    found = dict.fromkeys(VERDICTS, 0)
    decided = 0
    for record in view.of_kind(Outcome.KIND):
        verdict = str(record.body.get("verdict", ""))
        if verdict in found:
            found[verdict] += 1
            decided += 1
    return {**found, "waiting": max(0, sum(1 for _ in view.of_kind(Generation.KIND)) - decided)}


def changes(view: View) -> dict[str, int]:
    """What was changed in generated code, by kind: a person's own hand, a directed re-edit, a second thought.

    `people` are corrections of what people wrote, from the past; `formatted` counts generations of which a
    formatter changed lines. Second thoughts and formatting are counted, and never learnt.
    """
    found = {"person": 0, "directed": 0, "people": 0, "second_thoughts": 0, "formatted": 0}
    for record in view.of_kind(Correction.KIND):
        hand = str(record.body.get("hand", ""))
        if hand in found:
            found[hand] += 1
    for record in view.of_kind(Outcome.KIND):
        found["second_thoughts"] += _number(record.body, "second_thoughts")
        found["formatted"] += _number(record.body, "formatted") > 0
    return found


def _number(body: Mapping[str, object], name: str) -> int:
    value = body.get(name, 0)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
