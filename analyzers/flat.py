"""A whole syntax tree in flat lists, of which the source can be put together again, byte for byte.

A leaf is a token, a comment, or a string in which nothing is interpolated. White space is no node: each leaf carries
the gap in front of it, and the root the one at the end of the text, so a tree says everything that its source said,
and two versions that differ in formatting alone have one shape. What a grammar passes over without a node
of its own becomes a leaf of the kind `text`, so that nothing is lost.

Where there is no grammar, or a text does not parse, its lines stand in for statements and its words for tokens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import tree_sitter

from .languages import LANGUAGES, Language
from .normalise import interpolates
from .parse import parse

WORDS, LINES = "words", "lines"
#: Larger texts are compared by lines alone, and by words up to the second limit (bytes).
MANY_BYTES = 1_000_000
MANY_WORD_BYTES = 200_000
#: More nodes than this are not worth what they cost: by lines.
MANY_NODES = 250_000

_WORD = re.compile(rb"[\w\x80-\xff]+|[^\w\s\x80-\xff]")


@dataclass
class Flat:
    """Nodes in pre-order: those below node `n` are `n + 1` to `n + sizes[n] - 1`; the root is 0."""

    kinds: list[str] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)  # of leaves; empty for all others
    gaps: list[bytes] = field(default_factory=list)  # in front of leaves; the root's stands at the end
    parents: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    children: list[list[int]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.kinds)

    def add(self, kind: str, parent: int, text: bytes = b"", gap: bytes = b"") -> int:
        """Append a node behind all others, as the last child of `parent` (-1: as the root)."""
        number = len(self.kinds)
        self.kinds.append(kind)
        self.texts.append(text)
        self.gaps.append(gap)
        self.parents.append(parent)
        self.sizes.append(1)
        self.children.append([])
        if parent >= 0:
            self.children[parent].append(number)
        return number

    def close(self) -> Flat:
        """Count the sizes, now that all nodes are there."""
        for number in range(len(self) - 1, 0, -1):
            self.sizes[self.parents[number]] += self.sizes[number]
        return self


def forms(language: str | None) -> Sequence[str]:
    """The ways to read a text, finest first."""
    return (language, WORDS, LINES) if language is not None and language in LANGUAGES else (WORDS, LINES)


def read(source: bytes, form: str) -> Flat | None:
    """`source` as a tree; None where it cannot be read in this way. By `LINES` everything can."""
    if form == LINES:
        return _by_lines(source, by_words=False)
    if form == WORDS:
        return _by_lines(source, by_words=True) if len(source) <= MANY_WORD_BYTES else None
    if len(source) > MANY_BYTES:
        return None
    tree = parse(source, form)
    if tree.root_node.has_error or tree.root_node.descendant_count > MANY_NODES:
        return None
    return _by_syntax(tree, source, LANGUAGES[form])


def _by_syntax(tree: tree_sitter.Tree, source: bytes, language: Language) -> Flat:
    flat = Flat()
    flat.add(tree.root_node.type, -1)
    at = _grow(flat, 0, tree.root_node, source, language, 0)
    _end(flat, source, at)
    return flat.close()


def forest(roots: Sequence[tree_sitter.Node], source: bytes, language: Language) -> tuple[Flat, list[int]]:
    """Nodes of one tree under a root of their own, and the numbers that they have there."""
    flat = Flat()
    flat.add("forest", -1)
    numbers = []
    for root in roots:
        numbers.append(flat.add(root.type, 0))
        _grow(flat, numbers[-1], root, source, language, root.start_byte)
    return flat.close(), numbers


def _grow(flat: Flat, above: int, root: tree_sitter.Node, source: bytes, language: Language, at: int) -> int:
    """Add all below `root`, which stands at `above` already; `at` is the byte behind the last leaf."""
    strings = language.strings
    top = above
    cursor = root.walk()
    depth = 1 if cursor.goto_first_child() else 0
    while depth:
        node = cursor.node
        assert node is not None
        if node.child_count and (node.type not in strings or interpolates(node, language)):
            above = flat.add(node.type, above)
            cursor.goto_first_child()
            depth += 1
            continue
        start, end = node.start_byte, node.end_byte
        text = source[start:end]
        if start >= at and text and not text.isspace():  # blank tokens are part of the gap
            whole = text
            text = text.strip()
            start += whole.index(text)
            at = _leaf(flat, node.type, above, source, at, start, start + len(text))
        while depth and not cursor.goto_next_sibling():
            cursor.goto_parent()
            depth -= 1
            above = flat.parents[above] if depth else top
    return at


def _leaf(flat: Flat, kind: str, above: int, source: bytes, at: int, start: int, end: int) -> int:
    gap = source[at:start]
    if gap and not gap.isspace():
        text = gap.strip()
        begin = at + gap.index(text)
        flat.add("text", above, text, source[at:begin])
        gap = source[begin + len(text) : start]
    flat.add(kind, above, source[start:end], gap)
    return end


def _end(flat: Flat, source: bytes, at: int) -> None:
    """What stands behind the last leaf."""
    gap = source[at:]
    if gap and not gap.isspace():
        text = gap.strip()
        begin = at + gap.index(text)
        flat.add("text", 0, text, source[at:begin])
        gap = source[begin + len(text) :]
    flat.gaps[0] = gap


def _by_lines(source: bytes, *, by_words: bool) -> Flat:
    flat = Flat()
    flat.add(WORDS if by_words else LINES, -1)
    at = begin = 0
    while begin < len(source):
        end = source.find(b"\n", begin) + 1 or len(source)
        line = source[begin:end]
        text = line.strip()
        if text and by_words:
            above = flat.add("line", 0)
            for word in _WORD.finditer(source, begin, end):
                flat.add("word", above, word[0], source[at : word.start()])
                at = word.end()
        elif text:
            start = begin + line.index(text)
            flat.add("line", 0, text, source[at:start])
            at = start + len(text)
        begin = end
    flat.gaps[0] = source[at:]
    return flat.close()


def write(flat: Flat) -> bytes:
    """The source of a tree."""
    parts = [part for pair in zip(flat.gaps[1:], flat.texts[1:], strict=True) for part in pair]
    return b"".join((*parts, flat.gaps[0]))
