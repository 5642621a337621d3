"""Which lines of an earlier commit a commit asks about, because it changed them: they may be corrected by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pygit2

from ...analyzers.languages import is_generated, language_of
from ..lineage.marks import Mark
from ..lineage.ownership import Change, Hunk, hunks, text_blob, why_no_text
from ..lineage.places import Fix, is_utf8, made_by_a_tool, place_of

#: A commit of more files is a sweep or an import: no corrections.
MANY_FILES = 300


def asked_by(
    repository: pygit2.Repository,
    commit: pygit2.Commit,
    index: int,
    mark: Mark,
    found: Sequence[Change],
    passed: Counter[str],
) -> tuple[list[Fix], int]:
    """The files of a commit (the `index`th of the walk) that may correct something, with their places; and how many
    files of code it changed. What was passed over is counted in `passed`, by reason.
    """
    if len(found) > MANY_FILES:
        passed["commits of very many files"] += 1
        return [], 0
    files = 0
    read: list[tuple[Change, list[Hunk], list[bytes], list[bytes]]] = []
    for change in found:
        if not change.new_path or language_of(change.new_path) is None:
            continue
        files += 1
        if change.old_id is None or change.old_id == change.new_id:
            continue
        if is_generated(change.new_path):
            passed["generated"] += 1
            continue
        before, after = (text_blob(repository, each) for each in (change.old_id, change.new_id))
        if before is None or after is None:
            oid = change.old_id if before is None else change.new_id
            passed[why_no_text(repository, oid)] += 1
            continue
        old, new = before.data, after.data
        if made_by_a_tool(change.new_path, new):
            passed["generated"] += 1
            continue
        if not is_utf8(old) or not is_utf8(new):
            passed["not UTF-8"] += 1
            continue
        read.append((change, hunks(old, new), old.split(b"\n"), new.split(b"\n")))
    added = Counter(
        line.strip()
        for _, places, _, rows in read
        for hunk in places
        for line in rows[hunk.new_start - 1 : hunk.new_start - 1 + hunk.new_lines]
    )
    asked = []
    for change, places, was, rows in read:
        fix = Fix(commit, index, change)
        for hunk in places:
            place = place_of(fix, hunk, mark, was, rows, added)
            if place is not None:
                fix.places.append(place)
                fix.open += place.lines
        if fix.places:
            asked.append(fix)
    whole = sum(len(fix.places) for fix in asked)
    for fix in asked:
        fix.of = whole
    return asked, files
