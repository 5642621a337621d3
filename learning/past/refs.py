"""Which commits are new since the last look at the branches, and which of them are older ones rewritten."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pygit2
from pygit2.enums import SortMode

from ...store import notes
from ...store.durable import SYSTEM, read
from .history import branch_tips
from .lessons import write_atomically

#: One scan gives no more commits than this; the next goes on behind them.
LIMIT = 1000
#: So many commits that left the branches are looked at to find what became of them.
_GONE = 200
_ID = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Scan:
    """What one look found: new commits oldest first, and for a rewritten one the commit that it replaces."""

    commits: tuple[str, ...] = ()
    rewritten: Mapping[str, str] = field(default_factory=dict)
    known: tuple[str, ...] = ()  # what has been seen, once these commits are learnt
    first: bool = False


def scan(repository: pygit2.Repository, state_file: Path, limit: int = LIMIT) -> Scan:
    """Look at the branches and at what is checked out. Nothing is remembered until `remember` is called, so
    a crash between the two only means that the same commits come again.

    At the first look everything is known already: a repository's past is for `learn_history`.
    """
    tips = branch_tips(repository)
    known = _read(state_file)
    if known is None:
        return Scan(known=tips, first=True)
    fresh = _reachable(repository, tips, known)
    fresh.reverse()
    gone = _reachable(repository, known, tips, _GONE)
    if len(fresh) > limit:
        taken = fresh[:limit]
        parents = {str(oid) for each in taken for oid in each.parent_ids}
        ends = [str(each.id) for each in taken if str(each.id) not in parents]
        there = [oid for oid in known if oid in repository]
        return Scan(tuple(str(each.id) for each in taken), _rewritten(gone, taken), (*there, *ends))
    return Scan(tuple(str(each.id) for each in fresh), _rewritten(gone, fresh), tips)


def remember(state_file: Path, found: Scan) -> None:
    """Take what a scan found as known from now on."""
    write_atomically(state_file, {"schema": 1, "known": sorted(set(found.known))})


def commits_down_to(repository: pygit2.Repository, heads: Collection[str], limit: int = LIMIT) -> list[str]:
    """The newest commits on the branches, oldest first: those above the last of `heads`, `limit` at most.

    An empty head stands for the time before the first commit.
    """
    awaited = {head for head in heads if not head or head in repository}
    found: list[str] = []
    for commit in _reachable(repository, branch_tips(repository), (), limit) if awaited else ():
        awaited.discard(str(commit.id))
        if not awaited:
            break
        found.append(str(commit.id))
    return found[::-1]


def commits_since(repository: pygit2.Repository, revision: str) -> list[pygit2.Oid]:
    """The commits on the branches that are not in `revision`, oldest first.

    Raises `KeyError`, `ValueError` or `pygit2.GitError` when there is no such revision.
    """
    start = str(repository.revparse_single(revision).peel(pygit2.Commit).id)
    return [each.id for each in reversed(_reachable(repository, branch_tips(repository), [start]))]


def _read(state_file: Path) -> tuple[str, ...] | None:
    try:
        given = notes.read(read(SYSTEM, state_file))
    except OSError:
        return None
    known = given.get("known") if given is not None else None
    if not isinstance(known, list) or not all(_ID.fullmatch(str(each)) for each in known):
        return None  # damaged: as good as lost
    return tuple(str(each) for each in known)


def _reachable(
    repository: pygit2.Repository, tips: Iterable[str], without: Iterable[str], limit: int | None = None
) -> list[pygit2.Commit]:
    """Newest first; ids that are no longer there (collected after a rewrite) are passed over."""
    starts = [tip for tip in tips if tip in repository]
    if not starts:
        return []
    walker = repository.walk(None, SortMode.TOPOLOGICAL | SortMode.TIME)
    for tip in starts:
        walker.push(pygit2.Oid(hex=tip))
    for tip in without:
        if tip in repository:
            walker.hide(pygit2.Oid(hex=tip))
    found = []
    for commit in walker:
        found.append(commit)
        if limit is not None and len(found) >= limit:
            break
    return found


def _rewritten(gone: list[pygit2.Commit], fresh: list[pygit2.Commit]) -> dict[str, str]:
    """Amending, rebasing and picking keep the author and their time, which hardly two commits share."""
    by_author: dict[tuple[bytes, bytes, int], list[str]] = {}
    for commit in gone:
        by_author.setdefault(_authored(commit), []).append(str(commit.id))
    pairs = {}
    for commit in fresh:
        olds = by_author.get(_authored(commit), [])
        if len(olds) == 1:
            pairs[str(commit.id)] = olds[0]
    return pairs


def _authored(commit: pygit2.Commit) -> tuple[bytes, bytes, int]:
    who = commit.author
    return who.raw_name or b"", who.raw_email or b"", who.time
