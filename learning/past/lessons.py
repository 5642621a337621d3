"""Learning a repository's past into its journal: resumable, idempotent, silent about what came once."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pygit2

from ...repo.files import write_whole
from ...repo.open import open_repository
from ...repo.places import Place
from ...store import notes
from ...store.durable import SYSTEM, read
from ...store.kinds import MILLION, Body, Correction
from ...store.protocols import Journal
from ...store.record import Draft
from ...store.secrets import redact_all
from .candidates import SELDOM, Candidate, Candidates
from .history import Cursor, Found, Progress, walk
from .worth import Worth, worth

ORIGIN = "history"
_STATE = "history.json"
_BATCH = 100
#: A walk that is killed does so much again, in seconds.
_KEPT_S = 5.0
#: An edit that is this surely the feature going on is counted and not kept: the history itself still has it.
_SURELY = MILLION // 2
_MANY_PLACES = 25
_ONWARD = re.compile(
    r"(feat|refactor|chore|build|release|bump|rename|rewrite|migrate|add|introduce|implement)\b", re.I
)
_WORD = re.compile(r"\w{2,}")


@dataclass(frozen=True)
class HistoryReport:
    """What one call did; `corrections_by_hand` counts what it saw, `recorded` is what was new.

    `passed` and `noticed` are those of `Progress`.
    """

    commits: int = 0
    files: int = 0
    corrections_by_hand: tuple[tuple[str, int], ...] = ()
    recorded: int = 0
    finished: bool = False
    cursor: Cursor | None = None
    elapsed_s: float = 0.0
    passed: tuple[tuple[str, int], ...] = ()
    noticed: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class HistoryProgress:
    """For a progress bar: how far, and what was found so far."""

    commits: int
    total: int
    files: int
    found: int
    recorded: int
    elapsed_s: float


def goes_on(found: Found) -> bool:
    """Whether this is surely the feature going on, and no correction."""
    return found.correction.category == "evolution" and found.correction.confidence >= _SURELY


def stands_alone(found: Found) -> bool:
    """Whether a correction of an agent, or of what a revert took back, becomes a record without having come twice.

    A commit that says it brings something new, or that changes much, mostly goes on with the work: of
    such commits only what recurs is kept. Source: of 96 hunks read by hand, 41% were the feature going on; of 48
    records that nobody would want as a lesson, 31 brought a name that the same commit had defined or renamed.
    """
    correction = found.correction
    return (
        (correction.hand == "person" or correction.reverted != "")
        and not goes_on(found)
        and not found.brings
        and found.places <= _MANY_PLACES
        and (_ONWARD.match(correction.subject) is None or correction.reverted != "")
        and len(_WORD.findall(correction.before)) > 1
    )


def learn_history(
    place: Place,
    journal: Journal,
    *,
    budget_s: float | None = None,
    since: int | None = None,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[HistoryProgress], None] = lambda _: None,
) -> HistoryReport:
    """Read the past, newest first, from where the last call stopped, for about `budget_s` seconds.

    Corrections of agents are recorded where they teach something by themselves; others, and people's of
    people, once alike ones came in more commits. `since` is in
    seconds since the epoch. What is recorded already, or was deleted by a person, is not written again.
    """
    repository = open_repository(place)
    state = place.store / "index" / _STATE
    cursor = read_cursor(state, repository, since)
    if cursor is not None and cursor.finished:
        return HistoryReport(commits=cursor.done, finished=True, cursor=cursor)
    began = time.monotonic()
    candidates = Candidates(place.store / "index" / "history.db")
    try:

        def keep(cursor: Cursor) -> None:
            write_atomically(state, {"schema": 1, "since": since, "cursor": cursor.plain()})

        learner = _Learner(journal, candidates, progress, keep)
        for found in walk(
            repository,
            since=since,
            limit_s=budget_s,
            stop=stop,
            seen=cursor,
            progress=learner.told,
            secrets=learner.secrets,
        ):
            learner.take(found)
        last = learner.save()
    except KeyboardInterrupt:
        learner.save()  # what was found until now is kept, and the next call goes on from here
        raise
    finally:
        candidates.close()
    if last is None:
        return HistoryReport(elapsed_s=time.monotonic() - began)
    return HistoryReport(
        commits=last.cursor.done,
        files=last.files,
        corrections_by_hand=tuple(sorted(learner.by_hand.items())),
        recorded=learner.recorded,
        finished=last.cursor.finished,
        cursor=last.cursor,
        elapsed_s=time.monotonic() - began,
        passed=tuple(sorted(last.passed.items())),
        noticed=tuple(sorted(last.noticed.items())),
    )


def forget_cursor(place: Place) -> None:
    """Have the next call begin at the newest commit again."""
    (place.store / "index" / _STATE).unlink(missing_ok=True)


class _Learner:
    """Turns what the walk finds into records, in batches: an append waits for the disk."""

    def __init__(
        self,
        journal: Journal,
        candidates: Candidates,
        progress: Callable[[HistoryProgress], None],
        keep: Callable[[Cursor], None],
    ) -> None:
        self.last: Progress | None = None
        self.by_hand: dict[str, int] = {}
        self.recorded = 0
        self.secrets: set[str] = set()  # of the files that were read since the last flush
        self._journal, self._candidates, self._progress = journal, candidates, progress
        self._alone: list[Found] = []
        self._candidates_due: list[Candidate] = []
        self._seen = 0
        self._keep = keep
        self._since = self._kept = time.monotonic()

    def told(self, progress: Progress) -> None:
        """Hear from the walk, and tell the person."""
        self.last = progress
        if time.monotonic() - self._kept > _KEPT_S:
            self.save()
        elif self._candidates_due and time.monotonic() - self._since > 1.0:
            self.flush()
        commits, total, files = progress.commits, progress.total, progress.files
        self._progress(HistoryProgress(commits, total, files, self._seen, self.recorded, progress.elapsed_s))

    def take(self, found: Found) -> None:
        """One correction of the past."""
        self._seen += 1
        hand = found.correction.hand
        self.by_hand[hand] = self.by_hand.get(hand, 0) + found.correction.count
        value = Worth.NOTHING if goes_on(found) else worth(found.correction)
        if value is Worth.NOTHING:
            return
        if value is Worth.LESSON and stands_alone(found):
            self._alone.append(found)
        # All are candidates: one that stands alone may be what another one recurs with.
        often = value is Worth.LESSON and not found.brings
        key = found.key if often or not found.key else SELDOM + found.key
        self._candidates_due.append(Candidate(found.m, key, found.time, found.correction))
        if len(self._candidates_due) >= _BATCH:
            self.flush()

    def save(self) -> Progress | None:
        """Write what is due, and only then where the walk is: one that is killed looks again at the rest."""
        self.flush()
        self._kept = time.monotonic()
        if self.last is not None:
            self._keep(self.last.cursor)
        return self.last

    def flush(self) -> None:
        """Write what is due."""
        self._since = time.monotonic()
        self._journal.beware(self.secrets)
        self._candidates_due = [
            replace(each, correction=_without(each.correction, self.secrets)) for each in self._candidates_due
        ]
        self.secrets.clear()
        self.recorded += record(self._journal, [(found.m, found.correction) for found in self._alone])
        self._alone.clear()
        self._candidates.add(self._candidates_due)
        self._candidates_due.clear()
        recurring = list(self._candidates.recurring())
        self.recorded += record(self._journal, [(each.m, each.correction) for each in recurring])
        self._candidates.mark_recorded(each.m for each in recurring)


def _without(correction: Correction, secrets: Collection[str]) -> Correction:
    """Without what other files of the same commit say is secret: the candidates' file is no journal."""
    if not secrets:
        return correction
    told = (correction.subject, correction.before, correction.after)
    (subject, before, after), _ = redact_all(told, secrets)
    return replace(correction, subject=subject, before=before, after=after)


def record(journal: Journal, found: Iterable[tuple[str, Body]], origin: str = ORIGIN) -> int:
    """Append these (memory id, body) pairs, without those that the journal knows, deleted ones included."""
    view = journal.view()
    drafts = {m: Draft(body=body, m=m, origin=origin) for m, body in found if not view.heads(m)}
    for start in range(0, len(drafts), _BATCH):
        journal.append(list(drafts.values())[start : start + _BATCH])
    return len(drafts)


def read_cursor(state: Path, repository: pygit2.Repository, since: int | None) -> Cursor | None:
    """Where the last walk stopped; None when there was none, or it cannot go on from there."""
    try:
        given = notes.read(read(SYSTEM, state))
    except OSError:
        return None
    cursor = Cursor.read(given.get("cursor")) if given is not None else None
    if given is None or cursor is None or any(tip not in repository for tip in cursor.tips):
        return None
    before = given.get("since")
    deeper = isinstance(before, int) and (since is None or since < before)
    return None if deeper else cursor


def write_atomically(path: Path, value: Mapping[str, object]) -> None:
    """Replace a small derived file: a reader sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, notes.write(value), durable=False)
