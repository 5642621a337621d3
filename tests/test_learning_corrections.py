"""From generated and committed text to corrections."""

from __future__ import annotations

import pytest

from cortex.learning.categories import categorise
from cortex.learning.corrections import MAX_CORRECTIONS, corrections

BEFORE = "import requests\n\n\ndef f(u):\n    x = requests.get(u)\n    y = requests.get(u)\n    return x\n"
AFTER = BEFORE.replace("get(u)", "get(u, timeout=10)")


def test_a_correction_keeps_both_sides_with_their_place() -> None:
    first, second = corrections(
        BEFORE,
        AFTER,
        "a/b.py",
        hand="directed",
        weight=500_000,
        commit="c1",
        author="Ada",
        subject="Fix hang",
    )
    assert (first.before, first.after) == ("x = requests.get(u)", "x = requests.get(u, timeout=10)")
    assert (first.path, first.line, first.language, first.enclosing) == ("a/b.py", 5, "python", "f")
    assert (first.hand, first.weight, first.commit, first.author) == ("directed", 500_000, "c1", "Ada")
    assert first.imports == ("requests",)
    assert first.category == "bug"
    assert second.line == 6


def test_only_generated_lines_are_corrected() -> None:
    assert [each.line for each in corrections(BEFORE, AFTER, "a.py", [(6, 6)])] == [6]
    assert corrections(BEFORE, AFTER, "a.py", [(1, 3)]) == []
    assert corrections(BEFORE, AFTER, "a.py", []) == []


def test_an_insertion_counts_only_between_generated_lines() -> None:
    after = BEFORE.replace("    return x", "    check(x)\n    return x")
    assert len(corrections(BEFORE, after, "a.py", [(4, 7)])) == 1
    assert corrections(BEFORE, after, "a.py", [(4, 6)]) == []


def test_equal_edits_of_one_commit_are_one_with_a_count() -> None:
    before = "a()\nx = 1\na()\nx = 2\na()\n"
    (found,) = corrections(before, before.replace("a()", "b()"), "m.py")
    assert (found.before, found.after, found.count) == ("a()", "b()", 3)


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("a.py", "x = f(a,b)\n", "# why\nx = f(a, b)\n"),
        ("a.py", "import b\nimport a\n", "import a\nimport b\n"),
        ("a.go", "package p\nfunc f() { }\n", "package p\n\nfunc f() {}\n"),
        ("vendor/a.go", "package p\nvar a = 1\n", "package p\nvar a = 2\n"),
        ("a_pb2.py", "a = 1\n", "a = 2\n"),
    ],
)
def test_what_says_nothing_is_no_correction(path: str, before: str, after: str) -> None:
    assert corrections(before, after, path) == []


def test_a_feature_that_went_on_is_told_apart() -> None:
    after = BEFORE + "\n\ndef g(v):\n    a = load(v)\n    b = a.parse()\n    c = b.walk()\n    return c\n"
    (found,) = corrections(BEFORE, after, "a.py")
    assert found.category == "evolution"


def test_a_rewrite_of_the_file_gives_a_bounded_number() -> None:
    before = "".join(f"a{n} = f({n})\n" for n in range(500))
    assert len(corrections(before, before.replace("f(", "g("), "a.py")) == MAX_CORRECTIONS


def test_files_without_a_grammar_have_corrections_by_lines() -> None:
    (found,) = corrections("port = 80\n", "port = 8080\n", "conf.ini")
    assert (found.before, found.after, found.language) == ("port = 80", "port = 8080", "")


@pytest.mark.parametrize(
    ("before", "after", "subject", "category"),
    [
        ("yaml.load(x)", "yaml.safe_load(x)", "", "bug"),
        ("a < b", "a <= b", "", "bug"),
        ("total", "count", "", "style"),
        ("x = a", "x: int = a", "", "style"),
        ("moment(x)", "dayjs(x)", "", "preference"),
        ("moment(x)", "dayjs(x)", "Fix crash on start", "bug"),
        ("", "one()\ntwo()\nthree()\nfour()", "", "evolution"),
    ],
)
def test_categories_are_guessed_with_a_confidence(
    before: str, after: str, subject: str, category: str
) -> None:
    kind = "call" if before else ""
    guess, confidence = categorise(before, after, kind, kind, subject)
    assert guess == category
    assert 0 < confidence < 1_000_000
