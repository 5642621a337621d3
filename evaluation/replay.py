"""The replay: a history once more from its beginning, with nothing known at any time but what was known then."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

import pygit2

from ..learning.lineage.marks import Marks
from ..learning.past.history import Progress, branch_tips, walk
from ..learning.rules.lifecycle import ACTIVE, SHADOW
from ..recall.cascade import Classifier, TokenCounter
from ..store.protocols import Encoder
from .asking import Asker, Task, Told
from .course import Course
from .gathered import Case, Gathered
from .guarding import Guard, exact_words, swapped_pairs
from .likeness import Likeness, Often, Twins
from .order import Order, order
from .replayed import Replayed
from .scoring import Scorer
from .scratch import Learner, Scratch
from .sweeping import sweeps
from .written import Follower, written

#: How often what is known is brought up to date, and how often rules are made of it. Between, less is known than
#: might be: never more.
STEPS, CHECKPOINTS = 200, 20
#: Commits beyond these are drawn from by chance.
MOST_COMMITS = 4_000
#: So many tasks with no correction are asked, drawn by chance, and so many with one.
MOST_PLAIN, MOST_CORRECTED = 1_000, 3_000

Tell = Callable[[Mapping[str, object]], None]


def replay(
    repository: pygit2.Repository,
    models: Callable[[], tuple[Encoder, Classifier, TokenCounter]],
    *,
    since: int | None = None,
    limit: int = 0,
    seed: int = 0,
    stop: Callable[[], bool] = lambda: False,
    tell: Tell = lambda _: None,
) -> Replayed:
    """Replay the history of the local branches; nothing is written into the repository.

    `since` is in seconds since the epoch, `limit` counts the newest commits (0 for all), `stop` ends early with
    what was seen so far. What was corrected earlier than `since` is neither asked about nor known.
    """
    began = time.monotonic()
    tips = branch_tips(repository)
    happened = order(repository, tips, lambda done: tell({"done": done, "note": "commits counted"}))
    out = Replayed(happened, seed, total=len(happened.commits))
    if limit:
        out.first = max(0, len(happened.commits) - limit)
    if since is not None:
        later = next((at for at, clock in enumerate(happened.times) if clock >= since), len(happened.commits))
        out.first = max(out.first, later)
    with tempfile.TemporaryDirectory(prefix="cortex-evaluate-") as folder:
        gathered = Gathered(Path(folder) / "found.db")
        try:
            if out.first < len(happened.commits):
                _gather(repository, happened, gathered, out, tips, stop, tell)
                _ceilings(gathered, out)
                if not stop():
                    _Replay(repository, happened, gathered, out, Path(folder), models).run(stop, tell)
        finally:
            gathered.close()
    out.elapsed_s = time.monotonic() - began
    return out


def _gather(
    repository: pygit2.Repository,
    happened: Order,
    gathered: Gathered,
    out: Replayed,
    tips: Sequence[str],
    stop: Callable[[], bool],
    tell: Tell,
) -> None:
    """Find all corrections, newest first, and keep them for the replay."""

    def told(progress: Progress) -> None:
        out.read = progress.commits
        said = f"{len(gathered):,} corrections found" if len(gathered) else "reading the history"
        tell({"done": progress.commits, "total": progress.total, "note": said})

    # Commits before the first are read as well, for who wrote what; they are not asked about.
    oldest = happened.times[out.first] if out.first else None
    for found in walk(repository, since=oldest, stop=stop, progress=told, tips=tips):
        at = happened.place(found.correction.commit)
        if at is None or at >= out.first:
            gathered.add(found, happened)
    out.outside = gathered.outside


def _ceilings(gathered: Gathered, out: Replayed) -> None:
    """Count the corrections, and how many had an earlier like one: no memory of whole edits can do better."""
    twins = Twins()
    often = Often()
    for case in gathered.all():
        said = case.correction
        out.corrections += 1
        out.learnable += case.learnable
        out.by_hand[said.hand] += 1
        out.by_category[said.category or "not said"] += 1
        out.by_month[_month(out.order.times[case.known])] += 1
        mine = Likeness.of(said, case.edit)
        beside = twins.related(mine, case.written)
        when_written, when_corrected = twins.twin(mine, case.written), twins.twin(mine, case.known)
        for group in out.groups_of(case):
            group.at_writing.add(when_written)
            group.at_correcting.add(when_corrected)
            group.related_at_writing.add(beside)
        if case.learnable:
            out.rules.reach.add(often.enough(mine, case.written))
            often.add(mine, case.known, case.correction.commit)
            twins.add(case.known, mine)
    out.rules.alike = often.kinds


def _month(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m")
    except (ValueError, OverflowError, OSError):
        return "at no date"


class _Replay:
    def __init__(
        self,
        repository: pygit2.Repository,
        happened: Order,
        gathered: Gathered,
        out: Replayed,
        folder: Path,
        models: Callable[[], tuple[Encoder, Classifier, TokenCounter]],
    ) -> None:
        self._repository, self._order, self._gathered, self._out = repository, happened, gathered, out
        loaded = models()
        self._folder = folder
        self._scratch = Scratch(folder, loaded[0])
        self._asker = Asker(repository, happened, self._scratch, loaded)
        self._marks = Marks(repository)
        self._chance = random.Random(out.seed)
        self._follower = Follower(repository, self._marks, happened)
        self._guard = Guard(self._follower, out.seed)
        out.guard = self._guard.out
        self._course = Course(repository, happened, gathered.between, self._scratch, out.first)
        self._scorer = Scorer(out, self._scratch, self._chance, lambda at: _month(happened.times[at]))
        self._exact: dict[str, str] = {}
        self._shuffled: Learner | None = None

    def run(self, stop: Callable[[], bool], tell: Tell) -> None:
        """Go through the commits that wrote code, oldest first."""
        out = self._out
        writers = [at for at in self._order.writers if at >= out.first]
        out.writers = len(writers)
        if len(writers) > MOST_COMMITS:
            writers = sorted(self._chance.sample(writers, MOST_COMMITS))
        steps = _pieces(writers, STEPS)
        every = max(1, -(-len(steps) // CHECKPOINTS))
        try:
            for number, step in enumerate(steps):
                if stop():
                    return
                self._learn(step[0], number % every == every - 1)
                for_step: list[tuple[Told, list[Case]]] = []
                for at in step:
                    if stop():
                        return
                    self._commit(at, for_step, len(writers))
                    out.replayed += 1
                    tell({"done": out.replayed, "total": len(writers), "note": self._note()})
                self._scorer.score(for_step)
                self._rules()
            self._sweep(stop, tell)
            out.finished = not stop()
        finally:
            self._scratch.close()

    def _rules(self) -> None:
        """How far the rules came until now."""
        rules, scratch = self._out.rules, self._scratch
        rules.revised, rules.left = self._course.revised, self._course.left
        rules.patterns, rules.written = len(scratch.made), len(scratch.states)
        rules.active = sum(ACTIVE in states for states in scratch.states.values())
        rules.silent = sum(SHADOW in states and ACTIVE not in states for states in scratch.states.values())
        rules.now = len(scratch.active)
        rules.spoke = len({flag.rule for flag in self._out.guard.flags})

    def _sweep(self, stop: Callable[[], bool], tell: Tell) -> None:
        tell({"done": self._out.replayed, "total": self._out.writers, "note": "sweeps"})
        self._out.sweeps = sweeps(
            self._repository, self._order, list(self._gathered.all()), self._follower, self._out.seed, stop
        )

    def _note(self) -> str:
        out = self._out
        right = sum(flag.right for flag in out.guard.flags if flag.active)
        said = sum(flag.active for flag in out.guard.flags)
        return f"{out.group('learnable').recalled.k} recalled, {right} of {said} warnings right"

    def _learn(self, before: int, checkpoint: bool) -> None:
        """Know what was corrected in commits before a place, and nothing of it or later."""
        fresh = self._course.up_to(before, checkpoint, self._guard.decided(before, self._order))
        self._exact.update(exact_words(fresh))
        if checkpoint and before > self._out.first:
            self._shuffle(before, self._order.times[before] * 1000)
        self._scratch.refresh()
        self._out.remembered = len(self._scratch.items)

    def _shuffle(self, before: int, now: int) -> None:
        """The control: rules made the same way, of pairs that do not belong together."""
        if self._shuffled is not None:
            self._shuffled.close()
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            self._shuffled = Learner(Path(folder))
            kept = {item.id for item in self._scratch.items}
            cases = [case for case in self._gathered.between(self._out.first, before) if case.m in kept]
            self._shuffled.learn(swapped_pairs(cases, self._chance), now)
            Course(self._repository, self._order, lambda *_: [], self._shuffled).revise(before)
            self._shuffled.close()
        self._out.guard.shuffled_rules = max(self._out.guard.shuffled_rules, len(self._shuffled.rules))

    def _commit(self, at: int, told: list[tuple[Told, list[Case]]], commits: int) -> None:
        """One commit that wrote code: what would have been recalled for it, what the guard would have said."""
        out = self._out
        cases = self._gathered.of(at)
        files = written(self._repository, self._marks, self._order, at)
        paths = {file.path for file in files}
        shuffled = self._shuffled.rules if self._shuffled is not None else []
        scratch = self._scratch
        for file in files:
            self._guard.look(file, cases, scratch.rules, scratch.active, shuffled, self._exact)
            out.tasks += 1
            mine = [case for case in cases if case.correction.path == file.path]
            drawn = self._chance.random() < MOST_PLAIN / max(MOST_PLAIN, 2 * commits)
            if drawn or (mine and out.asked < MOST_CORRECTED):
                answer = self._asker.ask(Task.of(file))
                out.asked += 1
                if drawn:
                    out.tokens.append(answer.tokens)
                if mine:
                    out.tokens_corrected.append(answer.tokens)
                told.append((answer, mine))
        # A file that was renamed before it was corrected is asked about by the name it had in the correction.
        for path in sorted({case.correction.path for case in cases} - paths):
            if out.asked < MOST_CORRECTED:
                subject = files[0].subject if files else self._subject(at)
                answer = self._asker.ask(Task(at, subject, path))
                out.asked += 1
                told.append((answer, [case for case in cases if case.correction.path == path]))
        out.judged += sum(case.learnable for case in cases)

    def _subject(self, at: int) -> str:
        commit = self._repository.get(pygit2.Oid(raw=self._order.commits[at]))
        said = commit.raw_message if isinstance(commit, pygit2.Commit) else b""
        return said.decode("utf-8", "replace").strip().partition("\n")[0][:200]


def _pieces(values: Sequence[int], count: int) -> list[Sequence[int]]:
    size = max(1, -(-len(values) // count))
    return [values[start : start + size] for start in range(0, len(values), size)]
