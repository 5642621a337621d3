"""Immutable pieces of postings: which texts hold which words, and how often."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .words import terms

#: Beyond these a text's length and a word's count in it say nothing more.
_LONG, _OFTEN = 65_535, 255

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
