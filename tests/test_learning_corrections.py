"""From generated and committed text to corrections."""

from __future__ import annotations

import pytest

from cortex.learning.corrections.categories import categorise, chances, speaks
from cortex.learning.corrections.extraction import MAX_CORRECTIONS, corrections
from cortex.learning.corrections.traits import Around, Seen, around, said, traits
from cortex.learning.corrections.weights import CORRECTS, KINDS
from cortex.learning.corrections.whole import whole
from cortex.store.kinds import Correction

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
        ("print(message)", "logger.info(message)", "", "preference"),
        ("moment(x)", "dayjs(x)", "", ""),  # surely a correction, and of which kind nobody can say
        ("moment(x)", "dayjs(x)", "Fix crash on start", "bug"),
        ("", "one()\ntwo()\nthree()\nfour()", "", "evolution"),
        ("", "if x is None:\n    return", "", ""),
        ("old_step()\nmore(a)", "", "Merge branch 'main'", "evolution"),
    ],
)
def test_categories_are_guessed_with_a_confidence(
    before: str, after: str, subject: str, category: str
) -> None:
    guess, confidence = categorise(Seen(before, after, subject))
    assert guess == category
    assert 0 < confidence < 1_000_000


def test_every_trait_has_a_weight_and_every_weight_a_trait() -> None:
    names = {*traits(Seen("a", "b")), "always"}
    assert names == set(CORRECTS)
    assert all(names == set(weights) for weights in KINDS.values())


def test_more_places_of_a_commit_make_a_lesson_less_likely() -> None:
    small, large = (chances(Seen("x = f(a)", "x = f(b)", "Fix it", places=places))[0] for places in (3, 300))
    assert small > large


def test_what_is_not_known_lies_between_what_could_be() -> None:
    unknown, *known = (
        chances(Seen("x = f(a)", "x = g(a)", "Tidy", places=places))[0] for places in (0, 2, 2_000)
    )
    assert min(known) < unknown < max(known)


def test_a_name_that_changed_all_over_the_file_went_with_the_feature() -> None:
    before, after = "a.old = 1\nb.old = 2\nc = old + 3\n", "a.late = 1\nb.late = 2\nc = late + 3\n"
    sides = list(zip(before.splitlines(), after.splitlines(), strict=True))
    found = around(before, after, sides)
    assert found.swaps[("old", "late")] == 3 and (found.lost, found.new) == ({"old"}, {"late"})
    alone = Around(frozenset(), frozenset(), {("old", "late"): 1}, 3)
    assert (
        chances(Seen(*sides[0], "Go on", around=found))[0]
        < chances(Seen(*sides[0], "Go on", around=alone))[0]
    )


def test_a_commit_is_counted_by_its_places_and_its_tests_apart() -> None:
    found = whole(
        [
            ("a.py", False, [("def f(a):", "def f(a, ctx):"), ("g(a)", "g(a, ctx)")]),
            ("b.py", True, [("", "def h(b):\n    return b")]),
            ("tests/test_a.py", False, [("f(1)", "f(1, context())")]),
        ]
    )
    assert (found.places, found.brought, found.added, found.removed) == (4, 1, 5, 3)
    assert found.came["ctx"] == 2 and "a" not in found.went
    assert (found.altered, found.defined, found.undefined) == ({"f"}, {"h"}, set())
    assert "ctx" in found.outside and "context" not in found.outside


def test_a_test_that_follows_a_changed_signature_is_no_lesson() -> None:
    of = whole(
        [
            ("a.py", False, [("def f(a):", "def f(a, ctx):")]),
            ("tests/test_a.py", False, [("f(1)", "f(1, ctx)")]),
        ]
    )
    known, alone, code = (
        chances(Seen("f(1)", "f(1, ctx)", "Go on", 2, path=path, whole=each))[0]
        for path, each in (("tests/test_a.py", of), ("tests/test_a.py", None), ("a.py", of))
    )
    assert known < alone and known < code


@pytest.mark.parametrize(
    ("before", "after", "trait"),
    [
        ('"No issue found in it"', '"No issue was found"', "only words of a message"),
        ('version = "1.2"', 'version = "1.3"', "only digits"),
        ("kind: 'a' | 'b'", "kind: 'a' | 'b' | 'c'", "only more values"),
        ("def f(a, b):", "def f(\n    a: int, b: str\n) -> None:", "types were said"),
        ("dump(x)", "", "a debugging call went"),
    ],
)
def test_small_edits_are_known_by_what_alone_changed(before: str, after: str, trait: str) -> None:
    assert traits(Seen(before, after))[trait] == 1.0
    assert traits(Seen("x = f(a)", "x = g(a)"))[trait] == 0.0


@pytest.mark.parametrize(
    ("subject", "says"),
    [
        ("fix(net)!: wait for the answer", "fixes"),
        ("feat: fix the look of it", "brings"),
        ("Handle an empty list", "fixes"),
        ("Merge branch 'main'", "merges"),
        ("cleanup", "styles"),
        ("chore: bump version to 1.2.0", "merges"),
        ("Move it to a module of its own", "rebuilds"),
        ("Architect and editor", ""),
    ],
)
def test_a_subject_says_what_a_commit_does(subject: str, says: str) -> None:
    assert said(subject) == says


def test_what_speaks_for_and_against_a_lesson_is_named() -> None:
    towards, against = speaks(
        Correction(before="import a, b", after="import a", subject="fix: leave nothing open")
    )
    assert "the subject fixes" in towards and "imports" in against


def test_a_guess_takes_any_text() -> None:
    for before, after in (("", ""), (" ", "\n"), ("\0", "\ud800"), ("(" * 5_000, ")" * 5_000), ("é", "中")):
        category, confidence = categorise(Seen(before, after, "\0", 10**9))
        assert category in ("", "bug", "style", "preference", "evolution") and 0 <= confidence <= 1_000_000
