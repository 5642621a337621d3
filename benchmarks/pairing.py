"""Pairing on synthetic sequences with known truth: how many generations get the right outcome.

    python benchmarks/pairing.py [--seed N] [--count N] [--failures]

Each sequence is a git repository of its own with a real journal. `tests/pairing_sequences.py` makes them and
knows the truth; it never compares lines. `--failures` names the sequences that went wrong, to repeat one.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from measuring import ROOT, Figure, main, say, workplace

sys.path.insert(0, str(ROOT / "tests"))

from pairing_sequences import Result
from pairing_sequences import Sequence as Played

LEAST = 0.98


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """All sequences, one after the other; the tables go to standard error."""
    count = given.count or (40 if given.quick else 300)
    results = []
    started = time.perf_counter()
    with workplace() as folder:
        for number in range(count):
            results.append(Played(Path(folder) / str(number), given.seed + number).run())
    took = time.perf_counter() - started
    for line in (
        *confusion(results),
        "",
        *by_operation(results),
        *(failures(results) if given.failures else ()),
    ):
        say(line)
    return figures(results, took)


def figures(results: Sequence[Result], took: float) -> list[Figure]:
    """What is said of all of them."""
    told = [each for result in results for each in result.told]
    verdicts = sum(truth.verdict == got.verdict for truth, got in told)
    right = sum(truth == got for truth, got in told)
    true = sum(result.true_corrections for result in results)
    missed, invented, twice = (
        sum(len(getattr(result, name)) for result in results) for name in ("missed", "invented", "twice")
    )
    thoughts = [sum(result.thoughts[side] for result in results) for side in (0, 1)]
    return [
        Figure("generations with the right verdict and commit", right / len(told), "", LEAST, True,
               f"{right:,} of {len(told):,} in {len(results)} sequences; the verdict alone: {verdicts:,}"),
        Figure("corrections found, of the hand that made them", 1 - missed / max(1, true), "", None, True,
               f"{true:,} true, {missed} missed, {invented} that were none, {twice} learnt twice"),
        Figure("second thoughts counted", thoughts[1] / max(1, thoughts[0]), "", None, True,
               f"{thoughts[1]} of {thoughts[0]}"),
        Figure("records written when all was learnt again", sum(each.again for each in results), "", 0),
        Figure("a sequence", took / len(results), "s"),
    ]  # fmt: skip


def confusion(results: Sequence[Result]) -> list[str]:
    """True verdicts by row, found ones by column."""
    names = ("accepted", "edited", "rejected", "")
    pairs = Counter((truth.verdict, got.verdict) for result in results for truth, got in result.told)
    lines = [f"{'true / found':>14}" + "".join(f"{name or 'waits':>10}" for name in names)]
    for row in names:
        lines.append(f"{row or 'waits':>14}" + "".join(f"{pairs[(row, column)]:>10}" for column in names))
    return lines


def by_operation(results: Sequence[Result]) -> list[str]:
    """For each operation: sequences that have it, and the share of their generations that are right."""
    lines = []
    for name in sorted({name for result in results for name in result.operations}):
        having = [result for result in results if name in result.operations]
        told = [truth == got for result in having for truth, got in result.told]
        wrong = sum(bool(result.missed or result.invented or result.twice) for result in having)
        lines.append(
            f"{name:>14}{len(having):>6} sequences, {sum(told):>4} of {len(told):>4} right "
            f"({sum(told) / len(told):.1%}); {wrong} with wrong corrections"
        )
    return lines


def failures(results: Sequence[Result]) -> list[str]:
    """The sequences that went wrong, and how."""
    lines = []
    for result in results:
        wrong = [f"{n}: {truth} got {got}" for n, (truth, got) in enumerate(result.told) if truth != got]
        if wrong or result.missed or result.invented or result.twice or result.again:
            lines.append(f"seed {result.seed}: {', '.join(result.operations)}")
            lines += [f"    {each}" for each in wrong]
            lines += [f"    missed {each}" for each in result.missed]
            lines += [f"    invented {each}" for each in result.invented]
            lines += [f"    twice {each}" for each in result.twice]
    return lines


if __name__ == "__main__":
    main(
        measure,
        ("--seed", {"type": int, "default": 1, "help": "of the first sequence"}),
        ("--count", {"type": int, "default": 0, "help": "how many sequences"}),
        ("--failures", {"action": "store_true", "help": "name the sequences that went wrong"}),
    )
