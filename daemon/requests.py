"""A request as the daemon reads it: one line of the protocol, checked field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .protocol import VERSION, ProtocolError, parse


@dataclass(frozen=True)
class Request:
    """One thing asked of the daemon, for one repository (a path; empty for the daemon itself)."""

    op: str
    repo: str
    args: Mapping[str, object]
    deadline_ms: int = 0


def parse_request(line: bytes) -> Request:
    """A request, checked field by field. Raises `ProtocolError`."""
    given = parse(line)
    version = given.get("v")
    if version != VERSION or isinstance(version, bool):
        raise ProtocolError(
            f"the daemon speaks version {VERSION} of the protocol",
            "Run `cortex daemon start`: it restarts a daemon of another version.",
        )
    op, repo, args = given.get("op"), given.get("repo", ""), given.get("args", {})
    deadline = given.get("deadline_ms", 0)
    if not isinstance(op, str) or not op or len(op) > 100:
        raise ProtocolError("a request has no `op`")
    if not isinstance(repo, str) or "\0" in repo or len(repo) > 8192:
        raise ProtocolError("the `repo` of a request is not a path")
    if not isinstance(args, dict):
        raise ProtocolError("the `args` of a request are not an object")
    if isinstance(deadline, bool) or not isinstance(deadline, int) or deadline < 0:
        raise ProtocolError("the `deadline_ms` of a request is not a number of milliseconds")
    return Request(op, repo, args, deadline)
