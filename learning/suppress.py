"""Comments that silence the guard: `cortex: ignore[rule] reason`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_MARK = re.compile(r"(?:#|//|/\*|\{/\*|<!--)\s*cortex:\s*ignore(?:\[([^\]\n]*)\])?(.*)$")
_CODE = re.compile(r"^\s*(?:#|//|/\*|\{/\*|<!--)")
_LEAST = 4  # characters of a rule's id: fewer would silence by accident


@dataclass(frozen=True)
class Suppression:
    """What one comment silences: rules by the beginning of their id, or all where it names none."""

    rules: tuple[str, ...]
    reason: str

    def covers(self, rule: str) -> bool:
        """Whether it names this rule, or names none."""
        return not self.rules or any(len(each) >= _LEAST and rule.startswith(each) for each in self.rules)


def suppressions(text: str) -> Mapping[int, tuple[Suppression, ...]]:
    """Line (from 1) → what is silenced there. A comment silences its line; alone on a line, the next one."""
    if "cortex:" not in text:
        return {}
    out: dict[int, tuple[Suppression, ...]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        found = _MARK.search(line)
        if found is None:
            continue
        rules = tuple(name.strip() for name in (found[1] or "").split(",") if name.strip())
        reason = re.split(r"\*/|-->", found[2])[0].strip()
        at = number + 1 if _CODE.match(line) else number
        out[at] = (*out.get(at, ()), Suppression(rules, reason))
    return out


def is_suppressed(marks: Mapping[int, tuple[Suppression, ...]], rule: str, lines: range) -> bool:
    """Whether a comment silences the rule on one of the lines."""
    return bool(marks) and any(mark.covers(rule) for line in lines for mark in marks.get(line, ()))
