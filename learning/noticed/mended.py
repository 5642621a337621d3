"""Fixes: what broke and what mended it, read from commits that say that they fix or take back something.

Only small ones teach: one place of one file of code, a few lines on both sides, a subject that says what was wrong, and
an edit that says how something is done. A commit that takes another one back teaches where it says why.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import pygit2
from pygit2.enums import SortMode

from ...analyzers.conventions import is_aside, is_test
from ...analyzers.languages import is_generated, language_of
from ...store.kinds import Correction, Example, Memory
from ...store.secrets import secrets_of
from ...store.wording import headline
from ..lineage.marks import Marks, message, signature
from ..lineage.ownership import Change, changes, commit_at, hunks, text_blob
from ..past.candidates import identity
from ..past.worth import Worth, worth

#: How far back fixes are read, in commits and in seconds before the newest one; the oldest say little of today's code.
COMMITS, SECONDS = 5_000, 5 * 365 * 86_400
#: How many are kept of one repository, newest first.
MOST = 200
_BEFORE, _AFTER = 5, 8  # lines of both sides
_FILES = 8
_WORDS = 4  # of a subject that says what was wrong
_FIXES = re.compile(
    r"(?:\W*(?:bug|hot)?fix(?:es|ed)?\b(?:\([^)]*\))?!?[:\s-]\s*|[\w./ -]{1,30}:\s*(?:bug|hot)?fix(?:es|ed)?\s+)(.+)\Z",
    re.I,
)
_DULL = re.compile(
    r"\b(typos?|lint\w*|tests?|ci|builds?|docs?|documentation|comments?|format\w*|flak\w+|changelog|spell\w*|warnings?"
    r"|readme|style|version|releases?|merge|conflicts?|examples?|mypy|pyright|vet|imports?|links?|benchmark\w*|review)\b",
    re.I,
)
_REVERT = re.compile(r"revert:?\s+[\"“]?(.+?)[\"”]?\s*(?:\(#\d+\))?\Z", re.I)
_TRAILER = re.compile(
    r"[A-Za-z-]+:\s|\(?#\d+\)?\W*\Z|(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?|ref|see|pr|issue)\b[\s:]+\S*#?\d+",
    re.I,
)
_NAMED = re.compile(r"this reverts commit", re.I)
_NUMBER = re.compile(r"\s*\((?:#\d+|GH-\d+)(?:[, ]+#\d+)*\)")
_LONGEST = 300


@dataclass(frozen=True)
class Mended:
    """One fix as it is remembered, under an id that is always the same for the same commit and path."""

    m: str
    memory: Memory


def mended(
    repository: pygit2.Repository,
    seen: Collection[str] = (),
    private: bool = False,
    secrets: set[str] | None = None,
) -> Iterator[Mended | None]:
    """The fixes of what is checked out, newest first, without what the commits in `seen` lead to.

    None comes after each commit that taught nothing, so that whoever asks may stop, or go on later. `secrets`
    takes those of the files that were read.
    """
    try:
        head = repository.revparse_single("HEAD").peel(pygit2.Commit)
        walk = repository.walk(head.id, SortMode.TIME)
        for each in seen:
            if each in repository:
                walk.hide(pygit2.Oid(hex=each))
    except (KeyError, ValueError, pygit2.GitError):
        return
    marks = Marks(repository)
    found = 0
    number = 0
    while found < MOST and number < COMMITS:
        number += 1
        try:
            commit = next(walk, None)
        except (KeyError, pygit2.GitError):  # the history ends in the middle (a shallow or partial clone)
            return
        if commit is None or commit.commit_time < head.commit_time - SECONDS:
            return
        one = None
        if len(commit.parent_ids) == 1 and not marks.of(commit).bot:
            one = _reverted(repository, commit, private) or _fixed(repository, commit, private, secrets)
        found += one is not None
        yield one


def _fixed(
    repository: pygit2.Repository, commit: pygit2.Commit, private: bool, secrets: set[str] | None
) -> Mended | None:
    subject = _subject(commit)
    match = _FIXES.match(subject)
    if match is None or _DULL.search(subject) or len(match[1].split()) < _WORDS:
        return None
    change = _only(_changes(repository, commit))
    if change is None:
        return None
    old, new = text_blob(repository, change.old_id), text_blob(repository, change.new_id)
    if old is None or new is None or is_generated(change.new_path, new.data[:8192]):
        return None
    places = hunks(old, new)
    if len(places) != 1:
        return None
    place = places[0]
    if not (0 < place.old_lines <= _BEFORE and 0 < place.new_lines <= _AFTER):
        return None
    before = _rows(old.data, place.old_start, place.old_lines)
    after = _rows(new.data, place.new_start, place.new_lines)
    language = language_of(change.new_path) or ""
    edit = Correction(before=before, after=after, path=change.new_path, language=language)
    if "".join(before.split()) == "".join(after.split()) or worth(edit) is not Worth.LESSON:
        return None
    if secrets is not None:
        for data in (old.data, new.data):
            secrets.update(secrets_of(data.decode("utf-8", "replace")))
    said = re.sub(r"^fix(es|ed)?\s+", "", match[1], flags=re.I)
    said = said[:1].upper() + said[1:]
    return Mended(
        identity("fix", str(commit.id), change.new_path),
        Memory(
            type="fix",
            title=f"Fixed: {said}",
            text=f"Fixed: {said}. {headline(before, after)}",
            language=language,
            path=change.new_path,
            reason=_why(commit),
            examples=(_example(commit, change.new_path, place.new_start, before, after),),
            private=private,
        ),
    )


def _reverted(repository: pygit2.Repository, commit: pygit2.Commit, private: bool) -> Mended | None:
    match = _REVERT.match(_subject(commit))
    why = _why(commit)
    if match is None or len(why.split()) < _WORDS or len(match[1].split()) < _WORDS:
        return None
    paths = [
        change.new_path or change.old_path
        for change in _changes(repository, commit)
        if language_of(change.new_path or change.old_path)
        and not is_generated(change.new_path or change.old_path)
    ]
    if not paths:
        return None
    # `revert: …` may quote what is taken back, or say in its own words what is done.
    named = '"' in _subject(commit) or "“" in _subject(commit) or _NAMED.search(message(commit))
    title = f"Taken back: {match[1]}" if named else match[1][:1].upper() + match[1][1:]
    return Mended(
        identity("fix", str(commit.id), ""),
        Memory(
            type="fix",
            title=title,
            text=f"{title}. {why}",
            language=language_of(paths[0]) or "",
            path=paths[0],
            reason=why,
            examples=(_example(commit, paths[0], 0, "", ""),),
            private=private,
        ),
    )


def _example(commit: pygit2.Commit, path: str, line: int, before: str, after: str) -> Example:
    author = signature(commit.author)
    return Example(str(commit.id), path, line, before, after, author, commit.commit_time * 1000)


def _changes(repository: pygit2.Repository, commit: pygit2.Commit) -> list[Change]:
    parent = commit_at(repository, commit.parent_ids[0])
    try:
        return changes(repository, parent.tree, commit.tree) if parent is not None else []
    except (KeyError, pygit2.GitError):
        return []


def _only(found: list[Change]) -> Change | None:
    """The one file of code that a commit changed, beside tests and documents."""
    if not 0 < len(found) <= _FILES:
        return None
    code = [
        each
        for each in found
        if language_of(each.new_path or each.old_path) and not is_test(each.new_path or each.old_path)
    ]
    if len(code) != 1 or not code[0].old_path or not code[0].new_path or is_aside(code[0].new_path):
        return None
    return None if is_generated(code[0].new_path) else code[0]


def _rows(data: bytes, first: int, many: int) -> str:
    rows = data.decode("utf-8", "replace").splitlines()[first - 1 : first - 1 + many]
    return "\n".join(rows).strip("\n")


def _subject(commit: pygit2.Commit) -> str:
    return _NUMBER.sub("", message(commit).strip().partition("\n")[0][:_LONGEST]).strip()


def _why(commit: pygit2.Commit) -> str:
    """The first paragraph of a message's body that says something, on one line; empty for none."""
    for paragraph in re.split(r"\n\s*\n", message(commit).strip().partition("\n")[2][:8_000]):
        rows = [row.strip() for row in paragraph.strip().splitlines()]
        kept = [
            row
            for row in rows
            if row
            and not _TRAILER.match(row)
            and not re.match(r"(this )?reverts?\b|[*-] |[#`>|]|http", row, re.I)
        ]
        if kept and len(kept) == len([row for row in rows if row]):
            text = " ".join(kept)
            return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"
    return ""
