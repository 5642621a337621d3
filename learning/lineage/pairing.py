"""What became of generated lines: each line's writer is carried from version to version, up to the commit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from ...store.kinds import MILLION
from .alignment import aligned, homes_of
from .lines import SHORT, acts, bare, changed, likeness, rows, shared_words

#: A writer's number; NOBODY for a line that no generation wrote.
NOBODY = -1
#: Share of lines that must be found in another file to say that code moved there.
MOVED = 0.6
#: Below this likeness a replaced line is not an edit of the old one, but another line.
ALIKE = 0.35


@dataclass
class Fate:
    """What is known of one generation: lines written and kept, and the cost (in lines) of replaced ones."""

    written: int = 0
    acts: int = 0  # of those written, the lines that do more than open or close a block
    kept: int = 0
    kept_acts: int = 0
    cost: float = 0.0
    came: int = 0
    alike: float = 0.0  # the best likeness of a replacement, by its words
    formatted: int = 0  # its lines that a formatter changed
    left: int = 0  # lines of the committed text that stand for ones of it

    @property
    def distance(self) -> int:
        """Normalised edit distance in millionths: 0 equal, 1,000,000 nothing kept."""
        if not self.written:
            return 0
        longest = max(self.written, self.kept + self.came, 1)
        return min(MILLION, round(MILLION * self.cost / longest))

    @property
    def verdict(self) -> str:
        """accepted, edited or rejected. A function of which the head alone is left was not kept."""
        gone = not self.kept or (self.acts > 0 and not self.kept_acts)
        if self.written and gone and (self.alike < ALIKE or not self.left):
            return "rejected"
        return "edited" if self.cost else "accepted"


class Replay:
    """The versions of one file in order; `writers` says for each line which generation wrote it, `stands` for
    whose lines it came.
    """

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.writers: list[int] = [NOBODY] * len(rows(text))
        self.stands: list[frozenset[int]] = [frozenset()] * len(self.writers)
        self.fates: dict[int, Fate] = {}
        self._origin = {line for row in rows(text) if len(line := bare(row)) >= SHORT}
        self._away: set[bytes] = set()  # lines of the beginning that are gone

    def lines_of(self, writers: Collection[int]) -> list[int]:
        """The line numbers, from 1, that these generations wrote."""
        return [number for number, writer in enumerate(self.writers, 1) if writer in writers]

    def touched(self, after: bytes) -> set[int]:
        """The generations whose lines `after` changes, or inserts into."""
        found: set[int] = set()
        for hunk in changed(self.text, after):
            first = hunk.old_start - 1
            old = self.writers[first : first + hunk.old_lines] if hunk.old_lines else []
            found.update(old or self._around(hunk.old_start))
        return found - {NOBODY}

    def _around(self, line: int) -> list[int]:
        """The generation that wrote the lines on both sides of the gap behind `line`."""
        sides = self.writers[max(0, line - 1) : line + 1]
        return sides if len(sides) == 2 and line > 0 and NOBODY not in sides else []

    def advance(self, after: bytes, writer: int = NOBODY, elsewhere: Collection[bytes] = ()) -> None:
        """Go on to the version that `writer` made; `elsewhere` are bare lines that other files gained."""
        if after == self.text:
            return
        old, new = rows(self.text), rows(after)
        self._away = self._origin - {bare(line) for line in old}
        writers: list[int] = []
        stands: list[frozenset[int]] = []
        at = 0
        done = 0
        for hunk in changed(self.text, after):
            start = hunk.old_start - 1 if hunk.old_lines else hunk.old_start
            came_from = hunk.new_start - 1 if hunk.new_lines else hunk.new_start
            self._spaced(old[at:start], new[done:came_from], self.writers[at:start])
            writers.extend(self.writers[at:start])
            stands.extend(self.stands[at:start])
            at, done = start + hunk.old_lines, came_from + hunk.new_lines
            gone, came = old[start:at], new[came_from : came_from + hunk.new_lines]
            whose, before = self.writers[start:at], self.stands[start:at]
            if not gone and writer == NOBODY:
                self._inserted(self._around(hunk.old_start), came)
            sources, by = self._replace(gone, came, whose, writer, elsewhere)
            writers.extend(by)
            stands.extend(
                frozenset({whose[old], *before[old]} - {NOBODY}) if old is not None else frozenset()
                for old in sources
            )
        self._spaced(old[at:], new[done:], self.writers[at:])
        writers.extend(self.writers[at:])
        stands.extend(self.stands[at:])
        self.text, self.writers = after, writers[: len(new)] + [NOBODY] * (len(new) - len(writers))
        self.stands = stands[: len(new)] + [frozenset()] * (len(new) - len(stands))

    def wrote(self, writer: int, lines: Iterable[tuple[int, int]]) -> None:
        """These lines of the present text are this generation's."""
        for first, last in lines:
            for number in range(max(1, first), min(last, len(self.writers)) + 1):
                self.writers[number - 1] = writer
        present = rows(self.text)
        mine = [line for line, by in zip(present, self.writers, strict=True) if by == writer and line.strip()]
        fate = self.fates.setdefault(writer, Fate())
        fate.written, fate.acts = len(mine), sum(map(acts, mine))

    def close(self) -> dict[int, Fate]:
        """The fates, now that the text is the committed one."""
        for line, by, stands in zip(rows(self.text), self.writers, self.stands, strict=True):
            if by in self.fates and line.strip():
                self.fates[by].kept += 1
                self.fates[by].kept_acts += acts(line)
            for owner in stands:
                if owner in self.fates:
                    self.fates[owner].left += 1
        for fate in self.fates.values():
            fate.kept = min(fate.kept, fate.written)
        return self.fates

    def _inserted(self, around: Sequence[int], came: Sequence[bytes]) -> None:
        fresh = sum(1 for line in came if line.strip())
        if around and around[0] == around[1] and around[0] in self.fates:
            fate = self.fates[around[0]]
            fate.cost += fresh
            fate.came += fresh

    def _spaced(self, old: Sequence[bytes], new: Sequence[bytes], whose: Sequence[int]) -> None:
        """Lines that differ in nothing but what formatters move about."""
        for before, after, by in zip(old, new, whose, strict=False):
            if before != after and by in self.fates:
                self.fates[by].formatted += 1

    def _formatted(
        self, gone: Sequence[bytes], came: Sequence[bytes], same: Iterable[int], whose: Sequence[int]
    ) -> None:
        there = set(came)
        for n in same:
            if gone[n].strip() and gone[n] not in there and whose[n] in self.fates:
                self.fates[whose[n]].formatted += 1

    def _between(self, out: Sequence[int], came: Sequence[bytes], fresh: Collection[int]) -> None:
        """Lines that stand for none that went, in a place that changed in other ways too."""
        for n in fresh:
            above = next((out[k] for k in range(n - 1, -1, -1) if k not in fresh and came[k].strip()), NOBODY)
            below = next(
                (out[k] for k in range(n + 1, len(out)) if k not in fresh and came[k].strip()), NOBODY
            )
            if above == below:
                self._inserted([above, below], [came[n]])

    def _replace(
        self,
        gone: Sequence[bytes],
        came: Sequence[bytes],
        whose: Sequence[int],
        writer: int,
        elsewhere: Collection[bytes],
    ) -> tuple[list[int | None], list[int]]:
        """For each line that came, the line that went for which it stands, and its writer: what formatting alone
        changed keeps the old one.
        """
        out = [writer] * len(came)
        sources: list[int | None] = [None] * len(came)
        if not gone:
            return sources, out
        if bare(b"".join(gone)) == bare(b"".join(came)):
            self._formatted(gone, came, range(len(gone)), whose)
            even = [min(n * len(whose) // len(came), len(whose) - 1) for n in range(len(came))]
            return list(even), [whose[n] for n in even]
        left = [bare(line) for line in gone]
        same, lost = aligned(gone, came)
        for n, home in same.items():
            out[n], sources[n] = whose[home], home
        self._formatted(gone, came, [n for n in range(len(gone)) if n not in lost], whose)
        replaced = [n for n in lost if gone[n].strip()]
        # What the generation took away, and stands there again, is no edit of it.
        unmatched = [
            n
            for n in range(len(came))
            if n not in same and came[n].strip() and bare(came[n]) not in self._away
        ]
        homes = homes_of(gone, came, replaced, unmatched)
        for n, home in homes.items():
            sources[n] = home
        if writer == NOBODY:
            self._between(out, came, [n for n in unmatched if n not in homes])
        for owner in set(whose) - {NOBODY}:
            mine = [n for n in lost if whose[n] == owner and gone[n].strip()]
            fate = self.fates.get(owner)
            if fate is None or not mine:
                continue
            moved = [n for n in mine if len(left[n]) >= SHORT and left[n] in elsewhere]
            fate.kept += len(moved)
            fate.kept_acts += sum(acts(gone[n]) for n in moved)
            mine = [n for n in mine if n not in moved]
            if not mine:
                continue
            fresh = [came[n] for n, home in homes.items() if home in mine]
            alike = likeness(b"\n".join(gone[n] for n in mine), b"\n".join(fresh))
            fate.cost += max(len(mine), len(fresh)) * (1 - alike if alike < 1 else 0.01)
            fate.came += len(fresh)
            acting = fate.acts > 0
            pairs = [
                shared_words(gone[home], came[n])
                for n, home in homes.items()
                if home in mine and (not acting or (acts(gone[home]) and acts(came[n])))
            ]
            fate.alike = max([fate.alike, *pairs])
        return sources, out
