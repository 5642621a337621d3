"""What is learnt and kept, and what a person says of it: `log`, `show`, `review`, `record` and `learn`."""

from __future__ import annotations

from typing import TypedDict

from . import Evidence


class MemoryResult(TypedDict):
    """One memory of `cortex log --json` and `cortex show --json`."""

    id: str
    kind: str
    scope: str
    language: str
    title: str
    text: str
    created: int
    author: str
    trust: str
    support: int
    against: int
    status: str
    category: str
    evidence: list[Evidence]


class VersionResult(TypedDict):
    """One side of a conflict; `counts` is the one that is shown and recalled meanwhile."""

    record: str
    deleted: bool
    author: str
    time: int
    here: bool
    counts: bool
    title: str
    text: str


class ConflictResult(TypedDict):
    """A memory that was changed in two places at once."""

    id: str
    kind: str
    versions: list[VersionResult]


class LogResult(TypedDict):
    """`cortex log --json`."""

    schema: int
    memories: list[MemoryResult]
    total: int
    conflicts: list[ConflictResult]
    waiting: dict[str, int]  # `records` ahead of the clock, and `until` when (ms) the first of them waits
    changes: dict[str, int]


class ReviewEntry(TypedDict):
    """One correction whose category is unsure; `confidence` from 0 to 1, `time` in ms, `commits` that held its like."""

    id: str
    category: str
    confidence: float
    path: str
    line: int
    enclosing: str
    language: str
    commit: str
    subject: str
    author: str
    time: int
    before: str
    after: str
    count: int
    commits: int
    speaks_for: list[str]
    speaks_against: list[str]


class ReviewResult(TypedDict):
    """`cortex review --json`; `total` counts all that nobody has settled."""

    schema: int
    corrections: list[ReviewEntry]
    total: int


class RecordResult(TypedDict):
    """`cortex record --json`: ids of the records that are on disk; `redacted` counts secrets taken out of them."""

    schema: int
    generation: str
    execution: str
    path: str
    lines: int
    redacted: int


class TrialResult(TypedDict):
    """`cortex record --tests --json`; `trial` is empty where no generation was concerned, and nothing written."""

    schema: int
    trial: str
    result: str
    passed: int
    failed: int
    skipped: int
    generations: int
    executions: list[str]
    paths: list[str]
    redacted: int


class LearnResult(TypedDict):
    """`cortex learn --json`; `rules` lists those whose state changed.

    Of a walk through the past: `passed` counts what was passed over, by reason, `noticed` reverts and fixes of fixes.
    `memories` counts the preferences, fixes and decisions that were written, by type.
    """

    schema: int
    commits: int
    outcomes: dict[str, int]
    corrections: int
    files: int
    rules: list[dict[str, str]]
    memories: dict[str, int]
    passed: dict[str, int]
    noticed: dict[str, int]
    finished: bool
    elapsed_s: float
    notes: list[str]
    redacted: int
