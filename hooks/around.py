"""What stood around our lines in each hook when they were last seen: it tells a tool's change from a person's.

The note is derived data. Without it nothing is put back before `cortex init`.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..repo import marked
from ..repo.errors import PlaceError
from ..repo.places import Place
from ..store import notes
from . import kept

NAME = "hooks.json"


@dataclass(frozen=True)
class Around:
    """`digests`: hook → what its file holds beside our lines; `times` (ms): when lines were put back."""

    digests: Mapping[str, str] = field(default_factory=dict)
    times: tuple[int, ...] = ()

    def by_hand(self, file: Path) -> bool:
        """Whether a hook without our lines is what a person left: they took out those lines, or the file.

        Where nothing is known of it, the answer is yes.
        """
        before = self.digests.get(str(file))
        return before is None or not file.is_file() or before == _digest(file.read_bytes())


def read(place: Place) -> Around:
    """The note; an empty one where there is none, or it is damaged."""
    try:
        said = notes.read((place.store / "index" / NAME).read_bytes()) or {}
    except OSError:
        said = {}
    digests, times = said.get("digests"), said.get("times")
    return Around(
        {name: each for name, each in digests.items() if isinstance(each, str)}
        if isinstance(digests, dict)
        else {},
        tuple(each for each in times if isinstance(each, int)) if isinstance(times, list) else (),
    )


def note(place: Place, hooks: Iterable[Path], times: tuple[int, ...] | None = None) -> None:
    """Note what stands around our lines in `hooks` now; those without our lines keep what is known of them."""
    before = read(place)
    now = {str(each): found for each in hooks if (found := _rest(each))}
    after = replace(before, digests={**before.digests, **now}, times=before.times if times is None else times)
    if after == before:
        return
    with contextlib.suppress(OSError, PlaceError):
        file = place.store / "index" / NAME
        file.parent.mkdir(mode=0o700, exist_ok=True)
        marked.write(file, notes.write({"digests": dict(after.digests), "times": list(after.times)}), 0o600)


def _rest(file: Path) -> str:
    """The digest of a hook without our lines; "" where there are none."""
    try:
        text = file.read_bytes()
        block = marked.find(text, file)
        if block is None:
            return ""
        if kept.holds(file.parent, file.name):
            return _digest((kept.beside(file.parent) / file.name).read_bytes())
    except (OSError, marked.MarkError):
        return ""
    rest = text[: block.start] + text[block.end :]
    return _digest(rest[:-1] if block.cut and block.start == len(rest) else rest)


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
