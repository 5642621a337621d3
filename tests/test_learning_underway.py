"""The chance of a rule while its change is under way, and what it decides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cortex.learning.rules.backtest import BackTest, backtest
from cortex.learning.rules.lifecycle import ACTIVE, SHADOW, Evidence, Settings, decide
from cortex.learning.rules.underway import WEIGHTS, Whole, chance, facts, wraps
from cortex.store.kinds import Pattern

PLAIN = Whole(0.9, 3.0, 10, 0, 0.1)
AT_WORK = Evidence(4, 4.0, 2, confirmed=False, in_progress=True)


def test_every_weight_has_its_fact() -> None:
    assert set(facts(PLAIN)) == set(WEIGHTS)


@pytest.mark.parametrize(
    "worse",
    [
        replace(PLAIN, posterior=0.6),
        replace(PLAIN, stood=300),
        replace(PLAIN, far=10),
        replace(PLAIN, rarity=0.9),
        replace(PLAIN, wraps=True),
    ],
)
def test_what_speaks_against_a_key_lowers_its_chance(worse: Whole) -> None:
    assert 0 < chance(worse) < chance(PLAIN) < 1


def test_a_wrap_takes_nothing_away() -> None:
    assert wraps(Pattern(pattern="f($A)", rewrite="g(f($A))"))
    assert wraps(Pattern(pattern="f($A)", rewrite="f($A, x=1)"))
    assert not wraps(Pattern(pattern="f($A)", rewrite="g($A)"))


def test_the_widest_form_speaks_only_while_its_change_is_under_way() -> None:
    wide = replace(AT_WORK, wide=True)
    assert decide(wide, BackTest()).state == ACTIVE
    assert (
        decide(replace(wide, in_progress=False, confirmed=True, support=9, weight=9.0), BackTest()).state
        == SHADOW
    )
    common = BackTest(stood=60, far=60, files=100, holding=50, common=True)
    assert decide(wide, common).state == SHADOW
    assert "so general a form" in decide(wide, common).reason


def test_a_change_under_way_has_a_threshold_of_its_own() -> None:
    test = BackTest(matched=44, stood=40, far=0, files=100, holding=20, left=1)
    sure = decide(AT_WORK, test).confidence
    assert decide(AT_WORK, test, Settings(progress_confidence=sure - 0.01)).state == ACTIVE
    assert decide(AT_WORK, test, Settings(progress_confidence=sure + 0.01)).state == SHADOW


def test_accepted_places_in_other_folders_are_counted() -> None:
    pattern = Pattern(language="python", pattern="old($A)", rewrite="new($A)", words=("old",))
    files = [("src/a.py", "old(1)\n"), ("src/b.py", "old(2)\nold(3)\n"), ("lib/c.py", "old(4)\n")]
    assert backtest(pattern, files, touched=["src/a.py"]).far == 1
    assert backtest(pattern, files).far == 0, "where nothing was corrected, nothing is far from it"
