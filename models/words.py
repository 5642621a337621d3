"""Text to word pieces: identifiers split at case and underscore, lower-cased, then greedy WordPiece."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

# An acronym (`HTTP` in `HTTPServer`), a word, a number.
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_WORDS = re.compile(r"\w+")
_ACCENTS = re.compile("[\u0300-\u036f]")

UNKNOWN = 1  # the id of a letter that no piece covers; 0 is padding
_LONGEST_PIECE = 24
_CACHED_WORDS = 50_000  # about 10 MB when full
_CACHED_LENGTH = 32


def fold(text: str) -> str:
    """The text with accents and compatibility forms resolved, so that `café` meets `cafe`."""
    return text if text.isascii() else _ACCENTS.sub("", unicodedata.normalize("NFKD", text))


def parts(text: str) -> Iterator[str]:
    """The lower-cased parts of the identifiers, words and numbers in a text; ASCII alone."""
    return (match.group().lower() for match in _PARTS.finditer(text))


def words(text: str) -> Iterator[str]:
    """The case-folded words of a text in any script."""
    return (match.group().casefold() for match in _WORDS.finditer(text))


class WordPiece:
    """Cuts words greedily into the longest pieces of a vocabulary; `vocabulary[i]` has the id `i`."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self._ids = {piece: index for index, piece in enumerate(vocabulary)}
        self._cache: dict[str, tuple[int, ...]] = {}

    def ids(self, text: str, limit: int) -> list[int]:
        """The ids of a text's pieces, at most `limit`; empty when it has no ASCII letter or digit."""
        out: list[int] = []
        for word in parts(text):
            out += self._cache.get(word) or self._word(word)
            if len(out) >= limit:
                return out[:limit]
        return out

    def _word(self, word: str) -> tuple[int, ...]:
        found = []
        start = 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(min(len(word), start + _LONGEST_PIECE), start, -1):
                piece = self._ids.get(prefix + word[start:end])
                if piece is not None:
                    found.append(piece)
                    start = end
                    break
            else:
                found.append(UNKNOWN)
                start += 1
        ids = tuple(found)
        if len(word) <= _CACHED_LENGTH and len(self._cache) < _CACHED_WORDS:
            self._cache[word] = ids
        return ids
