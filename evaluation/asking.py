"""What recall would have brought back when code was written: asked with the task's words, never the correction's."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pygit2

from ..learning.lineage.ownership import commit_at
from ..learning.rules.revising import rewritten
from ..recall.cascade import Classifier, TokenCounter, recall
from ..recall.question import Question, understand
from ..store.protocols import Encoder
from .gathered import Case
from .likeness import Likeness
from .order import Order
from .scratch import Scratch
from .written import Written

SHOWN = 5


@dataclass(frozen=True)
class Task:
    """A question that would have been asked: a commit's subject, and one file that it wrote."""

    at: int
    subject: str
    path: str

    @classmethod
    def of(cls, written: Written) -> Task:
        """The task of one file of a commit."""
        return cls(written.at, written.subject, written.path)


@dataclass(frozen=True)
class Told:
    """What one question brought: memory ids by Cortex and by BM25 alone, and the tokens of Cortex's answer."""

    task: Task
    memories: tuple[str, ...]
    bm25: tuple[str, ...]
    tokens: int


class Asker:
    """Asks the real cascade over what a `Scratch` knows."""

    def __init__(
        self,
        repository: pygit2.Repository,
        order: Order,
        scratch: Scratch,
        models: tuple[Encoder, Classifier, TokenCounter],
    ) -> None:
        self._repository, self._order, self._scratch = repository, order, scratch
        self._encoder, self._classifier, self._counter = models

    def ask(self, task: Task) -> Told:
        """Put the question as of the time of its commit; no file is there that came with or after it."""
        scratch = self._scratch
        question = Question(task.subject, k=SHOWN, path=task.path)
        answer = recall(
            question,
            scratch.items,
            scratch.index,
            self._encoder,
            self._classifier,
            self._counter,
            self._order.times[task.at] * 1000,
            self._exists(task.at),
        )
        asked = understand(question)
        among = scratch.index.select(asked.languages, asked.folder)
        plain = understand(Question(task.subject))  # without the words of the path: BM25 by the task's own
        words = scratch.index.words(" ".join(plain.terms), SHOWN, among)
        return Told(
            task,
            tuple(each.item.id for each in answer.memories),
            tuple(m for m, _ in words),
            answer.tokens,
        )

    def _exists(self, at: int) -> Callable[[str], bool]:
        commit = commit_at(self._repository, pygit2.Oid(raw=self._order.commits[at]))
        parent = commit_at(self._repository, commit.parent_ids[0]) if commit and commit.parent_ids else None

        def exists(path: str) -> bool:
            try:
                return parent is not None and path in parent.tree
            except (KeyError, ValueError, pygit2.GitError):
                return False

        return exists


def hits(scratch: Scratch, memories: Sequence[str], case: Case) -> str:
    """The memory, of those shown, that would have said what was corrected later; empty for none.

    It is a twin of the correction, or a rule that rewrites the one side into the other.
    """
    mine = Likeness.of(case.correction, case.edit)
    for m in memories:
        known = scratch.known.get(m)
        if known is not None and mine.twin(known):
            return m
        pattern = scratch.patterns.get(m)
        if pattern is not None and rewritten(pattern, {case.m: case.correction}):
            return m
    return ""


def near(scratch: Scratch, memories: Sequence[str], case: Case) -> str:
    """The correction, of those shown, that brought the same interface as this one did; empty for none."""
    mine = Likeness.of(case.correction, case.edit)
    return next((m for m in memories if m in scratch.known and mine.related(scratch.known[m])), "")


def another(told: Sequence[Told], task: Task, chance: random.Random) -> Told | None:
    """The answer to some other task asked at the same time, of a file of the same ending: the control."""
    ending = task.path.rpartition(".")[2]
    others = [each for each in told if each.task.at != task.at]
    alike = [each for each in others if each.task.path.rpartition(".")[2] == ending] or others
    return chance.choice(alike) if alike else None
