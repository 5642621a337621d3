"""The shapes of what Cortex prints as JSON and returns from Python: version 1, grown by addition only.

`docs/contracts.md` documents them; each module here holds those of one subject. They are plain dictionaries, so that
what crosses the socket, what `--json` prints and what `cortex.open(…).recall(…)` returns is one and the same thing.
"""

from __future__ import annotations

from typing import TypedDict

SCHEMA = 1


class Evidence(TypedDict):
    """Where something was seen: a commit and both sides of the change."""

    commit: str
    path: str
    before: str
    after: str
    author: str
    time: int
