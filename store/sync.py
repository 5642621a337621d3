"""Sharing through the branch `cortex/memory`: a union of segments, written as git objects, no work tree."""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pygit2
from pygit2.enums import FileMode

from ..repo.errors import PlaceError, UsageError
from ..repo.git import GitError
from ..repo.open import open_repository
from ..repo.places import Place
from ..repo.remote import reach
from . import segments
from .journal import FileJournal, wall_ms
from .layout import FORMAT, FORMAT_BYTES, FORMAT_FILE, NewerStoreError
from .pulling import MAX_BYTES, MAX_RECORDS, Arrival, Listing, arrivals, list_tree
from .reading import AHEAD
from .wording import count as counted

BRANCH = "cortex/memory"
REF = f"refs/heads/{BRANCH}"
#: The last commit whose every segment this clone checked or wrote: what it holds is not read again.
CHECKED = "refs/cortex/shared"
TRIES = 8
TIMEOUT = 120.0  # seconds for one exchange with a remote
_BATCH = 8 * 1024 * 1024

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}\Z")
_QUIET = (
    *("-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0", "-c", "maintenance.auto=false"),
    *("-c", "fetch.writeCommitGraph=false", "-c", "push.followTags=false", "-c", "push.gpgSign=false"),
)
#: What git says when somebody else was first: worth another round, since a union is never wrong.
_MOVED = ("fetch first", "non-fast-forward", "cannot lock ref", "incorrect old value", "failed to update ref")

Scan = Callable[[str], int]


@dataclass(frozen=True)
class SyncReport:
    """What one sync did: segments taken in and sent, new records, and what was not taken and why."""

    remote: str = ""
    fetched: int = 0
    pushed: int = 0
    records: int = 0
    rejected: tuple[tuple[str, str], ...] = ()
    branch: str = BRANCH
    commit: str = ""


@dataclass
class _Round:
    """What is known in the middle of a sync."""

    good: dict[str, str] = field(default_factory=dict)  # path → blob, each checked
    rejected: dict[tuple[str, str], None] = field(default_factory=dict)
    fetched: int = 0
    records: int = 0
    bytes: int = 0
    deferred: bool = False
    listings: dict[str, Listing] = field(default_factory=dict)
    obstacle: str = ""

    def listing(self, repository: pygit2.Repository, commit: str) -> Listing:
        """What a commit names; read once, since commits do not change."""
        if commit not in self.listings:
            self.listings[commit] = list_tree(repository, commit, self.good)
        return self.listings[commit]


def sync(
    place: Place, journal: FileJournal, remote: str | None = None, scan: Scan | None = None
) -> SyncReport:
    """Fetch, check, unite and push the shared records. Without any remote only the local branch is written.

    `scan` counts secrets in a text: a segment that holds any is not sent. A remote is a source for union and
    nothing more: what it lacks stays here. Raises `GitError` when the remote cannot be reached or refuses,
    `NewerStoreError` when a newer version wrote the branch, `PlaceError` when the branch is checked out.
    """
    try:
        return _sync(place, journal, remote, scan)
    except (pygit2.GitError, OSError) as error:
        raise PlaceError(
            f"the repository {place.common} cannot be written: {error}",
            "Check the disk's space and who owns the repository. What is in the journal is safe.",
        ) from error


def _sync(place: Place, journal: FileJournal, remote: str | None, scan: Scan | None) -> SyncReport:
    pygit2.settings.enable_fsync_gitdir(True)
    repository = open_repository(place)
    _refuse_checked_out(repository)
    journal.seal()
    chosen = _choose(repository, remote)
    state = _Round()
    for attempt in range(TRIES):
        theirs = _fetch(place, chosen) if chosen else None
        sent = _unite(repository, journal, theirs, state, scan)
        if sent is not None:
            commit, pushed = sent
            if not chosen or commit in ("", theirs) or state.deferred or _push(place, chosen, commit, state):
                sent_now = pushed if chosen and not state.deferred else 0
                rejected = tuple(state.rejected)
                return SyncReport(chosen, state.fetched, sent_now, state.records, rejected, BRANCH, commit)
        time.sleep(0.02 * (attempt + 1))
    raise PlaceError(
        f"{chosen or BRANCH} could not be brought up to date: {state.obstacle}",
        "Nothing is lost: run `cortex sync` once more. A `.lock` file that a killed process left must be removed.",
    )


def _unite(
    repository: pygit2.Repository,
    journal: FileJournal,
    theirs: str | None,
    state: _Round,
    scan: Scan | None,
) -> tuple[str, int] | None:
    """Take in what others have, then put the union into the local branch: the commit, and how many segments
    of it the remote lacks. None when another process moved the branch meanwhile.
    """
    ours = _target(repository, REF)
    checked = _target(repository, CHECKED)
    if checked:
        state.good |= state.listing(repository, checked).segments
    newer = _take(repository, journal, [each for each in (checked, ours, theirs) if each], state)
    remote_has: Mapping[str, str] = state.listing(repository, theirs).segments if theirs else {}
    if newer > FORMAT:
        raise NewerStoreError(
            f"the branch {BRANCH} has format {newer}, and this version of Cortex writes format {FORMAT}",
            f"Update Cortex. What it can read was taken in ({counted(state.records, 'record')}); nothing was sent.",
        )
    _add_own(repository, journal, state, scan)
    if not state.good:
        return "", 0
    tree = _write_tree(repository, state.good)
    commit = _commit(repository, journal.author, tree, ours, theirs, len(state.good))
    if commit != ours and not _swap(repository, ours, commit, state):
        return None
    # No swap: it only says what was checked, and that is as true of one commit as of another.
    with contextlib.suppress(pygit2.GitError, OSError):
        repository.references.create(CHECKED, pygit2.Oid(hex=commit), force=True)
    lacking = (
        sum(remote_has.get(path) != oid for path, oid in state.good.items()) if theirs is not None else 0
    )
    return commit, len(state.good) if theirs is None else lacking


def _take(repository: pygit2.Repository, journal: FileJournal, commits: list[str], state: _Round) -> int:
    """Add to the store what these commits hold and it lacks; returns the newest format among them."""
    newest = FORMAT
    for commit in dict.fromkeys(commits):
        listing = state.listing(repository, commit)
        newest = max(newest, listing.format)
        here = {each.path for each in segments.Shelf(journal.store).listing()}
        wanted = {
            path: oid
            for path, oid in listing.segments.items()
            if path not in here or state.good.get(path) != oid
        }
        _sizes_of_lost(repository, listing, wanted)
        batch: list[Arrival] = []
        for arrival in arrivals(repository, listing, wanted, wall_ms() + AHEAD):
            if state.records + arrival.count > MAX_RECORDS or state.bytes + len(arrival.data) > MAX_BYTES:
                listing.reject(arrival.segment.path, "too much for one pull: it comes with the next sync")
                state.deferred = True
                break
            state.good[arrival.segment.path] = arrival.oid
            if arrival.segment.path not in here:
                state.fetched += 1
                state.records += arrival.count
                state.bytes += len(arrival.data)
                batch.append(arrival)
            if sum(len(each.data) for each in batch) > _BATCH:
                _lay_down(journal, batch)
        _lay_down(journal, batch)
        state.rejected |= dict.fromkeys(listing.rejected)
    return newest


def _sizes_of_lost(repository: pygit2.Repository, listing: Listing, wanted: Mapping[str, str]) -> None:
    """A segment that was checked once and is gone from the disk has no size in the listing yet."""
    if lost := [path for path, oid in wanted.items() if oid not in listing.sizes]:
        for path in lost:
            blob = repository.get(wanted[path])
            if isinstance(blob, pygit2.Blob):
                listing.sizes[wanted[path]] = blob.size


def _lay_down(journal: FileJournal, batch: list[Arrival]) -> None:
    if batch:
        journal.take([(each.segment, each.data) for each in batch], max(each.t for each in batch))
        batch.clear()


def _add_own(repository: pygit2.Repository, journal: FileJournal, state: _Round, scan: Scan | None) -> None:
    """Make blobs of the segments on disk that no checked commit holds."""
    for segment in segments.Shelf(journal.store).listing():
        if segment.private or segment.path in state.good:
            continue
        data = (journal.store / segment.path).read_bytes()
        if not segment.fits(data):
            state.rejected[(segment.path, "damaged here: run `cortex doctor --repair`")] = None
        elif scan is not None and scan(data.decode("utf-8", "replace")):
            state.rejected[(segment.path, "not sent: it holds what looks like a secret")] = None
        else:
            state.good[segment.path] = str(repository.create_blob(data))


def _write_tree(repository: pygit2.Repository, good: Mapping[str, str]) -> pygit2.Oid:
    root = repository.TreeBuilder()
    root.insert(FORMAT_FILE, repository.create_blob(FORMAT_BYTES), FileMode.BLOB)
    root.insert(segments.SHARED, _subtree(repository, good, f"{segments.SHARED}/"), FileMode.TREE)
    return root.write()


def _subtree(repository: pygit2.Repository, good: Mapping[str, str], prefix: str) -> pygit2.Oid:
    inside: dict[str, dict[str, str]] = {}
    for path, oid in good.items():
        name, _, rest = path[len(prefix) :].partition("/")
        inside.setdefault(name, {})[rest and path] = oid
    builder = repository.TreeBuilder()
    for name, below in inside.items():
        if "" in below:
            builder.insert(name, pygit2.Oid(hex=below[""]), FileMode.BLOB)
        else:
            builder.insert(name, _subtree(repository, below, f"{prefix}{name}/"), FileMode.TREE)
    return builder.write()


def _commit(
    repository: pygit2.Repository,
    author: str,
    tree: pygit2.Oid,
    ours: str | None,
    theirs: str | None,
    count: int,
) -> str:
    """The commit whose tree is the union: one that is there already, or a new one on top of both."""
    if ours and _tree(repository, ours) == tree and (not theirs or _holds(repository, ours, theirs)):
        return ours
    if theirs and _tree(repository, theirs) == tree and (not ours or _holds(repository, theirs, ours)):
        return theirs
    tips = list(dict.fromkeys(each for each in (ours, theirs) if each))
    if len(tips) == 2 and _holds(repository, tips[0], tips[1]):
        tips = tips[:1]
    elif len(tips) == 2 and _holds(repository, tips[1], tips[0]):
        tips = tips[1:]
    name, _, mail = author.rstrip("> ").partition("<")
    clean = re.compile(r"[<>\x00-\x1f]")
    who = pygit2.Signature(
        clean.sub("", name).strip() or "Cortex", clean.sub("", mail).strip() or "cortex@localhost"
    )
    message = f"Share {counted(count, 'segment')}\n"
    return str(repository.create_commit(None, who, who, message, tree, [pygit2.Oid(hex=tip) for tip in tips]))


def _tree(repository: pygit2.Repository, commit: str) -> pygit2.Oid:
    return repository[commit].peel(pygit2.Commit).tree_id


def _holds(repository: pygit2.Repository, tip: str, other: str) -> bool:
    """Whether `other` is `tip` or one of its ancestors; in a shallow history nobody knows, so: no."""
    try:
        return tip == other or repository.descendant_of(pygit2.Oid(hex=tip), pygit2.Oid(hex=other))
    except (pygit2.GitError, KeyError):
        return False


def _target(repository: pygit2.Repository, name: str) -> str | None:
    found = repository.references.get(name)
    if found is None:
        return None
    try:
        return str(found.peel(pygit2.Commit).id)
    except (pygit2.GitError, pygit2.InvalidSpecError, KeyError, ValueError):
        return None


def _swap(repository: pygit2.Repository, before: str | None, after: str, state: _Round) -> bool:
    """Compare and swap the local branch: False when it is not at `before` any more, or is locked."""
    try:
        if before is None:
            repository.references.create(REF, pygit2.Oid(hex=after))
            return True
        held = repository.references[REF]
        if str(held.target) != before:
            state.obstacle = f"{BRANCH} moved meanwhile"
            return False
        held.set_target(pygit2.Oid(hex=after))  # libgit2 checks under the ref's lock that it is still there
        return True
    except (pygit2.GitError, OSError, ValueError, KeyError) as error:
        state.obstacle = str(error).strip()
        return False


def _refuse_checked_out(repository: pygit2.Repository) -> None:
    branch = repository.branches.local.get(BRANCH)
    if branch is not None and branch.is_checked_out():
        raise PlaceError(
            f"the branch {BRANCH} is checked out in a work tree",
            "Check out another branch there: this one is written by `cortex sync` alone.",
        )


def _choose(repository: pygit2.Repository, remote: str | None) -> str:
    """The remote to talk to; empty for none."""
    if remote:
        if remote.startswith("-"):
            raise UsageError(f"{remote} is not a remote", "Name one that `git remote` lists, or a URL.")
        return remote
    known = [each for each in repository.remotes.names() if each]
    if "origin" in known:
        return "origin"
    if len(known) > 1:
        raise UsageError(f"there are {len(known)} remotes", f"Name one: {', '.join(sorted(known))}.")
    return known[0] if known else ""


def _fetch(place: Place, remote: str) -> str | None:
    """Bring the remote's branch to a ref of ours; its commit, None where the remote has no such branch."""
    name = remote if _NAME.match(remote) else hashlib.sha256(remote.encode()).hexdigest()[:16]
    target = f"refs/cortex/remotes/{name}/memory"
    try:
        reach(
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"),
            *("--no-prune", "--no-filter", "--refmap=", "--", remote, f"+{REF}:{target}"),
            cwd=_inside(place),
            options=_QUIET,
            timeout=TIMEOUT,
        )
    except GitError as error:
        if "couldn't find remote ref" in error.stderr:
            return None
        if not any(words in error.stderr for words in _MOVED):
            raise
    return _target(open_repository(place), target)


def _push(place: Place, remote: str, commit: str, state: _Round) -> bool:
    """Send the branch; False when somebody else was first. Raises `GitError` when the remote refuses."""
    try:
        reach(
            *("push", "--quiet", "--no-verify", "--no-recurse-submodules", "--", remote, f"{commit}:{REF}"),
            cwd=_inside(place),
            options=_QUIET,
            timeout=TIMEOUT,
        )
    except GitError as error:
        if any(words in error.stderr for words in _MOVED):
            state.obstacle = error.message
            return False
        raise
    return True


def _inside(place: Place) -> Path:
    return place.root or place.gitdir
