"""What a file shows of its people's conventions: each place where one of several ways was chosen.

A use is (topic, value, line): "quotes" was "double" on line 7. What is no choice (a string that holds the other
quotation mark) is left out. `learning/noticed/preferences` adds them up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

import tree_sitter

from .languages import words
from .parse import grammar, parse

#: Folders whose code is shown or fed to something, and is not written as the rest is.
_ASIDE = re.compile(
    r"(^|/)(\.[^/]+|examples?|samples?|fixtures?|testdata|test-data|__fixtures__|__snapshots__|templates?|docs?|playgrounds?"
    r"|benchmarks?|snapshots?|mocks?|__mocks__|stubs|typings|migrations|_?legacy|demos?)/",
    re.IGNORECASE,
)
_TESTS = re.compile(
    r"(^|/)(tests?|__tests__|spec|specs|e2e)/|(^|/)(test_[^/]*|conftest)\.pyi?$|_test\.(py|go)$"
    r"|\.(test|spec)(-d)?\.[cm]?[jt]sx?$",
    re.IGNORECASE,
)
_SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+\Z")
_CAMEL = re.compile(r"[a-z][a-z0-9]*([A-Z][A-Za-z0-9]*)+\Z")
_PASCAL = re.compile(r"[A-Z][a-z0-9]+([A-Z][A-Za-z0-9]*)*\Z")
_UPPER = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+\Z")
_KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+\Z")

#: What a query found: the name of a capture → its nodes.
Found = Mapping[str, list[tree_sitter.Node]]


class Use(NamedTuple):
    """One place where a choice was made; lines count from 1."""

    topic: str
    value: str
    line: int


def is_test(path: str) -> bool:
    """Whether the file holds tests, or helps them."""
    return _TESTS.search(path) is not None


def is_aside(path: str) -> bool:
    """Whether the file is an example, a fixture or a document: other conventions hold there."""
    return _ASIDE.search(path) is not None


def uses(path: str, source: bytes, language: str) -> list[Use]:
    """The choices that a file shows, in no order; none for an example, or a file that does not parse."""
    from . import conventions_go, conventions_python, conventions_script

    if is_aside(path):
        return []
    root = parse(source, language).root_node
    if root.has_error:
        return []
    reader = {"python": conventions_python.uses, "go": conventions_go.uses}.get(
        language, conventions_script.uses
    )
    return [*reader(path, source, language, root), *_width(source)]


def captures(query: str, language: str, root: tree_sitter.Node) -> Found:
    """The nodes that a query in tree-sitter's own language names."""
    found: Found = tree_sitter.QueryCursor(_query(query, language)).captures(root)
    return found


@cache
def _query(query: str, language: str) -> tree_sitter.Query:
    made: tree_sitter.Query = tree_sitter.Query(grammar(language), query)
    return made


def text(node: tree_sitter.Node | None) -> str:
    """A node's text; empty for none."""
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""


def line(node: tree_sitter.Node) -> int:
    """The line that a node begins on, from 1."""
    return int(node.start_point[0]) + 1


def case(name: str) -> str:
    """How a name of several words is written; empty where one word says nothing."""
    for form, pattern in (
        ("snake", _SNAKE),
        ("upper", _UPPER),
        ("camel", _CAMEL),
        ("pascal", _PASCAL),
        ("kebab", _KEBAB),
    ):
        if pattern.match(name):
            return form
    return ""


def message_uses(said: str, at: int) -> Iterator[Use]:
    """How an error's message begins and ends; one of a single word, or that begins with a name, says nothing."""
    first = re.match(r"([A-Za-z][a-z]+|[AI])[ ,]", said)
    if first is None or len(said.split()) < 3:
        return
    yield Use("errors.first", "upper" if said[0].isupper() else "lower", at)
    yield Use("errors.end", "period" if said.rstrip().endswith(".") else "open", at)


def library(topics: Mapping[str, Mapping[str, str]], module: str, at: int, test: bool) -> Iterator[Use]:
    """The choice of a library that an import shows; a longer name of a module goes before a shorter one.

    What tests import says what tests are written with, and nothing of the code.
    """
    for topic, modules in topics.items():
        if test != (topic.startswith("tests.") or topic == "library.mock"):
            continue
        name = module
        while name:
            if name in modules:
                if modules[name] != "-":  # a part that says nothing of the whole
                    yield Use(topic, modules[name], at)
                break
            name = name.rpartition("/" if "/" in name else ".")[0]


def table(given: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:
    """Topic → module → library, from rows of `module` or `module=library`."""
    return {
        topic: {row.partition("=")[0]: row.partition("=")[2] or row for row in words(rows)}
        for topic, rows in given.items()
    }


def _width(source: bytes) -> Iterator[Use]:
    """Which of the usual limits each long line keeps; shorter lines keep all, and are not counted one by one."""
    for number, row in enumerate(source.split(b"\n"), 1):
        length = len(row.expandtabs(4).rstrip())
        if length > 60 and b"://" not in row:
            yield Use(
                "width", str(next((each for each in (79, 88, 100, 120) if length <= each), 121)), number
            )
