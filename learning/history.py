"""Walking a repository's past: who soon changed what an agent, or where none wrote a person, had written."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import pygit2
from pygit2.enums import SortMode

from ..analyzers.languages import is_generated, language_of
from ..store.kinds import MILLION, Correction
from .candidates import identity, key_of
from .corrections import corrections
from .marks import Mark, Marks, message, signature
from .ownership import Change, Hunk, Ownership, changes, commit_at, hunks, shallow_commits, text_blob
from .places import Fix, Place, made_by_a_tool, place_of, text_of

DAYS = 30
COMMITS = 500
#: A commit of more files is a sweep or an import: no corrections.
MANY_FILES = 300
#: A person's fix of a person's code says less than one of an agent's.
PEOPLE_WEIGHT = MILLION // 4
#: Where agents wrote at least one commit in so many, people's corrections of people are left alone.
RARE_AGENT = 50
#: What libgit2 may keep of objects that it read.
_CACHE = 64 << 20
_DAY = 86_400
_EVERY = 64
_REVERTS = re.compile(r"\bThis reverts commit ([0-9a-f]{40})")
_FIX = re.compile(
    r"\b(fix(e[sd])?|bug|correct(s|ed|ion)?|typo|regress\w*|hotfix|oops|repair|wrong|mistake)\b",
    re.IGNORECASE,
)
_PROSE = ('"""', "'''", 'r"""')


@dataclass(frozen=True)
class Cursor:
    """Where a walk stopped: `done` commits from `tips` are through; from `safe` on it has to look again."""

    tips: tuple[str, ...] = ()
    done: int = 0
    safe: int = 0
    finished: bool = False

    def plain(self) -> dict[str, object]:
        """As JSON takes it."""
        return {**asdict(self), "tips": list(self.tips)}

    @classmethod
    def read(cls, given: object) -> Cursor | None:
        """From its JSON form; None when it is not one."""
        if not isinstance(given, dict):
            return None
        tips, done, safe = given.get("tips"), given.get("done"), given.get("safe")
        if not isinstance(tips, list) or not isinstance(done, int) or not isinstance(safe, int):
            return None
        return cls(tuple(str(each) for each in tips), done, safe, given.get("finished") is True)


@dataclass(frozen=True)
class Progress:
    """How far a walk is; `cursor` goes on from here."""

    commits: int
    total: int
    files: int
    found: int
    elapsed_s: float
    cursor: Cursor


@dataclass(frozen=True)
class Found:
    """One correction of the past: `m` is its memory id, always the same; `key` is alike for alike edits.

    `time` is the commit's, in ms. `fix_of_fix`: what was corrected came with a fix itself.
    """

    m: str
    correction: Correction
    key: str
    time: int
    fix: bool = False
    fix_of_fix: bool = False
    places: int = 0  # how many places of earlier code the commit changed


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
) -> Iterator[Found]:
    """Corrections of the past, newest first.

    `since` (seconds since the epoch) leaves out what was corrected earlier; `limit_s` and `stop` end the walk
    early, and the cursor of the last progress goes on from there. `only` names the commits that may have
    corrected something; the others then only say who wrote what. `secrets` takes those that the files held.
    """
    return _Walk(repository, since, limit_s, stop, seen, progress, only, tips, secrets).run()


def branch_tips(repository: pygit2.Repository) -> tuple[str, ...]:
    """What is checked out first, then all local branches: the commits a history is read from."""
    found = []
    if not repository.head_is_unborn:
        found.append(str(repository.head.target))
    for name in repository.references:
        if name.startswith("refs/heads/") and not name.startswith("refs/heads/cortex/"):
            target = repository.references[name].peel().id
            found.append(str(target))
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
    ) -> None:
        self._repository = repository
        self._since, self._limit, self._only = since, limit_s, only
        self._stop, self._progress = stop, progress
        self._tips = seen.tips if seen else tuple(tips) if tips is not None else branch_tips(repository)
        self._start, self._done = (seen.safe, seen.done) if seen else (0, 0)
        self._marks = Marks(repository)
        self._boundary = shallow_commits(repository)
        self._owners: Ownership[Place] = Ownership(repository, self._boundary)
        self._fixes: dict[int, list[Fix]] = {}  # by the running number of their commit
        self._complete: list[Fix] = []
        self._reverted: set[str] = set()
        self.secrets = secrets if secrets is not None else set()
        self._people = only is None  # whether people's corrections of people are looked for
        self._total = self._files = self._found = self._index = 0
        self._left = len(only) if only is not None else 0
        self._began = self._told = time.monotonic()

    def run(self) -> Iterator[Found]:
        pygit2.settings.cache_max_size(_CACHE)
        if self._only is None:
            self._survey()
        finished = True
        for number, commit in enumerate(self._commits()):
            self._index = number
            if self._index < self._start:
                self._note_revert(commit)
                continue
            fresh = self._index >= self._done
            if fresh and (self._stop() or self._late()):
                finished = False
                break
            if not fresh and self._stop():
                finished = False
                break
            if not self._owners and self._past(commit):
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

    def _commits(self) -> Iterator[pygit2.Commit]:
        if not self._tips:
            return
        # To sort by topology the whole history is read: for a few new commits their times have to do.
        order = SortMode.TOPOLOGICAL | SortMode.TIME if self._only is None else SortMode.TIME
        walker = self._repository.walk(None, order)
        for tip in self._tips:
            if tip in self._repository:
                walker.push(pygit2.Oid(hex=tip))
        try:
            yield from walker
        except (KeyError, pygit2.GitError):  # a parent is missing: the history ends here
            return

    def _survey(self) -> None:
        """Count the commits, and see how many of them agents wrote."""
        agents = 0
        for commit in self._commits():
            self._total += 1
            agents += bool(self._marks.of(commit).agent)
        self._people = agents * RARE_AGENT < self._total

    def _past(self, commit: pygit2.Commit) -> bool:
        """Whether no commit from here on is asked to have corrected anything."""
        if self._only is not None:
            return self._left == 0
        return self._since is not None and commit.commit_time < self._since

    def _late(self) -> bool:
        return self._limit is not None and time.monotonic() - self._began >= self._limit

    def _report(self, done: int, finished: bool) -> None:
        done = max(done, self._done) if not finished else done
        waiting = [number for number, fixes in self._fixes.items() if fixes]
        cursor = Cursor(self._tips, done, min([*waiting, done]), finished)
        self._told = time.monotonic()
        elapsed = self._told - self._began
        self._progress(Progress(done, self._total, self._files, self._found, elapsed, cursor))

    def _note_revert(self, commit: pygit2.Commit) -> bool:
        said = message(commit)
        reverts = _REVERTS.findall(said)
        self._reverted.update(reverts)
        return bool(reverts) or said[:7].lower() == "revert "

    def _one(self, commit: pygit2.Commit) -> Iterator[Found]:
        """Take one commit: answer the lines that wait for it, and ask for those that it removed."""
        is_revert = self._note_revert(commit)
        self._left -= self._only is not None and str(commit.id) in self._only
        found: list[Change] | None = None
        parents = commit.parent_ids
        mark = self._marks.of(commit)
        if len(parents) == 1 and commit.id.raw not in self._boundary:
            fixer = (
                not is_revert
                and not mark.bot
                and not (mark.agent and mark.lines is None)
                and str(commit.id) not in self._reverted
                and (self._only is None or str(commit.id) in self._only)
                and (self._since is None or commit.commit_time >= self._since)
            )
            if fixer or self._owners.waits_at(commit.id):
                parent = commit_at(self._repository, parents[0])
                try:
                    if parent is not None:
                        found = changes(self._repository, parent.tree, commit.tree)
                except (KeyError, pygit2.GitError):
                    found = None
            asked = self._ask(commit, mark, found) if fixer and found is not None else []
        else:
            asked = []
        for owned in self._owners.step(commit, found):
            self._answer(owned.ticket, commit, mark, owned.path, owned.line)
        for fix in asked:
            for place in fix.places:
                rows = [(line, place) for line in range(place.start, place.start + place.lines)]
                self._owners.ask(parents[0], fix.change.old_path, rows)
        if asked:
            self._fixes[self._index] = asked
        yield from self._ready()

    def _ask(self, commit: pygit2.Commit, mark: Mark, found: Sequence[Change]) -> list[Fix]:
        """The files of a commit that may correct something, with their hunks."""
        if len(found) > MANY_FILES:
            return []
        read: list[tuple[Change, list[Hunk], list[bytes], list[bytes]]] = []
        for change in found:
            if not change.new_path or language_of(change.new_path) is None:
                continue
            self._files += 1
            if change.old_id is None or change.old_id == change.new_id or is_generated(change.new_path):
                continue
            before, after = (
                text_blob(self._repository, change.old_id),
                text_blob(self._repository, change.new_id),
            )
            if before is None or after is None or made_by_a_tool(change.new_path, after.data):
                continue
            read.append((change, hunks(before, after), before.data.split(b"\n"), after.data.split(b"\n")))
        added = Counter(
            line.strip()
            for _, places, _, new in read
            for hunk in places
            for line in new[hunk.new_start - 1 : hunk.new_start - 1 + hunk.new_lines]
        )
        asked = []
        for change, places, old, new in read:
            fix = Fix(commit, self._index, change)
            for hunk in places:
                place = place_of(fix, hunk, mark, old, new, added)
                if place is not None:
                    fix.places.append(place)
                    fix.open += place.lines
            if fix.places:
                asked.append(fix)
        whole = sum(len(fix.places) for fix in asked)
        for fix in asked:
            fix.of = whole
        return asked

    def _answer(self, place: Place, commit: pygit2.Commit, mark: Mark, path: str, line: int) -> None:
        fix = place.fix
        fix.open -= 1
        if not fix.open:
            self._complete.append(fix)
        late = fix.commit.commit_time - commit.commit_time > DAYS * _DAY or self._index - fix.index > COMMITS
        if late or mark.bot:
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
        if not self._people:
            by_people = []
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
        owners: Counter[tuple[str, str]] = Counter()
        for place in places:
            owners.update(place.agents if hand == "person" else place.people)
        agent, written = owners.most_common(1)[0][0]
        subject = message(fix.commit).strip().partition("\n")[0][:200]
        fixed = _FIX.search(subject) is not None
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
            subject=subject,
            secrets=self.secrets,
        ):
            if correction.before.startswith(_PROSE) and correction.after.startswith(_PROSE):
                continue
            self._found += 1
            yield Found(
                m=identity(correction.commit, correction.path, correction.before, correction.after),
                correction=replace(correction, committed=fix.commit.commit_time * 1000),
                key=key_of(correction),
                time=fix.commit.commit_time * 1000,
                fix=fixed,
                fix_of_fix=fixed and self._was_fix(written),
                places=fix.of,
            )

    def _was_fix(self, commit: str) -> bool:
        found = commit_at(self._repository, commit)
        return found is not None and _FIX.search(message(found).partition("\n")[0]) is not None
