"""Learning from the history of real repositories: how fast, how soon, how large.

    python benchmarks/history.py [REPOSITORY…]

Each is cloned to a temporary folder and learnt from in a process of its own, with no daemon. Without a
repository, this one's own history is learnt from.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from measuring import ROOT, Figure, init, main, number, run, say, workplace

from cortex.repo.places import find

FIRST, PACE = 10.0, 60.0


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """All repositories, one after the other."""
    seconds = given.seconds or (10 if given.quick else 60)
    figures = []
    with workplace() as folder:
        for source in given.repositories or [ROOT]:
            name = Path(source).resolve().name if Path(source).resolve() != ROOT else "this repository"
            say(f"{name}, at most {seconds:g} s")
            clone = folder / Path(source).resolve().name
            # Partial mirrors may lack blobs that only the work tree needs.
            subprocess.run(
                ["git", "clone", "--quiet", str(Path(source).resolve()), str(clone)],
                check=False,
                stderr=subprocess.DEVNULL,
            )
            init(clone)
            done = run([sys.executable, __file__, "--inside", str(clone), str(seconds)])
            figures += _figures(name, json.loads(done.out), done.memory)
    return figures


def _figures(name: str, said: Mapping[str, Any], memory: float) -> list[Figure]:
    whole = "all of it" if said["finished"] else "as far as the time went"
    seen = ", ".join(f"{count:,} by {hand}" for hand, count in sorted(said["seen"].items())) or "none"
    return [
        Figure(
            f"{name}: changed files a second of processor", said["files"] / said["cpu"], "a second", PACE, True,
            note=f"{said['files']:,} files of {said['commits']:,} commits in {number(said['wall'])} s, {whole}",
        ),
        Figure(
            f"{name}: first correction", said["first"], "s", FIRST,
            note=f"{said['corrections']:,} kept; seen: {seen}; rules changed: {said['rules']}",
        ),
        Figure(f"{name}: largest memory", memory, "MiB"),
    ]  # fmt: skip


def inside(clone: Path, seconds: float) -> None:
    """In a process of its own."""
    start = time.perf_counter()
    from cortex.daemon.engine import Engine

    first: list[float] = []

    def told(progress: Mapping[str, object]) -> None:
        if progress.get("note") and not first:
            first.append(time.perf_counter() - start)

    engine = Engine(find(clone))
    result = engine.handle("history", {"budget_s": seconds}, told)
    wall = time.perf_counter() - start
    print(
        json.dumps(
            {
                **{key: result[key] for key in ("commits", "files", "corrections", "finished")},
                "seen": result["seen"],
                "rules": len(result["rules"]),
                "wall": wall,
                "cpu": time.process_time(),
                "first": first[0] if first else wall,
            }
        )
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(Path(sys.argv[2]), float(sys.argv[3]))
    else:
        main(
            measure,
            ("repositories", {"nargs": "*", "help": "paths or URLs of git repositories"}),
            ("--seconds", {"type": float, "default": 0.0, "help": "how long each may take"}),
        )
