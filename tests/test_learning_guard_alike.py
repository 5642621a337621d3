"""The guard finds the same, whichever way it takes: each rule by itself, all in one walk, or from what it saw saved."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from cortex.analyzers import patterns
from cortex.analyzers.patterns import Parsed, compile, find_each
from cortex.learning.guard import ahead as seen
from cortex.learning.guard import findings as guard
from cortex.learning.guard.ahead import Ahead
from cortex.learning.guard.findings import ActiveRule, Change, check, look
from cortex.store.kinds import Pattern

NAMES = [
    "get",
    "getter",
    "fetch",
    "set",
    "run",
    "log",
    "client",
    "items",
    "settings",
    "value",
    "err",
    "ctx",
    "naïve",
]
HEADS = {
    "python": "import requests\nfrom service import client\n",
    "go": 'package p\n\nimport "example.org/requests"\n',
    "javascript": 'import { client } from "requests";\n',
    "typescript": 'import { client } from "requests";\n',
}
#: What a statement may be, by language; `A`, `B`, `C` are names, `1` a number, `"s"` a text.
STATEMENTS = {
    "python": 'A(B)|A.B(C, 1)|A = B(C)|A.B.C|x = A(B)(C)|A(B(A(C)))|A[B] = "A B"|A(*B, k=C)|# A(B)|x = f"{A(B)}"',
    "go": 'A(B)|A.B(C, 1)|A := B(C)|_ = A.B.C|x := A(B(A(C)))|A[B] = "A B"|// A(B)|go A(B)|x := []A{B, C}',
    "javascript": "A(B);|A.B(C, 1);|const x = A(B);|A?.B(C);|A(B(A(C)));|A[B] = `A ${B(C)}`;|// A(B)|new A(B, C);",
    "typescript": "A(B);|A.B(C, 1);|const x: A = B(C);|A?.B(C);|A(B(A(C)));|A<B>(C);|// A(B)|(A as B).C(1);",
}
PATTERNS = [
    "A($X)",
    "A.B($X, $Y)",
    "$X.A($Y)",
    "A($$$X)",
    "A.B",
    "$X(A)",
    "A($X, $Y)",
    '"A B"',
    "A",
    "$X[A]",
    "A(B($X))",
    "$X($Y)",
    "new A($$$X)",
]
REWRITES = ["B($X)", "A($X, 1)", "C.A($X)", "A($X", "A", "$X"]


@pytest.fixture
def chance(seed: int) -> random.Random:
    return random.Random(seed)


def filled(chance: random.Random, template: str) -> str:
    for letter in "ABC":
        template = template.replace(letter, chance.choice(NAMES))
    return template


def code(chance: random.Random, language: str) -> str:
    """A file of functions; now and then one that does not parse, or ends its lines in another way."""
    lines = [HEADS[language]]
    for number in range(chance.randrange(1, 25)):
        body = [filled(chance, each) for each in chance.choices(STATEMENTS[language].split("|"), k=4)]
        if language == "python":
            lines += [
                f"def f{number}({NAMES[number % 12]}):",
                *(f"    {each}" for each in body),
                "    return 1",
            ]
        else:
            word = "func" if language == "go" else "function"
            lines += [f"{word} f{number}() {{", *(f"\t{each}" for each in body), "}"]
    if chance.random() < 0.1:
        lines.append(")( broken")
    return chance.choice(["\n", "\n", "\n", "\r\n"]).join(lines) + "\n"


def rules(chance: random.Random, language: str, count: int) -> list[ActiveRule]:
    """Random rules: with and without words, guards and contexts; some that nothing can read."""
    out = []
    for number in range(count):
        before = filled(chance, chance.choice(PATTERNS))
        words = [each for each in NAMES if each in before]
        guards = chance.choice(
            [(), (), (), ("import:requests",), ("import:other",), ("path:a*",), ("lacks:err",)]
        )
        wrap = language == "go" and chance.random() < 0.7
        pattern = Pattern(
            language=language,
            pattern=before,
            rewrite=filled(chance, chance.choice(REWRITES)),
            context=f"package p\nfunc f() {{\n{before}\n}}" if wrap else "",
            selector="call_expression" if wrap else "",
            words=tuple(chance.sample(words, chance.randrange(len(words) + 1))),
            guards=guards,
        )
        confidence = chance.choice([0.7, 0.8, 0.9])
        out.append(ActiveRule(f"{number:032x}", "t", "m", pattern, chance.randrange(3, 6), 0, confidence))
    return out


def one_by_one(
    parsed: Parsed, known: Sequence[ActiveRule], lines: frozenset[int] | None, path: str
) -> list[object]:
    """What each rule finds by itself, with nothing but its own words before it."""
    ready = [compile(rule.pattern, parsed.language) for rule in known]
    return [[] if each is None else each.find(parsed, lines, path) for each in ready]


def lines_of(chance: random.Random, text: str) -> frozenset[int] | None:
    count = text.count("\n")
    return chance.choice(
        [None, frozenset(chance.sample(range(1, count + 1), chance.randrange(1, count + 1)))]
    )


@pytest.mark.parametrize("trials", [10**9, patterns.TRIALS])
def test_one_walk_finds_what_each_rule_finds(
    chance: random.Random, trials: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(patterns, "TRIALS", trials)
    texts = places = 0
    for language in STATEMENTS:
        for _ in range(40):
            text, known = code(chance, language), rules(chance, language, 30)
            parsed, lines, path = (
                Parsed(text, language),
                lines_of(chance, text),
                chance.choice(["a.x", "b.x"]),
            )
            expected = one_by_one(parsed, known, lines, path)
            ready = [(at, each) for at, rule in enumerate(known) if (each := compile(rule.pattern, language))]
            found: list[object] = [[] for _ in known]
            for (at, _), matches in zip(
                ready,
                find_each(Parsed(text, language), [each for _, each in ready], lines, path),
                strict=True,
            ):
                found[at] = matches
            assert found == expected
            texts, places = texts + 1, places + sum(len(each) for each in expected)  # type: ignore[arg-type]
    with capsys.disabled():
        print(f"\n    {texts} texts × 30 rules, {places} places, 0 differences")
    assert places > texts


def test_the_guard_says_the_same_with_and_without_having_seen_the_file_saved(
    chance: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken = 0
    for language in STATEMENTS:
        known, kept = rules(chance, language, 60), Ahead()
        for number in range(15):
            text, path = code(chance, language), chance.choice(["a.x", "b.x"])
            change = Change(path, text, language, lines_of(chance, text))
            with monkeypatch.context() as patch:
                patch.setattr(guard, "find_each", _each_alone)
                expected = check([change], known)
            assert check([change], known) == expected
            look(Change(path, text, language, lines_of(chance, text)), known, kept)
            assert check([change], known, kept) == expected, number
            spoken += len(expected)
    assert spoken


def _each_alone(
    parsed: Parsed, given: Sequence[object], lines: frozenset[int] | None, path: str
) -> list[object]:
    return [each.find(parsed, lines, path) for each in given]  # type: ignore[attr-defined]


def test_the_words_of_a_text_hold_the_pieces_that_the_text_holds(chance: random.Random) -> None:
    for _ in range(300):
        text = code(chance, chance.choice(list(STATEMENTS)))
        at = chance.randrange(len(text))
        wanted = [
            text[at : at + chance.randrange(1, 8)],
            filled(chance, chance.choice(["A", "AB", "A B", "A_1", "B."])),
        ]
        for each in wanted:
            assert Parsed(text, "python").holds([each]) == (each in text)


def test_what_was_seen_is_forgotten_when_the_rules_change_and_is_never_much() -> None:
    first = [ActiveRule("a" * 32, "t", "m", Pattern("python", "f($A)", "g($A)"), 3, 0, 0.9)]
    second = [ActiveRule("b" * 32, "t", "m", Pattern("python", "f($A)", "h($A)"), 3, 0, 0.9)]
    kept, change = Ahead(), Change("m.py", "f(x)\n", "python")
    look(change, first, kept)
    assert [each.after for each in check([change], first, kept)] == ["g(x)"]
    assert [each.after for each in check([change], second, kept)] == ["h(x)"]
    for number in range(seen.MOST_TEXTS + 5):
        kept.breaks(b"x = %d\n" % number, "python")
    assert len(kept._breaks) == seen.MOST_TEXTS
    many = Change("m.py", "f(x)\n" * (seen.MOST_PLACES + 1), "python")
    look(many, first, kept)
    assert kept.found(many.path, many.text, "python") is None
    assert len(check([many], first, kept)) == guard.MAX_FINDINGS


def test_a_file_seen_saved_is_not_parsed_again_at_the_commit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known = [ActiveRule("a" * 32, "t", "m", Pattern("python", "f($A)", "g($A)"), 3, 0, 0.9)]
    kept, change = Ahead(), Change("m.py", "f(x)\ny = f(z)\n", "python", frozenset({2}))
    look(change, known, kept)
    monkeypatch.setattr(seen, "parse", None)
    monkeypatch.setattr(seen, "breaks", None)
    monkeypatch.setattr(guard, "find_each", None)
    assert [each.line for each in check([change], known, kept)] == [2]
