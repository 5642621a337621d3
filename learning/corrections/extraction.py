"""From what an assistant wrote and what was committed to corrections."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

from ...analyzers.edits import Edit, edits
from ...analyzers.imports import framework_of, imports_of, names_of
from ...analyzers.languages import is_generated, language_of
from ...store.kinds import MILLION, Correction
from ...store.secrets import redact_all, redact_lines
from .categories import categorise
from .traits import Seen, around
from .whole import Whole

_NAME = re.compile(r"[A-Za-z_$][\w$]*")
MAX_TEXT = 4_000  # characters of a side that is kept: more is a rewrite, and is cut at a line
MAX_CORRECTIONS = 60  # of one file in one commit: more is a rewrite of the file


def corrections(
    before: str,
    after: str,
    path: str,
    generated: Sequence[tuple[int, int]] | None = None,
    *,
    hand: str = "person",
    weight: int = MILLION,
    commit: str = "",
    author: str = "",
    written: str = "",
    agent: str = "",
    subject: str = "",
    places: int = 0,
    whole: Whole | None = None,
    secrets: set[str] | None = None,
) -> list[Correction]:
    """The corrections that lead from `before`, as generated, to `after`, as committed, by line.

    `generated` are the lines of `before` that were generated (from 1, both ends included); None is all of
    them. Formatting, comments and the order of imports are no corrections, and neither is anything in a
    file that a tool writes. Equal edits are one correction with a `count`. What only came (a feature that
    went on) is given with the category evolution: it is counted, not learnt. `places` is how many places of earlier
    code the whole commit changed, 0 where nobody counted: it helps to tell the category, as does `whole`,
    what all those places say. `secrets` takes the
    secrets that either version held: what is written of other files of the commit may hold them too.
    """
    if is_generated(path, before[:8192].encode("utf-8", "replace")):
        return []
    language = language_of(path)
    # Before the edits are cut out: it is the name beside a value that tells a password from a word.
    found: set[str] = set()
    before, after = redact_lines(before, found), redact_lines(after, found)
    if secrets is not None:
        secrets |= found
    if found or subject:
        (subject, path), _ = redact_all([subject, path], found)
    imports = imports_of(after, language)
    framework = framework_of(imports)
    names = names_of(before, language) + names_of(after, language)
    out: dict[tuple[str, str], Correction] = {}
    found_edits = edits(before, after, language)
    cut = [sides(edit) for edit in found_edits]
    times: Counter[tuple[str, str]] = Counter()
    for edit, pair in zip(found_edits, cut, strict=True):
        if generated is not None and not _touches(edit, generated):
            continue
        times[pair] += 1
        if times[pair] > 1:
            continue
        left, right = pair
        out[pair] = Correction(
            before=left,
            after=right,
            path=path,
            line=edit.line_before or edit.lines_before[0],
            language=language or "",
            framework=framework,
            hand=hand,
            weight=weight,
            commit=commit,
            author=author,
            written=written,
            agent=agent,
            subject=subject,
            enclosing=edit.enclosing,
            imports=imports,
            bound=_bound(names, left, right),
        )
    if not out:
        return []
    beside, everywhere = around(before, after, cut), Counter(cut)
    told = []
    for pair, correction in list(out.items())[:MAX_CORRECTIONS]:
        category, confidence = categorise(Seen(*pair, subject, places, everywhere[pair], beside, path, whole))
        told.append(replace(correction, category=category, confidence=confidence, count=times[pair]))
    return told


def _touches(edit: Edit, generated: Sequence[tuple[int, int]]) -> bool:
    """Whether the edit changes generated lines; an insertion does when such lines are on both its sides."""
    first, last = edit.lines_before
    if last < first:
        first, last = last, first
        return any(start <= first and last <= end for start, end in generated)
    return any(start <= last and first <= end for start, end in generated)


def _bound(names: Collection[str], *texts: str) -> tuple[str, ...]:
    """Of the names that the file imports, those that the edit speaks of."""
    there = {word for text in texts for word in _NAME.findall(text)}
    return tuple(sorted(there.intersection(names)))


def sides(edit: Edit) -> tuple[str, str]:
    """Both sides of an edit as they are kept.

    The statement around it is what a person recognises, and what rules are generalised from.
    """
    return _cut(edit.context_before or edit.before), _cut(edit.context_after or edit.after)


def _cut(text: str) -> str:
    if len(text) <= MAX_TEXT:
        return text
    return text[: text.rfind("\n", 0, MAX_TEXT) + 1 or MAX_TEXT].rstrip("\n")
