"""What the daemon costs while nothing happens: processor time and memory, with ten repositories.

    python benchmarks/daemon.py

The daemon is the real one, with the real engine: first with no model loaded, then after a question was asked of
a repository with 10,000 memories. Linux only: the figures come from /proc.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import synthetic
from measuring import Figure, main, run, say, workplace

from cortex.daemon import client, process
from cortex.repo.places import find

SHARE, BARE, LOADED = 0.5, 150.0, 250.0
REPOSITORIES = 10
MEMORIES = 10_000


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """Idle with nothing loaded, then with the models and an index."""
    if not sys.platform.startswith("linux"):
        return []
    seconds = 10 if given.quick else 60
    with workplace() as folder:
        repos = [synthetic.repository(folder / f"repo{at}", 200) for at in range(REPOSITORIES)]
        for repo in repos:
            run([sys.executable, "-m", "cortex", "init", "--no-history", str(repo)])
        synthetic.memories(find(repos[0]).store, MEMORIES)
        process.stop()  # a daemon as it is after a login: whatever `init` needed is not loaded
        pid = process.start([sys.executable, "-m", "cortex", "daemon", "run"], process.status().version).pid
        assert pid is not None
        time.sleep(5 if given.quick else 20)
        say(f"idle for {seconds} s")
        share, bare = _idle(pid, seconds), _memory(pid)
        say(f"one question to a store of {MEMORIES:,} memories")
        for _ in range(3):
            client.call(
                "ask",
                str(repos[0]),
                {"question": "how do we fetch the account before the invoice?"},
                timeout=120,
            )
        _settle(pid)
        loaded = _memory(pid)
        say(f"idle for {seconds} s")
        later = _idle(pid, seconds)
        return [
            Figure(
                f"idle, {REPOSITORIES} repositories, nothing loaded", share, "% of a core", SHARE,
                note=f"over {seconds} s",
            ),
            Figure("its resident memory", bare, "MiB", BARE, note=_largest(pid)),
            Figure(
                f"idle after a question to {MEMORIES:,} memories", later, "% of a core", SHARE,
                note=f"over {seconds} s",
            ),
            Figure("its resident memory, built-in models loaded", loaded, "MiB", LOADED),
        ]  # fmt: skip


def _settle(pid: int, most_s: float = 90.0) -> None:
    """Wait until the index that the question left to the background is made."""
    end = time.monotonic() + most_s
    while _idle(pid, 3.0) > 1.0 and time.monotonic() < end:
        continue


def _idle(pid: int, seconds: float) -> float:
    """The share of one core, in percent, that a process takes over that time."""
    before, start = _processor(pid), time.monotonic()
    time.sleep(seconds)
    return 100 * (_processor(pid) - before) / (time.monotonic() - start)


def _processor(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> float:
    """Resident memory in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def _largest(pid: int) -> str:
    """Which large libraries are loaded, in words."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    found = [
        name
        for name in ("duckdb", "onnxruntime", "tree_sitter", "numpy", "voyager", "pygit2")
        if name in maps
    ]
    return f"libraries in memory at the end: {', '.join(found) or 'none of the large ones'}"


if __name__ == "__main__":
    main(measure)
