"""Where generated code is: in which files of a commit, in a work tree, or in a commit that follows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pygit2

from ..lineage.branches import Branches
from ..lineage.lines import bare, normal, rows
from ..lineage.moved import NAME
from ..lineage.ownership import Change, commit_at, text_blob
from ..lineage.pairing import MOVED
from ..lineage.piece import Piece, Pieces
from .committed import Committed, Worktrees, holds, versions
from .remains import holds_part

#: With fewer words a generation is not known again by them.
_KNOWN = 4


class Whereabouts:
    """Looks for generations; `batch` are the commits (ids) that are looked at in one go, oldest first."""

    def __init__(
        self,
        repository: pygit2.Repository,
        branches: Branches,
        worktrees: Worktrees,
        pieces: Pieces,
        batch: Sequence[str],
    ) -> None:
        self._repository, self._branches, self._worktrees = repository, branches, worktrees
        self._pieces, self._batch = pieces, batch
        self._ahead: dict[str, list[tuple[int, pygit2.Oid]]] = {}  # path -> its versions in this batch

    def pairs(self, said: Committed) -> Iterator[tuple[str, str, list[Piece]]]:
        """(new path, old path, generations) for each file of the commit that an assistant wrote to."""
        taken: dict[Change, list[Piece]] = {}
        for change in said.changes:
            here = self._pieces.at(change.new_path) if change.new_path else []
            if change.old_path != change.new_path and change.old_path and said.left(change.old_path):
                here = [*here, *self._pieces.at(change.old_path)]
            if here:
                taken.setdefault(change, []).extend(here)
        changed = {path for change in taken for path in (change.new_path, change.old_path)}
        for path in self._pieces.paths():
            if path in said.gone or path in changed:
                continue
            for piece in self._pieces.at(path):
                # Renamed, moved or split before it was ever committed: found again by what it says.
                new = (
                    not piece.outcome or self._branches.off(piece.outcome.commit)
                ) and not self._still_there(piece, path)
                home = said.like(piece.solid(), piece.text_written()) if new else None
                if new and home is None and said.left(path):
                    home = self._come_since(said, piece)
                if home is not None and said.has(path):
                    home = Change(path, path, None, None)  # the file itself is as it was
                if home is not None and piece not in taken.get(home, ()):
                    taken.setdefault(home, []).append(piece)
        for change, pieces in taken.items():
            yield change.new_path, change.old_path, sorted(pieces, key=lambda each: each.order)

    def _come_since(self, said: Committed, piece: Piece) -> Change | None:
        """The file of this commit that is younger than the generation, and holds most of its words.

        A file that was renamed, edited in nearly each line and committed in parts is known by nothing else.
        """
        head = commit_at(self._repository, piece.generation.head) if piece.generation.head else None
        words = set(NAME.findall(piece.text_written())) - set(NAME.findall(piece.before or b""))
        for change in said.changes if len(words) >= _KNOWN else ():
            if change.new_path and not (head is not None and holds(head.tree, change.new_path)):
                text = said.after(change.new_path) or b""
                if len(words & set(NAME.findall(text))) >= MOVED * len(words):
                    return change
        return None

    def _still_there(self, piece: Piece, path: str) -> bool:
        """Whether a work tree has what it wrote, where it wrote it."""
        for text in self._worktrees.texts({path}):
            lines = {bare(line) for line in rows(normal(text))}
            if not piece.solid() or 2 * len(piece.solid() & lines) >= len(piece.solid()):
                return True
        return False

    def waiting(self, said: Committed, committed: bytes, pending: Sequence[Piece], path: str) -> list[Piece]:
        """Generations of which a part is in a work tree or in a later commit, and not in this: a later one decides."""
        here = {bare(line) for line in rows(committed)}
        waits = []
        for piece in pending:
            lost = piece.solid() - here
            if not lost:
                continue
            paths = {path, piece.generation.path} - {""}
            whole = lost == piece.solid()
            for text in (*self._worktrees.texts(paths), *self._versions_after(said, paths)):
                there = {bare(line) for line in rows(normal(text))}
                if 2 * len(lost & there) >= len(lost) or (whole and holds_part(normal(text), piece)):
                    waits.append(piece)
                    break
        rewritten: frozenset[bytes] = frozenset()
        for piece in reversed(pending):  # what was rewritten by one that waits is not decided before it
            if piece not in waits and piece.solid() & rewritten and not piece.solid() & here:
                waits.append(piece)
            if piece in waits:
                rewritten |= piece.began_with()
        return waits

    def _versions_after(self, said: Committed, paths: Iterable[str]) -> Iterator[bytes]:
        """These files as the commits of this batch that follow have them: a part may be committed later."""
        here = str(said.commit.id)
        at = self._batch.index(here) if here in self._batch else len(self._batch)
        for path in sorted(paths):
            if path not in self._ahead:
                self._ahead[path] = versions(self._repository, self._batch, path)
            for number, blob in self._ahead[path]:
                if number > at and self._branches.within(here, self._batch[number]):
                    found = text_blob(self._repository, blob)
                    yield found.data if found is not None else b""

    def on_another_line(self, piece: Piece, said: Committed) -> bool:
        """Whether the commit never had what the generation began with: it cannot have thrown it away."""
        head = piece.generation.head
        return (
            bool(head)
            and not self._branches.within(head, str(said.commit.id))
            and not self._branches.off(head)
        )
