"""What the journal costs: appends with their fsync, the first view of a large store, and whether that grows.

    python benchmarks/journal.py

Two stores, in turns; beside them a bare write of the same size with its fsync, which is the disk's share.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import synthetic
from measuring import Figure, in_turns, main, number, say, spread, workplace

from cortex.store.journal import FileJournal, create
from cortex.store.kinds import Memory
from cortex.store.record import Draft


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """Stores of two sizes, in turns."""
    small, large = (1_000, 20_000) if given.quick else (1_000, 100_000)
    rounds = 100 if given.quick else 300
    with workplace() as folder:
        stores = {}
        writing = {}
        for count in (small, large):
            say(f"writing {count:,} memories")
            store = stores[count] = folder / f"{count}"
            create(store)
            start = time.perf_counter()
            synthetic.memories(store, count)
            writing[count] = time.perf_counter() - start
        say("reading them back")
        views = {count: [_view(store) for _ in range(3)] for count, store in stores.items()}
        say(f"appending, {rounds} rounds")
        journals = {count: FileJournal(store, synthetic.AUTHOR) for count, store in stores.items()}
        for journal in journals.values():
            journal.view()
        probe = folder / "probe"
        took = in_turns(
            {
                "fsync": lambda: _fsync(probe),
                "small": lambda: _append(journals[small]),
                "large": lambda: _append(journals[large]),
            },
            rounds,
            warm=10,
        )
        middle = {case: statistics.median(values) for case, values in took.items()}
        grows = statistics.median(a / b for a, b in zip(took["large"], took["small"], strict=True))
        return [
            Figure(
                f"appends of one record, each fsynced, at {large:,}", 1 / middle["large"], "a second",
                note=f"each {spread(took['large'])}; a write of 300 bytes and its fsync alone: {spread(took['fsync'])}",
            ),
            Figure(f"an append at {large:,} memories beside one at {small:,}", grows, "times"),
            Figure(
                "records written in batches of 2,000", large / writing[large], "a second",
                note=f"{large:,} in {number(writing[large])} s, sealed",
            ),
            Figure(
                f"first view of {large:,} memories", statistics.median(views[large]), "s",
                note=f"of {small:,}: {number(statistics.median(views[small]) * 1e3)} ms",
            ),
        ]  # fmt: skip


def _view(store: Path) -> float:
    start = time.perf_counter()
    FileJournal(store, synthetic.AUTHOR).view()
    return time.perf_counter() - start


def _append(journal: FileJournal) -> float:
    start = time.perf_counter()
    journal.append([Draft(Memory(title="A note", text="Something of the usual length. " * 4))])
    return time.perf_counter() - start


def _fsync(path: Path) -> float:
    import os

    start = time.perf_counter()
    with path.open("ab") as file:
        file.write(b"x" * 300)
        file.flush()
        os.fsync(file.fileno())
    return time.perf_counter() - start


if __name__ == "__main__":
    main(measure)
