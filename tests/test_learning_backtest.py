"""Patterns over accepted code."""

from __future__ import annotations

from cortex.learning.rules.backtest import MAX_PLACES, backtest, backtests
from cortex.store.kinds import Correction, Pattern

TIMEOUT = Pattern(
    language="python",
    pattern="requests.get($A)",
    rewrite="requests.get($A, timeout=10)",
    words=("requests", "get"),
)
FIXED = Correction(
    before="x = requests.get(u)", after="x = requests.get(u, timeout=10)", path="a.py", language="python"
)
OTHERWISE = Correction(before="y = requests.get(u)", after="y = fetch(u)", path="b.py", language="python")


def test_matches_that_stand_in_accepted_code_count_against() -> None:
    files = [
        ("a.py", "requests.get(a)\nrequests.get(b, timeout=1)\n"),
        ("b.py", "import requests\n\nrequests.get(c)\n"),
        ("c.py", "nothing = 1\n"),
        ("d.go", "package d\n"),
    ]
    found = backtest(TIMEOUT, files, touched={"a.py"})
    assert (found.matched, found.stood, found.changed, found.left) == (2, 2, 0, 1)
    assert (found.files, found.holding) == (3, 2)
    assert [(place.path, place.line) for place in found.places] == [("a.py", 1), ("b.py", 3)]


def test_matches_that_were_corrected_count_for_whatever_came_instead() -> None:
    unrelated = Correction(before="f(1)", after="f(2)", language="python")
    kept = Correction(before="requests.get(u)", after="z = requests.get(u)", language="python")
    found = backtest(TIMEOUT, [], [FIXED, OTHERWISE, unrelated, kept])
    assert (found.matched, found.stood, found.changed) == (2, 0, 2)


def test_many_patterns_share_one_pass_over_the_files() -> None:
    other = Pattern(language="python", pattern="f($A)", rewrite="g($A)", words=())
    files = iter([("a.py", "requests.get(a)\nf(1)\nf(2)\n")])
    first, second = backtests([TIMEOUT, other], files)
    assert (first.stood, second.stood) == (1, 2)


def test_generated_files_and_foreign_languages_are_passed_over() -> None:
    files = [
        ("vendor/a.py", "requests.get(a)\n"),
        ("a.js", "requests.get(a)\n"),
        ("x.txt", "requests.get(a)"),
    ]
    assert backtest(TIMEOUT, files).files == 0


def test_typescript_and_tsx_share_their_rules() -> None:
    clone = Pattern(
        language="typescript", pattern="clone($A)", rewrite="structuredClone($A)", words=("clone",)
    )
    assert backtest(clone, [("a.tsx", "const a = <b>{clone(c)}</b>;\n"), ("a.ts", "clone(1);\n")]).stood == 2


def test_the_places_that_are_kept_are_bounded() -> None:
    found = backtest(TIMEOUT, [("a.py", "requests.get(a)\n" * 100)])
    assert found.stood == 100
    assert len(found.places) == MAX_PLACES


def test_no_patterns_read_no_files() -> None:
    def never() -> None:
        raise AssertionError("read")

    assert backtests([], (never() for _ in range(1))) == []  # type: ignore[func-returns-value,misc]
