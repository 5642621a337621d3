"""When two corrections are alike: the same change of other code, or (looser) one that brought the same interface."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..learning.past.candidates import key_of
from ..learning.rules.lifecycle import Settings
from ..recall.sameness import Sketch, alike_sketches, sketch
from ..store.kinds import Correction

_NAME = re.compile(r"[A-Za-z_$][\w$]*")
#: What is called, taken from something, or written as types are: names that mean the same elsewhere.
_SHARED = re.compile(r"\.\s*([A-Za-z_]\w{2,})|\b([A-Za-z_]\w{2,})\s*\(|\b([A-Z]\w{2,})")
_TEXT = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`[^`]*`")
_LONGEST = 4_000
_BLOTS = frozenset({"TEXT", "NUMBER"})  # what stands for any text and any number in a sketch


def came(correction: Correction) -> frozenset[str]:
    """The interface names that a correction brought: in what it became, and nowhere in what it was."""
    before = set(_NAME.findall(correction.before[:_LONGEST]))
    after = _TEXT.sub("''", correction.after[:_LONGEST])
    names = {name for groups in _SHARED.findall(after) for name in groups if name}
    return frozenset(names - before)


def related(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two corrections brought the same interface: half of the names of each are the other's too."""
    shared = len(one & other)
    return shared > 0 and 2 * shared >= max(len(one), len(other))


@dataclass(frozen=True)
class Likeness:
    """What is compared of a correction: `key` is learning's, `sketch` recall's; `edit` tells a picked commit's copy."""

    edit: str
    language: str
    key: str
    sketch: Sketch | None
    came: frozenset[str]

    @classmethod
    def of(cls, correction: Correction, edit: str) -> Likeness:
        """The likeness of a correction."""
        made = sketch(correction.before, correction.after)
        # A text more or less is another edit each time: an import in Go, a value in a list.
        if made is not None and not any(_NAME.match(token) for token in {*made[0], *made[1]} - _BLOTS):
            made = None
        return cls(edit, correction.language, key_of(correction), made, came(correction))

    @property
    def kind(self) -> str:
        """What all of its kind share: learning's key, or, where it has none, what recall tells it by; else nothing."""
        if self.key or self.sketch is None:
            return self.key
        return repr((self.language, *self.sketch[:2]))

    def twin(self, other: Likeness) -> bool:
        """Whether these are two corrections of the same kind: by either of the two ways in which Cortex tells it."""
        if self.edit == other.edit or self.language != other.language:
            return False
        if self.key and self.key == other.key:
            return True
        return (
            self.sketch is not None and other.sketch is not None and alike_sketches(self.sketch, other.sketch)
        )

    def related(self, other: Likeness) -> bool:
        """Whether both brought the same interface."""
        return self.edit != other.edit and related(self.came, other.came)


class Twins:
    """Corrections in the order in which they became known; finds those alike to another one."""

    def __init__(self) -> None:
        self._known: dict[object, list[tuple[int, Likeness]]] = {}

    def add(self, at: int, one: Likeness) -> None:
        """Keep one that became known at a place of the order."""
        for handle in _handles(one):
            self._known.setdefault(handle, []).append((at, one))

    def twin(self, one: Likeness, before: int) -> bool:
        """Whether a twin became known before a place."""
        return any(
            at < before and one.twin(other)
            for handle in _handles(one)
            if not isinstance(handle, tuple)
            for at, other in self._known.get(handle, ())
        )

    def related(self, one: Likeness, before: int) -> bool:
        """Whether one that brought the same interface became known before a place."""
        return any(
            at < before and one.related(other)
            for name in one.came
            for at, other in self._known.get(("came", name), ())
        )


class Often:
    """Which kinds of corrections were seen as often as a rule takes: three times, in two commits."""

    def __init__(self) -> None:
        self._seen: dict[str, list[tuple[int, str, str]]] = {}

    def add(self, one: Likeness, at: int, commit: str) -> None:
        """Keep one that became known at a place of the order; none that says too little to be of a kind."""
        if one.kind:
            self._seen.setdefault(one.kind, []).append((at, commit, one.edit))

    def enough(self, one: Likeness, before: int) -> bool:
        """Whether so many of its kind were known before a place."""
        return _enough([each for each in self._seen.get(one.kind, ()) if each[0] < before])

    @property
    def kinds(self) -> int:
        """How many kinds were seen so often."""
        return sum(map(_enough, self._seen.values()))


def _enough(seen: Sequence[tuple[int, str, str]]) -> bool:
    """Whether these are enough; the same edit of another commit was picked from a branch, and is no other one."""
    settings = Settings()
    first = {edit: commit for _, commit, edit in reversed(seen)}
    return len(seen) >= settings.min_support and len(set(first.values())) >= settings.min_commits


def _handles(one: Likeness) -> list[object]:
    handles: list[object] = [("came", name) for name in one.came]
    if one.key:
        handles.append(one.key)
    if one.sketch is not None:
        handles.append(hash((one.language, *one.sketch[:2])))
    return handles
