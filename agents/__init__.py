"""One module for each coding agent: how it is connected and what its hooks say. The table is `AGENTS`."""

from __future__ import annotations

from collections.abc import Mapping

from ..repo.errors import UsageError
from . import claude_code
from .base import Agent, AgentEvent, Change, Scope, Wrote

AGENTS: Mapping[str, Agent] = {claude_code.NAME: claude_code}

__all__ = ["AGENTS", "Agent", "AgentEvent", "Change", "Scope", "Wrote", "agent"]


def agent(name: str) -> Agent:
    """The agent of this name; raises `UsageError` that lists the known ones."""
    try:
        return AGENTS[name]
    except KeyError:
        known = ", ".join(sorted(AGENTS))
        raise UsageError(f"Cortex knows no agent named {name!r}", f"It knows: {known}.") from None
