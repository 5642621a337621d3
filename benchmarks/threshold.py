"""One threshold, three figures at once: how much of what is shown is right, what stays empty, what is covered.

    python benchmarks/threshold.py [--lessons FILE] [--histories CLONE…] [--cache FOLDER] [--plot FILE.svg]

Lessons with questions that one of them helps with, and questions that none does (`tests/recall_lessons`), in random
stores of ten and in one store of all. The whole threshold is moved up and down, and everything else stays. Beside
recall, on the same stores: at most five by BM25 alone and by vectors alone, from a score on. With `--histories` the
tasks of `tasks.py` too, without the text of their file and with it: those that repeat a correction, and as tasks that
nothing is known of those of the other histories in the same language, at most as many.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from measuring import ROOT, Figure, main, say
from task_sets import OWN, History, history
from tasks import Store

from cortex.evaluation.figures import Share
from cortex.evaluation.plots import chart
from cortex.models import load_counter, load_encoder
from cortex.recall.candidates import candidates
from cortex.recall.cascade import LOOKED_AT
from cortex.recall.packing import pack
from cortex.recall.question import Question, understand
from cortex.recall.ranking import Weights, rank
from cortex.store.codec import encode
from cortex.store.fold import View
from cortex.store.index import MemoryIndex
from cortex.store.items import Item, items
from cortex.store.kinds import Body, Correction, Memory
from cortex.store.record import Draft, make

NOW = 1_760_000_000_000
STORES, TEN, UNRELATED = 8, 10, 25
FIRST = 5
PRECISE, EMPTY, COVERED = 0.85, 0.95, 0.6
EASY_TOKENS = 50
#: How far the threshold is moved; 0 is what ships.
SHIFTS = tuple(round(-0.3 + 0.05 * n, 2) for n in range(15))
COSINES = tuple(round(0.05 * n, 2) for n in range(16))
BM25S = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 15.0)
LESSONS = ROOT / "tests" / "recall_lessons" / "development.json"
LEGEND = (250, 266)  # where no curve passes
HISTORIES = ("histories", "histories, with the file")
LEAST_SHOWN = 5  # memories of a point of a curve


@dataclass
class Point:
    """What one threshold gives, over questions with something relevant in store and without."""

    found: Share = field(default_factory=Share)
    right: Share = field(default_factory=Share)  # of what is shown for the first kind
    empty: Share = field(default_factory=Share)
    tokens: list[int] = field(default_factory=list)  # of answers to the second kind
    shown_wrongly: int = 0

    def add(self, shown: Sequence[str], wanted: frozenset[str], tokens: int = 0) -> None:
        """Count one answer."""
        if not wanted:
            self.empty.add(not shown)
            self.shown_wrongly += len(shown)
            self.tokens.append(tokens)
            return
        self.found.add(not wanted.isdisjoint(shown))
        for m in shown:
            self.right.add(m in wanted)


Curves = defaultdict[str, dict[float, Point]]


class Judge:
    """Puts questions to a store at all thresholds, by recall, BM25 and vectors."""

    def __init__(self) -> None:
        self.encoder, self.counter = load_encoder("builtin"), load_counter("builtin")
        self.curves: Curves = defaultdict(dict)

    def ask(
        self,
        name: str,
        question: Question,
        wanted: frozenset[str],
        store: Sequence[Item],
        index: MemoryIndex,
        now: int,
    ) -> None:
        """One question, whose right answers are `wanted`: none for one that nothing helps with."""
        known = understand(question)
        row = self.encoder.encode([known.text], kind="query")[0]
        found = candidates(known, row, index.lookup(store), index)
        plain = Weights()
        for shift in SHIFTS:
            moved = replace(
                plain, enough=plain.enough + shift, least=plain.least + shift, most=plain.most + shift
            )
            ranked = rank(known, found, now, None, moved)
            packed = pack(ranked, question.k, question.budget, self.counter, lambda: found.nearest(LOOKED_AT))
            shown = [each.item.id for each, _ in packed.entries]
            self._point(name, shift).add(shown, wanted, packed.tokens)
        among = index.select(known.languages, known.folder)
        for system, hits, levels in (
            (", vectors alone", index.vectors(row, FIRST, among), COSINES),
            (", BM25 alone", index.words(question.text, FIRST, among), BM25S),
        ):
            for level in levels:
                self._point(name + system, level).add([m for m, score in hits if score >= level], wanted)

    def _point(self, name: str, level: float) -> Point:
        return self.curves[name].setdefault(level, Point())


@dataclass(frozen=True)
class Lessons:
    """Lessons as items, the questions of each, and questions that none of them helps with."""

    items: list[Item]
    questions: list[list[str]]
    unrelated: list[str]


def lessons(path: Path) -> Lessons:
    """Read a set."""
    value = json.loads(path.read_text(encoding="utf-8"))
    records = []
    for number, lesson in enumerate(value["lessons"]):
        given = {key: text for key, text in lesson.items() if key not in ("kind", "questions")}
        body: Body = Memory(**given) if lesson["kind"] == "note" else Correction(**given, author="Ann")
        draft = Draft(body, f"{number:032x}")
        records.append(make(draft, t=NOW - number, w=OWN, n=number + 1, author="Ann", body=encode(body)))
    made = {each.id: each for each in items(View(records), OWN)}
    ordered = [made[f"{number:032x}"] for number in range(len(records))]
    return Lessons(ordered, [lesson["questions"] for lesson in value["lessons"]], value["unrelated"])


def of_lessons(judge: Judge, told: Lessons, folder: Path, seed: int) -> None:
    """Random stores of ten, and one of all."""
    chance = random.Random(seed)
    chosen = [("stores of ten", chance.sample(range(len(told.items)), TEN)) for _ in range(STORES)]
    for number, (name, rows) in enumerate([*chosen, ("one store of all", range(len(told.items)))]):
        store = [told.items[row] for row in rows]
        index = MemoryIndex(folder / str(number), judge.encoder)
        index.refresh(store)
        for row in rows:
            for text in told.questions[row]:
                judge.ask(name, Question(text), frozenset({told.items[row].id}), store, index, NOW)
        few = name == "stores of ten"
        for text in chance.sample(told.unrelated, UNRELATED) if few else told.unrelated:
            judge.ask(name, Question(text), frozenset(), store, index, NOW)
        index.close()


def of_histories(judge: Judge, told: Sequence[History], folder: Path, seed: int, most: int) -> None:
    """Tasks that repeat a correction, and tasks of the other histories, each by words and path, and with the file."""
    for history_ in told:
        chance = random.Random(seed)
        tasks = [task for task in history_.tasks if task.right]
        tasks = sorted(chance.sample(tasks, min(most, len(tasks))), key=lambda task: task.at)
        languages = {task.language for task in tasks}
        foreign = [
            task
            for other in told
            if other is not history_
            for task in other.tasks
            if task.language in languages
        ]
        chance.shuffle(foreign)
        others = iter(foreign)
        store = Store(history_, folder / history_.name)
        say(f"{history_.name}: {len(tasks)} tasks, {min(len(foreign), len(tasks))} of others")
        for task in tasks:
            store.before(task.at)
            for each, wanted in ((task, task.right), (next(others, None), frozenset())):
                if each is not None:
                    for name, code in zip(HISTORIES, ("", each.code), strict=True):
                        question = Question(each.said, path=each.path, code=code)
                        judge.ask(name, question, wanted, store.items, store.index, task.time)
        store.index.close()


def rows(curves: Curves) -> Iterator[str]:
    """The whole curves of recall as a Markdown table."""
    yield "| set | threshold | precision | empty of unrelated | covered | tokens of an unrelated one |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for name, points in curves.items():
        for level, point in sorted(points.items()):
            tokens = f"{statistics.mean(point.tokens):.0f}" if point.tokens and "alone" not in name else ""
            shares = " | ".join(map(told, (point.right, point.empty, point.found)))
            yield f"| {name} | {level:+.2f} | {shares} | {tokens} |"


def told(share: Share) -> str:
    """A share and its interval."""
    low, high = share.interval
    return f"{share.value:.2f} ({low:.2f} to {high:.2f})" if share.n else ""


def drawn(curves: Curves, name: str) -> list[tuple[float, float]]:
    """Coverage and precision, level by level."""
    points = [points_of for _, points_of in sorted(curves[name].items())]
    return sorted((each.found.value, each.right.value) for each in points if each.right.n >= LEAST_SHOWN)


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """All sets, and the plot where it is asked for."""
    judge = Judge()
    with tempfile.TemporaryDirectory(prefix="cortex-threshold-") as place:
        of_lessons(judge, lessons(Path(given.lessons)), Path(place), given.seed)
        cache = Path(given.cache) if given.cache else None
        walked = [history(Path(folder), given.newest, cache) for folder in given.histories]
        of_histories(judge, walked, Path(place), given.seed, 10 if given.quick else given.most)
    say("\n" + "\n".join(rows(judge.curves)))
    if given.plot:
        series = {
            "recall, stores of ten": drawn(judge.curves, "stores of ten"),
            "recall, one store of all lessons": drawn(judge.curves, "one store of all"),
            "BM25 alone, stores of ten": drawn(judge.curves, "stores of ten, BM25 alone"),
            "vectors alone, stores of ten": drawn(judge.curves, "stores of ten, vectors alone"),
        }
        guides = {"aims": [(COVERED, 1.0), (COVERED, PRECISE), (1.0, PRECISE)]}
        if walked:
            for name in HISTORIES:
                guides[f"recall, tasks of {name}"] = drawn(judge.curves, name)
        image = chart(
            "What is shown, and how much of it is right, as the threshold moves",
            "share of the questions whose memory is shown", "share of the shown that is right",
            series, guides, logarithmic=False, legend=LEGEND,
        )  # fmt: skip
        Path(given.plot).write_text(image, encoding="utf-8")
    figures = []
    for name in ("stores of ten", "one store of all", *(HISTORIES if walked else ())):
        point = judge.curves[name][0.0]
        for what, share, aim in (
            ("precision of what is shown", point.right, PRECISE),
            ("unrelated questions left empty", point.empty, EMPTY),
            ("right memory shown", point.found, COVERED),
        ):
            figures.append(
                Figure(f"{name}: {what}", share.value, "", aim, least=True, note=f"{share.k} of {share.n}")
            )
        if point.tokens:
            tokens = statistics.mean(point.tokens)
            figures.append(Figure(f"{name}: tokens that an unrelated one adds", tokens, "", EASY_TOKENS))
    return figures


if __name__ == "__main__":
    main(
        measure,
        ("--lessons", {"default": str(LESSONS), "help": "the set of lessons"}),
        ("--histories", {"nargs": "*", "default": [], "help": "clones, or bare copies"}),
        (
            "--newest",
            {"type": int, "default": 0, "help": "so many commits of each history alone, the newest"},
        ),
        ("--most", {"type": int, "default": 60, "help": "so many tasks of each history at most"}),
        ("--seed", {"type": int, "default": 1, "help": "of what is drawn by chance"}),
        ("--cache", {"default": "", "help": "keep the tasks of the histories here, and take them from here"}),
        ("--plot", {"default": "", "help": "write the curves here, as SVG"}),
    )
