"""What Cortex's hooks add to `git commit`, beside hooks that do nothing.

    python benchmarks/hooks.py [--cortex PROGRAM]

Both sets of hooks commit in turns in one repository, with the daemon up; what is committed breaks no rule, as
with nearly every commit. In units of one bare start of Python, on the wall; the note has processor time.
Three pairs of sizes show whether anything grows with the number of files or of memories.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import synthetic
from measuring import Figure, git, in_turns, installed, main, number, run, say, workplace

from cortex.daemon import client
from cortex.repo.places import find

POST, PRE = 2.0, 3.0
#: Files and memories of each repository.
SIZES = ((100, 1_000), (100_000, 1_000), (100, 100_000))
QUICK = ((100, 1_000), (10_000, 1_000), (100, 10_000))


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """All sizes."""
    rounds = 7 if given.quick else 13
    figures = []
    with workplace() as folder:
        cortex = installed(folder, given.cortex)
        for files, memories in QUICK if given.quick else SIZES:
            say(f"{files:,} files, {memories:,} memories")
            repo = synthetic.repository(folder / f"{files}-{memories}", files)
            run([str(cortex), "init", "--no-history", str(repo)])
            synthetic.memories(find(repo).store, memories)
            client.call("log", str(repo), {"limit": 1}, timeout=600)  # the store is read before it is timed
            figures += _one(repo, cortex, f"{files:,} files, {memories:,} memories", rounds)
            client.call("unregister", str(repo), timeout=60)
            shutil.rmtree(repo)
    return figures


def _one(repo: Path, cortex: Path, name: str, rounds: int) -> list[Figure]:
    """One repository: each hook by itself, the other one doing nothing."""
    hooks = repo / ".git" / "hooks"
    nothing = b"#!/bin/sh\n:\n"
    sets = {"none": (), "post": ("post-commit",), "pre": ("pre-commit",)}
    for each, ours in sets.items():
        # Beside `hooks`, so that the paths in the hooks themselves still hold.
        folder = hooks.with_name(f"hooks-{each}")
        folder.mkdir()
        for hook in ("pre-commit", "post-commit"):
            (folder / hook).write_bytes((hooks / hook).read_bytes() if hook in ours else nothing)
            (folder / hook).chmod(0o755)
    counter = itertools.count(1)

    def stage(files: int) -> None:
        for at in range(files):
            (repo / f"changed_{at}.py").write_text(synthetic.module(next(counter), calls=0))
        git(repo, "add", ".")
        time.sleep(0.15)  # what the daemon does with the last commit is not part of the next one

    cpu: defaultdict[str, list[float]] = defaultdict(list)

    def timed(case: str, command: Sequence[str]) -> float:
        done = run(command, repo)
        cpu[case].append(done.cpu)
        return done.wall

    def commit(hooks: str, files: int) -> Callable[[], float]:
        def once() -> float:
            stage(files)
            words = ["git", "-c", f"core.hooksPath=.git/hooks-{hooks}", "commit", "-q", "-m", "A change"]
            return timed(f"{hooks} {files}", words)

        return once

    def inside(files: int) -> Callable[[], float]:
        def once() -> float:
            stage(files)
            return client.exchange("check", str(repo), {"at": str(repo)}).ms / 1e3

        return once

    python = str(cortex.with_name("python"))
    took = in_turns(
        {
            "bare": lambda: timed("bare", [python, "-c", "pass"]),
            "none 1": commit("none", 1),
            "none 10": commit("none", 10),
            "post 1": commit("post", 1),
            "pre 1": commit("pre", 1),
            "pre 10": commit("pre", 10),
            "inside 1": inside(1),
            "inside 10": inside(10),
        },
        rounds,
    )
    middle = {case: statistics.median(values) for case, values in took.items()}

    def added(case: str, files: int, of: Mapping[str, list[float]], less: float = 0.0) -> float:
        """The median of what a hook adds, turn by turn, in units of the median bare start."""
        bare = statistics.median(of["bare"])
        pairs = zip(of[f"{case} {files}"], of[f"none {files}"], strict=True)
        return statistics.median((a - b - less) / bare for a, b in pairs)

    plain = f"a commit {number(middle['none 1'] * 1e3)} ms, a bare start {number(middle['bare'] * 1e3)} ms"
    figures = [
        Figure(
            f"post-commit adds; {name}", added("post", 1, took), "bare starts", POST,
            note=f"processor time: {number(added('post', 1, cpu))}; {plain}",
        )
    ]  # fmt: skip
    for files in (1, 10):
        inside_s = middle[f"inside {files}"]
        figures.append(
            Figure(
                f"pre-commit adds, {files} file{'s'[: files > 1]}, beside its time in the daemon; {name}",
                added("pre", files, took, inside_s), "bare starts", PRE,
                note=f"processor time: {number(added('pre', files, cpu))}; "
                f"inside the daemon {number(inside_s * 1e3)} ms",
            )
        )  # fmt: skip
    return figures


if __name__ == "__main__":
    main(measure, ("--cortex", {"default": "", "metavar": "PROGRAM", "help": "an installed cortex"}))
