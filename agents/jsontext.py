"""Edits to the text of a JSON file that leave every other byte as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_SPACE = re.compile(r"[ \t\r\n]*")
_DEEPEST = 200


def _no_constant(word: str) -> object:
    raise ValueError(f"{word} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


@dataclass(frozen=True)
class Node:
    """One value of a JSON text: where it stands, and for an object or an array what is in it."""

    start: int
    end: int
    value: object = None
    members: Mapping[str, Node] = field(default_factory=dict)
    items: tuple[Node, ...] = ()
    starts: tuple[int, ...] = ()  # where each member or item begins, its key included
    kind: str = ""  # "{", "[", or "" for what holds nothing

    @property
    def ends(self) -> list[int]:
        """Where each member or item ends."""
        return [each.end for each in (*self.members.values(), *self.items)]


def parse(text: str) -> Node:
    """The tree of a JSON text; raises `ValueError` when it is none, or has a key twice."""
    node = _value(text, _skip(text, 0), 0)
    if _skip(text, node.end) != len(text):
        raise ValueError(f"something follows the end of the JSON, at character {node.end + 1}")
    return node


def add(text: str, node: Node, value: object, depth: int, key: str | None = None) -> str:
    """`text` with `value` as the last item of the array `node`, or as the member `key` of the object.

    `depth` is how many containers stand around `node`.
    """
    named = "" if key is None else f"{json.dumps(key)}: "
    if "\n" not in text and node.starts:
        return _after(text, node, f", {named}{json.dumps(value, ensure_ascii=False)}")
    line = "\r\n" if "\r\n" in text else "\n"
    unit = _unit(text)
    outer, inner = unit * depth, unit * (depth + 1)
    body = json.dumps(value, indent=unit, ensure_ascii=False).replace("\n", line + inner)
    if node.starts:
        return _after(text, node, f",{line}{inner}{named}{body}")
    return f"{text[: node.start + 1]}{line}{inner}{named}{body}{line}{outer}{text[node.end - 1 :]}"


def remove(text: str, node: Node, number: int) -> str:
    """`text` without the member or item `number` of `node`, its comma, and the space around it."""
    ends = node.ends
    if len(ends) == 1:
        return text[: node.start + 1] + text[node.end - 1 :]
    if number == 0:
        return text[: node.starts[0]] + text[node.starts[1] :]
    return text[: ends[number - 1]] + text[ends[number] :]


def _after(text: str, node: Node, piece: str) -> str:
    end = node.ends[-1]
    return text[:end] + piece + text[end:]


def _unit(text: str) -> str:
    """The indentation of the first line that has one, two spaces where none has."""
    match = re.search(r"\n([ \t]+)\S", text)
    return match[1] if match else "  "


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _value(text: str, at: int, depth: int) -> Node:
    if depth > _DEEPEST:
        raise ValueError("it is nested too deep")
    if text[at : at + 1] == "{":
        return _object(text, at, depth)
    if text[at : at + 1] == "[":
        return _array(text, at, depth)
    try:
        value, end = _DECODER.raw_decode(text, at)
    except StopIteration:
        raise ValueError(f"a value is missing at character {at + 1}") from None
    return Node(at, end, value)


def _object(text: str, start: int, depth: int) -> Node:
    members: dict[str, Node] = {}
    starts: list[int] = []
    at = _skip(text, start + 1)
    while text[at : at + 1] != "}":
        if starts:
            at = _skip(text, _expect(text, at, ","))
        key = _value(text, at, depth + 1)
        if not isinstance(key.value, str):
            raise ValueError(f"a key is missing at character {at + 1}")
        if key.value in members:
            raise ValueError(f"the key {key.value!r} stands there twice")
        starts.append(at)
        at = _skip(text, _expect(text, _skip(text, key.end), ":"))
        members[key.value] = node = _value(text, at, depth + 1)
        at = _skip(text, node.end)
    value = {key: node.value for key, node in members.items()}
    return Node(start, at + 1, value, members, starts=tuple(starts), kind="{")


def _array(text: str, start: int, depth: int) -> Node:
    items: list[Node] = []
    at = _skip(text, start + 1)
    while text[at : at + 1] != "]":
        if items:
            at = _skip(text, _expect(text, at, ","))
        items.append(_value(text, at, depth + 1))
        at = _skip(text, items[-1].end)
    starts = tuple(item.start for item in items)
    return Node(start, at + 1, [item.value for item in items], items=tuple(items), starts=starts, kind="[")


def _expect(text: str, at: int, mark: str) -> int:
    if text[at : at + 1] != mark:
        raise ValueError(f"“{mark}” is missing at character {at + 1}")
    return at + 1
