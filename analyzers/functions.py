"""What a file of code consists of for who searches it: functions and types, each with its doc comment apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import tree_sitter

from .languages import COMMENTS, words
from .parse import parse

#: Of a text only so much is told apart as the encoder and the words could tell.
LONGEST = 4_000
_FUNCTION_VALUES = words("function function_expression arrow_function generator_function")
_DEEPEST = 60
_MARKS = re.compile(r"^\s*(?:/\*\*?|\*/|\*|//+|#+!?)\s?|\s*\*/\s*$")


@dataclass(frozen=True)
class Unit:
    """One thing that can be found: `name` within what it is in, lines from 1, both included.

    `doc` is its doc comment, `code` its text without that. `kind` is "function", "type", "section" or "lines".
    """

    kind: str
    name: str
    first: int
    last: int
    doc: str
    code: str


def units_of(source: bytes, language: str) -> list[Unit]:
    """The functions and types of a source file, in the order in which they begin."""
    root = parse(source, language).root_node
    found = {"python": _python, "go": _go}.get(language, _script)(root, source)
    return sorted(found, key=lambda unit: (unit.first, -unit.last))


def _text(node: tree_sitter.Node | None, source: bytes) -> str:
    return source[node.start_byte : node.end_byte].decode("utf-8", "replace") if node is not None else ""


def _unit(kind: str, name: str, node: tree_sitter.Node, doc: str, code: str) -> Unit:
    last = node.end_point.row + (0 if node.end_point.column == 0 else 1)
    return Unit(kind, name, node.start_point.row + 1, last, doc[:LONGEST], code[:LONGEST])


def _python(root: tree_sitter.Node, source: bytes) -> Iterator[Unit]:
    stack = [(root, "", 0)]
    while stack:
        node, prefix, depth = stack.pop()
        for child in node.named_children:
            within = prefix
            if child.type in ("function_definition", "class_definition"):
                name = prefix + _text(child.child_by_field_name("name"), source)
                whole = node if node.type == "decorated_definition" else child
                doc, at = _docstring(child, source)
                if child.type == "class_definition":
                    yield _unit("type", name, whole, doc, _skeleton(child, source))
                else:
                    text = source[whole.start_byte : child.end_byte]
                    if at is not None:
                        low, high = at.start_byte - whole.start_byte, at.end_byte - whole.start_byte
                        text = text[:low].rstrip() + text[high:]
                    yield _unit("function", name, whole, doc, _dedent(text, whole.start_point.column))
                within = name + "."
            if depth < _DEEPEST and child.named_child_count:
                stack.append((child, within, depth + 1))


def _docstring(node: tree_sitter.Node, source: bytes) -> tuple[str, tree_sitter.Node | None]:
    body = node.child_by_field_name("body")
    first = next((each for each in body.named_children if each.type not in COMMENTS), None) if body else None
    if first is None or first.type != "expression_statement" or not first.named_children:
        return "", None
    literal = first.named_children[0]
    if literal.type != "string":
        return "", None
    inner = "".join(_text(each, source) for each in literal.named_children if each.type == "string_content")
    return "\n".join(line.strip() for line in inner.strip().splitlines()), first


def _skeleton(node: tree_sitter.Node, source: bytes) -> str:
    """A class by its head, its attributes and the heads of its methods."""
    body = node.child_by_field_name("body")
    head = source[node.start_byte : body.start_byte if body else node.end_byte].decode("utf-8", "replace")
    lines = [head.strip()]
    for each in body.named_children if body else ():
        inner = each.child_by_field_name("definition") if each.type == "decorated_definition" else each
        if inner is not None and inner.type == "function_definition":
            name, parameters = (inner.child_by_field_name(field) for field in ("name", "parameters"))
            lines.append(f"def {_text(name, source)}{' '.join(_text(parameters, source).split())[:120]}")
        elif each.type == "expression_statement" and each.named_children[0].type == "assignment":
            lines.append(_text(each, source).partition("\n")[0][:120])
    return "\n".join(lines[:60])


def _go(root: tree_sitter.Node, source: bytes) -> Iterator[Unit]:
    for node in root.named_children:
        if node.type in ("function_declaration", "method_declaration"):
            name = _text(node.child_by_field_name("name"), source)
            receiver = re.findall(
                r"\w+", _text(node.child_by_field_name("receiver"), source).partition("[")[0]
            )
            owner = f"{receiver[-1]}." if receiver else ""
            yield _unit("function", owner + name, node, _comment(node, source, 0), _text(node, source))
        elif node.type == "type_declaration":
            for each in node.named_children:
                if each.type == "type_spec":
                    name = _text(each.child_by_field_name("name"), source)
                    yield _unit("type", name, each, _comment(node, source, 0), _text(each, source))


def _script(root: tree_sitter.Node, source: bytes) -> Iterator[Unit]:
    stack = [(root, "", 0)]
    while stack:
        node, prefix, depth = stack.pop()
        for child in node.named_children:
            named = _named(child, source)
            within = prefix
            if named is not None:
                kind, name, opens = named
                anchor = node if node.type == "export_statement" else child
                doc = _comment(anchor, source, 1)
                yield _unit(kind, prefix + name, child, doc, _text(child, source))
                within = f"{prefix}{name}." if opens else prefix
            if depth < _DEEPEST and child.named_child_count:
                stack.append((child, within, depth + 1))


def _named(node: tree_sitter.Node, source: bytes) -> tuple[str, str, bool] | None:
    """What a node of JavaScript or TypeScript defines: kind, name, and whether names are within it."""
    field = node.child_by_field_name
    kind = node.type
    if kind in ("function_declaration", "generator_function_declaration", "method_definition"):
        return ("function", _text(field("name"), source), True) if field("name") else None
    if kind in ("class_declaration", "class", "abstract_class_declaration", "interface_declaration"):
        return ("type", _text(field("name"), source), True) if field("name") else None
    if kind in ("lexical_declaration", "variable_declaration"):
        for each in node.named_children:
            value = each.child_by_field_name("value") if each.type == "variable_declarator" else None
            if value is not None and value.type in _FUNCTION_VALUES:
                return "function", _text(each.child_by_field_name("name"), source)[:80], False
    elif kind == "expression_statement" and node.named_children:
        assigned = node.named_children[0]
        value = assigned.child_by_field_name("right") if assigned.type == "assignment_expression" else None
        while value is not None and value.type == "assignment_expression":
            value = value.child_by_field_name("right")
        if value is not None and value.type in _FUNCTION_VALUES:
            left = _text(assigned.child_by_field_name("left"), source)
            return "function", left[-60:].split(".")[-1], False
    elif kind in ("pair", "public_field_definition", "field_definition"):
        value = field("value")
        key = field("key") or field("name") or field("property")
        if value is not None and key is not None and value.type in _FUNCTION_VALUES:
            return "function", _text(key, source).strip("'\"")[:80], False
    return None


def _comment(node: tree_sitter.Node, source: bytes, gap: int) -> str:
    """The comment right above a node, `gap` empty lines between them at most; only `/**` ones in scripts."""
    parts: list[str] = []
    line, above = node.start_point.row, node.prev_sibling
    while above is not None and above.type == "comment" and line - 1 - gap <= above.end_point.row <= line:
        text = _text(above, source)
        if gap and text.startswith("/*") and not text.startswith("/**"):
            break
        parts.append(text)
        line = above.start_point.row
        if text.startswith("/*"):
            break
        above = above.prev_sibling
    lines = "\n".join(reversed(parts)).splitlines()
    return "\n".join(_MARKS.sub("", _MARKS.sub("", each)).rstrip() for each in lines).strip()


def _dedent(text: bytes, column: int) -> str:
    """A definition without the indent that its first line had."""
    lines = text.decode("utf-8", "replace").split("\n")
    indent = " " * column
    return "\n".join([lines[0], *(each.removeprefix(indent) for each in lines[1:])])
