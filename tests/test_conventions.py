"""What a file shows of its people's conventions, language by language."""

from __future__ import annotations

from collections import Counter

import pytest

from cortex.analyzers.conventions import is_aside, is_test, uses
from cortex.learning.noticed.habits import said


def shown(path: str, source: str, language: str) -> set[tuple[str, str]]:
    return {(use.topic, use.value) for use in uses(path, source.encode(), language)}


PYTHON = '''"""A module."""

from __future__ import annotations

import typing as t
from pathlib import Path

from .other import thing

MAX_SIZE = 10


def read_it(path: str, size: int | None = None) -> str:
    """Read it.

    :param path: where
    """
    try:
        return f"{path} is read"
    except OSError as error:
        raise ValueError("Cannot read the file.") from error


class Box:
    def put_in(self, it):
        return 'one' + "it's"
'''


def test_a_python_file_shows_its_conventions() -> None:
    found = shown("src/pkg/a.py", PYTHON, "python")
    assert {
        ("imports.future", "there"),
        ("imports.typing", "typing as t"),
        ("library.paths", "pathlib"),
        ("imports.reach", "relative"),
        ("naming.constants", "upper"),
        ("naming.functions", "snake"),
        ("optional", "bar"),
        ("docstring.form", "sphinx"),
        ("docstring.start", "first"),
        ("docstring.end", "period"),
        ("docstrings", "there"),
        ("docstrings", "none"),
        ("typing", "whole"),
        ("typing", "none"),
        ("format", "f-string"),
        ("errors.caught", "named"),
        ("errors.chained", "from"),
        ("errors.first", "upper"),
        ("errors.end", "period"),
    } <= found


def test_a_string_that_could_not_be_quoted_otherwise_is_no_choice() -> None:
    quotes = Counter(use.value for use in uses("a.py", PYTHON.encode(), "python") if use.topic == "quotes")
    assert quotes == {"single": 1, "double": 2}, "neither the docstrings nor the string with an apostrophe"


def test_each_use_names_its_line() -> None:
    lines = {use.topic: use.line for use in uses("a.py", PYTHON.encode(), "python")}
    assert PYTHON.splitlines()[lines["errors.chained"] - 1].strip().startswith("raise ValueError")
    assert PYTHON.splitlines()[lines["naming.constants"] - 1] == "MAX_SIZE = 10"


def test_pythons_tests_show_where_and_how_they_are_written() -> None:
    found = shown("tests/test_a.py", "import unittest.mock\n\ndef test_it():\n    assert True\n", "python")
    assert {
        ("tests.files", "test_*"),
        ("tests.place", "tests/"),
        ("tests.style", "function"),
        ("tests.framework", "pytest"),
        ("library.mock", "unittest.mock"),
    } <= found
    assert ("tests.framework", "unittest") not in found, "its mocks are used with pytest, too"
    assert ("docstrings", "none") not in found, "tests need none"


def test_what_tests_import_says_nothing_of_the_code() -> None:
    source = "import requests\nimport pytest\n\n\ndef test_it():\n    pass\n"
    assert {topic for topic, _ in shown("tests/test_a.py", source, "python")} & {"library.http"} == set()
    assert ("library.http", "requests") in shown("src/a.py", source, "python")
    assert ("tests.framework", "pytest") not in shown("src/a.py", source, "python")


def test_examples_show_nothing() -> None:
    assert shown("examples/a.py", PYTHON, "python") == shown(".github/a.py", PYTHON, "python") == set()


GO = """package store

import (
	"fmt"

	"github.com/sirupsen/logrus"
)

// Open opens it.
func Open(name string) error {
	if err := try(name); err != nil {
		return fmt.Errorf("cannot open %s: %w", name, err)
	}
	var x interface{}
	logrus.Info(x)
	return nil
}

type Box struct{}

func (b *Box) Put() {}
"""


def test_a_go_file_shows_its_conventions() -> None:
    assert {
        ("library.logging", "logrus"),
        ("docstrings", "there"),
        ("docstrings", "none"),
        ("docstring.start", "name"),
        ("docstring.end", "period"),
        ("errors.wrap", "%w"),
        ("errors.first", "lower"),
        ("errors.end", "open"),
        ("any", "interface{}"),
        ("naming.receivers", "short"),
        ("naming.files", "snake"),
    } <= shown("store/open_file.go", GO, "go")


def test_a_long_name_in_one_piece_speaks_against_names_with_underscores() -> None:
    assert ("naming.files", "joined") in shown("rangereader.go", GO, "go")
    assert not {value for topic, value in shown("open.go", GO, "go") if topic == "naming.files"}


def test_gos_tests_show_how_they_are_written() -> None:
    source = """package store_test

import "github.com/stretchr/testify/require"

func TestOpenAll(t *testing.T) {
	t.Parallel()
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) { require.NoError(t, tc.err) })
	}
}
"""
    assert {
        ("tests.package", "outside"),
        ("tests.parallel", "parallel"),
        ("tests.table", "t.Run"),
        ("naming.tests", "camel"),
        ("tests.assertions", "testify"),
        ("tests.assert", "require"),
    } <= shown("store/open_test.go", source, "go")


def test_a_projects_own_helper_of_tests_is_not_the_standard_library() -> None:
    source = """package a

import "github.com/me/tool/internal/test"

func TestIt(t *testing.T) { test.Assert(t, true) }
"""
    assert ("tests.assertions", "own") in shown("a_test.go", source, "go")


SCRIPT = """import fs from 'node:fs'
import { thing } from './other.js'

const MAX_SIZE = 10
export const readAll = async (name) => {
  const it = await fs.promises.readFile(name)
  if (it === 'x') throw new Error('the file is empty')
  return it
}
function toText(it) { return it }
"""


def test_a_script_shows_its_conventions() -> None:
    found = shown("src/read-all.js", SCRIPT, "javascript")
    assert {
        ("quotes", "single"),
        ("semicolons", "none"),
        ("imports.form", "import"),
        ("imports.node", "prefix"),
        ("imports.ending", "there"),
        ("naming.files", "kebab"),
        ("naming.constants", "upper"),
        ("naming.functions", "camel"),
        ("functions", "arrow"),
        ("functions", "function"),
        ("exports", "named"),
        ("equality", "strict"),
        ("async", "await"),
        ("errors.first", "lower"),
    } <= found


def test_typescript_shows_its_types() -> None:
    source = """
interface Shape { sides: number[] }
type Point = { x: number; all: Array<string> }
export function toShape(it: unknown): Shape { return it as any }
"""
    assert {
        ("objects", "interface"),
        ("objects", "type"),
        ("arrays", "[]"),
        ("arrays", "Array<>"),
        ("any", "unknown"),
        ("any", "any"),
        ("typing", "returns"),
        ("naming.interfaces", "plain"),
    } <= shown("src/shape.ts", source, "typescript")


def test_scripts_tests_show_how_they_are_written() -> None:
    source = "import { it, expect } from 'vitest'\nit('adds', () => { expect(1).toBe(1) })\n"
    assert {
        ("tests.framework", "vitest"),
        ("tests.files", ".spec"),
        ("tests.place", "__tests__/"),
        ("tests.word", "it"),
        ("tests.assertions", "expect"),
    } <= shown("src/__tests__/add.spec.ts", source, "typescript")


def test_a_file_that_does_not_parse_shows_nothing() -> None:
    assert uses("a.py", b"def (:\n  'x'", "python") == []


def test_examples_and_tests_are_told_by_their_paths() -> None:
    assert (
        is_aside("examples/app.py") and is_aside("a/testdata/x.go") and not is_aside("src/example_store.py")
    )
    assert (
        is_test("tests/a.py")
        and is_test("a_test.go")
        and is_test("x.spec.ts")
        and not is_test("src/latest.py")
    )


@pytest.mark.parametrize(
    ("language", "topic", "value", "words"),
    [
        ("typescript", "library.http", "axios", "Make HTTP requests with the library `axios`"),
        ("go", "errors.wrap", "%w", 'Wrap errors with `fmt.Errorf("…: %w", err)`'),
        ("go", "library.logging", "log", ""),
        ("go", "any", "interface{}", "Write `interface{}`, not `any`"),
        ("python", "semicolons", "none", ""),
        ("python", "quotes", "double", "Write string literals with double quotes"),
    ],
)
def test_a_convention_is_said_as_what_to_do_or_not_at_all(
    language: str, topic: str, value: str, words: str
) -> None:
    assert said(language, topic, value) == words
