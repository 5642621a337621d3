"""The smallest edits between two versions of a file."""

from __future__ import annotations

import pytest

from cortex.analyzers.difference import MAX_EDITS
from cortex.analyzers.edits import Edit, edits


def sides(found: list[Edit]) -> list[tuple[str, str]]:
    return [(edit.before, edit.after) for edit in found]


def test_an_edit_is_widened_to_the_call_and_keeps_its_statement_as_context() -> None:
    before = "class C:\n    def get(self, u):\n        x = requests.get(u)\n        return x\n"
    after = "class C:\n    def get(self, u):\n        x = requests.get(u, timeout=10)\n        return x\n"
    (edit,) = edits(before, after, "python")
    assert (edit.before, edit.after) == ("requests.get(u)", "requests.get(u, timeout=10)")
    assert (edit.context_before, edit.context_after) == (
        "x = requests.get(u)",
        "x = requests.get(u, timeout=10)",
    )
    assert (edit.line_before, edit.lines_before, edit.lines_after) == (3, (3, 3), (3, 3))
    assert edit.enclosing == "C.get"


@pytest.mark.parametrize(
    ("language", "before", "after"),
    [
        ("python", "import b\nimport a\nf(x, y)\n", "import a\nimport b\n\n# new\nf(\n    x,\n    y,\n)\n"),
        ("python", "x = 'a'\n", 'x = "a"\n'),
        ("go", "package p\nfunc f() { g( 1 ) }\n", "package p\n\nfunc f() {\n\tg(1)\n}\n"),
        ("typescript", "const a = f(b)\n", "const a = f(\n  b,\n);\n"),
        (None, "a\tb\n", "a b\n"),
    ],
)
def test_formatting_gives_no_edit(language: str | None, before: str, after: str) -> None:
    assert edits(before, after, language) == []


def test_a_long_class_that_was_only_reformatted_gives_no_edit() -> None:
    body = "".join(f"    def f{n}(self, a, b):\n        return self.g(a, b, {n})\n\n" for n in range(200))
    spread = body.replace("(a, b, ", "(\n            a,\n            b,\n            ")
    assert edits("class C:\n" + body, "class C:\n" + spread, "python") == []


def test_the_head_of_a_clause_is_an_edit_of_its_own() -> None:
    (edit,) = edits(
        "try:\n    a()\nexcept:\n    b()\n", "try:\n    a()\nexcept Exception:\n    b()\n", "python"
    )
    assert (edit.before, edit.after) == ("except:", "except Exception:")
    assert edit.lines_before == (3, 3)


def test_edits_of_one_file_stand_apart_in_their_order() -> None:
    before = "package p\nfunc f() error {\n\tb, err := ioutil.ReadAll(r)\n\tx.Close()\n\treturn g(1)\n}\n"
    after = "package p\nfunc f() error {\n\tb, err := io.ReadAll(r)\n\t_ = x.Close()\n\treturn g(1)\n}\n"
    assert sides(edits(before, after, "go")) == [
        ("ioutil.ReadAll(r)", "io.ReadAll(r)"),
        ("x.Close()", "_ = x.Close()"),
    ]


def test_an_edit_inside_a_callback_is_found_there() -> None:
    before = 'app.get("/", (req, res) => {\n  res.send(1);\n});\n'
    assert sides(edits(before, before.replace("send", "json"), "javascript")) == [
        ("res.send(1)", "res.json(1)")
    ]


def test_an_insertion_says_between_which_lines() -> None:
    (edit,) = edits(
        "def a():\n    one()\n    two()\n", "def a():\n    one()\n    new(4)\n    two()\n", "python"
    )
    assert (edit.before, edit.after) == ("", "new(4)")
    assert (edit.line_before, edit.lines_before) == (0, (3, 2))
    assert (edit.line_after, edit.lines_after) == (3, (3, 3))


def test_a_deletion_says_the_same_of_the_other_side() -> None:
    (edit,) = edits("one()\nprint(1)\ntwo()\n", "one()\ntwo()\n", "python")
    assert (edit.before, edit.after, edit.line_after, edit.lines_after) == ("print(1)", "", 0, (2, 1))


def test_without_a_grammar_there_are_hunks_of_lines() -> None:
    assert sides(edits("a\nb\nc\n", "a\nx\nc\nd\n", None)) == [("b", "x"), ("", "d")]


def test_definitions_pair_by_name_even_when_they_move_apart() -> None:
    before = "def a():\n    return f(1)\n\n\ndef b():\n    return g(2)\n"
    after = "def new():\n    return 0\n\n\ndef b():\n    return g(3)\n\n\ndef a():\n    return f(1)\n"
    assert ("g(2)", "g(3)") in sides(edits(before, after, "python"))


@pytest.mark.parametrize("language", ["python", "go", "javascript", "typescript", "tsx"])
def test_what_does_not_parse_gives_a_defined_result(language: str) -> None:
    for before, after in [
        ("((((", "))))"),
        ("", "x"),
        ("\x00\x01", "a"),
        ("def f(:\n", "def f():\n  pass\n"),
    ]:
        assert len(edits(before, after, language)) <= MAX_EDITS


def test_a_deep_tree_and_a_huge_file_do_not_break_it() -> None:
    deep = "x = " + "(" * 3000 + "1" + ")" * 3000 + "\n"
    assert isinstance(edits(deep, deep.replace("1", "2"), "python"), list)
    assert edits("a" * 2_000_000, "b", "python") == []


def test_lines_end_as_they_will() -> None:
    assert edits("x = f(a)\r\ny = 1\r\n", "x = f(a)\ny = 1\n", "python") == []
    (edit,) = edits("x = f(a)\r\ny = é(1)\r\n", "x = f(a)\r\ny = é(2)\r\n", "python")
    assert edit.before == "é(1)"
