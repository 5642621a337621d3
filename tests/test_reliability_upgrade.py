"""An upgraded package beside a daemon of the version before: the old one finishes and ends, the new one takes over."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cortex import __version__
from cortex.daemon import client, process
from cortex.repo.errors import CortexError

#: A daemon that says it is of another version, and takes its time for one of its answers.
OLD = """
import sys, time
import cortex
cortex.__version__ = "0.0.1"
from cortex.cli.entry import main
from cortex.daemon.engine import Engine
handle = Engine.handle
def slowly(self, op, *rest):
    if op == "log":
        time.sleep(2)
    return handle(self, op, *rest)
Engine.handle = slowly
sys.exit(main(["daemon", "run"]))
"""


def cortex(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cortex", *words],
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if name != "CORTEX_NO_DAEMON"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def old(repo: Path) -> Iterator[Path]:
    """A repository whose daemon is of version 0.0.1."""
    assert cortex("init", "--no-history", cwd=repo).returncode == 0
    with contextlib.suppress(CortexError):
        process.stop(10.0)
    told = process.start([sys.executable, "-c", OLD], "0.0.1")
    assert told.version == "0.0.1"
    yield repo
    with contextlib.suppress(CortexError, OSError):
        process.stop(5.0, force=True)


def watch(seen: list[tuple[str, bool]]) -> None:
    """Note what is said of the daemon, as often as it changes, until this version's runs."""
    end = time.monotonic() + 30
    while time.monotonic() < end and (not seen or seen[-1] != (__version__, False)):
        now = process.status()
        said = (now.version, now.starting) if now.pid is not None or now.starting else ("", False)
        if not seen or seen[-1] != said:
            seen.append(said)
        time.sleep(0.02)


def test_after_an_upgrade_the_first_command_replaces_the_daemon(old: Path) -> None:
    before = process.status()
    said = cortex("daemon", "status", cwd=old)
    assert said.returncode == 0 and "the next command replaces it" in said.stdout
    answers: list[dict[str, object]] = []
    waiting = threading.Thread(target=lambda: answers.append(client.call("log", str(old), timeout=30)))
    waiting.start()  # the old daemon is at work on it while it is asked to end
    time.sleep(0.3)
    seen: list[tuple[str, bool]] = []
    watching = threading.Thread(target=watch, args=(seen,))
    watching.start()
    first = cortex("remember", "Sums are made with sum().", "--json", cwd=old)
    assert first.returncode == 0, first.stderr
    watching.join(60)
    assert ("", False) not in seen, f"it says that none runs, of {seen}"
    assert seen[-1] == (__version__, False)
    assert ("0.0.1", True) in seen, seen  # it said that another takes over
    waiting.join(30)
    assert len(answers) == 1, "what the old daemon had begun was not finished"
    assert process.status().pid != before.pid
    shown = json.loads(cortex("log", "--json", cwd=old).stdout)
    assert [each["id"] for each in shown["memories"]] == [json.loads(first.stdout)["id"]]


def test_the_quick_commands_notice_it_too(old: Path) -> None:
    asked = cortex("ask", "how are sums made?", "--json", cwd=old)
    assert asked.returncode == 0, asked.stderr
    end = time.monotonic() + 30
    while process.status().version != __version__ and time.monotonic() < end:
        time.sleep(0.05)
    assert process.status().version == __version__


def test_a_start_that_fails_is_not_announced_for_long(tmp_path: Path) -> None:
    with pytest.raises(CortexError):
        process.start([sys.executable, "-c", "raise SystemExit(1)"], __version__, wait_s=1.0)
    assert process.status() == process.Status()


def test_a_sandbox_that_hides_the_socket_is_told_from_a_start(repo: Path, tmp_path: Path) -> None:
    assert cortex("init", "--no-history", cwd=repo).returncode == 0
    pid = process.start([sys.executable, "-m", "cortex", "daemon", "run"], __version__).pid
    folder = Path(client.socket_path()).parent
    try:
        folder.chmod(0o755)  # as good as out of reach: no client trusts it now
        said = cortex("remember", "Kept without the daemon.", cwd=repo)
        assert said.returncode == 0, said.stderr
        for now in (process.status(), process.status()):
            assert now.pid == pid and now.problem and not now.starting
        shown = cortex("status", "--json", cwd=repo)
        problems = " ".join(json.loads(shown.stdout)["problems"])
        assert "cannot be reached from here" in problems and "hooks spool" in problems
    finally:
        folder.chmod(0o700)
        process.stop(10.0, force=True)
