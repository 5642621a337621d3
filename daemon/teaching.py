"""Learning, as the engine does it: new commits, the repository's past, and the rules that follow."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pygit2

from ..analyzers.languages import is_generated, language_of
from ..learning.live.commits import LiveReport, learn_commits
from ..learning.past import refs
from ..learning.past.lessons import HistoryProgress, HistoryReport, forget_cursor, learn_history
from ..learning.rules import heeding
from ..learning.rules.lately import in_progress, text_before
from ..learning.rules.lifecycle import Settings
from ..learning.rules.revising import revise
from ..repo import trees
from ..repo.errors import UsageError
from ..store.kinds import Generation, Outcome
from ..store.record import Draft
from ..store.wording import count
from . import stillness
from .contracts import SCHEMA
from .contracts.keeping import LearnResult
from .noticing import notice
from .rising import rise
from .state import State

Progress = Callable[[Mapping[str, object]], None]
DAY = 86_400
MONTH = 30 * DAY
LARGEST = 512 * 1024


def learn(
    state: State, *, since: str = "", everything: bool = False, progress: Progress | None = None
) -> LearnResult:
    """Learn from what is new: generations that commits settled, and the rules that follow.

    `since` names a revision to go back to; `everything` goes through the whole past again.
    """
    started, redactions = time.monotonic(), state.journal.redactions
    live = scan(state, since)
    history = None
    if since or everything:
        forget_cursor(state.place)
        history = learn_past(state, since=since, progress=progress)
    changed = revise_rules(state)
    noticed = notice(state, again=everything)
    redacted = state.journal.redactions - redactions
    return _result(live, history, changed, noticed, redacted, time.monotonic() - started)


def scan(state: State, since: str = "") -> LiveReport:
    """Learn from the commits that the refs show as new; what hooks said is a hint, this is the truth.

    What was seen is remembered after it was learnt: a crash between the two learns it again, to no effect.
    """
    found = refs.scan(state.repository, _refs_file(state))
    if not since and not _has_work(state, found):
        return LiveReport()
    marked = _marked(state)
    # Without the note of what was seen (it is derived, and may go at any time) commits are gone through again.
    awaited = _awaited(state) if found.first else []
    commits = [*_since(state, since), *awaited, *found.commits]
    report = learn_commits(
        state.place, state.journal, state.blobs, list(dict.fromkeys(commits)), now=state.clock()
    )
    state.reacted = heed(state, [*_since(state, since), *found.commits])
    refs.remember(_refs_file(state), found)
    if marked is not None and not commits and not report.waiting:
        with contextlib.suppress(OSError):
            stillness.keep(state, marked)
    return report


def has_work(state: State) -> bool:
    """Whether a scan would find anything to look at: commits, or records since the last one."""
    return _has_work(state, refs.scan(state.repository, _refs_file(state)))


def _has_work(state: State, found: refs.Scan) -> bool:
    return bool(found.first or found.commits) or not stillness.is_still(state)


def _marked(state: State) -> dict[str, Any] | None:
    try:
        return stillness.mark(state)
    except OSError:
        return None


def heed(state: State, commits: Sequence[str]) -> int:
    """Note what these commits made of the places that the guard showed; returns how many they decided."""
    writer = state.journal.writer
    waiting = heeding.shown(state.view(), writer, state.clock())
    drafts: list[Draft] = []
    for name in dict.fromkeys(commits) if waiting else ():
        for path, text, added in _added(state, name, {where for _, where, _ in waiting}):
            for each in list(heeding.reactions(waiting, path, text, added, name)):
                drafts.append(Draft(each, origin="commit"))
                del waiting[each.rule, each.path, each.place]
    if drafts:
        state.journal.append(drafts)
    return len(drafts)


def _added(state: State, name: str, paths: Collection[str]) -> Iterator[tuple[str, str, frozenset[int]]]:
    """What a commit with one parent, or none, holds at some paths, and the lines that it adds there."""
    from .changed import added_lines

    try:
        commit = state.repository[name].peel(pygit2.Commit)
        trees = [commit.tree, *(parent.tree for parent in commit.parents)]
    except (KeyError, ValueError, pygit2.GitError):
        return
    if len(trees) > 2:
        return
    for path in sorted(paths):
        after, before = _blob(trees[0], path), _blob(trees[1], path) if len(trees) > 1 else None
        if after is not None and after != before and len(after) <= LARGEST:
            yield path, after.decode("utf-8", "replace"), added_lines(before or b"", after)


def _blob(tree: pygit2.Tree, path: str) -> bytes | None:
    try:
        held = tree[path]
    except (KeyError, ValueError, pygit2.GitError):
        return None
    return held.data if isinstance(held, pygit2.Blob) else None


def learn_past(
    state: State,
    *,
    since: str = "",
    budget_s: float | None = None,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> HistoryReport:
    """Go on through the repository's past, newest first, for at most `budget_s` seconds."""
    since = since or state.settings().text("learn.since")
    if since:
        oldest = _time_of(state, since)
    else:
        # Whole months: the walk goes on where it stopped only while its end stays the same.
        days = state.settings().integer("learn.history_days")
        oldest = (state.clock() // 1000 // MONTH) * MONTH - days * DAY

    def told(seen: HistoryProgress) -> None:
        if progress is not None:
            note = count(seen.found, "correction") if seen.found else ""
            progress({"done": seen.commits, "total": seen.total, "note": note})

    return learn_history(
        state.place, state.journal, budget_s=budget_s, since=oldest, stop=stop, progress=told
    )


def revise_rules(state: State) -> list[dict[str, str]]:
    """Bring the rules up to date with the corrections; returns the ones whose state changed."""

    settings = state.settings()
    changed = revise(
        state.journal,
        tracked_files(state),
        Settings(
            min_support=settings.integer("rules.min_support"),
            min_commits=settings.integer("rules.min_commits"),
            active_confidence=settings.number("rules.active_confidence"),
            progress_confidence=settings.number("rules.progress_confidence"),
        ),
        recent=_in_progress(state),
        before=lambda commit, path: text_before(state.repository, commit, path),
    )
    rise(state, settings.integer("rules.scope_repositories"))
    return [
        {"id": each.rule, "from": each.from_state, "to": each.to_state, "reason": each.reason}
        for each in changed
    ]


def _in_progress(state: State) -> frozenset[str]:
    try:
        return in_progress(state.repository, state.repository.head.target)
    except (KeyError, pygit2.GitError):  # nothing is committed
        return frozenset()


def tracked_files(state: State) -> Iterator[tuple[str, str]]:
    """Path and text of the code that is committed at HEAD: what people accepted."""
    repository = state.repository
    try:
        tree = repository.revparse_single("HEAD").peel(pygit2.Tree)
    except (KeyError, pygit2.GitError):
        return
    for path, blob in trees.files(tree):
        if language_of(path) and not state.ignored.matches(path):
            if blob.size <= LARGEST and not is_generated(path, blob.data[:4096]):
                yield path, blob.data.decode("utf-8", "replace")


def _since(state: State, since: str) -> list[str]:
    if not since:
        return []
    try:
        return [str(oid) for oid in refs.commits_since(state.repository, since)]
    except (KeyError, ValueError, pygit2.GitError):
        raise UsageError(f"there is no revision {since}", "Name a commit, a branch or a tag.") from None


def _awaited(state: State) -> list[str]:
    """The commits that may hold what was recorded and has no outcome yet."""
    view = state.view()
    decided = {str(record.body.get("generation")) for record in view.of_kind(Outcome.KIND)}
    waiting = [record for record in view.of_kind(Generation.KIND) if record.m not in decided]
    return refs.commits_down_to(state.repository, {str(record.body.get("head", "")) for record in waiting})


def _refs_file(state: State) -> Path:
    return state.place.store / "index" / "refs.json"


def _time_of(state: State, since: str) -> int:
    try:
        commit = state.repository.revparse_single(since).peel(pygit2.Commit)
    except (KeyError, ValueError, pygit2.GitError):
        raise UsageError(f"there is no revision {since}", "Name a commit, a branch or a tag.") from None
    return int(commit.commit_time)


def _result(
    live: LiveReport,
    history: HistoryReport | None,
    rules: list[dict[str, str]],
    memories: Mapping[str, int],
    redacted: int,
    elapsed: float,
) -> LearnResult:
    return {
        "schema": SCHEMA,
        "commits": live.commits + (history.commits if history else 0),
        "outcomes": dict(live.outcomes),
        "corrections": live.corrections + (history.recorded if history else 0),
        "files": history.files if history else 0,
        "rules": rules,
        "memories": dict(memories),
        "passed": dict(history.passed) if history else {},
        "noticed": dict(history.noticed) if history else {},
        "finished": history.finished if history else True,
        "elapsed_s": round(elapsed, 3),
        "notes": [],
        "redacted": redacted,
    }
