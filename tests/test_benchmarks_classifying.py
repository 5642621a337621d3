"""The laws of the classifier's figures."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from classifying import Answered, figures, intervals, measure


def some(right: int, wrong: int, sure: float) -> list[Answered]:
    said = ["docs"] * right + ["test"] * wrong
    return [Answered("docs", each, sure, f"{each} {number}") for number, each in enumerate(said)]


def test_figures_count_what_is_right_and_what_is_sure() -> None:
    told = figures([*some(9, 1, 0.9), *some(2, 8, 0.5)])
    assert told["accuracy"] == pytest.approx(0.55)
    assert told["sure"] == pytest.approx(0.5)
    assert told["right where sure"] == pytest.approx(0.9)
    assert told["calibration error"] == pytest.approx(0.15)


def test_intervals_hold_the_figure_and_are_the_same_each_time() -> None:
    answers = [*some(9, 1, 0.9), *some(2, 8, 0.5)]
    low, high = intervals(answers)["accuracy"]
    assert low < figures(answers)["accuracy"] < high
    assert intervals(answers) == intervals(answers)


def test_what_was_set_aside_is_not_looked_at_unasked(capsys: pytest.CaptureFixture[str]) -> None:
    measure(None, look=False)
    told = capsys.readouterr().out
    assert "prompts, development" in told
    assert "set aside" not in told
