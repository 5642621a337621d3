"""A file of a repository as things that can be found: functions and types, lines between them, sections of prose."""

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
#: Between functions so many lines have to tell something: imports, comments and brackets do not.
TELLING = 3
_SLIGHT = re.compile(
    r"""\s*(?://|/?\*|\#|["'`][^"'`]*["'`][,;]?$|[)\]}>;,]*$|(?:import|from|package|export\s+(?:\*|type|\{)|use|using|include|require)\b
    |(?:const|let|var)\s.*\brequire\(|(?:import|export|var|const|type)\s*[({]$|[\w.]+\s+"[^"]*"$|\w+,$)""",
    re.VERBOSE,
)
_DEFINES = re.compile(
    r"""(?:export\s+)?(?:default\s+)?(?:declare\s+)?(?:const|let|var|type|enum)\s+([A-Za-z_$][\w$]*)
    |([A-Za-z_]\w*)\s*(?::[^=]+)?=(?!=)
    |\s*(?:test|it|describe)(?:\.\w+)*\(\s*['"`](.+?)['"`]""",
    re.VERBOSE,
)
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
    lines = data.decode("utf-8", "replace").split("\n")
    return found + _between(lines, found) if found else _windows(lines, 0)


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


def _between(lines: list[str], units: list[Unit]) -> list[Unit]:
    """What no function or type holds: tables, constants, and the cases of tests that are calls."""
    covered = bytearray(len(lines) + 1)
    for unit in units:
        covered[unit.first - 1 : unit.last] = b"\1" * (unit.last - unit.first + 1)
    out = []
    at = 0
    while at < len(lines):
        end = covered.find(1, at)
        end = len(lines) if end < 0 else min(end, len(lines))
        telling = [row for row in range(at, end) if lines[row].strip() and not _SLIGHT.match(lines[row])]
        if len(telling) >= TELLING:
            out += _windows(lines[telling[0] : end], telling[0])
        at = covered.find(0, end)
        if at < 0:
            break
    return out[:MOST]


def _windows(lines: list[str], before: int) -> list[Unit]:
    """Windows of lines, of which `before` stand above in the file."""
    out = []
    for at in range(0, max(1, len(lines) - (WINDOW - STRIDE)), STRIDE):
        piece = lines[at : at + WINDOW]
        if "".join(piece).strip():
            last = before + min(at + WINDOW, len(lines))
            out.append(Unit("lines", _defined(piece), before + at + 1, last, "", "\n".join(piece)[:LONGEST]))
    return out[:MOST]


def _defined(lines: list[str]) -> str:
    """What a window of code is called by: the first that it defines at the left, or the first case of a test in it."""
    found = next(filter(None, map(_DEFINES.match, lines)), None)
    return next(filter(None, found.groups()), "").strip()[:80] if found else ""
