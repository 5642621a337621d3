"""What goes over the daemon's socket: one JSON object a line, with limits on size, depth and count.

A request is ``{"v": 1, "op", "repo", "args", "deadline_ms"?}``. Its answer is ``{"taken": true}`` where the
deadline is later than `TAKEN_MS`, any number of ``{"progress": {…}}``, and then
``{"ok": true, "result": {…}, "ms", "version"}`` or
``{"ok": false, "error": {"message", "hint", "exit_code", "kind"}, "ms", "version"}``.
Fields that a reader does not know are passed over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from ..repo.errors import EXIT_CODES, PLACE, BusyError, CortexError, DamagedError, PlaceError, UsageError

VERSION = 1
TAKEN_MS = 5_000  # a client that may wait longer is told at once that its request was read
MAX_LINE = 16 * 1024 * 1024
MAX_DEPTH = 48
MAX_ITEMS = 400_000  # what one line may hold of values and keys: bounds the memory that a line can ask for
MAX_DIGITS = 40  # the time to read an integer grows with the square of its length on old Pythons

_KINDS: Mapping[str, type[CortexError]] = {
    kind.__name__: kind for kind in (CortexError, UsageError, PlaceError, BusyError, DamagedError)
}


class ProtocolError(UsageError):
    """A line that is not what this protocol allows."""


class RemoteError(CortexError):
    """An error that the daemon met; `kind` is its name there."""

    def __init__(self, message: str, hint: str = "", kind: str = "") -> None:
        super().__init__(message, hint)
        self.kind = kind


class Reply:
    """What the daemon answered, in how many of its milliseconds, and which version of the package it runs."""

    __slots__ = ("ms", "result", "version")

    def __init__(self, result: dict[str, object], ms: float, version: str) -> None:
        self.result = result
        self.ms = ms
        self.version = version


def encode(value: Mapping[str, object]) -> bytes:
    """One line, LF included. Pure ASCII, so that any path survives, also one that is not UTF-8.

    Raises `ProtocolError` when `value` is no JSON or too long.
    """
    try:
        line = json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise ProtocolError(f"this cannot be sent: {error}") from error
    if len(line) > MAX_LINE:
        raise ProtocolError(
            f"this is too long to be sent: {len(line):,} bytes",
            f"At most {MAX_LINE:,} bytes go over the socket.",
        )
    return line


def parse(line: bytes) -> dict[str, object]:
    """The object in one line. Raises `ProtocolError` for whatever else it holds; never another exception."""
    if len(line) > MAX_LINE:
        raise ProtocolError(f"a line of {len(line):,} bytes is too long")
    if _crowded(line):
        raise ProtocolError(f"a line holds more than {MAX_ITEMS:,} values")
    try:
        value = json.loads(line.decode("utf-8"), parse_int=_integer, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"a line is not JSON: {_brief(error)}") from error
    if not isinstance(value, dict):
        raise ProtocolError("a line is not a JSON object")
    if _deep(value):
        raise ProtocolError(f"a line is nested deeper than {MAX_DEPTH}")
    return value


def request_line(op: str, repo: str, args: Mapping[str, object], deadline_ms: int = 0) -> bytes:
    """The line that asks for `op`."""
    return encode({"v": VERSION, "op": op, "repo": repo, "args": dict(args), "deadline_ms": deadline_ms})


def error_body(error: BaseException) -> dict[str, object]:
    """How an error is told to the client."""
    if isinstance(error, CortexError):
        return {
            "message": error.message,
            "hint": error.hint,
            "exit_code": error.exit_code,
            "kind": getattr(error, "kind", "") or type(error).__name__,
        }
    return {
        "message": f"the daemon failed: {type(error).__name__}: {_brief(error)}",
        "hint": "`cortex daemon logs` shows where.",
        "exit_code": PLACE,
        "kind": "internal",
    }


def rebuilt(body: object) -> CortexError:
    """The error that `error_body` described: of its class if that is one of the roots, else `RemoteError`."""
    given: Mapping[str, object] = body if isinstance(body, dict) else {}
    message = str(given.get("message") or "the daemon said no")
    hint, kind, code = str(given.get("hint") or ""), str(given.get("kind") or ""), given.get("exit_code")
    cls = _KINDS.get(kind)
    error = cls(message, hint) if cls else RemoteError(message, hint, kind)
    if isinstance(code, int) and code in EXIT_CODES:
        error.exit_code = code
    return error


def _crowded(line: bytes) -> bool:
    """Whether `line` holds too many values, counted without making them."""
    if len(line) <= MAX_ITEMS:
        return False  # each takes a byte at least
    bare = line.replace(b"\\\\", b"").replace(b'\\"', b"")
    if bare.count(b'"') > 2 * MAX_ITEMS:
        return True
    outside = b"".join(bare.split(b'"')[::2])
    return sum(outside.count(mark) for mark in (b"[", b"{", b",", b":")) > MAX_ITEMS


def _deep(value: object) -> bool:
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (
                outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ()
            )
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError("an integer is too long")
    return int(digits)


def _constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _brief(error: BaseException) -> str:
    return str(error)[:200]
