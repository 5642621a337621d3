"""The Python interface to one repository's memory: through the daemon where one answers, else in process."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from .. import __version__
from ..repo.errors import PlaceError
from ..repo.places import Place, find
from . import client
from .contracts.asking import AskResult
from .contracts.checking import CheckResult
from .contracts.keeping import LearnResult, LogResult, RecordResult

if TYPE_CHECKING:
    from ..store.record import Record
    from .engine import Engine

Progress = Callable[[Mapping[str, object]], None]
#: What is asked of the daemon under a name: when it goes away before it answers, the same is asked in process.
WRITING = frozenset(
    {
        "feedback",
        "forget",
        "hook",
        "record",
        "remember",
        "rule_decide",
        "rule_import",
        "settle",
        "swept",
        "trial",
        "unsay",
    }
)


class Session:
    """One repository's memory; make it with `cortex.open(path)`.

    Every method raises `CortexError`, with a hint, when something is not right. What is returned is
    documented in `docs/contracts.md`. When a method that writes returns, what it wrote is on disk.
    """

    def __init__(
        self,
        place: Place,
        *,
        daemon: bool = True,
        environment: Mapping[str, str] | None = None,
        start: Callable[[], None] | None = None,
    ) -> None:
        self.place = place
        self.through_daemon: bool | None = None  # how the last call went; None before the first
        self._daemon = daemon
        self._environment = environment
        self._start = start  # what to do, once, when no daemon of this version answers
        self._engine: Engine | None = None

    @classmethod
    def open(
        cls,
        path: str | Path = ".",
        *,
        daemon: bool = True,
        environment: Mapping[str, str] | None = None,
        start: Callable[[], None] | None = None,
    ) -> Session:
        """The memory of the repository around `path`; raises `PlaceError` where there is none."""
        place = find(path)
        place.require_store()
        return cls(place, daemon=daemon, environment=environment, start=start)

    def recall(
        self,
        query: str,
        *,
        k: int | None = None,
        budget: int | None = None,
        language: str = "",
        path: str = "",
        sources: str | Sequence[str] = "memories",
        explain: bool = False,
    ) -> AskResult:
        """The memories that matter for `query`: at most `k`, in at most `budget` tokens, or none.

        With `sources` "memories,code,history" the repository's functions, docs and commits too; `explain` fills
        `explanation`.
        """
        given: dict[str, Any] = {"k": k, "budget": budget, "language": language, "path": path}
        given["sources"] = sources if isinstance(sources, str) else list(sources)
        given["explain"] = explain
        told = self.call("ask", question=query, channel="python", **given)
        return cast(AskResult, told)

    def remember(
        self,
        text: str,
        *,
        title: str = "",
        type: str = "note",
        scope: str = "project",
        language: str = "",
        path: str = "",
        reason: str = "",
        private: bool = False,
    ) -> str:
        """Write a memory down; returns its id once it is on disk."""
        told = self.call(
            "remember",
            text=text,
            title=title,
            type=type,
            scope=scope,
            language=language,
            path=path,
            reason=reason,
            private=private,
            origin="python",
        )
        return cast(str, told["id"])

    def record(self, path: str, content: str | None = None, **details: str | bool | None) -> RecordResult:
        """Record what an assistant wrote into `path`; `details` are those of `cortex record`."""
        given: dict[str, Any] = dict(details)
        return cast(RecordResult, self.call("record", path=path, content=content, **given))

    def check(
        self,
        paths: Sequence[str] | None = None,
        *,
        text: str | None = None,
        language: str = "",
        since: str = "",
    ) -> CheckResult:
        """Findings of the guard: in the index, in files, in what changed since a revision, or in `text`."""
        files = list(paths) if paths else None
        told = self.call("check", files=files, text=text, language=language, since=since, channel="python")
        return cast(CheckResult, told)

    def learn(self, *, since: str = "", everything: bool = False) -> LearnResult:
        """Learn from new commits now."""
        return cast(LearnResult, self.call("learn", since=since, everything=everything))

    def log(self, *, limit: int = 20, kind: str = "", language: str = "") -> LogResult:
        """The memories, newest first; `limit` 0 for all."""
        return cast(LogResult, self.call("log", limit=limit, kind=kind, language=language))

    def records(self) -> Iterator[Record]:
        """All records of the journal, in the order (t, w, id), read from disk."""
        from ..store.journal import FileJournal

        yield from FileJournal(self.place.require_store(), author="").records()

    def call(
        self, op: str, *, progress: Progress | None = None, timeout: float = 600.0, **args: object
    ) -> Mapping[str, Any]:
        """Do one operation of the engine by its name; arguments that are None are left out."""
        given = {name: value for name, value in args.items() if value is not None}
        given["at"] = str(self._root)
        if self._daemon and self._start is not None and client.is_of_another_version(__version__):
            self._start_once()  # it finishes what it has, and the new one takes over; this is done here meanwhile
        elif self._daemon:
            named = {**given, "request": secrets.token_hex(16)} if op in WRITING else given
            try:
                reply = client.exchange(op, str(self._root), named, timeout=timeout, progress=progress)
            except client.NoDaemon as error:
                self._start_once()
                if isinstance(error, client.Gone):
                    given = named  # it may be done, and is not done twice
            except client.Wedged:
                given = named
            else:
                self.through_daemon = True
                if reply.version != __version__:
                    self._start_once()  # one of another version is stopped first, cleanly
                return reply.result
        self.through_daemon = False
        return self.engine.handle(op, given, progress)

    def _start_once(self) -> None:
        if self._start is not None:
            start, self._start = self._start, None
            start()

    @property
    def engine(self) -> Engine:
        """The engine of this process, made when no daemon answers."""
        if self._engine is None:
            from .engine import Engine

            self._engine = Engine(self.place, environment=self._environment)
        return self._engine

    @property
    def _root(self) -> Path:
        root = self.place.root or self.place.gitdir
        if not root.is_dir():
            raise PlaceError(f"{root} is gone")
        return root

    def close(self) -> None:
        """Let go of what is open; the session can be used again."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
