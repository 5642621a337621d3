"""What the guard says of added lines, and what silences it."""

from __future__ import annotations

import time

import pytest

from cortex.learning.guard.findings import ActiveRule, Change, check
from cortex.learning.guard.suppress import suppressions
from cortex.store.kinds import Pattern


def rule(
    before: str,
    after: str,
    name: str = "a" * 32,
    confidence: float = 0.9,
    language: str = "python",
    **more: object,
) -> ActiveRule:
    pattern = Pattern(language=language, pattern=before, rewrite=after, **more)  # type: ignore[arg-type]
    return ActiveRule(name, "title", "message", pattern, support=3, against=1, confidence=confidence)


TIMEOUT = rule("requests.get($A)", "requests.get($A, timeout=10)", words=("requests",))
TEXT = (
    "import requests\n\na = requests.get(x)\nb = requests.get(\n    y,\n)\nc = requests.get(z, timeout=1)\n"
)


def test_a_finding_says_where_and_what_to_write_instead() -> None:
    first, second = check([Change("m.py", TEXT, "python")], [TIMEOUT])
    assert (first.path, first.line, first.column, first.end_line, first.end_column) == ("m.py", 3, 5, 3, 20)
    assert (first.before, first.after) == ("requests.get(x)", "requests.get(x, timeout=10)")
    assert (first.rule, first.support, first.against, first.status) == ("a" * 32, 3, 1, "active")
    assert (second.line, second.end_line) == (4, 6)


def test_only_added_lines_are_spoken_of() -> None:
    assert [each.line for each in check([Change("m.py", TEXT, "python", frozenset({4}))], [TIMEOUT])] == [4]
    assert check([Change("m.py", TEXT, "python", frozenset())], [TIMEOUT]) == []
    assert check([Change("m.py", TEXT, "python", frozenset({1, 7}))], [TIMEOUT]) == []


@pytest.mark.parametrize(
    "change",
    [
        Change("a.py", "x = 1\n", "python"),
        Change("a.go", "package requests\n", "go"),
        Change("a.rs", "requests.get(x)", "rust"),
        Change("vendor/a.py", "requests.get(x)\n", "python"),
        Change("a.py", "requests.get(x) " + "# " * 3000 + "\n", "python"),
        Change("a.py", "", "python"),
    ],
    ids=lambda change: change.path,
)
def test_unrelated_generated_and_unknown_files_are_silent(change: Change) -> None:
    assert check([change], [TIMEOUT]) == []


def test_of_two_rules_for_one_place_the_surer_speaks() -> None:
    other = rule("requests.get($A)", "session.get($A)", "b" * 32, 0.95)
    assert {each.rule for each in check([Change("m.py", TEXT, "python")], [TIMEOUT, other])} == {"b" * 32}


def test_a_rewrite_that_would_not_parse_is_not_offered() -> None:
    assert check([Change("m.py", "f(1)\n", "python")], [rule("f($A)", "g($A))")]) == []


@pytest.mark.parametrize(
    ("comment", "silent"),
    [
        ("# cortex: ignore", True),
        ("# cortex: ignore[aaaaaaaa] the service is slow", True),
        ("# cortex: ignore[bbbbbbbb, aaaa] both", True),
        ("# cortex: ignore[bbbbbbbb] another", False),
        ("# cortex: ignore[aa] too short", False),
        ("# cortex is nice", False),
    ],
)
def test_a_comment_silences_its_line_or_the_next(comment: str, silent: bool) -> None:
    for text in (f"requests.get(x)  {comment}\n", f"{comment}\nrequests.get(x)\n"):
        assert (check([Change("m.py", text, "python")], [TIMEOUT]) == []) is silent


def test_the_reason_of_a_suppression_is_kept() -> None:
    (mark,) = suppressions("<a>{/* cortex: ignore[abcd] a reason */}</a>\n")[1]
    assert (mark.rules, mark.reason) == (("abcd",), "a reason")


def test_what_does_not_parse_is_checked_as_far_as_it_goes() -> None:
    assert isinstance(check([Change("m.py", "def f(:\n  requests.get(x)\n", "python")], [TIMEOUT]), list)


def test_ten_files_and_fifty_rules_are_quick_when_cold() -> None:
    rules = [
        rule(f"lib{n}.call($A)", f"lib{n}.call($A, safe=True)", f"{n:032}", words=(f"lib{n}",))
        for n in range(50)
    ]
    body = "".join(
        f"def f{n}(a):\n    b = lib{n % 7}.call(a)\n    return g(b, {n})\n\n\n" for n in range(100)
    )
    changes = [Change(f"m{n}.py", body, "python") for n in range(10)]
    started = time.process_time()
    found = check(changes, rules)
    elapsed = time.process_time() - started
    assert len(found) == 1000
    assert elapsed < 5  # each of the thousand rewrites is parsed as well; without findings:
    started = time.process_time()
    assert check(changes, rules[7:]) == []
    assert time.process_time() - started < 0.15
