"""The edits of a correction as rules are made of them: from the smallest that differs up to the statement."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ...analyzers.difference import Found, Pair, difference, parents, unit_pairs
from ...analyzers.fragments import Fragment, fragments
from ...analyzers.imports import go_names
from ...analyzers.languages import INTERFACE_NAMES, LANGUAGES, LISTS
from ...analyzers.parse import Node
from ...store.kinds import Correction
from .antiunify import MEMBERS, Example
from .naming import KEYWORDS, OPERATORS, WORD

MAX_HEIGHT = 4


@dataclass(frozen=True)
class Member:
    """One edit of a correction: the pairs from the smallest unit up, in the fragments that hold it."""

    m: str
    correction: Correction
    sides: tuple[Fragment, Fragment]
    chain: tuple[Pair, ...]
    gone: tuple[str, ...]
    came: tuple[str, ...]
    imports: frozenset[str]

    def example(self, height: int) -> Example:
        """Both sides at a height of the chain."""
        b, a = self.chain[height]
        return Example(b, a, self.imports)


def family(language: str) -> str:
    """Languages of one family share their rules: TypeScript with and without JSX."""
    return "typescript" if language == "tsx" else language


def members_of(m: str, correction: Correction, cores: bool = False) -> Iterator[Member]:
    """The edits of one correction (memory id `m`); with `cores`, only the smallest nodes that differ."""
    if correction.language not in LANGUAGES or not correction.before.strip() or not correction.after.strip():
        return
    if len(correction.before) + len(correction.after) > 2_000:
        return
    sides = fragments(correction.before, correction.after, correction.language)
    if sides is None:
        return
    left, right = sides
    imports = _bound(correction)
    pairs = (core_pairs if cores else unit_pairs)(left.node, right.node)
    for pair in pairs:
        chain = _chain(pair, left.node)
        core = _core(pair)
        if core is not None:
            chain = (core, *chain)
        before, after = Counter(pair[0].tokens), Counter(pair[1].tokens)
        gone, came = tuple(sorted(before - after)), tuple(sorted(after - before))
        if gone or came:
            yield Member(m, correction, sides, chain, _telling(gone), _telling(came), imports)


def core_pairs(b: Node, a: Node) -> list[Pair]:
    """The smallest pairs of nodes in which two fragments differ; a lone name takes what it is a member of along."""
    if b.kind != a.kind:
        return []
    found = Found()
    difference(b, a, found)
    out: dict[tuple[int, int], Pair] = {}
    for pair in found.pairs:
        while not pair[0].children or not pair[0].named:
            above = parents(pair)
            if above is None or above[0].kind not in MEMBERS:
                break
            pair = above
        if pair[0].children and pair[0].named and pair[0].kind not in LISTS:
            out[pair[0].start, pair[0].end] = pair
    return list(out.values())


def _core(pair: Pair) -> Pair | None:
    """The part of a pair that says it all, where one part alone differs: a member that is called, so that no number of
    arguments holds the rule down, or what became a mere name, so that what stood around it does not.
    """
    b, a = pair
    if b.kind != a.kind:
        return None
    if b.kind in b.language.calls and len(b.children) == len(a.children):
        parts = [(x, y) for x, y in zip(b.children, a.children, strict=True) if x.tokens != y.tokens]
        if len(parts) == 1 and parts[0][0].field in ("function", "constructor"):
            return parts[0] if parts[0][0].kind in MEMBERS else None
    found = Found()
    difference(b, a, found)
    if len(found) != 1 or not found.pairs:
        return None
    x, y = found.pairs[0]
    if not x.children:
        above = parents((x, y))
        if above is None or above[0].kind not in MEMBERS:
            return None
        x, y = above
    if x.start < b.start or (x.start, x.end, x.kind) == (b.start, b.end, b.kind):
        return None
    return (x, y) if not y.children and (x.kind in MEMBERS or x.kind in x.language.calls) else None


def _bound(correction: Correction) -> frozenset[str]:
    """The names that the file's imports bind; what a module's path implies stands in for older records."""
    by_path = (name for path in correction.imports for name in implied(path, correction.language))
    return frozenset((*correction.bound, *by_path))


def implied(path: str, language: str) -> list[str]:
    """The names that a module's path implies."""
    return go_names(path) if language == "go" else [re.split(r"[./]", path)[-1]]


def _chain(pair: Pair, root: Node) -> tuple[Pair, ...]:
    """The pair and what is around it inside the fragment; a node that only wraps another is passed over."""
    chain = [pair]
    above = parents(pair)
    while (
        above is not None
        and len(chain) < MAX_HEIGHT
        and root.start <= above[0].start
        and above[0].end <= root.end
    ):
        if (above[0].start, above[0].end) != (chain[-1][0].start, chain[-1][0].end):
            chain.append(above)
        above = parents(above)
    return tuple(chain)


def _telling(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """The tokens that name a change: words and operators; punctuation only where there is nothing else."""
    telling = tuple(token for token in tokens if re.search(r"\w", token) or token in OPERATORS)
    return telling or tuple(token for token in tokens if token not in ("(", ")", ",", "INDENT", "DEDENT"))


def abstract(member: Member) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tokens that vanished and appeared with names that mean something here alone blotted out.

    What is there only once more, or once less, is chance: it stands in a part that the edit took over.
    """
    pair = member.chain[0]
    before, after = set(pair[0].tokens), set(pair[1].tokens)
    gone = tuple(token for token in member.gone if token not in after) or member.gone
    came = tuple(token for token in member.came if token not in before) or member.came
    roles = {node.text for side in pair for node in walk(side) if names_interface(node)}

    def blot(token: str) -> str:
        if token[:1] in "\"'`":
            return "STR"
        if token[:1].isdigit():
            return "NUM"
        return token if token in roles or token in KEYWORDS or not WORD.match(token) else "ID"

    return tuple(sorted(map(blot, gone))), tuple(sorted(map(blot, came)))


def walk(node: Node) -> Iterator[Node]:
    """A node and all that is in it."""
    yield node
    for child in node.children:
        yield from walk(child)


def names_interface(node: Node) -> bool:
    """Whether a node names what others call, take or pass: not a variable of the place itself."""
    if node.kind in INTERFACE_NAMES or node.field in ("attribute", "property", "constructor"):
        return True
    if node.field == "function" and not node.children:
        return True
    return node.field == "name" and node.parent is not None and node.parent.kind == "keyword_argument"


def own_words(member: Member) -> set[str]:
    """The words of the edit that are not inside something that both sides share whole."""
    b, a = member.chain[0]
    shared = {node.tokens for node in walk(a) if node.named and node.children}
    out: set[str] = set()
    stack = [b]
    while stack:
        node = stack.pop()
        if node is not b and node.children and node.tokens in shared and node.field != "function":
            continue
        if not node.children:
            out.add(node.text)
        stack.extend(node.children)
    return out
