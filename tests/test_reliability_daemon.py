"""Rows 11 and 13 with the real daemon, the real commands and real git: killed, wedged, gone, many at once."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from running import git

from cortex.daemon import process
from cortex.repo.errors import CortexError
from cortex.repo.places import find
from cortex.store.journal import FileJournal
from cortex.store.kinds import Correction, Generation, Outcome

DEADLINE_S = 2.0  # what the guard may take before a commit, by default
STUB = "import requests\n"
WROTE = STUB + "\n\ndef fetch(url):\n    return requests.get(url).json()\n"
EDITED = WROTE.replace("get(url)", "get(url, timeout=10)")


def cortex(*words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cortex", *words],
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def told(*words: str, cwd: Path, **environment: str) -> dict:
    run = cortex(*words, "--json", cwd=cwd, **environment)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def eventually(law: Callable[[], object], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not law():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


def memories(repo: Path) -> set[str]:
    """The ids of all memories in the store, read from disk."""
    return {record.m for record in FileJournal(find(repo).store, author="").records()}


def current(repo: Path, kind: str) -> list[dict]:
    view = FileJournal(find(repo).store, author="").view()
    return [dict(record.body) for record in view.of_kind(kind)]


@pytest.fixture
def watched(repo: Path) -> Iterator[Path]:
    """A repository with a daemon of its own, and a file to write into."""
    (repo / "gen.py").write_text(STUB)
    git(repo, "add", "gen.py")
    git(repo, "commit", "--quiet", "-m", "Stub")
    run = cortex("init", "--no-history", cwd=repo)
    assert run.returncode == 0, run.stderr
    yield repo
    with contextlib.suppress(CortexError, OSError):
        process.stop(2.0, force=True)


def pid_of_daemon() -> int:
    pid = process.status().pid
    assert pid is not None
    return pid


def slow() -> float:
    """How much slower than a quiet machine this one is now: what a bare Python takes, over 0.06 s, 1 at least."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import json"], check=True)
    return max(1.0, (time.monotonic() - began) / 0.06)


# Row 13.


def test_twenty_starts_at_once_leave_one_daemon(watched: Path, tell: Callable[[str], None]) -> None:
    process.stop()
    starts = [
        subprocess.Popen(
            [sys.executable, "-m", "cortex", "daemon", "start", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=watched,
        )
        for _ in range(20)
    ]
    said = [each.communicate(timeout=120) for each in starts]
    assert [each.returncode for each in starts] == [0] * 20, said
    pids = {json.loads(out)["pid"] for out, _ in said}
    assert pids == {pid_of_daemon()} and len(daemons()) == 1
    tell(f"daemons: 20 started at once, {len(daemons())} left")


def daemons() -> list[int]:
    """The daemons of this test's state folder, by what the system says."""
    home = os.fsencode(f"CORTEX_HOME={os.environ['CORTEX_HOME']}")
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (each / "cmdline").read_bytes().split(b"\0")
            if words[-3:-1] == [b"daemon", b"run"] and home in (each / "environ").read_bytes().split(b"\0"):
                found.append(int(each.name))
    return found


# Row 11, with the daemon wedged or gone.


def timed(repo: Path, *words: str) -> float:
    began = time.monotonic()
    git(repo, *words)
    return time.monotonic() - began


def test_a_wedged_daemon_delays_a_commit_by_the_deadline_at_most(
    watched: Path, tell: Callable[[str], None]
) -> None:
    alone = timed(watched, "-c", "core.hooksPath=/dev/null", "commit", "--quiet", "--allow-empty", "-m", "x")
    pid = pid_of_daemon()
    os.kill(pid, signal.SIGSTOP)
    try:
        times = [timed(watched, "commit", "--quiet", "--allow-empty", "-m", f"Wedged {n}") for n in range(3)]
    finally:
        os.kill(pid, signal.SIGCONT)
    tell(f"wedged daemon: 3 commits, {max(times):.2f} s at most (without hooks {alone:.2f} s)")
    assert max(times) < alone + DEADLINE_S + 0.5 * slow()
    assert git(watched, "log", "-1", "--format=%s") == "Wedged 2"


def test_a_command_does_not_wait_long_for_a_wedged_daemon_and_loses_nothing(watched: Path) -> None:
    pid = pid_of_daemon()
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        m = told("remember", "Stored while it was wedged.", cwd=watched)["id"]
        taken = time.monotonic() - began
    finally:
        os.kill(pid, signal.SIGCONT)
    assert m in memories(watched) and taken < 15 * slow()
    # What lies in the daemon's queue was done without it: it is not done again.
    told("log", cwd=watched)
    time.sleep(1.0)
    assert len([each for each in current(watched, "memory") if each["text"].startswith("Stored")]) == 1


def test_what_happens_while_the_daemon_is_down_is_spooled_and_learnt_later(watched: Path) -> None:
    process.stop()
    told("record", "--path", "gen.py", "--agent", "t", cwd=write(watched, WROTE), CORTEX_NO_DAEMON="1")
    write(watched, EDITED)
    git(watched, "commit", "--quiet", "-am", "While it was down")
    payload = {"hook_event_name": "PostToolUse", "session_id": "s", "cwd": str(watched), "tool_name": "Write"}
    payload |= {"tool_input": {"file_path": str(watched / "b.py"), "content": "x = 1\n"}}
    subprocess.run(
        ["/bin/sh", str(watched / ".git" / "cortex" / "hooks" / "run"), "agent", "claude-code"],
        input=json.dumps(payload).encode(),
        check=True,
        cwd=watched,
        env={**os.environ, "CORTEX_NO_DAEMON": "", "PATH": "/usr/bin:/bin"},
    )
    assert cortex("daemon", "start", cwd=watched).returncode == 0
    eventually(lambda: len(current(watched, Outcome.KIND)) == 1 and current(watched, Correction.KIND))
    eventually(lambda: len(current(watched, Generation.KIND)) == 2)
    eventually(lambda: not list((watched / ".git" / "cortex" / "spool").glob("*.git.*")))


def write(repo: Path, text: str) -> Path:
    (repo / "gen.py").write_text(text)
    return repo


def test_a_repository_deleted_under_the_daemon_spoils_no_other(watched: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    assert cortex("init", "--no-history", cwd=other).returncode == 0
    pid = pid_of_daemon()
    shutil.rmtree(other)
    m = told("remember", "The other one is gone.", cwd=watched)["id"]
    assert m in memories(watched) and pid_of_daemon() == pid
    assert not other.exists(), "the daemon made the folder again"
    assert cortex("status", cwd=watched).returncode == 0


def test_a_repository_replaced_under_the_daemon_gets_what_is_written(watched: Path, tmp_path: Path) -> None:
    told("remember", "The first one.", cwd=watched)
    shutil.rmtree(watched)
    watched.mkdir()
    git(watched, "init", "--quiet")
    assert cortex("init", "--no-history", cwd=watched).returncode == 0
    m = told("remember", "The second one.", cwd=watched)["id"]
    assert m in memories(watched)
    assert [each["text"] for each in told("log", cwd=watched)["memories"]] == ["The second one."]


def test_a_store_deleted_under_the_daemon_is_told_and_init_makes_it_again(watched: Path) -> None:
    told("remember", "The first one.", cwd=watched)
    shutil.rmtree(watched / ".git" / "cortex")
    run = cortex("remember", "Nowhere to go.", cwd=watched)
    assert run.returncode == 3 and "cortex init" in run.stderr, (run.stdout, run.stderr)
    git(watched, "commit", "--quiet", "--allow-empty", "-m", "It goes on")
    assert cortex("init", "--no-history", cwd=watched).returncode == 0
    m = told("remember", "Here.", cwd=watched)["id"]
    assert m in memories(watched)


def test_a_state_folder_that_cannot_be_written_stops_no_command(watched: Path, tmp_path: Path) -> None:
    process.stop()
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the state folder should be")
    for words in (("remember", "Use UTC."), ("log",), ("ask", "which times?"), ("check",), ("status",)):
        run = cortex(*words, cwd=watched, CORTEX_HOME=str(blocked / "home"))
        assert run.returncode == 0 and "Traceback" not in run.stderr, (words, run.stderr)
    run = cortex("daemon", "start", cwd=watched, CORTEX_HOME=str(blocked / "home"))
    assert run.returncode == 3 and "cannot write" in run.stderr
