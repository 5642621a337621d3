"""Anti-unification: the pattern and the rewrite that several edits have in common.

Plotkin's least general generalisation over pairs of trees, as Getafix uses it (Bader et al., OOPSLA 2019):
where the examples agree the text stays, where they differ there is a hole, and where the same text stood in
each example there is the same hole. Three widths are tried. Widest, whatever both sides of an edit share
becomes one hole, even when all examples happen to agree on it; then only where they differ; narrowest, holes
are as small as the examples allow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...analyzers.languages import INTERFACE_NAMES, LISTS, LITERAL_LISTS, words
from ...analyzers.parse import Node
from ...store.kinds import Hole

WIDTHS = (0, 1, 2)  # from the widest to the narrowest
#: Whatever both sides share, be it a receiver: too wide for a rule, but one change has no more to say of the next.
WIDEST = -1

Texts = tuple[tuple[str, ...], ...]
_HOLE = re.compile(r"\$+[A-Z_][A-Z0-9_]*")
_OPEN = "([{"
_CLOSE = ")]}"
#: Kinds of nodes that take a member of their first child.
MEMBERS = words("attribute member_expression selector_expression qualified_type nested_identifier")


@dataclass(frozen=True)
class Example:
    """One edit at some height: the node as it was and as it became."""

    before: Node
    after: Node
    imports: frozenset[str] = frozenset()  # the names that its file's imports bind


@dataclass(frozen=True)
class General:
    """What the examples have in common, as templates; `head` says that a body follows."""

    pattern: str
    rewrite: str
    holes: tuple[Hole, ...]


class _NoGeneralisationError(Exception):
    """The examples have nothing in common that could be said."""


def antiunify(examples: Sequence[Example], width: int) -> General | None:
    """The pattern and rewrite of the examples; None where the rewrite needs what the pattern cannot bind."""
    work = _Work(examples, width)
    try:
        pattern = work.before([each.before for each in examples], top=True)
        rewrite = work.after([each.after for each in examples])
    except (_NoGeneralisationError, RecursionError):
        return None
    pattern, rewrite = pattern.strip(), rewrite.strip()
    bound, used = set(_HOLE.findall(pattern)), set(_HOLE.findall(rewrite))
    if pattern == rewrite or not used <= bound:
        return None
    return General(pattern, rewrite, work.described({each.lstrip("$") for each in bound}))


class _Work:
    def __init__(self, examples: Sequence[Example], width: int) -> None:
        self.examples = examples
        self.width = width
        self.names: dict[Texts, str] = {}
        self.kinds: dict[str, str] = {}
        self.values: dict[str, list[str]] = {}
        self.shared = [_subtrees(each.after) for each in examples]
        self.imports = frozenset().union(*(each.imports for each in examples)) if examples else frozenset()

    def described(self, used: set[str]) -> tuple[Hole, ...]:
        """The holes, with what syntax fills them and some fillings."""
        return tuple(
            Hole(name=name, kind=self.kinds[name], values=tuple(dict.fromkeys(self.values[name]))[:5])
            for name in self.names.values()
            if name in used
        )

    def before(self, nodes: Sequence[Node], top: bool = False) -> str:
        texts = tuple(node.tokens for node in nodes)
        equal = len(set(texts)) == 1
        if not top and self._is_shared(nodes, texts, equal):
            return self._hole(nodes, texts)
        if equal and not (self.width <= 0 and nodes[0].children):
            return _flat(nodes[0])
        children = [node.children for node in nodes]
        if len({node.kind for node in nodes}) == 1 and all(children):
            if _is_body(nodes[0]):
                return self._body(nodes)
            joined = self._children(nodes, top)
            if joined is not None:
                return joined
            if nodes[0].kind in LISTS:
                return self._variadic(nodes)
        elif equal:
            return _flat(nodes[0])
        if top or not all(_fits_hole(node) for node in nodes):
            raise _NoGeneralisationError
        return self._hole(nodes, texts)

    def _children(self, nodes: Sequence[Node], top: bool = False) -> str | None:
        rows = [_plain(node) for node in nodes]
        if len({len(row) for row in rows}) != 1:
            return None
        columns = list(zip(*rows, strict=True))
        for column in columns:
            if len({child.kind for child in column}) > 1 and not all(child.named for child in column):
                return None
            if not column[0].named and len({child.data for child in column}) > 1:
                return None
        # A statement of one expression is that expression: no hole for the whole of it.
        only = top and len(columns) == 1
        return _stitch(nodes[0], rows[0], [self.before(column, only) for column in columns])

    def after(self, nodes: Sequence[Node]) -> str:
        texts = tuple(node.tokens for node in nodes)
        equal = len(set(texts)) == 1
        bound = texts in self.names and all(_fits_hole(node) for node in nodes)
        if bound and not (equal and _is_role(nodes[0])):
            return "$" + self.names[texts]
        if equal and not nodes[0].children:
            return _flat(nodes[0])
        if len({node.kind for node in nodes}) != 1 or not all(node.children for node in nodes):
            raise _NoGeneralisationError
        if _is_body(nodes[0]):
            return self._body(nodes)
        rows = [_plain(node) for node in nodes]
        if len({len(row) for row in rows}) == 1:
            columns = list(zip(*rows, strict=True))
            if all(column[0].named or len({child.data for child in column}) == 1 for column in columns):
                try:
                    return _stitch(nodes[0], rows[0], [self.after(column) for column in columns])
                except _NoGeneralisationError:
                    if nodes[0].kind not in LISTS:
                        raise
        if nodes[0].kind in LISTS:
            return self._variadic(nodes, bound=True)
        raise _NoGeneralisationError

    def _variadic(self, nodes: Sequence[Node], bound: bool = False) -> str:
        """A list whose length differs: what all begin and end with stays, the middle is one `$$$` hole."""
        rows = [[child for child in node.children if child.named] for node in nodes]
        shortest = min(len(row) for row in rows)
        first = last = 0
        while first < shortest and len({row[first].tokens for row in rows}) == 1:
            first += 1
        while last < shortest - first and len({row[-1 - last].tokens for row in rows}) == 1:
            last += 1
        middles = [row[first : len(row) - last] for row in rows]
        texts = tuple(
            tuple(token for child in middle for token in (*child.tokens, ",")) for middle in middles
        )
        name = self.names.get(texts)
        if name is None:
            if bound or any(child.kind == "pair" for middle in middles for child in middle):
                raise _NoGeneralisationError
            name = self._new(texts, "list", [", ".join(child.text for child in middle) for middle in middles])
        if not nodes[0].children or nodes[0].children[0].named:
            raise _NoGeneralisationError
        opened, closed = nodes[0].children[0].text, nodes[0].children[-1].text
        head = [_flat(child) for child in rows[0][:first]]
        tail = [_flat(child) for child in rows[0][len(rows[0]) - last :]]
        return opened + ", ".join([*head, "$$$" + name, *tail]) + closed

    def _body(self, nodes: Sequence[Node]) -> str:
        """The body that a wrapper lent to the head of a clause stands for any body."""
        texts = tuple(("body",) for _ in nodes)
        name = self.names.get(texts) or self._new(texts, "body", [])
        return "$$$" + name

    def _is_shared(self, nodes: Sequence[Node], texts: Texts, equal: bool) -> bool:
        """Whether the place is the same on both sides of each edit: nothing about it was corrected."""
        if self.width == 2 or not all(_fits_hole(node) for node in nodes):
            return False
        if not all(text in shared for text, shared in zip(texts, self.shared, strict=True)):
            return False
        if self.width == WIDEST:
            return not equal or not (_is_role(nodes[0]) or nodes[0].text in nodes[0].language.constants)
        return not equal or (self.width == 0 and self._is_variable(nodes))

    def _is_variable(self, nodes: Sequence[Node]) -> bool:
        """Whether what all examples agree on is chance: a variable or a literal, not a module."""
        node = nodes[0]
        if node.text in node.language.constants or node.text in self.imports:
            return False
        parent = node.parent
        if node.kind in node.language.strings and _is_receiver(node):
            return True  # a text says nothing of what is done with it
        if parent is None or parent.kind not in LISTS:
            # An operand: only a plain name that nothing imports, where imports are known. A receiver never:
            # the rule that is too narrow is widened by the first correction on another one, and the one that
            # is too wide warns of every `get` there is.
            return (
                node.kind == "identifier"
                and bool(self.imports)
                and node.text.islower()
                and not _is_role(node)
                and not _is_receiver(node)
            )
        if node.kind == "identifier":
            return not node.text[:1].isupper()
        return node.kind in node.language.strings or bool(node.children)

    def _hole(self, nodes: Sequence[Node], texts: Texts) -> str:
        name = self.names.get(texts)
        if name is None:
            kinds = {node.kind for node in nodes}
            name = self._new(texts, kinds.pop() if len(kinds) == 1 else "", [node.text for node in nodes])
        return "$" + name

    def _new(self, texts: Texts, kind: str, values: list[str]) -> str:
        if len(self.names) >= 26:
            raise _NoGeneralisationError
        name = chr(ord("A") + len(self.names))
        self.names[texts] = name
        self.kinds[name] = kind
        self.values[name] = [value[:80] for value in values]
        return name


def _subtrees(node: Node) -> set[tuple[str, ...]]:
    out: set[tuple[str, ...]] = set()
    stack = list(node.children)
    while stack:
        here = stack.pop()
        if here.named:
            out.add(here.tokens)
        stack.extend(here.children)
    return out


def _fits_hole(node: Node) -> bool:
    """Whether a hole may stand there: an expression or a name, not a list of arguments, a body or a named argument."""
    if not node.named or node.is_block or (node.kind in LISTS and node.kind not in LITERAL_LISTS):
        return False
    return node.kind not in (
        "keyword_argument",
        "pair",
        "keyed_element",
        "ERROR",
        "string_content",
        "interpolation",
    )


def _is_role(node: Node) -> bool:
    """Whether a name says which interface is meant: a member, the name of an argument, what is called."""
    if node.kind in INTERFACE_NAMES or node.field in ("attribute", "property", "function", "constructor"):
        return True
    parent = node.parent
    return parent is not None and parent.kind == "keyword_argument" and node.field == "name"


def _is_receiver(node: Node) -> bool:
    """Whether a member is taken of it: what it is says which member is meant."""
    parent = node.parent
    if parent is None or parent.kind not in MEMBERS:
        return False
    return next((child for child in parent.children if child.named), None) is node


def _is_body(node: Node) -> bool:
    return node.is_block and node.kind == "block" and node.text == "pass"


def _plain(node: Node) -> list[Node]:
    """The children without the commas and semicolons that formatters put at the end."""
    children = list(node.children)
    if children and not children[-1].named and children[-1].data == b";":
        children.pop()
    single = node.kind == "tuple" and sum(child.named for child in children) == 1
    if len(children) > 1 and children[-2].data == b"," and children[-1].data[-1:] in b")]}" and not single:
        del children[-2]
    return children


def _flat(node: Node) -> str:
    """A node's text on one line, where it has parts; a leaf's text as it is."""
    children = _plain(node)
    if not children:
        return node.text
    return _stitch(node, children, [_flat(child) for child in children])


def _stitch(node: Node, children: Sequence[Node], parts: Sequence[str]) -> str:
    """The parts in place of the children, with the white space of the first example between them."""
    out = ""
    at = node.start
    for child, part in zip(children, parts, strict=True):
        gap = node.source[at : child.start].decode("utf-8", "replace")
        if child.is_block and "\n" in gap:
            out += "\n    "
        elif gap and out:
            wrapped = "\n" in gap or not gap.isspace()
            out += "" if wrapped and (out[-1] in _OPEN or part[:1] in _CLOSE) else _space(gap, wrapped)
        out += part
        at = child.end
    return out


def _space(gap: str, wrapped: bool) -> str:
    return " " if wrapped or re.search(r"\s", gap) else ""
