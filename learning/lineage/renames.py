"""Which file a new one was renamed from, by the measure that git has for it.

libgit2 estimates likeness in a way of its own, which finds 54% and 80% where git finds 30% and 35%. Whoever blames a
line follows one path at a time: so does this, and two files may both come from one that went.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

#: Share of the larger file's bytes that both must have; and where the name stayed, to look no further.
LEAST = 0.5
_SAME_NAME = 0.75
#: Comparisons for one commit: of a move of thousands of files, those that come later are not followed.
_MANY = 20_000
_CHUNK = 64


class Gone:
    """The files that went in one commit: `ids` by path. Each is read only when it may have been renamed."""

    def __init__(self, ids: Mapping[str, object], read: Callable[[object], bytes | None]) -> None:
        self._ids = ids
        self._read = read
        self._spans: dict[object, tuple[int, Counter[bytes]] | None] = {}
        self._left = _MANY

    def source(self, path: str, oid: object) -> str:
        """The path that the new file `path` had before; empty for none."""
        name = path.rpartition("/")[2]
        same = [each for each, other in self._ids.items() if other == oid]
        if same:
            return min(same, key=lambda each: each.rpartition("/")[2] != name)
        named = [each for each in self._ids if each.rpartition("/")[2] == name]
        if len(named) == 1 and self._alike(named[0], oid) >= _SAME_NAME:
            return named[0]
        best, chosen = (LEAST, False), ""
        for each in self._ids:
            score = (self._alike(each, oid), each in named)
            if score > best or (score[0] >= LEAST and not chosen):
                best, chosen = score, each
        return chosen

    def _alike(self, path: str, oid: object) -> float:
        old, new = self._known(self._ids[path]), self._known(oid)
        self._left -= 1
        if old is None or new is None or self._left < 0:
            return 0.0
        largest = max(old[0], new[0])
        if min(old[0], new[0]) < LEAST * largest or not largest:
            return 0.0
        few, many = sorted((old[1], new[1]), key=len)
        return sum(min(count, many[span]) for span, count in few.items()) / largest

    def _known(self, oid: object) -> tuple[int, Counter[bytes]] | None:
        if oid not in self._spans:
            data = self._read(oid)
            self._spans[oid] = None if data is None else (len(data), spans(data.split(b"\n")))
        return self._spans[oid]


def spans(lines: Sequence[bytes]) -> Counter[bytes]:
    """Bytes by line, long lines in chunks: what git counts (`hash_chars` in its diffcore-delta.c)."""
    found: Counter[bytes] = Counter()
    for number, line in enumerate(lines, 1):
        line = line[:-1] if line.endswith(b"\r") and number < len(lines) else line
        line += b"\n" if number < len(lines) else b""
        for start in range(0, len(line), _CHUNK):
            chunk = line[start : start + _CHUNK]
            found[chunk] += len(chunk)
    return found
