"""What the questions of one clone are answered from: the bulk that was laid down, and what came since.

Below `LAY_AT` memories there is no bulk: the index of memories holds them all.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..store import derived, marks, notes, segments
from ..store.bulk import entries, files
from ..store.bulk.bulk import Bulk, open_bulk
from ..store.index import MemoryIndex
from ..store.late import Late
from ..store.layered import LayeredIndex

if TYPE_CHECKING:
    from .state import State

logger = logging.getLogger("cortex")

#: From so many memories on they are laid down; and again, when so many came since, or that share of the bulk.
LAY_AT, AGAIN_AT, SHARE = 5_000, 2_000, 0.1
#: What came since the bulk, kept so that the journal need not be read at the next start.
LATE = "late.bin"
LARGEST = 1 << 30
#: A journal of more bytes, some 100,000 memories, is laid down before it is first read.
FIRST = 96 << 20
#: What is said meanwhile.
PATIENCE = "the memories of this repository are laid down for the first time, and are not searched yet: ask again soon"


class Holding:
    """The index of one clone, for all its work trees."""

    def __init__(self, state: State) -> None:
        self.folder = state.place.store / "index"
        self._top = MemoryIndex(self.folder, state.models.encoder)
        self._bulk: Bulk | None = None
        self._late: Late | None = None
        self._follower: marks.Follower | None = None
        self._seen: object = None  # the manifest of the bulk as it was when it was last looked for
        self._kept: object = None  # what was kept last of what came since
        self._notes: list[str] = []
        self._first = False
        self._patient = True  # whether what is too large may be waited for

    def index(self, state: State, seconds: float) -> MemoryIndex | LayeredIndex:
        """The index as of now, brought up to date for about that long; `catch_up` does the rest.

        Raises `DamagedBulk` from any question to it; `distrust` then makes do without the bulk.
        """
        self._look(state)
        if self._bulk is None or self._late is None:
            if self._too_large(state):
                return self._top
            current = state.items()
            if not self._top.holds(current):
                self._top.refresh(current, seconds)
            return self._top
        if self._follower is None or not self._follower.holds():
            self._follower = None
            self._late.follow(state.view())
        if not self._top.holds(self._late.items):
            self._top.refresh(self._late.items, seconds)
        return LayeredIndex(self._bulk, self._top)

    def catch_up(self, state: State, seconds: float) -> bool:
        """Go on with what waits; True while there is more."""
        self.index(state, 0.0)
        return not self._top.catch_up(seconds)

    @property
    def first(self) -> bool:
        """Whether so much is there that nothing is answered from it until it was laid down."""
        return self._first

    def give_up(self) -> None:
        """It cannot be laid down: read it, however long that takes."""
        self._patient, self._first = False, False

    def _too_large(self, state: State) -> bool:
        """Whether a journal that nobody read yet would keep whoever asks waiting for a minute, where a daemon can have
        it laid down meanwhile.
        """
        if not self._patient or state.journal.is_read or state.later is None:
            self._first = False
        elif not self._first:
            parts = (state.place.store / name for name in (segments.SHARED, segments.PRIVATE))
            size = 0
            for path in (path for part in parts for path in part.rglob("*.jsonl")):
                size += path.stat().st_size
            self._first = size > FIRST
        return self._first

    @property
    def behind(self) -> int:
        """How many memories still wait to be taken in."""
        return self._top.behind

    @property
    def notes(self) -> list[str]:
        """What had to be made again, and why."""
        return [*self._notes, *self._top.notes]

    def due(self) -> bool:
        """Whether so much came that it is to be laid down."""
        if self._first:
            return True
        if self._bulk is None or self._late is None:
            return len(self._top) >= LAY_AT
        gone = len(self._bulk.columns) - len(self._bulk)
        return len(self._late.items) + gone >= max(AGAIN_AT, int(SHARE * len(self._bulk.columns)))

    def keep(self, state: State) -> None:
        """Keep what came since the bulk, so that the next start need not read the journal. Raises `OSError`."""
        if self._bulk is None or self._late is None or self._follower is not None:
            return
        number, marked = (
            state.journal.number,
            marks.mark(state.place.store),
        )  # before the journal is looked at
        self._late.follow(state.view())
        now = (id(self._bulk), id(self._late.items), marked["segments"])
        if self._kept is not None and now == self._kept:
            return
        head = {
            "mark": marked,
            "number": number,
            "bulk": _identity(self._bulk),
            "gone": self._late.gone(),
        }
        lines = [
            json.dumps(head).encode(),
            *(entries.to_bytes(each).hex().encode() for each in self._late.items),
        ]
        derived.replace(self.folder / LATE, notes.sealed(b"\n".join(lines)))
        self._kept = now

    def rest(self, state: State) -> bool:
        """Go on without the journal in memory, from what was kept; False where that cannot be."""
        if self._bulk is None or self._late is None or self._follower is not None or not self._top_is_whole():
            return False
        self.keep(state)
        said = _read(self.folder / LATE)
        if said is None or said["bulk"] != _identity(self._bulk):
            return False
        self._follower = marks.Follower(state.place.store, state.journal.writer, said["number"], said["mark"])
        self._late.forget()
        return True

    def _top_is_whole(self) -> bool:
        return self._top.behind == 0

    def distrust(self) -> None:
        """A file of the bulk is damaged: go on without it, until it is laid down again."""
        self._notes = ["what was laid down was damaged, and is laid down again"]
        logger.warning("the bulk of memories in %s was damaged: it is made again", self.folder)
        self._let_go()
        shutil.rmtree(self.folder / files.FOLDER, ignore_errors=True)

    def close(self) -> None:
        """Let go of the files; the next question opens them again."""
        self._let_go()
        self._top.close()

    def _let_go(self) -> None:
        if self._bulk is not None:
            self._bulk.close()
        self._bulk = self._late = self._follower = self._seen = self._kept = None

    def _look(self, state: State) -> None:
        """Open the bulk where there is a new one, and let go of one that somebody changed."""
        if self._bulk is not None and self._bulk.changed():
            self._let_go()
        seen = derived.stamps(self.folder / files.FOLDER, [files.MANIFEST])
        if self._bulk is not None or seen == self._seen:
            return
        self._seen = seen
        self._notes, self._first = [], False
        self._bulk = open_bulk(self.folder / files.FOLDER, state.models.encoder, self._notes.append)
        if self._bulk is None:
            return
        self._late = Late(self._bulk, state.journal.writer, state.shown)
        if not self._restore(state, self._bulk, self._late):
            self._late.follow(state.view())
        state.forget_items()
        if len(self._top) > 2 * len(self._late.items) + AGAIN_AT:
            self._top.clear()

    def _restore(self, state: State, bulk: Bulk, late: Late) -> bool:
        """Take up what was kept of what came since; False where the journal has to be read."""
        if state.journal.is_read:
            return False
        said = _read(self.folder / LATE)
        if said is None or said["bulk"] != _identity(bulk):
            said = {
                "mark": bulk.manifest.mark,
                "number": bulk.manifest.mark["number"],
                "gone": [],
                "items": [],
            }
        follower = marks.Follower(state.place.store, state.journal.writer, said["number"], said["mark"])
        if not follower.holds():
            return False
        late.restore(said["items"], said["gone"])
        self._follower = follower
        return True


def _identity(bulk: Bulk) -> list[int]:
    """What tells one bulk from the next."""
    return list(bulk.manifest.files[files.COLUMNS])


def _read(path: Path) -> Mapping[str, Any] | None:
    """What was kept; None where there is nothing, or nothing that can be used."""
    try:
        if path.stat().st_size > LARGEST:
            return None
        rest = notes.unsealed(path.read_bytes())
        if rest is None:
            return None
        head, *lines = rest.split(b"\n")
        items = [entries.from_bytes(bytes.fromhex(line.decode())) for line in lines]
        said: dict[str, Any] = json.loads(head)
        return None if None in items else {**said, "items": items}
    except (OSError, ValueError, UnicodeDecodeError):
        return None
