"""The baseline: findings that stood when it was written, and are not told again.

It is a file of the clone, `.cortex/baseline.json`. Each entry is addressed by content, the rule, the file and what
stands there without its layout, so that it holds when lines move. One more of the same in the file is told. A
damaged one hides nothing; the doctor names it.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..analyzers.languages import language_of
from ..learning.guard.findings import Change, Finding
from ..learning.guard.findings import check as find
from ..repo.errors import UsageError
from ..repo.files import read_plain, write_whole
from ..store import notes
from ..store.layout import BASELINE
from .contracts import SCHEMA
from .contracts.checking import BaselineEntry, BaselineResult
from .state import State

LARGEST = 64 * 1024 * 1024
MOST = 10_000  # findings of one file


def baseline(state: State, *, do: str = "show") -> BaselineResult:
    """`show` what is in the baseline, `write` what stands at HEAD into it, or `clear` it."""
    file = state.place.store / BASELINE
    if do == "clear":
        found = _read(file)
        file.unlink(missing_ok=True)
        return {**_result(found), "written": 0}
    if do == "write":
        return _result(_write(state, file))
    if do != "show":
        raise UsageError(f"there is no {do} of a baseline", "Show, write or clear it.")
    return _result(_read(file))


def without(state: State, changes: Sequence[Change], findings: Sequence[Finding]) -> list[Finding]:
    """The findings that are not in the baseline. Of what stands more often now than then, the last are told."""
    allowed = _allowed(_read(state.place.store / BASELINE)[1])
    if not allowed:
        return list(findings)
    groups: defaultdict[str, list[Finding]] = defaultdict(list)
    for each in findings:
        groups[key_of(each)].append(each)
    concerned = {each.path for key, group in groups.items() if key in allowed for each in group}
    # How often each stands in the whole file: the lines that are added show a part of them.
    whole = Counter(
        key_of(each)
        for change in changes
        if change.path in concerned
        for each in find([replace(change, added=None)], state.rules(), state.ahead, MOST)
    )
    kept = []
    for key, group in groups.items():
        more = max(whole[key], len(group)) - allowed.get(key, 0)
        kept += group[max(0, len(group) - more) :] if more > 0 else []
    return sorted(kept, key=lambda each: (each.path, each.line, each.column, each.rule))


def key_of(finding: Finding) -> str:
    """The address of a finding: its rule, its file, and what stands there without layout."""
    said = "\0".join((finding.rule, finding.path, "".join(finding.before.split())))
    return hashlib.sha256(b"cortex baseline\0" + said.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _write(state: State, file: Path) -> tuple[int, list[BaselineEntry]]:
    from .teaching import tracked_files

    counts: Counter[str] = Counter()
    places: dict[str, Finding] = {}
    for path, text in tracked_files(state):
        for each in find([Change(path, text, language_of(path) or "")], state.rules(), state.ahead, MOST):
            counts[key_of(each)] += 1
            places[key_of(each)] = each
    entries: list[BaselineEntry] = [
        {"rule": each.rule, "path": each.path, "key": key, "count": counts[key]}
        for key, each in sorted(places.items(), key=lambda pair: (pair[1].path, pair[1].rule, pair[0]))
    ]
    written = state.clock()
    write_whole(file, notes.write({"schema": SCHEMA, "written": written, "entries": entries}))
    return written, entries


def _read(file: Path) -> tuple[int, list[BaselineEntry]]:
    """When it was written and what it holds; nothing where there is none, or where it cannot be read."""
    try:
        found = notes.read(read_plain(file, LARGEST))
    except (OSError, UsageError):
        return 0, []
    if found is None or not isinstance(found.get("entries"), list):
        return 0, []
    entries: list[BaselineEntry] = [
        {"rule": str(e["rule"]), "path": str(e["path"]), "key": e["key"], "count": e["count"]}
        for e in found["entries"]
        if isinstance(e, dict)
        and {"rule", "path", "key", "count"} <= set(e)
        and isinstance(e["key"], str)
        and type(e["count"]) is int
    ]
    written = found.get("written")
    return written if type(written) is int else 0, entries


def _allowed(entries: Sequence[BaselineEntry]) -> Mapping[str, int]:
    return {each["key"]: each["count"] for each in entries}


def _result(found: tuple[int, list[BaselineEntry]]) -> BaselineResult:
    written, entries = found
    return {
        "schema": SCHEMA,
        "written": written,
        "findings": sum(each["count"] for each in entries),
        "entries": entries,
    }
