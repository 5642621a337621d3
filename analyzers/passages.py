"""A file of a repository as things that can be found: functions and types, sections of prose, windows of lines."""

from __future__ import annotations

import re
from itertools import pairwise

from .functions import LONGEST, Unit, units_of
from .languages import is_generated, language_of

#: Larger files are passed over.
LARGEST = 1 << 20
#: Windows of lines, where nothing else is known of a file: so long, so far apart, and so many at most.
WINDOW, STRIDE, MOST = 30, 24, 200
_MARKDOWN = ("md", "markdown", "mdx")
#: What holds data, pictures or locks, and answers no question.
_DATA = re.compile(
    r"\.(svg|csv|tsv|lock|sum|map|po|pot|ipynb|jsonl|log|snap|pem|crt|key|patch|diff)$|(^|/)\.env(\.|$)",
    re.IGNORECASE,
)
_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_FENCE = re.compile(r"^ {0,3}(```+|~~~+)")
#: A line under or over a title in reStructuredText.
_RULE = re.compile(r"^([=\-~^\"'`#*+.:_])\1{2,}\s*$")


def passed_over(path: str, size: int, head: bytes) -> str:
    """Why a file is not searched, in a word or two; empty where it is. `head` is its first 8 KiB."""
    if size > LARGEST:
        return "larger than 1 MiB"
    if b"\0" in head[:8192]:
        return "binary"
    if _DATA.search(path):
        return "data"
    return "generated" if is_generated(path, head) else ""


def is_prose(path: str) -> bool:
    """Whether a file is documentation with headings."""
    return path.rpartition(".")[2].lower() in (*_MARKDOWN, "rst")


def passages(path: str, data: bytes) -> list[Unit]:
    """What there is to find in a file."""
    if is_prose(path):
        lines = data.decode("utf-8", "replace").split("\n")
        return _sections(lines, _underlined(lines) if path.lower().endswith(".rst") else _headings(lines))
    language = language_of(path)
    found = units_of(data, language) if language else []
    return found or _windows(data.decode("utf-8", "replace"))


def _headings(lines: list[str]) -> list[tuple[int, int, str]]:
    """The headings of Markdown: line, level and title; in fenced code there are none."""
    found = []
    fence = ""
    for at, line in enumerate(lines):
        mark = _FENCE.match(line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1][:3]
        heading = None if fence else _HEADING.match(line)
        if heading:
            found.append((at, len(heading[1]), heading[2]))
    return found


def _underlined(lines: list[str]) -> list[tuple[int, int, str]]:
    """The headings of reStructuredText; what a rule's character means is said by which came first."""
    found: list[tuple[int, int, str]] = []
    order: list[str] = []
    for at, (title, rule) in enumerate(pairwise(lines)):
        mark = _RULE.match(rule)
        if mark and title.strip() and not _RULE.match(title) and len(rule.strip()) >= len(title.strip()):
            over = at > 0 and lines[at - 1].strip() == rule.strip()
            style = mark[1] * (2 if over else 1)
            if style not in order:
                order.append(style)
            found.append((at - over, order.index(style) + 1, title.strip()))
    return found


def _sections(lines: list[str], headings: list[tuple[int, int, str]]) -> list[Unit]:
    """Each heading with what stands below it; the name says the headings above it too."""
    starts = [(0, 0, ""), *headings, (len(lines), 0, "")]
    out: list[Unit] = []
    above: list[tuple[int, str]] = []
    for (first, level, title), (end, _, _) in pairwise(starts):
        above = [each for each in above if each[0] < level]
        body = "\n".join(lines[first:end]).strip()
        if title:
            above.append((level, title))
        if body.count("\n") or (body and not title):
            name = " / ".join(each for _, each in above)[:160]
            out += _pieces(name, first, lines[first:end])
    return out[:MOST]


def _pieces(name: str, first: int, lines: list[str]) -> list[Unit]:
    """A section, in pieces where it is long."""
    out = []
    for at in range(0, len(lines), 2 * WINDOW):
        piece = lines[at : at + 2 * WINDOW]
        if "".join(piece).strip():
            start = first + at + 1
            text = "\n".join(piece).strip()[:LONGEST]
            out.append(Unit("section", name, start, start + len(piece) - 1, "", text))
    return out


def _windows(text: str) -> list[Unit]:
    lines = text.split("\n")
    out = []
    for at in range(0, max(1, len(lines) - (WINDOW - STRIDE)), STRIDE):
        piece = lines[at : at + WINDOW]
        if "".join(piece).strip():
            last = min(at + WINDOW, len(lines))
            out.append(Unit("lines", "", at + 1, last, "", "\n".join(piece)[:LONGEST]))
    return out[:MOST]
