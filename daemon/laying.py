"""The process that lays the memories of a large store down, beside the daemon and at the lowest priority.

    python -m cortex.daemon.laying STORE MODELS

It reads the journal for itself, so that what that takes of memory ends with it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from ..repo.errors import BusyError
from ..store import late, marks
from ..store.bulk import files, laying
from ..store.journal import FileJournal, wall_ms
from ..store.lock import writer_lock
from ..store.redacted import without_secrets
from ..store.secrets import clean


def lay(store: Path, models: str = "builtin") -> int:
    """Lay a store's memories down; how many there are. Raises `BusyError` where another process does, `OSError`."""
    from .state import Models

    folder = store / "index" / files.FOLDER
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    holder = store / "index" / "laying"
    holder.mkdir(mode=0o700, exist_ok=True)
    with writer_lock(holder, 0.0):
        marked = marks.mark(store)  # before the journal is read: what comes meanwhile counts as new
        journal = FileJournal(store, author="", clock=wall_ms, redact=clean)
        view = journal.view()
        given = late.fingerprinted(view, journal.writer, without_secrets)
        return laying.lay(folder, Models(models).encoder, given, {**marked, "number": journal.number})


#: The exit status of one that found another at work.
BUSY = 3


class Laying:
    """Such a process at work."""

    def __init__(self, store: Path, models: str) -> None:
        words = [sys.executable, "-m", "cortex.daemon.laying", str(store), models]
        # From the root: the module's name is not looked for in whatever folder somebody stands in.
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            words, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    @property
    def ended(self) -> bool:
        """Whether it works no longer."""
        return self._process.poll() is not None

    @property
    def failed(self) -> int:
        """The exit status of one that ended without having laid anything down, and no other is at it; else 0."""
        status = self._process.poll() or 0
        return 0 if status == BUSY else status

    def stop(self) -> None:
        """End it: what it had made so far is made again another time."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()


def main(given: list[str]) -> int:
    """Be that process: 0 when it came to its end, `BUSY` when another one is at it."""
    with contextlib.suppress(OSError):
        os.nice(15)
    try:
        lay(Path(given[0]), given[1])
    except BusyError:
        return BUSY
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
