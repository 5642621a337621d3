"""What `cortex ask` and `cortex check` cost as processes, with the daemon up.

    python benchmarks/commands.py [--cortex PROGRAM]

In units of `python -c "import json, socket"` of the same interpreter: the least that a client of a socket can
be. The package is installed with pip, not editable; `--cortex` names one that is there already.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import synthetic
from measuring import Figure, git, in_turns, installed, main, ratio, run, say, spread, workplace

from cortex.daemon import client
from cortex.repo.places import find

BUDGET = 1.5
QUESTION = "how do we fetch the account before the invoice?"


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """Both commands of the installed package, and of this checkout where it has a command of its own."""
    rounds = 15 if given.quick else 60
    with workplace() as folder:
        cortex = installed(folder, given.cortex)
        repo = synthetic.repository(folder / "repo", 100)
        run([str(cortex), "init", "--no-history", str(repo)])
        synthetic.memories(find(repo).store, 1_000)
        (repo / "new.py").write_text(synthetic.module(1))
        git(repo, "add", "new.py")
        figures = []
        for name, words in (("ask", ["ask", QUESTION]), ("check", ["check"])):
            say(f"cortex {name}: {rounds} rounds")
            figures += _command(name, [str(cortex), *words], repo, rounds)
        own = Path(sys.executable).with_name("cortex")
        if own.exists() and own != cortex:
            say("the same from this checkout")
            figures += _editable([str(own), "ask", QUESTION], repo, rounds)
        return figures


def _command(name: str, command: list[str], repo: Path, rounds: int) -> list[Figure]:
    """Wall time and processor time beside the baseline's; the time inside the daemon is taken off."""
    python = str(Path(command[0]).with_name("python"))
    cpu: dict[str, list[float]] = {"base": [], "command": []}
    asked = {"at": str(repo), **({"question": command[2]} if name == "ask" else {})}

    def timed(key: str, words: list[str]) -> Callable[[], float]:
        def once() -> float:
            done = run(words, repo)
            cpu[key].append(done.cpu)
            return done.wall

        return once

    took = in_turns(
        {
            "base": timed("base", [python, "-c", "import json, socket"]),
            "command": timed("command", command),
            "inside": lambda: client.exchange(name, str(repo), asked).ms / 1e3,
        },
        rounds,
    )
    inside = statistics.median(took["inside"])
    beside = [each - inside for each in took["command"]]
    return [
        Figure(
            f"`cortex {name}` beside its time in the daemon", ratio(beside, took["base"]), "baselines", BUDGET,
            note=f"baseline {spread(took['base'])}",
        ),
        Figure(f"`cortex {name}`, processor time", ratio(cpu["command"], cpu["base"]), "baselines"),
        Figure(
            f"`cortex {name}`, all of it", statistics.median(took["command"]) * 1e3, "ms",
            note=f"inside the daemon, disk included: {spread(took['inside'])}",
        ),
    ]  # fmt: skip


def _editable(command: list[str], repo: Path, rounds: int) -> list[Figure]:
    python = str(Path(command[0]).with_name("python"))
    took = in_turns(
        {
            "base": lambda: run([python, "-c", "import json, socket"], repo).cpu,
            "command": lambda: run(command, repo).cpu,
        },
        rounds,
    )
    return [
        Figure(
            "`cortex ask` of this checkout, processor time", ratio(took["command"], took["base"]), "baselines"
        )
    ]


if __name__ == "__main__":
    main(measure, ("--cortex", {"default": "", "metavar": "PROGRAM", "help": "an installed cortex"}))
