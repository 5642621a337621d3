"""What is measured of a candidate: its age, and the code of a question that it speaks of."""

from __future__ import annotations

from itertools import pairwise

import pytest

from cortex.recall.explanation import nearest
from cortex.recall.question import Question, understand
from cortex.recall.ranking import DAY, Ranked, fits, recency
from cortex.store.items import Evidence, Item


def correction(m: str, before: str, after: str) -> Item:
    return Item(id=m, head=m, kind="correction", evidence=(Evidence("c0ffee", "a.py", before, after),))


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
        correction("other", "ledger.settle(entry)", "ledger.close(entry)"),
        Item(id="note", head="note", kind="note"),
    ]
    code = understand(Question("tidy the loop\nfor entry in rows:\n    ledger.absorb(entry)\n"))
    assert fits(code, items) == [1.0, 0.0, 0.0]


def test_prose_fits_nothing() -> None:
    items = [correction("held", "ledger.absorb(entry)", "ledger.book(entry)")]
    assert fits(understand(Question("how does the ledger absorb an entry?")), items) == []


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
