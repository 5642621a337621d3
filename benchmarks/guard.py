"""How long the guard takes inside the engine: ten staged files of 500 lines in four languages, 50 and 1,000 rules.

    python benchmarks/guard.py

Cold is the first check of a repository that has just been opened: what the daemon kept ready of its rules is still
to be read, and where it kept nothing, the journal. Warm is a later check of other content, after the daemon saw the
files being saved; one that did not see it is shown beside. The very first check of a process also loads code and the
rules by which secrets are found.
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
from cortex.daemon import ready
from cortex.daemon.engine import Engine
from cortex.repo.places import find

COLD, WARM = 150.0, 30.0
FILES = 10
FUNCTIONS = {"python": 62, "go": 50, "typescript": 50, "javascript": 50}  # of 500 lines
RULES = (50, 1_000)


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """Several processes, each cold once and warm several times; with findings, and with none."""
    processes, checks = (3, 10) if given.quick else (7, 15)
    figures = []
    with workplace() as folder:
        run([sys.executable, "-m", "cortex", "config", "--help"])  # byte code is there
        for rules in RULES:
            repo = synthetic.repository(folder / f"repo-{rules}", 100)
            run(
                [
                    "env",
                    "CORTEX_NO_DAEMON=1",
                    sys.executable,
                    "-m",
                    "cortex",
                    "init",
                    "--no-history",
                    str(repo),
                ]
            )
            synthetic.memories(find(repo).store, 1_000 + rules, rules)
            for name, calls in (("two findings a file", 2), ("no finding", 0)):
                say(f"the guard, {rules:,} rules, {name}")
                figures += _one(repo, f"{rules:,} rules, {name}", calls, processes, checks)
    return figures


def _one(repo: Path, name: str, calls: int, processes: int, checks: int) -> list[Figure]:
    said = [
        json.loads(run([sys.executable, __file__, "--inside", str(repo), str(checks), str(calls)]).out)
        for _ in range(processes)
    ]
    cold, first, nothing = ([each[key] for each in said] for key in ("cold", "first", "nothing"))
    warm, unseen = ([took for each in said for took in each[key]] for key in ("warm", "unseen"))
    return [
        Figure(
            f"guard, {FILES} files, cold, {name}", statistics.median(cold), "ms", COLD,
            note=f"{spread(cold, 1, 'ms')}; where no rules were kept ready: {spread(nothing, 1, 'ms')}; "
            f"the first of a process: {spread(first, 1, 'ms')}",
        ),
        Figure(
            f"guard, {FILES} files, warm, {name}", statistics.median(warm), "ms", WARM,
            note=f"{spread(warm, 1, 'ms')}; not seen saved: {spread(unseen, 1, 'ms')}",
        ),
    ]  # fmt: skip


def inside(repo: Path, checks: int, calls: int) -> None:
    """In a process of its own: the first check, a cold one, then warm ones, each of content not seen before."""
    seed = time.time_ns() % 1_000_000
    _stage(repo, seed, calls)
    opened = Engine(find(repo))
    first = _check(opened, calls)
    opened.background(lambda: False, 1.0)  # as the daemon does when it has time
    (find(repo).store / "index" / ready.FILE).rename(kept := repo.parent / f"{repo.name}.ready")
    compile.cache_clear()
    _stage(repo, seed + 50, calls)
    nothing = _check(Engine(find(repo)), calls)
    kept.rename(find(repo).store / "index" / ready.FILE)
    compile.cache_clear()
    engine = Engine(find(repo))
    took: dict[str, list[float]] = {"cold": [], "warm": [], "unseen": []}
    for number in range(2 * checks + 1):
        files = _stage(repo, seed + 100 * (number + 1), calls)
        kind = "cold" if not number else ("unseen", "warm")[number % 2]
        if kind == "warm":
            engine.saved(files)
        took[kind].append(_check(engine, calls))
    print(json.dumps({**took, "first": first, "cold": took["cold"][0], "nothing": nothing}))


def _check(engine: Engine, calls: int) -> float:
    said = engine.handle("check", {})
    assert said["checked_files"] == FILES, said["skipped"]
    assert len(said["findings"]) == calls * FILES, len(said["findings"])
    return float(said["elapsed_ms"])


def _stage(repo: Path, seed: int, calls: int) -> list[str]:
    """Write and stage ten files; their absolute paths."""
    files = []
    for at in range(FILES):
        language = synthetic.LANGUAGES[at % len(synthetic.LANGUAGES)]
        file = repo / f"changed_{at}.{synthetic.ENDINGS[language]}"
        file.write_text(synthetic.module(seed + at, FUNCTIONS[language], calls, language))
        files.append(str(file))
    git(repo, "add", ".")
    return files


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        main(measure)
