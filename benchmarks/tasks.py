"""Task → the right memory: where a commit repeats an earlier correction, is that one among the first five?

    python benchmarks/tasks.py REPOSITORY… [--newest N] [--cache FOLDER] [--most N] [--features FILE]

In time order: a task is asked of the corrections of earlier commits alone. It is told by its subject without the words
of the edit, and its path; a second time with the file's text as it was. Beside recall, over the very same store: grep
(how many of the words a memory holds, the newest first), BM25 and vectors alone, each with the path's words and
without; the better of the two is what recall is held against. In the second form they get the text behind the words,
and one more is asked: memories whose old code stands in the file as it was, the newest first. Intervals are bootstraps
over commits.

Recall is looked at twice: the order that it brings its candidates in, whatever their strength, and what it shows.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from measuring import Figure, main, say
from task_sets import History, Task, history

from cortex.evaluation.figures import bootstrap
from cortex.models import load_classifier, load_counter, load_encoder
from cortex.recall.candidates import candidates
from cortex.recall.cascade import Question, recall
from cortex.recall.question import understand
from cortex.recall.ranking import Weights, features, rank
from cortex.store.index import MemoryIndex
from cortex.store.items import Item
from cortex.store.words import query_terms

FIRST = 5
DEEP = 100
FORMS = ("words", "words and code")
BASELINES = ("grep", "BM25", "vectors")
OURS = ("recall", "recall, shown")
SYSTEMS = (*(f"{name}{path}" for name in BASELINES for path in ("", " + path")), "old code", *OURS)


@dataclass
class Asked:
    """One task with what each system put where: the place of the first right memory (0 for none), from 1."""

    history: str
    task: Task
    form: str
    size: int
    places: dict[str, int] = field(default_factory=dict)
    shown: int = 0
    #: Candidates: what was measured of each, and whether it is right; in no order. For training.
    measured: list[dict[str, float]] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)


class Store:
    """The memories of a history as they were known at a time, with the models that ship."""

    def __init__(self, told: History, folder: Path) -> None:
        self.encoder = load_encoder("builtin")
        self.classifier = load_classifier("builtin")
        self.counter = load_counter("builtin")
        self.index = MemoryIndex(folder, self.encoder)
        self._memories = told.memories()
        self._plain: dict[str, str] = {}
        self.items: list[Item] = []

    def before(self, at: int) -> None:
        """Know what became known before a place, and nothing later."""
        items = [item for known, item in self._memories if known < at]
        if len(items) != len(self.items):
            self.items = items
            self.index.refresh(items)
            for item in items:
                self._plain.setdefault(item.id, item.words.lower())

    def grep(self, text: str, among: frozenset[str] | None) -> list[str]:
        """Memories by how many of the question's words they hold as they stand, the newest of equals first."""
        words = {word for word in re.findall(r"[a-z_]\w+", text.lower()) if query_terms(word)}
        found = [
            (-sum(word in self._plain[item.id] for word in words), -item.created, item.id)
            for item in self.items
            if among is None or item.id in among
        ]
        return [m for count, _, m in sorted(found)[:DEEP] if count]

    def standing(self, code: str, among: frozenset[str] | None) -> list[str]:
        """Memories whose old code stands in a text as it was but for layout, the newest first."""
        text = " ".join(code.split())
        found = [
            (-item.created, item.id)
            for item in self.items
            if (among is None or item.id in among)
            and (before := " ".join(item.evidence[0].before.split()))
            and before in text
        ]
        return [m for _, m in sorted(found)[:DEEP]]


def asked(store: Store, name: str, task: Task, form: str, weights: Weights | None = None) -> Asked:
    """Put one task to all systems."""
    text = task.said if form == FORMS[0] else f"{task.said}\n{task.code}"
    question = Question(task.said, path=task.path, code=task.code if form != FORMS[0] else "")
    known = understand(question)
    index = store.index
    among = index.select(known.languages, known.folder)
    out = Asked(name, task, form, len(store.items))

    def put(system: str, found: Sequence[str]) -> None:
        out.places[system] = next((n for n, m in enumerate(found, 1) if m in task.right), 0)

    for path in ("", " + path"):
        said = f"{task.said} {task.path}{text[len(task.said) :]}" if path else text
        row = store.encoder.encode([said[:8_000]], kind="query")[0]
        put("grep" + path, store.grep(said[:8_000], among))
        put("BM25" + path, [m for m, _ in index.words(said, DEEP, among)])
        put("vectors" + path, [m for m, _ in index.vectors(row, DEEP, among)])
    put("old code", store.standing(task.code if form != FORMS[0] else "", among))
    row = store.encoder.encode([known.text], kind="query")[0]
    found = candidates(known, row, index.lookup(store.items), index)
    ranked = sorted(
        rank(known, found, task.time, None, weights, whole=True), key=lambda each: (-each.score, each.item.id)
    )
    put("recall", [each.item.id for each in ranked])
    answer = recall(
        question,
        store.items,
        index,
        store.encoder,
        store.classifier,
        store.counter,
        task.time,
        weights=weights,
    )
    put("recall, shown", [each.item.id for each in answer.memories])
    out.shown = len(answer.memories)
    out.measured = features(known, found, task.time)
    out.right = [item.id in task.right for item in found.items]
    return out


def replayed(told: History, most: int, seed: int) -> Iterator[Asked]:
    """All tasks that repeat a correction, at most so many drawn by chance, in both forms."""
    tasks = [task for task in told.tasks if task.right]
    if len(tasks) > most:
        tasks = random.Random(seed).sample(tasks, most)
    with tempfile.TemporaryDirectory(prefix="cortex-tasks-") as folder:
        store = Store(told, Path(folder))
        for task in sorted(tasks, key=lambda each: (each.at, each.path)):
            store.before(task.at)
            for form in FORMS:
                yield asked(store, told.name, task, form)
        store.index.close()


def share(found: Sequence[Asked], value: dict[int, float], seed: int) -> tuple[float, float, float]:
    """The mean of a value of each task, with its interval: whole commits are drawn again."""
    groups: defaultdict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for at, each in enumerate(found):
        groups[each.history, each.task.commit].append((value[at], 1.0))
    mean = sum(value.values()) / max(1, len(value))
    low, high = bootstrap(list(groups.values()), lambda a, b: a / b if b else 0.0, seed)
    return mean, low, high


def worth(place: int, measure: str) -> float:
    """What a place is worth: 1 within the first one or five; or the reciprocal rank, within ten."""
    if measure == "MRR@10":
        return 1 / place if 0 < place <= 10 else 0.0
    return float(0 < place <= (1 if measure == "top 1" else FIRST))


MEASURES = ("top 1", "top 5", "MRR@10")


def rows(found: Sequence[Asked], form: str, seed: int) -> Iterator[str]:
    """One line of a Markdown table for each system; the last says how far recall is ahead of the best baseline."""
    mine = [each for each in found if each.form == form]
    for system in SYSTEMS:
        if system == "old code" and form == FORMS[0]:
            continue
        cells = []
        for measure in MEASURES:
            value = {at: worth(each.places[system], measure) for at, each in enumerate(mine)}
            mean, low, high = share(mine, value, seed)
            cells.append(f"{mean:.2f} ({low:.2f} to {high:.2f})")
        yield f"| {form} | {system} | {' | '.join(cells)} |"
    cells = []
    for measure in MEASURES:
        best = best_baseline(mine, measure)
        value = {
            at: worth(each.places["recall"], measure) - worth(each.places[best], measure)
            for at, each in enumerate(mine)
        }
        mean, low, high = share(mine, value, seed)
        cells.append(f"{mean:+.2f} ({low:+.2f} to {high:+.2f}), {best}")
    yield f"| {form} | recall over the best of the others | {' | '.join(cells)} |"


def best_baseline(found: Sequence[Asked], measure: str) -> str:
    """The best of the systems that recall is compared with."""
    return max(
        SYSTEMS[: -len(OURS)], key=lambda system: sum(worth(each.places[system], measure) for each in found)
    )


def plain(each: Asked) -> dict[str, object]:
    """The numbers of one task, as `training/ranker.py` reads them: no text of the history."""
    return {
        "history": each.history, "commit": each.task.commit, "form": each.form,
        "measured": each.measured, "right": each.right,
    }  # fmt: skip


def table(found: Sequence[Asked], seed: int) -> str:
    """Both forms as Markdown."""
    head = ["question", "system", *MEASURES]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join([*lines, *(row for form in FORMS for row in rows(found, form, seed))])


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """All histories together, and each by itself in a word."""
    cache = Path(given.cache) if given.cache else None
    found: list[Asked] = []
    for folder in map(Path, given.repositories):
        told = history(folder, given.newest, cache)
        mine = list(replayed(told, 20 if given.quick else given.most, given.seed))
        found += mine
        for form in FORMS:
            here = [each for each in mine if each.form == form]
            tops = {s: sum(worth(each.places[s], "top 5") for each in here) for s in SYSTEMS}
            say(f"{told.name}, {form}: {len(here)} tasks; in the first five: {tops}")
    if not found:
        return []
    say("\n" + table(found, given.seed))
    if given.features:
        Path(given.features).write_text(json.dumps([plain(each) for each in found]), encoding="utf-8")
    figures = []
    for form in FORMS:
        here = [each for each in found if each.form == form]
        best = best_baseline(here, "top 5")
        got, other = (
            sum(worth(each.places[system], "top 5") for each in here) / len(here)
            for system in ("recall", best)
        )
        figures.append(
            Figure(
                f"the right memory in the first five, by {form}",
                got,
                "",
                other,
                least=True,
                note=f"budget: {best}",
            )
        )
    return figures


if __name__ == "__main__":
    main(
        measure,
        ("repositories", {"nargs": "*", "help": "clones, or bare copies"}),
        (
            "--newest",
            {"type": int, "default": 0, "help": "so many commits of each history alone, the newest"},
        ),
        (
            "--most",
            {"type": int, "default": 150, "help": "so many tasks of each history at most, drawn by chance"},
        ),
        ("--seed", {"type": int, "default": 0, "help": "of what is drawn by chance"}),
        ("--features", {"default": "", "help": "write what was measured of the candidates here, as JSON"}),
        ("--cache", {"default": "", "help": "keep the tasks of the histories here, and take them from here"}),
    )
