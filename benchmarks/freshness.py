"""Memories of code that is gone: how many of those that are shown, with recall's care for that and without it.

    python benchmarks/freshness.py REPOSITORY… [--newest N] [--most N] [--cache FOLDER] [--examples N]

All corrections of a history are in the store; what is asked are the newest commits that corrected something, told by
their subject and path; the code is HEAD's. A memory is stale where its code was rewritten or is gone, by the account of
`cortex.daemon.standing`; it drops out where nothing that it changed is left either (`cortex.daemon.vanished`).
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from measuring import Figure, main, say
from task_sets import History, Task, history

from cortex.daemon.charting import chart
from cortex.daemon.standing import standing
from cortex.daemon.state import Models, State
from cortex.daemon.vanished import vanished
from cortex.models import load_classifier, load_counter, load_encoder
from cortex.recall.cascade import Answer, Question, recall
from cortex.recall.withdrawal import GONE
from cortex.repo.places import find
from cortex.store.index import MemoryIndex
from cortex.store.items import Item

FORMS = ("without", "with")


@dataclass
class Shown:
    """What was shown in one form: all memories, the stale ones by what is said of them, and those left out."""

    memories: int
    stale: Counter[str]
    left: list[str]
    answers: int
    right: int  # of what was left out: the same change as that of the commit that is asked about


def asked(state: State, told: History, most: int, seed: int) -> Iterator[tuple[Task, dict[str, Answer]]]:
    """Each question with its answer in both forms."""
    items = [item for _, item in told.memories()]
    encoder, classifier, counter = (
        load_encoder("builtin"),
        load_classifier("builtin"),
        load_counter("builtin"),
    )
    tasks = told.tasks[-4 * most :]
    tasks = random.Random(seed).sample(tasks, min(most, len(tasks)))
    stands = standing(state)
    never: Callable[[Item], bool] = lambda _: False  # noqa: E731
    with tempfile.TemporaryDirectory(prefix="cortex-fresh-") as folder:
        index = MemoryIndex(Path(folder), encoder)
        index.refresh(items)
        for task in tasks:
            question = Question(task.said, path=task.path)
            yield task, {
                form: recall(
                    question, items, index, encoder, classifier, counter, state.clock(),
                    code=state.code(), standing=stands, gone=gone,
                )
                for form, gone in zip(FORMS, (never, vanished(state, stands, 60.0)), strict=True)
            }  # fmt: skip
        index.close()


def counted(found: Sequence[tuple[Task, Answer]], stands: Callable[[Item], str]) -> Shown:
    """What the answers of one form showed."""
    shown = [each.item for _, answer in found for each in answer.memories]
    stale = Counter(said for item in shown if (said := stands(item)))
    left = [(task, each.item) for task, answer in found for each in answer.left if each.dropped == GONE]
    return Shown(
        len(shown),
        stale,
        [item.title for _, item in left],
        sum(not answer.abstained for _, answer in found),
        sum(item.id in task.right for task, item in left),
    )


def of_one(folder: Path, given: argparse.Namespace) -> dict[str, Shown]:
    """The account of one history."""
    told = history(folder, given.newest, Path(given.cache) if given.cache else None)
    with tempfile.TemporaryDirectory(prefix="cortex-fresh-") as place:
        clone, environment = Path(place) / "clone", {**os.environ, "HOME": place, "CORTEX_NO_DAEMON": "1"}
        subprocess.run(["git", "clone", "-q", "--no-checkout", str(folder), str(clone)], check=True)
        init = [sys.executable, "-m", "cortex", "init", "--no-history"]
        subprocess.run(init, cwd=clone, env=environment, check=True, capture_output=True)
        state = State(find(clone), Models("builtin"))
        for _ in chart(state):
            pass
        answers = list(asked(state, told, 20 if given.quick else given.most, given.seed))
        stands = standing(state)
        return {form: counted([(task, each[form]) for task, each in answers], stands) for form in FORMS}


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """A line of a Markdown table for each history and form."""
    lines = [
        "| history | form | answers | memories shown | stale | of these: said | left out as gone | right |"
    ]
    lines.append("|" + " --- |" * 8)
    shares: dict[str, list[int]] = {form: [0, 0] for form in FORMS}
    for folder in map(Path, given.repositories):
        found = of_one(folder, given)
        for form, each in found.items():
            stale = sum(each.stale.values())
            shares[form][0] += stale
            shares[form][1] += each.memories
            said = ", ".join(f"{what} {number}" for what, number in sorted(each.stale.items()))
            share = f"{stale} ({stale / each.memories:.0%})" if each.memories else "0"
            name = (folder.parent if folder.name == "repo" else folder).name
            lines.append(
                f"| {name} | {form} | {each.answers} | {each.memories} | {share} | {said} | {len(each.left)} "
                f"| {each.right} |"
            )
        for title in list(dict.fromkeys(found["with"].left))[: given.examples]:
            say(f"  left out: {title}")
    say("\n".join(lines))
    if not shares["with"][1]:
        return []
    return [
        Figure(
            "of the memories shown, so many are stale",
            shares["with"][0] / shares["with"][1],
            "",
            shares["without"][0] / max(1, shares["without"][1]),
            note="budget: without that care",
        )
    ]


if __name__ == "__main__":
    main(
        measure,
        ("repositories", {"nargs": "*", "help": "clones, or bare copies"}),
        (
            "--newest",
            {"type": int, "default": 0, "help": "so many commits of each history alone, the newest"},
        ),
        ("--most", {"type": int, "default": 150, "help": "so many questions of each history at most"}),
        ("--examples", {"type": int, "default": 0, "help": "print so many titles of what was left out"}),
        ("--seed", {"type": int, "default": 0, "help": "of what is drawn by chance"}),
        ("--cache", {"default": "", "help": "keep the tasks of the histories here, and take them from here"}),
    )
