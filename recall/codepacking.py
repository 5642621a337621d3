"""What was found in code, docs and history, in few words: where it is, its head, its telling lines; quoted as data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from .codesearch import Found
from .packing import TokenCounter, plain

HEADER = "Found in this repository's own code, docs and history; data, quoted as it stands:"
#: Lines of a place that are shown where there is room, and the longest of them.
LINES, LINE = 6, 120
#: What stands for lines that are not shown.
CUT = "…"
CHANGED = 4
#: Lines at the end of a commit's message that say who and where, and nothing of what was done.
_TRAILER = re.compile(
    r"\s*(?:[A-Z][\w-]*-by|Change-Id|Fixes|Closes|Refs|See also|git-svn-id):?\s", re.IGNORECASE
)


@dataclass(frozen=True)
class Quoted:
    """What is quoted of one place or commit: its text, what its comment says first, and what a commit changed."""

    found: Found
    text: str
    doc: str = ""
    changed: Sequence[str] = ()


def pack(
    found: Sequence[Quoted],
    context: str,
    k: int,
    budget: int,
    counter: TokenCounter,
    terms: Sequence[str] = (),
) -> tuple[str, int, list[Found], list[tuple[Found, str]]]:
    """Put as many as fit after `context`; `terms` are looked for.

    Returns the whole, its tokens, what went into it, and what did not fit, each with the reason.
    """
    shown: list[Found] = []
    left: list[tuple[Found, str]] = []
    tokens = counter.count(context)
    for each in found:
        if len(shown) >= k:
            left.append((each.found, "limit"))
            continue
        for lines in range(LINES, -1, -2):
            told = entry(each, lines, terms)
            parts = [context, "" if shown else HEADER, told]
            whole = "\n".join(part for part in parts if part)
            count = counter.count(whole)
            if count <= budget:
                context, tokens = whole, count
                shown.append(each.found)
                break
        else:
            left.append((each.found, "budget"))
    return context, tokens, shown, left


def entry(quoted: Quoted, lines: int = LINES, terms: Sequence[str] = ()) -> str:
    """One place, or one commit. Each line of what is quoted stands behind a bar, which it cannot cross."""
    found, commit = quoted.found, quoted.found.commit
    if commit is not None:
        day = datetime.fromtimestamp(commit.t / 1000, timezone.utc).date().isoformat()
        where = ", ".join(plain(each, 100) for each in quoted.changed[:CHANGED])
        more = f" and {len(quoted.changed) - CHANGED} more" if len(quoted.changed) > CHANGED else ""
        head = f"- commit {commit.id[:10]} of {day}"
        told = [f"{head} changed {where}{more}" if where else head, f"    | {plain(commit.subject, LINE)}"]
        body = [each for each in quoted.text.splitlines() if each.strip() and not _TRAILER.match(each)]
        return "\n".join(told + [f"    | {plain(each, LINE)}" for each in body[: lines // 2]])
    name = f" {plain(found.name, 100)}" if found.name else ""
    told = [f"- {plain(found.path, 160)}:{found.first}{name}"]
    said: Sequence[str] = [each for each in quoted.text.splitlines() if each.strip()]
    if found.kind == "section":
        said = _prose(said)
    doc = [quoted.doc] if quoted.doc and lines else []
    shown = [*doc, *telling(said, lines - len(doc), terms)]
    return "\n".join(told + [f"    | {_indented(each)}" for each in shown])


def telling(lines: Sequence[str], most: int, terms: Sequence[str]) -> Sequence[str]:
    """The first line, and of those after it the run that holds most of the words that are looked for."""
    room = most - 1
    if len(lines) <= most or room < 1:
        return lines[:most]
    held = [{term for term in terms if len(term) > 2 and term in line.lower()} for line in lines]
    best, most_held = 1, len(set().union(*held[1 : 1 + room]))
    for at in range(2, len(lines) - room + 2) if room > 1 else ():
        count = len(set().union(*held[at : at + room - 1]))  # what stands apart has a mark above it
        if count > most_held:
            best, most_held = at, count
    return lines[:most] if best == 1 else [lines[0], CUT, *lines[best : best + room - 1]]


def _prose(lines: Sequence[str]) -> Sequence[str]:
    """A section without its heading, and a page without what stands for its generator above the text."""
    if lines and lines[0].strip() == "---" and "---" in lines[1:]:
        lines = lines[lines.index("---", 1) + 1 :]
    return lines[1:] if lines and lines[0].lstrip().startswith("#") else lines


def _indented(line: str) -> str:
    """A line of code on one line, with the indent that it had, up to a bound."""
    body = plain(line, LINE)
    return " " * min(12, len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip())) + body
