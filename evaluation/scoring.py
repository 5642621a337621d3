"""Which answers held what was corrected later; beside BM25's, other tasks' answers, and some to be read."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from .asking import Task, Told, another, hits, near
from .gathered import Case
from .likeness import Likeness
from .replayed import Example, Replayed
from .scratch import Scratch

EXAMPLES = 40


class Scorer:
    """Scores the answers of one step after another; `month` names the month of a place of the order."""

    def __init__(
        self, out: Replayed, scratch: Scratch, chance: random.Random, month: Callable[[int], str]
    ) -> None:
        self._out, self._scratch, self._chance, self._month = out, scratch, chance, month
        self._shown = 0

    def score(self, told: Sequence[tuple[Told, list[Case]]]) -> None:
        """Count the answers of a step."""
        scratch = self._scratch
        answers = [each for each, _ in told]
        for answer, cases in told:
            other = another(answers, answer.task, self._chance)
            for case in cases:
                hit = hits(scratch, answer.memories, case)
                beside = near(scratch, answer.memories, case)
                kept = scratch.kept.twin(Likeness.of(case.correction, case.edit), 1)
                for group in self._out.groups_of(case):
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
                    self._out.caught_by_month[self._month(case.known)] += 1
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
