"""Parsing with tree-sitter, and a lazy tree of our own on top of it.

The nodes of py-tree-sitter are slow to compare and do not know their field; `Node` is built only where a
difference is looked for, which is a small part of a file.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import cast

import tree_sitter

from .languages import COMMENTS, LANGUAGES, Language

_local = threading.local()


@cache
def grammar(language: str) -> tree_sitter.Language:
    """The grammar of a language that `LANGUAGES` names; the module is imported on first use."""
    row = LANGUAGES[language]
    return tree_sitter.Language(getattr(import_module(row.module), row.function)())


def parse(source: bytes, language: str) -> tree_sitter.Tree:
    """The syntax tree of `source`. A parser is kept for each thread: one parser must not run in two."""
    parsers = cast("dict[str, tree_sitter.Parser]", _local.__dict__.setdefault("parsers", {}))
    parser = parsers.get(language)
    if parser is None:
        parser = parsers[language] = tree_sitter.Parser(grammar(language))
    return parser.parse(source)


@dataclass(frozen=True)
class Breaks:
    """Whether a text has syntax errors, and the lines (from 1, both included) that they lie on."""

    any: bool = False
    places: tuple[tuple[int, int], ...] = ()

    def touch(self, lines: Collection[int] | None) -> bool:
        """Whether an error lies on one of `lines` (None: anywhere)."""
        if lines is None or not self.any:
            return self.any
        return any(line in lines for first, last in self.places for line in range(first, last + 1))


def breaks(source: bytes, language: str) -> Breaks:
    """The syntax errors of `source`."""
    root = parse(source, language).root_node
    if not root.has_error:
        return Breaks()
    places, stack = [], [root]
    while stack:
        node = stack.pop()
        if node.is_error or node.is_missing:
            places.append((node.start_point.row + 1, node.end_point.row + 1))
        elif node.has_error:
            stack.extend(node.children)
    return Breaks(True, tuple(places))


def is_broken(source: bytes, language: str, lines: Collection[int] | None) -> bool:
    """Whether a syntax error lies on one of `lines` (from 1; None: anywhere)."""
    return breaks(source, language).touch(lines)


class Node:
    """A node of the syntax tree, with its parent and its field there; children are made when asked for."""

    __slots__ = ("_children", "_tokens", "field", "kind", "language", "parent", "raw", "source")

    def __init__(
        self,
        raw: tree_sitter.Node,
        source: bytes,
        language: Language,
        parent: Node | None = None,
        field: str = "",
    ) -> None:
        self.raw = raw
        self.source = source
        self.language = language
        self.parent = parent
        self.field = field
        self.kind = raw.type
        self._children: tuple[Node, ...] | None = None
        self._tokens: tuple[str, ...] | None = None

    @property
    def data(self) -> bytes:
        """The node's bytes."""
        return self.source[self.raw.start_byte : self.raw.end_byte]

    @property
    def text(self) -> str:
        """The node's text."""
        return self.data.decode("utf-8", "replace")

    @property
    def named(self) -> bool:
        """Whether the grammar names the node: punctuation and keywords are not named."""
        return self.raw.is_named

    @property
    def start(self) -> int:
        """The first byte."""
        return self.raw.start_byte

    @property
    def end(self) -> int:
        """The byte after the last."""
        return self.raw.end_byte

    @property
    def first_line(self) -> int:
        """The first line, from 1."""
        return self.raw.start_point[0] + 1

    @property
    def last_line(self) -> int:
        """The last line, from 1; a node that ends with its line break ends on that line."""
        row, column = self.raw.end_point
        return row if column == 0 and row > self.raw.start_point[0] else row + 1

    @property
    def children(self) -> tuple[Node, ...]:
        """All children but comments, in order. Strings are leaves unless something is interpolated."""
        if self._children is None:
            self._children = self._make()
        return self._children

    def _make(self) -> tuple[Node, ...]:
        if self.raw.child_count == 0 or (self.kind in self.language.strings and not self._interpolates()):
            return ()
        out = []
        cursor = self.raw.walk()
        cursor.goto_first_child()
        while True:
            raw = cursor.node
            if raw is not None and raw.type not in COMMENTS:
                out.append(Node(raw, self.source, self.language, self, cursor.field_name or ""))
            if not cursor.goto_next_sibling():
                return tuple(out)

    def _interpolates(self) -> bool:
        return any(
            child.type in ("interpolation", "template_substitution") or child.type in self.language.strings
            for child in self.raw.children
        )

    @property
    def is_block(self) -> bool:
        """Whether its children are statements or members."""
        return self.kind in self.language.blocks

    @property
    def holds_block(self) -> bool:
        """Whether a block is among its children."""
        return any(child.is_block for child in self.children)

    @property
    def tokens(self) -> tuple[str, ...]:
        """Its tokens, free of formatting: see `normalise.tokens`."""
        if self._tokens is None:
            from .normalise import tokens

            self._tokens = tokens(self.raw, self.source, self.language)
        return self._tokens


def tree(source: bytes, language: str) -> Node:
    """The root of `source` as our own lazy tree."""
    return Node(parse(source, language).root_node, source, LANGUAGES[language])
