"""Noting how tests, or a command, went over what was generated: a trial, and the result of the tasks concerned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..repo.errors import UsageError
from ..store.kinds import Execution, Generation, Outcome, Trial
from ..store.record import Draft, Record
from .contracts import SCHEMA
from .contracts.keeping import TrialResult
from .state import State

_COMMAND = 300  # characters of a command that are kept
_MOST = 1_000  # generations that one trial speaks of


def trial(
    state: State,
    *,
    source: str,
    status: int = 0,
    passed: int = 0,
    failed: int = 0,
    errors: int = 0,
    skipped: int = 0,
    duration: int = 0,
    failing: Sequence[str] = (),
    command: str = "",
    path: str = "",
    conversation: str = "",
    cwd: str | None = None,
    request: str = "",
) -> TrialResult:
    """Note a run of tests (`source` junit) or of a command (run; `status` is its exit status).

    It concerns what was generated since the last commit; where that is nothing, what that commit decided.
    `path` and `conversation` narrow it. Without such a generation nothing is written.
    """
    if source not in ("junit", "run"):
        raise UsageError(f"there is no source of trials called {source}")
    name = state.path(path, cwd) if path else ""
    concerned = _concerned(state, name, conversation)
    result = "failed" if status or failed or errors else "passed"
    executions = list(dict.fromkeys(str(each.body.get("execution", "")) for each in concerned))
    told: TrialResult = {
        "schema": SCHEMA,
        "trial": "",
        "result": result,
        "passed": passed,
        "failed": failed + errors,
        "skipped": skipped,
        "generations": len(concerned),
        "executions": [m for m in executions if m],
        "paths": sorted({str(each.body.get("path", "")) for each in concerned})[:50],
        "redacted": 0,
    }
    if not concerned:
        return told
    body = Trial(
        source=source,
        command=command[:_COMMAND],
        status=status,
        passed=passed,
        failed=failed,
        errors=errors,
        skipped=skipped,
        failing=tuple(failing),
        duration=max(0, duration),
        commit=state.head(),
        generations=tuple(each.m for each in concerned),
        executions=tuple(told["executions"]),
    )
    before = state.journal.redactions
    written = state.journal.append(
        [Draft(body, origin="trial"), *_results(state, executions, result)], request
    )
    told["trial"] = written[0].m
    told["redacted"] = state.journal.redactions - before
    return told


def _concerned(state: State, path: str, conversation: str) -> list[Record]:
    """The generations that a trial speaks of, newest last."""
    view, head = state.view(), state.head()
    decided = {
        str(record.body.get("generation", "")): str(record.body.get("commit", ""))
        for record in view.of_kind(Outcome.KIND)
    }
    every = [
        record
        for record in view.of_kind(Generation.KIND)
        if (not path or record.body.get("path") == path)
        and (not conversation or _conversation(state, record) == conversation)
    ]
    every.sort(key=lambda record: (record.t, record.w, record.id))
    since = [record for record in every if record.m not in decided and record.body.get("head", "") == head]
    found = since or [record for record in every if decided.get(record.m) == head]
    return found[-_MOST:]


def _conversation(state: State, generation: Record) -> str:
    task = state.view().current(str(generation.body.get("execution", "")))
    return str(task.body.get("conversation", "")) if task is not None else ""


def _results(state: State, executions: Sequence[str], result: str) -> list[Draft]:
    """New versions of the tasks whose tests went otherwise than is known."""
    drafts = []
    for m in executions:
        heads = state.view().heads(m) if m else ()
        body = heads[-1].decoded() if heads and heads[-1].op == "put" else None
        if isinstance(body, Execution) and body.tests != result:
            parents = tuple(head.id for head in heads)
            drafts.append(Draft(replace(body, tests=result), m=m, parents=parents, origin="trial"))
    return drafts
