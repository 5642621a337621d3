"""Words of code by field, as flat arrays: made once for each text, put together in any choice, asked in a pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .protocols import Floats
from .words import terms

#: What a unit's words stand in.
FIELDS = ("name", "path", "doc", "body")
NAME, PATH, DOC, BODY = range(4)
Numbers = npt.NDArray[np.int32]


class Vocabulary:
    """Stems by number, in the order in which they were met."""

    def __init__(self, known: Sequence[str] = ()) -> None:
        self.words = list(known)
        self.ids = {word: number for number, word in enumerate(self.words)}

    def number(self, word: str) -> int:
        """The number of a stem; a new one gets the next."""
        found = self.ids.get(word)
        if found is None:
            found = self.ids[word] = len(self.words)
            self.words.append(word)
        return found

    def __len__(self) -> int:
        return len(self.words)


@dataclass(frozen=True)
class Bag:
    """The different stems of one text, and how often each stands in each of its fields."""

    words: Numbers  # (n,)
    counts: npt.NDArray[np.uint16]  # (n, fields)


def bag(texts: Sequence[str], vocabulary: Vocabulary) -> Bag:
    """The words of one unit; `texts` are its fields, in the order of `FIELDS`."""
    counted = [Counter(terms(text)) for text in texts]
    found = sorted(vocabulary.number(word) for word in dict.fromkeys(w for each in counted for w in each))
    numbers = np.array(found, np.int32)
    counts = np.zeros((len(found), len(FIELDS)), np.uint16)
    for field, each in enumerate(counted):
        if each:
            at = np.searchsorted(numbers, [vocabulary.ids[word] for word in each])
            counts[at, field] = np.minimum(list(each.values()), 65_535)
    return Bag(numbers, counts)


class Units:
    """Many bags side by side: unit `i` is the `i`th, and `files[i]` says which file it stands in."""

    def __init__(self, bags: Sequence[Bag], files: Sequence[int] | npt.NDArray[np.int64]) -> None:
        self.files = np.asarray(files, np.int64)
        sizes = np.fromiter((len(each.words) for each in bags), np.int64, len(bags))
        self.unit = np.repeat(np.arange(len(bags)), sizes)
        empty = np.zeros((0, len(FIELDS)), np.uint16)
        self.words = np.concatenate([each.words for each in bags] or [np.zeros(0, np.int32)])
        self.counts = np.concatenate([each.counts for each in bags] or [empty])
        starts = np.concatenate([[0], np.cumsum(sizes)])[:-1]
        self.lengths = np.zeros((len(bags), len(FIELDS)), np.float32)
        full = sizes > 0
        if full.any():
            self.lengths[full] = np.add.reduceat(self.counts, starts[full], axis=0, dtype=np.float32)

    def __len__(self) -> int:
        return len(self.files)

    def table(self, asked: Sequence[int], size: int) -> Floats:
        """How often each of the words asked for stands in each field: (units, words, fields).

        `size` is that of the vocabulary.
        """
        place = np.full(size + 1, -1, np.int64)
        place[np.asarray(asked, np.int64)] = np.arange(len(asked))
        at = place[self.words]
        kept = at >= 0
        out = np.zeros((len(self), len(asked), len(FIELDS)), np.float32)
        out[self.unit[kept], at[kept]] = self.counts[kept]
        return out
