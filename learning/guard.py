"""The guard: active rules on the lines that a change adds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..analyzers.languages import LANGUAGES, is_generated
from ..analyzers.patterns import Match, Parsed, apply, compile, find_each
from ..store.items import Evidence
from ..store.kinds import Pattern
from .ahead import Ahead, Found
from .suppress import is_suppressed, suppressions

MAX_TEXT = 1024 * 1024
MAX_FINDINGS = 100  # of one file


@dataclass(frozen=True)
class ActiveRule:
    """A rule that may warn, with where it comes from. `backtest` holds the counts of its last back-test."""

    id: str
    title: str
    message: str
    pattern: Pattern
    support: int
    against: int
    confidence: float
    status: str = "active"
    evidence: tuple[Evidence, ...] = ()
    backtest: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """A file as it would be committed, and the lines (from 1) that the change adds; None is all of them."""

    path: str
    text: str
    language: str
    added: frozenset[int] | None = None


@dataclass(frozen=True)
class Finding:
    """One place where a rule speaks, and what to write there instead; lines and columns from 1."""

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


def check(
    changes: Iterable[Change], rules: Sequence[ActiveRule], ahead: Ahead | None = None
) -> list[Finding]:
    """What the rules find on the added lines, by path and line.

    Of two rules that would rewrite the same place the surer one speaks. A rewrite that would change nothing,
    or no longer parse, is not offered. `ahead` knows what was found already.
    """
    ahead = ahead or Ahead()
    out: list[Finding] = []
    for change in changes:
        out += _check(change, ahead.rules(rules, change.language), ahead)
    return sorted(out, key=lambda each: (each.path, each.line, each.column, each.rule))


def look(change: Change, rules: Sequence[ActiveRule], ahead: Ahead) -> None:
    """Find now what `check` will be asked for when the change is staged, and leave it in `ahead`."""
    ahead.breaks(change.text.encode("utf-8", "replace"), change.language)
    spoken = ahead.rules(rules, change.language)
    if spoken and ahead.found(change.path, change.text, change.language) is None:
        ahead.keep(change.path, change.text, change.language, _places(change, None, spoken))
    _check(change, spoken, ahead)


def _check(change: Change, rules: Sequence[ActiveRule], ahead: Ahead) -> list[Finding]:
    if not rules or change.language not in LANGUAGES or len(change.text) > MAX_TEXT:
        return []
    if change.added is not None and not change.added:
        return []
    if is_generated(change.path, change.text[:4096].encode("utf-8", "replace")):
        return []
    known = ahead.found(change.path, change.text, change.language)
    if known is None:
        found = _places(change, change.added, rules)
    else:
        found = [each for each in known if change.added is None or each[1].line in change.added]
    if not found:
        return []
    marks = suppressions(change.text)
    found = [
        (rule, match)
        for rule, match in found
        if not is_suppressed(marks, rule.id, range(match.line, match.end_line + 1))
    ]
    kept = _best(found)[:MAX_FINDINGS]
    if not _parses(change, [match for _, match in kept], ahead):
        kept = [(rule, match) for rule, match in kept if _parses(change, [match], ahead)]
    return [_finding(change, rule, match) for rule, match in kept]


def _places(change: Change, lines: frozenset[int] | None, rules: Sequence[ActiveRule]) -> Found:
    """What the rules find, rule by rule. Only those are compiled whose words the text holds."""
    parsed = Parsed(change.text, change.language)
    ready = [
        (rule, compiled)
        for rule in rules
        if parsed.holds(rule.pattern.words) and (compiled := compile(rule.pattern, change.language))
    ]
    matches = find_each(parsed, [compiled for _, compiled in ready], lines, change.path)
    return [(rule, match) for (rule, _), found in zip(ready, matches, strict=True) for match in found]


def _best(found: Sequence[tuple[ActiveRule, Match]]) -> list[tuple[ActiveRule, Match]]:
    """Without those that overlap a surer one's place."""
    kept: list[tuple[ActiveRule, Match]] = []
    for rule, match in sorted(
        found, key=lambda each: (-each[0].confidence, -each[0].support, each[0].id, each[1].start)
    ):
        if all(
            match.end <= other.start or other.end <= match.start or rule is chosen for chosen, other in kept
        ):
            kept.append((rule, match))
    return sorted(kept, key=lambda each: each[1].start)


def _parses(change: Change, matches: Sequence[Match], ahead: Ahead) -> bool:
    """Whether the file parses with the rewrites, if it does without."""
    after = apply(change.text, matches).encode("utf-8", "replace")
    if ahead.parses(after, change.language):
        return True
    return ahead.breaks(change.text.encode("utf-8", "replace"), change.language).any


def _finding(change: Change, rule: ActiveRule, match: Match) -> Finding:
    return Finding(
        path=change.path,
        line=match.line,
        column=match.column,
        end_line=match.end_line,
        end_column=match.end_column,
        language=change.language,
        rule=rule.id,
        message=rule.message,
        before=match.text,
        after=match.rewrite,
        support=rule.support,
        against=rule.against,
        confidence=rule.confidence,
        status=rule.status,
    )
