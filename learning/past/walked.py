"""What a walk through a history says: what it found, how far it is, and where to go on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from ...store.kinds import Correction

_ID = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Cursor:
    """Where a walk stopped: `done` commits from `tips` are through; from `safe` on it has to look again."""

    tips: tuple[str, ...] = ()
    done: int = 0
    safe: int = 0
    finished: bool = False

    def plain(self) -> dict[str, object]:
        """As JSON takes it."""
        return {**asdict(self), "tips": list(self.tips)}

    @classmethod
    def read(cls, given: object) -> Cursor | None:
        """From its JSON form; None when it is not one."""
        if not isinstance(given, dict):
            return None
        tips, done, safe = given.get("tips"), given.get("done"), given.get("safe")
        if not isinstance(tips, list) or not isinstance(done, int) or not isinstance(safe, int):
            return None
        if not all(isinstance(each, str) and _ID.fullmatch(each) for each in tips):
            return None
        return cls(tuple(tips), done, safe, given.get("finished") is True)


@dataclass(frozen=True)
class Progress:
    """How far a walk is; `cursor` goes on from here.

    `passed` counts, by reason, what was looked at and passed over. `noticed` counts reverts, what was brought again
    changed after one, and fixes of fixes.
    """

    commits: int
    total: int
    files: int
    found: int
    elapsed_s: float
    cursor: Cursor
    passed: Mapping[str, int] = field(default_factory=dict)
    noticed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """One correction of the past: `m` is its memory id, always the same; `key` is alike for alike edits.

    `time` is the commit's, in ms. `fix_of_fix`: what was corrected came with a fix itself. `brings`: what came is
    defined by the commit itself, as in a rename or with a new helper.
    """

    m: str
    correction: Correction
    key: str
    time: int
    fix: bool = False
    fix_of_fix: bool = False
    places: int = 0  # how many places of earlier code the commit changed
    brings: bool = False
