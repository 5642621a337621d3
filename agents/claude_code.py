"""Claude Code: its hooks' JSON, its settings file, and the answers it takes.

Formats as read in 2026; what is unsure is tested for. A payload of Cursor or Copilot, which run hooks from
Claude's settings too, is named as theirs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Literal

from ..repo.errors import UsageError
from . import transcript
from .base import AgentEvent, Json, Wrote, sound, text_of
from .claude_settings import connect, disconnect

NAME = "claude-code"
__all__ = ["NAME", "connect", "disconnect", "parse", "reply_context", "reply_warning"]

_WRITES = frozenset({"Write", "Edit", "MultiEdit", "NotebookEdit"})
_HINT = "Give the JSON that the agent hands to its hooks, whole, on standard input."


def parse(payload: bytes) -> AgentEvent:
    """Read one hook payload; raises `UsageError` when it is not a JSON object."""
    try:
        given = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"this is not the JSON of a {NAME} hook: {error}", _HINT) from None
    if not isinstance(given, dict):
        raise UsageError(f"this is not the JSON of a {NAME} hook: it is no object", _HINT)
    told = transcript.read(text_of(given, "transcript_path"))
    asked = text_of(given, "hook_event_name") == "UserPromptSubmit"
    wrote = () if asked else tuple(_wrote(given))
    event: Literal["wrote", "asked", "other"] = "asked" if asked else "wrote" if wrote else "other"
    return AgentEvent(
        agent=_agent(given),
        event=event,
        model=text_of(given, "model") or told.model,
        conversation=text_of(given, "session_id", "conversation_id"),
        prompt_id=text_of(given, "prompt_id", "generation_id") or ("" if asked else told.prompt_id),
        cwd=text_of(given, "cwd"),
        task=text_of(given, "prompt") if asked else told.task,
        wrote=wrote,
    )


def reply_context(context: str) -> str:
    """The answer to UserPromptSubmit that puts `context` beside the prompt; "" for none."""
    return _reply("UserPromptSubmit", context)


def reply_warning(text: str) -> str:
    """The answer to PostToolUse that lets the agent read `text` after its write; "" for none."""
    return _reply("PostToolUse", text)


def _reply(event: str, text: str) -> str:
    if not text.strip():
        return ""
    return json.dumps({"hookSpecificOutput": {"hookEventName": event, "additionalContext": text}})


def _agent(given: Json) -> str:
    path = text_of(given, "transcript_path").replace("\\", "/").lower()
    if "cursor_version" in given or "/.cursor/" in path:
        return "cursor"
    if "extensionId" in given or "github copilot" in path or "github.copilot" in path:
        return "copilot"
    return NAME


def _wrote(given: Json) -> Iterator[Wrote]:
    tool = text_of(given, "tool_name")
    asked = given.get("tool_input")
    if tool not in _WRITES or not isinstance(asked, dict):
        return
    path = text_of(asked, "file_path", "notebook_path", "path", "filePath")
    if not path:
        return
    response = given.get("tool_response")
    answer: Json = response if isinstance(response, dict) else {}
    altered = answer.get("userModified") is True
    before = _whole(_before(answer))
    meant = _whole(_meant(tool, asked, before))
    if altered:
        # What was asked for is the proposal; what the person made of it is in the file.
        yield Wrote(path, before, None, meant, tool, True)
    else:
        yield Wrote(path, before, meant, None, tool, False)


def _whole(text: str | None) -> str | None:
    return text if text is None or sound(text) else None


def _before(answer: Json) -> str | None:
    for key in ("originalFile", "originalFileContents"):
        if isinstance(text := answer.get(key), str):
            return text
    return "" if answer.get("type") == "create" else None


def _meant(tool: str, asked: Json, before: str | None) -> str | None:
    """The whole file as the agent meant it, None where that cannot be told for sure."""
    if tool == "Write":
        content = asked.get("content")
        return content if isinstance(content, str) else None
    if tool not in ("Edit", "MultiEdit"):
        return None
    edits = asked.get("edits") if tool == "MultiEdit" else [asked]
    if not isinstance(edits, list) or not edits:
        return None
    text = before
    for edit in edits:
        text = _edited(text, edit) if isinstance(edit, dict) else None
    return text


def _edited(text: str | None, edit: Json) -> str | None:
    old, new = edit.get("old_string"), edit.get("new_string")
    if not isinstance(old, str) or not isinstance(new, str):
        return None
    if not old:  # makes a file
        return new if not text else None
    # An emptied string takes its line end along in some versions: the file itself knows.
    if text is None or not new or old not in text:
        return None
    if edit.get("replace_all") is True:
        return text.replace(old, new)
    return text.replace(old, new, 1) if text.count(old) == 1 else None
