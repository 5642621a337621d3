"""Back-tests: a pattern run over the code that people accepted, before it may warn anyone."""

from __future__ import annotations

import keyword
import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ...analyzers.fragments import fragments
from ...analyzers.languages import is_generated, language_of, words
from ...analyzers.patterns import TOKENS, Compiled, Parsed, compile
from ...analyzers.rewriting import elements
from ...store.kinds import Correction, Pattern

MAX_PLACES = 20
MAX_FILE = 512 * 1024
#: With fewer files a repository cannot say itself which members are common; then this table says it.
ENOUGH_FILES = 20
#: A member that stands in more of the files than this, beside the corrected ones, is a common one.
COMMON_SHARE = 0.05
COMMON = words(
    """add all any append apply bind call catch clear clone close connect contains copy count create data debug
    delete do done emit end equal equals error exec execute exists exit fail fetch fetchall fetchone filter
    find first flush format from get has head includes index indexOf info init insert is items join json key
    keys kill last len length list load lock log lower map match message name new next off on once open parse
    path pop post print push put query raise read reduce remove render replace request reset resolve result
    run save search select send set setup size skip sort split start stat state status stop str string strip
    submit sum test text then title to toString trim type unlock update upper url use value values wait warn
    warning write"""
)
_NAME = re.compile(r"[A-Za-z_][\w]*\Z")
_QUOTED = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'|`[^`]*`")
_TELLING = re.compile(r"\w{3}")
_CLOSING = (")", "]", "?", "!")
_SCRIPT_WORDS = words(
    "new typeof instanceof var let const function defer go throw void null undefined nil true false"
)


#: The text of a path before the first correction of a pattern; None where there was no such file.
Earlier = Callable[[str], str | None]
#: The files that were corrected; where a change is in progress, with the line (from 1) that it has come to.
Touched = Collection[str] | Mapping[str, int]


@dataclass(frozen=True)
class Place:
    """A line of an accepted file where a pattern matches: `fresh` when it was written after the first
    correction, `left` when it stands in a file that was corrected, `far` when in a folder where none was.
    """

    path: str
    line: int
    text: str
    end_line: int = 0
    fresh: bool = False
    left: bool = False
    far: bool = False


@dataclass(frozen=True)
class BackTest:
    """What a pattern met: `stood` matches that people accepted, of which `left` are in files where they
    corrected others, and `fresh` were written after the first correction; `changed` matches that they did correct.
    `far` of those that stood lie in folders where nothing was corrected. `holding` of `files` files hold the pattern's
    words at all. `common`: nothing but a member that is used everywhere holds the pattern down.
    """

    matched: int = 0
    stood: int = 0
    changed: int = 0
    left: int = 0
    fresh: int = 0
    files: int = 0
    holding: int = 0
    common: bool = False
    places: tuple[Place, ...] = ()
    far: int = 0

    @property
    def rarity(self) -> float:
        """The share of the files that hold the pattern's words: low says that the words are telling."""
        return self.holding / self.files if self.files else 0.0


@dataclass
class _Count:
    compiled: dict[str, Compiled | None]
    touched: Touched
    earlier: Earlier | None = None
    most: int = MAX_PLACES
    stood: int = 0
    left: int = 0
    fresh: int = 0
    far: int = 0
    files: int = 0
    holding: int = 0
    lone: tuple[re.Pattern[str], ...] = ()
    spread: int = 0  # files that use all lone members, beside those that were corrected
    before: dict[str, str | None] = field(default_factory=dict)  # the earlier texts of files
    places: list[Place] = field(default_factory=list)

    @cached_property
    def folders(self) -> frozenset[str]:
        """The folders in which something was corrected."""
        return frozenset(map(posixpath.dirname, self.touched))


def backtest(
    pattern: Pattern,
    files: Iterable[tuple[str, str]],
    corrections: Iterable[Correction] = (),
    touched: Touched = (),
    earlier: Earlier | None = None,
) -> BackTest:
    """One pattern over the accepted `files` (path, text); see `backtests`."""
    return backtests([pattern], files, list(corrections), [touched], [earlier])[0]


def backtests(
    patterns: Sequence[Pattern],
    files: Iterable[tuple[str, str]],
    corrections: Sequence[Correction] = (),
    touched: Sequence[Touched] = (),
    earlier: Sequence[Earlier | None] = (),
    most: int = MAX_PLACES,
) -> list[BackTest]:
    """All patterns over the accepted `files` in one pass; each file is parsed at most once.

    Every match in accepted code stood, and counts against. Every correction that the pattern matches before
    and no longer after counts for it, whatever the person wrote instead. `touched` are, pattern by pattern,
    the files that were corrected: a match that was left there was passed over by a person who had the chance.
    `earlier` says, pattern by pattern, what a file held before the first correction: a match that was written
    since is fresh use of the old form. Of the places `most` are given.
    """
    alone = [lone(pattern) for pattern in patterns]
    counts = [
        _Count(
            {},
            touched[k] if k < len(touched) else (),
            earlier[k] if k < len(earlier) else None,
            most,
            lone=tuple(re.compile(rf"\.\s*{re.escape(word)}\b") for word in alone[k]),
        )
        for k in range(len(patterns))
    ]
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
            fresh=count.fresh,
            files=count.files,
            holding=count.holding,
            common=_is_common(words, count),
            places=tuple(count.places),
            far=count.far,
        )
        for words, count, done in zip(alone, counts, changed, strict=True)
    ]


def lone(pattern: Pattern) -> tuple[str, ...]:
    """The members that alone hold a pattern down, on a receiver that may be anything; none where there is
    another word, or a text, that does.
    """
    if any(_TELLING.search(text) for text in _QUOTED.findall(pattern.pattern)):
        return ()
    found: list[str] = []
    before = ["", "", *elements(_QUOTED.sub("$_", pattern.pattern))]
    for at, token in enumerate(before[2:], 2):
        if not _NAME.match(token) or keyword.iskeyword(token) or token in _SCRIPT_WORDS:
            continue
        taken = before[at - 1].endswith(".") and (
            before[at - 2][:1] == "$" or before[at - 2] in (*_CLOSING, *found)
        )
        if not taken:
            # A variable among the arguments holds nothing down; what is called, named or taken from does.
            if before[at + 1 : at + 2] in (["("], ["."], ["="], [":"]) or token[:1].isupper():
                return ()
            continue
        found.append(token)
    return tuple(dict.fromkeys(found))


def _is_common(alone: Sequence[str], count: _Count) -> bool:
    if not alone:
        return False
    if count.files < ENOUGH_FILES:
        return all(word in COMMON or word.lower() in COMMON for word in alone)
    return count.spread > 1 and count.spread > COMMON_SHARE * count.files


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
        if count.lone and path not in count.touched and all(each.search(text) for each in count.lone):
            count.spread += 1
        far = bool(count.touched) and posixpath.dirname(path) not in count.folders
        for match in compiled.find(parsed, path=path):
            left = path in count.touched
            if left and isinstance(count.touched, Mapping):
                left = match.line <= count.touched[path]  # what lies ahead of the change was not passed over
            fresh = _is_fresh(count, path, match.text.split("\n", 1)[0])
            count.stood += 1
            count.left += left
            count.fresh += fresh
            count.far += far
            if len(count.places) < count.most:
                count.places.append(
                    Place(path, match.line, match.text[:200], match.end_line, fresh, left, far)
                )


def _is_fresh(count: _Count, path: str, line: str) -> bool:
    """Whether a match was not there before the first correction: its first line is new to the file."""
    if count.earlier is None:
        return False
    if path not in count.before:
        count.before[path] = count.earlier(path)
    known = count.before[path]
    return known is None or line.strip() not in known


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
        plain = [Parsed(side, correction.language) for side in (correction.before, correction.after)]
        sides = fragments(correction.before, correction.after, correction.language)
        parsed = [Parsed(side.program, correction.language) for side in sides or ()]
        for k in likely:
            compiled = compile(patterns[k], correction.language)
            # A pattern of tokens needs nothing that parses by itself.
            before, after = plain if patterns[k].selector == TOKENS else parsed or (None, None)
            if compiled is None or before is None or after is None:
                continue
            found, kept = (compiled.find(side, path=correction.path, piece=True) for side in (before, after))
            if len(found) > len(kept):
                out[k] += 1
    return out
