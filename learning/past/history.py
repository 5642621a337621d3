"""Walking a repository's past: who soon changed what an agent, or where none wrote a person, had written."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pygit2

from ...analyzers.languages import is_generated, language_of
from ...store.kinds import MILLION
from ..corrections.definitions import Definitions
from ..corrections.extraction import corrections
from ..lineage.marks import PERSON, Mark, Marks, message, signature
from ..lineage.ownership import Change, Ownership, changes, commit_at, shallow_commits
from ..lineage.places import Fix, Place, made_by_a_tool, text_of
from ..lineage.timeline import Timeline
from .asked import asked_by
from .candidates import identity, key_of
from .reverts import Replaced, Reverts, TakenBack
from .walked import Cursor, Found, Progress

__all__ = ["Cursor", "Found", "Progress", "branch_tips", "walk"]

DAYS = 30
COMMITS = 500
#: A person's fix of a person's code says less than one of an agent's.
PEOPLE_WEIGHT = MILLION // 4
#: Where agents wrote at least one commit in so many, people's corrections of people are left alone.
RARE_AGENT = 50
#: What libgit2 may keep of objects that it read; parsed, they take several times as much as it counts.
_CACHE = 16 << 20
_DAY = 86_400
_EVERY = 64
_FIX = re.compile(
    r"\b(fix(e[sd])?|bug|correct(s|ed|ion)?|typo|regress\w*|hotfix|oops|repair|wrong|mistake)\b",
    re.IGNORECASE,
)
_PROSE = ('"""', "'''", 'r"""')


def walk(
    repository: pygit2.Repository,
    *,
    since: int | None = None,
    limit_s: float | None = None,
    stop: Callable[[], bool] = lambda: False,
    seen: Cursor | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    only: frozenset[str] | None = None,
    tips: Sequence[str] | None = None,
    secrets: set[str] | None = None,
    agents_too: bool = False,
) -> Iterator[Found]:
    """Corrections of the past, newest first.

    `since` (seconds since the epoch) leaves out what was corrected earlier; `limit_s` and `stop` end the walk
    early, and the cursor of the last progress goes on from there. `only` names the commits that may have
    corrected something; the others then only say who wrote what. `secrets` takes those that the files held.
    With `agents_too` what agents changed of agents' code counts as well: to measure with, never to learn from.
    """
    return _Walk(repository, since, limit_s, stop, seen, progress, only, tips, secrets, agents_too).run()


def branch_tips(repository: pygit2.Repository) -> tuple[str, ...]:
    """What is checked out first, then all local branches: the commits a history is read from."""
    found = []
    if not repository.head_is_unborn:
        found.append(str(repository.head.target))
    for name in repository.references:
        if name.startswith("refs/heads/") and not name.startswith("refs/heads/cortex/"):
            try:
                found.append(str(repository.references[name].peel(pygit2.Commit).id))
            except (KeyError, ValueError, pygit2.GitError):  # what it names is missing, or is no commit
                continue
    return tuple(dict.fromkeys(found))


class _Walk:
    def __init__(
        self,
        repository: pygit2.Repository,
        since: int | None,
        limit_s: float | None,
        stop: Callable[[], bool],
        seen: Cursor | None,
        progress: Callable[[Progress], None],
        only: frozenset[str] | None,
        tips: Sequence[str] | None,
        secrets: set[str] | None,
        agents_too: bool,
    ) -> None:
        self._repository = repository
        self._since, self._limit, self._only = since, limit_s, only
        self._agents_too = agents_too
        self._stop, self._progress = stop, progress
        self._tips = seen.tips if seen else tuple(tips) if tips is not None else branch_tips(repository)
        self._start, self._done = (seen.safe, seen.done) if seen else (0, 0)
        self._passed: Counter[str] = Counter()
        self._noticed: Counter[str] = Counter()
        self._timeline = Timeline(repository, self._tips, self._passed)
        self._reverts = Reverts(repository, COMMITS)
        self._definitions = Definitions(repository)
        self._marks = Marks(repository)
        self._boundary = shallow_commits(repository)
        self._owners: Ownership[Place] = Ownership(repository, self._boundary)
        self._fixes: dict[int, list[Fix]] = {}  # by the running number of their commit
        self._complete: list[Fix] = []
        self.secrets = secrets if secrets is not None else set()
        self._people = only is None  # whether people's corrections of people are looked for
        self._total = self._files = self._found = self._index = 0
        self._left = len(only) if only is not None else 0
        self._began = self._told = time.monotonic()

    def run(self) -> Iterator[Found]:
        pygit2.settings.cache_max_size(_CACHE)
        if self._only is None:
            self._timeline.survey(self._marks, self._since)
            self._total = self._timeline.total
            self._people = self._timeline.agents * RARE_AGENT < self._timeline.surveyed
        finished = True
        commits = self._timeline.commits() if self._only is None else self._timeline.latest()
        for number, commit in enumerate(commits):
            self._index = number
            if self._index < self._start:
                self._reverts.note(commit, number, self._marks.of(commit))
                self._reverts.passed(commit, number, None)
                continue
            fresh = self._index >= self._done
            if fresh and (self._stop() or self._late()):
                finished = False
                break
            if not fresh and self._stop():
                finished = False
                break
            if not self._owners and self._past():
                self._index = max(self._total, self._index)
                break
            yield from self._one(commit)
            if self._index % _EVERY == 0:
                yield from self._expire(commit)
            if time.monotonic() - self._told > 0.2:
                self._report(self._index + 1, False)
        else:
            self._index = self._total
        if finished:
            for fixes in list(self._fixes.values()):
                for fix in fixes:
                    yield from self._settle(fix)
            self._fixes.clear()
        self._report(self._index, finished)

    def _past(self) -> bool:
        """Whether no commit from here on is asked to have corrected anything."""
        if self._only is not None:
            return self._left == 0
        return self._index >= self._timeline.end  # not by this commit's own clock, which may be wrong

    def _late(self) -> bool:
        return self._limit is not None and time.monotonic() - self._began >= self._limit

    def _report(self, done: int, finished: bool) -> None:
        done = max(done, self._done) if not finished else done
        waiting = [number for number, fixes in self._fixes.items() if fixes]
        cursor = Cursor(self._tips, done, min([*waiting, done]), finished)
        self._told = time.monotonic()
        elapsed = self._told - self._began
        passed, noticed = +self._passed, +self._noticed
        self._progress(
            Progress(done, self._total, self._files, self._found, elapsed, cursor, passed, noticed)
        )

    def _one(self, commit: pygit2.Commit) -> Iterator[Found]:
        """Take one commit: answer the lines that wait for it, and ask for those that it removed."""
        mark = self._marks.of(commit)
        is_revert = self._reverts.note(commit, self._index, mark)
        taken = self._reverts.of(commit, self._index)
        self._noticed["reverts"] += is_revert
        self._left -= self._only is not None and str(commit.id) in self._only
        found: list[Change] | None = None
        asked: list[Fix] = []
        parents = commit.parent_ids
        if commit.id.raw in self._boundary:
            self._passed["history ends early"] += 1
        if len(parents) == 1 and commit.id.raw not in self._boundary:
            fixer = (
                not is_revert
                and not mark.bot
                and (self._agents_too or not (mark.agent and mark.lines is None))
                and (taken is None or taken.stands)
                and (self._only is None or str(commit.id) in self._only)
                and (self._since is None or commit.commit_time >= self._since)
            )
            if fixer or taken is not None or self._owners.waits_at(commit.id):
                found = self._changes(commit)
            by = PERSON if self._agents_too else mark
            if fixer and found is not None:
                asked, files = asked_by(self._repository, commit, self._index, by, found, self._passed)
                self._files += files
        for owned in self._owners.step(commit, found):
            self._answer(owned.ticket, commit, mark, owned.path, owned.line, is_revert)
        for fix in asked:
            for place in fix.places:
                rows = [(line, place) for line in range(place.start, place.start + place.lines)]
                self._owners.ask(parents[0], fix.change.old_path, rows)
        if asked:
            self._fixes[self._index] = asked
        if taken is not None and found is not None and not mark.bot and self._only is None:
            yield from self._brought_again(commit, mark, taken, found)
        self._reverts.passed(commit, self._index, found)
        yield from self._ready()

    def _changes(self, commit: pygit2.Commit) -> list[Change] | None:
        """The files that it changed; None where nobody can say, because a tree or the parent is not there."""
        parent = commit_at(self._repository, commit.parent_ids[0])
        try:
            if parent is not None:
                return changes(self._repository, parent.tree, commit.tree, self._passed)
        except (KeyError, pygit2.GitError):
            pass
        self._passed["missing"] += 1
        return None

    def _answer(
        self, place: Place, commit: pygit2.Commit, mark: Mark, path: str, line: int, is_revert: bool
    ) -> None:
        fix = place.fix
        fix.open -= 1
        if not fix.open:
            self._complete.append(fix)
        late = fix.commit.commit_time - commit.commit_time > DAYS * _DAY or self._index - fix.index > COMMITS
        if late or mark.bot or is_revert:  # what a revert put back, it did not write
            return
        if mark.wrote(path, line):
            place.agents[(mark.agent, str(commit.id))] += 1
        elif len(commit.parent_ids) < 2:
            place.people[("", str(commit.id))] += 1

    def _ready(self) -> Iterator[Found]:
        complete, self._complete = self._complete, []
        for fix in complete:
            waiting = self._fixes.get(fix.index, [])
            if fix in waiting:
                waiting.remove(fix)
                yield from self._settle(fix)
            if not waiting:
                self._fixes.pop(fix.index, None)

    def _expire(self, commit: pygit2.Commit) -> Iterator[Found]:
        """Give up on lines that are older than the limits: to change them is no correction any more."""
        gone: set[int] = set()
        for number, fixes in self._fixes.items():
            # A day of grace: committers' clocks are not all right.
            early = fixes[0].commit.commit_time - (DAYS + 1) * _DAY
            if self._index - number > COMMITS or commit.commit_time < early:
                gone.add(number)
        if not gone:
            return
        self._owners.keep(lambda place: place.fix.index not in gone)
        for number in gone:
            for fix in self._fixes.pop(number):
                yield from self._settle(fix)

    def _settle(self, fix: Fix) -> Iterator[Found]:
        """All that can be known of one file's hunks is known."""
        by_agents = [place for place in fix.places if place.by_agent]
        by_people = [place for place in fix.places if not place.by_agent and place.by_people]
        if not self._people:  # even so a fix that had to be fixed tells something
            by_people = by_people if self._is_fix_of_fix(fix.commit, _most(by_people, "people")) else []
        if not by_agents and not by_people:
            return
        before, after = (
            text_of(self._repository, fix.change.old_id),
            text_of(self._repository, fix.change.new_id),
        )
        if before is None or after is None:
            return
        for places, hand in ((by_agents, "person"), (by_people, "people")):
            if places:
                yield from self._corrections(fix, places, hand, before, after)

    def _corrections(
        self, fix: Fix, places: Sequence[Place], hand: str, before: str, after: str
    ) -> Iterator[Found]:
        agent, written = _most(places, hand)
        fixed, again = _fixes(fix.commit), self._is_fix_of_fix(fix.commit, (agent, written))
        for correction in corrections(
            before,
            after,
            fix.change.new_path,
            [(place.start, place.start + place.lines - 1) for place in places],
            hand=hand,
            weight=MILLION if hand == "person" else PEOPLE_WEIGHT,
            commit=str(fix.commit.id),
            author=signature(fix.commit.author),
            written=written,
            agent=agent,
            subject=_subject(fix.commit),
            places=fix.of,
            whole=self._definitions.whole(fix.commit),
            secrets=self.secrets,
        ):
            if correction.before.startswith(_PROSE) and correction.after.startswith(_PROSE):
                continue
            self._found += 1
            self._noticed["fixes of fixes"] += again
            yield Found(
                m=identity(correction.commit, correction.path, correction.before, correction.after),
                correction=replace(correction, committed=fix.commit.commit_time * 1000),
                key=key_of(correction),
                time=fix.commit.commit_time * 1000,
                fix=fixed,
                fix_of_fix=again,
                places=fix.of,
                brings=self._definitions.brings(fix.commit, correction.before, correction.after),
            )

    def _brought_again(
        self, commit: pygit2.Commit, mark: Mark, taken: TakenBack, found: Sequence[Change]
    ) -> Iterator[Found]:
        """What a commit that was reverted should have been: what was committed in its place."""
        code = [each for each in found if language_of(each.new_path) and not is_generated(each.new_path)]
        for replaced in self._reverts.replaced(commit, taken, code):
            other = self._marks.of(replaced.again)
            if other.bot or (other.agent and taken.agent):  # nobody but agents had a word in it
                continue
            if not mark.agent and not self._people:
                continue
            yield from self._replaced(commit, mark, taken, replaced)

    def _replaced(
        self, commit: pygit2.Commit, mark: Mark, taken: TakenBack, replaced: Replaced
    ) -> Iterator[Found]:
        change, again = replaced.change, replaced.again
        before, after = text_of(self._repository, change.new_id), text_of(self._repository, replaced.after)
        if before is None or after is None or made_by_a_tool(change.new_path, after.encode()):
            return
        for correction in corrections(
            before,
            after,
            change.new_path,
            replaced.lines,
            hand="person" if mark.agent else "people",
            weight=MILLION if mark.agent else PEOPLE_WEIGHT,
            commit=str(again.id),
            author=signature(again.author),
            written=str(commit.id),
            agent=mark.agent,
            subject=_subject(again),
            secrets=self.secrets,
        ):
            self._found += 1
            self._noticed["brought again after a revert"] += 1
            yield Found(
                m=identity(correction.commit, correction.path, correction.before, correction.after),
                correction=replace(correction, committed=again.commit_time * 1000, reverted=taken.by),
                key=key_of(correction),
                time=again.commit_time * 1000,
                fix=True,
            )

    def _is_fix_of_fix(self, commit: pygit2.Commit, wrote: tuple[str, str]) -> bool:
        before = commit_at(self._repository, wrote[1]) if wrote[1] else None
        return before is not None and _fixes(before) and _fixes(commit)


def _fixes(commit: pygit2.Commit) -> bool:
    """Whether a commit says of itself that it corrects something."""
    return _FIX.search(_subject(commit)) is not None


def _subject(commit: pygit2.Commit) -> str:
    return message(commit).strip().partition("\n")[0][:200]


def _most(places: Sequence[Place], hand: str) -> tuple[str, str]:
    """The agent (empty: a person) and the commit that wrote most of these places."""
    wrote: Counter[tuple[str, str]] = Counter()
    for place in places:
        wrote.update(place.agents if hand == "person" else place.people)
    return wrote.most_common(1)[0][0] if wrote else ("", "")
