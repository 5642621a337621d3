"""Recall from 1,000 to a million made-up memories: latency, recall of the first look, memory, first answer, load.

    python benchmarks/scale.py [--sizes 1000 10000 …] [--build SECONDS] [--seconds 30] [--plot docs/recall-scale.svg]

Each size is measured in a process of its own, by the engine that the daemon runs, then through the daemon's socket.
Large stores are laid down first, for at most `--build` seconds; whether the graph of neighbours was ready is said. A
row at a million is measured outside `--quick` alone, and wants an hour and some 12 GB of memory.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import synthetic
from measuring import Figure, init, main, number, percentile, say, workplace

from cortex.evaluation.plots import chart
from cortex.recall.candidates import EACH
from cortex.store.index import MemoryIndex
from cortex.store.layered import LayeredIndex
from cortex.store.protocols import Encoder

SIZES = [1_000, 10_000, 100_000, 1_000_000]
#: At most so many milliseconds in the middle, by how many memories there are.
MIDDLE = {100_000: 5.0, 1_000_000: 15.0}
TAIL, FOUND, FIRST_S, KILOBYTES = 4.0, 0.98, 2.0, 1.5
RATE, CLIENTS = 200, 8


@dataclass(frozen=True)
class Row:
    """What was measured at one size; times in ms, but those whose name ends in `_s`; memory in KB a memory."""

    size: int
    p50: float
    p99: float
    cpu: float
    whole: float
    found: float
    memory: float
    index_memory: float
    ready: bool
    building_s: float
    first_s: float
    asked: int
    answered: int
    errors: int
    slowest: float
    disk: float
    load: float


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """All sizes, one after the other, and the plot where it is asked for."""
    if given.one:
        print(json.dumps(asdict(_one(given.one, given))))
        sys.exit(0)
    rows = []
    for size in given.sizes or (SIZES[:2] if given.quick else SIZES):
        say(f"{size:,} memories")
        words = [sys.executable, __file__, "--one", str(size), "--build", str(given.build)]
        words += ["--seconds", str(3 if given.quick else given.seconds)]
        alone = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # as the daemon has it
        done = subprocess.run(words, stdout=subprocess.PIPE, env=alone, check=True)
        rows.append(Row(**json.loads(done.stdout)))
        say(str(rows[-1]))
    if given.plot:
        Path(given.plot).write_text(_picture(rows), encoding="utf-8")
    return [figure for row in rows for figure in _figures(row)]


def _figures(row: Row) -> list[Figure]:
    at = f"at {row.size:,}"
    return [
        Figure(f"recall {at}, p50", row.p50, "ms", MIDDLE.get(row.size),
               note=f"{number(row.cpu)} ms of processor time; whole `ask` {number(row.whole)} ms; load {row.load:.1f}"),
        Figure(f"recall {at}, p99", row.p99 / row.p50, "times p50", TAIL, note=f"{number(row.p99)} ms"),
        Figure(f"first look {at}: of the exact ten nearest", row.found, "found", FOUND, least=True,
               note=f"laid down in {number(row.building_s)} s" + ("" if row.ready else ", without a graph")),
        Figure(f"resident {at}", row.memory, "KB a memory", KILOBYTES if row.size >= 1_000_000 else None,
               note=f"before the questions {number(row.index_memory)}; index on disk {number(row.disk)} KB"),
        Figure(f"first answer of a daemon that starts {at}", row.first_s, "s",
               FIRST_S if row.size >= 1_000_000 else None),
        Figure(f"{RATE} questions a second by {CLIENTS} clients {at}: answered", row.answered, f"of {row.asked}",
               note=f"{row.errors} errors; the slowest took {number(row.slowest)} ms"),
    ]  # fmt: skip


def _picture(rows: Sequence[Row]) -> str:
    series = {
        "p50, ms": [(float(row.size), row.p50) for row in rows],
        "resident, KB a memory": [(float(row.size), row.memory) for row in rows],
        "first answer after a start, s": [(float(row.size), row.first_s) for row in rows],
    }
    measured = {row.size for row in rows}
    budget = [(float(size), most) for size, most in MIDDLE.items() if size in measured]
    guides = {"budget of p50, ms": budget} if len(budget) > 1 else {}
    return chart("Recall by the number of memories", "memories", "ms, KB or s", series, guides)


def _one(size: int, given: argparse.Namespace) -> Row:
    from cortex.daemon.engine import Engine
    from cortex.daemon.holding import LAY_AT
    from cortex.daemon.state import Models
    from cortex.repo.places import find

    with workplace() as folder:
        repo = synthetic.repository(folder / "repo", 10)
        init(repo)
        place = find(repo)
        synthetic.memories(place.store, size)
        building = _laid(place.store, given.build) if size >= LAY_AT else 0.0
        models = Models()
        _ = models.encoder, models.classifier, models.counter
        before = _resident()
        engine = Engine(place, models, behind=True)
        asked = synthetic.questions(210)
        engine.handle("ask", {"question": "how do we start?"})
        while engine._state.waits:
            engine._state.catch_up(5.0)
        index = engine._state.index()
        if isinstance(index, LayeredIndex):
            index.bulk.wait()
        after = _resident()
        inside, cpu, whole = [], [], []
        for question in asked:
            wall, used = time.perf_counter(), time.thread_time()
            inside.append(float(engine.handle("ask", {"question": question})["timings_ms"]["total"]))
            cpu.append((time.thread_time() - used) * 1e3)
            whole.append((time.perf_counter() - wall) * 1e3)
        used_up = _resident()
        found = _found(engine._state.index(), models.encoder, asked[:60])
        disk = sum(path.stat().st_size for path in (place.store / "index").rglob("*") if path.is_file())
        engine.close()
        first, answered, errors, slowest, count = _through_the_socket(repo, asked, given.seconds)
        return Row(
            size, statistics.median(inside[10:]), percentile(inside[10:], 0.99), statistics.median(cpu[10:]),
            statistics.median(whole[10:]), found, (used_up - before) / size / 1e3, (after - before) / size / 1e3,
            not index.unseen, building, first, count, answered, errors, slowest,
            disk / size / 1e3, os.getloadavg()[0],
        )  # fmt: skip


def _laid(store: Path, seconds: float) -> float:
    """Have the memories laid down as the daemon does, for so long; after that without the graph. Seconds it took."""
    start = time.perf_counter()
    words = [sys.executable, "-m", "cortex.daemon.laying", str(store), "builtin"]
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(words, cwd="/", check=True, timeout=seconds)
    say(f"laid down: {number(time.perf_counter() - start)} s")
    return time.perf_counter() - start


def _found(index: MemoryIndex | LayeredIndex, encoder: Encoder, asked: Sequence[str]) -> float:
    """Of the ten nearest by a product with all rows, the share that is among the candidates' hits."""
    from cortex.recall.question import Question, understand

    hits = wanted = 0
    for text in asked:
        row = encoder.encode([text], kind="query")[0]
        if isinstance(index, LayeredIndex):
            numbers = [at for at, _ in index.bulk._exact(row, 10, np.flatnonzero(index.bulk.alive))]
            right = index.bulk.ids(numbers)
        else:
            best: dict[str, float] = {}
            for rows in index._rows.values():
                for key, cosine in rows.search(row, 10):
                    best[key] = max(cosine, best.get(key, -1.0))
            right = sorted(best, key=lambda key: (-best[key], key))[:10]
        terms = " ".join(understand(Question(text)).terms)
        got = {m for m, _ in (*index.vectors(row, EACH), *index.words(terms, EACH))}
        hits += len(set(right) & got)
        wanted += len(right)
    return hits / wanted


def _resident() -> int:
    """Bytes in memory now."""
    with contextlib.suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _through_the_socket(
    repo: Path, asked: Sequence[str], seconds: float
) -> tuple[float, int, int, float, int]:
    """Seconds to the first answer from the start of a daemon; then how many were answered, errors, the slowest."""
    from cortex.daemon import client, process

    process.stop(force=True)
    start = time.perf_counter()
    process.start([sys.executable, "-m", "cortex", "daemon", "run"], process.status().version)
    client.call("ask", str(repo), {"question": "how do we start?"}, timeout=600)
    first = time.perf_counter() - start
    client.call("ask", str(repo), {"question": asked[0]}, timeout=600)
    took: list[float] = []
    failed: list[str] = []
    began = time.perf_counter()
    turns = itertools.count()
    most = int(RATE * seconds)

    def ask() -> None:
        while (turn := next(turns)) < most:
            due = began + turn / RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            if time.perf_counter() > began + seconds + 5:
                return
            sent = time.perf_counter()
            try:
                client.call("ask", str(repo), {"question": asked[turn % len(asked)]}, timeout=10)
                took.append((time.perf_counter() - sent) * 1e3)
            except Exception as error:  # noqa: BLE001 - whatever a client meets is an error of the load
                failed.append(repr(error))

    threads = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    for error in sorted(set(failed))[:3]:
        say(error)
    return first, len(took), len(failed), max(took, default=0.0), most


if __name__ == "__main__":
    main(
        measure,
        ("--sizes", {"type": int, "nargs": "+", "help": "how many memories"}),
        ("--build", {"type": float, "default": 3_600.0, "help": "seconds for laying the memories down"}),
        ("--seconds", {"type": float, "default": 30.0, "help": "how long the load lasts"}),
        ("--plot", {"default": "", "help": "write the plot here, as SVG"}),
        ("--one", {"type": int, "default": 0, "help": argparse.SUPPRESS}),
    )
