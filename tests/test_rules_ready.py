"""Rules kept ready on disk: the same as those of the journal whatever was written since, or not used at all."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cortex.daemon import ready, receiving
from cortex.daemon.engine import Engine
from cortex.daemon.state import Models, State
from cortex.repo.places import find
from cortex.store.journal import FileJournal, create
from cortex.store.kinds import (
    MILLION,
    Correction,
    Exposure,
    Feedback,
    Memory,
    Pattern,
    Purge,
    RuleEvent,
    Shown,
    Trust,
)
from cortex.store.record import Draft


def pattern(number: int) -> Pattern:
    return Pattern("python", f"call_{number}($A)", f"call_{number}($A, 1)", words=(f"call_{number}",))


def rule(number: int) -> list[Draft]:
    body = Memory(
        type="rule", title=f"Rule {number}", language="python", rule=pattern(number), reason="é\n\u2028"
    )
    event = RuleEvent(
        rule=f"{number:032x}",
        to_state="active",
        support=3 + number % 3,
        commits=2,
        matched=3,
        confidence=MILLION,
    )
    return [Draft(body, m=f"{number:032x}"), Draft(event)]


@pytest.fixture
def store(repo: Path) -> Path:
    create(find(repo).store)
    journal(repo).append([draft for number in range(5) for draft in rule(number)])
    return repo


def journal(repo: Path) -> FileJournal:
    return FileJournal(find(repo).store, author="Ada Byron <ada@example.org>")


def fresh(repo: Path) -> State:
    return State(find(repo), Models())


def kept(repo: Path) -> None:
    fresh(repo).active.keep()


def from_the_journal(repo: Path) -> list[str]:
    state = fresh(repo)
    state.view()
    found = state.rules()
    assert state.active.ready is None
    return [repr((replace(each, evidence=()), state.shown_rule(each.id))) for each in found]


def as_it_opens(repo: Path) -> tuple[list[str], bool]:
    state = fresh(repo)
    found = state.rules()
    told = [repr((replace(each, evidence=()), state.shown_rule(each.id))) for each in found]
    return told, state.active.ready is not None


def test_kept_rules_are_those_of_the_journal_and_spare_its_reading(store: Path) -> None:
    assert as_it_opens(store)[1] is False
    kept(store)
    told, spared = as_it_opens(store)
    assert spared and len(told) == 5 and told == from_the_journal(store)
    state = fresh(store)
    assert state.rules() is state.rules()  # what was found ahead is of these
    assert not state.journal.is_read


def changes(repo: Path) -> list[Callable[[random.Random], None]]:
    own = journal(repo)

    def delete(chance: random.Random) -> None:
        alive = [m for m in own.view().memories() if own.view().current(m) and int(m, 16) < 100]
        if alive:
            own.delete(chance.choice(alive))

    def edit(chance: random.Random) -> None:
        m = f"{chance.randrange(5):032x}"
        if heads := own.view().heads(m):
            body = Memory(
                type="rule", title="Other", language="python", rule=pattern(chance.randrange(50, 99))
            )
            own.append([Draft(body, m=m, parents=tuple(each.id for each in heads))])

    def step(chance: random.Random) -> None:
        state = chance.choice(("active", "shadow", "retired"))
        own.put(
            RuleEvent(
                rule=f"{chance.randrange(9):032x}", to_state=state, confidence=chance.randrange(MILLION)
            )
        )

    def shown(chance: random.Random) -> None:
        own.put(Exposure(channel="guard", items=(Shown(memory=f"{chance.randrange(5):032x}"),)))

    def learnt(chance: random.Random) -> None:
        own.put(Correction(before=f"a({chance.random()})", after="b()", path="a.py", language="python"))

    return [
        delete,
        edit,
        step,
        shown,
        shown,
        shown,
        learnt,
        lambda chance: own.append(rule(chance.randrange(5, 99))) and None,
        lambda chance: own.put(Feedback(of=f"{chance.randrange(5):032x}", verdict="good")) and None,
        lambda chance: own.put(Purge(what=f"{chance.randrange(5):032x}")) and None,
        lambda chance: own.put(Trust(who=own.author, what=chance.choice(("accepted", "revoked")))) and None,
        lambda chance: own.seal(),
    ]


@pytest.mark.parametrize("seed", range(6))
def test_kept_rules_are_never_stale_whatever_is_written_after_them(store: Path, seed: int) -> None:
    chance = random.Random(seed)
    spared = 0
    for _ in range(25):
        if chance.random() < 0.4:
            kept(store)
        chance.choice(changes(store))(chance)
        told, used = as_it_opens(store)
        assert told == from_the_journal(store)
        spared += used
    assert spared  # it is of use, too


def test_what_is_shown_or_kept_in_private_does_not_cost_the_kept_rules(store: Path) -> None:
    kept(store)
    own = journal(store)
    for _ in range(3):
        own.put(Exposure(channel="guard"))
    assert as_it_opens(store)[1] is True
    own.put(Feedback(of="0" * 32, verdict="wrong"))  # private as well, and it is said of a rule
    assert as_it_opens(store)[1] is False


def test_a_state_that_is_open_sees_what_another_process_writes(store: Path) -> None:
    kept(store)
    state = fresh(store)
    assert len(state.rules()) == 5 and not state.journal.is_read
    journal(store).append(rule(7))
    assert len(state.rules()) == 6
    journal(store).append(rule(8))
    assert len(state.rules()) == 7


def test_a_damaged_a_cut_and_a_foreign_file_are_not_used(store: Path) -> None:
    kept(store)
    file = find(store).store / "index" / ready.FILE
    whole, right = file.read_bytes(), from_the_journal(store)
    for data in (
        b"",
        whole[:-1],
        whole[:200],
        whole.replace(b"call_3", b"evil_3"),
        b"\n" * 9,
        b"\xff" + whole,
    ):
        file.write_bytes(data)
        assert as_it_opens(store) == (right, False)
    file.unlink()
    file.mkdir()
    assert as_it_opens(store) == (right, False)
    file.rmdir()
    file.write_bytes(whole)
    assert as_it_opens(store) == (right, True)
    other = find(store).store / "writer"
    other.write_text(
        "f" * 32 + "\n"
    )  # a copied clone gets a writer of its own: what was own is another's now
    assert as_it_opens(store)[1] is False


def test_another_verdict_on_rules_from_elsewhere_makes_them_anew(store: Path) -> None:
    kept(store)
    note = find(store).store / "index" / receiving.NOTE
    note.write_bytes(b"{}")
    assert as_it_opens(store)[1] is False


def test_the_daemon_keeps_rules_ready_and_reads_nothing_again_for_it(store: Path) -> None:
    engine = Engine(find(store))
    file = find(store).store / "index" / ready.FILE
    engine.background(lambda: False, 0.1)
    assert file.exists() and as_it_opens(store)[1] is True
    engine._opened.let_go()
    shutil.rmtree(file.parent)
    engine.background(lambda: False, 0.1)
    assert not engine._state.journal.is_read
    engine.close()
