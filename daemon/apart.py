"""What takes long, beside the lock of questions: the past, the rules, where else a commit fits, what the code says."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..repo.errors import CortexError
from .opened import BREATH_S, Opened
from .operations import Progress

# Modules are imported where they work: a question that finds no daemon needs none of them.
logger = logging.getLogger("cortex")

#: How long the daemon reads on in a repository's past before it looks at the rest of its work, in seconds.
SLICE_S = 20.0
QUIET_S = 1.0  # nothing was asked for so long: now there is time to count


class Apart:
    """Long work on one clone, each piece on handles of its own; of what learns one follows the other."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._learning = threading.Lock()
        self.past_is_read = False
        self._recorded = 0  # corrections from the past that the rules have not seen
        self._looking: Iterator[None] | None = None  # what is being looked at, slice by slice
        self._charted: dict[Path, object] = {}  # of each work tree: what its graph was last begun for

    def renew(self) -> None:
        """Another store lies there now: begin anew."""
        self.past_is_read, self._recorded = False, 0
        self._looking = None
        self._charted.clear()

    def history(self, args: Mapping[str, Any], progress: Progress | None) -> Mapping[str, Any]:
        """Learn from the past for `budget_s` seconds, because somebody asked for it."""
        from . import teaching

        with self._learning:
            report = teaching.learn_past(
                self._opened.state.apart(),
                since=str(args.get("since", "")),
                budget_s=float(args.get("budget_s", 30.0)),
                progress=progress,
            )
        self._recorded += report.recorded
        self.past_is_read = report.finished
        changed = self.revise() if report.recorded else []
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

    def read_on(self, stop: Callable[[], bool], budget_s: float) -> bool:
        """Go on in the past by a slice; True while there is more."""
        from . import teaching

        with self._learning:
            # Each slice looks again at up to 500 commits: short ones would never get on.
            report = teaching.learn_past(
                self._opened.state.apart(), budget_s=max(budget_s, SLICE_S), stop=stop
            )
        self._recorded += report.recorded
        self.past_is_read = report.finished
        if report.finished and self._recorded:
            self.revise()
        return not report.finished

    def revise(self) -> list[dict[str, str]]:
        """Bring the rules up to date: it can take seconds in a large store. Says which changed their state."""
        from . import receiving, teaching

        self._opened.flush()
        with self._learning:
            self._recorded = 0
            changed = teaching.revise_rules(self._opened.state.apart())
            receiving.judge(self._opened.state.apart())
            return changed

    def judge(self) -> None:
        """Back-test the rules from elsewhere that wait for it."""
        from . import receiving

        with self._learning:
            receiving.judge(self._opened.state.apart())

    def sweep(self) -> None:
        """Look where else the new commit's change would fit; the next hook tells."""
        from . import sweeping

        if self._opened.place.root is None or not self._opened.state.settings().flag("guard.sweep"):
            return
        try:
            sweeping.after_commit(self._opened.state.apart())
        except (CortexError, OSError) as error:
            logger.info("the commit was not swept: %s", error)

    def look(self, stop: Callable[[], bool], budget_s: float) -> bool:
        """Go on counting what the code itself says; True while there is more.

        Nobody waits for it, so it waits for everybody: nothing is done while the person works with this repository, and
        half of the time otherwise.
        """
        if self._looking is None:
            self._looking = self._next_look()
        end = time.monotonic() + budget_s
        while self._looking is not None and not stop() and (began := time.monotonic()) < end:
            if self._opened.quiet() < QUIET_S:
                time.sleep(QUIET_S / 10)
                continue
            try:
                next(self._looking)
            except StopIteration:
                self._looking = None
            except (CortexError, OSError) as error:
                self._looking = None
                logger.warning("the code of %s could not be looked at: %s", self._opened.place.root, error)
                break
            time.sleep(max(BREATH_S, time.monotonic() - began))
        return self._looking is not None

    def _next_look(self) -> Iterator[None] | None:
        """What there is to look at: what the code says of its people, then what it is made of; None for nothing."""
        from . import charting, noticing

        if noticing.due(self._opened.state):
            return noticing.look(self._opened.state.apart())
        for gitdir, state in list(self._opened.trees.items()):
            tree = state.tree() if gitdir.is_dir() else None  # a linked work tree may be gone
            if tree is not None and tree.id != self._charted.get(gitdir) and charting.due(state):
                # Once: where the disk takes nothing, the next round would begin anew.
                self._charted[gitdir] = tree.id
                return charting.chart(state.apart())
        return None
