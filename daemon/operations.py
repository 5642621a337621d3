"""The operations on one repository by name, and what each of them takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..repo.errors import UsageError

if TYPE_CHECKING:
    from .state import State

Progress = Callable[[Mapping[str, object]], None]
Operation = Callable[..., Mapping[str, Any]]

#: The module of each operation; its function there has the operation's name. What nobody asks for is not loaded:
#: all of it takes as long as an answer does in a process of its own.
OPERATIONS: Mapping[str, str] = {
    "ask": "answering",
    "baseline": "baseline",
    "check": "guarding",
    "feedback": "memories",
    "fix": "fixing",
    "forget": "memories",
    "graph": "graphing",
    "hook": "hearing",
    "learn": "teaching",
    "log": "memories",
    "record": "recording",
    "remember": "memories",
    "rule_decide": "ruling",
    "rule_export": "ruling",
    "rule_import": "ruling",
    "rule_show": "ruling",
    "rule_test": "ruling",
    "rules": "ruling",
    "settle": "settling",
    "show": "memories",
    "report": "reporting",
    "review": "reviewing",
    "sweep": "sweeping",
    "swept": "sweeping",
    "sync": "sharing",
    "trial": "trying",
    "unsay": "reviewing",
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
    operation = _operation(op)
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


def _operation(op: str) -> Operation:
    """What does the operation `op`; raises `UsageError` where there is none."""
    if op not in OPERATIONS:
        raise UsageError(
            f"there is no operation {op}", "The daemon may be of another version: `cortex daemon stop`."
        )
    found: Operation = getattr(import_module(f".{OPERATIONS[op]}", __package__), op)
    return found


@cache
def _accepted(operation: Operation) -> Mapping[str, inspect.Parameter]:
    """What an operation takes: to find it out takes as long as half an answer's packing."""
    return inspect.signature(operation).parameters
