"""Full-text search in a few immutable pieces of postings, each of which is a file."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import numpy as np

from . import derived
from .pieces import Mask, Piece, merged, piece_of, read_piece
from .scoring import Scorer
from .vectors import FILTERS
from .words import query_terms

#: No merge makes a piece of more texts than this: about 12 MB, merged in tenths of a second.
FULL = 65_536


class PostingWords:
    """`Words` as pieces in memory, each of which is a file once `keep` was called.

    A piece is never changed: what is replaced or removed is left out when its piece is written anew, and small
    pieces are merged like the digits of a number, so that each text is written a few times in all.
    """

    def __init__(self) -> None:
        self._scorer = Scorer()
        self._names: list[str] = []  # of the pieces' files; empty for one that has none yet
        self._slots: dict[str, int] = {}  # key → number over all pieces
        self._keys: list[str] = []
        self._filters: dict[frozenset[str], Mask] = {}

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
        if not wanted or k <= 0 or not self._slots:
            return []
        numbers, scores = self._scorer.best(wanted, k, None if among is None else self._among(among))
        hits = [(self._keys[at], float(score)) for at, score in zip(numbers, scores, strict=True)]
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))[:k]

    def holding(self, keys: Sequence[str], groups: Sequence[Collection[str]]) -> Mask:
        """Which of these texts hold a word of which group of stems: (keys, groups); none where there is no such key."""
        slots = np.fromiter((self._slots.get(key, -1) for key in keys), np.int64, len(keys))
        out = np.zeros((len(keys), len(groups)), np.bool_)
        there = slots >= 0
        if there.any():
            out[there] = self._scorer.holding(slots[there].astype(np.uint32), groups)
        return out

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
        for at, piece in enumerate(self._scorer.pieces):
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
        self._scorer.bury(slots)
        return bool(slots)

    def _append(self, piece: Piece, name: str) -> None:
        start = len(self._keys)
        self._slots.update((key, start + at) for at, key in enumerate(piece.keys))
        self._keys += piece.keys
        self._scorer.alive = np.concatenate([self._scorer.alive, np.ones(len(piece.keys), np.bool_)])
        self._scorer.pieces.append(piece)
        self._names.append(name)
        self._measure()

    def _settle(self) -> None:
        """Write anew what holds dead texts, and merge the last pieces while they are of like size."""
        masks, base = [], 0
        for piece in self._scorer.pieces:
            masks.append(self._scorer.alive[base : base + len(piece.keys)])
            base += len(piece.keys)
        live = [int(mask.sum()) for mask in masks]
        first = next(
            (at for at, piece in enumerate(self._scorer.pieces) if live[at] < len(piece.keys)), len(live)
        )
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
        pieces, names = self._scorer.pieces[first:], self._names[first:]
        start = sum(len(piece.keys) for piece in self._scorer.pieces[:first])
        del self._scorer.pieces[first:], self._names[first:], self._keys[start:]
        for group in (group for group in groups if group[0] >= first):
            parts = [(pieces[at - first], masks[at]) for at in group]
            whole = len(parts) == 1 and bool(parts[0][1].all())
            self._scorer.pieces.append(parts[0][0] if whole else merged(parts))
            self._names.append(names[group[0] - first] if whole else "")
            self._slots.update(
                (key, at) for at, key in enumerate(self._scorer.pieces[-1].keys, len(self._keys))
            )
            self._keys += self._scorer.pieces[-1].keys
        self._scorer.alive, self._scorer.dead = np.ones(len(self._keys), np.bool_), 0
        self._measure()

    def _measure(self) -> None:
        self._scorer.measure()
        self._filters.clear()
