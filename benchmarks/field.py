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

from fitting import fit, left_out
from keys import History, Key, keys_of
from learners import Case, Choice, Offer, Score, case, score
from measuring import Figure, main, say

from cortex.learning.rules.lifecycle import ACTIVE, Settings, decide

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
    if given.fit:
        figures += fitted(everything)
    return figures + table(everything, "")


def fitted(found: Sequence[Case]) -> list[Figure]:
    """What the weights come to, and the rows of each history with the weights that the others give."""
    say("the weights of a change under way: " + ", ".join(f"{k} {v:.2f}" for k, v in fit(found).items()))
    others = left_out(found)
    out = []
    progress = [each for each in found if each.progress]
    for learner, choose in (("Cortex", ours), ("Cortex with feedback between files", with_feedback)):
        picks = [
            choose(each, replace(IN_PROGRESS, progress_weights=others[each.history])) for each in progress
        ]
        for name in sorted({each.history for each in progress}) if learner == "Cortex" else ():
            chosen = [
                (each, pick) for each, pick in zip(progress, picks, strict=True) if each.history == name
            ]
            said = score([each for each, _ in chosen], [pick for _, pick in chosen])
            out += _rows(f"{name} left out of its fit, in progress, {learner}", said, None, False)
        out += _rows(f"each left out of its fit, in progress, {learner}", score(progress, picks), None, False)
    return out


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


def ours(each: Case, settings: Settings | None = None) -> Choice:
    """What Cortex offers."""
    offer = choice(each, settings)
    return (offer.flagged, offer.beside) if offer else ((), ())


def choice(each: Case, settings: Settings | None = None) -> Offer | None:
    """The offer that would be active: the first of the rivals, as `revise` chooses."""
    for offer in each.offers:
        if _active(offer, each.progress, settings):
            return offer
    return None


def _active(offer: Offer, progress: bool, settings: Settings | None = None) -> bool:
    evidence = replace(offer.evidence, in_progress=progress, confirmed=False)
    return decide(evidence, offer.test, (settings or IN_PROGRESS) if progress else None).state == ACTIVE


def with_feedback(each: Case, settings: Settings | None = None) -> Choice:
    """The same file by file, in the daemon's terms: what was shown and taken, what was shown and left."""
    offer = choice(each, settings)
    if offer is None:
        return (), ()
    by_path: dict[str, list[int]] = {}
    for k in offer.flagged:
        by_path.setdefault(each.spots[k].path, []).append(k)
    taken: list[int] = []
    accepted = refused = 0
    for path in sorted(by_path):
        evidence = replace(offer.evidence, shown_taken=accepted, shown_left=refused)
        test = replace(offer.test, stood=offer.test.stood - accepted)
        if not _active(replace(offer, evidence=evidence, test=test), each.progress, settings):
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
        (
            "--fit",
            {
                "action": "store_true",
                "help": "fit the weights, and say how each history does without its own",
            },
        ),
        ("--cache", {"default": "", "help": "a folder where the keys of a history are kept between runs"}),
    )
