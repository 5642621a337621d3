"""BM25 over pieces of postings in numpy: exact, and what cannot win is not ranked."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np

from .pieces import Mask, Numbers, Piece
from .protocols import Floats
from .words import K1, B

#: Of so many words it is known how rare they are; so many groups of words are kept.
KNOWN, GROUPS = 50_000, 256


class Scorer:
    """BM25 over pieces, by the numbers of texts: those of a piece follow those of the pieces before it.

    `alive` says which texts still count. Not for two threads at once: the scores of a search lie in one array.
    """

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.alive: Mask = np.zeros(0, np.bool_)
        self.dead = 0
        self._norms = np.zeros(0, np.float32)
        self._scores = np.zeros(0, np.float32)
        self._weights: dict[str, tuple[float, float]] = {}
        self._groups: dict[frozenset[str], Mask] = {}

    def bury(self, numbers: Sequence[int]) -> None:
        """These texts, each of which was alive, count no longer."""
        self.alive[list(numbers)] = False
        self.dead += len(numbers)

    def best(self, wanted: Sequence[str], k: int, mask: Mask | None = None) -> tuple[Numbers, Floats]:
        """Numbers and scores of the `k` best texts for these stems, in no order, and of all that tie with the last."""
        count = len(self.alive) - self.dead
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
        scores[seen] = 0.0
        return ranked, held

    def holding(self, numbers: Numbers, groups: Sequence[Collection[str]]) -> Mask:
        """Which of these texts hold a word of which group of stems: (texts, groups)."""
        out = np.zeros((len(numbers), len(groups)), np.bool_)
        for at, group in enumerate(groups):
            if len(group) == 1:
                out[:, at] = self._holds(next(iter(group)), numbers)
            elif group:
                out[:, at] = self._group(frozenset(group))[numbers]
        return out

    def measure(self) -> None:
        """Bring what is derived of all texts up to date: to be called after pieces came or went."""
        lengths = [piece.lengths for piece in self.pieces]
        whole = np.concatenate(lengths).astype(np.float32) if lengths else np.zeros(0, np.float32)
        mean = float(whole[self.alive].mean()) if len(self.alive) > self.dead else 1.0
        self._norms = np.asarray(K1 * (1 - B + B * whole / (mean or 1.0)), np.float32)
        self._scores = np.zeros(len(self.alive), np.float32)
        self._weights.clear()
        self._groups.clear()

    def _weight(self, word: str, count: int) -> tuple[float, float]:
        """A word's idf, and what it gives to a text at most; both are kept until a text comes or goes."""
        kept = self._weights.get(word)
        if kept is None:
            total, most, base = 0, 0.0, 0
            for piece in self.pieces:
                at = piece.postings(word)
                if at.stop > at.start:
                    times = piece.times[at].astype(np.float32)
                    norms = self._norms[piece.texts[at] + np.uint32(base)]
                    total, most = (
                        total + at.stop - at.start,
                        max(most, float((times / (times + norms)).max())),
                    )
                base += len(piece.lengths)
            idf = math.log(1 + (max(0, count - total) + 0.5) / (total + 0.5)) if total else 0.0
            kept = (idf, idf * (K1 + 1) * most)
            if len(self._weights) >= KNOWN:
                self._weights.clear()
            self._weights[word] = kept
        return kept

    def _add(self, word: str, idf: float, mask: Mask | None) -> list[Numbers]:
        """Add what a word gives to all texts that hold it; those of them that had nothing before."""
        out, base, scores = [], 0, self._scores
        wanted = mask if mask is not None else self.alive if self.dead else None
        for piece in self.pieces:
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
            base += len(piece.lengths)
        return out

    def _top_up(self, word: str, idf: float, chosen: Numbers) -> None:
        """Add what a word gives to the chosen texts alone; they are ordered."""
        base = 0
        for piece in self.pieces:
            at, end = piece.postings(word), base + len(piece.lengths)
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

    def _holds(self, word: str, numbers: Numbers) -> Mask:
        """Which of these texts hold a word."""
        out = np.zeros(len(numbers), np.bool_)
        base = 0
        for piece in self.pieces:
            at, end = piece.postings(word), base + len(piece.lengths)
            if at.stop > at.start:
                here = np.flatnonzero((numbers >= base) & (numbers < end))
                texts, wanted = piece.texts[at], numbers[here] - np.uint32(base)
                places = np.searchsorted(texts, wanted)
                places[places == len(texts)] = 0
                out[here] = texts[places] == wanted
            base = end
        return out

    def _group(self, group: frozenset[str]) -> Mask:
        """The texts that hold any word of a group: kept, since the groups that are asked for are few."""
        kept = self._groups.get(group)
        if kept is None:
            kept = np.zeros(len(self.alive), np.bool_)
            base = 0
            for piece in self.pieces:
                for word in group:
                    kept[piece.texts[piece.postings(word)] + np.uint32(base)] = True
                base += len(piece.lengths)
            if len(self._groups) >= GROUPS:
                self._groups.clear()
            self._groups[group] = kept
        return kept
