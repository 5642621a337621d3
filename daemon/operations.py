"""The operations on one repository by name, and what each of them takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from ..repo.errors import UsageError
from . import (
    answering,
    baseline,
    fixing,
    graphing,
    guarding,
    hearing,
    recording,
    reporting,
    reviewing,
    ruling,
    settling,
    sharing,
    sweeping,
    teaching,
    trying,
)
from .state import State

Progress = Callable[[Mapping[str, object]], None]
Operation = Callable[..., Mapping[str, Any]]

OPERATIONS: Mapping[str, Operation] = {
    "ask": answering.ask,
    "baseline": baseline.baseline,
    "check": guarding.check,
    "feedback": answering.feedback,
    "fix": fixing.fix,
    "forget": answering.forget,
    "graph": graphing.graph,
    "hook": hearing.hook,
    "learn": teaching.learn,
    "log": answering.log,
    "record": recording.record,
    "remember": answering.remember,
    "rule_decide": ruling.rule_decide,
    "rule_export": ruling.rule_export,
    "rule_import": ruling.rule_import,
    "rule_show": ruling.rule_show,
    "rule_test": ruling.rule_test,
    "rules": ruling.rules,
    "settle": settling.settle,
    "show": answering.show,
    "report": reporting.report,
    "review": reviewing.review,
    "sweep": sweeping.sweep,
    "swept": sweeping.swept,
    "sync": sharing.sync,
    "trial": trying.trial,
    "unsay": reviewing.unsay,
}
#: What lies in the spool came first: an answer without it would be of yesterday, which is better than none.
AFTER_THE_SPOOL = frozenset(
    {"rule_show", "rules", "ask", "graph", "learn", "log", "report", "review", "show", "sync", "trial"}
)
READING = frozenset({"rule_show", "rules", "ask", "graph", "log", "report", "review", "show"})


def named(
    op: str, given: Mapping[str, object], request: str = "", progress: Progress | None = None
) -> Callable[[State], Mapping[str, Any]]:
    """The operation `op` with its arguments, to be done on a state.

    Raises `UsageError` for an operation, or an argument, that there is not: some of them when it is done.
    """
    operation = OPERATIONS.get(op)
    if operation is None:
        raise UsageError(
            f"there is no operation {op}", "The daemon may be of another version: `cortex daemon stop`."
        )
    accepted = _accepted(operation)
    if unknown := [name for name in given if name not in accepted or name == "state"]:
        raise UsageError(f"{op} takes no {', '.join(unknown)}")
    taken: dict[str, Any] = dict(given)
    if "progress" in accepted and progress is not None:
        taken["progress"] = progress
    if "request" in accepted and request:
        taken["request"] = request[:100]

    def done(state: State) -> Mapping[str, Any]:
        try:
            return operation(state, **taken)
        except TypeError as error:
            raise UsageError(f"{op}: {error}") from error

    return done


@cache
def _accepted(operation: Operation) -> Mapping[str, inspect.Parameter]:
    """What an operation takes: to find it out takes as long as half an answer's packing."""
    return inspect.signature(operation).parameters
