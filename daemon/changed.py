"""What a change adds: of the index, of what was done since a revision, or of named files; and what can be checked."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pygit2

from ..analyzers.languages import is_generated, language_of
from ..learning.guard.findings import Change
from ..repo.errors import UsageError
from ..repo.files import read_plain
from ..repo.git import git
from .state import State

LARGEST = 1024 * 1024
LARGE_INDEX = 1024 * 1024  # bytes; that of 10,000 files or so
#: What pygit2 raises for an object that is not there: the one before version 1.19, the other since.
MISSING = (KeyError, pygit2.GitError)


@dataclass(frozen=True)
class Staged:
    """One file of a change: its new content and the lines that it adds (None: all)."""

    path: str
    data: bytes
    added: frozenset[int] | None


def staged(
    state: State, files: Sequence[str] | None, since: str, index_file: str, cwd: str | None
) -> list[Staged]:
    """The files of the change that is asked about: the index, or what it adds to where it left the revision `since`.

    `files` narrows it down; one that is not in the change is taken as it lies in the work tree, whole. `index_file` is
    the index of a commit under way, where git uses another than its usual one. Raises `UsageError` for an unknown
    revision or file.
    """
    wanted = named(state, files, cwd) if files else None
    changed = (
        _between(state, since)
        if since
        else _from_index_file(state, index_file)
        if index_file and not _is_usual(state, index_file)
        else _from_index_file(state, str(state.place.gitdir / "index"))
        if _is_large(state)
        else _from_index(state)
    )
    found = [each for each in changed if wanted is None or each.path in wanted]
    for name in sorted(wanted - {each.path for each in found} if wanted else ()):
        file = state.place.require_root() / name
        try:
            found.append(Staged(name, read_plain(file, LARGEST + 1), None))
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise UsageError(f"there is no file {name}", "Name files of this repository.") from None
    return found


def named(state: State, files: Sequence[str], cwd: str | None) -> set[str]:
    """The files that are meant; a folder stands for the tracked code below it."""
    root = state.place.require_root()
    found: set[str] = set()
    for file in files:
        full = Path(cwd or root, file)
        if not full.is_dir():
            found.add(state.path(file, cwd))
            continue
        below = "" if full.resolve() == root.resolve() else state.path(file, cwd) + "/"
        told = git("-c", "core.fsmonitor=false", "ls-files", "-z", "--", f":(top,literal){below}", cwd=root)
        tracked = told.decode("utf-8", "surrogateescape").split("\0")
        found.update(name for name in tracked if language_of(name))
    return found


def _from_index(state: State) -> Iterator[Staged]:
    repository = state.repository
    repository.index.read(False)
    diff = repository.index.diff_to_tree(head_tree(state), context_lines=0, interhunk_lines=0)
    return _of_diff(repository, diff)


def _between(state: State, since: str) -> Iterator[Staged]:
    repository = state.repository
    try:
        tree = left(repository, repository.revparse_single(since)).peel(pygit2.Tree)
    except (KeyError, ValueError, pygit2.GitError):
        raise UsageError(f"there is no revision {since}", "Name a commit, a branch or a tag.") from None
    repository.index.read(False)
    return _of_diff(repository, repository.index.diff_to_tree(tree, context_lines=0, interhunk_lines=0))


def left(repository: pygit2.Repository, since: pygit2.Object) -> pygit2.Object:
    """Where this branch left a revision: what came to that one since then is no change of this one."""
    try:
        base = repository.merge_base(since.peel(pygit2.Commit).id, repository.head.target)
    except (KeyError, ValueError, pygit2.GitError):  # a tree, or nothing is committed yet
        return since
    return since if base is None else repository[base]


def head_tree(state: State) -> pygit2.Tree:
    """What is checked out; the empty tree before the first commit."""
    repository = state.repository
    try:
        return repository.revparse_single("HEAD").peel(pygit2.Tree)
    except (KeyError, pygit2.GitError):
        # Before the first commit everything is new: compare with the empty tree.
        empty = repository[repository.TreeBuilder().write()]
        assert isinstance(empty, pygit2.Tree)
        return empty


def _of_diff(repository: pygit2.Repository, diff: pygit2.Diff) -> Iterator[Staged]:
    """New content and added lines of each file. `diff_to_tree` of an index has the tree as its old side.

    A file that moved adds what it does not hold from before.
    """
    if {"A", "D"} <= {delta.status_char() for delta in diff.deltas}:
        with contextlib.suppress(*MISSING):
            diff.find_similar()
    for patch in _patches(diff):
        delta = patch.delta
        if delta.status_char() == "D" or delta.new_file.mode not in (0o100644, 0o100755):
            continue
        blob = repository.get(delta.new_file.id)
        if not isinstance(blob, pygit2.Blob):
            continue
        added = frozenset(
            line for hunk in patch.hunks for line in range(hunk.new_start, hunk.new_start + hunk.new_lines)
        )
        yield Staged(delta.new_file.raw_path.decode("utf-8", "surrogateescape"), blob.data, added)


def _patches(diff: pygit2.Diff) -> Iterator[pygit2.Patch]:
    """What changed, file by file, without those that a partial clone does not hold."""
    for number in range(len(diff)):
        with contextlib.suppress(*MISSING):
            patch = diff[number]
            if patch is not None:
                yield patch


def _is_large(state: State) -> bool:
    """Whether git compares the index sooner, start included: it skips folders that did not change."""
    try:
        return (state.place.gitdir / "index").stat().st_size > LARGE_INDEX
    except OSError:
        return False


def _is_usual(state: State, index_file: str) -> bool:
    usual = os.path.realpath(state.place.gitdir / "index")
    return os.path.realpath(state.place.require_root() / index_file) == usual


def _from_index_file(state: State, index_file: str) -> Iterator[Staged]:
    """The change in another index than the usual one (`git commit -a`, `git commit FILE` write their own), or in
    a large one.

    libgit2 cannot compare an index that is not the repository's, so git names the files here.
    """
    root = state.place.require_root()
    repository = state.repository
    tree = str(head_tree(state).id)
    told = git(
        "-c", "core.fsmonitor=false", "diff-index", "--cached", "--raw", "-z", "-M", "--no-abbrev", tree,
        cwd=root, environment={"GIT_INDEX_FILE": str(root / index_file)}, timeout=10,
    )  # fmt: skip
    fields = iter(told.split(b"\0"))
    for header in fields:
        if not header:
            continue
        _, mode, old, new, status = header.decode("ascii").lstrip(":").split(" ")
        raw = next(fields)
        if status[0] in "RC":
            raw = next(fields)  # where it came from stands first
        if status.startswith("D") or mode not in ("100644", "100755"):
            continue
        blob, before = repository.get(new), repository.get(old) if old.strip("0") else None
        if not isinstance(blob, pygit2.Blob):
            continue
        added = added_lines(before.data if isinstance(before, pygit2.Blob) else b"", blob.data)
        yield Staged(raw.decode("utf-8", "surrogateescape"), blob.data, added)


def readable(state: State, staged: Iterable[Staged], skipped: dict[str, str]) -> Iterator[Change]:
    """The files that can be checked; the others with the reason why not."""
    for each in staged:
        language = language_of(each.path)
        if state.ignored.matches(each.path):
            skipped[each.path] = "ignored"
        elif language is None:
            skipped[each.path] = "no grammar"
        elif len(each.data) > LARGEST:
            skipped[each.path] = f"larger than {LARGEST >> 20} MiB"
        elif b"\0" in each.data[:8192]:
            skipped[each.path] = "binary"
        elif is_generated(each.path, each.data[:4096]):
            skipped[each.path] = "generated"
        else:
            try:
                text = each.data.decode("utf-8")
            except UnicodeDecodeError:
                skipped[each.path] = "not UTF-8"
                continue
            if state.ahead.breaks(each.data, language).touch(each.added):
                skipped[each.path] = "does not parse"
            else:
                yield Change(each.path, text, language, each.added)


def added_lines(before: bytes, after: bytes) -> frozenset[int]:
    """The lines of `after`, from 1, that are not in `before`."""
    from .recording import changed_lines

    return frozenset(line for first, last in changed_lines(before, after) for line in range(first, last + 1))
