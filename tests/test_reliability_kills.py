"""Rows 3 and 13: daemons and writers killed by SIGKILL under load, and fifty daemons that start at once."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cortex import __version__
from cortex.daemon import client, process
from cortex.daemon.folder import is_held
from cortex.repo.errors import CortexError
from cortex.repo.places import find
from cortex.store.doctor import examine
from cortex.store.journal import FileJournal

PROGRAM = [sys.executable, "-m", "cortex", "daemon", "run"]
PATIENCE_S = 60.0  # for what takes milliseconds on a quiet machine
#: What a kill leaves, and the doctor may tell: half a line, which was not acknowledged, and a lock on a ref.
LEFT = ("checksum", "JSON", "owner died")

Born = Callable[[], int]
Kill = Callable[[int], None]


def eventually(law: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    end = time.monotonic() + seconds
    while not law():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.005)


def told(file: Path) -> list[str]:
    """The whole lines of a file that killed processes wrote."""
    return file.read_text().rpartition("\n")[0].splitlines() if file.exists() else []


def lost(store: Path, acknowledged: set[str]) -> set[str]:
    """What was acknowledged, and is not in the store before or not after its logs are sealed."""
    missing = set()
    for _ in range(2):
        journal = FileJournal(store, "")
        missing |= acknowledged - {each for record in journal.records() for each in (record.id, record.m)}
        journal.seal()
    assert [p for p in examine(store).problems if not any(word in p.reason for word in LEFT)] == []
    return missing


# Row 3.


def kills(
    repo: Path, zygote: Any, out: Path, chance: random.Random, count: int, born: Born, kill: Kill
) -> float:
    """Kill `count` daemons under three who write through them; the longest that one took to answer, in seconds."""
    for name in ("a", "b", "c"):
        zygote.fork("asker", out=str(out), repo=str(repo), name=name)
    slowest = 0.0
    for number in range(count):
        enough = acknowledged(out) + chance.randrange(1, 6)
        began = time.monotonic()
        pid = born()
        slowest = max(slowest, time.monotonic() - began)
        if number == count - 1 or chance.random() < 0.6:  # else it is killed as it starts
            eventually(lambda: acknowledged(out) >= enough)  # noqa: B023
        time.sleep(chance.random() * 0.02)
        kill(pid)
    return slowest


def acknowledged(out: Path) -> int:
    return sum(":" not in line for line in told(out))


def say(tell: Callable[[str], None], seed: int, repo: Path, out: Path, words: str) -> None:
    """Tell what was acknowledged and lost, and fail for what was lost."""
    lines = told(out)
    ids = {line for line in lines if ":" not in line}
    others = {line for line in lines if ":" in line}
    missing = lost(find(repo).store, ids)
    tell(f"{words}: {len(ids):,} acknowledged, {len(missing)} lost (CORTEX_SEED={seed})")
    assert not missing and ids
    refusals = ("NoDaemon", "Gone", "BusyError", "Wedged")  # the last where the machine is very busy
    assert all(line.startswith(refusals) for line in others), others


@pytest.mark.parametrize("count", [200, pytest.param(2_000, marks=pytest.mark.nightly)], ids=["200", "2,000"])
def test_daemons_killed_under_load_lose_nothing_that_they_acknowledged(
    count: int, repo: Path, zygote: Any, tmp_path: Path, seed: int, tell: Callable[[str], None]
) -> None:
    ends, out = tmp_path / "ends", tmp_path / "told"

    def born() -> int:
        (pid,) = zygote.fork("daemon", out=str(ends), version=__version__)
        return pid

    kills(repo, zygote, out, random.Random(seed), count, born, zygote.kill)
    assert told(ends) == [], "each was killed, and none ended by itself"
    say(tell, seed, repo, out, f"daemon killed: {count:,} times")


@pytest.fixture
def started() -> Iterator[Born]:
    """Starts a daemon as a command does; none is left at the end."""
    yield lambda: process.start(PROGRAM, __version__, PATIENCE_S).pid or 0
    with contextlib.suppress(CortexError, OSError):
        process.stop(2.0, force=True)


def test_a_daemon_killed_under_load_is_back_soon(
    repo: Path,
    zygote: Any,
    started: Born,
    tmp_path: Path,
    seed: int,
    tell: Callable[[str], None],
    slower: Callable[[], float],
) -> None:
    out = tmp_path / "told"
    slowest = kills(
        repo, zygote, out, random.Random(seed), 5, started, lambda pid: os.kill(pid, signal.SIGKILL)
    )
    say(tell, seed, repo, out, f"daemon killed: 5 times, started by the command, {slowest:.2f} s at most")
    assert slowest < 2.0 * slower()


@pytest.mark.parametrize("count", [200, pytest.param(5_000, marks=pytest.mark.nightly)], ids=["200", "5,000"])
def test_killed_writers_lose_nothing_that_they_acknowledged(
    count: int, repo: Path, zygote: Any, tmp_path: Path, seed: int, tell: Callable[[str], None]
) -> None:
    chance = random.Random(seed)
    out, store = tmp_path / "told", find(repo).store
    for _ in range(0, count, 2):
        pids = zygote.fork("writer", 2, out=str(out), store=str(store))
        time.sleep(chance.uniform(0.0, 0.06))
        zygote.kill(*pids)
    say(tell, seed, repo, out, f"writers killed: {count:,}, two at a time")


# Row 13.


@pytest.mark.parametrize(
    ("rounds", "at_once"),
    [(20, 5), pytest.param(500, 5, marks=pytest.mark.nightly)],
    ids=["20", "500"],
)
def test_fifty_daemons_at_once_leave_one_though_every_file_is_removed(
    rounds: int, at_once: int, zygote: Any, tmp_path: Path, tell: Callable[[str], None], monkeypatch: Any
) -> None:
    most = 0
    for first in range(0, rounds, at_once):
        homes = [tmp_path / f"home{number}" for number in range(first, first + at_once)]
        forked = [zygote.fork("daemon", 50, home, out=f"{home}.out", version="1") for home in homes]
        end = time.monotonic() + PATIENCE_S
        while len(left := zygote.left()) > at_once:
            assert time.monotonic() < end, f"{len(left)} daemons run in {at_once} folders"
            for each in (file for home in homes for file in home.glob("[!.]*") if file.is_file()):
                each.unlink(missing_ok=True)  # as somebody does who thinks that a lock is a file
            time.sleep(0.05)
        for home, pids in zip(homes, forked, strict=True):
            (winner,) = set(pids) & set(left)
            monkeypatch.setenv("CORTEX_HOME", str(home))
            assert is_held(home) and client.call("ping", timeout=PATIENCE_S)["pid"] == winner
            ends = Counter(line.partition(":")[0] for line in told(Path(f"{home}.out")))
            assert ends == {"busy": 49}, home
            most = max(most, len(set(pids) & set(left)))
        for pid in left:
            os.kill(pid, signal.SIGTERM)
        eventually(lambda: not zygote.left())
        assert all(told(Path(f"{home}.out"))[-1] == "0" for home in homes)
    tell(f"daemons: {rounds} x 50 started at once, every file removed meanwhile, {most} left each time")
