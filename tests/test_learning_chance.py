"""What tells whether a rule is right: fresh use, what was passed over, and where a change stands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex.learning.corrections.extraction import corrections
from cortex.learning.rules.backtest import BackTest, backtest
from cortex.learning.rules.generalise import generalise
from cortex.learning.rules.lifecycle import ACTIVE, Evidence, Settings, chance, decide, posterior
from cortex.learning.rules.revising import revise
from cortex.store.journal import FileJournal
from cortex.store.kinds import Correction, Pattern
from cortex.store.layout import create
from cortex.store.record import Draft

RULE = Pattern(
    language="python", pattern="ledger.absorb($A)", rewrite="ledger.absorb($A, 5)", words=("ledger", "absorb")
)
OLD, NEW = "ledger.absorb(a)\n", "ledger.absorb(b)\n"


@pytest.mark.parametrize(("before", "fresh"), [(OLD, 1), (OLD + NEW, 0), ("x = 1\n", 2), (None, 2)])
def test_a_match_is_fresh_when_the_file_did_not_hold_its_line(before: str | None, fresh: int) -> None:
    test = backtest(RULE, [("a.py", OLD + NEW)], earlier=lambda path: before)
    assert (test.stood, test.fresh) == (2, fresh)
    assert backtest(RULE, [("a.py", OLD + NEW)]).fresh == 0


def test_what_lies_ahead_of_a_change_was_not_passed_over() -> None:
    files = [("a.py", OLD + NEW + "ledger.absorb(c)\n"), ("b.py", OLD)]
    assert backtest(RULE, files, touched={"a.py"}).left == 3
    test = backtest(RULE, files, touched={"a.py": 2})
    assert test.left == 2
    assert [place.left for place in test.places] == [True, True, False, False]


def test_fresh_use_counts_against_a_rule_unless_it_is_the_assistants_habit() -> None:
    three, stood = Evidence(3, 3.0, 3), BackTest(stood=4)
    fresh = replace(stood, fresh=4)
    settings = Settings()
    assert posterior(three, fresh, settings) < posterior(three, stood, settings)
    assert decide(three, fresh).state != ACTIVE
    habit = replace(three, habit=1.0)
    assert posterior(habit, fresh, settings) >= posterior(three, stood, settings)
    assert decide(habit, fresh).state == ACTIVE


def test_while_a_change_goes_on_what_stands_elsewhere_says_nothing() -> None:
    three = Evidence(3, 3.0, 2, in_progress=True)
    many = BackTest(stood=30)
    assert decide(three, many).state == ACTIVE
    assert decide(replace(three, in_progress=False), many).state != ACTIVE
    assert decide(three, replace(many, left=12)).state != ACTIVE


@given(
    left=st.integers(0, 50),
    fresh=st.integers(0, 50),
    more=st.integers(0, 50),
    progress=st.booleans(),
    n=st.integers(3, 40),
)
def test_more_against_a_rule_never_raises_its_chance(
    left: int, fresh: int, more: int, progress: bool, n: int
) -> None:
    said = Evidence(n, float(n), 3, in_progress=progress)
    test = BackTest(stood=left + fresh + more, left=left, fresh=fresh)
    assert 0 < chance(said, test) < 1
    worse = replace(test, stood=test.stood + 1, left=left + 1)
    # One more place that is old makes the fresh ones a smaller share: without any, only what was left is asked.
    if not fresh:
        assert chance(said, worse) <= chance(said, test)
    assert chance(replace(said, wrong=1), test) < chance(said, test)


def seen(*pairs: tuple[str, str]) -> list[tuple[str, Correction]]:
    out = []
    for n, (before, after) in enumerate(pairs):
        found = corrections(before + "\n", after + "\n", f"m{n}.py", hand="person", commit=f"c{n}")
        out += [(f"{n}{k}", each) for k, each in enumerate(found)]
    return out


def test_the_smallest_nodes_make_a_rule_where_what_is_around_them_differs() -> None:
    found = generalise(
        seen(
            ('x["m"] = kit.Markup("a")', 'x["m"] = Markup("a")'),
            ("assert type(s) == kit.Markup", "assert type(s) == Markup"),
            ("y = [kit.Markup, z]", "y = [Markup, z]"),
        )
    )
    assert ("kit.Markup", "Markup") in {(each.pattern.pattern, each.pattern.rewrite) for each in found}


def test_a_member_renamed_in_calls_is_renamed_whatever_the_arguments_are() -> None:
    found = generalise(seen(*((f"kit.open_it({x})", f"kit.open_all({x})") for x in ("a", "b, 1", "c, d=2"))))
    assert (found[0].pattern.pattern, found[0].pattern.rewrite) == ("kit.open_it", "kit.open_all")


def test_a_text_that_all_examples_share_by_chance_is_no_receiver() -> None:
    pairs = ((f'"a b".encode("utf-8", {x})', f'"a b".encode({x})') for x in ("u", "v", "w"))
    assert all(not each.pattern.pattern.startswith('"a b"') for each in generalise(seen(*pairs)))


@pytest.mark.parametrize(
    "sides",
    [
        [(f"from {x} import a{x}, c{x}", f"from {x} import a{x}, c{x}, PY2") for x in ("m", "n", "o")],
        [(f"self.{x} = {{}}", f"self.{x} = defaultdict(list)") for x in ("m", "n", "o")],
    ],
)
def test_keywords_and_self_hold_no_rule_down(sides: list[tuple[str, str]]) -> None:
    assert generalise(seen(*sides)) == []


def test_a_rule_whose_old_form_is_still_written_stays_silent(tmp_path: Path) -> None:
    def states(name: str, before: str) -> list[str]:
        create(tmp_path / name)
        journal = FileJournal(tmp_path / name, "Ada Byron <ada@example.org>")
        sides = ((f"ledger.absorb({x})", f"ledger.absorb({x}, timeout=5)") for x in ("u", "v.w", "w[0]"))
        journal.append([Draft(each, origin="live") for _, each in seen(*sides)])
        steps = revise(journal, [("old.py", OLD + NEW)], before=lambda commit, path: before)
        return [step.to_state for step in steps]

    assert states("kept", OLD + NEW) == [ACTIVE]
    assert ACTIVE not in states("fresh", "x = 1\n")
