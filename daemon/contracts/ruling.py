"""What is said of rules: `rules`, each of its verbs."""

from __future__ import annotations

from typing import TypedDict

from . import Evidence


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
