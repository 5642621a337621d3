"""How long a recall takes inside the engine, in stores of 1,000 to 100,000 made-up memories.

    python benchmarks/recall.py [--sizes 1000 10000 100000]

The questions are answered exactly at first, while the graphs of neighbours are built in idle time; both are
measured. A full `ask` also brings the store up to date and writes down what it showed, with an fsync.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import synthetic
from measuring import Figure, init, main, number, percentile, say, workplace

from cortex.daemon.engine import Engine
from cortex.daemon.state import Models
from cortex.repo.places import find

MIDDLE, TAIL = 5.0, 4.0
SIZES = [1_000, 10_000, 100_000]


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """All sizes, one after the other."""
    figures = []
    with workplace() as folder:
        models = Models()
        for size in given.sizes or (SIZES[:2] if given.quick else SIZES):
            figures += _one(folder / f"{size}", size, models, 100 if given.quick else 400)
    return figures


def _one(repo: Path, size: int, models: Models, count: int) -> list[Figure]:
    say(f"{size:,} memories")
    synthetic.repository(repo, 10)
    init(repo)
    synthetic.memories(find(repo).store, size)
    engine = Engine(find(repo), models)
    start = time.perf_counter()
    _ask(engine, "how do we start?")
    first = time.perf_counter() - start
    asked = synthetic.questions(count + 10)
    exact, _ = _timed(engine, asked[: 10 + count // 4])
    say("building the graphs of neighbours")
    start = time.perf_counter()
    while engine._state.catch_up():
        if time.perf_counter() - start > 600:
            say("they were not done within ten minutes")
            break
    built = time.perf_counter() - start
    inside, whole = _timed(engine, asked)
    start = time.perf_counter()
    engine.handle("remember", {"text": "Flush the ledger before the audit, not after it."})
    _ask(engine, "when do we flush the ledger?")
    after = time.perf_counter() - start
    engine.close()
    shutil.rmtree(repo)
    name = f"at {size:,} memories"
    return [
        Figure(f"recall {name}, p50", statistics.median(inside), "ms", MIDDLE if size >= 100_000 else None,
               note=f"while the graphs are still built: {number(statistics.median(exact))} ms"),
        Figure(f"recall {name}, p99", percentile(inside, 0.99) / statistics.median(inside), "times p50", TAIL,
               note=f"{number(percentile(inside, 0.99))} ms"),
        Figure(f"whole `ask` in the engine {name}, p50", statistics.median(whole), "ms"),
        Figure(f"first `ask` {name}: index built", first, "s", note=f"graphs of neighbours: {number(built)} s"),
        Figure(f"first `ask` after a new memory {name}", after * 1e3, "ms"),
    ]  # fmt: skip


def _timed(engine: Engine, asked: Sequence[str]) -> tuple[list[float], list[float]]:
    """Milliseconds of the recall itself and of the whole operation; the first ten questions do not count."""
    inside, whole = [], []
    for question in asked:
        start = time.perf_counter()
        inside.append(_ask(engine, question))
        whole.append((time.perf_counter() - start) * 1e3)
    return inside[10:], whole[10:]


def _ask(engine: Engine, question: str) -> float:
    return float(engine.handle("ask", {"question": question})["timings_ms"]["total"])


if __name__ == "__main__":
    main(measure, ("--sizes", {"type": int, "nargs": "+", "help": "how many memories"}))
