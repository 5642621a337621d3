"""Hearing what hooks say: events that lie in the spool, and an agent's hook that waits for an answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..agents import agent as agent_named
from ..agents.base import Agent, AgentEvent
from ..hooks import spool
from ..repo.errors import BusyError, CortexError
from ..store.durable import NotWrittenError
from ..store.kinds import Generation
from ..store.quarantine import Problem, Quarantine
from ..store.secrets import redact
from . import answering, guarding, recording
from .contracts import SCHEMA
from .state import State

logger = logging.getLogger("cortex")


def take(state: State, event: spool.Event, at: Callable[[str], State]) -> None:
    """Take one event out of the spool. What cannot be understood goes to the quarantine with its bytes.

    Raises `NotWrittenError` or `BusyError` where another try may do it: the event stays in the spool then.
    """
    if event.kind == "agent":
        try:
            said = agent_named(event.name).parse(event.payload)
            _, passed_over = recording.record_event(_where(state, said, at), said, event.file.name)
            for words in passed_over:
                logger.info("%s: not recorded: %s", event.name, words)
        except (NotWrittenError, BusyError):
            raise
        except CortexError as error:
            logger.warning("%s: %s", event.name, error.message)
            problem = Problem(f"spool/{event.file.name}", 0, error.message)
            kept, _ = redact(event.payload.decode("utf-8", "surrogateescape"))
            Quarantine(state.place.store).note(kept.encode("utf-8", "surrogateescape"), problem)
    spool.done(event)


def hook(state: State, *, agent: str, payload: str, file: str = "", request: str = "") -> dict[str, Any]:
    """Record what an agent's hook said, and reply with context for its prompt or a warning about what it wrote.

    `file` is the event's file in the spool: whoever takes it first records it, so that nothing is recorded twice;
    nor is it where a process was killed between the two, since the file's name names the request.
    """
    speaker = agent_named(agent)
    said = speaker.parse(payload.encode("utf-8", "surrogateescape"))
    recorded: list[Any] = []
    passed_over: list[str] = []
    event = spool.read(Path(file)) if file else None
    if not file or event is not None:
        recorded, passed_over = recording.record_event(state, said, event.file.name if event else request)
        if event is not None:
            spool.done(event)
    return {
        "schema": SCHEMA,
        "recorded": recorded,
        "passed_over": passed_over,
        "reply": _reply(state, speaker, said),
    }


def _where(state: State, said: AgentEvent, at: Callable[[str], State]) -> State:
    """The work tree that the agent works in, if it is one of this clone."""
    try:
        return at(said.cwd) if said.cwd else state
    except CortexError:
        return state


def _reply(state: State, speaker: Agent, said: AgentEvent) -> str:
    """What the agent is told; empty when there is nothing worth its attention."""
    if said.event == "asked":
        if not said.task.strip():
            return ""
        answer = answering.ask(state, question=said.task, channel="hook")
        return "" if answer["abstained"] else speaker.reply_context(answer["context"])
    findings = []
    for path in dict.fromkeys(wrote.path for wrote in said.wrote):
        try:
            generation = recording.latest(state, state.path(path, said.cwd))
        except CortexError:
            continue
        if generation is not None:
            findings += _findings(state, generation)
    return speaker.reply_warning(guarding.warning(findings)) if findings else ""


def _findings(state: State, generation: Generation) -> list[Any]:
    data = state.blobs.read(generation.after)
    if data is None:
        return []
    text = data.decode("utf-8", "replace")
    return guarding.check_generation(state, generation.path, text, generation.ranges)
