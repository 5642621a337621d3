"""Words looked for in the texts themselves: for memories that no index of words holds yet."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable

from .words import query_terms

#: Bounds on the cost, so that it takes tenths of a second at most: characters held, terms of one question
#: looked for, and finds of one term. What is beyond them is the oldest, or says the least.
CHARACTERS = 32_000_000
TERMS = 16
FINDS = 5_000
_K1, _B = 1.2, 0.75


class Scan:
    """(key, text) pairs, the ones that matter most first; making it costs little more than copying them.

    A term is found wherever a word holds it. The score is BM25, with lengths in characters.
    """

    def __init__(self, texts: Iterable[tuple[str, str]]) -> None:
        self._keys: list[str] = []
        self._starts: list[int] = []
        parts: list[str] = []
        size = 0
        for key, text in texts:
            if size >= CHARACTERS:
                break
            part = text.lower()
            self._keys.append(key)
            self._starts.append(size)
            parts.append(part)
            size += len(part) + 1
        self._starts.append(size)
        self._text = "\n".join(parts)

    def search(self, query: str, k: int, among: Collection[str]) -> list[tuple[str, float]]:
        """The `k` best keys of those in `among`, and their score, best first."""
        scores: dict[int, float] = {}
        mean = self._starts[-1] / max(1, len(self._keys))
        for term in sorted(query_terms(query), key=len, reverse=True)[:TERMS]:
            found = self._find(term)
            idf = math.log(1 + (len(self._keys) - len(found) + 0.5) / (len(found) + 0.5))
            for at, times in found.items():
                norm = _K1 * (1 - _B + _B * (self._starts[at + 1] - self._starts[at]) / mean)
                scores[at] = scores.get(at, 0.0) + idf * times * (_K1 + 1) / (times + norm)
        hits = [(self._keys[at], score) for at, score in scores.items() if self._keys[at] in among]
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))[: max(0, k)]

    def _find(self, term: str) -> Counter[int]:
        """The texts that hold a term, and how often."""
        # A stem ends in "i" where the word ends in "y": "happi", "happy".
        part = term[:-1] if len(term) > 3 and term.endswith("i") else term
        found: Counter[int] = Counter()
        at = self._text.find(part)
        for _ in range(FINDS):
            if at < 0:
                break
            found[bisect_right(self._starts, at) - 1] += 1
            at = self._text.find(part, at + len(part))
        return found
