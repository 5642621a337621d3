"""What one repository's work needs at hand: journal, blobs, git, settings, models, and what follows from them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..repo import config, ignore
from ..repo.errors import CortexError
from ..repo.places import Place
from ..store.fold import View
from ..store.items import Item, Listing
from ..store.journal import FileJournal, wall_ms
from ..store.kinds import Generation
from ..store.layout import TREES
from ..store.record import Record
from ..store.redacted import without_secrets
from ..store.secrets import clean

if TYPE_CHECKING:
    import pygit2

    from ..learning.guard.ahead import Ahead
    from ..learning.guard.findings import ActiveRule
    from ..models import Classifier, TokenCounter
    from ..store import marks
    from ..store.blobs import Blobs
    from ..store.codegraph import CodeGraph
    from ..store.index import MemoryIndex
    from ..store.layered import LayeredIndex
    from ..store.protocols import Encoder
    from .active import Active
    from .holding import Holding
    from .later import Later
    from .searching import Searcher

#: How long a question waits for its index to take in what is new; the rest is for idle time.
QUESTION_S = 0.3


class Models:
    """The models of one set, each loaded when it is first asked for and shared by all repositories."""

    def __init__(self, name: str = "builtin") -> None:
        self.name = name

    @cached_property
    def encoder(self) -> Encoder:
        """Text and code to vectors."""
        from ..models import load_encoder

        return load_encoder(self.name)

    @cached_property
    def classifier(self) -> Classifier:
        """Text to the type of a task."""
        from ..models import load_classifier

        return load_classifier(self.name)

    @cached_property
    def counter(self) -> TokenCounter:
        """How long a text is for a language model."""
        from ..models import load_counter

        return load_counter(self.name)

    @property
    def loaded(self) -> list[str]:
        """The models that are in memory."""
        return [name for name in ("encoder", "classifier", "counter") if name in self.__dict__]


class State:
    """One repository at work. Not safe for two threads at once: the engine's lock sees to that.

    Raises `PlaceError` when `cortex init` has not run in `place`.
    """

    def __init__(
        self,
        place: Place,
        models: Models,
        *,
        clock: Callable[[], int] = wall_ms,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        place.require_store()
        self.place = place
        self.models = models
        self.clock = clock
        self.environment = environment or {}
        self.journal = FileJournal(place.store, author=self._author(), clock=clock, redact=clean)
        self._listing = Listing(self.journal.writer, self.shown)
        self.still: marks.Follower | None = None  # since commits were last looked at, where nothing waited
        self._generations: tuple[int, int, dict[str, Record]] = (0, 0, {})
        self.reacted = 0  # places that the commits last learnt from made something of
        self._index: list[Holding] = []  # one, once a question was asked; all work trees share it
        self._active: list[Active] = []  # likewise, once somebody asked for the rules
        self._searcher: list[Searcher] = []  # likewise, once a question asked for code or history
        self._code: dict[Path, CodeGraph] = {}  # by their folders: each work tree has its own
        self.later: Later | None = None  # what writes down a moment later what was shown; None for at once

    def beside(self, place: Place) -> State:
        """The state of another work tree of the same clone: one journal and one index for both."""
        other = copy.copy(self)
        other.place = place
        other.__dict__.pop("repository", None)
        other.__dict__.pop("blobs", None)
        other.__dict__.pop("ahead", None)
        return other

    @cached_property
    def repository(self) -> pygit2.Repository:
        """The repository, opened by libgit2.

        Raises `CortexError` for the kinds that libgit2 cannot open (SHA-256 object names).
        """

        from ..repo.open import open_repository

        repository: pygit2.Repository = open_repository(self.place)
        return repository

    @cached_property
    def blobs(self) -> Blobs:
        """Generated code, kept in the object database."""
        from ..store.blobs import Blobs

        return Blobs(self.place)

    def settings(self, flags: Mapping[str, config.Value] | None = None) -> config.Settings:
        """The settings that hold now."""
        return config.load(self.place, self.environment, flags)

    @cached_property
    def ahead(self) -> Ahead:
        """What the guard knows of files before they are committed."""
        from ..learning.guard.ahead import Ahead

        return Ahead()

    @cached_property
    def renames(self) -> dict[tuple[str, str], dict[str, str]]:
        """(commit, tree) → the files that were renamed in between, as far as somebody asked."""
        return {}

    @cached_property
    def standings(self) -> dict[tuple[str, ...], str]:
        """What was said of memories' code, by their versions and the tree: see `standing`."""
        return {}

    @cached_property
    def searches(self) -> dict[tuple[str, ...], int | bool]:
        """How far a tree was searched for what memories speak of, or that nothing was found: see `vanished`."""
        return {}

    @cached_property
    def of_language(self) -> dict[tuple[str, str], list[str]]:
        """(tree, language) → the blobs of its files, of the last few that were searched."""
        return {}

    @cached_property
    def ignored(self) -> ignore.Ignore:
        """What the person does not want to be recorded or learnt from."""
        return ignore.read(self.place.store)

    def view(self) -> View:
        """What is current, by the disk."""
        return self.journal.view()

    def apart(self) -> State:
        """The same repository with handles of its own, for long work beside this state's: no lock is needed."""
        other = self.beside(self.place)
        other.journal = FileJournal(
            self.place.store, author=self.journal.author, clock=self.clock, redact=clean
        )
        other._listing = Listing(self.journal.writer, self.shown)
        other._index, other._code, other._active, other._searcher = [], {}, [], []
        other.later = None
        other._generations = (0, 0, {})
        return other

    def shown(self, item: Item) -> Item:
        """The item as it may be shown."""
        return without_secrets(item)

    def close(self) -> None:
        """Let go of the index; the next question opens it again."""
        while self._index:
            self._index.pop().close()
        while self._code:
            self._code.popitem()[1].close()
        self._searcher.clear()

    def items(self) -> list[Item]:
        """All that can be recalled or listed, without secrets: what was pulled may hold some."""
        return self._listing.items(self.view())

    def index(self, seconds: float = QUESTION_S) -> MemoryIndex | LayeredIndex:
        """The index over `items()`, brought up to date for about that long; `catch_up` does the rest.

        Where most of it was laid down neither the journal nor the items are read for it.
        """
        return self.holding.index(self, seconds)

    @property
    def answers(self) -> bool:
        """Whether a question was asked since it was opened."""
        return bool(self._index)

    @property
    def holding(self) -> Holding:
        """What questions are answered from."""
        from .holding import Holding

        if not self._index:
            self._index.append(Holding(self))
        return self._index[0]

    def distrust(self) -> None:
        """What was laid down turned out to be damaged."""
        for each in self._index:
            each.distrust()

    def forget(self) -> None:
        """Hold nothing that was made of the journal, which was let go of: it is made again of what is read then."""
        self.forget_items()
        self._generations = (0, 0, {})
        for each in self._active:
            each.forget()

    def forget_items(self) -> None:
        """Hold no list of all items: what asks for it next makes it anew."""
        self._listing = Listing(self.journal.writer, self.shown)

    def code(self) -> CodeGraph:
        """The graph of this work tree's code, as it was last made; `charting` brings it to what is checked out."""
        from ..store.codegraph import CodeGraph

        held = self._code.get(self.code_folder)
        if held is None:
            held = self._code[self.code_folder] = CodeGraph(self.code_folder)
        else:
            held.refreshed()
        return held

    @property
    def code_folder(self) -> Path:
        """Where the graph of the code lies: of a linked work tree in a folder of its own, for it has its own HEAD."""
        index, gitdir = self.place.store / "index", self.place.gitdir
        return index if gitdir == self.place.common else index / TREES / gitdir.name

    @property
    def searcher(self) -> Searcher:
        """What searches code, docs and history."""
        from .searching import Searcher

        if not self._searcher:
            self._searcher.append(Searcher(self))
        return self._searcher[0]

    def read_code(self, seconds: float) -> bool:
        """Go on with the index of code, where a question has asked for one; True while there is more."""
        return any(each.catch_up(self, seconds) for each in self._searcher)

    def tree(self) -> pygit2.Tree | None:
        """The tree that is checked out; None before the first commit."""
        import pygit2

        try:
            return self.repository.revparse_single("HEAD").peel(pygit2.Tree)
        except (KeyError, pygit2.GitError):
            return None

    def catch_up(self, seconds: float = QUESTION_S) -> bool:
        """Go on with what the index still lacks; True while there is more."""
        return bool(self._index) and self._index[0].catch_up(self, seconds)

    @property
    def waits(self) -> bool:
        """Whether a question left more to do for `catch_up`."""
        return (bool(self._index) and self._index[0].behind > 0) or any(each.waits for each in self._searcher)

    def behind(self) -> tuple[int, list[str]]:
        """How many memories the index still lacks, and what had to be made again."""
        from ..store.derived import read_manifest

        if self._index:
            return self._index[0].behind, self._index[0].notes
        if (self.place.store / "index" / "bulk" / "bulk.json").exists():
            return 0, []  # what came since is few, and to open what was laid down takes a second
        found = read_manifest(self.place.store / "index")  # to say so, no model is loaded
        return max(0, len(self.items()) - (0 if isinstance(found, str) else found.memories)), []

    @property
    def active(self) -> Active:
        """The rules that may warn, and how they stand."""
        from .active import Active

        if not self._active:
            self._active.append(Active(self.place.store, self.journal))
        return self._active[0]

    def rules(self) -> list[ActiveRule]:
        """The rules that may warn, as they are recorded; `shown_rule` is what may be said of one."""
        return self.active.rules()

    def shown_rule(self, rule: str) -> ActiveRule:
        """One of the rules last told by `rules()`, by its id, without secrets."""
        return self.active.shown(rule)

    def generations(self) -> Mapping[str, Record]:
        """The last generation of each path; only what is new is gone through."""
        view = self.view()
        version, count, last = self._generations
        now, new = view.version, view.tail(Generation.KIND, count, version)
        if new is None:
            count, last, new = 0, {}, list(view.of_kind(Generation.KIND))
        last.update((str(record.body.get("path", "")), record) for record in new)
        self._generations = (now, count + len(new), last)
        return last

    def head(self) -> str:
        """The commit that is checked out, as hex; empty before the first."""
        import pygit2

        try:
            return str(self.repository.revparse_single("HEAD").id)
        except (KeyError, pygit2.GitError):
            return ""

    def path(self, given: str | Path, cwd: str | None = None) -> str:
        """`given` as git names it; relative paths count from `cwd`, else from the work tree's root."""
        path = Path(given)
        if not path.is_absolute() and cwd:
            path = Path(cwd) / path
        return self.place.relative(path)

    def _author(self) -> str:
        from ..repo.open import signature

        try:
            return signature(self.repository)
        except CortexError:
            return ""
