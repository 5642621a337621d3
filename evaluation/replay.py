"""The replay: a history once more from its beginning, with nothing known at any time but what was known then."""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

import pygit2

from ..learning.history import Progress, branch_tips, walk
from ..learning.marks import Marks
from ..recall.cascade import Classifier, TokenCounter
from ..store.protocols import Encoder
from .asking import Asker, Task, Told, another, hits, near
from .figures import Share
from .gathered import Case, Gathered
from .guarding import Guard, Guarded, exact_words, swapped_pairs
from .likeness import Likeness, Twins
from .order import Order, order
from .scratch import Scratch
from .written import Follower, accepted, written

#: How often what is known is brought up to date, and how often rules are made of it. Between, less is known than
#: might be: never more.
STEPS, CHECKPOINTS = 200, 20
#: Commits beyond these are drawn from by chance.
MOST_COMMITS = 4_000
#: So many tasks with no correction are asked, drawn by chance, and so many with one.
MOST_PLAIN, MOST_CORRECTED = 1_000, 3_000
EXAMPLES = 40

Tell = Callable[[Mapping[str, object]], None]


@dataclass
class Group:
    """One kind of correction: how many had an earlier like one, and how many recall brought back."""

    at_writing: Share = field(default_factory=Share)
    at_correcting: Share = field(default_factory=Share)
    kept: Share = field(default_factory=Share)  # of those asked about: a like one was in memory
    recalled: Share = field(default_factory=Share)
    bm25: Share = field(default_factory=Share)
    shuffled: Share = field(default_factory=Share)
    # The same of related ones: that brought the same interface.
    related_at_writing: Share = field(default_factory=Share)
    related: Share = field(default_factory=Share)
    related_bm25: Share = field(default_factory=Share)
    related_shuffled: Share = field(default_factory=Share)


@dataclass(frozen=True)
class Example:
    """A hit to be read by a person: `via` is what brought it."""

    via: str
    commit: str
    path: str
    subject: str
    before: str
    after: str
    corrected_in: str
    known: str


@dataclass
class Replayed:
    """What a replay saw."""

    order: Order
    seed: int
    first: int = 0  # the place of the first commit that was looked at
    finished: bool = False
    read: int = 0
    total: int = 0
    outside: int = 0
    corrections: int = 0
    learnable: int = 0
    by_hand: Counter[str] = field(default_factory=Counter)
    by_category: Counter[str] = field(default_factory=Counter)
    by_month: Counter[str] = field(default_factory=Counter)
    caught_by_month: Counter[str] = field(default_factory=Counter)
    groups: dict[str, Group] = field(default_factory=dict)
    writers: int = 0
    replayed: int = 0
    asked: int = 0
    tokens: list[int] = field(default_factory=list)  # of tasks drawn by chance, corrected or not
    tokens_corrected: list[int] = field(default_factory=list)
    tasks: int = 0
    guard: Guarded = field(default_factory=Guarded)
    remembered: int = 0
    rules: int = 0
    active: int = 0
    checkpoints: int = 0
    judged: int = 0  # learnable corrections of commits that the guard looked at
    examples: list[Example] = field(default_factory=list)
    shown: list[Example] = field(default_factory=list)  # answers that brought no twin
    elapsed_s: float = 0.0

    def group(self, name: str) -> Group:
        """The group of this name, begun when it is not there."""
        return self.groups.setdefault(name, Group())


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
        for group in groups_of(out, case):
            group.at_writing.add(when_written)
            group.at_correcting.add(when_corrected)
            group.related_at_writing.add(beside)
        if case.learnable:
            twins.add(case.known, mine)


def groups_of(out: Replayed, case: Case) -> list[Group]:
    """The groups that a case counts in: all that can be learnt from, its hand, its category."""
    names = [f"hand: {case.correction.hand}", f"category: {case.correction.category or 'not said'}"]
    return [out.group(name) for name in (["learnable"] if case.learnable else []) + names]


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
        self._encoder = loaded[0]
        self._asker = Asker(repository, happened, self._scratch, loaded)
        self._marks = Marks(repository)
        self._chance = random.Random(out.seed)
        self._guard = Guard(Follower(repository, self._marks, happened), out.seed)
        out.guard = self._guard.out
        self._known = out.first  # what came before this place is learnt
        self._shown = 0
        self._exact: dict[str, str] = {}
        self._shuffled: Scratch | None = None

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
                self._score(for_step)
            out.finished = True
        finally:
            self._scratch.close()

    def _note(self) -> str:
        out = self._out
        right = sum(flag.right for flag in out.guard.flags if flag.active)
        said = sum(flag.active for flag in out.guard.flags)
        return f"{out.group('learnable').recalled.k} recalled, {right} of {said} warnings right"

    def _learn(self, before: int, checkpoint: bool) -> None:
        """Know what was corrected in commits before a place, and nothing of it or later."""
        fresh = list(self._gathered.between(self._known, before))
        self._known = max(self._known, before)
        now = self._order.times[before] * 1000
        if fresh:
            self._scratch.learn(fresh, now)
            self._exact.update(exact_words(fresh))
        if checkpoint and self._known > self._out.first:
            self._scratch.revise(accepted(self._repository, self._order, before))
            self._shuffle(before, now)
            self._out.checkpoints += 1
            self._out.rules, self._out.active = len(self._scratch.rules), len(self._scratch.active)
        if fresh or checkpoint:
            self._scratch.refresh()
        self._out.remembered = len(self._scratch.items)

    def _shuffle(self, before: int, now: int) -> None:
        """The control: rules made the same way, of pairs that do not belong together."""
        if self._shuffled is not None:
            self._shuffled.close()
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            self._shuffled = Scratch(Path(folder), self._encoder)
            kept = {item.id for item in self._scratch.items}
            cases = [case for case in self._gathered.between(self._out.first, before) if case.m in kept]
            self._shuffled.learn(swapped_pairs(cases, self._chance), now)
            self._shuffled.revise(accepted(self._repository, self._order, before))
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

    def _score(self, told: Sequence[tuple[Told, list[Case]]]) -> None:
        """Which answers held what was corrected later; beside BM25's, and other tasks' answers."""
        scratch = self._scratch
        answers = [each for each, _ in told]
        for answer, cases in told:
            other = another(answers, answer.task, self._chance)
            for case in cases:
                hit = hits(scratch, answer.memories, case)
                beside = near(scratch, answer.memories, case)
                kept = scratch.kept.twin(Likeness.of(case.correction, case.edit), 1)
                for group in groups_of(self._out, case):
                    group.kept.add(kept)
                    group.recalled.add(bool(hit))
                    group.bm25.add(bool(hits(scratch, answer.bm25, case)))
                    group.shuffled.add(other is not None and bool(hits(scratch, other.memories, case)))
                    group.related.add(bool(beside))
                    group.related_bm25.add(bool(near(scratch, answer.bm25, case)))
                    group.related_shuffled.add(
                        other is not None and bool(near(scratch, other.memories, case))
                    )
                if hit and case.learnable:
                    self._out.caught_by_month[_month(self._order.times[case.known])] += 1
                if (hit or beside) and case.learnable:
                    self._example(case, answer.task, [hit or beside], "recalled" if hit else "related")
                elif answer.memories and case.learnable:
                    self._example(case, answer.task, answer.memories, "shown")

    def _example(self, case: Case, task: Task, memories: Sequence[str], via: str) -> None:
        """Keep one to be read: what was shown that the figures count, and as many that they count as no help,
        drawn by chance, since only a person sees that two lessons mean the same in other words.
        """
        kept = self._out.examples if via != "shown" else self._out.shown
        if via == "shown":
            self._shown += 1
            if len(kept) == EXAMPLES:
                if self._chance.random() > EXAMPLES / self._shown:
                    return
                kept.pop(self._chance.randrange(EXAMPLES))
        titles = {item.id: item.title for item in self._scratch.items if item.id in memories}
        if len(kept) < EXAMPLES:
            said = case.correction
            kept.append(
                Example(
                    via,
                    said.written,
                    said.path,
                    task.subject,
                    said.before,
                    said.after,
                    said.commit,
                    "; ".join(titles[m] for m in memories if m in titles),
                )
            )


def _pieces(values: Sequence[int], count: int) -> list[Sequence[int]]:
    size = max(1, -(-len(values) // count))
    return [values[start : start + size] for start in range(0, len(values), size)]
