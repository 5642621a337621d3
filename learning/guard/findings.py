"""The guard: active rules on the lines that a change adds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...analyzers.languages import LANGUAGES, is_generated
from ...analyzers.patterns import Match, Parsed, apply, compile, find_each
from ...store.items import Evidence
from ...store.kinds import Pattern
from .ahead import Ahead, Found
from .needs import LACKS, brought, lacking
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
    reason: str = ""


@dataclass(frozen=True)
class Change:
    """A file as it would be committed, and the lines (from 1) that the change adds; None is all of them."""

    path: str
    text: str
    language: str
    added: frozenset[int] | None = None


@dataclass(frozen=True)
class Other:
    """What a rule that is less sure would have written in the place of a finding."""

    rule: str
    message: str
    after: str
    confidence: float


@dataclass(frozen=True)
class Finding:
    """One place where a rule speaks, and what to write there instead; lines and columns from 1.

    `start` and `end` are offsets in characters; `others` are the rules that gave way to a surer one.
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
    start: int = 0
    end: int = 0
    others: tuple[Other, ...] = ()
    needs: tuple[str, ...] = ()  # names that the rewrite uses, and the file neither imports nor defines


def check(
    changes: Iterable[Change],
    rules: Sequence[ActiveRule],
    ahead: Ahead | None = None,
    most: int = MAX_FINDINGS,
) -> list[Finding]:
    """What the rules find on the added lines, by path and line, at most so much of one file.

    Of two rules that would rewrite the same place the surer one speaks. A rewrite that would change nothing, no
    longer parse, or be rewritten again is not offered. `ahead` knows what was found already.
    """
    ahead = ahead or Ahead()
    out: list[Finding] = []
    for change in changes:
        out += _check(change, ahead.rules(rules, change.language), ahead, most)
    return sorted(out, key=lambda each: (each.path, each.line, each.column, each.rule))


def look(change: Change, rules: Sequence[ActiveRule], ahead: Ahead) -> None:
    """Find now what `check` will be asked for when the change is staged, and leave it in `ahead`."""
    ahead.breaks(change.text.encode("utf-8", "replace"), change.language)
    spoken = ahead.rules(rules, change.language)
    if spoken and ahead.found(change.path, change.text, change.language) is None:
        ahead.keep(change.path, change.text, change.language, _places(change, None, spoken))
    _check(change, spoken, ahead)


def _check(
    change: Change, rules: Sequence[ActiveRule], ahead: Ahead, most: int = MAX_FINDINGS
) -> list[Finding]:
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
    marks = suppressions(change.text, change.language)
    found = [
        (rule, in_its_line_ends(change.text, match))
        for rule, match in found
        if not is_suppressed(marks, rule.id, range(match.line, match.end_line + 1))
    ]
    kept, lost = _best(found)
    kept = kept[:most]
    if not _parses(change, [match for _, match in kept], ahead):
        kept = [(rule, match) for rule, match in kept if _parses(change, [match], ahead)]
    kept = _resting(change, kept, lost, rules, ahead)
    return [_finding(change, rule, match, _others(match, lost)) for rule, match in kept]


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


def _best(found: Sequence[tuple[ActiveRule, Match]]) -> tuple[Found, Found]:
    """Those whose place no surer rule wants, and the others."""
    kept: Found = []
    lost: Found = []
    for rule, match in sorted(
        found, key=lambda each: (-each[0].confidence, -each[0].support, each[0].id, each[1].start)
    ):
        free = all(
            match.end <= other.start or other.end <= match.start or rule is chosen for chosen, other in kept
        )
        (kept if free else lost).append((rule, match))
    return sorted(kept, key=lambda each: each[1].start), lost


def _others(match: Match, lost: Found) -> tuple[Other, ...]:
    """The rules that wanted the place too, the surest first, each once."""
    rivals = {
        rule.id: Other(rule.id, rule.message, other.rewrite, rule.confidence)
        for rule, other in reversed(lost)
        if other.start < match.end and match.start < other.end
    }
    return tuple(sorted(rivals.values(), key=lambda each: (-each.confidence, each.rule)))


def _resting(
    change: Change, kept: Found, lost: Found, rules: Sequence[ActiveRule], ahead: Ahead
) -> list[tuple[ActiveRule, Match]]:
    """Those whose rewrite stays as it is: no rule that rewrites its own output, and none that a surer one turns back.

    A less sure one that would turn a rewrite back goes to the `lost`, in the place as it stands now.
    """
    outer = _outermost([match for _, match in kept])
    after = replace(change, text=apply(change.text, outer), added=None)
    spans, moved = {}, 0
    for each in outer:
        spans[each.start, each.end] = (each.start + moved, each.start + moved + len(each.rewrite))
        moved += len(each.rewrite) - (each.end - each.start)
    again = ahead.again(after.path, after.text, after.language, lambda: _places(after, None, rules))
    stood: dict[str, list[Match]] = {}  # the places of a rule in the file, found once for all of its own
    out: Found = []
    for rule, match in kept:
        place = spans.get((match.start, match.end))
        if place is None:  # inside another place, which is rewritten first
            out.append((rule, match))
            continue
        inside = [(each, m) for each, m in again if place[0] <= m.start and m.end <= place[1]]
        own = [m for each, m in inside if each.id == rule.id]
        if own:
            if rule.id not in stood:
                stood[rule.id] = _all(change, rule)
            if len(own) >= sum(
                match.start <= each.start and each.end <= match.end for each in stood[rule.id]
            ):
                continue
        back = [(each, m) for each, m in inside if each.id != rule.id and _turns_back(match, place, m)]
        if any((each.confidence, each.support) > (rule.confidence, rule.support) for each, _ in back):
            continue
        lost += [(each, replace(m, start=match.start, end=match.end)) for each, m in back]
        out.append((rule, match))
    return out


def _outermost(matches: Sequence[Match]) -> list[Match]:
    """What `apply` takes of them, in its order."""
    out: list[Match] = []
    for match in sorted(matches, key=lambda each: (each.start, -each.end)):
        if not out or match.start >= out[-1].end:
            out.append(match)
    return out


def _all(change: Change, rule: ActiveRule) -> list[Match]:
    """The places of a rule in a file, wherever they begin."""
    compiled = compile(rule.pattern, change.language)
    return compiled.find(change.text, path=change.path) if compiled else []


def _turns_back(match: Match, place: tuple[int, int], again: Match) -> bool:
    """Whether a match in what was rewritten would restore what stood there, layout aside."""
    start, end = again.start - place[0], again.end - place[0]
    restored = match.rewrite[:start] + again.rewrite + match.rewrite[end:]
    return "".join(restored.split()) == "".join(match.text.split())


def in_its_line_ends(text: str, match: Match) -> Match:
    """The match with a rewrite whose new lines end as those of the text: what stood there keeps its own."""
    if "\n" not in match.rewrite:
        return match
    plain = match.rewrite.replace("\r\n", "\n")
    bare = match.text.replace("\r\n", "")
    if "\n" in bare:
        return match  # ends are mixed in the very place
    crlf = "\r\n" in match.text or ("\n" not in match.text and text.count("\r\n") * 2 > text.count("\n"))
    return replace(match, rewrite=plain.replace("\n", "\r\n") if crlf else plain)


def _parses(change: Change, matches: Sequence[Match], ahead: Ahead) -> bool:
    """Whether the file parses with the rewrites, if it does without."""
    after = apply(change.text, matches).encode("utf-8", "replace")
    if ahead.parses(after, change.language):
        return True
    return ahead.breaks(change.text.encode("utf-8", "replace"), change.language).any


def _finding(change: Change, rule: ActiveRule, match: Match, others: tuple[Other, ...]) -> Finding:
    needs = lacking(brought(match.text, match.rewrite, change.language), change.text, change.language)
    return Finding(
        path=change.path,
        line=match.line,
        column=match.column,
        end_line=match.end_line,
        end_column=match.end_column,
        language=change.language,
        rule=rule.id,
        message=rule.message + needed(needs),
        before=match.text,
        after=match.rewrite,
        support=rule.support,
        against=rule.against,
        confidence=rule.confidence * (LACKS if needs else 1.0),
        status=rule.status,
        start=match.start,
        end=match.end,
        others=others,
        needs=needs,
    )


def needed(names: Sequence[str]) -> str:
    """What is said of names that a rewrite takes for granted; empty for none."""
    return f"; needs: {', '.join(names)}, which the file neither imports nor defines" if names else ""
