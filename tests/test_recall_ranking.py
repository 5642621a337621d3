"""What is measured of a candidate: its age, and the code of a question that it speaks of."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from cortex.recall.candidates import Candidates, Items
from cortex.recall.explanation import nearest
from cortex.recall.question import Question, understand
from cortex.recall.ranking import DAY, MISSES, Ranked, fits, rank, recency, repeats
from cortex.store.edits import edit_key
from cortex.store.items import Evidence, Item
from cortex.store.protocols import Floats


def correction(m: str, before: str, after: str, commit: str = "c0ffee") -> Item:
    return Item(id=m, head=m, kind="correction", evidence=(Evidence(commit, "a.py", before, after),))


def test_an_hour_is_told_from_a_day_as_a_month_is_from_half_a_year() -> None:
    ages = [0, DAY // 24, DAY, 7 * DAY, 30 * DAY, 180 * DAY, 2_000 * DAY]
    told = [recency(age) for age in ages]
    assert told == sorted(told, reverse=True)
    assert told[0] == pytest.approx(1.0)
    assert recency(-DAY) == told[0]  # a clock that is ahead
    steps = [one - other for one, other in pairwise(told[1:])]
    assert min(steps) > 0.04


def test_a_correction_fits_code_that_holds_what_it_took_away() -> None:
    items = [
        correction("held", "ledger.absorb(entry)", "ledger.book(entry)"),
        correction("other", "clerk.settle(entry)", "clerk.close(entry)"),
        correction("none", "", "book.sign()"),
        Item(id="note", head="note", kind="note"),
    ]
    code = "for entry in rows:\n    ledger.absorb(\n        entry)\n"
    told = fits(understand(Question(f"tidy the loop\n{code}")), items)
    assert told[0] == pytest.approx(3 * told[1])  # three of three names, and one of three
    assert told[2:] == [None, None]


def test_code_that_stands_in_the_file_as_it_was_fits_more_than_its_names() -> None:
    items = [
        correction("there", "ledger.absorb(entry)", "ledger.book(entry)"),
        correction("names", "entry.absorb(ledger)", "entry.book(ledger)"),
        correction("used", "entry.absorb(ledger)", "entry.rows(ledger)"),
    ]
    asked = Question("tidy the loop", path="a.py", code="for entry in rows:\n    ledger.absorb(entry)\n")
    there, names, used = fits(understand(asked), items)
    assert there > used > names > 0.5


def test_prose_fits_nothing() -> None:
    items = [correction("held", "ledger.absorb(entry)", "ledger.book(entry)")]
    assert fits(understand(Question("how does the ledger absorb an entry?")), items) == []


def test_an_edit_repeats_as_often_as_commits_made_it() -> None:
    items = [
        correction("a", "absorb(entry)", "book(entry)", "one"),
        correction("b", "absorb(page)", "book(page)", "two"),
        correction("c", "absorb(leaf)", "book(leaf)", "two"),
        correction("d", "settle(entry)", "close(entry)", "one"),
        Item(id="note", head="note", kind="note"),
    ]
    assert repeats(found(items), range(5)) == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0, 0])
    assert repeats(found(items), [0, 3, 4]) == pytest.approx([1 / 3, 0, 0])
    many = [correction(str(n), "absorb(a)", "book(a)", str(n)) for n in range(20)]
    assert repeats(found(many), [0]) == [1]


@pytest.mark.parametrize("code", ["", "for entry in rows:\n    ledger.absorb(entry)\n"])
def test_what_is_measured_holds_all_that_is_good_enough_and_the_nearest_of_the_rest(
    code: str, seed: int
) -> None:
    chance = random.Random(seed)
    good = 0
    for _ in range(150):
        items = [drawn(chance, number) for number in range(chance.randrange(60))]
        among = found(items, chance)
        asked = understand(Question("tidy the loop in Python", path="src/a.py" if code else "", code=code))
        ranked, whole = (rank(asked, among, DAY, None, whole=each) for each in (False, True))
        assert [each for each in ranked if not each.dropped] == [each for each in whole if not each.dropped]
        assert nearest(ranked, MISSES) == nearest([each for each in whole if each in ranked], MISSES)
        if not code:
            weak = [[each for each in some if each.dropped == "weak"] for some in (ranked, whole)]
            assert nearest(weak[0], MISSES) == nearest(weak[1], len(nearest(weak[0], MISSES)))
        good += any(not each.dropped for each in ranked)
    assert good > 20


def drawn(chance: random.Random, number: int) -> Item:
    """A correction of one of a few edits, or a note, that somebody may have spoken against."""
    sides = chance.choice(
        [("ledger.absorb(entry)", "ledger.book(entry)"), ("f(one)", "g(one)"), ("", "h(two)")]
    )
    return replace(
        correction(f"m{number:02}", *sides, commit=f"c{chance.randrange(4)}"),
        kind=chance.choice(["correction", "correction", "note"]),
        language=chance.choice(["python", "go", ""]),
        status=chance.choice(["", "", "", "retired"]),
        against=chance.choice([0, 0, 0, 3]),
        created=chance.randrange(DAY),
    )


def found(items: Sequence[Item], chance: random.Random | None = None) -> Candidates:
    """The items as candidates, with numbers drawn by chance where there is some."""

    def drawn_numbers() -> Floats:
        return np.array([chance.random() if chance else 0.0 for _ in items], np.float32)

    graph = {each.id: chance.choice([0.25, 0.5, 1.0]) for each in items if chance and chance.random() < 0.1}
    return Candidates(
        items=Items([each.id for each in items], {each.id: each for each in items}),
        code=drawn_numbers(),
        text=drawn_numbers() * np.float32(0.8),
        words=drawn_numbers(),
        bm25=drawn_numbers(),
        fused=drawn_numbers(),
        edits=np.array([edit_key(each) for each in items], np.uint64),
        languages=[each.language for each in items],
        size=len(items),
        dropped={},
        graph=graph,
    )


def test_the_words_of_the_file_under_work_are_looked_for_and_say_nothing_of_what_is_meant() -> None:
    asked = understand(Question("tidy the loop", path="net/dial.py"))
    assert {"net", "dial", "loop"} <= set(asked.terms)
    assert {term for term, _, _ in asked.weighted} == {"tidi", "loop"}


def test_what_was_good_enough_and_left_out_is_told_before_what_was_weak() -> None:
    def missed(m: str, dropped: str, similarity: float, recency_: float = 0.0) -> Ranked:
        why = {"similarity": similarity, "recency": recency_}
        return Ranked(Item(id=m, head=m, kind="note"), sum(why.values()), why, dropped)

    left = [
        missed("new", "weak", 0.1, 0.8),
        missed("near", "weak", 0.4),
        missed("against", "contradicted", 0.3),
    ]
    assert [each.item.id for each in nearest(left)] == ["against", "near", "new"]
