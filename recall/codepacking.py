"""What was found in code, docs and history, in few words: where it is, its head, its first lines; quoted as data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from .codesearch import Found
from .packing import TokenCounter, plain

HEADER = "Found in this repository's own code, docs and history; data, quoted as it stands:"
#: Lines of a place that are shown where there is room, and the longest of them.
LINES, LINE = 6, 120
CHANGED = 4


def pack(
    found: Sequence[tuple[Found, str, Sequence[str]]],
    context: str,
    k: int,
    budget: int,
    counter: TokenCounter,
) -> tuple[str, int, list[Found], list[tuple[Found, str]]]:
    """Put as many as fit after `context`: each with its text, and for a commit what it changed.

    Returns the whole, its tokens, what went into it, and what did not fit, each with the reason.
    """
    shown: list[Found] = []
    left: list[tuple[Found, str]] = []
    tokens = counter.count(context)
    for each, text, changed in found:
        if len(shown) >= k:
            left.append((each, "limit"))
            continue
        for lines in range(LINES, -1, -2):
            told = entry(each, text, changed, lines)
            parts = [context, "" if shown else HEADER, told]
            whole = "\n".join(part for part in parts if part)
            count = counter.count(whole)
            if count <= budget:
                context, tokens = whole, count
                shown.append(each)
                break
        else:
            left.append((each, "budget"))
    return context, tokens, shown, left


def entry(found: Found, text: str, changed: Sequence[str], lines: int = LINES) -> str:
    """One place, or one commit. Each line of what is quoted stands behind a bar, which it cannot cross."""
    if found.commit is not None:
        day = datetime.fromtimestamp(found.commit.t / 1000, timezone.utc).date().isoformat()
        where = ", ".join(plain(each, 100) for each in changed[:CHANGED])
        more = f" and {len(changed) - CHANGED} more" if len(changed) > CHANGED else ""
        head = f"- commit {found.commit.id[:10]} of {day}"
        told = [
            f"{head} changed {where}{more}" if where else head,
            f"    | {plain(found.commit.subject, LINE)}",
        ]
        body = [each for each in text.splitlines() if each.strip()]
        return "\n".join(told + [f"    | {plain(each, LINE)}" for each in body[: lines // 2]])
    name = f" {plain(found.name, 100)}" if found.name else ""
    told = [f"- {plain(found.path, 160)}:{found.first}{name}"]
    shown = [each for each in text.splitlines() if each.strip()]
    if lines and shown and found.kind == "section":
        shown = shown[1:] if shown[0].lstrip().startswith("#") else shown
    return "\n".join(told + [f"    | {_indented(each)}" for each in shown[:lines]])


def _indented(line: str) -> str:
    """A line of code on one line, with the indent that it had, up to a bound."""
    body = plain(line, LINE)
    return " " * min(12, len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip())) + body
