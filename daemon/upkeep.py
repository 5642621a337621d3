"""Keeping one clone in order while nobody asks: rules ready, hooks in place, the index caught up, memory given back."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..hooks import spool
from ..repo.errors import CortexError
from .opened import BREATH_S, Opened

if TYPE_CHECKING:
    from .laying import Laying

logger = logging.getLogger("cortex")

CODE_S = 0.2  # so long the lock is held for the index of code
DAY_MS = 86_400_000
REST_S, MANY = 60.0, 50_000  # after so long a journal of so many records is let go of
LAY_S = 600.0  # between the beginnings of two processes that lay memories down
IDLE_S = 900.0  # a repository in which nothing happens for so long is let go of, until something does


class Upkeep:
    """The chores of one clone; each takes the lock for itself, and none for long."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._looked = False  # whether the rules were kept ready since the repository was opened
        self._hooks: tuple[object, ...] | None = None  # as they were when they were last looked at
        self._tidied = 0
        self.laying: Laying | None = None  # the process that lays memories down
        self._lay_again = 0.0  # not before this is another one begun

    def keep_rules(self) -> bool:
        """Keep the rules ready, once and after the journal was read; whether one of them waits for its back-test.

        What was let go of is not read again for this.
        """
        with self._opened.lock:
            state = self._opened.state
            if self._looked and not state.journal.is_read:
                return False
            self._looked = True
            try:
                state.active.keep()
            except OSError as error:
                logger.info("the rules of %s could not be kept ready: %s", self._opened.place.root, error)
            return state.active.unjudged

    def keep_hooks(self) -> None:
        """Put our lines back where another tool wrote a hook anew, and write the shim of another version anew."""
        from ..hooks import standing

        place = self._opened.place
        now = standing.signature(place)
        if now == self._hooks:
            return
        first, self._hooks = self._hooks is None, now
        try:
            if first and standing.renew(place):
                logger.info("the shim of %s was of another version, and is written anew", place.root)
            for file in standing.keep(place):
                logger.info("another tool wrote %s anew: Cortex's lines stand in it again", file)
        except (CortexError, OSError) as error:
            logger.warning("the hooks of %s could not be looked at: %s", place.root, error)

    def tidy(self) -> None:
        """Once a day: let generated code go that is older than the person keeps it, and drafts that nobody ends."""
        with self._opened.lock:
            state = self._opened.state
            now = state.clock()
            if now - self._tidied < DAY_MS:
                return
            self._tidied = now
            days = state.settings().integer("capture.keep_days")
            state.blobs.expire(now - days * DAY_MS)
            spool.sweep(self._opened.place.store / "spool")

    def catch_up(self, stop: Callable[[], bool], budget_s: float) -> bool:
        """Go on with what the indexes lack, by slices that leave the lock to others; True while there is more."""
        more, end = True, time.monotonic() + budget_s
        while more and not stop() and time.monotonic() < end:
            with self._opened.lock:
                more = self._opened.state.catch_up() or self.read_code()
            time.sleep(BREATH_S)
        return more

    def read_code(self) -> bool:
        """Go on with the index of code, where a question has asked for one; True while there is more."""
        try:
            return self._opened.state.read_code(CODE_S)
        except (CortexError, OSError) as error:
            logger.info("the code of %s could not be read for searching: %s", self._opened.place.root, error)
            return False

    def lay_down(self) -> None:
        """Have another process lay the memories down where there are many, and keep what came since; see `holding`."""
        with self._opened.lock:
            state = self._opened.state
            if not state.answers:
                return
            try:
                state.holding.keep(state)
            except OSError as error:
                logger.info("what came since the memories were laid down could not be kept: %s", error)
            if self.laying is not None and self.laying.ended:
                if self.laying.failed:
                    said = "the memories of %s could not be laid down (%s)"
                    logger.warning(said, self._opened.place.root, self.laying.failed)
                    state.holding.give_up()
                self.laying = None
            now = time.monotonic()
            if self.laying is None and now >= self._lay_again and state.holding.due():
                from .laying import Laying  # numpy comes with it

                self.laying = Laying(self._opened.place.store, state.models.name)
                self._lay_again = now + LAY_S

    def rest(self) -> None:
        """Let go of what nothing asked for in a while."""
        quiet = self._opened.quiet()
        if quiet > IDLE_S:
            self._opened.let_go()
        elif quiet > REST_S:
            self._forget_journal()

    def _forget_journal(self) -> None:
        """Forget a large journal, which nothing asks for just now: what was laid down answers without it."""
        with self._opened.lock:
            state = self._opened.state
            if state.journal.is_read and state.journal.view().count >= MANY and state.answers:
                try:
                    if state.holding.rest(state):
                        state.journal.forget()
                        for each in (state, *self._opened.trees.values()):
                            each.forget()
                except OSError as error:
                    logger.info("what came since the memories were laid down could not be kept: %s", error)

    def close(self) -> None:
        """End the process that lays memories down, where one is at it."""
        if self.laying is not None:
            self.laying.stop()
            self.laying = None
