"""Ways in which a like system failed, each a test by its name; docs/reliability.md says where the others are."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import git

from cortex.cli.main import run as main
from cortex.daemon import client, server
from cortex.daemon.registry import Registry
from cortex.daemon.workers import Workers
from cortex.repo.places import find
from cortex.store import sync
from cortex.store.backup import backup, restore
from cortex.store.journal import FileJournal


def run(*words: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(list(words))
    return status, out.getvalue(), err.getvalue()


def told(*words: str) -> dict:
    status, out, err = run(*words, "--json")
    assert status == 0, (words, err)
    return json.loads(out)


def on_disk(repo: Path) -> set[str]:
    return {record.m for record in FileJournal(find(repo).store, author="").records()}


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORTEX_NO_DAEMON", "1")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))


@pytest.fixture
def clone(repo: Path) -> Path:
    told("init", str(repo), "--no-history")
    return repo


def test_success_printed_means_stored(clone: Path) -> None:
    """Each id that a command prints is on disk when it ends, whatever it wrote."""
    at = ("-C", str(clone))
    m = told("remember", *at, "Use UTC.")["id"]
    (clone / "gen.py").write_text("x = 1\n")
    generation = told("record", *at, "--path", str(clone / "gen.py"))["generation"]
    feedback = told("feedback", *at, m, "good")["feedback"]
    assert {m, generation, feedback} <= on_disk(clone)
    assert run("forget", *at, m)[0] == 0
    assert FileJournal(find(clone).store, author="").view().current(m) is None


def test_a_stale_snapshot_that_is_imported_takes_nothing_back(clone: Path, tmp_path: Path) -> None:
    store = find(clone).store
    journal = FileJournal(store, author="a")
    at = ("-C", str(clone))
    forgotten = told("remember", *at, "To be forgotten.")["id"]
    backup(store, tmp_path / "old")
    later = told("remember", *at, "Written later.")["id"]
    run("forget", *at, forgotten)
    restore(tmp_path / "old", store)
    view = journal.view()
    assert view.current(forgotten) is None and view.current(later) is not None


def test_a_push_that_hangs_ends(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(clone, "remote", "add", "origin", "ssh://example.org/x.git")
    monkeypatch.setenv("GIT_SSH_COMMAND", "sleep 30; true")
    monkeypatch.setattr(sync, "TIMEOUT", 1.0)
    m = told("remember", "-C", str(clone), "Use UTC.")["id"]
    began = time.monotonic()
    status, _, err = run("sync", "-C", str(clone))
    assert status == 3 and "no answer within" in err and time.monotonic() - began < 10
    assert m in on_disk(clone)


def test_the_time_out_of_the_guard_does_not_kill_the_hooks_beside_it(repo: Path) -> None:
    """The person's hook takes longer than Cortex would wait for itself; it runs to its end."""
    hook = repo / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\nsleep 1.2\necho done >>.git/theirs\n")
    hook.chmod(0o755)
    told("init", str(repo), "--no-history")
    shim = repo / ".git" / "cortex" / "hooks" / "run"
    text = shim.read_text()
    slow = repo / "slow"
    slow.write_text("#!/bin/sh\nsleep 20\n")
    slow.chmod(0o755)
    line = next(each for each in text.splitlines() if each.startswith("program="))
    shim.write_text(
        text.replace(line, f"program={slow}").replace(
            "git.pre-commit) seconds=2", "git.pre-commit) seconds=0.3"
        )
    )
    assert "seconds=0.3" in shim.read_text()
    git(repo, "commit", "--quiet", "--allow-empty", "-m", "x")
    assert (repo / ".git" / "theirs").read_text() == "done\n"


def test_no_work_tree_pins_the_branch(clone: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "origin.git")
    git(clone, "remote", "add", "origin", str(tmp_path / "origin.git"))
    told("remember", "-C", str(clone), "Use UTC.")
    told("sync", "-C", str(clone))
    assert len(git(clone, "worktree", "list").splitlines()) == 1
    git(clone, "branch", "-D", "cortex/memory")
    told("sync", "-C", str(clone))
    assert git(clone, "rev-parse", "--verify", "refs/heads/cortex/memory")


def test_a_work_tree_that_is_missing_but_registered_stops_nothing(clone: Path, tmp_path: Path) -> None:
    git(clone, "worktree", "add", "--quiet", str(tmp_path / "beside"))
    told("init", str(tmp_path / "beside"), "--no-history")
    shutil.rmtree(tmp_path / "beside")
    at = ("-C", str(clone))
    (clone / "gen.py").write_text("x = 1\ny = 2\n")
    told("record", *at, "--path", str(clone / "gen.py"))
    (clone / "gen.py").write_text("x = 1\ny = 3\n")
    git(clone, "add", "gen.py")
    git(clone, "commit", "--quiet", "-m", "Gen")
    assert told("learn", *at)["outcomes"] == {"edited": 1}
    for words in (("check",), ("log",), ("sync",), ("status",)):
        told(words[0], *at)
    told("init", str(clone), "--no-history")
    told("uninit", str(clone))


def test_a_work_tree_is_deleted_while_its_state_is_open(clone: Path, tmp_path: Path) -> None:
    """One engine serves all work trees of a clone: what goes wrong in one must not stay with the others."""
    from cortex.daemon.engine import Engine

    engine = Engine(find(clone))
    git(clone, "worktree", "add", "--quiet", str(tmp_path / "beside"))
    engine.handle("remember", {"text": "Beside.", "at": str(tmp_path / "beside")})
    shutil.rmtree(tmp_path / "beside")
    with pytest.raises(Exception, match="beside"):
        engine.handle("remember", {"text": "Gone.", "at": str(tmp_path / "beside")})
    m = str(engine.handle("remember", {"text": "Here.", "at": str(clone)})["id"])
    assert m in on_disk(clone)


# Several daemons.


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[list[dict[str, str]]]:
    """Two state folders: two daemons that know nothing of each other, as in a container and beside it."""
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir(mode=0o700)
        runtime = {"CORTEX_HOME": str(tmp_path / name), "XDG_RUNTIME_DIR": str(tmp_path / name)}
        found.append({**os.environ, **runtime, "CORTEX_NO_DAEMON": ""})
    yield found
    for environment in found:
        words = [sys.executable, "-m", "cortex", "daemon", "stop", "--force"]
        subprocess.run(words, env=environment, check=False, capture_output=True)


def test_two_daemons_on_one_repository_lose_nothing(clone: Path, homes: list[dict[str, str]]) -> None:
    for environment in homes:
        words = [sys.executable, "-m", "cortex", "daemon", "start"]
        subprocess.run(words, env=environment, check=True, capture_output=True, cwd=clone)
    program = (
        "import sys; from cortex.daemon import client\n"
        "for n in range(25):\n"
        "    args = {'text': f'{sys.argv[2]} {n}', 'at': sys.argv[1]}\n"
        "    print(client.call('remember', sys.argv[1], args, timeout=20)['id'])\n"
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(clone), str(number)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number, environment in enumerate(homes)
    ]
    said = [each.communicate(timeout=60)[0].split() for each in writers]
    assert [each.returncode for each in writers] == [0, 0] and [len(each) for each in said] == [25, 25]
    assert {*said[0], *said[1]} <= on_disk(clone)
    # Each sees what the other wrote.
    for environment in homes:
        words = [sys.executable, "-m", "cortex", "log", "--json"]
        shown = subprocess.run(words, env=environment, check=True, capture_output=True, cwd=clone)
        assert json.loads(shown.stdout)["total"] == 50


@contextlib.contextmanager
def listening(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A daemon's server in this process, which holds no repository; its socket's path."""
    path = str(folder / "d.sock")
    monkeypatch.setattr(client, "socket_path", lambda: path)
    monkeypatch.setattr(client, "default_socket", lambda: path)
    workers = Workers(Registry(folder), lambda place: pytest.fail("no repository is asked"))
    there = server.Server(workers, path, "1", threading.Event())
    there.start()
    yield path
    there.close(1.0)


def test_a_chmod_that_fails_on_the_socket_stops_no_daemon(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(1, "the file system of the container refuses it")

    folder = tmp_path_factory.mktemp("s")
    folder.chmod(0o700)
    monkeypatch.setattr(server.os, "chmod", refused)
    with listening(folder, monkeypatch) as path:
        assert client.call("ping", timeout=5)["version"] == "1"
        with socket.socket(socket.AF_UNIX) as other:
            other.connect(path)


def test_no_other_persons_process_is_served_nor_believed(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with listening(tmp_path_factory.mktemp("s"), monkeypatch) as path:
        with monkeypatch.context() as another, socket.socket(socket.AF_UNIX) as other:
            another.setattr(server, "peer_uid", lambda _: os.getuid() + 1)
            other.settimeout(20)
            other.connect(path)
            assert other.recv(1) == b"", "the connection is closed without a word"
        assert client.call("ping", timeout=5)["version"] == "1"
        monkeypatch.setattr(client, "peer_uid", lambda _: os.getuid() + 1)
        with pytest.raises(client.NoDaemon, match="belongs to another user"):
            client.call("ping", timeout=5)
