"""Who contradicts a memory and who is alike to it is looked up, and is whom a comparison with each would find."""

from __future__ import annotations

import random

import pytest

from cortex.models import load_counter
from cortex.recall.beside import Beside
from cortex.recall.packing import _packed, pack
from cortex.recall.ranking import Ranked
from cortex.recall.sameness import alike, contradict, silent, yields
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
        trust=chance.choice(("own", "own", "pulled")), support=chance.randrange(9),
        against=chance.choice((0, 0, 1, 30)), status=chance.choice(("", "", "", "retired")),
        evidence=tuple(Evidence("", "a.py", *each) for each in sides),
    )  # fmt: skip


def candidates(chance: random.Random) -> list[Item]:
    known: list[tuple[str, str]] = []
    return [memory(chance, number, known) for number in range(chance.randrange(2, 30))]


def contradicted(item: Item, items: list[Item]) -> bool:
    return any(
        other is not item and not silent(other) and contradict(item, other) and yields(item, other)
        for other in items
    )


def kin(item: Item, items: list[Item]) -> list[Item]:
    if item.kind != "correction" or item.trust == "pulled":
        return []
    return [
        other
        for other in items
        if other.language == item.language
        and other is not item
        and other.trust != "pulled"
        and not silent(other)
        and alike(item, other)
    ]


def test_the_lookup_finds_whom_a_comparison_with_each_finds(seed: int) -> None:
    chance = random.Random(seed)
    contraries = alikes = 0
    for _ in range(400):
        items = candidates(chance)
        beside = Beside(lambda items=items: items)  # type: ignore[misc]
        for each in items:
            wanted = contradicted(each, items), kin(each, items)
            assert (beside.contradicted(each), beside.kin(each)) == wanted
            contraries += wanted[0]
            alikes += len(wanted[1])
    assert contraries > 300 and alikes > 10, "the edits must meet, or nothing was tried"


@pytest.mark.parametrize("budget", [50, 120, 200, 500])
def test_room_for_all_is_told_from_one_count_as_from_many(budget: int) -> None:
    chance = random.Random(budget)
    counter = load_counter("builtin")
    for _ in range(40):
        items = [each for each in candidates(chance) if each.trust == "own" or chance.random() < 0.5]
        ranked = [Ranked(each, 1.0, {}, silent(each) or chance.choice(("", "", "weak"))) for each in items]
        told = pack(ranked, 5, budget, counter)
        assert told == _packed(ranked, Beside(lambda items=items: items), 5, budget, counter)  # type: ignore[misc]
        assert told.tokens == counter.count(told.context) <= budget
