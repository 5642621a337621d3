"""Labelled migrations: given the first three edits of a rule, or the earliest third, which other places are offered?

    python benchmarks/migrations.py [REPOSITORY…] [--keys 30] [--cache FOLDER]

A rule is a key of five edits or more, from two commits, or a sweep of fifteen in one. The tree is asked just before
the sweep, or where a third of the edits had been made. Rules whose places are mostly gone otherwise are left out.
Decoys are rules of which less than .3 was migrated; a learner handles one when it says nothing, or only what is right.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from field import LEARNERS
from keys import Edit, History, Key, keys_of
from learners import Case, Choice, case, score
from measuring import Figure, main, say

from cortex.learning.rules.lifecycle import ACTIVE, Settings, decide

RECALL = {"the first three": 0.80, "the earliest third": 0.88}
PRECISION, DECOYS = 0.92, 0.85
SWEEP = 0.8
BASELINES = ("literal text", "the narrowest pattern, no gate", "the first learner (A)")
#: What a person does now is what is asked about, however few commits it has come to.
SEEN = replace(Settings(), min_commits=1)


@dataclass(frozen=True)
class Snapshot:
    """A rule at the moment that it is asked about: what had been edited, and the commit whose tree is asked."""

    known: tuple[Edit, ...]
    at: str
    progress: bool


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """Both settings over all histories."""
    cache = Path(given.cache) if given.cache else None
    found: dict[str, list[Case]] = {name: [] for name in RECALL}
    for folder in given.repositories:
        history = History(Path(folder))
        both = cases(history, keys_of(history, 5, cache), 5 if given.quick else given.keys, given.seed)
        for name, some in both.items():
            say(f"{history.name}: {len(some)} rules, {name}")
            found[name] += some
    return [row for name, some in found.items() for row in table(name, some)]


def cases(history: History, keys: Sequence[Key], most: int, seed: int) -> dict[str, list[Case]]:
    """A sample of the rules, in both settings."""
    chosen = [(key, at) for key in keys if (at := snapshot(key)) is not None]
    random.Random(seed).shuffle(chosen)
    out: dict[str, list[Case]] = {name: [] for name in RECALL}
    for key, at in chosen[:most]:
        for name, seeds in (("the first three", at.known[:3]), ("the earliest third", at.known)):
            found = case(history, key, seeds, at.at, at.progress, len(at.known))
            if found is not None and 2 * found.labels()["gone"] <= len(found.spots):
                out[name].append(found)
    return out


def snapshot(key: Key) -> Snapshot | None:
    """Where a rule is asked about; None for what is too seldom to be one, or goes back and forth."""
    edits = key.edits
    counts = Counter(edit.commit for edit in edits)
    biggest, size = counts.most_common(1)[0]
    if len(edits) < 5 or (len(counts) < 2 and len(edits) < 15) or 2 * key.inverse > len(edits):
        return None
    if size >= SWEEP * len(edits):
        first = next(n for n, edit in enumerate(edits) if edit.commit == biggest)
        known, at, progress = edits[: first + 3], edits[first].parent, True
    else:
        number = edits[max(1, len(edits) // 3)].number
        known = tuple(edit for edit in edits if edit.number < number)
        at, progress = next(edit.parent for edit in edits if edit.number >= number), False
    return Snapshot(known, at, progress) if len(known) >= 3 and len(edits) - len(known) >= 4 else None


def table(name: str, found: Sequence[Case]) -> list[Figure]:
    """The rows of one setting."""
    out = []
    for learner, choose in {**{each: LEARNERS[each] for each in BASELINES}, "Cortex": ours}.items():
        said = score(found, [choose(each) for each in found])
        mine = learner == "Cortex"
        note = (
            f"{said.spoke} of {said.keys} rules spoke, {said.migrations} went on; pooled {said.precision:.2f}"
        )
        what = f"given {name}, {learner}"
        out += [
            Figure(f"{what}: recall", said.recall, "", RECALL[name] if mine else None, True, note=note),
            Figure(f"{what}: precision, each rule capped at 20", said.capped, "", PRECISION if mine else None, True),
            Figure(
                f"{what}: decoys handled", said.handled / max(1, said.decoys), "", DECOYS if mine else None, True,
                note=f"{said.handled} of {said.decoys}",
            ),
        ]  # fmt: skip
    return out


def ours(each: Case) -> Choice:
    """What Cortex offers, as if a person had made the corrections now."""
    for offer in each.offers:
        evidence = replace(offer.evidence, in_progress=each.progress, confirmed=True)
        if decide(evidence, offer.test, SEEN).state == ACTIVE:
            return offer.flagged, offer.beside
    return (), ()


if __name__ == "__main__":
    main(
        measure,
        ("repositories", {"nargs": "+", "help": "folders of git repositories"}),
        ("--keys", {"type": int, "default": 30, "help": "so many of each repository, drawn by the seed"}),
        ("--seed", {"type": int, "default": 11}),
        ("--cache", {"default": "", "help": "a folder where the keys of a history are kept between runs"}),
    )
