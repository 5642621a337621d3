"""The labelled corrections of `labels/categories.jsonl`, found again in clones of their repositories.

The labels hold no code: a commit, a path, a line and a correction's id. Both sides of the edit are cut out of the
commit again, as the walk through a history cuts them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pygit2

from cortex.analyzers.edits import edits
from cortex.analyzers.languages import language_of
from cortex.learning.corrections.definitions import Definitions
from cortex.learning.corrections.extraction import sides
from cortex.learning.corrections.traits import Seen, around
from cortex.learning.lineage.ownership import changes
from cortex.learning.lineage.places import text_of
from cortex.learning.past.candidates import identity
from cortex.learning.past.history import walk

#: The half that nobody may learn from; the two others were seen.
AGAIN = "set aside again"
LABELS = Path(__file__).parent / "labels" / "categories.jsonl"


@dataclass(frozen=True)
class Label:
    """One labelled correction; `half` is development, set aside, or set aside again."""

    repository: str
    commit: str
    path: str
    line: int
    correction: str
    label: str
    reason: str
    half: str


def labels(path: Path = LABELS) -> list[Label]:
    """All labels, in their order."""
    return [Label(**json.loads(row)) for row in path.read_text(encoding="utf-8").splitlines()]


def rebuild(
    given: Iterable[Label], clones: Mapping[str, str], wanted: Callable[[Label], bool]
) -> Iterator[tuple[Label, Seen | None]]:
    """Each wanted label with what is seen of its edit; None where the edit is not found again.

    An edit is found by its id, or else by its line, where one edit alone begins there.
    """
    kept = [label for label in given if wanted(label)]
    for name, clone in clones.items():
        repository = pygit2.Repository(clone)
        own = [label for label in kept if label.repository == name]
        # How many places a commit changed is what the walk counts.
        places = {
            found.correction.commit: found.places
            for found in walk(repository, only=frozenset(label.commit for label in own))
        }
        definitions = Definitions(repository)
        for label in own:
            yield label, _seen(repository, definitions, label, places.get(label.commit, 0))


def _seen(repository: pygit2.Repository, definitions: Definitions, label: Label, places: int) -> Seen | None:
    commit = repository[label.commit].peel(pygit2.Commit)
    change = next(
        each
        for each in changes(repository, commit.parents[0].tree, commit.tree)
        if each.new_path == label.path
    )
    before, after = text_of(repository, change.old_id), text_of(repository, change.new_id)
    if before is None or after is None:
        return None
    found = edits(before, after, language_of(label.path))
    cut = [sides(edit) for edit in found]
    at = [pair for pair in cut if identity(label.commit, label.path, *pair) == label.correction]
    at = at or [pair for edit, pair in zip(found, cut, strict=True) if edit.line_before == label.line]
    if len(set(at)) != 1:
        return None
    subject = commit.message.strip().partition("\n")[0][:200]
    beside, whole = around(before, after, cut), definitions.whole(commit)
    return Seen(*at[0], subject, places, cut.count(at[0]), beside, label.path, whole)
