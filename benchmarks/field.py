"""The field test: every kind of edit that was seen three times, whatever came later; what would be offered then?

    python benchmarks/field.py [REPOSITORY…] [--keys 60] [--cache FOLDER]

A key is in progress when the commit of its third edit goes on with it: then the tree before that commit is asked.
Otherwise the history alone is known, and the tree after it is asked. Precision is migrated / (migrated + kept), over
all keys; recall is the mean over the keys of which nine in ten places were migrated. With feedback, what was offered
in one file is answered before the next file is looked at.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from keys import History, Key, keys_of
from learners import Case, Choice, Offer, Score, case, score
from measuring import Figure, main, say

from cortex.learning.lifecycle import ACTIVE, Settings, decide

#: A change in progress is one commit: what it may be offered is asked before there is a second one.
IN_PROGRESS = replace(Settings(), min_commits=1)
LEAST_PRECISION, LEAST_RECALL, WITH_FEEDBACK, SAID = 0.82, 0.85, 0.92, 0.80


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """All histories together, and each by itself."""
    cache = Path(given.cache) if given.cache else None
    figures: list[Figure] = []
    everything: list[Case] = []
    for folder in given.repositories:
        history = History(Path(folder))
        found = cases(history, keys_of(history, 3, cache), 10 if given.quick else given.keys, given.seed)
        say(f"{history.name}: {len(found)} keys with places left")
        figures += table(found, f"{history.name}: ") if given.each else []
        everything += found
    return figures + table(everything, "")


def cases(history: History, keys: Sequence[Key], most: int, seed: int) -> list[Case]:
    """A sample of the keys, as they were when they had been seen three times."""
    chosen = list(keys)
    random.Random(seed).shuffle(chosen)
    out = []
    for key in chosen[:most]:
        first = key.edits[:3]
        progress = any(edit.commit == first[2].commit for edit in key.edits[3:])
        at = first[2].parent if progress else first[2].commit
        found = case(history, key, first, at, progress)
        if found is not None:
            out.append(found)
    return out


def table(found: Sequence[Case], name: str) -> list[Figure]:
    """The rows of both settings."""
    progress = [each for each in found if each.progress]
    past = [each for each in found if not each.progress]
    out = []
    for what, group in ((f"{name}in progress", progress), (f"{name}from history alone", past)):
        if not group:
            continue
        for learner, choose in LEARNERS.items():
            ours = learner.startswith("Cortex")
            said = score(group, [choose(each) for each in group])
            budget = (
                (WITH_FEEDBACK if "feedback" in learner else LEAST_PRECISION) if group is progress else SAID
            )
            out += _rows(f"{what}, {learner}", said, budget if ours else None, group is progress and ours)
    return out


def _rows(what: str, said: Score, precision: float | None, recall: bool) -> list[Figure]:
    note = f"{said.spoke} of {said.keys} keys spoke; each capped at 20 places {said.capped:.2f}"
    return [
        Figure(f"{what}: precision", said.precision, "", precision if said.spoke else None, True, note=note),
        Figure(
            f"{what}: recall", said.recall, "", LEAST_RECALL if recall else None, True,
            note=f"{said.migrations} keys went on; {said.handled} of {said.decoys} that stopped left alone",
        ),
    ]  # fmt: skip


def ours(each: Case) -> Choice:
    """What Cortex offers."""
    offer = choice(each)
    return (offer.flagged, offer.beside) if offer else ((), ())


def choice(each: Case) -> Offer | None:
    """The offer that would be active: the first of the rivals, as `revise` chooses."""
    for offer in each.offers:
        if _active(offer, each.progress):
            return offer
    return None


def _active(offer: Offer, progress: bool) -> bool:
    evidence = replace(offer.evidence, in_progress=progress, confirmed=False)
    return decide(evidence, offer.test, IN_PROGRESS if progress else None).state == ACTIVE


def with_feedback(each: Case) -> Choice:
    """The same file by file: what a person accepted counts for it, what they left counts against it."""
    offer = choice(each)
    if offer is None:
        return (), ()
    by_path: dict[str, list[int]] = {}
    for k in offer.flagged:
        by_path.setdefault(each.spots[k].path, []).append(k)
    taken: list[int] = []
    accepted = refused = 0
    for path in sorted(by_path):
        evidence = replace(offer.evidence, support=offer.evidence.support + accepted,
                           weight=offer.evidence.weight + accepted)  # fmt: skip
        test = replace(
            offer.test, left=offer.test.left + refused, stood=offer.test.stood + refused - accepted
        )
        if not _active(replace(offer, evidence=evidence, test=test), each.progress):
            return taken, ()
        taken += by_path[path]
        labels = [each.spots[k].label for k in by_path[path]]
        accepted += labels.count("migrated")
        refused += labels.count("kept")
    return taken, offer.beside


LEARNERS: dict[str, Callable[[Case], Choice]] = {
    "every match": lambda each: (range(len(each.spots)), ()),
    "literal text": lambda each: (each.literal, ()),
    "the narrowest pattern, no gate": lambda each: (each.narrowest, ()),
    "the first learner (A)": lambda each: (range(len(each.spots)) if each.reference >= 0.8 else (), ()),
    "Cortex without its gate": lambda each: (
        (each.offers[0].flagged, each.offers[0].beside) if each.offers else ((), ())
    ),
    "Cortex": ours,
    "Cortex with feedback between files": with_feedback,
}


if __name__ == "__main__":
    main(
        measure,
        ("repositories", {"nargs": "+", "help": "folders of git repositories"}),
        ("--keys", {"type": int, "default": 60, "help": "so many of each repository, drawn by the seed"}),
        ("--seed", {"type": int, "default": 11}),
        ("--each", {"action": "store_true", "help": "say each repository by itself as well"}),
        ("--cache", {"default": "", "help": "a folder where the keys of a history are kept between runs"}),
    )
