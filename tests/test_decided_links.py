"""Decision records that supersede one another: what a reference means, and what it does to the memories."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cortex.daemon.session import Session
from cortex.learning.noticed.decided import Decision, read, references, successions
from cortex.repo.places import find
from cortex.store.journal import create

Commit = Callable[..., str]


def record(path: str, status: str, title: str = "Store times in UTC") -> Decision:
    found = read(path, f"# {title}\n\n## Status\n\n{status}\n\n## Decision\n\nWe store them so.\n")
    assert found is not None
    return found


def paths(*found: Decision) -> dict[str, list[str]]:
    """Successor → predecessors, by their paths."""
    of = {each.m: each.path for each in found}
    return {of[new]: [of[m] for m in old] for new, old in successions(found).items()}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[ADR 9](0009-use-x.md)", ("0009-use-x.md",)),
        ("[9. Use x](../adr/0009-use-x.md#why) on 2024-01-05", ("0009-use-x.md",)),
        ("ADR-0009", ("9",)),
        ("ADR 9 and ADR 12", ("9", "12")),
        ("#9", ("9",)),
        ("the new one of 2024-01-05", ()),
        ("version 2.4 of the driver", ()),
        ("", ()),
    ],
)
def test_a_reference_is_a_link_or_a_number(text: str, named: tuple[str, ...]):
    assert references(text) == named


@pytest.mark.parametrize(
    "status",
    [
        "Superseded by [ADR 2](0002-new.md)",
        "Superseded by ADR-0002",
        "superceded by 2",
        "Accepted in May, superseded by: [2. New](./0002-new.md).",
    ],
)
def test_the_older_record_says_what_replaced_it(status: str):
    old, new = record("docs/adr/0001-old.md", status), record("docs/adr/0002-new.md", "Accepted")
    assert paths(old, new) == {"docs/adr/0002-new.md": ["docs/adr/0001-old.md"]}
    assert not old.holds and new.holds


@pytest.mark.parametrize(
    "status",
    [
        "Accepted\n\nSupersedes [ADR 1](0001-old.md)",
        "Accepted. Supersedes ADR-0001.",
        "* Supersedes: 1",
        "Supersedes 1",
    ],
)
def test_the_newer_record_says_what_it_replaces(status: str):
    old, new = record("docs/adr/0001-old.md", "Accepted"), record("docs/adr/0002-new.md", status)
    assert paths(old, new) == {"docs/adr/0002-new.md": ["docs/adr/0001-old.md"]}


def test_front_matter_says_it_too():
    text = "---\nstatus: accepted\nsupersedes: ADR-0001\n---\n# New\n\n## Decision\n\nWe do.\n"
    new = read("docs/adr/0002-new.md", text)
    assert new is not None
    assert paths(record("docs/adr/0001-old.md", "Accepted"), new) == {new.path: ["docs/adr/0001-old.md"]}


def test_what_is_not_there_is_of_another_folder_or_of_itself_links_nothing():
    mine = record("docs/adr/0001-old.md", "Superseded by ADR 7")
    assert paths(mine, record("other/adr/0007-x.md", "Accepted")) == {}
    assert paths(record("docs/adr/0001-old.md", "Superseded by ADR 1")) == {}


def test_two_that_each_claim_to_supersede_the_other_are_left_alone():
    a = record("docs/adr/0001-a.md", "Supersedes ADR 2")
    b = record("docs/adr/0002-b.md", "Supersedes ADR 1")
    assert paths(a, b) == {}


def test_the_memories_of_decisions_are_linked(repo: Path, commit: Commit, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CORTEX_NO_DAEMON", "1")
    create(find(repo).store)
    one = "# {}\n\n## Status\n\n{}\n\n## Decision\n\nTimes are stored in {}.\n"
    commit(repo, {"docs/adr/0001-zone.md": one.format("Times in local zones", "Accepted", "local zones")})
    with Session.open(repo, daemon=False) as memory:
        memory.learn()
        commit(repo, {"docs/adr/0002-utc.md": one.format("Times in UTC", "Supersedes ADR 1", "UTC")})
        memory.learn()
        found = {each["title"]: each["id"] for each in memory.call("log", kind="decision")["memories"]}
        edges = memory.call("graph", what=found["Times in UTC"], relations=["supersedes"])["edges"]
        new, old = found["Times in UTC"], found["Times in local zones"]
        assert edges == [{"from": new, "relation": "supersedes", "to": old}]
        shown = memory.recall("in which local zones are times stored?")["memories"]
        assert [each["id"] for each in shown] == [new]
