"""Moved code is no correction; what changed inside it is."""

from __future__ import annotations

import pytest

from cortex.analyzers.edits import Edit, edits

LONG = "response = client.fetch(url, timeout=timeout, retries=3)"
MANY = "\tg(1)\n\th(2, a)\n\tfor i := range b {\n\t\tk(i)\n\t}\n"


def sides(found: list[Edit]) -> list[tuple[str, str]]:
    return [(edit.before, edit.after) for edit in found]


def go(*bodies: str) -> str:
    return "package p\n" + "".join(f"func f{n}() {{\n{body}}}\n" for n, body in enumerate(bodies))


@pytest.mark.parametrize(
    ("language", "before", "after"),
    [
        (
            "python",
            f"def a():\n    {LONG}\n    one(1)\n\n\ndef b():\n    two(2)\n",
            f"def a():\n    one(1)\n\n\ndef b():\n    two(2)\n    {LONG}\n",
        ),
        (
            "python",
            "class A:\n    def long_name(self):\n        return self.get(1)\n\n    x = 1\n\n\nclass B:\n    y = 2\n",
            "class A:\n    x = 1\n\n\nclass B:\n    y = 2\n\n    def long_name(self):\n        return self.get(1)\n",
        ),
        (
            "go",
            go(MANY + "\tif err := open(path, mode); err != nil {\n\t\treturn\n\t}\n", MANY),
            go(MANY, "\tif err := open(path, mode); err != nil {\n\t\treturn\n\t}\n" + MANY),
        ),
        (
            "typescript",
            "function a() {\n  const rows = await load(path, { all: true });\n  f(1);\n}\nfunction b() {\n  g(2);\n}\n",
            "function a() {\n  f(1);\n}\nfunction b() {\n  const rows = await load(path, { all: true });\n  g(2);\n}\n",
        ),
    ],
)
def test_code_that_moved_gives_no_edit(language: str, before: str, after: str) -> None:
    assert edits(before, after, language) == []
    assert edits(after, before, language) == []


def test_what_changed_inside_a_moved_method_is_the_edit() -> None:
    body = "    def load(self, path):\n        with open(path) as file:\n            return json.load(file)\n"
    before = f"class A:\n    x = 1\n\n{body}\n\nclass B:\n    y = 2\n"
    changed = body.replace("open(path)", 'open(path, encoding="utf-8")')
    after = f"class A:\n    x = 1\n\n\nclass B:\n    y = 2\n\n{changed}"
    assert sides(edits(before, after, "python")) == [("open(path)", 'open(path, encoding="utf-8")')]


def test_a_call_that_is_put_into_a_check_stays_an_edit() -> None:
    before = f"def a():\n    {LONG}\n    one(1)\n"
    after = f"def a():\n    if client.ready(url):\n        {LONG}\n    one(1)\n"
    ((old, new),) = sides(edits(before, after, "python"))
    assert old == LONG and new.startswith("if client.ready(url):") and LONG in new


def test_short_statements_are_not_taken_for_moved_ones() -> None:
    before = go("\tx.Close()\n" + MANY, MANY)
    after = go(MANY, MANY + "\tx.Close()\n")
    assert sorted(sides(edits(before, after, "go"))) == [("", "x.Close()"), ("x.Close()", "")]


def test_what_stays_behind_when_a_neighbour_moves_is_still_told() -> None:
    before = f"def a():\n    print(secret)\n    {LONG}\n    one(1)\n\n\ndef b():\n    two(2)\n"
    after = f"def a():\n    one(1)\n\n\ndef b():\n    {LONG}\n    two(2)\n"
    (edit,) = edits(before, after, "python")
    assert (edit.before, edit.after, edit.lines_before) == ("print(secret)", "", (2, 2))


def test_a_statement_that_a_new_function_took_in_was_not_deleted() -> None:
    before = f"def a():\n    {LONG}\n    one(1)\n"
    after = f"def fresh():\n    {LONG}\n    return response\n\n\ndef a():\n    one(1)\n"
    assert all(edit.before == "" for edit in edits(before, after, "python"))
