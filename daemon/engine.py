"""One repository's work behind one door: the operations by name, and what the daemon's loop asks of it."""

from __future__ import annotations

import contextlib
import inspect
import logging
import os
import stat
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..hooks import spool, standing
from ..models.sessions import give_back
from ..repo.errors import BusyError, CortexError, PlaceError, UsageError
from ..repo.layout import relink
from ..repo.places import LINK, STORE, Place, find
from ..store.durable import NotWrittenError
from ..store.layout import NewerStoreError
from . import (
    answering,
    baseline,
    charting,
    fixing,
    graphing,
    guarding,
    hearing,
    noticing,
    receiving,
    recording,
    reporting,
    reviewing,
    ruling,
    settling,
    sharing,
    sweeping,
    teaching,
    trying,
)
from .later import Later
from .state import Models, State, wall_ms

if TYPE_CHECKING:
    from .laying import Laying

logger = logging.getLogger("cortex")
Progress = Callable[[Mapping[str, object]], None]
Operation = Callable[..., Mapping[str, Any]]

OPERATIONS: Mapping[str, Operation] = {
    "ask": answering.ask,
    "baseline": baseline.baseline,
    "check": guarding.check,
    "feedback": answering.feedback,
    "fix": fixing.fix,
    "forget": answering.forget,
    "graph": graphing.graph,
    "hook": hearing.hook,
    "learn": teaching.learn,
    "log": answering.log,
    "record": recording.record,
    "remember": answering.remember,
    "rule_decide": ruling.rule_decide,
    "rule_export": ruling.rule_export,
    "rule_import": ruling.rule_import,
    "rule_show": ruling.rule_show,
    "rule_test": ruling.rule_test,
    "rules": ruling.rules,
    "settle": settling.settle,
    "show": answering.show,
    "report": reporting.report,
    "review": reviewing.review,
    "sweep": sweeping.sweep,
    "swept": sweeping.swept,
    "sync": sharing.sync,
    "trial": trying.trial,
    "unsay": reviewing.unsay,
}
#: What lies in the spool came first: an answer without it would be of yesterday, which is better than none.
AFTER_THE_SPOOL = frozenset(
    {"rule_show", "rules", "ask", "graph", "learn", "log", "report", "review", "show", "sync", "trial"}
)
READING = frozenset({"rule_show", "rules", "ask", "graph", "log", "report", "review", "show"})


#: How long the daemon reads on in a repository's past before it looks at the rest of its work, in seconds.
SLICE_S = 20.0
#: How long the lock is left to those who wait for it, between two slices of background work, in seconds.
BREATH_S = 0.005
CODE_S = 0.2  # so long the lock is held for the index of code
QUIET_S = 1.0  # nothing was asked for so long: now there is time to count
MOST_SAVED = 50  # files saved at once that are looked through
DAY_MS = 86_400_000
REST_S, MANY = 60.0, 50_000  # after so long a journal of so many records is let go of
LAY_S = 600.0  # between the beginnings of two processes that lay memories down
IDLE_S = 900.0  # a repository in which nothing happens for so long is let go of, until something does


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
        self._lock = threading.RLock()
        self._past = threading.Lock()
        self._make = partial(State, place, models or Models(), clock=clock, environment=environment)
        self._behind = behind
        self._state = self._open()
        self._stamp = _stamp(place)
        self._trees: dict[Path, State] = {place.gitdir: self._state}
        self._known: dict[str, tuple[tuple[int, int], Place]] = {}  # a root → its `.git`, its place
        self._history_done = False
        self._looked = False  # whether the rules were kept ready since the repository was opened
        self._tidied = 0
        self._used = time.monotonic()
        self._recorded = 0  # corrections from the past that the rules have not seen
        self._noticing: Iterator[None] | None = None  # what is being looked at, slice by slice
        self._charted: dict[Path, object] = {}  # of each work tree: what its graph was last begun for
        self._laying: Laying | None = None  # the process that lays memories down
        self._lay_again = 0.0  # not before this is another one begun
        self._hooks: tuple[object, ...] | None = None  # as they were when they were last looked at

    def _open(self) -> State:
        state = self._make()
        state.later = Later(state.journal) if self._behind else None
        return state

    def _flush(self) -> None:
        """Write down what answers showed, where it waits."""
        if self._state.later is not None:
            self._state.later.flush()

    def handle(
        self, op: str, args: Mapping[str, object], progress: Progress | None = None
    ) -> Mapping[str, Any]:
        """Do the operation `op`; raises `UsageError` for one, or an argument, that there is not.

        The argument `at` names the work tree: linked ones share the engine, and each has its own index. `request`
        names the request: one that is made twice, because nobody knows how far it came, is done once.
        """
        given: dict[str, Any] = dict(args)
        at, request = given.pop("at", ""), given.pop("request", "")
        if op == "history":
            return self._history(given, progress)
        operation = OPERATIONS.get(op)
        if operation is None:
            raise UsageError(
                f"there is no operation {op}", "The daemon may be of another version: `cortex daemon stop`."
            )
        accepted = _accepted(operation)
        if unknown := [name for name in given if name not in accepted or name == "state"]:
            raise UsageError(f"{op} takes no {', '.join(unknown)}")
        if "progress" in accepted and progress is not None:
            given["progress"] = progress
        if "request" in accepted and request:
            given["request"] = str(request)[:100]
        with self._lock:
            self._used = time.monotonic()
            self._renew()
            state = self._at(str(at)) if at else self._state
            root = state.place.root
            if root is not None and not os.path.lexists(root / LINK):
                relink(state.place)  # a new work tree has none, and `git clean -fdx` takes it
            if op != "ask":
                self._flush()
            if op in AFTER_THE_SPOOL:
                try:
                    self._take_in()
                except (NotWrittenError, BusyError, NewerStoreError, OSError) as error:
                    if op not in READING:
                        raise
                    logger.info("the spool was not taken in: %s", error)
            try:
                return operation(state, **given)
            except TypeError as error:
                raise UsageError(f"{op}: {error}") from error

    def _renew(self) -> None:
        """Begin anew where the store is another one now: deleted and laid down again, or given a new writer.

        Raises `PlaceError` where there is none any more.
        """
        stamp = _stamp(self.place)
        if stamp != self._stamp:
            if self._state.later is not None:
                self._state.later.drop()
            self._state.close()
            self._state = self._open()
            self._trees = {self.place.gitdir: self._state}
            self._stamp, self._history_done, self._recorded = stamp, False, 0
            self._noticing = None
            self._charted.clear()

    def _at(self, path: str) -> State:
        """The state of the work tree around `path`."""
        place = self._place(path)
        if place.common != self.place.common:
            raise UsageError(f"{path} is not a work tree of {self.place.common}")
        state = self._trees.get(place.gitdir)
        if state is None:
            state = self._trees[place.gitdir] = self._state.beside(place)
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
            with self._lock:
                self._flush()
                self._used = time.monotonic()
                hearing.take(self._state, event, self._at)
            taken += 1
        return taken

    def scan(self) -> int:
        """Learn from the commits that are new by the refs; returns how many there were."""
        with self._lock:
            self._renew()
            self._flush()
            report = teaching.scan(self._state)
        if report.corrections or self._state.reacted:
            self._revise()
        if report.commits:
            self._sweep()
        return report.commits

    def saved(self, paths: Collection[str]) -> None:
        """Files were saved: look through them now, so that the next commit does not wait for it.

        Where many come at once, git or a tool wrote them: then only what the guard needs anyway is loaded.
        """
        with self._lock:
            self._used = time.monotonic()
            rules = self._state.rules()
        for path in paths if rules and len(paths) <= MOST_SAVED else ():
            # A folder may be gone by now, or be another repository's.
            with self._lock, contextlib.suppress(PlaceError, UsageError):
                guarding.prepare(self._at(os.path.dirname(path)), path)

    def background(self, stop: Callable[[], bool], budget_s: float) -> bool:
        """Go on with what takes long: the past, the index. True while there is more to do."""
        with self._lock:
            self._renew()
            self._flush()
            if self._state.answers and self._state.holding.first:
                self._lay_down()  # all else would read the whole journal first
                return False
            unjudged = self._keep_rules()
        if unjudged:
            with self._past:
                receiving.judge(self._state.apart())
        self._keep_hooks()
        if self._state.settings().flag("learn.history") and not self._history_done:
            with self._past:
                # Each slice looks again at up to 500 commits: short ones would never get on.
                report = teaching.learn_past(self._state.apart(), budget_s=max(budget_s, SLICE_S), stop=stop)
            self._recorded += report.recorded
            self._history_done = report.finished
            if report.finished and self._recorded:
                self._revise()
            return not report.finished
        with self._lock:
            self._tidy()
        more, end = True, time.monotonic() + budget_s
        while more and not stop() and time.monotonic() < end:
            with self._lock:
                more = self._state.catch_up() or self._read_code()
            time.sleep(BREATH_S)
        if not more:
            self._lay_down()
        if not more and self._notice(stop, budget_s):
            return True
        if not more and time.monotonic() - self._used > IDLE_S:
            self._let_go()
        elif not more and time.monotonic() - self._used > REST_S:
            self._rest()
        if not more:
            give_back()  # what is over of all this would stay with the process, a tenth of it
        return more

    def _lay_down(self) -> None:
        """Have another process lay the memories down where there are many, and keep what came since; see `holding`."""
        with self._lock:
            if not self._state.answers:
                return
            try:
                self._state.holding.keep(self._state)
            except OSError as error:
                logger.info("what came since the memories were laid down could not be kept: %s", error)
            if self._laying is not None and self._laying.ended:
                if self._laying.failed:
                    said = "the memories of %s could not be laid down (%s)"
                    logger.warning(said, self.place.root, self._laying.failed)
                    self._state.holding.give_up()
                self._laying = None
            now = time.monotonic()
            if self._laying is None and now >= self._lay_again and self._state.holding.due():
                from .laying import Laying  # numpy comes with it

                self._laying, self._lay_again = Laying(self.place.store, self._state.models.name), now + LAY_S

    def waits(self) -> bool:
        """Whether a question left the index more to do; takes no lock."""
        return self._state.waits

    def pending(self) -> int:
        """Events that wait in the spool; takes no lock."""
        return spool.count(self.place.store / "spool")

    def close(self) -> None:
        """Let go of what is open, once what waits is written."""
        if self._laying is not None:
            self._laying.stop()
            self._laying = None
        with self._lock:
            self._flush()
            self._state.close()

    def _let_go(self) -> None:
        """Forget what can be read again: of ten repositories a person works in one or two."""
        with self._lock:
            self._flush()
            self._state.close()
            self._state = self._open()
            self._trees = {self.place.gitdir: self._state}

    def _rest(self) -> None:
        """Forget a large journal, which nothing asks for just now: what was laid down answers without it."""
        with self._lock:
            journal = self._state.journal
            if journal.is_read and journal.view().count >= MANY and self._state.answers:
                try:
                    if self._state.holding.rest(self._state):
                        journal.forget()
                        for state in (self._state, *self._trees.values()):
                            state.forget()
                except OSError as error:
                    logger.info("what came since the memories were laid down could not be kept: %s", error)

    def _history(self, args: Mapping[str, Any], progress: Progress | None) -> Mapping[str, Any]:
        """Learn from the past for `budget_s` seconds. It runs beside the engine's lock: questions are answered."""
        with self._lock:
            self._renew()
            self._flush()
        with self._past:
            report = teaching.learn_past(
                self._state.apart(),
                since=str(args.get("since", "")),
                budget_s=float(args.get("budget_s", 30.0)),
                progress=progress,
            )
        self._recorded += report.recorded
        self._history_done = report.finished
        changed = self._revise() if report.recorded else []
        return {
            "commits": report.commits,
            "files": report.files,
            "corrections": report.recorded,
            "seen": dict(report.corrections_by_hand),
            "passed": dict(report.passed),
            "noticed": dict(report.noticed),
            "finished": report.finished,
            "rules": changed,
            "elapsed_s": round(report.elapsed_s, 3),
        }

    def _keep_rules(self) -> bool:
        """Keep the rules ready, once and after the journal was read; whether one of them waits for its back-test.

        What was let go of is not read again for this.
        """
        if self._looked and not self._state.journal.is_read:
            return False
        self._looked = True
        try:
            self._state.keep_rules()
        except OSError as error:
            logger.info("the rules of %s could not be kept ready: %s", self.place.root, error)
        return self._state.unjudged

    def _keep_hooks(self) -> None:
        """Put our lines back where another tool wrote a hook anew, and write the shim of another version anew."""
        now = standing.signature(self.place)
        if now == self._hooks:
            return
        first, self._hooks = self._hooks is None, now
        try:
            if first and standing.renew(self.place):
                logger.info("the shim of %s was of another version, and is written anew", self.place.root)
            for file in standing.keep(self.place):
                logger.info("another tool wrote %s anew: Cortex's lines stand in it again", file)
        except (CortexError, OSError) as error:
            logger.warning("the hooks of %s could not be looked at: %s", self.place.root, error)

    def _tidy(self) -> None:
        """Once a day: let generated code go that is older than the person keeps it, and drafts that nobody ends."""
        now = self._state.clock()
        if now - self._tidied < DAY_MS:
            return
        self._tidied = now
        days = self._state.settings().integer("capture.keep_days")
        self._state.blobs.expire(now - days * DAY_MS)
        spool.sweep(self.place.store / "spool")

    def _sweep(self) -> None:
        """Look where else the new commit's change would fit, beside the engine's lock; the next hook tells."""
        if self.place.root is None or not self._state.settings().flag("guard.sweep"):
            return
        try:
            sweeping.after_commit(self._state.apart())
        except (CortexError, OSError) as error:
            logger.info("the commit was not swept: %s", error)

    def _notice(self, stop: Callable[[], bool], budget_s: float) -> bool:
        """Go on counting what the code itself says, beside the engine's lock; True while there is more.

        Nobody waits for it, so it waits for everybody: nothing is done while the person works with this repository, and
        half of the time otherwise.
        """
        if self._noticing is None:
            self._noticing = self._next_look()
        end = time.monotonic() + budget_s
        while self._noticing is not None and not stop() and (began := time.monotonic()) < end:
            if began - self._used < QUIET_S:
                time.sleep(QUIET_S / 10)
                continue
            try:
                next(self._noticing)
            except StopIteration:
                self._noticing = None
            except (CortexError, OSError) as error:
                self._noticing = None
                logger.warning("the code of %s could not be looked at: %s", self.place.root, error)
                break
            time.sleep(max(BREATH_S, time.monotonic() - began))
        return self._noticing is not None

    def _read_code(self) -> bool:
        """Go on with the index of code, where a question has asked for one; True while there is more."""
        try:
            return self._state.read_code(CODE_S)
        except (CortexError, OSError) as error:
            logger.info("the code of %s could not be read for searching: %s", self.place.root, error)
            return False

    def _next_look(self) -> Iterator[None] | None:
        """What there is to look at: what the code says of its people, then what it is made of; None for nothing."""
        if noticing.due(self._state):
            return noticing.look(self._state.apart())
        for gitdir, state in list(self._trees.items()):
            tree = state.tree() if gitdir.is_dir() else None  # a linked work tree may be gone
            if tree is not None and tree.id != self._charted.get(gitdir) and charting.due(state):
                self._charted[gitdir] = (
                    tree.id
                )  # once: where the disk takes nothing, the next round would begin anew
                return charting.chart(state.apart())
        return None

    def _revise(self) -> list[dict[str, str]]:
        """Bring the rules up to date, beside the engine's lock: it can take seconds in a large store."""
        self._flush()
        with self._past:
            self._recorded = 0
            changed = teaching.revise_rules(self._state.apart())
            receiving.judge(self._state.apart())
            return changed


@cache
def _accepted(operation: Operation) -> Mapping[str, inspect.Parameter]:
    """What an operation takes: to find it out takes as long as half an answer's packing."""
    return inspect.signature(operation).parameters


def _stamp(place: Place) -> tuple[int, int, int] | None:
    """What tells one store from another in the same place; None where there is none."""
    try:
        found = os.stat(f"{place.common}/{STORE}/writer")
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns
