"""The features of a task's text: hashed words and stems, its opening, what kinds of words it has, and its shape."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import combinations, pairwise
from math import sqrt
from typing import NamedTuple
from zlib import crc32

from .rules import named
from .tasktext import opening, shown, stem, words
from .vocabulary import CLASSES, TECHNOLOGIES

BUCKETS = 1 << 16
PROMPT_BUCKETS = 3 << 13

_TOKEN = re.compile(r"[a-z][a-z0-9+-]*(?:'t)?|[0-9]+")
_TOKENS = 120
_PIECES = (3, 4, 5)  # letters; what rare, compound and misspelt words have in common with others
_WORDS_KEPT = 4096
_START = 3  # what a request is about stands in its first words, mostly
#: What a text has that is no word: a trace, an amount, names from code.
_SHAPES = (
    (
        "trace",
        re.compile(
            r"traceback|stack ?trace|goroutine \d|^\s+at \S+|\bline \d+|panic:|\b\w*(?:error|exception)\b:?"
            r"|exit (?:code|status)|\b(?:40\d|50\d|422)\b|uncaught|fatal|enoent|econn\w+|errno|segfault"
            r"|cannot read|is not (?:a function|defined)|undefined|nil pointer",
            re.I | re.M,
        ),
    ),
    (
        "amount",
        re.compile(
            r"\b\d[\d.,]*\s?(?:ms|s|secs?|seconds?|mins?|minutes?|hours?|h|mb|gb|kb|%|k|m)\b|\b\d+x\b"
            r"|\bp9\d\b|\b\d+k\b",
            re.I,
        ),
    ),
    ("arrow", re.compile(r"->|=>|→")),
    (
        "name",
        re.compile(r"`[^`]+`|\b\w+\(\)|\b[a-z0-9]+_\w+|\b[a-z]+[A-Z]\w*|\b[A-Z][a-z]+[A-Z]\w*"),
    ),
    (
        "path",
        re.compile(r"\b[\w-]+/[\w./-]+|\b[\w-]+\.(?:py|go|tsx?|jsx?|rs|java|c|h|md|ya?ml|toml|json)\b"),
    ),
    ("version", re.compile(r"\bv\d|\b\d+\.\d+(?:\.\d+)?\b|\b[a-z]+ ?\d\b")),
    ("lines", re.compile(r"\n")),
    (
        "code",
        re.compile(
            r"\n\s*(?:def|func|function|const|let|var|class|if|for|return|import|type)\b|[{};]\s*\n|```"
        ),
    ),
    ("asks", re.compile(r"\?")),
    ("should", re.compile(r"\bshould\b|\bmust\b|\bneeds? to\b|\bhas to\b", re.I)),
    (
        "want",
        re.compile(r"\b(?:want|would like|'d like|wish|would be (?:nice|great|good|cool)|it'd be)\b", re.I),
    ),
    ("every", re.compile(r"\b(?:everywhere|all|every|across|whole|throughout)\b", re.I)),
    (
        "same",
        re.compile(
            r"\b(?:same behaviou?r|no behaviou?r|without changing|behaviou?r (?:stays|must|unchanged)"
            r"|keep the behaviou?r|nothing else)\b",
            re.I,
        ),
    ),
)
_LENGTHS = (3, 6, 10, 18, 35)  # tokens


def features(text: str) -> list[int]:
    """The hashed features of any text, sorted and distinct; empty for a text without an ASCII word."""
    return _features(_read(text))


def prompt_features(text: str) -> dict[int, float]:
    """What a text has to a reader of prompts, hashed apart from `features`, and how much each counts.

    Single words are too many to learn from few prompts: beside them stand their pieces, the kinds of words, the
    shapes, and each two of these together. Each sort counts as much as any other, however many it has. Empty where
    `features` is.
    """
    return _prompt_features(text, _read(text))


def both(text: str) -> tuple[list[int], dict[int, float]]:
    """`features` and `prompt_features`, for the price of reading the text once."""
    told = _read(text)
    return _features(told), _prompt_features(text, told)


class _Reading(NamedTuple):
    words: list[str]
    stems: list[str]
    opening: set[str]
    pairs: set[str]


def _read(text: str) -> _Reading | None:
    said = words(text)
    if not said:
        return None
    stems = [stem(word) for word in said]
    pairs = {f"b {first} {second}" for first, second in pairwise(stems)}
    return _Reading(said, stems, _opening(text, stems), pairs)


def _features(told: _Reading | None) -> list[int]:
    if told is None:
        return []
    names = {f"w {word}" for word in told.words} | {f"s {each}" for each in told.stems}
    names |= told.pairs | told.opening
    return sorted({crc32(name.encode()) % BUCKETS for name in names})


def _prompt_features(text: str, told: _Reading | None) -> dict[int, float]:
    if told is None:
        return {}
    sorts: tuple[set[int], ...] = (
        _hashed({f"s {each}" for each in told.stems}),
        _hashed(told.opening),
        _hashed(_kinds(text)),
        _hashed(told.pairs),
        set().union(*map(_pieces, set(told.words))),
    )
    found: dict[int, float] = {}
    for each in sorts:
        share = 1 / sqrt(len(each) or 1)
        for bucket in sorted(each):
            found[bucket] = found.get(bucket, 0.0) + share
    return found


def _hashed(names: set[str]) -> set[int]:
    return {crc32(name.encode()) % PROMPT_BUCKETS for name in names}


@lru_cache(_WORDS_KEPT)
def _pieces(word: str) -> frozenset[int]:
    whole = f"<{word}>"
    return frozenset(
        crc32(f"c {whole[start : start + length]}".encode()) % PROMPT_BUCKETS
        for length in _PIECES
        for start in range(len(whole) - length + 1)
    )


def _opening(text: str, stems: list[str]) -> set[str]:
    names = {f"f {stems[0]}", "f " + " ".join(stems[:2])}
    if opening(text).rstrip().endswith("?"):
        names.add("f end ?")
    if label := named(text):
        names.add(f"r {label}")
    return names


def _kinds(text: str) -> set[str]:
    tokens = _TOKEN.findall(opening(text))[:_TOKENS]
    starting = {each for token in tokens[:_START] for each in CLASSES.get(stem(token), ())}
    kinds = {each for token in tokens for each in CLASSES.get(stem(token), ())}
    technologies = sum(token in TECHNOLOGIES for token in tokens)
    kinds.update(("tech", "tech2")[: min(technologies, 2)])
    shapes = {name for name, pattern in _SHAPES if pattern.search(shown(text))}
    names = {f"c {each}" for each in kinds} | {f"h {each}" for each in shapes}
    names |= {f"c0 {each}" for each in starting}
    names |= {f"cc {first} {second}" for first, second in combinations(sorted(kinds), 2)}
    names |= {f"ch {kind} {shape}" for kind in kinds for shape in shapes}
    names.add(f"n {sum(len(tokens) > length for length in _LENGTHS)}")
    return names
