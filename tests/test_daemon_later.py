"""What answers showed is written a moment later, many at once: no question misses it, and no answer fails by it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cortex.daemon import client, later, process
from cortex.daemon import engine as engines
from cortex.daemon.engine import Engine
from cortex.daemon.state import Models
from cortex.repo.errors import CortexError
from cortex.repo.layout import lay_down
from cortex.repo.places import find
from cortex.store.durable import NotWrittenError
from cortex.store.journal import FileJournal, create

ASKED = {"question": "how are sums made?"}


@pytest.fixture
def laid(repo: Path) -> Path:
    place = find(repo)
    lay_down(place, Path(engines.__file__).parent.parent / ".cortex-template")
    create(place.store)
    return repo


@pytest.fixture
def engine(laid: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """One that writes behind, and waits for longer than a test takes."""
    monkeypatch.setattr(later.Later.__init__, "__defaults__", (600.0,))
    made = Engine(find(laid), Models(), behind=True)
    made.handle("remember", {"text": "Sums are made with sum()."})
    yield made
    made.close()


def exposures(repo: Path) -> int:
    """How many are on the disk, as another process reads it."""
    view = FileJournal(find(repo).store, author="").view()
    return sum(len(record.body["items"]) > 0 for record in view.of_kind("exposure"))


def eventually(repo: Path, wanted: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    while exposures(repo) < wanted:
        assert time.monotonic() < end, "it was not written in time"
        time.sleep(0.02)


def test_an_answer_is_noted_within_a_second(laid: Path) -> None:
    engine = Engine(find(laid), Models(), behind=True)
    engine.handle("remember", {"text": "Sums are made with sum()."})
    engine.handle("ask", ASKED)
    eventually(laid, 1, 20.0)
    engine.handle("ask", ASKED)
    eventually(laid, 2, 20.0)  # and the next one begins anew
    engine.close()


@pytest.mark.parametrize("op", ["report", "log", "learn", "feedback", "remember", "sync"])
def test_whatever_is_asked_next_finds_it_written(engine: Engine, laid: Path, op: str) -> None:
    told = engine.handle("ask", ASKED)
    assert exposures(laid) == 0
    given = {"feedback": {"id": told["memories"][0]["id"], "verdict": "good"}, "remember": {"text": "More"}}
    with contextlib.suppress(CortexError):  # there is no remote to sync with
        engine.handle(op, given.get(op, {}))
    assert exposures(laid) == 1


@pytest.mark.parametrize("stage", ["scan", "background", "close"])
def test_the_daemons_own_work_and_its_end_come_after_it(engine: Engine, laid: Path, stage: str) -> None:
    engine.handle("ask", ASKED)
    if stage == "background":
        engine.background(lambda: True, 0.0)
    else:
        getattr(engine, stage)()
    assert exposures(laid) == 1


def test_so_many_do_not_wait_and_share_one_write(
    engine: Engine, laid: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    append = FileJournal.append

    def counted(self: FileJournal, drafts: list[object], request: str = "") -> object:
        written.append(len(drafts))
        return append(self, drafts, request)  # type: ignore[arg-type]

    monkeypatch.setattr(FileJournal, "append", counted)
    for _ in range(later.MOST):
        engine.handle("ask", ASKED)
    eventually(laid, later.MOST, 20.0)
    assert sum(written) == later.MOST
    assert len(written) <= 2


def test_who_asks_while_it_is_written_waits_until_it_is(
    engine: Engine, laid: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    append = FileJournal.append

    def slow(self: FileJournal, drafts: list[object], request: str = "") -> object:
        begun.set()
        go_on.wait(20.0)
        return append(self, drafts, request)  # type: ignore[arg-type]

    engine.handle("ask", ASKED)
    monkeypatch.setattr(FileJournal, "append", slow)
    waiting = engine._state.later
    assert waiting is not None
    writing = threading.Thread(target=waiting.flush)
    writing.start()
    begun.wait(20.0)
    assert engine.handle("ask", ASKED)["memories"], "an answer does not wait for the disk"
    threading.Timer(0.2, go_on.set).start()
    engine.handle("log", {})
    assert exposures(laid) == 2
    writing.join()


def test_a_full_disk_costs_the_trace_and_not_the_answer(
    engine: Engine, laid: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise NotWrittenError("cannot write: no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(FileJournal, "append", full)
        assert engine.handle("ask", ASKED)["memories"]
        engine.handle("log", {})
    assert "could not be noted" in caplog.text
    engine.handle("ask", ASKED)
    engine.handle("log", {})
    assert exposures(laid) == 1


def test_a_process_without_a_daemon_notes_it_at_once(laid: Path) -> None:
    engine = Engine(find(laid), Models())
    engine.handle("remember", {"text": "Sums are made with sum()."})
    engine.handle("ask", ASKED)
    assert exposures(laid) == 1
    engine.close()


def test_a_daemon_that_is_told_to_end_writes_it_first(laid: Path) -> None:
    subprocess.run([sys.executable, "-m", "cortex", "daemon", "start"], check=True, capture_output=True)
    try:
        client.call("remember", str(laid), {"text": "Sums are made with sum()."}, timeout=60)
        assert client.call("ask", str(laid), ASKED, timeout=60)["memories"]
    finally:
        process.stop(60.0)
    assert exposures(laid) == 1
