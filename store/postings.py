"""Full-text search in a few immutable pieces of postings: BM25 in numpy, exact, without ranking what cannot win."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from . import derived
from .vectors import FILTERS
from .words import K1, B, query_terms, terms

#: No merge makes a piece of more texts than this: about 12 MB, merged in tenths of a second.
FULL = 65_536
#: Beyond these a text's length and a word's count in it say nothing more.
_LONG, _OFTEN = 65_535, 255

#: Of so many words it is known how rare they are.
KNOWN = 50_000

Numbers = npt.NDArray[np.uint32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Piece:
    """Texts and their words: of word number i the postings from `starts[i]` to `starts[i + 1]`, ordered by text.

    Of a posting `texts` is the text's number in the piece, `times` how often it holds the word.
    """

    keys: list[str]
    lengths: npt.NDArray[np.uint16]
    words: dict[str, int]
    starts: Numbers
    texts: Numbers
    times: npt.NDArray[np.uint8]

    def postings(self, word: str) -> slice:
        """Where a word's postings are."""
        at = self.words.get(word)
        return slice(0, 0) if at is None else slice(int(self.starts[at]), int(self.starts[at + 1]))

    def data(self) -> bytes:
        """The bytes of a piece's file: docs/format.md."""
        head = json.dumps({"keys": self.keys, "words": list(self.words)}).encode()
        arrays = (
            self.lengths.astype("<u2"),
            self.starts.astype("<u4"),
            self.texts.astype("<u4"),
            self.times,
        )
        return b"\n".join((head, b"".join(each.tobytes() for each in arrays)))


def piece_of(texts: Iterable[tuple[str, str]]) -> Piece:
    """The piece of (key, text) pairs; each key once."""
    keys: list[str] = []
    lengths: list[int] = []
    found: dict[str, list[tuple[int, int]]] = {}
    for number, (key, text) in enumerate(texts):
        counts = Counter(terms(text))
        keys.append(key)
        lengths.append(min(_LONG, counts.total()))
        for word, times in counts.items():
            found.setdefault(word, []).append((number, min(_OFTEN, times)))
    starts = np.zeros(len(found) + 1, np.uint32)
    np.cumsum([len(each) for each in found.values()], out=starts[1:])
    both = np.array([one for each in found.values() for one in each], np.uint32).reshape(-1, 2)
    words = {word: at for at, word in enumerate(found)}
    return Piece(
        keys, np.array(lengths, np.uint16), words, starts, both[:, 0].copy(), both[:, 1].astype(np.uint8)
    )


def read_piece(data: bytes) -> Piece | None:
    """What `Piece.data` gave; None when it is not exactly that. The caller has checked the bytes' hash."""
    head, _, body = data.partition(b"\n")
    try:
        said = json.loads(head)
        keys, words = said["keys"], {word: at for at, word in enumerate(said["words"])}
        count, many = len(keys), len(words) + 1
        starts = np.frombuffer(body, "<u4", many, 2 * count).astype(np.uint32)
        size = int(starts[-1])
        if len(body) != 2 * count + 4 * many + 5 * size:
            return None
        lengths = np.frombuffer(body, "<u2", count).astype(np.uint16)
        texts = np.frombuffer(body, "<u4", size, 2 * count + 4 * many).astype(np.uint32)
        times = np.frombuffer(body, np.uint8, size, 2 * count + 4 * many + 4 * size).copy()
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        return None
    return Piece(keys, lengths, words, starts, texts, times)


def merged(pieces: Sequence[tuple[Piece, Mask]]) -> Piece:
    """One piece of several, in their order; of each only the texts that its mask keeps."""
    words: dict[str, int] = {}
    keys: list[str] = []
    whose: list[Numbers] = []
    texts: list[Numbers] = []
    times: list[npt.NDArray[np.uint8]] = []
    for piece, kept in pieces:
        numbers = np.fromiter((words.setdefault(w, len(words)) for w in piece.words), np.uint32)
        there = kept[piece.texts]
        moved = (np.cumsum(kept) - 1 + len(keys)).astype(np.uint32)
        whose.append(np.repeat(numbers, np.diff(piece.starts))[there])
        texts.append(moved[piece.texts[there]])
        times.append(piece.times[there])
        keys += [key for key, stays in zip(piece.keys, kept, strict=True) if stays]
    which = np.concatenate(whose)
    order = np.argsort(which, kind="stable")
    sizes = np.bincount(which, minlength=len(words))
    lasts = sizes > 0  # a word whose texts all went goes too
    starts = np.zeros(int(lasts.sum()) + 1, np.uint32)
    np.cumsum(sizes[lasts], out=starts[1:])
    left = [word for word, stays in zip(words, lasts, strict=True) if stays]
    return Piece(
        keys,
        np.concatenate([piece.lengths[kept] for piece, kept in pieces]),
        {word: at for at, word in enumerate(left)},
        starts,
        np.concatenate(texts)[order],
        np.concatenate(times)[order],
    )


class PostingWords:
    """`Words` as pieces in memory, each of which is a file once `keep` was called.

    A piece is never changed: what is replaced or removed is left out when its piece is written anew, and small
    pieces are merged like the digits of a number, so that each text is written a few times in all.
    """

    def __init__(self) -> None:
        self._pieces: list[Piece] = []
        self._names: list[str] = []  # of the pieces' files; empty for one that has none yet
        self._slots: dict[str, int] = {}  # key → number over all pieces
        self._keys: list[str] = []
        self._dead = 0
        self._alive: Mask = np.zeros(0, np.bool_)
        self._norms = np.zeros(0, np.float32)
        self._scores = np.zeros(0, np.float32)
        self._filters: dict[frozenset[str], Mask] = {}
        self._weights: dict[str, tuple[float, float]] = {}

    def put(self, texts: Sequence[tuple[str, str]]) -> None:
        """Add (key, text) pairs, or replace those whose key is there already."""
        given = dict(texts)
        if given:
            self._bury(given)
            self._append(piece_of(given.items()), "")
            self._settle()

    def remove(self, keys: Iterable[str]) -> None:
        """Take texts out; a key that is not there is passed over."""
        if self._bury(keys):
            self._settle()

    def search(self, query: str, k: int, among: Collection[str] | None = None) -> list[tuple[str, float]]:
        """The `k` best keys and their BM25 score (higher is better), best first; no words, no hits."""
        wanted = query_terms(query)
        count = len(self._slots)
        if not wanted or k <= 0 or not count:
            return []
        mask = None if among is None else self._among(among)
        found = [(idf, word, most) for word in wanted for idf, most in [self._weight(word, count)] if idf]
        found.sort(reverse=True)  # the rarest first
        scores, left = self._scores, sum(most for _, _, most in found)
        touched: list[Numbers] = []
        chosen: Numbers | None = None
        for idf, word, most in found:
            if chosen is None and touched:
                seen = np.concatenate(touched)
                if k < len(seen):
                    held = scores[seen]
                    least = float(np.partition(held, len(held) - k)[len(held) - k])
                    # What holds none of the words so far can get no more than `left`.
                    if left < least:
                        chosen = np.sort(seen[held >= least - left - 1e-3])
            if chosen is None:
                touched += self._add(word, idf, mask)
            else:
                self._top_up(word, idf, chosen)
            left -= most
        seen = np.concatenate(touched) if touched else np.zeros(0, np.uint32)
        ranked = seen if chosen is None else chosen
        held = scores[ranked]
        if len(ranked) > k:
            # All that are as good as the k-th, so that ties go by key.
            best = held >= np.partition(held, len(held) - k)[len(held) - k]
            ranked, held = ranked[best], held[best]
        hits = [(self._keys[at], float(score)) for at, score in zip(ranked, held, strict=True)]
        scores[seen] = 0.0
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))[:k]

    def keys(self) -> set[str]:
        """The keys that are there."""
        return set(self._slots)

    def close(self) -> None:
        """Nothing to let go of."""

    def __len__(self) -> int:
        return len(self._slots)

    # On disk

    def load(self, name: str, data: bytes) -> bool:
        """Take up a piece's file, those of older texts first; False when it is none."""
        piece = read_piece(data)
        if piece is None:
            return False
        self._bury(piece.keys)
        self._append(piece, name)
        return True

    def keep(self, folder: Path) -> dict[str, str]:
        """Write the pieces that have no file yet; the names of all files, oldest first, and the new ones' hashes."""
        out: dict[str, str] = {}
        for at, piece in enumerate(self._pieces):
            if not self._names[at]:
                data = piece.data()
                digest = hashlib.sha256(data).hexdigest()
                name = f"words-{digest[:16]}.bin"
                derived.replace(folder / name, data)
                self._names[at], out[name] = name, digest
            else:
                out[self._names[at]] = ""
        return out

    # Within

    def _weight(self, word: str, count: int) -> tuple[float, float]:
        """A word's idf, and what it gives to a text at most; both are kept until a text comes or goes."""
        kept = self._weights.get(word)
        if kept is None:
            total, most, base = 0, 0.0, 0
            for piece in self._pieces:
                at = piece.postings(word)
                if at.stop > at.start:
                    times = piece.times[at].astype(np.float32)
                    norms = self._norms[piece.texts[at] + np.uint32(base)]
                    total, most = (
                        total + at.stop - at.start,
                        max(most, float((times / (times + norms)).max())),
                    )
                base += len(piece.keys)
            idf = math.log(1 + (max(0, count - total) + 0.5) / (total + 0.5)) if total else 0.0
            kept = (idf, idf * (K1 + 1) * most)
            if len(self._weights) >= KNOWN:
                self._weights.clear()
            self._weights[word] = kept
        return kept

    def _add(self, word: str, idf: float, mask: Mask | None) -> list[Numbers]:
        """Add what a word gives to all texts that hold it; those of them that had nothing before."""
        out, base, scores = [], 0, self._scores
        wanted = mask if mask is not None else self._alive if self._dead else None
        for piece in self._pieces:
            at = piece.postings(word)
            if at.stop > at.start:
                texts = piece.texts[at] + np.uint32(base)
                times = piece.times[at].astype(np.float32)
                if wanted is not None:
                    there = wanted[texts]
                    texts, times = texts[there], times[there]
                before = scores[texts]
                scores[texts] = before + np.float32(idf * (K1 + 1)) * times / (times + self._norms[texts])
                out.append(texts[before == 0.0])
            base += len(piece.keys)
        return out

    def _top_up(self, word: str, idf: float, chosen: Numbers) -> None:
        """Add what a word gives to the chosen texts alone; they are ordered."""
        base = 0
        for piece in self._pieces:
            at, end = piece.postings(word), base + len(piece.keys)
            here = chosen[np.searchsorted(chosen, base) : np.searchsorted(chosen, end)]
            if at.stop > at.start and len(here):
                texts = piece.texts[at]
                places = np.searchsorted(texts, here - np.uint32(base))
                places[places == len(texts)] = 0
                holds = texts[places] == here - np.uint32(base)
                times = piece.times[at][places[holds]].astype(np.float32)
                here = here[holds]
                self._scores[here] += np.float32(idf * (K1 + 1)) * times / (times + self._norms[here])
            base = end

    def _among(self, among: Collection[str]) -> Mask:
        kept = self._filters.get(among) if isinstance(among, frozenset) else None
        if kept is None:
            kept = np.zeros(len(self._keys), np.bool_)
            kept[[self._slots[key] for key in among if key in self._slots]] = True
            if isinstance(among, frozenset):
                while len(self._filters) >= FILTERS:
                    del self._filters[next(iter(self._filters))]
                self._filters[among] = kept
        return kept

    def _bury(self, keys: Iterable[str]) -> bool:
        slots = [self._slots.pop(key) for key in keys if key in self._slots]
        self._alive[slots] = False
        self._dead += len(slots)
        return bool(slots)

    def _append(self, piece: Piece, name: str) -> None:
        start = len(self._keys)
        self._slots.update((key, start + at) for at, key in enumerate(piece.keys))
        self._keys += piece.keys
        self._alive = np.concatenate([self._alive, np.ones(len(piece.keys), np.bool_)])
        self._pieces.append(piece)
        self._names.append(name)
        self._measure()

    def _settle(self) -> None:
        """Write anew what holds dead texts, and merge the last pieces while they are of like size."""
        masks, base = [], 0
        for piece in self._pieces:
            masks.append(self._alive[base : base + len(piece.keys)])
            base += len(piece.keys)
        live = [int(mask.sum()) for mask in masks]
        first = next((at for at, piece in enumerate(self._pieces) if live[at] < len(piece.keys)), len(live))
        groups: list[list[int]] = []
        for at, size in enumerate(live):
            if size:
                groups.append([at])
            while len(groups) > 1:
                last, before = (sum(live[one] for one in groups[-back]) for back in (1, 2))
                if before > last or before + last > FULL:
                    break
                groups[-2:] = [[*groups[-2], *groups[-1]]]
        first = min([first, *(at for at, group in enumerate(groups) if group != [at])])
        if first == len(live):
            return
        pieces, names = self._pieces[first:], self._names[first:]
        start = sum(len(piece.keys) for piece in self._pieces[:first])
        del self._pieces[first:], self._names[first:], self._keys[start:]
        for group in (group for group in groups if group[0] >= first):
            parts = [(pieces[at - first], masks[at]) for at in group]
            whole = len(parts) == 1 and bool(parts[0][1].all())
            self._pieces.append(parts[0][0] if whole else merged(parts))
            self._names.append(names[group[0] - first] if whole else "")
            self._slots.update((key, at) for at, key in enumerate(self._pieces[-1].keys, len(self._keys)))
            self._keys += self._pieces[-1].keys
        self._alive, self._dead = np.ones(len(self._keys), np.bool_), 0
        self._measure()

    def _measure(self) -> None:
        lengths = [piece.lengths for piece in self._pieces]
        whole = np.concatenate(lengths).astype(np.float32) if lengths else np.zeros(0, np.float32)
        mean = float(whole[self._alive].mean()) if self._slots else 1.0
        self._norms = np.asarray(K1 * (1 - B + B * whole / (mean or 1.0)), np.float32)
        self._scores = np.zeros(len(self._keys), np.float32)
        self._filters.clear()
        self._weights.clear()
