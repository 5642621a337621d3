"""The repositories at work: one worker each, made when it is first needed, and kept apart from the others."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol

from ..repo.errors import BusyError, CortexError, UsageError
from ..repo.places import Place, find
from .logs import logger
from .registry import Entry, Registry

Progress = Callable[[Mapping[str, object]], None]


class Worker(Protocol):
    """What the daemon asks of the engine of one repository.

    All of it may be called from several threads at once: the worker's own lock orders its work.
    """

    place: Place

    def drain(self) -> int:
        """Take what hooks left in the spool; how many there were."""
        ...

    def scan(self) -> int:
        """Compare the refs with what was learnt, and note the new commits; how many there are."""
        ...

    def saved(self, paths: Collection[str]) -> None:
        """Files (absolute paths) of a work tree that were written or removed."""
        ...

    def background(self, stop: Callable[[], bool], budget_s: float) -> bool:
        """Do what waits, for about `budget_s` seconds; whether there is more."""
        ...

    def waits(self) -> bool:
        """Whether a request left work for `background`. Must not wait for the worker's lock."""
        ...

    def pending(self) -> int:
        """How much waits. Must not wait for the worker's lock."""
        ...

    def close(self) -> None:
        """Finish, write down, let go. Nothing is called after it."""
        ...

    def handle(self, op: str, args: Mapping[str, object], progress: Progress) -> Mapping[str, object]:
        """Answer one request."""
        ...


Factory = Callable[[Place], Worker]


@dataclass(frozen=True)
class Shape:
    """What `status` tells of one repository."""

    path: str
    common: str
    queue: int
    watching: str  # events, polling, refs; empty when it is not watched (yet)
    problem: str

    def plain(self) -> dict[str, object]:
        """Its JSON form."""
        return dict(vars(self))


class Slot:
    """One repository: its entry, its worker once there is one, and how it fares."""

    def __init__(self, entry: Entry, factory: Factory) -> None:
        self.entry = entry
        self.key = entry.common
        self.watching = ""
        self.problem = ""
        self.gone = threading.Event()  # set when it was forgotten, or the daemon stops
        self.more = False  # whether a request left work for the background
        self.nudge: Callable[[], None] = lambda: None  # the loop sets it: look now
        self._factory = factory
        self._worker: Worker | None = None
        self._opening = threading.Lock()
        self._free = threading.Condition()
        self._users = 0
        self._asking: threading.Thread | None = None
        self._queue = 0

    @contextlib.contextmanager
    def use(self) -> Iterator[Worker]:
        """The worker, kept open for as long as the block runs. Raises what the factory raised."""
        with self._free:
            if self.gone.is_set():
                raise BusyError(f"the daemon is letting go of {self.entry.name}", "Try again in a moment.")
            self._users += 1
        try:
            with self._opening:
                if self._worker is None:
                    self._worker = self._factory(self.entry.place())
                worker = self._worker
            yield worker
        finally:
            with self._free:
                self._users -= 1
                self._free.notify_all()

    def queue(self, wait_s: float) -> int:
        """How much waits; what was known last, where the repository does not say within `wait_s`."""
        worker = self._worker
        if worker is None:
            return self._queue
        if self._asking is None or not self._asking.is_alive():
            self._asking = threading.Thread(target=self._ask, args=(worker,), name="pending", daemon=True)
            self._asking.start()
        self._asking.join(max(0.0, wait_s))
        return self._queue

    def shape(self, wait_s: float) -> Shape:
        """What `status` tells of it."""
        problem = self.problem
        if not problem and self.entry.missing:
            problem = f"{self.entry.name} is not there any more"
        return Shape(str(self.entry.name), str(self.key), self.queue(wait_s), self.watching, problem)

    def close(self, wait_s: float) -> bool:
        """Let nobody in, wait for those inside, close the worker; False when they are not out in time."""
        self.gone.set()
        self.nudge()
        with self._free:
            if not self._free.wait_for(lambda: self._users == 0, wait_s):
                return False
            worker, self._worker = self._worker, None
        if worker is not None:
            with guarded(f"closing {self.entry.name}"):
                worker.close()
        return True

    def _ask(self, worker: Worker) -> None:
        with guarded(f"counting what waits in {self.entry.name}"):
            self._queue = worker.pending()


class Workers:
    """All slots, in step with the registry. Thread-safe; no call holds a lock while a repository works."""

    def __init__(self, registry: Registry, factory: Factory) -> None:
        self.registry = registry
        self.changed = threading.Event()  # set whenever a slot came or went
        self._factory = factory
        self._lock = threading.Lock()
        self._slots: dict[Path, Slot] = {}
        self._known: dict[str, Path] = {}
        self._stamp: tuple[int, int, int] | None = None

    def refresh(self) -> None:
        """Follow the registry, also where another process changed it."""
        stamp = self.registry.stamp()
        if stamp == self._stamp:
            return
        entries = {entry.common: entry for entry in self.registry.entries()}
        left: list[Slot] = []
        with self._lock:
            self._stamp = stamp
            for common, entry in entries.items():
                slot = self._slots.get(common)
                if slot is None:
                    self._slots[common] = Slot(entry, self._factory)
                else:
                    slot.entry = entry
            left = [self._slots.pop(common) for common in list(self._slots) if common not in entries]
            self._known = {path: common for path, common in self._known.items() if common in entries}
        for slot in left:
            threading.Thread(target=slot.close, args=(60.0,), name="closing", daemon=True).start()
        self.changed.set()

    def slots(self) -> list[Slot]:
        """All of them, in the registry's order."""
        with self._lock:
            return list(self._slots.values())

    def find(self, repo: str) -> Slot:
        """The slot of the repository around a path; one that `cortex init` laid down joins the registry.

        Raises `PlaceError` when there is no such repository, or `cortex init` has not run there.
        """
        with self._lock:
            known = self._known.get(repo)
            slot = self._slots.get(known) if known is not None else None
        if slot is not None:
            return slot
        if not Path(repo).is_absolute():
            raise UsageError(f"{repo} is not an absolute path", "The daemon's own folder is not yours.")
        place = find(repo)
        with self._lock:
            slot = self._slots.get(place.common)
        if slot is None:
            return self.register(place, repo)
        self._remember(repo, place)
        return slot

    def register(self, place: Place, repo: str = "") -> Slot:
        """Enter a repository, and start looking after it. Raises `PlaceError` before `cortex init`."""
        place.require_store()
        self.registry.add(place)
        self.refresh()
        with self._lock:
            slot = self._slots.get(place.common)
        if slot is None:
            raise BusyError(
                f"{place.root or place.gitdir} was forgotten while it was registered", "Try again."
            )
        if repo:
            self._remember(repo, place)
        return slot

    def forget(self, repo: str, wait_s: float = 30.0) -> bool:
        """Stop looking after a repository, and close its worker; False when it was not known."""
        common = self._common(repo)
        known = self.registry.remove(common)
        with self._lock:
            slot = self._slots.pop(common, None)
            self._known = {path: key for path, key in self._known.items() if key != common}
        self.changed.set()
        if slot is not None and not slot.close(wait_s):
            raise BusyError(f"{slot.entry.name} is still at work", "Try again when it is done.")
        return known or slot is not None

    def shapes(self, wait_s: float = 1.0) -> list[Shape]:
        """What `status` tells of each, asked for within `wait_s` seconds in all."""
        end = time.monotonic() + wait_s
        return [slot.shape(end - time.monotonic()) for slot in self.slots()]

    def close(self, wait_s: float = 30.0) -> list[str]:
        """Close all workers, side by side; the names of those that did not end in time."""
        slots = self.slots()
        late: list[str] = []

        def close(slot: Slot) -> None:
            if not slot.close(wait_s):
                late.append(str(slot.entry.name))

        threads = [threading.Thread(target=close, args=(slot,), daemon=True) for slot in slots]
        for thread in threads:
            thread.start()
        end = time.monotonic() + wait_s + 1.0
        for thread, slot in zip(threads, slots, strict=True):
            thread.join(max(0.0, end - time.monotonic()))
            if thread.is_alive():
                late.append(str(slot.entry.name))
        return late

    def _common(self, repo: str) -> Path:
        """The common folder of a repository that may be gone."""
        try:
            return find(repo).common
        except CortexError:
            given = Path(repo)
            for entry in self.registry.entries():
                if given == entry.common or given in entry.roots:
                    return entry.common
            raise

    def _remember(self, repo: str, place: Place) -> None:
        with self._lock:
            if len(self._known) > 10_000:
                self._known.clear()
            self._known[repo] = place.common


class guarded:  # noqa: N801 - it reads as a verb: `with guarded(stage):`
    """A stage of the daemon's work: what goes wrong in it is logged, told in `status`, and ends there."""

    def __init__(self, stage: str, slot: Slot | None = None) -> None:
        self._stage = stage
        self._slot = slot

    def __enter__(self) -> None:
        """Begin the stage."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Note an error and go on: the other stages, and the other repositories, are not held up by it."""
        if error is None or not isinstance(error, Exception):
            return False
        if isinstance(error, CortexError):
            logger.warning("%s: %s", self._stage, error.message)
            told = f"{self._stage}: {error.message}"
        else:
            logger.error("%s failed", self._stage, exc_info=error)
            told = f"{self._stage} failed: {type(error).__name__}: {error}"
        if self._slot is not None:
            self._slot.problem = told
        return True
