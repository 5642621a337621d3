"""`cortex ask --batch`: one question a line in, one answer a line out, in the same order."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..repo.errors import CortexError, UsageError

#: What a line may say, and the argument of `ask` that it stands for.
FIELDS = {"text": "question", "language": "language", "path": "path", "in": "sources"}
#: A longer line is passed over: no question is so long.
LONGEST = 12 * 1024 * 1024
SCHEMA = 1


def lines(file: str) -> Iterator[str]:
    """The lines of a file, or of standard input for `-`, without empty ones. Raises `UsageError`."""
    if file == "-":
        yield from (_decoded(line) for line in sys.stdin.buffer if line.strip())
        return
    try:
        with Path(file).open("rb") as opened:
            yield from (_decoded(line) for line in opened if line.strip())
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", "replace") if len(line) <= LONGEST else " " * (LONGEST + 1)


def answer(line: str, ask: Callable[..., Mapping[str, Any]], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to one line; for a bad one `{"schema": 1, "error": …}`, and the rest goes on."""
    try:
        given = {**defaults, **question_of(line)}
        return dict(ask(**given))
    except CortexError as error:
        said = {"message": error.message, "hint": error.hint, "status": error.exit_code}
        return {"schema": SCHEMA, "error": said}


def question_of(line: str) -> dict[str, Any]:
    """The arguments that a line says; raises `UsageError` for one that is no question."""
    if len(line) > LONGEST:
        raise UsageError("the line is longer than 12 MiB")
    try:
        said = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the line is no JSON: {error}", 'Write {"text": "a question"}.') from error
    if not isinstance(said, dict):
        raise UsageError("the line is no JSON object", 'Write {"text": "a question"}.')
    unknown = sorted(said.keys() - FIELDS.keys())
    if unknown:
        raise UsageError(f"there is no field {', '.join(unknown)}", f"The fields: {', '.join(FIELDS)}.")
    if not isinstance(said.get("text"), str):
        raise UsageError("the line has no text", 'Write {"text": "a question"}.')
    for name, value in said.items():
        listed = name == "in" and isinstance(value, list) and all(isinstance(each, str) for each in value)
        if not isinstance(value, str) and not listed:
            raise UsageError(f"{name} is no text")
    return {FIELDS[name]: value for name, value in said.items()}
