"""What a file consists of for who searches it."""

from __future__ import annotations

import pytest

from cortex.analyzers.functions import units_of
from cortex.analyzers.passages import passages, passed_over
from cortex.recall.codequery import read_query, task_likeness
from cortex.store.codeindex import windows

PYTHON = b'''@cached
def load(path):
    """Read it.

    Twice.
    """
    return open(path)


class Box:
    """Holds things."""

    size = 3

    def put(self, thing):
        def inner():
            return thing
        return inner
'''
SCRIPT = b"""/** Adds two. */
export function add(a, b) { return a + b }
export const twice = (a) => add(a, a);
class Car {
  // Starts it.
  start() { return 1 }
  stop = () => 2;
}
app.use = function (fn) { return fn };
module.exports = { park: function () { return 3 } };
"""
GO = b"""package p

// Stack holds things.
type Stack[T any] struct{ items []T }

// Push adds one.
// It grows.
func (s *Stack[T]) Push(item T) { s.items = append(s.items, item) }

func New() *Stack[int] { return nil }
"""


def test_python_functions_know_their_class_their_docs_and_their_lines():
    found = {unit.name: unit for unit in units_of(PYTHON, "python")}
    assert list(found) == ["load", "Box", "Box.put", "Box.put.inner"]
    load = found["load"]
    assert (load.kind, load.first, load.last) == ("function", 1, 7)
    assert load.doc.startswith("Read it.") and "Read it" not in load.code and "open(path)" in load.code
    assert found["Box"].kind == "type" and "def put(self, thing)" in found["Box"].code


@pytest.mark.parametrize("language", ["javascript", "typescript", "tsx"])
def test_script_functions_in_all_their_forms(language: str):
    found = {unit.name: unit for unit in units_of(SCRIPT, language)}
    assert list(found) == ["add", "twice", "Car", "Car.start", "Car.stop", "use", "park"]
    assert found["add"].doc == "Adds two." and found["Car.start"].doc == "Starts it."


def test_go_methods_know_their_receiver():
    found = {unit.name: unit for unit in units_of(GO, "go")}
    assert list(found) == ["Stack", "Stack.Push", "New"]
    assert found["Stack.Push"].doc == "Push adds one.\nIt grows." and found["New"].doc == ""


def test_broken_code_is_read_as_far_as_it_goes():
    assert [unit.name for unit in units_of(b"def good():\n    return 1\n\n\ndef (((\n", "python")][:1] == [
        "good"
    ]
    assert units_of(b"", "go") == []


def test_markdown_sections_know_the_headings_above_and_fences_hold_none():
    text = b"# A\n\nintro\n\n## B\n\n```sh\n# no heading\n```\n\n# C\n\nend\n"
    found = passages("a.md", text)
    assert [(unit.name, unit.first) for unit in found] == [("A", 1), ("A / B", 5), ("C", 11)]


def test_restructured_text_has_sections_by_their_underlines():
    text = b"=====\nTitle\n=====\n\nintro\n\nPart\n----\n\nbody\n\nOther\n-----\n\nmore\n"
    found = passages("a.rst", text)
    assert [(unit.name, unit.first) for unit in found] == [
        ("Title", 1),
        ("Title / Part", 7),
        ("Title / Other", 12),
    ]


def test_other_files_are_windows_of_lines():
    text = "\n".join(f"line {number}" for number in range(60)).encode()
    found = passages("Makefile", text)
    assert [(unit.kind, unit.first, unit.last) for unit in found] == [
        ("lines", 1, 30),
        ("lines", 25, 54),
        ("lines", 49, 60),
    ]
    assert passages("empty.txt", b"") == []


def test_what_is_passed_over_has_a_reason():
    assert passed_over("a.py", 10, b"x = 1\n") == ""
    assert passed_over("a.py", 2 << 20, b"") == "larger than 1 MiB"
    assert passed_over("a.png", 10, b"\x89PNG\0") == "binary"
    assert passed_over("a.min.js", 10, b"x") == "generated"
    assert passed_over(".env.local", 10, b"KEY=1") == "data"


def test_long_texts_are_cut_into_windows_under_their_first_line():
    text = "\n".join(f"l{number}" for number in range(40))
    cut = windows(text)
    assert len(cut) == 4 and all(each.startswith("l0\n") for each in cut) and cut[-1].endswith("l39")
    assert windows("a\nb") == ["a\nb"]


def test_tasks_are_told_from_descriptions():
    assert task_likeness("Fix redirect handling when the port is missing") > 0.8
    assert task_likeness("Returns the name of the blueprint that is used for the given request.") < 0.1
    assert task_likeness("") < 1.0


def test_names_and_paths_in_a_question():
    asked = read_query("why does url_for in src/flask/app.py call `url_build`?")
    assert {"url_for", "url_build"} <= asked.named and "src/flask/app.py" in asked.paths
    assert not asked.tests and read_query("where is the fixture for sessions?").tests
