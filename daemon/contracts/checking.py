"""What is found in code, and what is written in its place: `check`, `fix`, `baseline` and `sweep`."""

from __future__ import annotations

from typing import TypedDict

from . import Evidence


class OtherResult(TypedDict):
    """What a less sure rule would have written in the place of a finding."""

    rule: str
    message: str
    after: str
    confidence: float


class FindingResult(TypedDict):
    """One finding of the guard; lines and columns from 1. `blocks`: the settings stop a commit for it; `needs`: names
    that `after` uses, and the file neither imports nor defines.
    """

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    language: str
    rule: str
    message: str
    before: str
    after: str
    support: int
    against: int
    confidence: float
    status: str
    evidence: list[Evidence]
    backtest: dict[str, int]
    reason: str
    blocks: bool
    needs: list[str]
    others: list[OtherResult]


class CheckResult(TypedDict):
    """`cortex check --json`; `blocked` says that the settings tell this commit to stop.

    `hidden` counts what the baseline keeps back; `patch` is empty unless it was asked for.
    """

    schema: int
    findings: list[FindingResult]
    checked_files: int
    skipped: dict[str, str]
    elapsed_ms: float
    blocked: bool
    hidden: int
    notes: list[str]
    patch: str


class FixedFile(TypedDict):
    """One file of `cortex fix --json`: `read` is the SHA-256 of what was looked at, `written` of what came of it.

    An edit puts `text` in the place of `removed` lines from `line` (from 1) on; `problem` says why it was refused.
    """

    path: str
    read: str
    written: str
    edits: list[Edit]
    findings: list[FindingResult]
    patch: str
    problem: str


class Edit(TypedDict):
    """Some lines and what comes in their place."""

    line: int
    removed: int
    text: str


class FixResult(TypedDict):
    """`cortex fix --json`; `applied` is false for a preview, `undo` is the patch that `git apply -R` takes back."""

    schema: int
    files: list[FixedFile]
    skipped: dict[str, str]
    applied: bool
    undo: str


class BaselineEntry(TypedDict):
    """What stood somewhere when a baseline was written: a rule, a file, how often; `key` is of the content."""

    rule: str
    path: str
    key: str
    count: int


class BaselineResult(TypedDict):
    """`cortex baseline --json`; `written` is when, in ms, and 0 where there is none."""

    schema: int
    written: int
    findings: int
    entries: list[BaselineEntry]


class Whence(TypedDict):
    """Where a change was made that is offered elsewhere."""

    path: str
    line: int


class Inserted(TypedDict):
    """A line that comes into a file: the character that it comes before, and its text."""

    start: int
    text: str


class SweepPlace(TypedDict):
    """One place of `cortex sweep --json`. Lines from 1; `start` and `end` are characters of the file's text, `read`
    is the SHA-256 of its bytes, `rule` what the place is an instance of. `needs` are names that the rewrite uses and
    the file does not have; `imports` the lines that come along, because the change brought them too.
    """

    id: str
    path: str
    line: int
    end_line: int
    start: int
    end: int
    before: str
    after: str
    line_before: str
    line_after: str
    chance: float
    rule: str
    like: Whence
    needs: list[str]
    imports: list[Inserted]
    read: str


class SweepResult(TypedDict):
    """`cortex sweep --json`; `source` is a commit's id, "worktree" or "staged", `more` counts what the limit cut."""

    schema: int
    source: str
    edits: int
    places: list[SweepPlace]
    more: int
    files: int
    finished: bool
    elapsed_ms: float
