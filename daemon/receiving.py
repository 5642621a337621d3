"""Rules that came from other repositories: back-tested on this one, and the verdict kept for this clone alone.

The verdicts are a derived note of the clone; no record is written, so that what others share stays what they said.
Without a verdict a rule from elsewhere is silent, until it was back-tested.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..learning.rules.arrived import Here, arrived, decoded, encoded, judged
from ..repo.files import read_plain
from ..store import notes
from ..store.items import rule_items
from ..store.kinds import Memory, Pattern
from .contracts import SCHEMA

if TYPE_CHECKING:
    from .state import State

NOTE = "verdicts.json"
LARGEST = 16 * 1024 * 1024
#: A verdict on a tree that has moved on since is taken anew after so long.
OLD_MS = 7 * 86_400_000


def stamp(store: Path) -> tuple[int, int, int] | None:
    """What changes when the verdicts are written anew; None where there are none."""
    try:
        found = (store / "index" / NOTE).stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def verdicts(store: Path) -> Mapping[str, Here]:
    """By the id of the record that says a rule: what this repository says of it."""
    return decoded(_read(store).get("verdicts"))


def judge(state: State, anew: bool = False) -> int:
    """Back-test the rules from elsewhere that have no verdict, or all of them `anew`; returns how many there were."""
    from ..store import derived  # numpy comes with it
    from .teaching import tracked_files

    view = state.view()
    waiting = arrived(view, rule_items(view, state.journal.writer), state.journal.writer)
    said = _read(state.place.store)
    known = decoded(said.get("verdicts"))
    head, now, then = state.head(), state.clock(), said.get("t")
    old = not isinstance(then, int) or abs(now - then) > OLD_MS
    if anew or (old and said.get("commit") != head):
        known = {}
    asked: dict[str, Pattern] = {}
    for rule, (record, _) in waiting.items():
        current = view.current(rule) if record not in known else None
        body = current.decoded() if current is not None else None
        if isinstance(body, Memory) and body.rule is not None:
            asked[record] = body.rule
    kept = {record: known[record] for record, _ in waiting.values() if record in known}
    if not asked and len(kept) == len(decoded(said.get("verdicts"))):
        return 0
    kept.update(zip(asked, judged(list(asked.values()), tracked_files(state)), strict=True) if asked else ())
    folder = state.place.store / "index"
    folder.mkdir(mode=0o700, exist_ok=True)
    told = {"schema": SCHEMA, "commit": head, "t": now, "verdicts": encoded(kept)}
    derived.replace(folder / NOTE, notes.write(told))
    return len(asked)


def here(state: State) -> dict[str, str]:
    """What this repository says of each active rule from elsewhere, in words."""
    view = state.view()
    waiting = arrived(view, rule_items(view, state.journal.writer), state.journal.writer)
    said = verdicts(state.place.store) if waiting else {}
    return {rule: _told(said.get(record), vouched) for rule, (record, vouched) in waiting.items()}


def _told(found: Here | None, vouched: bool) -> str:
    if found is None:
        return "silent until it was back-tested here"
    return f"{'warns' if found.speaks(vouched) else 'silent'} here: {found.reason}"


def _read(store: Path) -> dict[str, object]:
    try:
        return notes.read(read_plain(store / "index" / NOTE, LARGEST)) or {}
    except (OSError, ValueError):
        return {}
