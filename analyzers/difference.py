"""Where two syntax trees differ: walked down together, matched by tokens, paired by name and by looks."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .languages import INTERFACE_NAMES, LISTS
from .normalise import import_parts
from .parse import Node

MAX_EDITS = 200
_SIMILAR = 0.4
_PAIRED = 0.55
_LONG = 2_000  # bytes from which a node is compared as it stands

Pair = tuple[Node, Node]


@dataclass(frozen=True)
class Leftover:
    """Statements without a partner, in one place: those that went from `before` and those that came in `after`.

    An empty side's line is the one before which the other's statements would stand.
    """

    gone: list[Node]
    came: list[Node]
    before: Node
    after: Node
    line_before: int
    line_after: int


class Found:
    """What the walk collects: paired nodes, and statements that only one side has."""

    def __init__(self) -> None:
        self.pairs: list[Pair] = []
        self.heads: list[Pair] = []
        self.lists: list[Leftover] = []

    def __len__(self) -> int:
        return len(self.pairs) + len(self.heads) + len(self.lists)


def unit_pairs(b: Node, a: Node) -> list[Pair]:
    """The smallest pairs of units in which two fragments differ, without what only one side has."""
    found = Found()
    if b.kind == a.kind:
        difference(b, a, found)
    else:
        found.pairs.append((b, a))
    return [*units(found.pairs), *found.heads]


def same(b: Node, a: Node) -> bool:
    """Whether two nodes say the same, whatever their formatting.

    Long ones are the same only by their bytes: what differs in them is found on the way down, and to list
    their tokens at each level of that way would cost more than all the rest.
    """
    if b.kind != a.kind or b.data == a.data:
        return b.kind == a.kind
    return not (_is_long(b) or _is_long(a)) and b.tokens == a.tokens


def _is_long(node: Node) -> bool:
    return node.end - node.start > _LONG


def _key(node: Node) -> object:
    return node.data if _is_long(node) else node.tokens


def difference(b: Node, a: Node, found: Found) -> None:
    """Walk two nodes of one kind down together, and collect where they differ."""
    if len(found) > MAX_EDITS or same(b, a):
        return
    if b.kind != a.kind or not b.children or not a.children:
        found.pairs.append((b, a))
    elif b.kind in b.language.imports:
        if not _same_imports([b], [a]):
            found.pairs.append((b, a))
    elif b.is_block or _holds_bodies(b):
        _statements(b, a, found)
    elif b.holds_block or a.holds_block:
        _with_body(b, a, found)
    elif len(b.children) == len(a.children):
        unequal = [(x, y) for x, y in zip(b.children, a.children, strict=True) if not same(x, y)]
        if not unequal or (len(unequal) > 1 and _wraps(b, a)):
            found.pairs.append((b, a))
        for x, y in unequal:
            if x.named and y.named:
                difference(x, y, found)
            else:
                found.pairs.append((b, a))
    else:
        found.pairs.append((b, a))


def _wraps(b: Node, a: Node) -> bool:
    return _inside(b, a) or _inside(a, b)


def _inside(small: Node, large: Node) -> bool:
    stack = list(large.children)
    while stack:
        node = stack.pop()
        if node.named and same(small, node):
            return True
        if node.end - node.start > small.end - small.start:
            stack.extend(node.children)
    return False


def _holds_bodies(node: Node) -> bool:
    """Whether it lists long things (functions among arguments, say), which pair as statements do."""
    return node.kind in LISTS and any(child.holds_block for child in node.children)


def _with_body(b: Node, a: Node, found: Found) -> None:
    """Statements with a body: the bodies are walked down, what differs of the heads is one edit."""
    bodies_b, bodies_a = [x for x in b.children if x.is_block], [x for x in a.children if x.is_block]
    heads_b, heads_a = [x for x in b.children if not x.is_block], [x for x in a.children if not x.is_block]
    for x, y in zip(bodies_b, bodies_a, strict=False):
        difference(x, y, found)
    if len(bodies_b) != len(bodies_a):
        found.pairs.append((b, a))
        return
    if len(heads_b) == len(heads_a):
        unequal = [(x, y) for x, y in zip(heads_b, heads_a, strict=True) if not same(x, y)]
        if all(x.named and y.named for x, y in unequal):
            for x, y in unequal:
                difference(x, y, found)
            return
    elif _clauses(heads_b, heads_a, found):
        return
    found.heads.append((b, a))


def _clauses(b: list[Node], a: list[Node], found: Found) -> bool:
    """Heads that differ in clauses with bodies of their own (elif, except, else): paired like statements."""
    if not any(x.holds_block for x in (*b, *a)):
        return False
    plain_b, plain_a = [x for x in b if not x.holds_block], [x for x in a if not x.holds_block]
    if [x.tokens for x in plain_b] != [x.tokens for x in plain_a]:
        return False
    _sequence(
        [x for x in b if x.holds_block], [x for x in a if x.holds_block], b[0].parent, a[0].parent, found
    )
    return True


def _statements(b: Node, a: Node, found: Found) -> None:
    _sequence(
        [x for x in b.children if x.named],
        [x for x in a.children if x.named],
        b,
        a,
        found,
    )


def _sequence(B: list[Node], A: list[Node], b: Node | None, a: Node | None, found: Found) -> None:  # noqa: N803
    """Two runs of statements: equal ones are matched, like ones are paired and walked down."""
    if b is None or a is None:
        return
    first = 0
    while first < len(B) and first < len(A) and B[first].data == A[first].data:
        first += 1
    last = 0
    while last < min(len(B), len(A)) - first and B[-1 - last].data == A[-1 - last].data:
        last += 1
    B, A = B[first : len(B) - last], A[first : len(A) - last]  # noqa: N806
    imports_b, imports_a = [x for x in B if _imports(x)], [x for x in A if _imports(x)]
    if (imports_b or imports_a) and _same_imports(imports_b, imports_a):
        B, A = [x for x in B if not _imports(x)], [x for x in A if not _imports(x)]  # noqa: N806
    B, A = _by_name(B, A, found)  # noqa: N806
    matcher = difflib.SequenceMatcher(None, [_key(x) for x in B], [_key(x) for x in A], autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag != "equal":
            _replaced(B[i1:i2], A[j1:j2], b, a, found)


def _by_name(B: list[Node], A: list[Node], found: Found) -> tuple[list[Node], list[Node]]:  # noqa: N803
    """Definitions of one name are one, wherever they went; what is left is returned."""
    named_b, named_a = _definitions(B), _definitions(A)
    paired = [(x, named_a[name]) for name, x in named_b.items() if name in named_a]
    if not paired:
        return B, A
    for x, y in paired:
        difference(x, y, found)
    done = {id(node) for pair in paired for node in pair}
    return [x for x in B if id(x) not in done], [x for x in A if id(x) not in done]


def _definitions(nodes: Sequence[Node]) -> dict[tuple[str, str], Node]:
    """The definitions among the statements by kind and name, without names that are defined twice."""
    named: dict[tuple[str, str], list[Node]] = {}
    for node in nodes:
        name = name_within(node)
        if name:
            named.setdefault((node.kind, name), []).append(node)
    return {key: found[0] for key, found in named.items() if len(found) == 1}


def name_within(node: Node) -> str:
    """The name that a statement defines, under its decorators or its export; empty for none."""
    inner: Node | None = node if node.kind in node.language.definitions else None
    if node.kind in ("decorated_definition", "export_statement"):
        inner = next((x for x in node.children if x.kind in node.language.definitions), None)
    return name_of(inner) if inner is not None else ""


def _imports(node: Node) -> bool:
    return node.kind in node.language.imports


def _same_imports(B: Sequence[Node], A: Sequence[Node]) -> bool:  # noqa: N803
    bag_b: Counter[tuple[str, ...]] = Counter()
    bag_a: Counter[tuple[str, ...]] = Counter()
    for nodes, bag in ((B, bag_b), (A, bag_a)):
        for node in nodes:
            bag.update(import_parts(node.raw, node.source, node.language))
    return bag_b == bag_a


def _replaced(B: list[Node], A: list[Node], b: Node, a: Node, found: Found) -> None:  # noqa: N803
    """A run replaced by another: pairs are walked down, what is left over stands alone between them."""
    if len(B) == len(A) and all(_similar(x, y, _SIMILAR) for x, y in zip(B, A, strict=True)):
        pairs = list(zip(range(len(B)), range(len(A)), strict=True))
    else:
        pairs = _pairs(B, A)
    i = j = 0
    for p, q in [*pairs, (len(B), len(A))]:
        if i < p or j < q:
            _left(B[i:p], A[j:q], b, a, found)
        if p < len(B):
            if B[p].kind == A[q].kind:
                difference(B[p], A[q], found)
            else:
                found.pairs.append((B[p], A[q]))
        i, j = p + 1, q + 1


def _left(B: list[Node], A: list[Node], b: Node, a: Node, found: Found) -> None:  # noqa: N803
    """Statements without a partner. One for one is an edit; else each side's lines as they stand."""
    if len(B) == len(A) == 1 and not B[0].holds_block and not A[0].holds_block:
        found.pairs.append((B[0], A[0]))
        return
    at_b = B[0].first_line if B else _line_for(b, A)
    at_a = A[0].first_line if A else _line_for(a, B)
    found.lists.append(Leftover(B, A, b, a, at_b, at_a))


def _line_for(parent: Node, others: list[Node]) -> int:
    """The line of `parent` before which the other side's statements would stand."""
    holder = others[-1].parent
    later = (
        [x for x in holder.children if x.named and x.start > others[-1].start] if holder is not None else []
    )
    lines = {x.data: x.first_line for x in reversed(parent.children) if x.named}
    return next((lines[x.data] for x in later if x.data in lines), parent.last_line + 1)


def _similar(x: Node, y: Node, threshold: float) -> bool:
    if x.kind != y.kind and (x.holds_block or y.holds_block):
        return False
    by_lines = _is_long(x) or _is_long(y)
    left, right = _features(x, by_lines), _features(y, by_lines)
    both = sum(left.values()) + sum(right.values())
    return 2 * sum((left & right).values()) >= threshold * max(1, both)


def _features(node: Node, by_lines: bool) -> Counter[object]:
    """What two nodes may have in common: lines where one of them is long, else tokens."""
    return Counter(line.strip() for line in node.data.split(b"\n")) if by_lines else Counter(node.tokens)


def _pairs(B: list[Node], A: list[Node]) -> list[tuple[int, int]]:  # noqa: N803
    """Indexes of like statements, in order on both sides; the window keeps the cost linear."""
    out = []
    start = 0
    for i, x in enumerate(B[:400]):
        for j in range(start, min(len(A), start + 20)):
            if x.kind == A[j].kind and _named_alike(x, A[j]):
                out.append((i, j))
                start = j + 1
                break
    return out


def _named_alike(x: Node, y: Node) -> bool:
    """Definitions pair by name, all else by looks."""
    if x.kind in x.language.definitions and name_of(x):
        return name_of(x) == name_of(y)
    return _similar(x, y, _PAIRED)


def name_of(node: Node) -> str:
    """The name that a definition gives."""
    for child in node.children:
        if child.field == "name":
            return child.text
    return ""


def enclosing(node: Node | None) -> str:
    """The names of the definitions around a node, outermost first, joined by dots."""
    names: list[str] = []
    while node is not None:
        if node.kind in node.language.definitions:
            name = name_of(node)
            if name:
                names.append(name)
        elif node.kind in ("arrow_function", "function_expression") and node.parent is not None:
            name = name_of(node.parent)
            if name:
                names.append(name)
        node = node.parent
    return ".".join(reversed(names))


def is_unit(node: Node) -> bool:
    """Whether an expression means something on its own: not a leaf, a list, a named argument or a callee."""
    if not node.named or node.kind in LISTS or node.kind in INTERFACE_NAMES:
        return False
    if not node.children or node.kind in ("keyword_argument", "pair", "keyed_element", "interpolation"):
        return False
    if node.kind in ("parenthesized_expression", "literal_element", "dotted_name", "template_substitution"):
        return False
    return node.field not in ("function", "constructor")


def widen(pair: Pair) -> Pair:
    """The pair, or the parents of both until they are units; never beyond a statement or into a head."""
    b, a = pair
    while not (is_unit(b) and is_unit(a)):
        above = parents((b, a))
        if above is None:
            break
        b, a = above
    return b, a


def parents(pair: Pair) -> Pair | None:
    """Both parents, where both are of one kind, and neither is a block or holds one."""
    b, a = pair[0].parent, pair[1].parent
    if b is None or a is None or b.kind != a.kind:
        return None
    if b.is_block or a.is_block or b.holds_block or a.holds_block:
        return None
    return b, a


def units(pairs: Sequence[Pair]) -> list[Pair]:
    """Each pair widened; one that lies inside another is a part of that other."""
    wide = {(b.start, b.end, a.start, a.end): (b, a) for b, a in map(widen, pairs) if b.tokens != a.tokens}
    spans = list(wide)
    return [
        pair
        for span, pair in wide.items()
        if not any(
            other != span
            and other[0] <= span[0]
            and span[1] <= other[1]
            and other[2] <= span[2]
            and span[3] <= other[3]
            for other in spans
        )
    ]
