"""Patterns matched and rewritten: ast-grep finds the places, the rewrite is spliced here.

ast-grep-py's `replace` puts its text in as it stands, holes and all, and reformats nothing; so the rewrite is
made here from what the holes caught, token by token, so that whatever the pattern and the rewrite share
keeps its bytes: line breaks, comments, trailing commas.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from typing import Any

from ast_grep_py import SgNode, SgRoot

from ..store.kinds import Pattern
from .imports import imports_of, names_of
from .languages import COMMENTS, LANGUAGES, Language
from .scopes import is_shadowed

_ELEMENT = re.compile(r"\$\$\$[A-Z_][A-Z0-9_]*|\$[A-Z_][A-Z0-9_]*|\w+|[^\w\s]")
_HOLE = re.compile(r"\$\$\$([A-Z_][A-Z0-9_]*)|\$([A-Z_][A-Z0-9_]*)")
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORD = re.compile(r"\w+")
TRIALS = 200  # nodes times patterns that are tried one by one, before walking the tree for each is quicker
MAX_MATCHES = 2_000  # of one rule in one file: more says that the rule is wrong, not the file
# A pattern may come from others. What it costs grows with the product of these; a learnt one has some dozens.
MAX_TEMPLATE = 4_096  # characters of a pattern, a rewrite, a context
MAX_ELEMENTS = 400  # tokens and holes of a pattern, a rewrite
MAX_GUARDS = 100
MAX_WORDS = 100
#: The selector of a pattern of tokens: no grammar has a kind of this name, so who knows trees alone passes it over.
TOKENS = "tokens"
MAX_REWRITE = 256 * 1024  # characters that one place may become
MAX_FOUND = 4 * 1024 * 1024  # characters of all places in one file, and of what they would become


@dataclass(frozen=True)
class Match:
    """One place that a pattern matches. Lines and columns (in characters) are from 1, the end is exclusive;
    `start` and `end` are offsets in characters.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    text: str
    rewrite: str
    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class _Element:
    """A token or a hole of a template, and the white space before it."""

    text: str
    space: str
    hole: str = ""
    many: bool = False


class Parsed:
    """A text parsed by ast-grep once, for many patterns."""

    def __init__(self, text: str, language: str) -> None:
        self.text = text
        self.language = language
        self._root: SgNode | None = None
        self._imports: tuple[str, ...] | None = None
        self._held: dict[str, bool] = {}

    @property
    def root(self) -> SgNode:
        """The root node; parsed when first asked for, because most texts fail the prefilter."""
        if self._root is None:
            name = LANGUAGES[self.language].pattern_name
            try:
                self._root = SgRoot(self.text, name).root()
            except UnicodeEncodeError:  # half a surrogate pair; offsets count characters, and stay
                self._root = SgRoot(_SURROGATE.sub("\ufffd", self.text), name).root()
        return self._root

    @property
    def imports(self) -> tuple[str, ...]:
        """What the text imports."""
        if self._imports is None:
            self._imports = imports_of(self.text, self.language)
        return self._imports

    @cached_property
    def names(self) -> frozenset[str]:
        """The names that the text's imports bind."""
        return frozenset(names_of(self.text, self.language))

    @cached_property
    def vocabulary(self) -> str:
        """The words of the text, each once: a tenth of its length, and it holds the same pieces of words."""
        return "\n".join(set(_WORD.findall(self.text)))

    def holds(self, words: Iterable[str]) -> bool:
        """Whether all of `words` stand in the text, be it inside longer ones: quick for thousands of them."""
        held = self._held
        for word in words:
            found = held.get(word)
            if found is None:
                is_plain = word.replace("_", "a").isalnum()  # what \w+ matches whole
                found = held[word] = word in (self.vocabulary if is_plain else self.text)
            if not found:
                return False
        return True


class Compiled:
    """A pattern made ready to match in one language."""

    def __init__(self, pattern: Pattern, language: Language) -> None:
        self.pattern = pattern
        self.language = language
        self._rule: dict[str, Any] = {"pattern": matcher(pattern)}
        lacks = [re.escape(each[6:]) for each in pattern.guards if each.startswith("lacks:")]
        self._lacks = re.compile(rf"(?<!\w)(?:{'|'.join(lacks)})(?!\w)") if lacks else None
        self._imports = tuple(each[7:] for each in pattern.guards if each.startswith("import:"))
        self._bound = tuple(each[6:] for each in pattern.guards if each.startswith("bound:"))
        self._paths = tuple(each[5:] for each in pattern.guards if each.startswith("path:"))
        self._not_paths = tuple(each[9:] for each in pattern.guards if each.startswith("not-path:"))
        self._not_imports = frozenset(each[11:] for each in pattern.guards if each.startswith("not-import:"))
        self._not_in = frozenset(each[7:] for each in pattern.guards if each.startswith("not-in:"))

    # What follows is needed where the pattern matches, and it nearly never does.

    @cached_property
    def _before(self) -> tuple[_Element, ...]:
        return _elements(self.pattern.pattern)

    @cached_property
    def _after(self) -> tuple[_Element, ...]:
        return _elements(self.pattern.rewrite)

    @cached_property
    def _kept(self) -> dict[int, int]:
        return _aligned(self._before, self._after)

    @cached_property
    def _holes(self) -> dict[str, _Element]:
        return {each.hole: each for each in self._before if each.hole}

    @cached_property
    def _thrown(self) -> dict[str, str]:
        # What the rewrite throws away must at least be what the examples threw away: `level = "a"` says nothing
        # of `level = read()`.
        # Only holes that the pattern has: what others named one may be no text that the parser takes.
        thrown = self._holes.keys() - {each.hole for each in self._after if each.hole}
        return {each.name: each.kind for each in self.pattern.holes if each.kind and each.name in thrown}

    def find(
        self,
        source: Parsed | str,
        lines: Collection[int] | None = None,
        path: str = "",
        *,
        piece: bool = False,
    ) -> list[Match]:
        """The places in `source`, in their order, with the text that each would become.

        With `lines`, only places that begin on one of them. A `piece` of a file cannot say what the file imports.
        A place that is already what the rewrite would make of it, or whose rewrite is the same text, is none.
        """
        parsed = Parsed(source, self.language.name) if isinstance(source, str) else source
        if not all(word in parsed.text for word in self.pattern.words) or not self._speaks(
            parsed, path, piece
        ):
            return []
        return self._matches(parsed.root.find_all(**self._rule)[:MAX_MATCHES], parsed.text, lines)

    def _speaks(self, parsed: Parsed, path: str, piece: bool = False) -> bool:
        """Whether the guards let the pattern speak of this file."""
        if self._paths and not any(fnmatchcase(path, glob) for glob in self._paths):
            return False
        if any(fnmatchcase(path, glob) for glob in self._not_paths):
            return False
        if piece:
            return True
        if self._not_imports and not self._not_imports.isdisjoint(parsed.imports):
            return False
        if self._imports and not set(self._imports) & set(parsed.imports):
            return False
        return not self._bound or parsed.names.issuperset(self._bound)

    def _matches(self, nodes: Sequence[SgNode], text: str, lines: Collection[int] | None) -> list[Match]:
        out = []
        size = 0
        for node in nodes:
            place = node.range()
            if lines is not None and place.start.line + 1 not in lines:
                continue
            start, end = place.start.index, place.end.index
            found = text[start:end]
            size += len(found)
            if size > MAX_FOUND:
                break
            if self._lacks is not None and self._lacks.search(found):
                continue
            if not self._throws_alike(node) or any(is_shadowed(node, name) for name in self._bound):
                continue
            if self._not_in and not self._not_in.isdisjoint(_definitions(node, self.language)):
                continue
            rewrite = self._rewrite(node, text, start, end)
            if rewrite is None or rewrite == found or _stands_already(text, start, found, rewrite):
                continue
            size += len(rewrite)
            out.append(
                Match(
                    line=place.start.line + 1,
                    column=place.start.column + 1,
                    end_line=place.end.line + 1,
                    end_column=place.end.column + 1,
                    text=found,
                    rewrite=rewrite,
                    start=start,
                    end=end,
                    kind=node.kind(),
                )
            )
        return out

    def _throws_alike(self, node: SgNode) -> bool:
        """Whether what would be thrown away here is of the kinds that the examples threw away."""
        for name, kind in self._thrown.items():
            caught = node.get_match(name)
            if caught is not None and caught.kind() != kind:
                return False
        return True

    def _rewrite(self, node: SgNode, text: str, start: int, end: int) -> str | None:
        caught = {name: _caught(node, hole) for name, hole in self._holes.items()}
        if any(span is None for span in caught.values()):
            return None
        spans = {name: span for name, span in caught.items() if span is not None}
        if sum(spans[x.hole][1] - spans[x.hole][0] for x in self._after if x.hole) > MAX_REWRITE:
            return None
        placed = self._place(text, start, end, spans)
        if placed is None:
            return _plain(self._after, text, spans)
        return self._splice(text, start, end, placed, spans)

    def _place(
        self, text: str, start: int, end: int, spans: dict[str, tuple[int, int]]
    ) -> list[tuple[int, int]] | None:
        """Where each element of the pattern stands in the text; None where that cannot be told."""
        placed: list[tuple[int, int]] = []
        at = start
        for element in self._before:
            if element.many and spans[element.hole][0] < 0:
                placed.append((at, at))
                continue
            if element.hole and spans[element.hole][0] >= at:
                span = spans[element.hole]
            else:
                wanted = text[slice(*spans[element.hole])] if element.hole else element.text
                found = _seek(text, at, end, wanted, self.language)
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
        empty = (
            False  # a `$$$` hole has just caught nothing: the comma after it goes, and the space after that
        )
        for j, element in enumerate(self._after):
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


def _definitions(node: SgNode, language: Language) -> list[str]:
    """The names of the definitions around a node."""
    named = (each.field("name") for each in node.ancestors() if each.kind() in language.definitions)
    return [name.text() for name in named if name is not None]


def find_each(
    parsed: Parsed, patterns: Sequence[Compiled], lines: Collection[int] | None = None, path: str = ""
) -> list[list[Match]]:
    """What `find` of each pattern says, with one walk of the tree for all of them."""
    out: list[list[Match]] = [[] for _ in patterns]
    asked = [
        (compiled, found)
        for compiled, found in zip(patterns, out, strict=True)
        if parsed.holds(compiled.pattern.words) and compiled._speaks(parsed, path)
    ]
    for compiled, found in asked:
        if compiled.pattern.selector == TOKENS:
            found += compiled.find(parsed, lines, path)
    asked = [each for each in asked if each[0].pattern.selector != TOKENS]
    if not asked:
        return out
    rules: list[Any] = [compiled._rule for compiled, _ in asked]
    nodes = parsed.root.find_all(any=rules)
    if len(nodes) > MAX_MATCHES or len(nodes) * len(asked) > TRIALS:
        for compiled, found in asked:
            found += compiled.find(parsed, lines, path)
        return out
    if lines is not None:
        nodes = [node for node in nodes if node.range().start.line + 1 in lines]
    for compiled, found in asked:
        # What the holes caught is known to the node that this very pattern found.
        own = [
            again for node in nodes if (again := node.find(**compiled._rule)) == node and again is not None
        ]
        found += compiled._matches(own, parsed.text, lines)
    return out


@lru_cache(maxsize=4096)
def compile(pattern: Pattern, language: str = "") -> Compiled | None:
    """The pattern made ready for `language` (its own by default).

    None where ast-grep cannot read it, where the rewrite names what nothing has caught, and where it is too large.
    """
    name = language or pattern.language
    if name not in LANGUAGES or not _HOLE.sub("", pattern.pattern).strip() or not _bounded(pattern):
        return None
    caught = {hole[1] or hole[2] for hole in _HOLE.finditer(pattern.pattern)}
    if not all((hole[1] or hole[2]) in caught for hole in _HOLE.finditer(pattern.rewrite)):
        return None
    if pattern.selector == TOKENS:
        from .tokens import CompiledTokens

        return CompiledTokens(pattern, LANGUAGES[name])
    try:
        SgRoot("", LANGUAGES[name].pattern_name).root().find_all(pattern=matcher(pattern))
    except (RuntimeError, UnicodeEncodeError):
        return None
    return Compiled(pattern, LANGUAGES[name])


def _bounded(pattern: Pattern) -> bool:
    """Whether a pattern is small enough to be worth its time."""
    texts = (pattern.pattern, pattern.rewrite, pattern.context, *pattern.guards, *pattern.words)
    return (
        len(pattern.guards) <= MAX_GUARDS
        and len(pattern.words) <= MAX_WORDS
        and all(len(each) <= MAX_TEMPLATE for each in texts)
        and all(len(elements(each)) <= MAX_ELEMENTS for each in (pattern.pattern, pattern.rewrite))
    )


def matcher(pattern: Pattern) -> Any:
    """The pattern as ast-grep takes it: a text, or a context with a selector."""
    if pattern.context:
        return {"context": pattern.context, "selector": pattern.selector}
    return pattern.pattern


def apply(text: str, matches: Sequence[Match]) -> str:
    """The text with the matches rewritten; of two that overlap the one that begins first is taken."""
    out: list[str] = []
    at = 0
    for match in sorted(matches, key=lambda each: (each.start, -each.end)):
        if match.start >= at:
            out += [text[at : match.start], match.rewrite]
            at = match.end
    return "".join(out) + text[at:]


def elements(template: str) -> list[str]:
    """The tokens and holes of a pattern or a rewrite."""
    return _ELEMENT.findall(template)


def _elements(template: str) -> tuple[_Element, ...]:
    out = []
    at = 0
    for found in _ELEMENT.finditer(template):
        hole = _HOLE.fullmatch(found[0])
        name = (hole[1] or hole[2]) if hole else ""
        out.append(_Element(found[0], template[at : found.start()], name, bool(hole and hole[1])))
        at = found.end()
    return tuple(out)


def _aligned(before: Sequence[_Element], after: Sequence[_Element]) -> dict[int, int]:
    """For each element of the rewrite that the pattern has as well: its index there."""
    matching = difflib.SequenceMatcher(
        None, [x.text for x in before], [x.text for x in after], autojunk=False
    )
    return {block.b + k: block.a + k for block in matching.get_matching_blocks() for k in range(block.size)}


def _caught(node: SgNode, hole: _Element) -> tuple[int, int] | None:
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


def _fill(element: _Element, text: str, spans: dict[str, tuple[int, int]]) -> str:
    if not element.hole:
        return element.text
    start, end = spans[element.hole]
    return text[start:end] if start >= 0 else ""


def _plain(after: Sequence[_Element], text: str, spans: dict[str, tuple[int, int]]) -> str:
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


def _stands_already(text: str, start: int, found: str, rewrite: str) -> bool:
    """Whether what would be wrapped around the place stands there already."""
    inside = rewrite.find(found)
    return 0 <= inside <= start and text.startswith(rewrite, start - inside)
