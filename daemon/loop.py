"""The daemon's own work: each repository is looked at, taken in and learnt from in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

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
    watch: Callable[[Slot], Watch] = lambda slot: Watch(slot.entry),
) -> None:
    """Look after every registered repository until `stop` is set, and all of them have let go.

    `stop` is looked at every second, and whenever `workers.changed` is set.
    """
    turns = threading.BoundedSemaphore(2)
    kept: dict[Slot, threading.Thread] = {}
    while not stop.is_set():
        workers.changed.clear()
        with guarded("reading the list of repositories"):
            workers.refresh()
        kept = {slot: thread for slot, thread in kept.items() if thread.is_alive()}
        for slot in workers.slots():
            if slot not in kept and not slot.gone.is_set():
                keeper = Keeper(slot, watch(slot), turns, stop, clock)
                kept[slot] = threading.Thread(target=keeper.run, name=slot.entry.name.name, daemon=True)
                kept[slot].start()
        workers.changed.wait(1.0)
    for slot in kept:
        slot.nudge()
    end = time.monotonic() + 20.0
    for thread in kept.values():
        thread.join(max(0.0, end - time.monotonic()))


class Keeper:
    """Looks after one repository: stage by stage, so that one that fails keeps no other from running."""

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
        self._todo = Changes()
        self._more = False  # whether background work waits
        self._failed = False  # whether a stage of the last round did
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
                with guarded(f"looking after {name}", self._slot):
                    self.look()
                    continue
                self._watch.rest(RETRY_S, self.stopping)
        finally:
            with guarded(f"letting go of {name}"):
                self._watch.close()

    def look(self) -> None:
        """One round: wait for changes, hand them to the worker stage by stage; what fails is tried again."""
        entry = self._slot.entry
        if entry.missing:
            self._slot.watching = ""
            self._watch.close()
            self._watch.rest(RETRY_S, self.stopping)
            return
        self._slot.watching = self._watch.open(entry)
        self._todo = self._todo.joined(self._watch.wait(self._patience(), self.stopping))
        if self.stopping():
            return
        if self._clock() - self._reconciled >= RECONCILE_S:
            self._reconciled = self._clock()
            self._todo = self._todo.joined(Changes(True, True, self._watch.reconcile()))
            self._more = True
        if self._slot.more:
            self._slot.more, self._more = False, True
        if self._todo or self._more:
            with self._slot.use() as worker:
                self._work(worker)

    def _patience(self) -> float:
        if self._failed:
            return RETRY_S
        if self._more or self._todo:
            return 0.0
        return max(0.0, self._reconciled + RECONCILE_S - self._clock())

    def _work(self, worker: Worker) -> None:
        name, slot = self._slot.entry.name, self._slot
        slot.problem = ""
        self._failed = False
        if self._todo.spool and self._stage(f"taking in what hooks left in {name}", worker.drain):
            self._todo = replace(self._todo, spool=False)
        if self._todo.paths:
            paths = sorted(self._todo.paths)
            self._todo = replace(self._todo, paths=frozenset())  # a hint, not the truth: not tried again
            for at in range(0, len(paths), CHUNK):
                self._stage(f"taking in saved files of {name}", partial(worker.saved, paths[at : at + CHUNK]))
        if self._todo.refs and self._stage(f"looking for new commits in {name}", worker.scan):
            self._todo = replace(self._todo, refs=False)
        self._more = False
        self._stage(f"learning in {name}", partial(self._background, worker))

    def _stage(self, name: str, work: Callable[[], object]) -> bool:
        """Do one stage, unless it is time to let go; whether it came to its end."""
        if self.stopping():
            return False
        with guarded(name, self._slot):
            work()
            return True
        self._failed = True
        return False

    def _background(self, worker: Worker) -> None:
        """A slice of what can wait: two repositories at a time, for the sake of the person's own work.

        One whose slice does not end keeps the others waiting for half a minute, and no longer.
        """
        held = self._turns.acquire(timeout=RETRY_S)
        try:
            self._more = worker.background(self.stopping, BUDGET_S)
        finally:
            if held:
                self._turns.release()
