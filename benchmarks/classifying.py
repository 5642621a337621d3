"""How right the classifier of task types is: on prompts, and on commit subjects of repositories kept apart."""

from __future__ import annotations

import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cortex.models.classifier import Kind, load
from cortex.models.labels import LABELS
from cortex.models.routing import ROUTES, route

PROMPTS = Path(__file__).parent / "labels" / "prompts.jsonl"
QUESTIONS = Path(__file__).parent / "labels" / "routes.jsonl"
ASIDE = "fourth set aside"
SURE = 0.7
DRAWS = 400
SEED = 11


@dataclass(frozen=True)
class Answered:
    """One text: its label, what was said, how sure, and which texts are drawn together with it."""

    label: str
    said: str
    sure: float
    group: str

    @property
    def right(self) -> bool:
        """Whether what was said is the label; "unsure" is not."""
        return self.said == self.label


def figures(answers: Sequence[Answered]) -> dict[str, float]:
    """Accuracy, the part of confidence .7 or more, accuracy there, and expected calibration error (ten bins)."""
    sure = [each for each in answers if each.sure >= SURE]
    bins: dict[int, list[Answered]] = defaultdict(list)
    for each in answers:
        bins[min(9, int(each.sure * 10))].append(each)
    gap = sum(abs(sum(e.right for e in part) - sum(e.sure for e in part)) for part in bins.values())
    return {
        "accuracy": sum(each.right for each in answers) / len(answers),
        "sure": len(sure) / len(answers),
        "right where sure": sum(each.right for each in sure) / max(1, len(sure)),
        "calibration error": gap / len(answers),
    }


def intervals(answers: Sequence[Answered]) -> dict[str, tuple[float, float]]:
    """95% bootstrap intervals of `figures`, drawing groups (repositories, or single prompts) again."""
    groups: dict[str, list[Answered]] = defaultdict(list)
    for each in answers:
        groups[each.group].append(each)
    chance, names = random.Random(SEED), sorted(groups)
    drawn: dict[str, list[float]] = defaultdict(list)
    for _ in range(DRAWS):
        again = [each for name in chance.choices(names, k=len(names)) for each in groups[name]]
        for name, value in figures(again).items():
            drawn[name].append(value)
    return {
        name: (sorted(values)[DRAWS // 40], sorted(values)[-DRAWS // 40 - 1])
        for name, values in drawn.items()
    }


def report(name: str, answers: Sequence[Answered], confusion: bool = True) -> None:
    """One row of figures with their intervals, and who is taken for whom."""
    spread = intervals(answers)
    cells = [
        f"{value:.3f} ({spread[key][0]:.2f}-{spread[key][1]:.2f})" for key, value in figures(answers).items()
    ]
    most = Counter(each.label for each in answers).most_common(1)[0]
    print(
        "|",
        name,
        "|",
        len(answers),
        "|",
        f"{most[1] / len(answers):.3f}",
        *(f"| {cell}" for cell in cells),
        "|",
    )
    if confusion:
        said = Counter((each.label, each.said) for each in answers)
        print("    label        as: " + " ".join(f"{label[:8]:>8}" for label in (*LABELS, "unsure")))
        for label in LABELS:
            print(f"    {label:<16} " + " ".join(f"{said[label, other]:>8}" for other in (*LABELS, "unsure")))


def answered(pairs: Sequence[tuple[str, str, str]], kind: Kind | None) -> list[Answered]:
    """What the built-in classifier says of (text, label, group) triples, its best label even where unsure."""
    model = load("builtin")
    said = model.best([text for text, _, _ in pairs], kind)
    return [
        Answered(label, best, sure, group)
        for (_, label, group), (best, sure) in zip(pairs, said, strict=True)
    ]


def subjects(clones: Path, look: bool) -> dict[str, list[tuple[str, str, str]]]:
    """(subject, label, repository) of the repositories kept apart: the six of old, the twelve drawn, the last six."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "training"))
    from histories import histories
    from tasktexts import read

    return {
        use: [
            (each.text, each.label, each.source)
            for source in histories(use)
            for each in read(source, clones)
            if each.kind == "subject"
        ]
        for use in ("subjects-test", "subjects-apart", *(["subjects-last"] if look else []))
    }


def routed(rows: Sequence[dict[str, str]]) -> None:
    """Print how often the router is right, for all texts and for questions, and which route is taken for which."""
    said = load("builtin").classify([row["text"] for row in rows])
    pairs = [
        (row["route"], route(row["text"], label), row["label"])
        for row, (label, _) in zip(rows, said, strict=True)
    ]
    for name, part in (("all", pairs), ("questions", [each for each in pairs if each[2] == "question"])):
        right = [Answered(route, said, 1.0, str(at)) for at, (route, said, _) in enumerate(part)]
        low, high = intervals(right)["accuracy"]
        print(f"    {name}: {len(part)}, {figures(right)['accuracy']:.3f} ({low:.2f}-{high:.2f})")
    taken = Counter((route, said) for route, said, _ in pairs)
    print("    route        as: " + " ".join(f"{name[:8]:>8}" for name in ROUTES))
    for name in ROUTES:
        print(f"    {name:<16} " + " ".join(f"{taken[name, other]:>8}" for other in ROUTES))


def measure(clones: Path | None, look: bool) -> None:
    """Print the figures of each part; what was set aside last only with `look`, subjects only with clones.

    Prompts of development, those set aside first among them, are learnt from: their figures say how well they are
    kept in mind, no more.
    """
    rows = _rows(PROMPTS)
    print("| texts | n | largest class | accuracy | confidence >= .7 | accuracy there | calibration error |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    questions = _rows(QUESTIONS)
    for aside in (False, True) if look else (False,):
        name = ASIDE if aside else "development"
        pairs = [(row["text"], row["label"], row["text"]) for row in rows if (row["half"] == ASIDE) == aside]
        kinds: tuple[Kind | None, ...] = (None, "prompt")
        for kind in kinds:
            report(f"prompts, {name}, kind {kind}", answered(pairs, kind), kind == "prompt")
        print("routes,", name)
        routed([row for row in [*rows, *questions] if (row["half"] == ASIDE) == aside])
    if clones is not None:
        for use, pairs in subjects(clones, look).items():
            for each in (None, "subject"):
                given: Kind | None = "subject" if each else None
                report(f"{use}, kind {given}", answered(pairs, given), given is not None)
                if given:
                    by: dict[str, list[Answered]] = defaultdict(list)
                    for one in answered(pairs, given):
                        by[one.group].append(one)
                    for name, ones in sorted(by.items()):
                        print(f"    {name}: {len(ones)}, {figures(ones)['accuracy']:.3f}")


def _rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
