"""Which candidates contradict a memory, or are alike to it: found by what both must hold, then looked at closely."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from ..store.edits import BLOTS, LONGEST, changed
from ..store.items import Item
from .sameness import alike, contradict, edits, flat, said, sides, silent, yields

#: Of what a text must hold so many parts are looked for, while more candidates than a few are left.
LOOKED_FOR, FEW = 4, 3


class Beside:
    """The candidates of one answer, which `found` gives when first asked. Each look costs a search in one long text, in
    place of a comparison with each.
    """

    def __init__(self, found: Callable[[], Iterable[Item]]) -> None:
        self._found = found

    @cached_property
    def _items(self) -> Sequence[Item]:
        # What was called wrong, or holds no longer, speaks against nothing, and with nobody.
        return [item for item in self._found() if not silent(item)]

    def contradicted(self, item: Item) -> bool:
        """Whether one that was found says the contrary, and stands: found good enough or not, since what was overruled
        does not become right by being asked for in other words.
        """
        return any(
            other.id != item.id and contradict(item, other) and yields(item, other)
            for other in map(self._items.__getitem__, self._contrary(item))
        )

    def kin(self, item: Item) -> list[Item]:
        """The other corrections that are alike to this one, found good enough or not."""
        if item.kind != "correction" or item.trust == "pulled":
            return []
        return [
            other
            for other in map(self._items.__getitem__, sorted(self._alike(item)))
            if other.language == item.language
            and other.id != item.id
            and other.trust != "pulled"
            and alike(item, other)
        ]

    def _contrary(self, item: Item) -> set[int]:
        """At least all whom `contradict` names: it asks for the same words said the other way round, for the same code,
        or for code that the one edit brought and the other one took.
        """
        found: set[int] = set()
        mine = said(item.title)
        if mine:
            found |= self._titles.holding([mine[1]])
        for before, after in edits(item):
            went, came, _ = sides(before, after)
            found |= self._befores.holding(before.split())
            for parts, texts in ((after.split(), self._befores), (came, self._befores), (went, self._afters)):
                if parts:
                    found |= texts.holding(parts)
            here = flat(before)
            found.update(at for at, there in self._brought if there in here)
        return found

    def _alike(self, item: Item) -> Iterable[int]:
        """At least all whom `alike` names: the same names went there, and the same came."""
        if not item.evidence:
            return ()
        made = changed(item.evidence[0].before, item.evidence[0].after)
        if made is None:
            return ()
        for tokens, texts in zip(made, (self._befores, self._afters), strict=True):
            names = [token for token in tokens if token not in BLOTS]
            if names:
                return texts.holding(names)
        return range(len(self._items))

    @cached_property
    def _titles(self) -> _Texts:
        # One letter's small form hangs on what stands beside it: a title that holds it is always looked at.
        titles = [(at, item.title) for at, item in enumerate(self._items)]
        return _Texts(
            [(at, title.lower()) for at, title in titles], {at for at, title in titles if "Σ" in title}
        )

    @cached_property
    def _sides(self) -> list[tuple[int, str, str]]:
        return [
            (at, one.before[:LONGEST], one.after[:LONGEST])
            for at, item in enumerate(self._items)
            if item.kind in ("correction", "rule")
            for one in item.evidence
        ]

    @cached_property
    def _befores(self) -> _Texts:
        return _Texts([(at, before) for at, before, _ in self._sides])

    @cached_property
    def _afters(self) -> _Texts:
        return _Texts([(at, after) for at, _, after in self._sides])

    @cached_property
    def _brought(self) -> list[tuple[int, str]]:
        return [(at, flat(after)) for at, _, after in self._sides if after]


class _Texts:
    """Texts in one, each with the number of whose it is; those in `always` hold everything."""

    def __init__(self, texts: Sequence[tuple[int, str]], always: Iterable[int] = ()) -> None:
        self._all = "\n".join(text for _, text in texts)
        self._texts = [text for _, text in texts]
        self._of = [at for at, _ in texts]
        self._always = set(always)
        self._found: dict[str, list[int]] = {}  # entries of one answer look for the same
        self._starts: list[int] = []
        start = 0
        for _, text in texts:
            self._starts.append(start)
            start += len(text) + 1

    def holding(self, parts: Iterable[str]) -> set[int]:
        """Whose texts hold all of `parts`, or a few more: the longest are looked for first, and stand in the fewest."""
        first, *rest = sorted(set(parts), key=len, reverse=True)[:LOOKED_FOR] or [""]
        if first not in self._found:
            self._found[first] = self._with(first)
        texts = self._found[first]
        for part in rest:
            if len(texts) <= FEW:
                break
            texts = [text for text in texts if part in self._texts[text]]
        return self._always.union(map(self._of.__getitem__, texts))

    def _with(self, part: str) -> list[int]:
        found: list[int] = []
        place = self._all.find(part) if self._of else -1
        while place >= 0:
            text = bisect_right(self._starts, place) - 1
            found.append(text)
            if text + 1 == len(self._starts):
                break
            place = self._all.find(part, self._starts[text + 1])
        return found
