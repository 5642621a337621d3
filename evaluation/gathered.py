"""The corrections of a history, kept in a temporary file: what was corrected where, and since when it is known."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..learning.past.candidates import identity
from ..learning.past.history import Found
from ..learning.past.lessons import goes_on, stands_alone
from ..learning.past.worth import Worth, worth
from ..store.codec import decode, encode
from ..store.kinds import Correction
from .order import Order

_COLUMNS = "m, written, known, key, edit, may, seldom, body"


@dataclass(frozen=True)
class Case:
    """One correction: `written` and `known` are the places of the commits that wrote the code and corrected it.

    `may` says what Cortex would keep of it: "alone", "again" (once alike ones came), or nothing.
    """

    m: str
    written: int
    known: int
    key: str
    edit: str
    may: str
    seldom: bool
    correction: Correction

    @property
    def learnable(self) -> bool:
        """Whether there was something to learn: the feature going on is none."""
        return self.correction.category != "evolution"


class Gathered:
    """The cases of one history in an SQLite file; memory holds none of them."""

    def __init__(self, path: Path) -> None:
        self._base = sqlite3.connect(path)
        self._base.execute("PRAGMA synchronous=OFF")
        self._base.execute("PRAGMA journal_mode=OFF")
        self._base.execute(
            "CREATE TABLE found (m TEXT PRIMARY KEY, written INTEGER, known INTEGER, key TEXT, edit TEXT,"
            " may TEXT, seldom INTEGER, body TEXT)"
        )
        self._base.execute("CREATE INDEX by_known ON found (known)")
        self._base.execute("CREATE INDEX by_written ON found (written)")
        self.outside = 0  # whose commits are not there: a shallow clone

    def add(self, found: Found, order: Order) -> bool:
        """Keep one; False where it cannot be placed in time."""
        said = found.correction
        written, known = order.place(said.written), order.place(said.commit)
        if written is None or known is None or known <= written:
            self.outside += 1
            return False
        value = Worth.NOTHING if goes_on(found) else worth(said)
        # What the daemon would keep of a commit that comes, and what a look through the past would.
        may = "alone" if stands_alone(found) else "again" if value is not Worth.NOTHING else ""
        self._base.execute(
            "INSERT OR IGNORE INTO found VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                found.m,
                written,
                known,
                found.key,
                identity(said.path, said.before, said.after),
                may,
                value is not Worth.LESSON,
                json.dumps(encode(said)),
            ),
        )
        return True

    def between(self, first: int, end: int) -> Iterator[Case]:
        """What became known from place `first` up to, and without, `end`, in that order."""
        yield from self._cases("known >= ? AND known < ? ORDER BY known, m", first, end)

    def of(self, written: int) -> list[Case]:
        """What was corrected of the commit at a place."""
        return list(self._cases("written = ? ORDER BY known, m", written))

    def all(self) -> Iterator[Case]:
        """Every case in the order in which it became known."""
        yield from self._cases("1 ORDER BY known, m")

    def __len__(self) -> int:
        (count,) = self._base.execute("SELECT COUNT(*) FROM found").fetchone()
        return int(count)

    def _cases(self, where: str, *values: int) -> Iterator[Case]:
        cursor = self._base.execute(f"SELECT {_COLUMNS} FROM found WHERE {where}", values)  # noqa: S608
        for m, written, known, key, edit, may, seldom, body in cursor:
            yield Case(m, written, known, key, edit, may, bool(seldom), decode(Correction, json.loads(body)))

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()
