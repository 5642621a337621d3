"""What a place becomes that a pattern matched: made from what the holes caught, token by token.

ast-grep-py's `replace` puts its text in as it stands, holes and all, and reformats nothing; here whatever the pattern
and the rewrite share keeps its bytes: line breaks, comments, trailing commas.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ast_grep_py import SgNode

from .languages import COMMENTS, Language

_ELEMENT = re.compile(r"\$\$\$[A-Z_][A-Z0-9_]*|\$[A-Z_][A-Z0-9_]*|\w+|[^\w\s]")
HOLE = re.compile(r"\$\$\$([A-Z_][A-Z0-9_]*)|\$([A-Z_][A-Z0-9_]*)")
MAX_REWRITE = 256 * 1024  # characters that one place may become


@dataclass(frozen=True)
class Element:
    """A token or a hole of a template, and the white space before it."""

    text: str
    space: str
    hole: str = ""
    many: bool = False


class Template:
    """A pattern and its rewrite, element by element, in one language.

    Taken apart when it is first asked for: that is where the pattern matches, and it nearly never does.
    """

    def __init__(self, pattern: str, rewrite: str, language: Language) -> None:
        self._pattern = pattern
        self._rewrite = rewrite
        self._language = language

    @cached_property
    def before(self) -> tuple[Element, ...]:
        """The elements of the pattern."""
        return _elements(self._pattern)

    @cached_property
    def after(self) -> tuple[Element, ...]:
        """Those of the rewrite."""
        return _elements(self._rewrite)

    @cached_property
    def _kept(self) -> dict[int, int]:
        return _aligned(self.before, self.after)

    @cached_property
    def holes(self) -> dict[str, Element]:
        """The holes of the pattern, by name."""
        return {each.hole: each for each in self.before if each.hole}

    def rewritten(self, node: SgNode, text: str, start: int, end: int) -> str | None:
        """What a place becomes; None where the holes caught nothing, or too much."""
        caught = {name: _caught(node, hole) for name, hole in self.holes.items()}
        if any(span is None for span in caught.values()):
            return None
        spans = {name: span for name, span in caught.items() if span is not None}
        if sum(spans[x.hole][1] - spans[x.hole][0] for x in self.after if x.hole) > MAX_REWRITE:
            return None
        placed = self._place(text, start, end, spans)
        if placed is None:
            return _plain(self.after, text, spans)
        return self._splice(text, start, end, placed, spans)

    def _place(
        self, text: str, start: int, end: int, spans: dict[str, tuple[int, int]]
    ) -> list[tuple[int, int]] | None:
        """Where each element of the pattern stands in the text; None where that cannot be told."""
        placed: list[tuple[int, int]] = []
        at = start
        for element in self.before:
            if element.many and spans[element.hole][0] < 0:
                placed.append((at, at))
                continue
            if element.hole and spans[element.hole][0] >= at:
                span = spans[element.hole]
            else:
                wanted = text[slice(*spans[element.hole])] if element.hole else element.text
                found = _seek(text, at, end, wanted, self._language)
                if found is None:
                    return None
                span = (found, found + len(wanted))
            placed.append(span)
            at = span[1]
        return placed

    def _splice(
        self,
        text: str,
        start: int,
        end: int,
        placed: Sequence[tuple[int, int]],
        spans: dict[str, tuple[int, int]],
    ) -> str:
        out: list[str] = []
        last = before = -2  # the last element of the pattern that was kept, and the one just before this
        empty = False  # whether a `$$$` hole has just caught nothing: the comma after it goes, and its space
        for j, element in enumerate(self.after):
            i = self._kept.get(j, -2)
            piece = text[slice(*placed[i])] if i >= 0 else _fill(element, text, spans)
            if element.many and not piece:
                empty = not _drop_comma(out)
                continue
            if empty and piece == ",":
                continue
            if i > 0 and last == i - 1:
                # What stood between two kept tokens stays between them, even when something came in.
                gap = text[placed[i - 1][1] : placed[i][0]]
                out.append(gap if before == last else gap or element.space)
            elif j > 0 and not empty:
                out.append(element.space)
            out.append(piece)
            empty = False
            before = i
            last = i if i >= 0 else last
        return "".join(out) + (text[placed[-1][1] : end] if placed else "")


def elements(template: str) -> list[str]:
    """The tokens and holes of a pattern or a rewrite."""
    return _ELEMENT.findall(template)


def _elements(template: str) -> tuple[Element, ...]:
    out = []
    at = 0
    for found in _ELEMENT.finditer(template):
        hole = HOLE.fullmatch(found[0])
        name = (hole[1] or hole[2]) if hole else ""
        out.append(Element(found[0], template[at : found.start()], name, bool(hole and hole[1])))
        at = found.end()
    return tuple(out)


def _aligned(before: Sequence[Element], after: Sequence[Element]) -> dict[int, int]:
    """For each element of the rewrite that the pattern has as well: its index there."""
    matching = difflib.SequenceMatcher(
        None, [x.text for x in before], [x.text for x in after], autojunk=False
    )
    return {block.b + k: block.a + k for block in matching.get_matching_blocks() for k in range(block.size)}


def _caught(node: SgNode, hole: Element) -> tuple[int, int] | None:
    """What a hole caught, as offsets; (-1, -1) for a `$$$` hole that caught nothing."""
    if not hole.many:
        one = node.get_match(hole.hole)
        if one is None:
            return None
        place = one.range()
        return place.start.index, place.end.index
    many = node.get_multiple_matches(hole.hole)
    while many and (many[-1].text() in (",", ";") or many[-1].kind() in COMMENTS):
        many.pop()
    if not many:
        return -1, -1
    return many[0].range().start.index, many[-1].range().end.index


def _seek(text: str, at: int, end: int, wanted: str, language: Language) -> int | None:
    """The offset of `wanted` after white space, comments, and commas that formatters put in."""
    while at < end:
        if text.startswith(wanted, at):
            return at
        if text[at].isspace() or text[at] in ",;":
            at += 1
        elif text.startswith(language.line_comment, at):
            line = text.find("\n", at)
            at = end if line < 0 else line + 1
        elif language.block_comment and text.startswith(language.block_comment[0], at):
            close = text.find(language.block_comment[1], at + 2)
            at = end if close < 0 else close + len(language.block_comment[1])
        else:
            return None
    return None


def _fill(element: Element, text: str, spans: dict[str, tuple[int, int]]) -> str:
    if not element.hole:
        return element.text
    start, end = spans[element.hole]
    return text[start:end] if start >= 0 else ""


def _plain(after: Sequence[Element], text: str, spans: dict[str, tuple[int, int]]) -> str:
    out: list[str] = []
    empty = False
    for element in after:
        piece = _fill(element, text, spans)
        if element.many and not piece:
            empty = not _drop_comma(out)
        elif not (empty and piece == ","):
            out += [element.space, piece] if out and not empty else [piece]
            empty = False
    return "".join(out)


def _drop_comma(out: list[str]) -> bool:
    """A `$$$` hole that caught nothing takes the comma before it away; whether there was one."""
    if not out or out[-1] != ",":
        return False
    out.pop()
    if out and not out[-1].strip():
        out.pop()
    return True
