"""The vocabulary: word pieces of what pairs say, rare words kept by damping the frequent ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from records import Pair
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from cortex.models.words import parts

SIZE = 24_576
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
# The trainer numbers letters in the order of a hash table, which differs by run, and breaks ties by number.
_FIRST = ["[PAD]", "[UNK]", *_LETTERS, *(f"##{letter}" for letter in _LETTERS)]
_LONGEST = 24
_DAMPED = 0.75
_LINE = 500


def counted(pairs: Iterable[Pair]) -> Counter[str]:
    """How often each word stands in pairs: once for a piece of code, three times for each time in a text."""
    counts: Counter[str] = Counter()
    for pair in pairs:
        counts.update(set(parts(f"{pair.code} {pair.name}")))
        for word in parts(pair.text):
            counts[word] += 3
    return counts


def made(counts: Counter[str], size: int = SIZE) -> list[str]:
    """The pieces, in the order of their ids; the same for the same counts."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=_FIRST, min_frequency=5, limit_alphabet=64, show_progress=False
    )
    tokenizer.train_from_iterator(_lines(counts), trainer)
    return [piece for piece, _ in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])]


def _lines(counts: Counter[str]) -> Iterator[str]:
    for word, count in sorted(counts.items()):
        if count >= 3 and len(word) <= _LONGEST:
            times = int(count**_DAMPED)
            for start in range(0, times, _LINE):
                yield " ".join([word] * min(_LINE, times - start))
