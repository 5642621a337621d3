"""Patterns matched: ast-grep finds the places, the guards say which of them count, `rewriting` what each becomes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from typing import Any

from ast_grep_py import SgNode, SgRoot

from ..store.kinds import Pattern
from .imports import imports_of, names_of
from .languages import LANGUAGES, Language
from .rewriting import HOLE, Template, elements
from .scopes import is_shadowed

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
        self._template = Template(pattern.pattern, pattern.rewrite, language)
        lacks = [re.escape(each[6:]) for each in pattern.guards if each.startswith("lacks:")]
        self._lacks = re.compile(rf"(?<!\w)(?:{'|'.join(lacks)})(?!\w)") if lacks else None
        self._imports = tuple(each[7:] for each in pattern.guards if each.startswith("import:"))
        self._bound = tuple(each[6:] for each in pattern.guards if each.startswith("bound:"))
        self._paths = tuple(each[5:] for each in pattern.guards if each.startswith("path:"))
        self._not_paths = tuple(each[9:] for each in pattern.guards if each.startswith("not-path:"))
        self._not_imports = frozenset(each[11:] for each in pattern.guards if each.startswith("not-import:"))
        self._not_in = frozenset(each[7:] for each in pattern.guards if each.startswith("not-in:"))

    @cached_property
    def _thrown(self) -> dict[str, str]:
        # What the rewrite throws away must at least be what the examples threw away: `level = "a"` says nothing
        # of `level = read()`.
        # Only holes that the pattern has: what others named one may be no text that the parser takes.
        thrown = self._template.holes.keys() - {each.hole for each in self._template.after if each.hole}
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
            rewrite = self._template.rewritten(node, text, start, end)
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
    if name not in LANGUAGES or not HOLE.sub("", pattern.pattern).strip() or not _bounded(pattern):
        return None
    caught = {hole[1] or hole[2] for hole in HOLE.finditer(pattern.pattern)}
    if not all((hole[1] or hole[2]) in caught for hole in HOLE.finditer(pattern.rewrite)):
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


def _stands_already(text: str, start: int, found: str, rewrite: str) -> bool:
    """Whether what would be wrapped around the place stands there already."""
    inside = rewrite.find(found)
    return 0 <= inside <= start and text.startswith(rewrite, start - inside)
