"""Whether anything happened since the commits were last looked at: told without reading the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..store import marks, notes
from ..store.durable import SYSTEM, read
from ..store.kinds import Exposure

if TYPE_CHECKING:
    from .state import State

FILE = notes.SCANNED


def is_still(state: State) -> bool:
    """Whether no generation waited then, and nothing was written since but what answers showed."""
    if state.still is None:
        said = _read(state)
        if said is None:
            return False
        state.still = _follower(state, said)
    try:
        return state.still.holds()
    except OSError:
        return False


def mark(state: State) -> dict[str, Any]:
    """Where the journal stands, to be taken before commits are looked at. Raises `OSError`."""
    return {"number": state.journal.number, "mark": marks.mark(state.place.store)}


def keep(state: State, marked: dict[str, Any]) -> None:
    """Nothing waited, and no commit was new. Raises `OSError`."""
    from ..store import derived  # numpy comes with it

    folder = state.place.store / "index"
    folder.mkdir(mode=0o700, exist_ok=True)
    derived.replace(folder / FILE, notes.write(marked))
    state.still = _follower(state, marked)


def _follower(state: State, said: dict[str, Any]) -> marks.Follower:
    return marks.Follower(
        state.place.store,
        state.journal.writer,
        said["number"],
        said["mark"],
        lambda kind: kind != Exposure.KIND,
    )


def _read(state: State) -> dict[str, Any] | None:
    try:
        said = notes.read(read(SYSTEM, state.place.store / "index" / FILE))
    except OSError:
        return None
    return said if said is not None and {"number", "mark"} <= said.keys() else None
