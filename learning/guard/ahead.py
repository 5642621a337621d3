"""What is known of texts before they are asked about: found when a file is saved, told when it is committed.

No tree and no text is kept, only their digests, and what was found in them: some hundred bytes a file.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, TypeVar

from ...analyzers.parse import Breaks, breaks, parse
from ...analyzers.patterns import Match
from ..rules.backtest import speaks

if TYPE_CHECKING:
    from .findings import ActiveRule

MOST_TEXTS = 1_000
MOST_PLACES = 100  # of one text: with more of them it is looked through again
MOST_LENGTH = 64 * 1024  # characters of them

Found = list[tuple["ActiveRule", Match]]
_T = TypeVar("_T")


class Ahead:
    """What was found in the texts seen last, for one set of rules. Not safe for two threads at once."""

    def __init__(self) -> None:
        self._rules: Sequence[ActiveRule] = ()
        self._spoken: dict[str, list[ActiveRule]] = {}
        self._breaks: OrderedDict[Hashable, Breaks] = OrderedDict()
        self._parses: OrderedDict[Hashable, bool] = OrderedDict()
        self._found: OrderedDict[Hashable, Found] = OrderedDict()
        self._again: OrderedDict[Hashable, Found] = OrderedDict()

    def rules(self, rules: Sequence[ActiveRule], language: str) -> list[ActiveRule]:
        """Those of `rules` that speak of a language. Other rules than the last ones: what was found is forgotten."""
        if rules is not self._rules:
            self._rules, self._spoken = rules, {}
            self._found.clear()
            self._again.clear()
        if language not in self._spoken:
            self._spoken[language] = [rule for rule in rules if speaks(rule.pattern, language)]
        return self._spoken[language]

    def breaks(self, data: bytes, language: str) -> Breaks:
        """The syntax errors of a text."""
        found = _kept(self._breaks, (language, _digest(data)), lambda: breaks(data, language))
        if len(found.places) > MOST_PLACES:
            self._breaks.popitem()
        return found

    def parses(self, data: bytes, language: str) -> bool:
        """Whether a text has no syntax error."""
        return _kept(
            self._parses,
            (language, _digest(data)),
            lambda: not parse(data, language).root_node.has_error,
        )

    def found(self, path: str, text: str, language: str) -> Found | None:
        """What the rules last asked for find anywhere in a text; None where it was not looked through."""
        return self._found.get((path, language, _digest(text.encode("utf-8", "replace"))))

    def again(self, path: str, text: str, language: str, make: Callable[[], Found]) -> Found:
        """What the rules find in a text that they rewrote; kept as `found` is, unless it is much."""
        found = _kept(self._again, (path, language, _digest(text.encode("utf-8", "replace"))), make)
        if len(found) > MOST_PLACES:
            self._again.popitem()
        return found

    def keep(self, path: str, text: str, language: str, found: Found) -> None:
        """Keep what the rules find in a text, unless it is much."""
        length = sum(len(match.text) + len(match.rewrite) for _, match in found)
        if len(found) <= MOST_PLACES and length <= MOST_LENGTH:
            _kept(self._found, (path, language, _digest(text.encode("utf-8", "replace"))), lambda: found)


def _kept(known: OrderedDict[Hashable, _T], key: Hashable, make: Callable[[], _T]) -> _T:
    if key not in known:
        known[key] = make()
        if len(known) > MOST_TEXTS:
            known.popitem(last=False)
    known.move_to_end(key)
    return known[key]


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=16).digest()
