"""What is learnt from: pairs of a text and the code that it speaks of, one JSON line each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from hashlib import blake2b
from pathlib import Path

#: doc: a doc comment; name: a name alone; type: a class and its doc; comment: lines and the comment above them;
#: change: a commit's subject and a function that it changed.
KINDS = ("doc", "name", "type", "comment", "change")


@dataclass(frozen=True)
class Pair:
    """`text` says what `code` does; the name of what is defined stands apart, since a question seldom has it."""

    kind: str
    language: str
    name: str
    text: str
    code: str


def write(path: Path, pairs: Iterable[Pair]) -> None:
    """Write pairs, whole or not at all."""
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8") as out:
        for pair in pairs:
            out.write(json.dumps(astuple(pair)) + "\n")
    part.replace(path)


def read(path: Path) -> Iterator[Pair]:
    """The pairs of a file."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield Pair(*json.loads(line))


def squeezed(text: str) -> bytes:
    """A short hash of a text's letters and digits in lower case: near duplicates have the same."""
    letters = "".join(each for each in text.lower() if each.isalnum())
    return blake2b(letters.encode("utf-8", "replace"), digest_size=8).digest()
