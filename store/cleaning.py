"""What is written, without secrets: one that is found in a record, or was met elsewhere, is taken out of all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

#: Kinds that hold ids, hashes and numbers, and no text of anyone's: there is nothing to look through.
WITHOUT_TEXT = frozenset({"exposure"})

#: A JSON value without its secrets, nor those that are known from elsewhere; and how many they were.
Redact = Callable[[Any, Collection[str]], tuple[Any, int]]
#: So many secrets are known at most, the last ones: each is looked for in all that is written.
MOST_KNOWN = 200


class Cleaning:
    """Takes secrets out by `redact`, where there is one; `taken` counts them. The secrets stay in memory alone."""

    def __init__(self, redact: Redact | None) -> None:
        self.taken = 0
        self._redact = redact
        self._known: dict[str, None] = {}

    def beware(self, secrets: Iterable[str]) -> None:
        """Take these out as well from now on."""
        for each in secrets:
            self._known.pop(each, None)
            self._known[each] = None
        while len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]

    def cleaned(
        self, bodies: Sequence[Mapping[str, object]], authors: Sequence[str]
    ) -> tuple[Sequence[Mapping[str, object]], Sequence[str]]:
        """Bodies and their authors that are written together."""
        if self._redact is None:
            return bodies, authors
        texts = [
            {} if body["kind"] in WITHOUT_TEXT else {key: each for key, each in body.items() if key != "kind"}
            for body in bodies
        ]
        known = list(
            dict.fromkeys(authors)
        )  # each is looked at once, in a thousand records of one author too
        (cleaned, names), taken = self._redact([texts, known], self._known)
        self.taken += taken
        shown = dict(zip(known, names, strict=True))
        return (
            [{**body, **clean} for body, clean in zip(bodies, cleaned, strict=True)],
            [shown[each] for each in authors],
        )
