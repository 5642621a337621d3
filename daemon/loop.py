"""The daemon's own work: each repository is looked at, taken in and learnt from in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from .watch import Changes, Watch
from .workers import Slot, Worker, Workers, guarded

__all__ = ["Worker", "Workers", "run"]

CHUNK = 1_000  # paths a worker is given at once
BUDGET_S = 2.0  # of background work, between two looks
RECONCILE_S = 180.0  # events can be lost without a word: now and then everything is looked at
RETRY_S = 30.0  # before a repository that failed, or is not there, is tried again


def run(
    workers: Workers,
    stop: threading.Event,
    clock: Callable[[], float] = time.monotonic,
    watch: Callable[[Slot], Watch] | None = None,
) -> None:
    """Look after every registered repository until `stop` is set; then return when all of them have let go.

    `stop` is looked at whenever `workers.changed` is set, and every second.
    """
    make = watch or (lambda slot: Watch(slot.entry))
    slots = threading.BoundedSemaphore(2)
    kept: dict[int, threading.Thread] = {}
    while not stop.is_set():
        workers.refresh()
        workers.changed.clear()
        kept = {key: thread for key, thread in kept.items() if thread.is_alive()}
        for slot in workers.slots():
            if id(slot) not in kept and not slot.gone.is_set():
                keeper = Keeper(slot, make(slot), slots, stop, clock)
                thread = threading.Thread(target=keeper.run, name=slot.entry.name.name[:24], daemon=True)
                kept[id(slot)] = thread
                thread.start()
        workers.changed.wait(1.0)
    for slot in workers.slots():
        slot.nudge()
    for thread in kept.values():
        thread.join(20.0)


class Keeper:
    """Looks after one repository: every stage by itself, so that one that fails does not keep the next from running."""

    def __init__(
        self,
        slot: Slot,
        watch: Watch,
        turns: threading.BoundedSemaphore,
        stop: threading.Event,
        clock: Callable[[], float],
    ) -> None:
        self._slot = slot
        self._watch = watch
        self._turns = turns
        self._stop = stop
        self._clock = clock
        self._more = True  # whether background work waits
        self._reconciled = float("-inf")
        slot.nudge = watch.nudge

    def stopping(self) -> bool:
        """Whether it is time to let go."""
        return self._stop.is_set() or self._slot.gone.is_set()

    def run(self) -> None:
        """Until the daemon stops, or the repository is forgotten."""
        name = self._slot.entry.name
        try:
            while not self.stopping():
                with guarded(f"looking at {name}", self._slot):
                    self.look()
                    continue
                self._watch.rest(RETRY_S, self.stopping)
        finally:
            with guarded(f"no longer watching {name}"):
                self._watch.close()

    def look(self) -> None:
        """One round: wait for changes, hand them to the worker stage by stage."""
        if self._slot.entry.missing:
            self._slot.watching = ""
            self._watch.close()
            self._watch.rest(RETRY_S, self.stopping)
            return
        self._slot.watching = self._watch.open()
        due = self._reconciled + RECONCILE_S - self._clock()
        changes = self._watch.wait(0.0 if self._more else max(0.0, due), self.stopping)
        if self.stopping():
            return
        if self._clock() - self._reconciled >= RECONCILE_S:
            self._reconciled = self._clock()
            changes = Changes(True, True, changes.paths | self._watch.reconcile())
            self._more = True
        if changes or self._more:
            self._work(changes)

    def _work(self, changes: Changes) -> None:
        name = self._slot.entry.name
        slot = self._slot
        slot.problem = ""
        with slot.use() as worker:
            if changes.spool:
                with guarded(f"taking in what hooks left in {name}", slot):
                    worker.drain()
                self._more = True
            if changes.paths:
                with guarded(f"taking in saved files of {name}", slot):
                    paths = sorted(changes.paths)
                    for at in range(0, len(paths), CHUNK):
                        if not self.stopping():
                            worker.saved(paths[at : at + CHUNK])
                self._more = True
            if changes.refs:
                with guarded(f"looking for new commits in {name}", slot):
                    worker.scan()
                self._more = True
            if self._more:
                self._background(worker)

    def _background(self, worker: Worker) -> None:
        """A slice of what can wait. Two repositories at a time, for the sake of the person's own work; one whose
        slice does not end takes the turn of nobody for longer than half a minute.
        """
        held = self._turns.acquire(timeout=RETRY_S)
        self._more = False
        try:
            with guarded(f"learning in {self._slot.entry.name}", self._slot):
                self._more = worker.background(self.stopping, BUDGET_S)
        finally:
            if held:
                self._turns.release()
