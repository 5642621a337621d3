"""The guard: what a change adds, against the rules that may warn; and how its findings are told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pygit2

from ..analyzers.languages import language_of
from ..learning.guard.findings import ActiveRule, Change, Finding, look, needed
from ..learning.guard.findings import check as find
from ..learning.guard.suppress import suppressions
from ..learning.rules.heeding import LONGEST
from ..repo.errors import CortexError, UsageError
from ..repo.files import read_plain
from ..store.kinds import MILLION, Exposure, Shown
from . import baseline as standing
from .answering import note_exposure
from .changed import LARGEST, Staged, added_lines, head_tree, readable, staged
from .contracts import SCHEMA
from .contracts.checking import CheckResult, FindingResult
from .memories import evidence
from .state import State


def check(
    state: State,
    *,
    files: Sequence[str] | None = None,
    text: str | None = None,
    language: str = "",
    since: str = "",
    index_file: str = "",
    cwd: str | None = None,
    channel: str = "guard",
    baseline: bool = True,
    patch: bool = False,
) -> CheckResult:
    """Check the index, or what it adds to where it left the revision `since`, or `text` in `language`.

    `files` narrows it down; a named file that is not in the change is checked as it lies in the work tree,
    whole. `index_file` is the index of a commit under way, where git uses another than its usual one. What
    stands in the baseline is counted and not told, unless `baseline` is False; `patch` asks for all rewrites as
    one diff of what was checked.
    Raises `UsageError` for an unknown revision or language.
    """
    started = time.perf_counter()
    skipped: dict[str, str] = {}
    if text is not None:
        if not language and files:
            language = language_of(files[0]) or ""
        changes = [Change(files[0] if files else "", text, _known(language), None)]
    else:
        changes = list(readable(state, staged(state, files, since, index_file, cwd), skipped))
    rules = state.rules()
    findings = find(changes, rules, state.ahead)
    hidden = 0
    if baseline and findings:
        found, findings = findings, standing.without(state, changes, findings)
        hidden = len(found) - len(findings)
    told = told_of(state, findings)
    if findings:
        note_exposure(state, exposure_of(findings, channel), channel)
    return {
        "schema": SCHEMA,
        "findings": told,
        "checked_files": len(changes),
        "skipped": skipped,
        "elapsed_ms": round((time.perf_counter() - started) * 1000, 3),
        "blocked": any(finding["blocks"] for finding in told),
        "hidden": hidden,
        "notes": [
            *state.settings().damaged,  # a `guard.mode = "block"` that cannot be read blocks nothing: say so
            *_notes(state, changes),
            *(_swept(state) if index_file else ()),
        ],
        "patch": _patch(changes, findings, rules) if patch else "",
    }


def _patch(changes: Sequence[Change], findings: Sequence[Finding], rules: Sequence[ActiveRule]) -> str:
    from .fixing import patch_of, rewritten

    by_path = {change.path: change for change in changes}
    return "".join(
        patch_of(path, by_path[path].text, rewritten(by_path[path], mine, rules))
        for path in dict.fromkeys(each.path for each in findings)
        if (mine := [each for each in findings if each.path == path])
    )


def _swept(state: State) -> list[str]:
    """What the daemon found after the last commit: other places that its change fits, told at the next hook."""
    from .sweeping import note

    return [said] if (said := note(state)) else []


def _notes(state: State, changes: Sequence[Change]) -> list[str]:
    """What is odd about the comments that silence a rule, on the lines that are added."""
    out = []
    for change in changes:
        for marks in suppressions(change.text, change.language).values():
            for mark in marks:
                if change.added is not None and mark.line not in change.added:
                    continue
                where = f"{change.path}:{mark.line}"
                if not mark.reason:
                    out.append(
                        f"{where}: this ignores {', '.join(mark.rules) or 'all rules'} for no given reason"
                    )
                out += [f"{where}: this ignores {each}, and there is no such rule" for each in mark.rules
                        if len(each) < 4 or not state.view().find(each.lower())]  # fmt: skip
    return out


def check_generation(
    state: State, path: str, text: str, lines: Iterable[tuple[int, int]]
) -> list[FindingResult]:
    """The findings in what an assistant just wrote: the given lines of `text` alone."""
    language = language_of(path)
    if language is None:
        return []
    added = frozenset(line for first, last in lines for line in range(first, last + 1))
    findings = find([Change(path, text, language, added)], state.rules(), state.ahead)
    if findings:
        note_exposure(state, exposure_of(findings, "hook"), "guard")
    return told_of(state, findings)


def prepare(state: State, path: str) -> None:
    """Look through a file (an absolute path) that was just saved: the commit that it goes into will not wait.

    It is taken for a change of what is checked out. Where another change is staged, or one that git's filters
    make of it, the guard looks again.
    """
    rules = state.rules()
    name = state.place.relative(Path(path))
    if not rules or language_of(name) is None:
        return
    try:
        data = read_plain(Path(path), LARGEST + 1)
    except OSError:
        return
    try:
        before = head_tree(state) / name
        added = added_lines(before.data if isinstance(before, pygit2.Blob) else b"", data)
    except (KeyError, ValueError, CortexError):
        added = None  # a new file: all of it
    for change in readable(state, [Staged(name, data, added)], {}):
        look(change, rules, state.ahead)


def _known(language: str) -> str:
    from ..analyzers.languages import LANGUAGES

    if language not in LANGUAGES:
        raise UsageError(
            f"no grammar for the language {language!r}", f"The languages: {', '.join(sorted(LANGUAGES))}."
        )
    return language


def exposure_of(findings: Sequence[Finding], channel: str) -> Exposure:
    """What is noted of findings that are shown."""
    return Exposure(
        channel=channel,
        ranker="guard",
        items=tuple(
            Shown(
                memory=finding.rule,
                rank=rank,
                score=int(finding.confidence * MILLION),
                # Followed until a commit decides what became of it; what is long is not.
                path=finding.path if len(finding.before) <= LONGEST else "",
                before=finding.before if len(finding.before) <= LONGEST else "",
                after=finding.after if len(finding.after) <= 2 * LONGEST else "",
            )
            for rank, finding in enumerate(findings, 1)
        ),
    )


def told_of(state: State, findings: Sequence[Finding]) -> list[FindingResult]:
    """The contract form of findings, without secrets in what is said of their rules."""
    names = {finding.rule for finding in findings} | {o.rule for finding in findings for o in finding.others}
    rules = {rule: state.shown_rule(rule) for rule in names}
    blocks = _blocking(state)
    return [_finding(finding, rules, blocks) for finding in findings]


def _blocking(state: State) -> Callable[[Finding], bool]:
    """Which findings stop a commit: those of the rules that are named, and those that are sure enough."""
    settings = state.settings()
    if settings.text("guard.mode") != "block":
        return lambda finding: False
    least = settings.number("guard.block_confidence")
    named = [each.lower() for each in settings.text("guard.block_rules").replace(",", " ").split()]
    named = [each for each in named if len(each) >= 4]
    return lambda finding: finding.confidence >= least or finding.rule.startswith(tuple(named))


def _finding(
    finding: Finding, rules: Mapping[str, ActiveRule], blocks: Callable[[Finding], bool]
) -> FindingResult:
    rule = rules[finding.rule]
    return {
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "end_line": finding.end_line,
        "end_column": finding.end_column,
        "language": finding.language,
        "rule": finding.rule,
        "message": rule.message + needed(finding.needs),
        "before": finding.before,
        "after": finding.after,
        "support": finding.support,
        "against": finding.against,
        "confidence": round(finding.confidence, 4),
        "status": finding.status,
        "evidence": evidence(rule.evidence),
        "backtest": dict(rule.backtest),
        "reason": rule.reason,
        "blocks": blocks(finding),
        "needs": list(finding.needs),
        "others": [
            {
                "rule": each.rule,
                "message": rules[each.rule].message,
                "after": each.after,
                "confidence": round(each.confidence, 4),
            }
            for each in finding.others
        ],
    }


def warning(findings: Sequence[Mapping[str, object]]) -> str:
    """The findings as an assistant reads them: what to write instead, why, and where it comes from."""
    lines = []
    for each in findings:
        lines.append(f"{each['path']}:{each['line']}: {each['message']}")
        lines.append(f"  instead of: {each['before']}")
        lines.append(f"  write:      {each['after']}")
        if each.get("reason"):
            lines.append(f"  because:    {each['reason']}")
    return "\n".join(lines)
