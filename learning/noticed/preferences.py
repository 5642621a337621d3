"""Preferences: conventions that nearly all of a repository's code keeps, and that no formatter or linter says.

A choice is strong where at least nine tenths made it, in enough places of enough files, and what came in lately does
not say otherwise. Shares have a Wilson interval; its lower end must be high enough, so few places say nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ...analyzers.conventions import is_aside
from ...store.kinds import Example, Memory
from ..past.candidates import identity
from .habits import NAMES, counted, said
from .survey import LATELY, Spot, Tally

#: The share that makes a preference, and the least that the lower end of its interval may be.
SHARE, LEAST = 0.9, 0.8
#: Of libraries and of what a file says once, fewer are enough: five of five have a lower end of .57.
LEAST_OF_FILES, FEW_FILES = 0.56, 5
#: So many files must have made the choice, of those that had it so large a part.
FILES, OF_FILES = 4, 0.75
#: What came in lately must be so much the same, where it is so many places.
LATELY_SHARE, LATELY_LEAST = 0.75, 10
#: From this difference on between new and old code there is a trend.
TREND = 0.05
#: A line limit holds where so few longer lines are beyond it.
_WITHIN = 0.985
#: Nearly all code keeps within 120 without any rule: two of two such limits that were read were none.
_LIMITS = ("79", "88", "100")
_Z = 1.959964
_OTHERWISE, _CONFIGURED = "new code does otherwise", "it is left to "


@dataclass(frozen=True)
class Preference:
    """One convention: `count` of `total` places chose `value`, `recent` of `recent_total` of those that came lately.

    `strong` says whether it is one; where not, `why` says what it lacks.
    """

    language: str
    topic: str
    value: str
    count: int
    total: int
    files: int
    recent: int = 0
    recent_total: int = 0
    compared: bool = False
    places: tuple[Spot, ...] = ()
    why: str = ""

    @property
    def strong(self) -> bool:
        """Whether it is to be remembered."""
        return not self.why

    @property
    def weak(self) -> bool:
        """Whether all that it lacks is a little strength: new code and configuration do not speak against it."""
        return self.why != "" and not self.why.startswith((_OTHERWISE, _CONFIGURED))

    @property
    def share(self) -> float:
        """The share of the places that chose it."""
        return self.count / self.total if self.total else 0.0

    @property
    def trend(self) -> str:
        """growing, fading, steady, or empty where too little came in lately."""
        if self.recent_total < LATELY_LEAST or self.total <= self.recent_total:
            return ""
        old = max(0, self.count - self.recent), self.total - self.recent_total
        change = self.recent / self.recent_total - old[0] / old[1]
        low, high = wilson(*old)
        new_low, new_high = wilson(self.recent, self.recent_total)
        if abs(change) < TREND or (new_low <= high and low <= new_high):
            return "steady"
        return "growing" if change > 0 else "fading"

    @property
    def m(self) -> str:
        """The memory's id: one for each topic of a language, so that a change of mind is a new version."""
        return identity("preference", self.language, self.topic)


def wilson(count: int, total: int) -> tuple[float, float]:
    """The 95% interval of a share (Wilson 1927)."""
    if not total:
        return 0.0, 1.0
    share, z = count / total, _Z
    middle = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return (middle - spread) / (1 + z * z / total), (middle + spread) / (1 + z * z / total)


def preferences(tally: Tally) -> list[Preference]:
    """The most frequent choice of each topic, strong or not, in the order of their names."""
    topics: dict[tuple[str, str], list[str]] = {}
    for language, topic, value in tally.uses:
        if not (topic.startswith(("library.", "tests.framework")) and value in tally.own):
            topics.setdefault((language, topic), []).append(value)
    return [
        found
        for (language, topic), values in sorted(topics.items())
        for found in _chosen(tally, language, topic, values)
    ]


def _chosen(tally: Tally, language: str, topic: str, values: list[str]) -> Iterator[Preference]:
    by = {value: tally.uses[language, topic, value] for value in values}
    lately = {value: tally.recent[language, topic, value] for value in values}
    value = max(sorted(by), key=lambda each: by[each])
    count, new = by[value], lately[value]
    total, recent_total = sum(by.values()), sum(lately.values())
    files = tally.files[language, topic, value]
    if topic == "width":
        value = next((each for each in _LIMITS if _within(by, each) >= _WITHIN * total), "")
        if not value:
            return
        count, new = _within(by, value), _within(lately, value)
        files = max(tally.files[language, topic, each] for each in by)
    if not said(language, topic, value):
        return
    made = Preference(
        language,
        topic,
        value,
        count,
        total,
        files,
        new,
        recent_total,
        tally.compared,
        tuple(sorted(tally.places[language, topic, value], key=lambda spot: is_aside(spot.path))),
    )
    others = sum(tally.files[language, topic, each] for each in by if each != value)
    why = _lacks(made, others if topic != "width" else 0)
    if path := tally.configured.get((language, topic)):
        why = f"{_CONFIGURED}{path}"
    yield Preference(**{**made.__dict__, "why": why})


def _within(by: dict[str, int], limit: str) -> int:
    return sum(count for each, count in by.items() if int(each) <= int(limit))


def _lacks(found: Preference, other_files: int) -> str:
    """What a choice lacks to be a preference; empty for nothing."""
    low, _ = wilson(found.count, found.total)
    by_file = found.count == found.files
    if found.share < SHARE:
        return f"{_percent(found.share)} chose it"
    if found.files < (FEW_FILES if by_file else FILES):
        return "too few files"
    if low < (LEAST_OF_FILES if by_file else LEAST):
        return "too few places"
    if found.files < OF_FILES * (found.files + other_files):
        return "files differ"
    if found.recent_total >= LATELY_LEAST and found.recent < LATELY_SHARE * found.recent_total:
        return f"{_OTHERWISE}: {_percent(found.recent / found.recent_total)}"
    return ""


def memory(found: Preference, private: bool = False) -> Memory:
    """A preference as it is remembered: what to do, the counts, and where it can be seen."""
    title = said(found.language, found.topic, found.value)
    low, high = wilson(found.count, found.total)
    language = NAMES[found.language]
    share = f"{_percent(found.share)} of {found.total:,} {counted(found.topic)}"
    lately = ""
    if found.trend:
        lately = f", {_percent(found.recent / found.recent_total)} of {found.recent_total:,} new in {LATELY}"
    reason = (
        f"{found.count:,} of {found.total:,} {counted(found.topic)} in {found.files:,} files "
        f"({_percent(low)} to {_percent(high)} with 95% confidence)"
    )
    if found.trend:
        reason += f"; of the last {LATELY} {found.recent:,} of {found.recent_total:,}: {found.trend}"
    return Memory(
        type="preference",
        title=f"{title} ({language})",
        text=f"{title} ({language}): {share}{lately}.",
        language=found.language,
        reason=reason,
        support=found.count,
        against=found.total - found.count,
        examples=tuple(Example(path=spot.path, line=spot.line, after=spot.text) for spot in found.places),
        private=private,
    )


def notable(before: Memory, after: Memory) -> bool:
    """Whether a preference changed enough to be written anew: another choice, five points, or half as much again."""
    if before.title != after.title or before.private != after.private:
        return True
    old, new = before.support + before.against, after.support + after.against
    if not old or not new:
        return old != new
    moved = abs(before.support / old - after.support / new)
    return moved >= TREND or not 2 / 3 <= new / old <= 3 / 2


def _percent(share: float) -> str:
    # 99.6% is not all: only what is without exception is said to be 100%.
    return f"{100 if share >= 1 else min(99, round(100 * share))}%"
