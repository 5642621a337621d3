"""The shapes of what Cortex prints as JSON and returns from Python: version 1, grown by addition only.

`docs/contracts.md` documents them. They are plain dictionaries, so that what crosses the socket, what
`--json` prints and what `cortex.open(…).recall(…)` returns is one and the same thing.
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


class Task(TypedDict):
    """What kind of task a question is about."""

    type: str
    confidence: float
    route: str


class RecalledMemory(TypedDict):
    """One memory of an answer, or one place of code, docs or history; the values of `why` add up to `score`.

    `changed` says what a commit changed; `path` is empty and lines are 0 for what is no place.
    """

    id: str
    kind: str
    scope: str
    source: str
    title: str
    text: str
    score: float
    why: dict[str, float]
    trust: str
    evidence: list[Evidence]
    path: str
    line: int
    end_line: int
    changed: list[str]


class Understanding(TypedDict):
    """How the words of a question were read; `task_likeness` (0 to 1) is what code and history are searched by."""

    kind: str
    task_likeness: float
    languages: list[str]
    named: list[str]
    folder: str
    file: str
    symbols: list[str]
    paths: list[str]
    words: list[str]


class Measured(TypedDict):
    """What had to be enough of something that was shown: it `had` so much of `measure`, and `needed` so much.

    `words` are those of the question that a memory holds, itself or another one of the same sense (`~`).
    """

    id: str
    measure: str
    had: float
    needed: float
    words: list[str]


class LeftOut(TypedDict):
    """Something that was not shown: the reason in a word and in plain ones, and what was measured at its gate."""

    id: str
    kind: str
    source: str
    title: str
    score: float
    why: dict[str, float]
    reason: str
    said: str
    measure: str
    had: float
    needed: float


class Explanation(TypedDict):
    """Why an answer is what it is: `sources` counts where candidates came from, `needed` what each source asks for.

    `shown` is in the order of `memories`; `left` are the nearest of what was left out.
    """

    understood: Understanding
    sources: dict[str, int]
    needed: dict[str, float]
    shown: list[Measured]
    left: list[LeftOut]


class AskResult(TypedDict):
    """`cortex ask --json`; `context` is ready to inject, `tokens` is its length by `tokenizer`.

    `notes` says how far code and history were searched; `explanation` is None unless it was asked for.
    """

    schema: int
    query: str
    task: Task
    context: str
    tokens: int
    tokenizer: str
    memories: list[RecalledMemory]
    dropped: dict[str, int]
    abstained: bool
    timings_ms: dict[str, float]
    notes: list[str]
    explanation: Explanation | None


class GraphNode(TypedDict):
    """One node, `depth` steps from the root; `left_out` neighbours were too many. Figures are 0 for no function."""

    id: str
    kind: str
    title: str
    depth: int
    left_out: int
    cyclomatic: int
    cognitive: int


#: A word of Python's stands among the fields of an edge.
GraphEdge = TypedDict("GraphEdge", {"from": str, "relation": str, "to": str})


class GraphResult(TypedDict):
    """`cortex graph --json`."""

    schema: int
    root: str
    nodes: list[GraphNode]
    edges: list[GraphEdge]
    left_out: int
    notes: list[str]


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


class RuleEntry(TypedDict):
    """One rule of `cortex rules list --json`; `hash` is of what this version of it says, and `here` what the back-test
    in this repository says of one from elsewhere.
    """

    id: str
    hash: str
    title: str
    language: str
    scope: str
    state: str
    by: str
    trust: str
    author: str
    created: int
    pattern: str
    rewrite: str
    support: int
    commits: int
    against: int
    good: int
    confidence: float
    reason: str
    here: str


class RulesResult(TypedDict):
    """`cortex rules list --json`."""

    schema: int
    rules: list[RuleEntry]
    total: int


class RulePlace(TypedDict):
    """One place that a rule or a pattern matches, and what it would become (empty where nothing was said)."""

    path: str
    line: int
    column: int
    before: str
    after: str


RuleStep = TypedDict(
    "RuleStep",
    {
        "time": int,
        "from": str,
        "to": str,
        "by": str,
        "reason": str,
        "support": int,
        "commits": int,
        "matched": int,
        "stood": int,
        "changed": int,
        "confidence": float,
    },
)


class RuleResult(TypedDict):
    """`cortex rules show --json`, and what `accept`, `disable` and `enable` print."""

    schema: int
    rule: RuleEntry
    text: str
    context: str
    guards: list[str]
    holes: list[dict[str, str]]
    evidence: list[Evidence]
    standing: list[RulePlace]
    standing_total: int
    history: list[RuleStep]


class RuleTest(TypedDict):
    """`cortex rules test --json`; `rule` is empty where a pattern was tried."""

    schema: int
    rule: str
    files: int
    places: list[RulePlace]
    total: int


class RuleImport(TypedDict):
    """`cortex rules import --json`: the ids of what was taken in, and how many were known."""

    schema: int
    imported: list[str]
    known: int
    redacted: int


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
