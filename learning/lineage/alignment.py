"""Which line that came stands for which that went, in one changed place."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence

from .lines import SHORT, WORD, bare, likeness

_MANY_PAIRS = 2_500
#: Up to so many words a side, a changed place is compared word by word.
_MANY_WORDS = 1_500
#: More pairs of lines than this are not compared.
_MANY_LINES = 100_000


def aligned(gone: Sequence[bytes], came: Sequence[bytes]) -> tuple[dict[int, int], set[int]]:
    """For each line that came and is no other than before, a line that went which holds its words; and the
    lines that went of which something is lost. Lines that are equal but for white space come first; between
    them it goes word by word, since formatters break lines and join them.
    """
    homes: dict[int, int] = {}
    lost = set(range(len(gone)))
    old_from = new_from = 0
    for i, j in (*_equal(gone, came), (len(gone), len(came))):
        _worded(gone, came, range(old_from, i), range(new_from, j), homes, lost)
        if i < len(gone):
            homes[j] = i
            lost.discard(i)
        old_from, new_from = i + 1, j + 1
    return homes, lost


def homes_of(
    gone: Sequence[bytes], came: Sequence[bytes], replaced: Sequence[int], fresh: Sequence[int]
) -> dict[int, int]:
    """For each line that came, the line that went which it stands for: the one most like it."""
    if not replaced:
        return {}
    if len(replaced) * len(fresh) > _MANY_PAIRS:  # a rewrite: by their places
        return {n: replaced[at * len(replaced) // len(fresh)] for at, n in enumerate(fresh)}
    return {n: max(replaced, key=lambda old: likeness(gone[old], came[n])) for n in fresh}


def _equal(gone: Sequence[bytes], came: Sequence[bytes]) -> list[tuple[int, int]]:
    """The pairs of lines, in order, that are equal but for white space, and long enough to be known again."""
    if len(gone) * len(came) >= _MANY_LINES:
        return []
    left = [(n, line) for n, row in enumerate(gone) if len(line := bare(row)) >= SHORT]
    right = [(n, line) for n, row in enumerate(came) if len(line := bare(row)) >= SHORT]
    matcher = difflib.SequenceMatcher(
        None, [line for _, line in left], [line for _, line in right], autojunk=False
    )
    return [
        (left[i + n][0], right[j + n][0]) for i, j, size in matcher.get_matching_blocks() for n in range(size)
    ]


def _worded(
    gone: Sequence[bytes],
    came: Sequence[bytes],
    olds: Sequence[int],
    news: Sequence[int],
    homes: dict[int, int],
    lost: set[int],
) -> None:
    """Add to `homes`, and take from `lost`, what is the same word by word between these lines."""
    old = [(word, olds[n]) for word, n in _words([gone[n] for n in olds])]
    new = [(word, news[n]) for word, n in _words([came[n] for n in news])]
    if not old or not new or len(old) > _MANY_WORDS or len(new) > _MANY_WORDS:
        return
    matcher = difflib.SequenceMatcher(None, [w for w, _ in old], [w for w, _ in new], autojunk=False)
    matched: dict[int, Counter[int]] = {}
    for i, j, size in matcher.get_matching_blocks():
        for n in range(size):
            matched.setdefault(new[j + n][1], Counter())[old[i + n][1]] += 1
    whole_old, whole_new = Counter(n for _, n in old), Counter(n for _, n in new)
    found: Counter[int] = Counter()
    for n, sources in matched.items():
        if sources.total() == whole_new[n]:
            homes[n] = sources.most_common(1)[0][0]
            found.update(sources)
    lost -= {n for n, count in found.items() if count == whole_old[n]}


def _words(lines: Sequence[bytes]) -> list[tuple[bytes, int]]:
    """(word, number of its line), without what formatters add and take away."""
    return [
        (word.replace(b"'", b'"'), number)
        for number, line in enumerate(lines)
        for word in WORD.findall(line)
        if word not in (b",", b";")
    ]
