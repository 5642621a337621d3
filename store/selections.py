"""Hard filters: which memories are of a language, or were seen in a folder; kept from question to question."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from .items import Item
from .vectors import FILTERS


class Selections:
    """The last few filters that were asked for, and what passes them."""

    def __init__(self) -> None:
        self._kept: dict[tuple[frozenset[str], str], frozenset[str]] = {}

    def select(
        self, items: Mapping[str, Item], languages: Sequence[str], folder: str
    ) -> frozenset[str] | None:
        """The ids of those that pass; None where nothing is asked for."""
        if not languages and not folder:
            return None
        wanted = (frozenset(languages), folder)
        if wanted not in self._kept:
            while len(self._kept) >= FILTERS:
                del self._kept[next(iter(self._kept))]
            self._kept[wanted] = frozenset(m for m, each in items.items() if passes(each, *wanted))
        return self._kept[wanted]

    def follow(self, gone: Iterable[str], new: Iterable[Item]) -> None:
        """Bring what is kept to items that went, came or changed."""
        new = list(new)
        left = {*gone, *(each.id for each in new)}
        for key, ids in self._kept.items():
            self._kept[key] = (ids - left) | {each.id for each in new if passes(each, *key)}


def passes(item: Item, languages: Collection[str], folder: str) -> bool:
    """Whether a memory is of one of these languages, and was seen in this folder."""
    if languages and item.language and item.language not in languages:
        return False
    paths = [path for path in (item.path, *(each.path for each in item.evidence)) if path]
    return not folder or not paths or any(path.startswith(folder.rstrip("/") + "/") for path in paths)
