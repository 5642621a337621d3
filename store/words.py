"""Full-text search: identifier-split, stemmed words; and plainly in memory, which others are held against."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache

import snowballstemmer

#: Words that say nothing of what is looked for. In code they are rare, so that plain BM25 overrates them.
STOP_WORDS = frozenset(
    """
    a an the of to in on at for from by with without and or not no is are was were be been being it its
    this that these those as if then than so such into onto out up down over under when which who whose
    what where while will would can could should may might must do does did done has have had having i
    we you he she they them me my us our your their his her all any each some only also there here how
    why more most other very just about again like want need please let get got make made making way
    using used use via per etc don doesn isn didn won s t re ve ll
    """.split()  # noqa: SIM905 - read as prose
)
#: More than these words of one question or characters of one text are passed over: a bound on the cost.
MOST_TERMS = 64
LONGEST = 100_000
#: Of BM25 (Robertson and Zaragoza 2009): how soon repetitions count no more, and how much a text's length does.
K1, B = 1.2, 0.75

_RUN = re.compile(r"\w+")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@lru_cache(maxsize=1)
def _stemmer() -> snowballstemmer.stemmer:
    return snowballstemmer.stemmer("english")


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """The Snowball (English) stem of a lower-case word."""
    return str(_stemmer().stemWord(word))


def split(text: str) -> Iterator[str]:
    """The lower-case words of a text; an identifier gives itself, without underscores, and its parts."""
    for run in _RUN.findall(text[:LONGEST]):
        yield from _split(run)


def _split(run: str) -> Iterator[str]:
    if not run.isascii():
        yield from _foreign(run)
        return
    parts = _PART.findall(run)
    if len(parts) > 1:
        yield run.replace("_", "").lower()
    for part in parts:
        if len(part) > 1:
            yield part.lower()


def _foreign(run: str) -> Iterator[str]:
    """Scripts without spaces are searched by pairs of characters, all others by whole words."""
    folded = run.replace("_", "").casefold()
    if _WIDE.search(folded) and len(folded) > 2:
        yield from (folded[at : at + 2] for at in range(len(folded) - 1))
    elif folded:
        yield folded


@lru_cache(maxsize=50_000)
def _stems(run: str) -> tuple[str, ...]:
    """Code says the same names again and again."""
    return tuple(stem(word) for word in _split(run))


def terms(text: str) -> list[str]:
    """The stems of a text, in order, repeated as often as they occur."""
    return [word for run in _RUN.findall(text[:LONGEST]) for word in _stems(run)]


def query_terms(query: str) -> list[str]:
    """The different stems of a question without stop words, in order, at most `MOST_TERMS`."""
    seen: dict[str, None] = {}
    for word in split(query):
        if word not in STOP_WORDS:
            seen.setdefault(stem(word))
            if len(seen) == MOST_TERMS:
                break
    return list(seen)


class MemoryWords:
    """`Words` in memory: BM25 over a dictionary of postings (Robertson and Zaragoza 2009), idf above 0."""

    def __init__(self, k1: float = K1, b: float = B) -> None:
        self._k1, self._b = k1, b
        self._counts: dict[str, Counter[str]] = {}
        self._lengths: dict[str, int] = {}
        self._postings: dict[str, dict[str, int]] = {}
        self._total = 0

    def put(self, texts: Sequence[tuple[str, str]]) -> None:
        """Add (key, text) pairs, or replace those whose key is there already."""
        for key, text in texts:
            self.remove([key])
            counts = Counter(terms(text))
            self._counts[key] = counts
            self._lengths[key] = counts.total()
            self._total += self._lengths[key]
            for word, times in counts.items():
                self._postings.setdefault(word, {})[key] = times

    def remove(self, keys: Iterable[str]) -> None:
        """Take texts out; a key that is not there is passed over."""
        for key in keys:
            counts = self._counts.pop(key, None)
            if counts is None:
                continue
            self._total -= self._lengths.pop(key)
            for word in counts:
                postings = self._postings[word]
                del postings[key]
                if not postings:
                    del self._postings[word]

    def search(self, query: str, k: int, among: Collection[str] | None = None) -> list[tuple[str, float]]:
        """The `k` best keys and their BM25 score (higher is better), best first; no words, no hits."""
        count = len(self._counts)
        mean = self._total / count if count and self._total else 1.0
        scores: dict[str, float] = {}
        for word in query_terms(query):
            postings = self._postings.get(word, {})
            idf = math.log(1 + (count - len(postings) + 0.5) / (len(postings) + 0.5))
            for key, times in postings.items():
                if among is None or key in among:
                    norm = self._k1 * (1 - self._b + self._b * self._lengths[key] / mean)
                    scores[key] = scores.get(key, 0.0) + idf * times * (self._k1 + 1) / (times + norm)
        ordered = sorted(scores.items(), key=lambda hit: (-hit[1], hit[0]))
        return ordered[: max(0, k)]

    def keys(self) -> set[str]:
        """The keys that are there."""
        return set(self._counts)

    def close(self) -> None:
        """Nothing to let go of."""

    def __len__(self) -> int:
        return len(self._counts)
