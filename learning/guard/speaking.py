"""The rules that may warn now, as the guard takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...store.fold import View
from ...store.items import Item
from ...store.kinds import MILLION, Memory, RuleEvent
from ...store.record import Record
from ...store.secrets import redact
from ...store.wording import times
from ..rules.lifecycle import ACTIVE, corrected
from .findings import ActiveRule


def active_rules(view: View, known: Sequence[Item]) -> list[ActiveRule]:
    """The rules that may warn now: active ones, the person's own or accepted; the surest first."""
    last: dict[object, Record] = {}
    for record in view.of_kind("rule-event"):
        state, rule = record.body.get("to_state"), record.body.get("rule", "")
        if isinstance(state, str) and state and isinstance(rule, str):
            last[rule] = record
    out = []
    for item in known:
        if item.kind != "rule" or item.status != ACTIVE or item.trust == "pulled":
            continue
        current, said = view.current(item.id), last.get(item.id)
        if current is None or said is None:
            continue
        memory, event = current.decoded(), said.decoded()
        if not isinstance(memory, Memory) or memory.rule is None or not isinstance(event, RuleEvent):
            continue
        if memory.rule.language == "":
            continue
        out.append(_active(item, memory, event))
    return sorted(out, key=lambda rule: (-rule.confidence, -rule.support, rule.id))


def reworded(rule: ActiveRule, item: Item) -> ActiveRule:
    """The rule in the words of another form of its item: one without secrets."""
    message = item.title + rule.message[len(rule.title) :]
    reason = redact(rule.reason)[0]
    return replace(rule, title=item.title, message=message, evidence=item.evidence, reason=reason)


def _active(item: Item, memory: Memory, event: RuleEvent) -> ActiveRule:
    assert memory.rule is not None
    good = item.support - event.support  # the item counts those who called it good as well
    said = f"{corrected(event.support, event.commits)}{f', called good {times(good)}' if good > 0 else ''}"
    return ActiveRule(
        id=item.id,
        title=item.title,
        message=f"{item.title}: {said}",
        pattern=memory.rule,
        support=event.support,
        against=event.against,
        confidence=event.confidence / MILLION,
        status=item.status,
        evidence=item.evidence,
        backtest={"matched": event.matched, "stood": event.stood, "changed": event.changed},
        reason=memory.reason,
    )
