"""Back-tests: a pattern run over the code that people accepted, before it may warn anyone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from ..analyzers.fragments import fragments
from ..analyzers.languages import is_generated, language_of
from ..analyzers.patterns import Compiled, Parsed, compile
from ..store.kinds import Correction, Pattern

MAX_PLACES = 20
MAX_FILE = 512 * 1024


@dataclass(frozen=True)
class Place:
    """A line of an accepted file where a pattern matches."""

    path: str
    line: int
    text: str


@dataclass(frozen=True)
class BackTest:
    """What a pattern met: `stood` matches that people accepted, of which `left` are in files where they
    corrected others; `changed` matches that they did correct. `holding` of `files` files hold the pattern's
    words at all.
    """

    matched: int = 0
    stood: int = 0
    changed: int = 0
    left: int = 0
    files: int = 0
    holding: int = 0
    places: tuple[Place, ...] = ()

    @property
    def rarity(self) -> float:
        """The share of the files that hold the pattern's words: low says that the words are telling."""
        return self.holding / self.files if self.files else 0.0


@dataclass
class _Count:
    compiled: dict[str, Compiled | None]
    touched: Collection[str]
    stood: int = 0
    left: int = 0
    files: int = 0
    holding: int = 0
    places: list[Place] | None = None


def backtest(
    pattern: Pattern,
    files: Iterable[tuple[str, str]],
    corrections: Iterable[Correction] = (),
    touched: Collection[str] = (),
) -> BackTest:
    """One pattern over the accepted `files` (path, text); see `backtests`."""
    return backtests([pattern], files, list(corrections), [touched])[0]


def backtests(
    patterns: Sequence[Pattern],
    files: Iterable[tuple[str, str]],
    corrections: Sequence[Correction] = (),
    touched: Sequence[Collection[str]] = (),
) -> list[BackTest]:
    """All patterns over the accepted `files` in one pass; each file is parsed at most once.

    Every match in accepted code stood, and counts against. Every correction that the pattern matches before
    and no longer after counts for it, whatever the person wrote instead. `touched` are, pattern by pattern,
    the files that were corrected: a match that was left there was passed over by a person who had the chance.
    """
    counts = [_Count({}, touched[k] if k < len(touched) else (), places=[]) for k in range(len(patterns))]
    if patterns:
        for path, text in files:
            _file(path, text, patterns, counts)
    changed = _changed(patterns, corrections)
    return [
        BackTest(
            matched=count.stood + done,
            stood=count.stood,
            changed=done,
            left=count.left,
            files=count.files,
            holding=count.holding,
            places=tuple(count.places or ()),
        )
        for count, done in zip(counts, changed, strict=True)
    ]


def _file(path: str, text: str, patterns: Sequence[Pattern], counts: Sequence[_Count]) -> None:
    language = language_of(path)
    if language is None or len(text) > MAX_FILE or is_generated(path, text[:4096].encode("utf-8", "replace")):
        return
    parsed = Parsed(text, language)
    holds: dict[str, bool] = {}
    for pattern, count in zip(patterns, counts, strict=True):
        compiled = _for(pattern, language, count)
        if compiled is None:
            continue
        count.files += 1
        for word in pattern.words:
            if word not in holds:
                holds[word] = word in text
        if not all(holds[word] for word in pattern.words):
            continue
        count.holding += 1
        for match in compiled.find(parsed, path=path):
            count.stood += 1
            count.left += path in count.touched
            if count.places is not None and len(count.places) < MAX_PLACES:
                count.places.append(Place(path, match.line, match.text[:200]))


def _for(pattern: Pattern, language: str, count: _Count) -> Compiled | None:
    if language not in count.compiled:
        count.compiled[language] = compile(pattern, language) if speaks(pattern, language) else None
    return count.compiled[language]


def speaks(pattern: Pattern, language: str) -> bool:
    """Whether a pattern applies to a language: to its own, and TypeScript's to TSX and back."""
    both = {"typescript", "tsx"}
    return pattern.language == language or (pattern.language in both and language in both)


def _changed(patterns: Sequence[Pattern], corrections: Sequence[Correction]) -> list[int]:
    out = [0] * len(patterns)
    for correction in corrections:
        likely = [
            k
            for k, pattern in enumerate(patterns)
            if speaks(pattern, correction.language)
            and all(word in correction.before for word in pattern.words)
        ]
        if not likely:
            continue
        sides = fragments(correction.before, correction.after, correction.language)
        if sides is None:
            continue
        before, after = (Parsed(side.program, correction.language) for side in sides)
        for k in likely:
            compiled = compile(patterns[k], correction.language)
            if compiled is None:
                continue
            found, kept = (compiled.find(side, path=correction.path) for side in (before, after))
            if len(found) > len(kept):
                out[k] += 1
    return out
