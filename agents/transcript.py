"""Claude Code's transcript: the model, and the person's last prompt, from the end of a JSON Lines file."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from .base import Json, text_of

_TAIL = 1024 * 1024


@dataclass(frozen=True)
class Told:
    """What the end of a transcript says; empty where it says nothing."""

    model: str = ""
    task: str = ""
    prompt_id: str = ""


def read(path: str) -> Told:
    """Read the last MiB of the transcript at `path`; what cannot be read says nothing."""
    if not path.endswith(".jsonl"):
        return Told()
    try:
        tail = _tail(Path(path))
    except (OSError, ValueError):
        return Told()
    model = task = prompt_id = ""
    for line in reversed(tail.split(b"\n")):
        if not (b'"user"' in line or b'"assistant"' in line):
            continue
        entry = _entry(line)
        if entry.get("isSidechain") is True:
            continue
        message = entry.get("message")
        if not isinstance(message, dict):
            continue
        if entry.get("type") == "assistant" and not model:
            said = text_of(message, "model")
            model = "" if said.startswith("<") else said
        elif entry.get("type") == "user" and not task and entry.get("isMeta") is not True:
            task = _prompt(message.get("content"))
            prompt_id = text_of(entry, "promptId", "uuid") if task else ""
        if model and task:
            break
    return Told(model, task, prompt_id)


def _tail(path: Path) -> bytes:
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            return b""
        start = max(0, facts.st_size - _TAIL)
        file.seek(start)
        tail = file.read(_TAIL)
    return tail.partition(b"\n")[2] if start else tail


def _entry(line: bytes) -> Json:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}


def _prompt(content: object) -> str:
    """What a person typed: tool results, and what the agent put there in angle brackets, are no prompts."""
    if isinstance(content, list):
        texts = [
            text_of(part, "text") for part in content if isinstance(part, dict) and part.get("type") == "text"
        ]
        content = "\n".join(filter(None, texts))
    if not isinstance(content, str) or content.lstrip().startswith(("<", "[Request interrupted")):
        return ""
    return content.strip()
