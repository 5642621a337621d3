"""A repository's own code, docs and history for `ask --in`: the index is made on the first such question, and kept."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

import pygit2

from ..analyzers.passages import passages, passed_over
from ..recall.codehistory import Commit, History
from ..recall.codequery import read_query
from ..recall.codesearch import CODE, DOCS, HISTORY, Found, search
from ..repo import trees
from ..repo.errors import CortexError
from ..store import derived, layout, notes
from ..store.codefiles import COMMITS
from ..store.codeindex import CodeIndex
from ..store.durable import SYSTEM, read

if TYPE_CHECKING:
    from ..store.protocols import Passage
    from .state import State

#: Raised when what is kept of a commit changes.
FORM = 1
#: So many commits are held, the newest; and so many paths of one.
MOST, PATHS = 5_000, 200
SUBJECT, BODY = 300, 1_200
#: So many lines above a function are looked through for the beginning of its comment.
ABOVE = 80
_COMMENT = re.compile(r"\s*(?://|/?\*|#)")
#: A line of it that says something to people.
_SAYS = re.compile(r"^[^\w@]*[A-Za-z]\w+ \w")
#: How long a question waits for files to be read: where nothing was read yet, and later.
FIRST_S, AGAIN_S = 2.0, 0.3
#: How long it waits for commits.
WALK_S = 1.0


@dataclass(frozen=True)
class Told:
    """What was found, what was left with the reason, and what there is to say of how it was looked for."""

    found: Sequence[Found]
    dropped: Mapping[str, int]
    notes: tuple[str, ...]
    left: Sequence[tuple[Found, str]] = ()
    terms: tuple[str, ...] = ()  # what was looked for


class Tree:
    """The files of a commit's tree, without what the person ignores."""

    def __init__(self, state: State) -> None:
        self._repository = state.repository
        self._ignored = state.ignored
        self._tree = state.tree()

    def files(self) -> Sequence[tuple[str, str]]:
        """Path and blob of each; links are none."""
        return sorted(
            (path, str(blob.id))
            for path, blob in (trees.files(self._tree) if self._tree is not None else ())
            if blob.filemode != pygit2.enums.FileMode.LINK and not self._ignored.matches(path)
        )

    def read(self, path: str, blob: str) -> Sequence[Passage] | str:
        """What there is to find in a file."""
        try:
            found = self._repository[blob]
        except (KeyError, pygit2.GitError):
            return "missing"  # a partial clone lacks it
        if not isinstance(found, pygit2.Blob):
            return "no file"
        # Looked at before it is read: a large one costs its size.
        size = found.size
        data = found.data if size <= 1 << 20 else b""
        return passed_over(path, size, data[:8192]) or passages(path, data)


class Searcher:
    """The index of one clone's code and past; made by the first question that asks for it."""

    def __init__(self, state: State) -> None:
        self.folder = state.place.store / "index" / layout.CODE
        self._index = CodeIndex(self.folder, state.models.encoder)
        self._history: History | None = None
        self._head = ""
        self._asked = ""  # the commit that the files are of

    def look(
        self, state: State, question: str, sources: Sequence[str], path: str = "", endings: Sequence[str] = ()
    ) -> Told:
        """Look in what `sources` names, as far as it was read."""
        asked = read_query(question)
        said: list[str] = []
        code = CODE in sources
        if code:
            whole = self.refresh(state, AGAIN_S if self._index.read else FIRST_S, asked.terms)
            if not whole:
                of = self._index.read + self._index.behind
                said.append(
                    f"the index of code is being made: {self._index.read:,} of {of:,} files were searched"
                )
            said += self._index.notes
        history, all_read = self.history(state, WALK_S)
        if HISTORY in sources and not all_read:
            said.append(f"history is being read: the newest {len(history.commits):,} commits were searched")
        looked = search(
            asked, self._index.corpus(), history, state.models.encoder,
            code=code, past=HISTORY in sources, folder=path, endings=endings,
        )  # fmt: skip
        passed = self._index.passed() if code else {}
        if passed:
            counts = ", ".join(f"{count:,} {reason}" for reason, count in sorted(passed.items()))
            said.append(f"passed over: {counts}")
        if asked.vague:
            said.append(
                "code and history were not searched: the question names no function, file or behaviour"
            )
        return Told(looked.found, looked.dropped, tuple(said), looked.left, asked.terms)

    def today(self, changed: Sequence[str]) -> list[str]:
        """What a commit changed, each with its line of today; without one where it is gone, or not known."""
        out = []
        for each in changed:
            where, _, name = each.partition(" ")
            path = where.rpartition(":")[0] if name else where
            line = self._index.corpus().lines.get((path, name))
            out.append(f"{path}:{line} {name}" if line else f"{path} {name}".strip())
        return out

    def refresh(self, state: State, seconds: float, first: Sequence[str] = ()) -> bool:
        """Read files for about that long; whether all were."""
        head = state.head()
        if head == self._asked and not self._index.behind:
            return True
        done = self._index.refresh(Tree(state), seconds, [word for word in first if len(word) > 2])
        self._asked = head
        return done

    @property
    def waits(self) -> bool:
        """Whether a question left files to be read."""
        return self._index.behind > 0

    def catch_up(self, state: State, seconds: float) -> bool:
        """Go on with what is not read yet; True while there is more."""
        done = self.refresh(state, seconds)
        return not (self.history(state, seconds)[1] and done)

    def history(self, state: State, seconds: float) -> tuple[History, bool]:
        """The commits on the way to HEAD, and whether all that are held were read."""
        head = state.head()
        if self._history is None or head != self._head:
            known, of = self._kept() if self._history is None else (list(self._history.commits), self._head)
            commits, done = walked(state.repository, head, known, of, seconds)
            self._history = History(commits)
            self._head = head if done else ""
            if done and (head != of or not known):
                self._keep(commits, head)
        return self._history, bool(self._head or not head)

    def _kept(self) -> tuple[list[Commit], str]:
        try:
            said = notes.read(read(SYSTEM, self.folder / COMMITS)) or {}
            if said.get("form") == FORM:
                return [
                    Commit(i, t, who, told, body, tuple(on)) for i, t, who, told, body, on in said["commits"]
                ], str(said["head"])
        except (OSError, KeyError, TypeError, ValueError):
            pass  # it is read from git again
        return [], ""

    def _keep(self, commits: Sequence[Commit], head: str) -> None:
        told = [[c.id, c.t, c.author, c.subject, c.body, list(c.paths)] for c in commits]
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            data = notes.write({"schema": 1, "form": FORM, "head": head, "commits": told})
            derived.replace(self.folder / COMMITS, data)
        except (OSError, CortexError):
            return  # read from git again by whoever comes next


def walked(
    repository: pygit2.Repository, head: str, known: Sequence[Commit], of: str, seconds: float
) -> tuple[list[Commit], bool]:
    """The newest commits on the way to `head`, merges passed over; of those `known` nothing is read again.

    The second is whether there was time for all; `of` is the commit that `known` lead to, where that is sure.
    """
    if not head or head == of:
        return list(known), True
    end = time.monotonic() + seconds
    before = {each.id: each for each in known}
    out: list[Commit] = []
    for commit in repository.walk(head, pygit2.enums.SortMode.TOPOLOGICAL):
        if len(out) >= MOST:
            break
        if len(commit.parent_ids) < 2:
            there = before.get(str(commit.id))
            if there is None and time.monotonic() >= end:
                return out, False
            out.append(there or _read(repository, commit))
    return out, True


def _read(repository: pygit2.Repository, commit: pygit2.Commit) -> Commit:
    subject, _, body = commit.message.strip().partition("\n")
    paths: list[str] = []
    try:
        if commit.parent_ids:
            for delta in repository.diff(commit.parents[0], commit, context_lines=0).deltas:
                paths.append(delta.new_file.path)
                if len(paths) >= PATHS:
                    break
    except (KeyError, pygit2.GitError, UnicodeDecodeError):
        paths = []  # a partial clone lacks a tree of it, or a name is not UTF-8
    return Commit(
        str(commit.id), commit.commit_time * 1000, commit.author.name, subject[:SUBJECT], body.strip()[:BODY],
        tuple(paths),
    )  # fmt: skip


def text_at(repository: pygit2.Repository, found: Found, lines: int = 200) -> tuple[str, str]:
    """The text of a place, as it stands in its blob, and the first line of the comment right above it."""
    try:
        data = repository[found.blob].peel(pygit2.Blob).data
    except (KeyError, pygit2.GitError):
        return "", ""
    whole = data.decode("utf-8", "replace").split("\n")
    comment = list(
        takewhile(_COMMENT.match, reversed(whole[max(0, found.first - 1 - ABOVE) : found.first - 1]))
    )
    said = [line for line in reversed(comment) if _SAYS.search(line)] if len(comment) < ABOVE else []
    text = "\n".join(whole[found.first - 1 : min(found.last, found.first - 1 + lines)])
    return text, said[0] if said and found.kind in ("function", "type") else ""


def changed_by(repository: pygit2.Repository, commit: Commit, most: int = 8) -> list[str]:
    """The functions that a commit changed, as `path:line name`, by its own tree; files where there are none."""
    from ..analyzers.functions import units_of
    from ..analyzers.languages import language_of

    out: list[str] = []
    try:
        found = repository[commit.id].peel(pygit2.Commit)
        patches = repository.diff(found.parents[0], found, context_lines=0) if found.parents else ()
        for patch in filter(None, patches):
            path, language = patch.delta.new_file.path, language_of(patch.delta.new_file.path)
            blob = repository[patch.delta.new_file.id] if patch.delta.status_char() != "D" else None
            if not language or not isinstance(blob, pygit2.Blob) or blob.size > 1 << 20:
                out.append(path)
            else:
                spans = [(h.new_start, h.new_start + max(0, h.new_lines - 1)) for h in patch.hunks]
                units = [each for each in units_of(blob.data, language) if each.kind == "function"]
                hit = [
                    f"{path}:{each.first} {each.name}"
                    for each in units
                    if any(each.first <= high and low <= each.last for low, high in spans)
                ]
                out += hit or [path]
            if len(out) >= most:
                break
    except (KeyError, pygit2.GitError, UnicodeDecodeError):
        return out
    return out[:most]


__all__ = [
    "CODE",
    "DOCS",
    "HISTORY",
    "Searcher",
    "Told",
    "changed_by",
    "text_at",
]
