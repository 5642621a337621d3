"""The smallest edits between two versions of a file, from a top-down difference of their syntax trees.

The method is Getafix's tree difference made light (Bader, Scott, Pradel, Chandra: "Getafix: learning to fix
bugs automatically", OOPSLA 2019): equal subtrees are matched by their tokens, unequal ones are walked down
together as long as their kinds agree. What is found is widened to the smallest expression that means
something on its own: a call rather than its argument.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from ..store.ends import common_ends
from .difference import MAX_EDITS, Found, Leftover, Pair, difference, enclosing, parents, units
from .languages import LANGUAGES
from .moves import take_moves
from .parse import Node, tree

MAX_BYTES = 1_000_000  # a longer file is data, not code that a person reads
MAX_CONTEXT = 600  # characters of a statement that is kept whole as an edit's context


@dataclass(frozen=True)
class Edit:
    """One edit. Lines are from 1 and ranges hold both ends; an insertion between the lines n and n+1 has
    `line_before` 0 and `lines_before` (n+1, n), and a deletion the same on the other side.

    `context_before` and `context_after` are the statement around the edit, or of a statement with a body its
    head's expression, where that is not too long; else the edit itself.
    """

    before: str
    after: str
    line_before: int
    line_after: int
    lines_before: tuple[int, int]
    lines_after: tuple[int, int]
    enclosing: str = ""
    context_before: str = ""
    context_after: str = ""


def edits(before: str, after: str, language: str | None) -> list[Edit]:
    """The smallest edits from `before` to `after`, in the order of their lines.

    Changes of formatting, comments and the order of imports give none. Without a grammar: hunks of lines.
    """
    if before == after or len(before) > MAX_BYTES or len(after) > MAX_BYTES:
        return []
    if language is None or language not in LANGUAGES:
        return _line_edits(before, after)
    old, new = (
        tree(before.encode("utf-8", "replace"), language),
        tree(after.encode("utf-8", "replace"), language),
    )
    found = Found()
    try:
        if old.kind == new.kind:
            difference(old, new, found)
            take_moves(found)
        else:
            return _line_edits(before, after)
    except RecursionError:
        return _line_edits(before, after)
    out = [_pair_edit(pair) for pair in units(found.pairs)]
    out += [_head_edit(b, a) for b, a in found.heads]
    out += [_list_edit(each) for each in found.lists]
    unique = dict.fromkeys(edit for edit in out if edit.before.split() != edit.after.split())
    return sorted(unique, key=lambda edit: (edit.lines_before, edit.lines_after))[:MAX_EDITS]


def _context(pair: Pair) -> Pair:
    above = parents(pair)
    while above is not None and max(len(above[0].data), len(above[1].data)) <= MAX_CONTEXT:
        pair = above
        above = parents(pair)
    return pair


def _pair_edit(pair: Pair) -> Edit:
    b, a = pair
    outer_b, outer_a = _context(pair)
    return Edit(
        before=b.text,
        after=a.text,
        line_before=b.first_line,
        line_after=a.first_line,
        lines_before=(b.first_line, b.last_line),
        lines_after=(a.first_line, a.last_line),
        enclosing=enclosing(b),
        context_before=outer_b.text,
        context_after=outer_a.text,
    )


def _head_edit(b: Node, a: Node) -> Edit:
    text_b, last_b = _head(b)
    text_a, last_a = _head(a)
    return Edit(
        before=text_b,
        after=text_a,
        line_before=b.first_line,
        line_after=a.first_line,
        lines_before=(b.first_line, last_b),
        lines_after=(a.first_line, last_a),
        enclosing=enclosing(b),
        context_before=text_b,
        context_after=text_a,
    )


def _head(node: Node) -> tuple[str, int]:
    body = next(child for child in node.children if child.is_block)
    text = node.source[node.start : body.start].decode("utf-8", "replace").rstrip()
    return text, node.first_line + text.count("\n")


def _list_edit(each: Leftover) -> Edit:
    gone, came = each.gone, each.came
    at_b, at_a = each.line_before, each.line_after
    text_b, text_a = _run(gone), _run(came)
    return Edit(
        before=text_b,
        after=text_a,
        line_before=at_b if gone else 0,
        line_after=at_a if came else 0,
        lines_before=(gone[0].first_line, gone[-1].last_line) if gone else (at_b, at_b - 1),
        lines_after=(came[0].first_line, came[-1].last_line) if came else (at_a, at_a - 1),
        enclosing=enclosing(each.before),
        context_before=text_b,
        context_after=text_a,
    )


def _run(nodes: list[Node]) -> str:
    if not nodes:
        return ""
    return nodes[0].source[nodes[0].start : nodes[-1].end].decode("utf-8", "replace")


def _line_edits(before: str, after: str) -> list[Edit]:
    """Hunks of lines, for text without a grammar; lines that differ in white space alone are equal."""
    old, new = before.splitlines(), after.splitlines()
    first, last = common_ends(old, new)
    old_mid, new_mid = old[first : len(old) - last], new[first : len(new) - last]
    if len(old_mid) * len(new_mid) > 4_000_000:  # the matcher is quadratic: one hunk has to do
        opcodes = [("replace", 0, len(old_mid), 0, len(new_mid))]
    else:
        matcher = difflib.SequenceMatcher(
            None,
            [" ".join(x.split()) for x in old_mid],
            [" ".join(x.split()) for x in new_mid],
            autojunk=False,
        )
        opcodes = [tuple(each) for each in matcher.get_opcodes()]  # type: ignore[misc]
    out = []
    for tag, i1, i2, j1, j2 in opcodes:
        text_b, text_a = "\n".join(old_mid[i1:i2]), "\n".join(new_mid[j1:j2])
        if tag == "equal" or text_b.split() == text_a.split():
            continue
        b, a = first + i1 + 1, first + j1 + 1
        out.append(
            Edit(
                before=text_b,
                after=text_a,
                line_before=b if i2 > i1 else 0,
                line_after=a if j2 > j1 else 0,
                lines_before=(b, b + i2 - i1 - 1),
                lines_after=(a, a + j2 - j1 - 1),
                context_before=text_b,
                context_after=text_a,
            )
        )
    return out[:MAX_EDITS]
