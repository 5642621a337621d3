"""Findings' rewrites as one diff, and as edits of the work tree that a person asked for.

The daemon writes no file of a work tree: what is told here is applied by the command, file by file, where the
file is still what was read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pygit2

from ..analyzers.patterns import Match, apply
from ..learning.guard.findings import ActiveRule, Change, Finding
from ..learning.guard.findings import check as find
from ..repo.errors import UsageError
from ..repo.files import read_plain
from ..repo.git import git
from . import baseline as standing
from .changed import LARGEST, Staged, added_lines, head_tree, left, named, readable
from .contracts import SCHEMA
from .contracts.checking import Edit, FixedFile, FixResult
from .guarding import exposure_of, told_of
from .state import State

#: A place inside another of the same rule is rewritten after it: so deep, and no deeper.
MAX_ROUNDS = 8
MOST = standing.MOST


def fix(
    state: State,
    *,
    files: Sequence[str] | None = None,
    rule: str = "",
    since: str = "",
    cwd: str | None = None,
    baseline: bool = True,
) -> FixResult:
    """What would be written into the work tree: for each file the edits, with digests of it before and after.

    Looked at are the lines that the work tree adds to HEAD (or to where it left `since`); a named file that does
    not differ is looked at whole. `rule` keeps to one rule, by the beginning of its id.
    """
    if rule and len(rule) < 4:
        raise UsageError(f"{rule!r} is too short for a rule", "Give at least four characters of its id.")
    skipped: dict[str, str] = {}
    staged = _in_work_tree(state, files, since, cwd, skipped)
    raw = {each.path: each.data for each in staged}
    changes = list(readable(state, staged, skipped))
    rules = [each for each in state.rules() if each.id.startswith(rule.lower())] if rule else state.rules()
    # Found among all rules: one that gave way to a surer one is not applied because it was asked for alone.
    findings = [
        each for each in find(changes, state.rules(), state.ahead, MOST) if each.rule.startswith(rule.lower())
    ]
    if baseline:
        findings = standing.without(state, changes, findings)
    out: list[FixedFile] = []
    for change in changes:
        mine = [each for each in findings if each.path == change.path]
        if mine:
            after = rewritten(change, mine, rules)
            out.append(_file(state, change, raw[change.path], after, mine))
    if findings:
        from .answering import note_exposure

        note_exposure(state, exposure_of(findings, "fix"), "fix")
    return {"schema": SCHEMA, "files": out, "skipped": skipped, "applied": False, "undo": ""}


def _file(state: State, change: Change, before: bytes, after: str, findings: Sequence[Finding]) -> FixedFile:
    data = after.encode("utf-8")
    return {
        "path": change.path,
        "read": hashlib.sha256(before).hexdigest(),
        "written": hashlib.sha256(data).hexdigest(),
        "edits": edits_of(before, data),
        "findings": told_of(state, findings),
        "patch": patch_of(change.path, change.text, after),
        "problem": "",
    }


def _in_work_tree(
    state: State, files: Sequence[str] | None, since: str, cwd: str | None, skipped: dict[str, str]
) -> list[Staged]:
    """The files of the work tree that are meant, with the lines that they add."""
    root = state.place.require_root()
    tree = head_tree(state)
    if since:
        try:
            tree = left(state.repository, state.repository.revparse_single(since)).peel(pygit2.Tree)
        except (KeyError, ValueError, pygit2.GitError):
            raise UsageError(f"there is no revision {since}", "Name a commit, a branch or a tag.") from None
    wanted = named(state, files, cwd) if files else None
    out = []
    for path, origin in _differing(root, tree).items():
        if wanted is not None and path not in wanted:
            continue
        data = _read(root / path, path, skipped)
        if data is not None:
            held = _held(tree, origin)
            # Where git keeps LF and the work tree has CRLF, that is no difference.
            added = added_lines(_plain(held), _plain(data)) if held is not None else None
            out.append(Staged(path, data, added))
    for path in sorted((wanted or set()) - {each.path for each in out} - set(skipped)):
        data = _read(root / path, path, skipped)
        if data is not None:
            out.append(Staged(path, data, None))
        elif path not in skipped:
            raise UsageError(f"there is no file {path}", "Name files of this repository.")
    return out


def _differing(root: Path, tree: pygit2.Tree) -> dict[str, str]:
    """The tracked files of the work tree that differ from a tree → what each is called there."""
    told = git(
        *("-c", "core.fsmonitor=false", "diff-index", "--name-status", "-z", "-M", "--diff-filter=AMR"),
        *(str(tree.id), "--"),
        cwd=root,
        timeout=30,
    )
    out: dict[str, str] = {}
    fields = iter(told.decode("utf-8", "surrogateescape").split("\0"))
    for status in fields:
        if status:
            origin = next(fields)
            out[next(fields) if status[0] == "R" else origin] = origin
    return out


def _read(file: Path, path: str, skipped: dict[str, str]) -> bytes | None:
    if file.is_symlink():
        skipped[path] = "a link"
        return None
    try:
        return read_plain(file, LARGEST + 1)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


def _held(tree: pygit2.Tree, path: str) -> bytes | None:
    try:
        blob = tree[path]
    except (KeyError, ValueError):
        return None
    return blob.data if isinstance(blob, pygit2.Blob) else None


def _plain(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n")


def rewritten(change: Change, findings: Sequence[Finding], rules: Sequence[ActiveRule]) -> str:
    """The text with the findings' rewrites; those inside another's place follow it, in rounds."""
    text, names = change.text, {each.rule for each in findings}
    speaking = [rule for rule in rules if rule.id in names]
    for _ in range(MAX_ROUNDS):
        text, lines = _applied(text, findings)
        if not lines:
            break
        findings = find([replace(change, text=text, added=frozenset(lines))], speaking, most=MOST)
        if not findings:
            break
    return text


def _applied(text: str, findings: Sequence[Finding]) -> tuple[str, set[int]]:
    """The text with the outermost rewrites, and its lines in which others still wait."""
    outer: list[Finding] = []
    inner: set[int] = set()
    for each in sorted(findings, key=lambda each: (each.start, -each.end)):
        if outer and each.start < outer[-1].end:
            inner.add(len(outer) - 1)
        else:
            outer.append(each)
    after = apply(text, [_match(each) for each in outer])
    lines: set[int] = set()
    moved = 0
    for at, each in enumerate(outer):
        start = each.start + moved
        moved += len(each.after) - (each.end - each.start)
        if at in inner:
            first = after.count("\n", 0, start) + 1
            lines |= set(range(first, first + each.after.count("\n") + 1))
    return after, lines


def _match(finding: Finding) -> Match:
    return Match(
        finding.line,
        finding.column,
        finding.end_line,
        finding.end_column,
        finding.before,
        finding.after,
        finding.start,
        finding.end,
        "",
    )


def patch_of(path: str, before: str, after: str) -> str:
    """A diff of one file as git reads it; empty where nothing differs."""
    patch = pygit2.Patch.create_from(before.encode("utf-8"), after.encode("utf-8"), "a", "a")
    body = patch.data.decode("utf-8").partition("\n@@ ")[2]
    if not body:
        return ""
    a, b = quoted(f"a/{path}"), quoted(f"b/{path}")
    tab = "\t" if " " in path else ""  # as git ends a name in which it would not see the end
    return f"diff --git {a} {b}\n--- {a}{tab}\n+++ {b}{tab}\n@@ {body}"


def quoted(path: str) -> str:
    """A path as git writes it in a diff: in C's quotes where it holds what a line cannot."""
    raw = path.encode("utf-8", "surrogateescape")
    if all(0x20 <= byte < 0x7F and byte not in b'"\\' for byte in raw):
        return path
    named = {0x22: '\\"', 0x5C: "\\\\", 0x0A: "\\n", 0x09: "\\t"}
    return '"' + "".join(
        named.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}") for byte in raw
    ) + '"'  # fmt: skip


def edits_of(before: bytes, after: bytes) -> list[Edit]:
    """The lines that go and what comes for them, in order; all other bytes are those of `before`."""
    patch = pygit2.Patch.create_from(before, after, context_lines=0, interhunk_lines=0)
    came = after.split(b"\n")
    out: list[Edit] = []
    for hunk in patch.hunks:
        first = hunk.new_start - 1
        text = b"\n".join(came[first : first + hunk.new_lines])
        last = first + hunk.new_lines
        if hunk.new_lines and last < len(came):
            text += b"\n"
        line = hunk.old_start if hunk.old_lines else hunk.old_start + 1
        out.append({"line": line, "removed": hunk.old_lines, "text": text.decode("utf-8")})
    return out
