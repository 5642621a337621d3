"""How long the guard takes inside the engine: ten staged files against 50 rules, cold and warm.

    python benchmarks/guard.py

Cold is the first check of a repository that has just been opened: journal, memories and rules are still to be
read. Warm is a later check of other content, after the daemon saw the files being saved. The very first check of
a process also loads code and the rules by which secrets are found; it is shown beside them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import synthetic
from measuring import Figure, git, main, run, say, spread, workplace

from cortex.analyzers.patterns import compile
from cortex.daemon.engine import Engine
from cortex.repo.places import find

COLD, WARM = 150.0, 30.0
FILES = 10


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """Several processes, each cold once and warm several times; with findings, and with none."""
    processes, checks = (3, 10) if given.quick else (7, 15)
    figures = []
    with workplace() as folder:
        repo = synthetic.repository(folder / "repo", 100)
        run([sys.executable, "-m", "cortex", "config", "--help"])  # byte code is there
        run(["env", "CORTEX_NO_DAEMON=1", sys.executable, "-m", "cortex", "init", "--no-history", str(repo)])
        synthetic.memories(find(repo).store, 1_000)
        for name, calls in (("two findings a file", 2), ("no finding", 0)):
            say(f"the guard, {name}")
            first, cold, warm = [], [], []
            for _ in range(processes):
                done = run([sys.executable, __file__, "--inside", str(repo), str(checks), str(calls)])
                said = json.loads(done.out)
                cold.append(said["cold"])
                warm += said["warm"]
                first.append(said["first"])
            figures += [
                Figure(
                    f"guard, {FILES} files, cold, {name}", statistics.median(cold), "ms", COLD,
                    note=f"{spread(cold, 1, 'ms')}; the first of a process: {spread(first, 1, 'ms')}",
                ),
                Figure(
                    f"guard, {FILES} files, warm, {name}", statistics.median(warm), "ms", WARM,
                    note=spread(warm, 1, "ms"),
                ),
            ]  # fmt: skip
    return figures


def inside(repo: Path, checks: int, calls: int) -> None:
    """In a process of its own: the first check, a cold one, then warm ones, each of content not seen before."""
    took = []
    seed = time.time_ns() % 1_000_000
    _stage(repo, seed, calls)
    first = Engine(find(repo)).handle("check", {})["elapsed_ms"]
    compile.cache_clear()
    engine = Engine(find(repo))
    for number in range(checks + 1):
        _stage(repo, seed + 100 * (number + 1), calls)
        if number:
            engine.saved([str(repo / f"changed_{at}.py") for at in range(FILES)])
        took.append(float(engine.handle("check", {})["elapsed_ms"]))
    print(json.dumps({"first": first, "cold": took[0], "warm": took[1:]}))


def _stage(repo: Path, seed: int, calls: int) -> None:
    for at in range(FILES):
        (repo / f"changed_{at}.py").write_text(synthetic.module(seed + at, functions=30, calls=calls))
    git(repo, "add", ".")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        main(measure)
