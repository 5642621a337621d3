"""Figures are said as one says them: one event waits, two wait, and two places that name a figure name the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cortex import __version__
from cortex.cli import init, mcp, render, status
from cortex.daemon.session import Session
from cortex.learning.guard.speaking import active_rules
from cortex.repo.places import find
from cortex.store.items import items
from cortex.store.journal import FileJournal, create
from cortex.store.kinds import Correction, Memory, Pattern, RuleEvent, Verdict
from cortex.store.record import Draft
from cortex.store.wording import count, times

PLAIN = render.Paint.__new__(render.Paint)
PLAIN.on = False


@pytest.mark.parametrize(
    ("number", "counted", "often"),
    [
        (0, "0 events", "0 times"),
        (1, "1 event", "once"),
        (2, "2 events", "twice"),
        (1200, "1,200 events", "1,200 times"),
    ],
)
def test_a_count_is_said_as_one_says_it(number: int, counted: str, often: str) -> None:
    assert (count(number, "event"), times(number)) == (counted, often)
    assert count(number, "memory", "memories") == counted.replace("events", "memories").replace(
        "event", "memory"
    )


def test_the_status_counts_each_thing_once_and_in_its_plural(repo: Path) -> None:
    create(find(repo).store)
    with Session.open(repo, daemon=False) as memory:
        for text in ("one", "two"):
            memory.remember(text, type="fix")
        memory.remember("three")
        FileJournal(find(repo).store, "").quarantine(b"odd", "for the test")
        told: Any = {**memory.call("report"), "daemon": {"pid": None}}
    said = status.words(told, PLAIN)
    assert "2 fixes, 1 note" in said and "1 finding in quarantine" in said
    assert "generations  0\n" in said and "0 generations" not in said


def test_init_says_when_the_past_was_read_before_it_came_to_that() -> None:
    history = {"commits": 3, "files": 0, "corrections": 0, "finished": True, "elapsed_s": 0.0}
    result: dict[str, Any] = {
        "repository": "/r", "elapsed_s": 1.0, "history": history, "memories": {"fix": 2}, "rules": {},
        "hooks": {}, "daemon": True, "notes": [],
    }  # fmt: skip
    said = init.words(result, PLAIN)
    assert "0 changed files" not in said and "3 commits, read before this" in said and "2 fixes" in said
    history.update(files=1, elapsed_s=0.2)
    assert "3 commits, 1 changed file, 0 corrections" in init.words(result, PLAIN)


def test_a_rule_and_its_finding_name_the_same_figure(repo: Path) -> None:
    place = find(repo)
    create(place.store)
    journal = FileJournal(place.store, "Ada <ada@example.org>")
    came = journal.append([Draft(Correction(before=f"f({n})", after=f"g({n})")) for n in range(10)])
    rule = Memory(
        type="rule", title="Use g", rule=Pattern(language="python", pattern="f($A)", rewrite="g($A)"),
        provenance=tuple(record.m for record in came),
    )  # fmt: skip
    m = journal.put(rule).m
    journal.put(RuleEvent(rule=m, to_state="active", support=9, commits=4, confidence=900_000))
    for good, words in (
        (0, "corrected 9 times in 4 commits"),
        (1, "corrected 9 times in 4 commits, called good once"),
    ):
        if good:
            journal.put(Verdict(of=m, verdict="good"))
        known = items(journal.view(), journal.writer)
        (item,) = (each for each in known if each.id == m)
        assert item.support == 9 + good
        (active,) = active_rules(journal.view(), known)
        assert active.message == f"Use g: {words}" and active.support == 9


def test_the_mcp_server_says_its_version() -> None:
    assert mcp.build(None).version == __version__
