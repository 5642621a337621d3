"""The places where a later commit changed earlier code, and which of them can be somebody's correction."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import pygit2

from ...analyzers.languages import is_generated
from .marks import Mark
from .ownership import Change, Hunk, text_blob

#: A hunk of more lines is a rewrite, and no correction.
LONG_HUNK = 60
#: Bytes a line, on average, beyond which no person wrote a file; bundlers leave rows beyond `_LONG_ROW`.
_DENSE = 120
_LONG_ROW = re.compile(rb"[^\n]{1500}")
_LAYOUT = re.compile(r"[\s;,()\"'`]+")


@dataclass(eq=False)
class Place:
    """One hunk of a later commit, and whose lines it removed so far."""

    fix: Fix
    start: int
    lines: int
    need: int
    agents: Counter[tuple[str, str]] = field(default_factory=Counter)
    people: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def by_agent(self) -> bool:
        """Whether agents wrote at least half of what went."""
        return sum(self.agents.values()) * 2 >= self.need

    @property
    def by_people(self) -> bool:
        """Whether people wrote some of it, and with agents at least half."""
        return bool(self.people) and (sum(self.agents.values()) + sum(self.people.values())) * 2 >= self.need


@dataclass(eq=False)
class Fix:
    """One file of a later commit, whose hunks wait for their owners."""

    commit: pygit2.Commit
    index: int
    change: Change
    of: int = 0  # how many places the whole commit has
    places: list[Place] = field(default_factory=list)
    open: int = 0


def made_by_a_tool(path: str, data: bytes) -> bool:
    """Whether nobody wrote this by hand: generated, or bundled and minified, wherever it shows."""
    rows = data.count(b"\n") + 1
    return is_generated(path, data[:8192]) or len(data) > _DENSE * rows or _LONG_ROW.search(data) is not None


def place_of(
    fix: Fix, hunk: Hunk, mark: Mark, old: list[bytes], new: list[bytes], added: Counter[bytes]
) -> Place | None:
    """The hunk as a place to ask about; None when it cannot be a person's correction."""
    if not hunk.old_lines or hunk.old_lines > LONG_HUNK or hunk.new_lines > LONG_HUNK:
        return None
    removed = old[hunk.old_start - 1 : hunk.old_start - 1 + hunk.old_lines]
    came = new[hunk.new_start - 1 : hunk.new_start - 1 + hunk.new_lines] if hunk.new_lines else []
    solid = [line.strip() for line in removed if line.strip()]
    if not solid or _bare(removed) == _bare(came):
        return None
    here = Counter(line.strip() for line in came)
    if all(added[line] > here[line] for line in solid):  # it moved, within the file or to another
        return None
    if mark.agent:  # a note: only what the agent did not write here
        path = fix.change.new_path
        lines = range(hunk.new_start, hunk.new_start + hunk.new_lines)
        if not lines or any(mark.wrote(path, line) for line in lines):
            return None
    return Place(fix, hunk.old_start, hunk.old_lines, len(solid))


def _bare(lines: Iterable[bytes]) -> str:
    return _LAYOUT.sub("", b"".join(lines).decode("utf-8", "replace"))


def is_utf8(data: bytes) -> bool:
    """Whether it is text in UTF-8."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def text_of(repository: pygit2.Repository, oid: pygit2.Oid | None) -> str | None:
    """The blob as UTF-8 text with LF; None when it is none, is huge, or is missing."""
    blob = text_blob(repository, oid)
    if blob is None:
        return None
    try:
        return blob.data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return None
