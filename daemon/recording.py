"""Recording what an assistant wrote: from a command, from Python, and from an agent's own hooks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

import pygit2

from ..agents.base import AgentEvent, Wrote
from ..repo.errors import BusyError, CortexError, UsageError
from ..repo.files import read_plain
from ..store.codec import decode
from ..store.durable import NotWrittenError
from ..store.kinds import Execution, Generation
from ..store.record import Draft
from ..store.secrets import secrets_of
from .contracts import SCHEMA
from .contracts.keeping import RecordResult
from .state import State

LARGEST = 8 * 1024 * 1024
#: Bytes of the code in which secrets are looked for that its task may name too: all of nearly every file.
SEARCHED = 128 * 1024


class TooLargeError(UsageError):
    """More text than one generation may hold."""


def record(
    state: State,
    *,
    path: str,
    content: str | None = None,
    before: str | None = None,
    agent: str = "",
    model: str = "",
    task: str = "",
    conversation: str = "",
    prompt: str = "",
    tool: str = "",
    altered: bool = False,
    proposed: str | None = None,
    origin: str = "record",
    cwd: str | None = None,
    request: str = "",
) -> RecordResult:
    """Record one generation; when this returns it is on disk.

    `content` None reads the file; `before` None takes the file's last known content.
    `request` names what asked for it: asked twice, it is recorded once.
    Raises `PlaceError` for a path outside the repository, `UsageError` for a file that is not there or is
    ignored, and `TooLargeError` above 8 MiB.
    """
    name = state.path(path, cwd)
    if state.ignored.matches(name):
        raise UsageError(f"{name} is ignored by .cortex/ignore", "Take it out there to have it recorded.")
    after = _read(state, name) if content is None else content.encode("utf-8", "surrogateescape")
    old = _last_known(state, name) if before is None else before.encode("utf-8", "surrogateescape")
    for data in (after, old):
        if data is not None and len(data) > LARGEST:
            raise TooLargeError(
                f"{name} is larger than {LARGEST >> 20} MiB", "Generated code of that size is not kept."
            )
    if b"\0" in after[:8192]:
        raise UsageError(f"{name} is binary", "Only text that an assistant wrote can be learnt from.")
    execution, draft = _execution(state, agent, model, task, conversation, prompt, request)
    ranges = tuple(changed_lines(old or b"", after))
    generation = Generation(
        execution=execution,
        path=name,
        before=state.blobs.keep(old) if old is not None else "",
        after=state.blobs.keep(after),
        ranges=ranges,
        tool=tool,
        altered=altered,
        proposed=state.blobs.keep(proposed.encode("utf-8", "surrogateescape"))
        if proposed is not None
        else "",
        head=state.head(),
    )
    # What the code says is a secret may stand in the task and in the path, too.
    for data in (after, old):
        state.journal.beware(secrets_of((data or b"")[:SEARCHED].decode("utf-8", "replace")))
    # One append: the generation and its task are on disk together, or neither is.
    redactions = state.journal.redactions
    drafts = [*([draft] if draft else []), Draft(generation, origin=origin)]
    written = state.journal.append(drafts, request)[-1]
    kept = decode(Generation, written.body)  # of the first try, where this is the second
    return {
        "schema": SCHEMA,
        "generation": written.m,
        "execution": kept.execution,
        "path": name,
        "lines": sum(last - first + 1 for first, last in kept.ranges),
        "redacted": state.journal.redactions - redactions,
    }


def record_event(state: State, event: AgentEvent, request: str = "") -> tuple[list[RecordResult], list[str]]:
    """Record what an agent's hook said: each file it wrote, or the task it was given; once for one `request`.

    Returns what was recorded, and why some of it was not: one bad path must not lose the others. Raises
    `NotWrittenError` or `BusyError` where another try may well do it.
    """
    if event.event == "asked":
        _, draft = _execution(
            state, event.agent, event.model, event.task, event.conversation, event.prompt_id, request
        )
        if draft is not None:
            state.journal.append([draft])
        return [], []
    recorded, passed_over = [], []
    for n, wrote in enumerate(event.wrote):
        try:
            recorded.append(_record_wrote(state, event, wrote, f"{request}.{n}" if request else ""))
        except (NotWrittenError, BusyError):
            raise
        except CortexError as error:
            passed_over.append(error.message)
    return recorded, passed_over


def changed_lines(before: bytes, after: bytes) -> Iterator[tuple[int, int]]:
    """The line ranges of `after` that are not in `before`, from 1, both ends included."""
    if not before:
        lines = after.count(b"\n") + (not after.endswith(b"\n") if after else 0)
        if lines:
            yield 1, lines
        return
    patch = pygit2.Patch.create_from(before, after, context_lines=0, interhunk_lines=0)
    for hunk in patch.hunks:
        if hunk.new_lines:
            yield hunk.new_start, hunk.new_start + hunk.new_lines - 1


def _record_wrote(state: State, event: AgentEvent, wrote: Wrote, request: str) -> RecordResult:
    return record(
        state,
        path=wrote.path,
        content=wrote.after,
        before=wrote.before,
        agent=event.agent,
        model=event.model,
        task=event.task,
        conversation=event.conversation,
        prompt=event.prompt_id,
        tool=wrote.tool,
        altered=wrote.altered,
        proposed=wrote.proposed,
        origin="agent",
        cwd=event.cwd,
        request=request,
    )


def _execution(
    state: State, agent: str, model: str, task: str, conversation: str, prompt: str, request: str = ""
) -> tuple[str, Draft | None]:
    """The id of the task at hand, and the draft that records it unless it is recorded already.

    One task is one prompt of one conversation; an agent that names neither gets a task for each call.
    """
    body = Execution(
        task=task,
        task_type=_task_type(state, task),
        agent=agent,
        model=model,
        conversation=conversation,
        prompt=prompt,
        started=state.clock(),
    )
    if not conversation:
        once = request or f"{state.clock()}\0{state.head()}"
        key = f"{agent}\0{task}\0{once}"
    else:
        key = f"{agent}\0{conversation}\0{prompt or task}"
    m = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    known = state.view().current(m)
    if known is not None and (not model or decode(Execution, known.body).model):
        return m, None
    if known is not None:
        body = replace(body, tests=decode(Execution, known.body).tests)
        return m, Draft(body, m=m, parents=(known.id,), origin="record")
    return m, Draft(body, m=m, origin="record")


def _task_type(state: State, task: str) -> str:
    if not task:
        return ""
    label, _ = state.models.classifier.classify([task])[0]
    return label


def _read(state: State, name: str) -> bytes:
    try:
        return read_plain(state.place.require_root() / name, LARGEST + 1)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise UsageError(
            f"there is no file {name}", "Give the content on standard input, or name a file that is there."
        ) from None


def _last_known(state: State, name: str) -> bytes | None:
    """The content before the assistant wrote: its own last version that is not committed yet, else the commit's."""
    committed = _committed(state, name)
    last = latest(state, name)
    if last is not None and (last.head == state.head() or committed is None):
        kept = state.blobs.read(last.after)
        if kept is not None:
            return kept
    return committed


def _committed(state: State, name: str) -> bytes | None:
    try:
        entry = state.repository.revparse_single("HEAD").peel(pygit2.Tree)[name]
        # Read in here: in a partial clone the object may be missing.
        return entry.data if isinstance(entry, pygit2.Blob) else None
    except (KeyError, pygit2.GitError, ValueError):
        return None


def latest(state: State, name: str) -> Generation | None:
    """The last generation of a path."""
    found = state.generations().get(name)
    return decode(Generation, found.body) if found else None
