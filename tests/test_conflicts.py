"""One memory changed in two places at once: both sides are shown, said in figures, and settled by one command."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from click.testing import CliRunner

from cortex.cli.main import cortex
from cortex.daemon.contracts import keeping
from cortex.daemon.session import Session
from cortex.repo.errors import UsageError
from cortex.repo.places import Place, find
from cortex.store.backup import backup, restore
from cortex.store.journal import FileJournal, create
from cortex.store.kinds import Memory
from cortex.store.record import Draft

ADA, BOB = "Ada Byron <ada@example.org>", "Bob <bob@example.org>"
UTC, LOCAL = "Times are stored in UTC.", "Times are stored in local time."


def run(place: Place, *words: str) -> str:
    done = CliRunner().invoke(cortex, [*words, "--repo", str(place.root)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return str(done.output)


@pytest.fixture
def two(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Place, Place, str]:
    """Two clones that know one memory, whose text both changed before they heard of each other; its id."""
    monkeypatch.setenv("CORTEX_NO_DAEMON", "1")
    subprocess.run(["git", "init", "--quiet", str(tmp_path / "other")], check=True)
    here, there = find(repo), find(tmp_path / "other")
    create(here.store)
    m = FileJournal(here.store, ADA).put(Memory(title="Times", text="Times are stored."), origin="cli").m
    restore(backup(here.store, tmp_path / "first").path, there.store)
    FileJournal(here.store, ADA).edit(m, Memory(title="Times", text=UTC))
    FileJournal(there.store, BOB).edit(m, Memory(title="Times", text=LOCAL))
    exchange(here, there, tmp_path / "second")
    return here, there, m


def exchange(here: Place, there: Place, file: Path) -> None:
    restore(backup(there.store, file.with_suffix(".there")).path, here.store)
    restore(backup(here.store, file.with_suffix(".here")).path, there.store)


def fits(value: Any, shape: Any) -> None:
    assert set(value) == set(get_type_hints(shape))


def test_both_sides_are_shown_with_who_wrote_them_and_how_to_settle_it(two: tuple[Place, Place, str]) -> None:
    here, _, m = two
    for words in (("log",), ("log", "--conflicts"), ("show", m), ("settle", m)):
        said = run(here, *words)
        for part in (UTC, LOCAL, "Ada Byron", "Bob", "elsewhere", f"cortex settle {m[:12]} --take mine"):
            assert part in said, (words, part, said)
    assert "1 memory has two sides in conflict" in run(here, "status")
    assert (
        "1 memory has two sides in conflict"
        in CliRunner().invoke(cortex, ["doctor", "-C", str(here.root)]).output
    )
    with Session.open(here.root or "", daemon=False) as memory:
        log = memory.log()
        fits(log, keeping.LogResult)
        (conflict,) = log["conflicts"]
        fits(conflict, keeping.ConflictResult)
        for version in conflict["versions"]:
            fits(version, keeping.VersionResult)
        assert [each["counts"] for each in conflict["versions"]] == [True, False]
        assert {each["here"] for each in conflict["versions"]} == {True, False}
        assert {each["record"] for each in conflict["versions"]} == set(memory.call("show", id=m)["conflict"])


@pytest.mark.parametrize(("take", "text"), [("mine", UTC), ("theirs", LOCAL)])
def test_the_side_that_is_taken_replaces_both_everywhere(
    two: tuple[Place, Place, str], tmp_path: Path, take: str, text: str
) -> None:
    here, there, m = two
    heads = {head.id for head in FileJournal(here.store, "").view().heads(m)}
    assert "in place of 2 versions" in run(here, "settle", m[:8], "--take", take)
    exchange(here, there, tmp_path / "third")
    for place in (here, there):
        view = FileJournal(place.store, "").view()
        (head,) = view.heads(m)
        assert head.body["text"] == text and set(head.parents) == heads and view.conflicts() == []
    assert "conflict" not in run(here, "status") and "Nothing is in conflict" in run(
        here, "log", "--conflicts"
    )
    assert len(list(FileJournal(here.store, "").records())) == 4, "all versions stay in the journal"


def test_a_text_of_ones_own_settles_it_too(two: tuple[Place, Place, str]) -> None:
    here, _, m = two
    run(here, "settle", m, "--text", "Times are stored in UTC, and shown in local time.")
    view = FileJournal(here.store, "").view()
    (head,) = view.heads(m)
    assert head.body["text"] == "Times are stored in UTC, and shown in local time." and len(head.parents) == 2


def test_a_deletion_against_an_edit_is_found_by_its_id_and_settled_either_way(
    two: tuple[Place, Place, str], tmp_path: Path
) -> None:
    here, there, m = two
    run(here, "settle", m, "--take", "mine")
    exchange(here, there, tmp_path / "third")
    FileJournal(there.store, BOB).edit(m, Memory(title="Times", text=LOCAL))
    FileJournal(here.store, ADA).delete(m)
    exchange(here, there, tmp_path / "fourth")
    said = run(here, "show", m)
    assert "deleted" in said and LOCAL in said
    assert "Nothing is in conflict" not in run(here, "log", "--conflicts")
    run(here, "settle", m, "--take", "mine")
    assert FileJournal(here.store, "").view().heads(m)[-1].op == "del"
    exchange(here, there, tmp_path / "fifth")
    assert FileJournal(there.store, "").view().current(m) is None
    assert FileJournal(there.store, "").view().conflicts() == []


def test_what_this_version_does_not_know_of_the_taken_side_is_kept(two: tuple[Place, Place, str]) -> None:
    here, _, m = two
    journal = FileJournal(here.store, ADA)
    run(here, "settle", m, "--take", "mine")
    (first,) = journal.view().heads(m)
    strange = journal._append([(Draft(Memory(text="a"), m, (first.id,)), {"mood": "blue"}, None)])[0]
    journal.append([Draft(Memory(text="b"), m, (first.id,))])
    journal.settle(m, strange.id)
    (head,) = journal.view().heads(m)
    assert head.body == strange.body and head.body["mood"] == "blue"


def test_words_that_name_no_side_are_refused(two: tuple[Place, Place, str]) -> None:
    here, _, m = two
    with Session.open(here.root or "", daemon=False) as memory:
        for given in ({"take": "both"}, {"take": "ffff"}, {}, {"take": "mine", "text": "x"}):
            with pytest.raises(UsageError):
                memory.call("settle", id=m, **given)
        memory.call("settle", id=m, take="mine")
        with pytest.raises(UsageError, match="not in conflict"):
            memory.call("settle", id=m, take="mine")
