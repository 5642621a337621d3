"""Comments that silence the guard: `cortex: ignore[rule] reason`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ...analyzers.languages import COMMENTS, LANGUAGES
from ...analyzers.parse import parse

_MARK = re.compile(r"(#|//|/\*|<!--)\s*cortex:\s*ignore(?:\[([^\]\n]*)\])?(.*)$")
_CODE = re.compile(r"^\s*(?:#|//|/\*|\{/\*|<!--)")
_LEAST = 4  # characters of a rule's id: fewer would silence by accident


@dataclass(frozen=True)
class Suppression:
    """What one comment silences: rules by the beginning of their id, or all where it names none."""

    rules: tuple[str, ...]
    reason: str
    line: int = field(default=0, compare=False)  # where the comment stands

    def covers(self, rule: str) -> bool:
        """Whether it names this rule, or names none."""
        return not self.rules or any(len(each) >= _LEAST and rule.startswith(each) for each in self.rules)


def suppressions(text: str, language: str = "") -> Mapping[int, tuple[Suppression, ...]]:
    """Line (from 1) → what is silenced there. A comment silences its line; alone on a line, the next one that is
    not a comment itself. With a `language`, only what its grammar calls a comment counts.
    """
    if "cortex:" not in text:
        return {}
    out: dict[int, tuple[Suppression, ...]] = {}
    lines = text.split("\n")
    is_comment = _comments(text, language)
    for number, line in enumerate(lines, 1):
        found = _MARK.search(line)
        if found is None or not is_comment(number, len(line[: found.start()].encode("utf-8", "replace"))):
            continue
        rules = tuple(name.strip() for name in (found[2] or "").split(",") if name.strip())
        reason = re.split(r"\*/|-->", found[3])[0].strip(" \t\r:-–—")
        at = number
        if _CODE.match(line):
            at += 1
            while at <= len(lines) and _CODE.match(lines[at - 1]):
                at += 1
        out[at] = (*out.get(at, ()), Suppression(rules, reason, number))
    return out


def _comments(text: str, language: str) -> Callable[[int, int], bool]:
    """What tells whether a line (from 1) holds a comment at a column (in bytes)."""
    if language not in LANGUAGES:
        return lambda line, column: True
    root = parse(text.encode("utf-8", "replace"), language).root_node

    def told(line: int, column: int) -> bool:
        node = root.descendant_for_point_range((line - 1, column), (line - 1, column + 1))
        return node is not None and node.type in COMMENTS

    return told


def is_suppressed(marks: Mapping[int, tuple[Suppression, ...]], rule: str, lines: range) -> bool:
    """Whether a comment silences the rule on one of the lines."""
    return bool(marks) and any(mark.covers(rule) for line in lines for mark in marks.get(line, ()))
