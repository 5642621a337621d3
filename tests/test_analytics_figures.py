"""DuckDB's figures over a real journal."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from cortex.store.analytics import Acceptance, Figures, figures
from cortex.store.journal import FileJournal, create
from cortex.store.kinds import Correction, Execution, Generation, Memory, Outcome

MONDAY = 1_760_313_600_000  # 2025-10-13
DAY = 86_400_000


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    create(folder)
    return folder


def journal(store: Path, at: int = MONDAY) -> FileJournal:
    ticks = count(at)
    return FileJournal(store, "Ann <ann@example.org>", clock=lambda: next(ticks))


def outcomes(log: FileJournal, agent: str, verdicts: list[tuple[str, int]]) -> None:
    execution = log.put(Execution(task="t", agent=agent)).m
    for verdict, distance in verdicts:
        generation = log.put(Generation(execution=execution, path="a.py")).m
        log.put(Outcome(generation=generation, verdict=verdict, distance=distance))


def test_an_empty_store_has_no_figures(store: Path) -> None:
    assert figures(store) == Figures()


def test_figures_count_what_is_current(store: Path) -> None:
    log = journal(store)
    first = log.put(Correction(before="a", after="b", path="x.py"))
    log.put(Correction(before="a", after="c", path="x.py"))
    note = log.put(Memory(title="n", text="n"))
    log.edit(note.m, Memory(title="n", text="edited"))
    log.delete(first.m)
    assert figures(store).kinds == {"correction": 1, "memory": 1}


def test_figures_are_the_same_before_and_after_sealing(store: Path) -> None:
    log = journal(store)
    log.put(Correction(before="a", after="b"))
    outcomes(log, "claude-code", [("accepted", 0), ("edited", 400_000)])
    before = figures(store)
    log.seal()
    assert figures(store) == before
    assert before.kinds["outcome"] == 2


def test_corrections_are_counted_by_week(store: Path) -> None:
    for at in (MONDAY, MONDAY + DAY, MONDAY + 8 * DAY):
        journal(store, at).put(Correction(before="a", after=str(at)))
    assert figures(store).corrections_by_week == (("2025-10-13", 2), ("2025-10-20", 1))


def test_acceptance_is_counted_by_agent(store: Path) -> None:
    log = journal(store)
    outcomes(log, "aider", [("rejected", 1_000_000)])
    outcomes(log, "claude-code", [("accepted", 0), ("edited", 300_000), ("accepted", 0)])
    found = figures(store)
    assert found.acceptance == (Acceptance("aider", 0, 0, 1), Acceptance("claude-code", 2, 1, 0))
    assert found.distance == 150_000


def test_damaged_lines_are_counted_and_stop_nothing(store: Path) -> None:
    log = journal(store)
    log.put(Correction(before="a", after="b"))
    (file,) = [path for path in (store / "wal").glob("*.jsonl") if path.stat().st_size]
    with file.open("ab") as out:
        out.write(b'{torn\n\xff\xfe\x00\n{"id": "x", "t": "soon"}\n[1]\n')
    found = figures(store)
    assert found.kinds == {"correction": 1}
    assert found.damaged == 4


def test_a_store_may_lie_below_a_name_that_looks_like_a_pattern(tmp_path: Path) -> None:
    store = tmp_path / "odd [name]*" / "store"
    store.parent.mkdir()
    create(store)
    journal(store).put(Correction(before="a", after="b"))
    assert figures(store).kinds == {"correction": 1}
