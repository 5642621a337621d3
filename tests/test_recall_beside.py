"""Who contradicts a memory and who is alike to it is looked up, and is whom a comparison with each would find."""

from __future__ import annotations

import random

import pytest

from cortex.models import load_counter
from cortex.recall.beside import Beside
from cortex.recall.packing import _packed, pack
from cortex.recall.ranking import Ranked
from cortex.recall.sameness import alike, contradict, yields
from cortex.store.items import Evidence, Item
from cortex.store.wording import headline

NAMES = ("fetch", "load", "Loader", "save_all", "TEXT", "é", "$q", "rows", "x")
REST = ("(", ")", " ", "  ", "\n", "=", ".", '"a b"', "'c'", "`d\ne`", "7", "12", ", ")


def code(chance: random.Random) -> str:
    """A few tokens of few: so that many edits undo, repeat or go on with each other."""
    return "".join(
        chance.choice(NAMES if chance.random() < 0.6 else REST) for _ in range(chance.randrange(5))
    )


def change(chance: random.Random) -> tuple[str, str]:
    before = code(chance)
    if chance.random() < 0.5:
        return before, code(chance)
    return before, before.replace(chance.choice(NAMES), chance.choice(NAMES)) + chance.choice(
        ("", ", 3", "()")
    )


def memory(chance: random.Random, number: int, known: list[tuple[str, str]]) -> Item:
    sides = [change(chance) for _ in range(chance.choice((0, 1, 1, 1, 2)))]
    if known and chance.random() < 0.5:
        back = chance.choice(known)
        sides.append(back[::-1] if chance.random() < 0.4 else back)
    known += sides
    chance.shuffle(sides)
    title = chance.choice(
        (
            headline(*sides[0]) if sides else "Mind the gap",
            "Prefer rows over load",
            "prefer `load` over `rows`",
            "Take ΑΣ and not K",
            "use k not ας",
        )
    )
    return Item(
        id=f"{number:032x}", head="", kind=chance.choice(("correction", "correction", "rule", "note")),
        title=title, language=chance.choice(("python", "python", "go", "")), created=number,
        trust=chance.choice(("own", "own", "pulled")), support=chance.randrange(9), against=chance.randrange(2),
        evidence=tuple(Evidence("", "a.py", *each) for each in sides),
    )  # fmt: skip


def candidates(chance: random.Random) -> list[Ranked]:
    known: list[tuple[str, str]] = []
    return [
        Ranked(memory(chance, number, known), 1.0, {}, chance.choice(("", "", "weak", "disputed")))
        for number in range(chance.randrange(2, 30))
    ]


def contradicted(each: Ranked, ranked: list[Ranked]) -> bool:
    return any(
        other is not each
        and other.dropped not in ("disputed", "retired")
        and contradict(each.item, other.item)
        and yields(each.item, other.item)
        for other in ranked
    )


def kin(each: Ranked, ranked: list[Ranked]) -> list[Ranked]:
    if each.item.kind != "correction" or each.item.trust == "pulled":
        return []
    return [
        other
        for other in ranked
        if other.item.language == each.item.language
        and other is not each
        and other.item.trust != "pulled"
        and other.dropped not in ("disputed", "retired")
        and alike(each.item, other.item)
    ]


def test_the_lookup_finds_whom_a_comparison_with_each_finds(seed: int) -> None:
    chance = random.Random(seed)
    contraries = alikes = 0
    for _ in range(400):
        ranked = candidates(chance)
        beside = Beside(ranked)
        for each in ranked:
            wanted = contradicted(each, ranked), kin(each, ranked)
            assert (beside.contradicted(each), beside.kin(each)) == wanted
            contraries += wanted[0]
            alikes += len(wanted[1])
    assert contraries > 300 and alikes > 10, "the edits must meet, or nothing was tried"


@pytest.mark.parametrize("budget", [50, 120, 200, 500])
def test_room_for_all_is_told_from_one_count_as_from_many(budget: int) -> None:
    chance = random.Random(budget)
    counter = load_counter("builtin")
    for _ in range(40):
        ranked = [each for each in candidates(chance) if each.item.trust == "own" or chance.random() < 0.5]
        told = pack(ranked, 5, budget, counter)
        assert told == _packed(ranked, Beside(ranked), 5, budget, counter)
        assert told.tokens == counter.count(told.context) <= budget
