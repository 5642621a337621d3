"""A piece of code parsed where it may stand: a statement, an argument, the head of a clause."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .languages import LANGUAGES
from .parse import Node, tree

PLACE = "%s"
BODY = "\n    pass"
_METHOD = re.compile(r"\s*\(\s*(?:self|cls)\b")


@dataclass(frozen=True)
class Fragment:
    """A piece of code in a program that holds it: `offset` is the bytes before it."""

    node: Node
    program: str
    wrapper: str
    offset: int


def fragment(text: str, language: str, wrapper: str) -> Fragment | None:
    """`text` parsed inside one of the language's wrappers; None where it is no single node there."""
    text = text.strip()
    if not text:
        return None
    program = wrapper.replace(PLACE, text, 1)
    offset = len(wrapper[: wrapper.index(PLACE)].encode())
    source = program.encode("utf-8", "replace")
    root = tree(source, language)
    if root.raw.has_error:
        return None
    end = offset + len(text.encode("utf-8", "replace"))
    body = len(source) if has_body(wrapper) else end
    node = _spanning(root, offset, body)
    return Fragment(node, program, wrapper, offset) if node is not None and not node.is_block else None


def has_body(wrapper: str) -> bool:
    """Whether the wrapper gives the fragment a body of its own: the fragment is the head of a clause."""
    return wrapper.endswith(PLACE + BODY)


def _spanning(root: Node, start: int, end: int) -> Node | None:
    """The outermost node other than a block that spans these bytes exactly."""
    node: Node | None = root
    while node is not None:
        if node.start == start and node.end == end and not node.is_block:
            return node
        node = next((child for child in node.children if child.start <= start and end <= child.end), None)
    return None


def fragments(before: str, after: str, language: str) -> tuple[Fragment, Fragment] | None:
    """Both sides of an edit in the first wrapper that both parse in; None where there is none."""
    for wrapper in _wrappers(before, language):
        left = fragment(before, language, wrapper)
        if left is None:
            continue
        right = fragment(after, language, wrapper)
        if right is not None:
            return left, right
    return None


def _wrappers(text: str, language: str) -> tuple[str, ...]:
    """The wrappers in the order in which they are tried. `(key, fn)` reads as an expression as well, but what is cut
    out of code in brackets are the parameters of a function; in Python, where tuples are, those of a method.
    """
    wrappers = LANGUAGES[language].wrappers
    heads = ("def f" + PLACE,) if _METHOD.match(text) else ("function f" + PLACE,)
    if text.lstrip()[:1] != "(":
        return wrappers
    return tuple(sorted(wrappers, key=lambda each: not each.startswith(heads)))
