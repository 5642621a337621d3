"""Tasks whose right memory is known, from histories in time order: commits that repeat an earlier correction.

A task is one file of a commit that corrects something. Its right memories are the corrections of earlier commits that
are the same change: the same key, or the same tokens went and came (`cortex.evaluation.likeness`). It is told by its
commit's subject without the words of the edit itself; the code is the file as it was before.
"""

from __future__ import annotations

import pickle
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pygit2
from measuring import say

from cortex.evaluation.gathered import Case, Gathered
from cortex.evaluation.likeness import Likeness
from cortex.evaluation.order import order
from cortex.learning.past.history import branch_tips, walk
from cortex.recall.sameness import sketch
from cortex.store.codec import encode
from cortex.store.fold import View
from cortex.store.items import Item, items
from cortex.store.record import Draft, make
from cortex.store.words import query_terms, terms

OWN = "0" * 32
#: Fewer words than these of a subject say nothing once those of the edit are gone.
FEWEST_WORDS = 2
LARGEST = 200_000  # bytes of a file
_WORD = re.compile(r"[\w']+")


@dataclass(frozen=True)
class Task:
    """One file of a commit, told as it would have been before it was written; `right` are ids of memories."""

    at: int
    time: int  # ms
    commit: str
    path: str
    language: str
    said: str
    code: str
    right: frozenset[str]
    near: bool  # whether a correction that brought the same interface was known


@dataclass
class History:
    """The tasks of one history in time order, and what was corrected in it: each with the place where it was known."""

    name: str
    cases: list[Case]
    tasks: list[Task]
    unsaid: int  # tasks with a right memory whose subject says nothing without the words of the edit

    def memories(self) -> list[tuple[int, Item]]:
        """Each correction as recall sees it, in the order in which they became known."""
        records = [
            make(
                Draft(case.correction, m=case.m),
                t=case.correction.committed, w=OWN, n=number + 1, author="replay", body=encode(case.correction),
            )
            for number, case in enumerate(self.cases)
        ]  # fmt: skip
        made = {each.id: each for each in items(View(records), OWN)}
        return [(case.known, made[case.m]) for case in self.cases if case.m in made]


def name_of(folder: Path) -> str:
    """The name of a history, by its folder."""
    return (folder.parent if folder.name == "repo" else folder).name.rpartition("+")[2]


def history(folder: Path, newest: int = 0, cache: Path | None = None) -> History:
    """Walk a history, or its newest commits; agents' changes of agents' code are corrections as well.

    The code of a history stays in `cache`, if anywhere.
    """
    name = name_of(folder)
    kept = cache / f"{name}-{newest}.tasks" if cache else None
    if kept and kept.exists():
        found: History = pickle.loads(kept.read_bytes())  # our own, written below
        return found
    repository = pygit2.Repository(str(folder))
    tips = branch_tips(repository)
    happened = order(repository, tips)
    first = max(0, len(happened.commits) - newest) if newest else 0
    since = happened.times[first] if first else None
    with tempfile.TemporaryDirectory() as place:
        gathered = Gathered(Path(place) / "found.db")
        for each in walk(repository, tips=tips, agents_too=True, since=since):
            gathered.add(each, happened)
        cases = [case for case in gathered.all() if case.learnable and case.may]
        gathered.close()
    tasks, unsaid = _tasks(repository, cases, happened.times)
    made = History(name, cases, tasks, unsaid)
    right = sum(bool(task.right) for task in tasks)
    say(f"{name}: {len(cases):,} corrections, {len(tasks):,} tasks, {right} repeat one, {unsaid} say nothing")
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(pickle.dumps(made))
    return made


def _tasks(
    repository: pygit2.Repository, cases: Sequence[Case], times: Sequence[int]
) -> tuple[list[Task], int]:
    """The tasks of all cases, and how many of those with a right memory say nothing."""
    grouped: defaultdict[tuple[int, str], list[Case]] = defaultdict(list)
    edits: defaultdict[int, set[str]] = defaultdict(set)
    for case in cases:
        grouped[case.known, case.correction.path].append(case)
        edits[case.known] |= _of_the_edit(case)
    known: defaultdict[object, list[tuple[int, str, Likeness]]] = defaultdict(list)
    out, unsaid = [], 0
    for at, path in sorted(grouped):
        mine = [Likeness.of(case.correction, case.edit) for case in grouped[at, path]]
        right = {
            m
            for one in mine
            for handle in _handles(one)
            for before, m, other in known.get(handle, ())
            if before < at and one.twin(other)
        }
        near = any(
            before < at and one.related(other)
            for one in mine
            for name in one.came
            for before, _, other in known.get(("came", name), ())
        )
        for case, one in zip(grouped[at, path], mine, strict=True):
            for handle in (*_handles(one), *(("came", name) for name in one.came)):
                known[handle].append((at, case.m, one))
        said = plain(grouped[at, path][0].correction.subject, edits[at])
        if len(query_terms(said)) < FEWEST_WORDS:
            unsaid += bool(right)
            continue
        first = grouped[at, path][0].correction
        code = _before(repository, first.commit, path)
        out.append(
            Task(at, times[at] * 1000, first.commit, path, first.language, said, code, frozenset(right), near)
        )
    return out, unsaid


def _handles(one: Likeness) -> Iterator[object]:
    if one.key:
        yield one.key
    if one.sketch is not None:
        yield (one.language, *one.sketch[:2])


def _of_the_edit(case: Case) -> set[str]:
    """The stems of what went and what came."""
    made = sketch(case.correction.before, case.correction.after)
    return set(terms(" ".join((*made[0], *made[1])))) if made else set()


def plain(subject: str, edit: set[str]) -> str:
    """A subject without the words that the edit itself holds: nobody says them before it is made."""
    words = (word for word in _WORD.findall(subject) if edit.isdisjoint(terms(word)))
    return " ".join(words)


def _before(repository: pygit2.Repository, commit: str, path: str) -> str:
    """The text of a file before a commit; empty where it is not to be had."""
    try:
        entry = repository[commit].peel(pygit2.Commit).parents[0].tree[path]
        data = entry.data if isinstance(entry, pygit2.Blob) else b""
    except (KeyError, IndexError, ValueError, pygit2.GitError):
        return ""
    return data[:LARGEST].decode("utf-8", "replace")
