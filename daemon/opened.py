"""One clone as it is open now: the states of its work trees, behind one lock, as long as the store is the same."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from ..repo.errors import UsageError
from ..repo.places import STORE, Place, find
from .later import Later
from .state import Models, State

#: How long the lock is left to those who wait for it, between two slices of background work, in seconds.
BREATH_S = 0.005


class Opened:
    """The states of one clone; who works with one holds `lock`.

    With `behind`, what answers showed is written down within a second, or by `flush`.
    """

    def __init__(
        self,
        place: Place,
        models: Models,
        *,
        clock: Callable[[], int],
        environment: Mapping[str, str] | None,
        behind: bool,
    ) -> None:
        self.place = place
        self.lock = threading.RLock()
        self._make = partial(State, place, models, clock=clock, environment=environment)
        self._behind = behind
        self.state = self._open()
        self._stamp = _stamp(place)
        self.trees: dict[Path, State] = {place.gitdir: self.state}  # by the folders that git has for them
        self._known: dict[str, tuple[tuple[int, int], Place]] = {}  # a root → its `.git`, its place
        self._used = time.monotonic()

    def _open(self) -> State:
        state = self._make()
        state.later = Later(state.journal) if self._behind else None
        return state

    def use(self) -> None:
        """Somebody works with the repository now."""
        self._used = time.monotonic()

    def quiet(self) -> float:
        """For how many seconds nobody has."""
        return time.monotonic() - self._used

    def flush(self) -> None:
        """Write down what answers showed, where it waits."""
        if self.state.later is not None:
            self.state.later.flush()

    def renew(self) -> bool:
        """Begin anew where the store is another one now: deleted and laid down again, or given a new writer.

        Whether it is. Raises `PlaceError` where there is none any more.
        """
        stamp = _stamp(self.place)
        if stamp == self._stamp:
            return False
        if self.state.later is not None:
            self.state.later.drop()
        self._again()
        self._stamp = stamp
        return True

    def let_go(self) -> None:
        """Forget what can be read again: of ten repositories a person works in one or two."""
        with self.lock:
            self.flush()
            self._again()

    def _again(self) -> None:
        self.state.close()
        self.state = self._open()
        self.trees = {self.place.gitdir: self.state}

    def close(self) -> None:
        """Let go of what is open, once what waits is written."""
        with self.lock:
            self.flush()
            self.state.close()

    def at(self, path: str) -> State:
        """The state of the work tree around `path`."""
        place = self._place(path)
        if place.common != self.place.common:
            raise UsageError(f"{path} is not a work tree of {self.place.common}")
        state = self.trees.get(place.gitdir)
        if state is None:
            state = self.trees[place.gitdir] = self.state.beside(place)
        return state

    def _place(self, path: str) -> Place:
        """The checkout around `path`; that of a root is known while the same `.git` folder lies there."""
        try:
            there = os.stat(f"{path}/.git")
        except OSError:
            return find(path)
        stamp, known = (there.st_dev, there.st_ino), self._known.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        place = find(path)
        if stat.S_ISDIR(there.st_mode) and place.root is not None and str(place.root) == path:
            self._known[path] = stamp, place
        return place


def _stamp(place: Place) -> tuple[int, int, int] | None:
    """What tells one store from another in the same place; None where there is none."""
    try:
        found = os.stat(f"{place.common}/{STORE}/writer")
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns
