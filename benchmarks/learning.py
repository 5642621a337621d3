"""Learning rules: how the time grows with the corrections, and what a back-test over a large tree takes.

    python benchmarks/learning.py [--plot docs/learning-growth.svg]

Of the corrections two thirds come in kinds of about a dozen, each kind with members, names and arguments of its own,
and a third are of no kind. The tree is of 10,000 files of one function each, of which one in a hundred holds the
rule's words. Times are of the processor: the machine is shared.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from measuring import Figure, main, say
from synthetic import NOUNS, VERBS, module

from cortex.evaluation.plots import chart
from cortex.learning.rules.backtest import backtest
from cortex.learning.rules.generalise import generalise
from cortex.store.kinds import MILLION, Correction, Pattern

SIZES = (156, 312, 625, 1_250, 2_500, 5_000, 10_000)
ROUNDS = 3
LARGEST, TREE = 60.0, 2.0
FILES, HOLDING = 10_000, 100
RULE = Pattern(
    language="python", pattern="ledger.absorb($A)", rewrite="ledger.absorb($A, timeout=5)",
    words=("ledger", "absorb"),
)  # fmt: skip


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """Both, and the plot where it is asked for."""
    sizes = SIZES[:-2] if given.quick else SIZES
    points = []
    for size in sizes:
        say(f"{size:,} corrections")
        made = corrections(size)
        took = [_timed(made) for _ in range(1 if size > 2_500 else ROUNDS)]
        points.append((float(size), statistics.median(took)))
    slope = math.log(points[-1][1] / points[1][1]) / math.log(points[-1][0] / points[1][0])
    ideal = math.log(_ideal(points[-1][0]) / _ideal(points[1][0])) / math.log(points[-1][0] / points[1][0])
    if given.plot:
        scale = points[0][1] / _ideal(points[0][0])
        guide = {"n log n": [(n, scale * _ideal(n)) for n, _ in points]}
        text = chart(
            "Rules from corrections", "corrections", "processor seconds", {"measured": points}, guide
        )
        Path(given.plot).write_text(text, encoding="utf-8")
    say("a back-test over the tree")
    files = tree(FILES // 10 if given.quick else FILES)
    tests = [_tested(files) for _ in range(ROUNDS)]
    return [
        Figure(f"rules from {points[-1][0]:,.0f} corrections", points[-1][1], "s", LARGEST),
        Figure("how it grows: slope of the log-log line", slope, "", round(ideal, 2),
               note=f"n log n has {ideal:.2f} over these sizes"),
        Figure(f"back-test of one rule over {len(files):,} files", statistics.median(tests), "s", TREE),
    ]  # fmt: skip


def _ideal(size: float) -> float:
    return size * math.log(size)


def corrections(size: int) -> list[tuple[str, Correction]]:
    """So many corrections from a seed, with their ids."""
    chance = random.Random(size)
    out = []
    for n in range(size):
        kind = chance.randrange(max(1, size * 2 // 3 // 12)) if chance.random() < 2 / 3 else size + n
        own = random.Random(kind)
        called = f"{own.choice(NOUNS)}_{own.choice(NOUNS)}.{own.choice(VERBS)}_{own.choice(NOUNS)}"
        given = f"{chance.choice(NOUNS)}.{chance.choice(VERBS)}({chance.randrange(100)})"
        into = f"{chance.choice(NOUNS)} = "
        plain = f"{into}{called}({given})"
        before, after = (
            (plain, f"{into}{called}({given}, {own.choice(NOUNS)}=True)"),
            (plain, f"{into}{called}_{own.choice(VERBS)}({given})"),
            (f"{called}({given}, {n})", f"with {called}({given}) as held:\n    held.run({n})"),
        )[kind % 3]
        one = Correction(before=before, after=after, path=f"{kind % 7}/{n}.py", line=1, language="python",
                         commit=f"c{n // 3}", weight=MILLION)  # fmt: skip
        out.append((f"{n:08}", one))
    return out


def tree(count: int) -> list[tuple[str, str]]:
    """The accepted files of a repository, path and text."""
    out = []
    for n in range(count):
        text = module(n, functions=1)
        out.append((f"src/{n}.py", text + "\nledger.absorb(entry)\n" if n % HOLDING == 0 else text))
    return out


def _timed(made: Sequence[tuple[str, Correction]]) -> float:
    start = time.process_time()
    generalise(made)
    return time.process_time() - start


def _tested(files: Sequence[tuple[str, str]]) -> float:
    start = time.process_time()
    found = backtest(RULE, files)
    assert found.stood == len(files) // HOLDING
    return time.process_time() - start


if __name__ == "__main__":
    main(measure, ("--plot", {"default": "", "help": "write the plot of the growth here, as SVG"}))
