"""What a coding agent's module offers: reading its hooks' JSON, connecting it, answering it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

Scope = Literal["project", "user"]


@dataclass(frozen=True)
class Wrote:
    """One file that an agent wrote. `before` is None when it is not known, "" when there was no file; `after`
    is None when the file itself is to be read; `proposed` is the agent's text where the person `altered` it.
    """

    path: str
    before: str | None
    after: str | None
    proposed: str | None
    tool: str
    altered: bool


@dataclass(frozen=True)
class AgentEvent:
    """One call of an agent's hook: `event` is "wrote", "asked" (the person sent a prompt) or "other"."""

    agent: str
    event: Literal["wrote", "asked", "other"]
    model: str = ""
    conversation: str = ""
    prompt_id: str = ""
    cwd: str = ""
    task: str = ""
    wrote: tuple[Wrote, ...] = ()


@dataclass(frozen=True)
class Change:
    """What connecting or disconnecting does to an agent's settings; with a dry run, would do."""

    path: Path
    diff: str
    backup: Path | None
    changed: bool


class Agent(Protocol):
    """One coding agent; each module of this package but this one is such."""

    NAME: str

    def parse(self, payload: bytes) -> AgentEvent:
        """Read what the agent's hook was given; raises `UsageError` on what is no such JSON."""
        ...

    def connect(self, scope: Scope, root: Path | None, home: Path, dry_run: bool = False) -> Change:
        """Put the hooks into the agent's settings: the project's under `root`, the person's under `home`."""
        ...

    def disconnect(self, scope: Scope, root: Path | None, home: Path, dry_run: bool = False) -> Change:
        """Take the hooks out again."""
        ...

    def reply_context(self, context: str) -> str:
        """What the hook of a prompt prints so that `context` reaches the agent."""
        ...

    def reply_warning(self, text: str) -> str:
        """What the hook of a write prints so that the agent reads the warning."""
        ...


Json = Mapping[str, object]


def text_of(values: Json, *keys: str) -> str:
    """The first of `keys` that holds text, "" when none does; half a surrogate pair becomes “?”."""
    text = next((value for key in keys if isinstance(value := values.get(key), str) and value), "")
    return text if sound(text) else text.encode("utf-8", "replace").decode("utf-8")


def sound(text: str) -> bool:
    """Whether text can be written as UTF-8: JSON may hold half a surrogate pair."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
