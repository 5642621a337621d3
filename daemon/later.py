"""What may be written a moment later: so that who asks does not wait for the disk, and a hundred share one write."""

from __future__ import annotations

import logging
import threading

from ..repo.errors import CortexError
from ..store.protocols import Journal
from ..store.record import Draft

logger = logging.getLogger("cortex")

#: A draft waits no longer than so many seconds, and so many wait at once: a kill loses them.
WAIT_S, MOST = 1.0, 64


class Later:
    """Drafts on their way to one journal. What they may not be: anything that somebody was told is kept."""

    def __init__(self, journal: Journal, wait_s: float = WAIT_S) -> None:
        self._journal = journal
        self._wait_s = wait_s
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._drafts: list[Draft] = []
        self._thread: threading.Thread | None = None
        self._full = threading.Event()

    def add(self, draft: Draft) -> None:
        """Have a draft written soon."""
        with self._lock:
            self._drafts.append(draft)
            if len(self._drafts) >= MOST:
                self._full.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._soon, name="later", daemon=True)
                self._thread.start()

    def flush(self) -> None:
        """Write what waits; when this returns all that was added before is written, or was refused."""
        if not self._drafts and not self._writing.locked():
            return
        with self._writing:
            with self._lock:
                drafts, self._drafts = self._drafts, []
            if drafts:
                write(self._journal, drafts)

    def drop(self) -> None:
        """Forget what waits: its store is gone."""
        with self._lock:
            self._drafts = []

    def _soon(self) -> None:
        self._full.wait(self._wait_s)
        with self._lock:
            self._thread = None
            self._full.clear()
        self.flush()


def write(journal: Journal, drafts: list[Draft]) -> None:
    """Write down what was shown. On a full or read-only disk the answer is worth more than its trace."""
    try:
        journal.append(drafts)
    except CortexError as error:
        logger.warning("what was shown could not be noted: %s", error.message)
