"""One repository's work behind one door: requests, and what the daemon's loop asks of it."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Collection, Mapping
from typing import Any

from ..hooks import spool
from ..models.sessions import give_back
from ..repo.errors import BusyError, PlaceError, UsageError
from ..repo.layout import relink
from ..repo.places import LINK, Place
from ..store.durable import NotWrittenError
from ..store.journal import wall_ms
from ..store.layout import NewerStoreError
from .apart import Apart
from .opened import Opened
from .operations import AFTER_THE_SPOOL, READING, Progress, named
from .state import Models, State
from .upkeep import Upkeep

# What only some of this needs is imported where it is done: a question with no daemon pays for all that is loaded.
logger = logging.getLogger("cortex")

MOST_SAVED = 50  # files saved at once that are looked through


class Engine:
    """All operations on one repository; every one holds the engine's lock, so they follow one another.

    With `behind`, what answers showed is written down within a second, and before anything else is read or written:
    for a process that lives on, and closes what it opened.
    """

    def __init__(
        self,
        place: Place,
        models: Models | None = None,
        *,
        clock: Callable[[], int] = wall_ms,
        environment: Mapping[str, str] | None = None,
        behind: bool = False,
    ) -> None:
        self.place = place
        self._opened = Opened(place, models or Models(), clock=clock, environment=environment, behind=behind)
        self._lock = self._opened.lock
        self._apart = Apart(self._opened)
        self._upkeep = Upkeep(self._opened)

    @property
    def _state(self) -> State:
        """The state of the work tree that the engine was made for."""
        return self._opened.state

    def _renew(self) -> None:
        """Begin anew where the store is another one now. Raises `PlaceError` where there is none any more."""
        if self._opened.renew():
            self._apart.renew()

    def handle(
        self, op: str, args: Mapping[str, object], progress: Progress | None = None
    ) -> Mapping[str, Any]:
        """Do the operation `op`; raises `UsageError` for one, or an argument, that there is not.

        The argument `at` names the work tree: linked ones share the engine, and each has its own index. `request`
        names the request: one that is made twice, because nobody knows how far it came, is done once.
        """
        given: dict[str, Any] = dict(args)
        at, request = given.pop("at", ""), given.pop("request", "")
        if op == "history":  # beside the lock: questions are answered meanwhile
            with self._lock:
                self._renew()
                self._opened.flush()
            return self._apart.history(given, progress)
        operation = named(op, given, str(request or ""), progress)
        with self._lock:
            self._opened.use()
            self._renew()
            state = self._opened.at(str(at)) if at else self._state
            root = state.place.root
            if root is not None and not os.path.lexists(root / LINK):
                relink(state.place)  # a new work tree has none, and `git clean -fdx` takes it
            if op != "ask":
                self._opened.flush()
            if op in AFTER_THE_SPOOL:
                try:
                    self._take_in()
                except (NotWrittenError, BusyError, NewerStoreError, OSError) as error:
                    if op not in READING:
                        raise
                    logger.info("the spool was not taken in: %s", error)
            return operation(state)

    # What the daemon's loop asks for.

    def drain(self) -> int:
        """Take what hooks left in the spool; returns how many events were taken."""
        with self._lock:
            self._renew()
        relink(self.place)  # `git clean -fdx` takes the link away, and a new work tree has none
        return self._take_in()

    def _take_in(self) -> int:
        taken = 0
        for event in spool.pending(self.place.store / "spool"):
            from . import hearing  # mostly nothing waits

            with self._lock:
                self._opened.flush()
                self._opened.use()
                hearing.take(self._state, event, self._opened.at)
            taken += 1
        return taken

    def scan(self) -> int:
        """Learn from the commits that are new by the refs; returns how many there were."""
        if not self._read_ahead():
            return 0
        with self._lock:
            self._renew()
            self._opened.flush()
            from . import teaching

            report = teaching.scan(self._state)
        if report.corrections or self._state.reacted:
            self._apart.revise()
        if report.commits:
            self._apart.sweep()
        return report.commits

    def _read_ahead(self) -> bool:
        """Read the journal, where a scan needs it, before the lock is taken: a million records take most of a minute,
        and questions about what was laid down are answered meanwhile. False where there is nothing to scan for.
        """
        with self._lock:
            self._renew()
            journal = self._state.journal
            if journal.is_read:
                return True
            from . import teaching

            if not teaching.has_work(self._state):
                return False
        journal.view()
        return True

    def saved(self, paths: Collection[str]) -> None:
        """Files were saved: look through them now, so that the next commit does not wait for it.

        Where many come at once, git or a tool wrote them: then only what the guard needs anyway is loaded.
        """
        from . import guarding

        with self._lock:
            self._opened.use()
            rules = self._state.rules()
        for path in paths if rules and len(paths) <= MOST_SAVED else ():
            # A folder may be gone by now, or be another repository's.
            with self._lock, contextlib.suppress(PlaceError, UsageError):
                guarding.prepare(self._opened.at(os.path.dirname(path)), path)

    def background(self, stop: Callable[[], bool], budget_s: float) -> bool:
        """Go on with what takes long: the past, the index. True while there is more to do."""
        with self._lock:
            self._renew()
            self._opened.flush()
            if self._state.answers and self._state.holding.first:
                self._upkeep.lay_down()  # all else would read the whole journal first
                return False
            unjudged = self._upkeep.keep_rules()
        if unjudged:
            self._apart.judge()
        self._upkeep.keep_hooks()
        if self._state.settings().flag("learn.history") and not self._apart.past_is_read:
            return self._apart.read_on(stop, budget_s)
        self._upkeep.tidy()
        if self._upkeep.catch_up(stop, budget_s):
            return True
        self._upkeep.lay_down()
        if self._apart.look(stop, budget_s):
            return True
        self._upkeep.rest()
        give_back()  # what is over of all this would stay with the process, a tenth of it
        return False

    def waits(self) -> bool:
        """Whether a question left the index more to do; takes no lock."""
        return self._state.waits

    def pending(self) -> int:
        """Events that wait in the spool; takes no lock."""
        return spool.count(self.place.store / "spool")

    def close(self) -> None:
        """Let go of what is open, once what waits is written."""
        self._upkeep.close()
        self._opened.close()
