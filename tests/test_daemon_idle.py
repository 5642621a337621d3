"""What the daemon holds is bounded: a repository in which nothing happens is let go of, and read again when asked."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from cortex.daemon import upkeep
from cortex.daemon.engine import Engine
from cortex.repo.layout import lay_down
from cortex.repo.places import LINK, find
from cortex.store.fold import View
from cortex.store.journal import FileJournal, create


@pytest.fixture
def engine(repo: Path) -> Engine:
    place = find(repo)
    lay_down(place, Path(upkeep.__file__).parent.parent / ".cortex-template")
    create(place.store)
    return Engine(place)


def settle(engine: Engine) -> None:
    while engine.background(lambda: False, 1.0):
        pass


def held(engine: Engine) -> bool:
    return engine._state.journal._view is not None or bool(engine._state._index)


def test_an_idle_repository_is_let_go_of_and_comes_back(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    m = engine.handle("remember", {"text": "Sums are made with sum()."})["id"]
    assert [each["id"] for each in engine.handle("ask", {"question": "how are sums made?"})["memories"]] == [
        m
    ]
    settle(engine)
    assert held(engine), "it was in use just now"
    monkeypatch.setattr(upkeep, "IDLE_S", 0.0)
    settle(engine)
    assert not held(engine)
    engine.drain()
    engine.scan()  # what the loop does now and then loads nothing
    settle(engine)
    assert not held(engine)
    assert [each["id"] for each in engine.handle("ask", {"question": "how are sums made?"})["memories"]] == [
        m
    ]
    engine.close()


def came_in(engine: Engine) -> bool:
    """Whether nobody keeps the engine's lock."""
    free = engine._lock.acquire(timeout=0)
    if free:
        engine._lock.release()
    return free


def test_a_scan_reads_the_journal_before_it_keeps_others_out(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, free = FileJournal.view, []

    def view(journal: FileJournal) -> View:
        if not journal.is_read:
            other = threading.Thread(target=lambda: free.append(came_in(engine)))
            other.start()
            other.join()
        return read(journal)

    monkeypatch.setattr(FileJournal, "view", view)
    engine.scan()
    assert free == [True]


def test_the_first_operation_in_a_work_tree_makes_its_link(engine: Engine) -> None:
    root = engine.place.root
    assert root is not None
    (root / LINK).unlink()
    engine.handle("remember", {"text": "Sums", "at": str(root)})
    assert (root / LINK).exists()
    (root / LINK).unlink()
    (root / LINK).write_text("the person's own file\n")
    engine.handle("remember", {"text": "Sums", "at": str(root)})
    assert (root / LINK).read_text() == "the person's own file\n"
    engine.close()
