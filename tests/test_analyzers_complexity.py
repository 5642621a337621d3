"""Complexity: the examples of those who defined the measures, and the rules of the tools that people read it from."""

from __future__ import annotations

import pytest

from cortex.analyzers.complexity import definitions, functions


def measured(source: str, language: str) -> dict[str, tuple[int, int]]:
    return {each.name: (each.cyclomatic, each.cognitive) for each in functions(source.encode(), language)}


SUM_OF_PRIMES = """
function sumOfPrimes(max) {
  let total = 0;
  OUT: for (let i = 1; i <= max; ++i) {
    for (let j = 2; j < i; ++j) {
      if (i % j == 0) { continue OUT; }
    }
    total += i;
  }
  return total;
}
"""
GET_WORDS = """
package p

func getWords(number int) string {
	switch number {
	case 1:
		return "one"
	case 2:
		return "a couple"
	case 3:
		return "a few"
	default:
		return "lots"
	}
}
"""


def test_the_two_examples_of_the_paper_are_alike_to_mccabe_and_not_to_a_reader():
    assert measured(SUM_OF_PRIMES, "javascript") == {"sumOfPrimes": (4, 7)}
    assert measured(GET_WORDS, "go") == {"getWords": (4, 1)}


@pytest.mark.parametrize(
    ("expression", "units"),
    [
        ("a && b && c && d", 1),
        ("a && b && c || d || e && f", 3),
        ("a && !(b && c)", 2),
        ("a && (b && c)", 1),
        ("(a || b) && (c || d)", 3),
        ("a ?? b", 0),
        ("a?.b?.c", 0),
    ],
)
def test_each_run_of_one_logical_operator_is_a_unit(expression: str, units: int):
    assert measured(f"function f() {{ return {expression} }}", "javascript")["f"][1] == units


def test_else_if_and_else_count_one_each_however_deep():
    script = "function f() { while (a) { if (b) { } else if (c) { } else { } } }"
    go = "package p\nfunc f() { for a { if b { } else if c { } else { } } }"
    python = "def f():\n    while a:\n        if b: pass\n        elif c: pass\n        else: pass\n"
    assert {
        measured(script, "typescript")["f"],
        measured(go, "go")["f"],
        measured(python, "python")["f"],
    } == {(4, 5)}


def test_an_if_within_else_braces_is_nested():
    assert measured("function f() { if (a) {} else { if (b) {} } }", "javascript")["f"] == (3, 4)


def test_a_catch_and_what_it_holds_count_and_try_does_not():
    script = "function f() { try { if (a) {} } catch (e) { if (b) {} } finally { if (c) {} } }"
    assert measured(script, "javascript")["f"] == (5, 1 + 1 + 2 + 1)
    python = "def f():\n try:\n  a()\n except E:\n  if b: pass\n else:\n  c()\n"
    assert measured(python, "python")["f"] == (4, 1 + 2 + 1)


def test_what_is_nested_in_a_function_counts_for_those_around_it():
    found = measured("function f() { return a.map(x => { if (x) { } }) }", "javascript")
    assert found == {"f": (1, 2), "f.": (2, 1)}
    assert measured("package p\nfunc f() { go func() { if a { } }() }", "go") == {"f": (2, 2)}
    assert measured("def f():\n  return lambda: a if b else c\n", "python") == {"f": (2, 2)}


def test_a_decorator_of_python_is_not_nested():
    wrapped = "def f(g):\n  def inner():\n    if a: pass\n  return inner\n"
    assert measured(wrapped, "python") == {"f": (1, 1), "f.inner": (2, 1)}
    assert measured(wrapped.replace("def inner", "x = 1\n  def inner"), "python")["f"] == (1, 2)


def test_recursion_counts_once_and_a_namesake_does_not():
    assert measured("def f(n):\n  return f(n - 1) + f(n - 2)\n", "python")["f"] == (1, 1)
    assert measured("class A:\n  def f(self):\n    return f() + b.f()\n", "python")["A.f"] == (1, 0)
    assert measured("class A:\n  def f(self):\n    return self.f()\n", "python")["A.f"] == (1, 1)
    assert measured("package p\nfunc (t *T) f() { t.f() }", "go")["f"] == (1, 1)
    assert measured("class A { f() { return this.f() } }", "javascript")["A.f"] == (1, 1)


def test_radon_s_rules_hold_for_python():
    source = """
def f(a=b or c):
    assert a and b
    with a: pass
    for x in y: pass
    else: pass
    return [z for z in y if z if q]
"""
    assert measured(source, "python")["f"][0] == 1 + 1 + 1 + 2 + 3


def test_a_case_that_takes_everything_is_no_decision():
    match = "def f(x):\n  match x:\n    case 1: pass\n    case A(): pass\n    case {}: pass\n"
    assert measured(match.format("_"), "python")["f"] == (3, 1)
    assert measured(match.format("other if other and 1"), "python")["f"][0] == 4
    assert measured(match.format("None"), "python")["f"][0] == 4


def test_eslint_s_rules_hold_for_scripts():
    source = "function f({a = 1}, b = 2, [c = 3]) { x ??= a?.b?.(c)?.[d]; y ||= 1 }"
    assert measured(source, "javascript")["f"][0] == 1 + 3 + 1 + 3 + 1
    assert measured("function f() { a?.(b)?.c?.[d] }", "typescript")["f"][0] == 4
    assert measured("function f(a = 1, b?: number, private c = 2) {}", "typescript")["f"][0] == 3


def test_what_stands_in_a_class_within_a_function_is_not_the_function_s():
    python = "def f():\n  class A:\n    x = a if b else c\n    def g(self):\n      if a: pass\n"
    assert measured(python, "python")["f"][0] == 1 and measured(python, "python")["f.A.g"] == (2, 1)
    script = "function f() { return class { x = a || b; static { if (c) {} } } }"
    assert measured(script, "javascript")["f"][0] == 1


def test_names_are_those_that_corrections_carry_and_classes_are_told_without_figures():
    source = "class A {\n  run() {}\n}\nconst go = () => {\n}\ninterface B {}\n"
    found = {
        each.name: (each.line, each.end_line, each.cyclomatic)
        for each in definitions(source.encode(), "typescript")
    }
    assert found == {"A": (1, 3, 0), "A.run": (2, 2, 1), "go": (4, 5, 1), "B": (6, 6, 0)}


def test_a_tree_deeper_than_python_goes_is_measured():
    assert measured(
        "x = " + "(" * 5_000 + ")" * 5_000 + "\ndef f():\n  return " + " and ".join("a" * 5_000), "python"
    )["f"] == (5_000, 1)


def test_broken_code_is_measured_as_far_as_it_can_be_read():
    assert measured("def f(:\n  if a\n\ndef g():\n  if b: pass\n", "python")["g"] == (2, 1)
