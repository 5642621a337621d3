"""Patterns found by ast-grep, and rewritten here."""

from __future__ import annotations

import pytest

from cortex.analyzers.patterns import Compiled, apply, compile
from cortex.store.kinds import Hole, Pattern

GO = "package p\nfunc f() {\n%s\n}"


def made(language: str, pattern: str, rewrite: str, **more: object) -> Compiled:
    compiled = compile(Pattern(language=language, pattern=pattern, rewrite=rewrite, **more))  # type: ignore[arg-type]
    assert compiled is not None
    return compiled


def rewritten(compiled: Compiled, text: str) -> str:
    return apply(text, compiled.find(text))


def test_a_rewrite_keeps_comments_line_breaks_and_line_ends_byte_for_byte() -> None:
    timeout = made("python", "requests.get($A)", "requests.get($A, timeout=10)")
    before = "é = requests.get(\r\n    url,  # the endpoint\r\n)\r\nrequests.get(u, timeout=3)\r\n"
    after = "é = requests.get(\r\n    url, timeout=10,  # the endpoint\r\n)\r\nrequests.get(u, timeout=3)\r\n"
    assert rewritten(timeout, before) == after


def test_places_are_in_characters_from_one() -> None:
    (match,) = made("python", "f($A)", "g($A)").find('x = "é𝒳" + f(1)\n')
    assert (match.line, match.column, match.end_line, match.end_column) == (1, 12, 1, 16)
    assert match.text == "f(1)"
    assert match.rewrite == "g(1)"


def test_a_list_of_any_length_is_carried_over() -> None:
    compiled = made(
        "go",
        "exec.Command($$$A)",
        "exec.CommandContext(ctx, $$$A)",
        context=GO % "exec.Command($$$A)",
        selector="call_expression",
    )
    before = 'package p\nfunc f() { exec.Command("a", b); exec.Command() }'
    after = 'package p\nfunc f() { exec.CommandContext(ctx, "a", b); exec.CommandContext(ctx) }'
    assert rewritten(compiled, before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("requests.get()", "requests.get(timeout=10)"),
        ("requests.get(a, b)", "requests.get(a, b, timeout=10)"),
        ("requests.get(a,\n    b,\n)", "requests.get(a,\n    b, timeout=10,\n)"),
        ("requests.get(a, timeout=3)", "requests.get(a, timeout=3)"),
    ],
)
def test_what_lacks_a_word_is_told_from_what_has_it(before: str, after: str) -> None:
    compiled = made(
        "python", "requests.get($$$A)", "requests.get($$$A, timeout=10)", guards=("lacks:timeout",)
    )
    assert rewritten(compiled, before) == after


def test_holes_of_one_name_hold_the_same_text() -> None:
    compiled = made("python", "$A == $A", "True")
    assert [match.text for match in compiled.find("x == x\nx == y\n")] == ["x == x"]


def test_what_stands_wrapped_already_is_left_alone() -> None:
    compiled = made("python", "wrap($A)", "safe(wrap($A))")
    assert rewritten(compiled, "wrap(1)\nsafe(wrap(2))\n") == "safe(wrap(1))\nsafe(wrap(2))\n"


def test_a_statement_is_told_from_its_expression() -> None:
    close = made(
        "go",
        "$A.Close()",
        "_ = $A.Close()",
        context=GO % "$A.Close()",
        selector="expression_statement",
    )
    before = "package p\nfunc f() { x.Close(); err := y.Close(); _ = z.Close(); defer w.Close() }"
    assert [match.text for match in close.find(before)] == ["x.Close()"]


def test_the_body_of_a_clause_stays_as_it_is() -> None:
    bare = made(
        "python",
        "except:\n    $$$A",
        "except Exception:\n    $$$A",
        context="try:\n    pass\nexcept:\n    $$$A",
        selector="except_clause",
    )
    before = "try:\n  x()\nexcept:\n  # why\n  pass\n  y()\n"
    assert rewritten(bare, before) == before.replace("except:", "except Exception:")


def test_only_matches_that_begin_on_the_given_lines_are_found() -> None:
    compiled = made("python", "f($A)", "g($A)")
    assert [match.line for match in compiled.find("f(1)\nf(2)\nf(3)\n", {2, 3})] == [2, 3]


def test_guards_narrow_by_path_and_import() -> None:
    text = "import json\nf(1)\n"
    assert made("python", "f($A)", "g($A)", guards=("path:src/*",)).find(text, path="src/a/b.py")
    assert not made("python", "f($A)", "g($A)", guards=("path:src/*",)).find(text, path="tests/b.py")
    assert made("python", "f($A)", "g($A)", guards=("import:json",)).find(text)
    assert not made("python", "f($A)", "g($A)", guards=("import:yaml",)).find(text)


def test_a_file_without_the_words_is_not_parsed() -> None:
    compiled = made("python", "f($A)", "g($A)", words=("never",))
    assert compiled.find("f(1)\n") == []


@pytest.mark.parametrize(
    "pattern",
    [
        Pattern(language="python", pattern="a; b", rewrite="c"),
        Pattern(language="python", pattern="", rewrite="c"),
        Pattern(language="python", pattern="$A", rewrite="c"),
        Pattern(language="python", pattern="f()", rewrite="c", context="f(", selector="call"),
        Pattern(language="cobol", pattern="f()", rewrite="c"),
    ],
)
def test_what_is_no_pattern_compiles_to_none(pattern: Pattern) -> None:
    assert compile(pattern) is None


def test_of_two_overlapping_matches_the_outer_is_applied() -> None:
    assert rewritten(made("python", "f($A)", "g($A)"), "f(f(1))\n") == "g(f(1))\n"


def test_what_a_rewrite_throws_away_must_be_what_the_examples_threw_away():
    pattern = Pattern(
        language="python",
        pattern="level = $A",
        rewrite='level = os.environ["LEVEL"]',
        holes=(Hole(name="A", kind="string"),),
        words=("level",),
    )
    compiled = compile(pattern)
    assert compiled is not None
    assert [len(compiled.find(text)) for text in ('level = "x"\n', "level = read()\n", "level = None\n")] == [
        1,
        0,
        0,
    ]


@pytest.mark.parametrize(
    "more",
    [
        {"rewrite": "g($B)"},  # was a crash where it matched
        {"rewrite": "g($$$B, $A)"},
        {"pattern": "f(" + "a, " * 5000 + "$A)"},  # took 4 s to align
        {"rewrite": "$A " * 20_000},
        {"guards": tuple(f"lacks:w{number}" for number in range(3000))},  # took 18 s to look for
        {"words": ("f",) * 3000},
        {"pattern": "f(\ud800, $A)"},  # was a crash
        {"context": "\ud800", "selector": "call"},
    ],
    ids=lambda more: next(iter(more)),
)
def test_a_rule_that_cannot_work_or_is_too_large_compiles_to_none(more: dict[str, object]) -> None:
    whole: dict[str, object] = {"language": "python", "pattern": "f($A)", "rewrite": "g($A)", **more}
    assert compile(Pattern(**whole)) is None  # type: ignore[arg-type]


def test_half_a_surrogate_pair_in_a_text_is_passed_over() -> None:
    compiled = made("python", "f($A)", "g($A)")
    assert rewritten(compiled, "x = '\ud800é'; f(1)\n") == "x = '\ud800é'; g(1)\n"


@pytest.mark.parametrize("name", ["\ud800", "B", "", "$A"])
def test_a_hole_that_the_pattern_lacks_says_nothing(name: str) -> None:
    rule = Pattern("python", "f($A)", "g()", holes=(Hole(name, "string"),))
    compiled = compile(rule)
    assert compiled is not None and rewritten(compiled, "f(1)\n") == "g()\n"


def test_a_place_that_would_become_huge_is_none() -> None:
    compiled = made("python", "f($A)", "$A " * 200)
    assert compiled.find(f"f({'x' * 5000})\n") == [] and len(compiled.find("f(x)\n")) == 1


def test_calls_nested_a_thousand_deep_do_not_fill_the_memory() -> None:
    text = f"x = {'f(' * 2000}{'y' * 5000}{')' * 2000}\n"
    matches = made("python", "f($A)", "g($A)").find(text)
    assert matches and sum(len(each.text) + len(each.rewrite) for each in matches) < 5_000_000
