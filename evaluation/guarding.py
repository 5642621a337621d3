"""What the guard would have said of the lines that were written, and what became of those places."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..learning.guard.findings import ActiveRule, Change, Finding, check
from ..learning.rules.heeding import place_of
from ..recall.sameness import sketch
from ..store.kinds import Reaction
from .figures import Share, bootstrap, size_bin
from .gathered import Case
from .order import Order
from .written import Fate, Follower, Written, is_over, squeezed


@dataclass(frozen=True)
class Flag:
    """One warning of the replay. `active`: the guard would have said it; else its rule was silent still."""

    commit: str
    at: int
    path: str
    line: int
    before: str
    after: str
    rule: str
    confidence: float
    active: bool
    fate: Fate
    caught: tuple[str, ...] = ()
    swapped: bool = False  # whether another rule's rewrite was committed there: a control

    @property
    def right(self) -> bool:
        """Whether the place later got that very fix."""
        return self.fate.kind == "fixed"


@dataclass
class Guarded:
    """All flags, and how often hunks of each size were corrected, flagged or not."""

    flags: list[Flag] = field(default_factory=list)
    exact: Share = field(default_factory=Share)
    shuffled: Share = field(default_factory=Share)
    shuffled_rules: int = 0
    plain: dict[int, Share] = field(default_factory=lambda: defaultdict(Share))  # by size, of unflagged hunks
    flagged: list[tuple[str, int, bool]] = field(default_factory=list)  # commit, size, corrected; said aloud
    silent: list[tuple[str, int, bool]] = field(default_factory=list)  # the same, of any rule
    exactly: list[tuple[str, int, bool]] = field(default_factory=list)  # the same, of exact words
    files: int = 0
    hunks: int = 0

    def lift(self, hunks: Sequence[tuple[str, int, bool]], seed: int) -> dict[str, object] | None:
        """The correction rate of these hunks over that of unflagged ones of like size, with its interval."""
        groups: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
        for commit, size, corrected in hunks:
            groups[commit].append((float(corrected), self.plain[size].value if size in self.plain else 0.0))
        got = sum(a for group in groups.values() for a, _ in group)
        expected = sum(b for group in groups.values() for _, b in group)
        if not expected:
            return None
        low, high = bootstrap(list(groups.values()), lambda a, b: a / b if b else 0.0, seed)
        return {
            "hunks": len(hunks),
            "corrected": round(got / len(hunks), 4),
            "expected": round(expected / len(hunks), 4),
            "lift": round(got / expected, 2),
            "low": round(low, 2),
            "high": round(high, 2),
        }


class Guard:
    """Runs rules over what was written and follows each flag."""

    def __init__(self, follower: Follower, seed: int) -> None:
        self.out = Guarded()
        self._follower = follower
        self._chance = random.Random(seed)
        self._waiting: list[Flag] = []

    def decided(self, before: int, order: Order) -> list[Reaction]:
        """What became known, before a place of the order, of the warnings that were given: which places stood.

        The history cannot say what the author would have answered; that nobody corrected the place is known when
        the time for it is over. One that was corrected is a correction that is learnt like any other.
        """
        settled = [flag for flag in self._waiting if is_over(order, flag.at, before)]
        self._waiting = [flag for flag in self._waiting if flag not in settled]
        return [
            Reaction(rule=rule, path=path, place=place, verdict="left", commit=flag.commit)
            for flag in settled
            if flag.fate.kind == "stood"
            for rule, path, place in (place_of(flag.rule, flag.path, flag.before),)
        ]

    def look(
        self,
        file: Written,
        cases: Sequence[Case],
        rules: Sequence[ActiveRule],
        active: frozenset[str],
        shuffled: Sequence[ActiveRule],
        exact: Mapping[str, str],
    ) -> None:
        """Look through one file of a generating commit; `cases` are what was corrected of that commit."""
        here = [case for case in cases if case.correction.path == file.path]
        change = Change(file.path, file.text, file.language, file.added)
        rows = file.text.split("\n")
        said, loud, literal = set[int](), set[int](), set[int]()
        for finding in check([change], rules):
            flag = self._flag(file, rows, finding, here, rules, finding.rule in active)
            self.out.flags.append(flag)
            said.add(finding.line)
            if flag.active:
                loud.add(finding.line)
                self._waiting.append(flag)
        for finding in check([change], shuffled):
            fate = self._fate(file, rows, finding, finding.after)
            self.out.shuffled.add(fate.kind == "fixed")
        for line in sorted(file.added):
            after = exact.get(" ".join(rows[line - 1].split())) if line <= len(rows) else None
            if after is not None:
                row = rows[line - 1].strip()
                fate = self._follower.fate(file.at, file.path, row, row, after)
                self.out.exact.add(fate.kind == "fixed")
                literal.add(line)
        self._hunks(file, rows, here, said, loud, literal)

    def _flag(
        self,
        file: Written,
        rows: Sequence[str],
        finding: Finding,
        cases: Iterable[Case],
        rules: Sequence[ActiveRule],
        active: bool,
    ) -> Flag:
        fate = self._fate(file, rows, finding, finding.after)
        before, after = squeezed(finding.before), squeezed(finding.after)
        caught = tuple(
            case.m
            for case in cases
            if before in squeezed(case.correction.before) and after in squeezed(case.correction.after)
        )
        others = [each for each in rules if each.id != finding.rule]
        swapped = False
        if others and fate.kind != "stood":
            other = self._chance.choice(others).pattern.rewrite
            swapped = self._fate(file, rows, finding, other).kind == "fixed"
        return Flag(
            file.commit,
            file.at,
            file.path,
            finding.line,
            finding.before,
            finding.after,
            finding.rule,
            finding.confidence,
            active,
            fate,
            caught,
            swapped,
        )

    def _fate(self, file: Written, rows: Sequence[str], finding: Finding, after: str) -> Fate:
        return self._follower.fate(file.at, file.path, rows[finding.line - 1], finding.before, after)

    def _hunks(
        self,
        file: Written,
        rows: Sequence[str],
        cases: Sequence[Case],
        said: set[int],
        loud: set[int],
        literal: set[int],
    ) -> None:
        """Count each hunk: how long, whether something flagged it, whether it was corrected later."""
        gone = vanished(cases)
        out = self.out
        out.files += 1
        for first, last in file.runs:
            out.hunks += 1
            lines = range(first, last + 1)
            size = size_bin(len(lines))
            corrected = was_corrected(gone, rows, lines)
            kept = (file.commit, size, corrected)
            if not said.isdisjoint(lines):
                out.silent.append(kept)
            if not loud.isdisjoint(lines):
                out.flagged.append(kept)
            if not literal.isdisjoint(lines):
                out.exactly.append(kept)
            if said.isdisjoint(lines) and literal.isdisjoint(lines):
                out.plain[size].add(corrected)


def vanished(cases: Iterable[Case]) -> frozenset[str]:
    """The lines that corrections took away, squeezed; none so short that it may stand anywhere."""
    rows = (squeezed(row) for case in cases for row in case.correction.before.split("\n"))
    return frozenset(row for row in rows if len(row) > 3)


def was_corrected(gone: frozenset[str], rows: Sequence[str], lines: range) -> bool:
    """Whether one of these lines (from 1) holds what went."""
    return bool(gone) and any(
        any(row in squeezed(rows[line - 1]) for row in gone) for line in lines if line <= len(rows)
    )


def curve(flags: Sequence[Flag], corrections: int) -> list[dict[str, object]]:
    """Precision and coverage when all rules speak from some confidence on: one point a confidence."""
    out: list[dict[str, object]] = []
    caught: set[str] = set()
    share = Share()
    ordered = sorted(flags, key=lambda flag: -flag.confidence)
    for number, flag in enumerate(ordered):
        share.add(flag.right)
        caught.update(flag.caught)
        last = number + 1 == len(ordered)
        if last or round(ordered[number + 1].confidence, 2) != round(flag.confidence, 2):
            out.append(
                {
                    "confidence": round(flag.confidence, 2),
                    "flags": share.plain(),
                    "caught": Share(len(caught), corrections).plain(),
                }
            )
    return out


def swapped_pairs(cases: Iterable[Case], chance: random.Random) -> list[Case]:
    """The same befores with other corrections' afters, language by language: nothing can be learnt of them.

    None gets the after of one that is like it, or a habit would stay a habit; where half are of one kind, those
    that find no other after are left out.
    """
    by_language: defaultdict[str, list[tuple[str, float, Case]]] = defaultdict(list)
    for case in cases:
        said = case.correction
        kind = repr((sketch(said.before, said.after) or (case.m,))[:2])
        by_language[said.language].append((kind, chance.random(), case))
    out = []
    for group in by_language.values():
        group.sort(key=lambda each: each[:2])
        shift = max(Counter(kind for kind, _, _ in group).values())
        for at, (kind, _, case) in enumerate(group):
            other, _, donor = group[(at + shift) % len(group)]
            if other != kind:
                swapped = replace(case.correction, after=donor.correction.after)
                out.append(replace(case, correction=swapped))
    return out


def exact_words(cases: Iterable[Case]) -> dict[str, str]:
    """Whole lines that were corrected: what each became last. A memory of the very words, and nothing else."""
    out: dict[str, str] = {}
    for case in cases:
        before, after = case.correction.before.strip(), case.correction.after.strip()
        if case.key and "\n" not in before and "\n" not in after:
            out[" ".join(before.split())] = after
    return out
