"""What a sweep after a correction would have offered: the rest of a change that was made in later commits."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pygit2

from ..analyzers.languages import is_generated, language_of
from ..learning.lineage.ownership import changes, commit_at
from ..learning.lineage.places import text_of
from ..learning.past.history import COMMITS, DAYS
from ..learning.sweep.offers import SURE, Offer, offers, parses
from ..learning.sweep.readings import Changed, readings, telling
from ..learning.sweep.search import search
from .figures import Share
from .gathered import Case
from .likeness import Likeness
from .order import Order
from .written import Follower, accepted, squeezed

#: So many commits that corrected something are swept, drawn by chance, and so many of those that were repeated.
DRAWN, REPEATED = 40, 40
MOST_FILES = 300
_DAY = 86_400


@dataclass
class Swept:
    """What sweeps gave. `offered` are places of commits drawn by chance; the rest concerns changes made again later."""

    commits: int = 0
    right: Share = field(default_factory=Share)  # of the places offered: got that very text later
    changed: int = 0
    stood: int = 0
    repeating: int = 0  # commits whose correction was made again in a later one, of `correcting`
    correcting: int = 0
    swept: int = 0  # of the repeating
    later: int = 0  # corrections that repeat the swept ones
    caught: Share = field(
        default_factory=Share
    )  # of those whose code stood there when the first was corrected


@dataclass(frozen=True)
class _First:
    """A commit that corrected something, and the later corrections that are alike."""

    at: int
    again: tuple[Case, ...]


def repeated(cases: Sequence[Case], order: Order) -> list[_First]:
    """The commits that corrected something, oldest first; what was made again within the time of a correction is
    told by its kind. A later one counts for the first commit alone.
    """
    alike: defaultdict[str, list[Case]] = defaultdict(list)
    for case in sorted(cases, key=lambda each: (each.known, each.m)):
        kind = Likeness.of(case.correction, case.edit).kind if case.learnable else ""
        if kind:
            alike[kind].append(case)
    again: defaultdict[int, list[Case]] = defaultdict(list)
    for group in alike.values():
        first = group[0].known
        edits = {case.edit for case in group if case.known == first}
        for case in group:
            if case.known > first and case.edit in edits:  # picked from another branch: the same once more
                continue
            late = case.known - first > COMMITS or order.times[case.known] - order.times[first] > DAYS * _DAY
            if late:
                first, edits = case.known, {case.edit}
            elif case.known > first:
                again[first].append(case)
    every = sorted({case.known for case in cases if case.learnable})
    return [_First(at, tuple(again.get(at, ()))) for at in every]


def sweeps(
    repository: pygit2.Repository,
    order: Order,
    cases: Sequence[Case],
    follower: Follower,
    seed: int,
    stop: Callable[[], bool] = lambda: False,
    least: float = SURE,
) -> Swept:
    """Sweep after commits that corrected something, in the tree as it was then."""
    out = Swept()
    firsts = repeated(cases, order)
    chance = random.Random(seed)
    out.correcting = len(firsts)
    repeating = [each for each in firsts if each.again]
    out.repeating = len(repeating)
    drawn = {each.at for each in chance.sample(firsts, min(DRAWN, len(firsts)))}
    picked = {each.at for each in chance.sample(repeating, min(REPEATED, len(repeating)))}
    for each in firsts:
        if stop() or each.at not in drawn | picked:
            continue
        found, texts = _offered(
            repository, order, each.at, {case.correction.path for case in each.again}, least
        )
        if each.at in drawn:
            out.commits += 1
            for offer in found:
                row = texts[offer.path].split("\n")[offer.line - 1]
                fate = follower.fate(each.at, offer.path, row, offer.before, offer.after)
                out.right.add(fate.kind == "fixed")
                out.changed += fate.kind == "changed"
                out.stood += fate.kind == "stood"
        if each.at in picked:
            out.swept += 1
            for case in each.again:
                out.later += 1
                said = case.correction
                text = texts.get(said.path)
                if text is not None and squeezed(said.before) in squeezed(text):
                    out.caught.add(any(_is_it(offer, case) for offer in found))
    return out


def _is_it(offer: Offer, case: Case) -> bool:
    """Whether an offer is what was corrected later: in that file, and in its words."""
    said = case.correction
    if offer.path != said.path:
        return False
    gone, came = squeezed(offer.before), squeezed(offer.after)
    was, became = squeezed(said.before), squeezed(said.after)
    return (gone in was and came in became) or (was in gone and became in came)


def _offered(
    repository: pygit2.Repository, order: Order, at: int, paths: set[str], least: float
) -> tuple[list[Offer], dict[str, str]]:
    """What a sweep of the commit at a place offers in its tree; and the texts of the files concerned, and `paths`."""
    changed = list(_changed(repository, order, at))
    told = readings(changed)
    wanted = {telling(each) for each in told}
    texts: dict[str, str] = {}

    def files() -> Iterator[tuple[str, str]]:
        for path, text in accepted(repository, order, at + 1):
            if path in paths or any(word in text for word in wanted):
                texts[path] = text
                yield path, text

    found = offers(search(told, changed, files()), least)
    return [each for each in found if parses(each.path, texts[each.path], each)], texts


def _changed(repository: pygit2.Repository, order: Order, at: int) -> Iterator[Changed]:
    commit = commit_at(repository, pygit2.Oid(raw=order.commits[at]))
    if commit is None or len(commit.parent_ids) != 1:
        return
    try:
        found = changes(repository, commit.parents[0].tree, commit.tree)
    except (KeyError, pygit2.GitError):
        return
    for change in found if len(found) <= MOST_FILES else ():
        if change.old_id is None or not change.new_path or language_of(change.new_path) is None:
            continue
        before, after = text_of(repository, change.old_id), text_of(repository, change.new_id)
        if before is not None and after is not None and not is_generated(change.new_path):
            yield Changed(change.new_path, before, after)
