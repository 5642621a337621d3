"""Full-text search: identifier-split, stemmed words, in SQLite's FTS5 or in memory."""

from __future__ import annotations

import math
import re
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import snowballstemmer
import sqlite_utils

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
#: So many texts are ranked for one question, where its rarer words are in as many.
RANKED = 3_000

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


class Fts5Words:
    """`Words` in an SQLite file, or in memory where `path` is None. BM25 with FTS5's own k1 and b.

    Those are 1.2 and 0.75 (SQLite's documentation of FTS5, "The bm25() function").
    """

    def __init__(self, path: Path | None = None) -> None:
        # The daemon answers from several threads, one at a time.
        self._connection = sqlite3.connect(":memory:" if path is None else path, check_same_thread=False)
        self._db = sqlite_utils.Database(self._connection)
        # A power cut may damage it: its hash then differs, and it is made again.
        self._connection.execute("pragma synchronous = off")
        self._texts = self._db["texts"]
        if not self._texts.exists():
            self._texts.create({"key": str, "body": str}, pk="key")
            self._texts.enable_fts(["body"], tokenize="unicode61 remove_diacritics 0", create_triggers=True)

    def put(self, texts: Sequence[tuple[str, str]]) -> None:
        """Add (key, text) pairs, or replace those whose key is there already."""
        rows = ((key, " ".join(terms(text))) for key, text in dict(texts).items())
        with self._db.conn:
            self._db.conn.executemany("insert or replace into texts (key, body) values (?, ?)", rows)

    def remove(self, keys: Iterable[str]) -> None:
        """Take texts out; a key that is not there is passed over."""
        with self._db.conn:
            self._db.conn.executemany("delete from texts where key = ?", [(key,) for key in keys])

    def search(self, query: str, k: int, among: Collection[str] | None = None) -> list[tuple[str, float]]:
        """The `k` best keys and their BM25 score (higher is better), best first; no words, no hits."""
        wanted = query_terms(query)
        if not wanted or k <= 0:
            return []
        if among is None:
            telling = self._telling(wanted)
            if len(telling) < len(wanted):  # the others still count for what holds one of these
                return self._ranked(f"({_any_of(telling)}) AND ({_any_of(wanted)})", k)
            return self._ranked(_any_of(wanted), k)
        match = _any_of(wanted)
        hits: list[tuple[str, float]] = []
        for most in (8 * k, -1):  # the second time all, when too few of the first were among those asked for
            hits = [hit for hit in self._ranked(match, most) if hit[0] in among]
            if len(hits) >= k:
                break
        return hits[:k]

    def _telling(self, wanted: Sequence[str]) -> list[str]:
        """The rarest words, as many as are in `RANKED` texts together: what holds none of them is not ranked.

        To rank one text takes a microsecond, and common words would have a tenth of a large store ranked. Of the
        ten best by all words 98% are found, measured on 100,000 made-up memories (benchmarks/synthetic.py).
        """
        found = self._db.execute("select count(*) from (select 1 from texts limit ?)", (RANKED + 1,))
        if found.fetchone()[0] <= RANKED:
            return list(wanted)
        counts = {}
        for word in wanted:
            found = self._db.execute(
                "select count(*) from (select 1 from texts_fts where texts_fts match ? limit ?)",
                (_any_of([word]), RANKED + 1),
            )
            counts[word] = int(found.fetchone()[0])
        kept: list[str] = []
        total = 0
        for word in sorted(wanted, key=counts.__getitem__):
            total += counts[word]
            if total > RANKED and any(counts[each] for each in kept):
                break
            kept.append(word)
        return kept

    def _ranked(self, match: str, most: int) -> list[tuple[str, float]]:
        # FTS5 ranks fastest alone: the keys are fetched for the best only.
        found = self._db.execute(
            "with best as ("
            "select rowid as number, rank from texts_fts where texts_fts match ? order by rank limit ?"
            ") select texts.key, -best.rank from best join texts on texts.rowid = best.number",
            (match, most),
        )
        return sorted(((key, float(score)) for key, score in found), key=lambda hit: (-hit[1], hit[0]))

    def keys(self) -> set[str]:
        """The keys that are there."""
        return {key for (key,) in self._db.execute("select key from texts")}

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __len__(self) -> int:
        return int(self._texts.count)


def _any_of(words: Sequence[str]) -> str:
    return " OR ".join(f'"{word}"' for word in words)


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
