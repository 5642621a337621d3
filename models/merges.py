"""A byte-level BPE as the pairs it merges: counting short, plain text by them, and the whole tokenizer made of them.

To make the tokenizer takes most of a tenth of a second: a good part of what a question costs where no daemon runs,
in a process that counts one answer and ends.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tokenizers import Tokenizer

#: Where text is cut before any merge: words of one case run, numbers by threes, signs, line ends. The pattern
#: is that of o200k_base, so that what is left to learn is the merges alone.
_WORD = r"[^\r\n\p{L}\p{N}]?"
_UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
_LOWER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_SHORT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
PATTERN = "|".join(
    (
        f"{_WORD}{_UPPER}*{_LOWER}+{_SHORT}",
        f"{_WORD}{_UPPER}+{_LOWER}*{_SHORT}",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
#: The same for text of ASCII and `SIGNS`, in the syntax that Python has.
_PLAIN = re.compile(
    PATTERN.replace(r"\p{Lt}", "")
    .replace(r"\p{Lm}\p{Lo}\p{M}", "")
    .replace(r"\p{Lu}", "A-Z")
    .replace(r"\p{Ll}", "a-z")
    .replace(r"\p{L}", "A-Za-z")
    .replace(r"\p{N}{", "[0-9]{")
    .replace(r"\p{N}", "0-9"),
    re.ASCII,
)
#: What our own sentences put into an answer beyond ASCII: neither letters nor numbers nor space.
SIGNS = "…“”‘’–—·×→"
_BEYOND = re.compile(f"[^\\x00-\\x7f{SIGNS}]")
#: The bytes that stand for themselves in a vocabulary; the ids begin with these, and the others follow.
_PRINTED = (*range(33, 127), *range(161, 173), *range(174, 256))
_BYTES = (*_PRINTED, *(byte for byte in range(256) if byte not in _PRINTED))
#: A longer run between two cuts takes too long, pair by pair.
_LONGEST = 64
_NONE = 1 << 16  # beyond any id


class Merges:
    """What a BPE learnt to merge: `data` holds two ids each, of 16 bits, little-endian, in the order of learning.

    The ids below 256 are the bytes', and the n-th merge makes 256 + n. Raises `ValueError` for other bytes.
    """

    def __init__(self, data: bytes) -> None:
        self._pairs = np.frombuffer(data, "<u2").astype(np.uint32).reshape(-1, 2)
        keys = (self._pairs[:, 0] << 16 | self._pairs[:, 1]).tolist()
        self._merged = dict(zip(keys, range(256, 256 + len(keys)), strict=True))
        self._id = {byte: number for number, byte in enumerate(_BYTES)}
        self._counts: dict[str, int] = {}

    def count(self, text: str) -> int | None:
        """How many tokens a text has; None for one that is for the tokenizer: of other letters, or of endless runs."""
        if _BEYOND.search(text):
            return None
        total = 0
        for run in _PLAIN.findall(text):
            found = self._counts.get(run)
            if found is None:
                if len(run) > _LONGEST:
                    return None
                found = self._counts[run] = self._count(run)
            total += found
        return total

    def _count(self, run: str) -> int:
        ids = [self._id[byte] for byte in run.encode()]
        while len(ids) > 1:
            # What was learnt first is merged first, and of several such pairs the leftmost.
            best, at = min(
                (self._merged.get(first << 16 | last, _NONE), at)
                for at, (first, last) in enumerate(itertools.pairwise(ids))
            )
            if best == _NONE:
                break
            ids[at : at + 2] = [best]
        return len(ids)

    def tokenizer(self) -> Tokenizer:
        """The tokenizer that merges these pairs."""
        from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

        pieces = [chr(byte) for byte in _PRINTED]
        pieces += [chr(256 + number) for number in range(256 - len(pieces))]
        merges = []
        for first, last in self._pairs.tolist():
            merges.append((pieces[first], pieces[last]))
            pieces.append(pieces[first] + pieces[last])
        vocabulary = {piece: number for number, piece in enumerate(pieces)}
        tokenizer = Tokenizer(models.BPE(vocabulary, merges))
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(PATTERN), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        tokenizer.decoder = decoders.ByteLevel()
        return tokenizer
