"""Learning from histories of 10² to 10⁵ commits: whether the time grows as their number does, and what memory it takes.

    python benchmarks/history_growth.py [--largest 5] [--plot docs/history-growth.svg]

The histories are made by `git fast-import`: of ten commits an agent writes a file, a person corrects it in one, and the
others change a line of theirs. Each is learnt from in a process of its own, rules included, with no daemon.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from history import FIRST, PACE
from measuring import ROOT, Figure, init, main, number, run, say, workplace

from cortex.evaluation.plots import chart

#: A commit in a hundred corrects something that a rule could be made of; the others are of their own kind each.
LESSON = 10
SLOTS = 400
BEGAN, STEP = 1_704_067_200, 600
AGENT = "\n\nCo-Authored-By: Claude <noreply@anthropic.com>"
CALLS = ("api.fetch(", "queue.push(", "store.load(", "cache.find(", "mail.send(", "index.look(")


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """One history after the other, smallest first."""
    figures: list[Figure] = []
    walls: list[tuple[float, float]] = []
    used: list[tuple[float, float]] = []
    largest = 3 if given.quick else given.largest
    with workplace() as folder:
        for power in range(2, largest + 1):
            commits = 10**power
            repo = folder / str(commits)
            subprocess.run(["git", "init", "--quiet", "-b", "main", str(repo)], check=True)
            say(f"{commits:,} commits: making them")
            _make(repo, commits)
            init(repo)
            said, memory = [], 0.0
            for _ in range(3 if power < 4 else 1):
                (repo / ".git" / "cortex" / "index" / "history.json").unlink(missing_ok=True)
                say(f"{commits:,} commits: learning from them")
                done = run(
                    [sys.executable, str(ROOT / "benchmarks" / "history.py"), "--inside", str(repo), "3600"]
                )
                said.append(json.loads(done.out))
                memory = max(memory, done.memory)
            wall = statistics.median(each["wall"] for each in said)
            cpu = statistics.median(each["cpu"] for each in said)
            say(f"{commits:,} commits: {number(wall)} s, {number(cpu)} s of processor, {memory:.0f} MiB")
            walls.append((commits, wall))
            used.append((commits, cpu))
            figures += [
                Figure(
                    f"{commits:,} commits: time", wall, "s",
                    note=f"{number(cpu)} s of processor; {said[0]['corrections']:,} corrections kept",
                ),
                Figure(
                    f"{commits:,} commits: changed files a second of processor",
                    said[0]["files"] / cpu, "a second", PACE, True,
                ),
                Figure(f"{commits:,} commits: first correction on the terminal", said[0]["first"], "s", FIRST),
                Figure(f"{commits:,} commits: largest memory", memory, "MiB"),
            ]  # fmt: skip
    if given.plot:
        last = used[-1]
        guide = [(commits, last[1] * commits / last[0]) for commits, _ in used]
        image = chart(
            "Learning from a history", "commits", "seconds",
            {"on the clock": walls, "of processor": used}, {"in proportion to the commits": guide},
        )  # fmt: skip
        Path(given.plot).write_text(image)
    return figures


def _make(repo: Path, commits: int) -> None:
    with subprocess.Popen(
        ["git", "fast-import", "--quiet", "--force"], cwd=repo, stdin=subprocess.PIPE
    ) as git:
        assert git.stdin is not None
        for part in _stream(commits):
            git.stdin.write(part)
        git.stdin.close()
        if git.wait():
            raise subprocess.CalledProcessError(git.returncode, "git fast-import")
    subprocess.run(["git", "reset", "--quiet", "--hard"], cwd=repo, check=True)


def _stream(commits: int) -> Iterator[bytes]:
    for at in range(commits):
        turn, step = divmod(at, 10)
        kind = turn % LESSON
        name = f"d{turn % SLOTS % 20}/m{turn % SLOTS}.py"
        if step == 0:
            message, text = f"Write {turn}{AGENT}", _file(turn, "print(item)", 0)
        elif step < 9:
            message, text = f"Go on with {turn}", _file(turn, "print(item)", step)
        else:
            call = CALLS[turn // LESSON % len(CALLS)]
            fixed = f"{call}item, retries={turn % 7})" if kind == 0 else f"total_{turn} = item + {turn}"
            message, text = f"Fix {turn}", _file(turn, fixed, 8)
        data, said = text.encode(), message.encode()
        yield b"commit refs/heads/main\ncommitter Ada Byron <ada@example.org> %d +0000\ndata %d\n%s\n" % (
            BEGAN + at * STEP, len(said), said,
        )  # fmt: skip
        yield b"M 100644 inline %s\ndata %d\n%s\n" % (name.encode(), len(data), data)


def _file(turn: int, done: str, step: int) -> str:
    rows = [f"def work_{turn}(items):", "    for item in items:", f"        {done}", "    return items", ""]
    for row in range(8):
        new = f"{turn} * {row}" if row < step else str(row)
        rows += ["", f"def part_{row}_{turn}(value):", f"    return value + {new}", ""]
    return "\n".join(rows)


if __name__ == "__main__":
    main(
        measure,
        ("--largest", {"type": int, "default": 5, "help": "the largest history, as a power of ten"}),
        ("--plot", {"default": "", "help": "write the plot into this SVG file"}),
    )
