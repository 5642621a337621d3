"""One generation as learning sees it: its texts, its task, and what is known of its fate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from ...store.fold import View
from ...store.kinds import Execution, Generation, Outcome
from .lines import bare, normal, rows
from .pairing import Replay

#: How long a generation waits for its commit, and its lines are watched after it.
DAYS = 30
_DAY_MS = 86_400_000
_SHORT = 4
#: More than this is data; it has no outcome.
_HUGE = 1 << 20


class Blobs(Protocol):
    """Where the texts of generations are; `cortex.store.blobs.Blobs` is one."""

    def read(self, oid: str) -> bytes | None:
        """The blob's bytes; None when it is not there any more."""
        ...


@dataclass(eq=False)
class Piece:
    """One generation; `before` and `after` are its file's text, with LF, and None when that is gone."""

    m: str
    generation: Generation
    execution: Execution
    order: tuple[int, str, str]
    blobs: Blobs
    outcome: Outcome | None = None
    thoughts: int = 0  # 1 where it re-edited its own earlier lines with no new prompt between
    homes: frozenset[str] = frozenset()  # other files that hold parts of it
    _texts: dict[str, bytes | None] = field(default_factory=dict)
    _solid: frozenset[bytes] | None = None

    def text(self, oid: str) -> bytes | None:
        """A blob as text; empty for no file, None when it is gone, huge or binary."""
        if not oid:
            return b""
        if oid not in self._texts:
            data = self.blobs.read(oid)
            plain = data is not None and len(data) <= _HUGE and b"\0" not in data[:8000]
            self._texts[oid] = normal(data) if plain else None
        return self._texts[oid]

    @property
    def before(self) -> bytes | None:
        """The file before the generation."""
        return self.text(self.generation.before)

    @property
    def after(self) -> bytes | None:
        """The file as the assistant left it."""
        return self.text(self.generation.after)

    @property
    def agent(self) -> str:
        """Who wrote it."""
        return self.execution.agent

    def solid(self) -> frozenset[bytes]:
        """The lines that it wrote, bare, without those too short to be known again."""
        if self._solid is None:
            replay = Replay(self.before or b"")
            replay.advance(self.after or b"", 0)
            lines = rows(self.after or b"")
            mine = (bare(lines[number - 1]) for number in replay.lines_of([0]))
            self._solid = frozenset(line for line in mine if len(line) >= _SHORT)
        return self._solid

    def began_with(self) -> frozenset[bytes]:
        """The lines of the file before it, bare."""
        return frozenset(bare(line) for line in rows(self.before or b""))

    def text_written(self) -> bytes:
        """The lines that it wrote."""
        replay = Replay(self.before or b"")
        replay.advance(self.after or b"", 0)
        lines = rows(self.after or b"")
        return b"\n".join(lines[number - 1] for number in replay.lines_of([0]))

    def restores(self, text: str) -> bool:
        """Whether each line of `text` is one that this generation took away."""
        lines = {bare(line) for line in text.encode("utf-8", "replace").split(b"\n") if line.strip()}
        before = {bare(line) for line in rows(self.before or b"")}
        return bool(lines) and lines <= before - {bare(line) for line in rows(self.after or b"")}

    def same_conversation(self, earlier: Piece) -> bool:
        """Whether both come from one conversation, or from one task."""
        if self.generation.execution and self.generation.execution == earlier.generation.execution:
            return True
        mine, other = self.execution.conversation, earlier.execution.conversation
        return bool(mine) and mine == other

    def new_prompt_after(self, earlier: Piece) -> bool:
        """Whether the person said something between `earlier` and this, in the same conversation."""
        if self.generation.execution == earlier.generation.execution or not self.same_conversation(earlier):
            return False
        mine, other = self.execution, earlier.execution
        if mine.prompt or other.prompt:
            return mine.prompt != other.prompt
        return mine.task != other.task


class Pieces:
    """The generations of the last 30 days, by path."""

    def __init__(self, view: View, blobs: Blobs, now: int) -> None:
        self.expired = 0
        self._all: list[Piece] = []
        self._by_path: dict[str, list[Piece]] = {}
        outcomes: dict[str, Outcome] = {}
        for record in view.of_kind("outcome"):
            body = record.decoded()
            if isinstance(body, Outcome):
                outcomes[body.generation] = body
        #: What the person said last of each generation.
        self.remarks: dict[str, str] = {
            str(record.body.get("of", "")): str(record.body.get("verdict", ""))
            for record in sorted(view.of_kind("feedback"), key=lambda each: (each.t, each.w, each.id))
            if record.body.get("verdict")
        }
        for record in view.of_kind("generation"):
            if now - record.t > DAYS * _DAY_MS:
                self.expired += record.m not in outcomes
                continue
            body = record.decoded()
            if not isinstance(body, Generation) or not body.path:
                continue
            task = view.current(body.execution)
            execution = task.decoded() if task is not None else None
            piece = Piece(
                record.m,
                body,
                execution if isinstance(execution, Execution) else Execution(),
                (record.t, record.w, record.id),
                blobs,
                outcomes.get(record.m),
            )
            if piece.outcome is not None:
                piece.homes, piece.thoughts = frozenset(piece.outcome.also), piece.outcome.second_thoughts
            self._all.append(piece)
            self._by_path.setdefault(body.path, []).append(piece)
            if piece.outcome is not None:
                self.stands_in(piece, (piece.outcome.path, *piece.outcome.also))

    def __iter__(self) -> Iterator[Piece]:
        return iter(self._all)

    def stands_in(self, piece: Piece, paths: Iterable[str]) -> None:
        """Its lines are in these files now: a commit that changes one of them speaks of it."""
        for path in paths:
            if path and piece not in (there := self._by_path.setdefault(path, [])):
                there.append(piece)

    def at(self, path: str) -> list[Piece]:
        """The generations of one path, oldest first."""
        return self._by_path.get(path, [])

    def paths(self) -> list[str]:
        """All paths with a generation."""
        return list(self._by_path)
