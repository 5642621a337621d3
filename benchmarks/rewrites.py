"""What rules do elsewhere: warnings on well-kept code, rewrites that must not break it, defects put back and found.

    python benchmarks/rewrites.py --learn REPOSITORY… --on REPOSITORY… [--cache FOLDER]

Rules are learnt from the first edits of every key of the histories to learn from, and are active as if a person had
made those corrections now. Each is run over today's files of the other repositories, every line taken as added. A
defect is an edit that the rule had not seen, undone: the file as it was before that edit.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from keys import Edit, History, Key, family, keys_of
from learners import corrected
from measuring import Figure, main, say

from cortex.analyzers.languages import language_of
from cortex.analyzers.normalise import normalised
from cortex.analyzers.parse import breaks
from cortex.learning.backtest import backtests
from cortex.learning.generalise import Candidate, generalise
from cortex.learning.guard import ActiveRule, Change, Finding, check
from cortex.learning.lifecycle import ACTIVE, Evidence, Settings, decide

SEEN = replace(Settings(), min_commits=1)
SEEDS = 6
NOISE, FOUND = 1.0, 0.60


@dataclass(frozen=True)
class Learnt:
    """A rule, and the edits of its key that it was not made from."""

    rule: ActiveRule
    unseen: tuple[Edit, ...]


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """All three."""
    cache = Path(given.cache) if given.cache else None
    rules: list[Learnt] = []
    found = tried = 0
    for folder in given.learn:
        history = History(Path(folder))
        own = learnt(history, keys_of(history, 4, cache), 10 if given.quick else given.keys)
        hit, all_ = put_back(history, own)
        say(f"{history.name}: {len(own)} rules, {hit} of {all_} defects found")
        rules, found, tried = rules + own, found + hit, tried + all_
    return [*elsewhere(given.on, [each.rule for each in rules], given.files), _defects(found, tried)]


def _defects(found: int, tried: int) -> Figure:
    return Figure("defects put back at unseen places: found", found / max(1, tried), "", FOUND, True,
                  note=f"{found} of {tried}")  # fmt: skip


def learnt(history: History, keys: Sequence[Key], most: int) -> list[Learnt]:
    """The rules that a history's keys give, in the state that today's tree gives them."""
    chosen = list(keys)
    random.Random(11).shuffle(chosen)
    head = str(history.repository.revparse_single("HEAD").id)
    files = [(path, history.text(blob)) for path, blob in history.files(head).items()]
    out = []
    for key in chosen[:most]:
        seeds, unseen = key.edits[: min(SEEDS, len(key.edits) - 1)], key.edits[SEEDS:] or key.edits[-1:]
        seen = {f"{n:03}": corrected(history, seed) for n, seed in enumerate(seeds)}
        candidates = [each for each in generalise(list(seen.items())) if 2 * len(each.support) >= len(seen)][
            :3
        ]
        fit = [each for each in files if family(language_of(each[0])) == key.language]
        touched = [frozenset(seed.path for seed in seeds)] * len(candidates)
        tests = backtests([each.pattern for each in candidates], fit, list(seen.values()), touched)
        for candidate, test in zip(candidates, tests, strict=True):
            commits = len({seen[m].commit for m in candidate.support})
            support = len(candidate.support)
            said = Evidence(
                support, float(support), commits, weak=candidate.weak, reversed_by=candidate.reversed_by
            )
            decision = decide(said, test, SEEN)
            if decision.state == ACTIVE:
                out.append(Learnt(_rule(history, candidate, support, decision.confidence), unseen))
                break
    return out


def _rule(history: History, candidate: Candidate, support: int, confidence: float) -> ActiveRule:
    name = f"{history.name}: {candidate.title}"
    return ActiveRule(name, candidate.title, candidate.title, candidate.pattern, support, 0, confidence)


def put_back(history: History, rules: Sequence[Learnt]) -> tuple[int, int]:
    """How many undone edits the rules find, and how many there were; at most ten a rule."""
    found = tried = 0
    for each in rules:
        for edit in each.unseen[:10]:
            language = language_of(edit.old_path)
            if language is None or not history.text(edit.old):
                continue
            lines = frozenset(range(edit.line, edit.line + 1 + edit.before.count("\n")))
            change = Change(edit.path, history.text(edit.old), language, lines)
            tried += 1
            found += bool(check([change], [each.rule]))
    return found, tried


def elsewhere(folders: Sequence[str], rules: Sequence[ActiveRule], most: int) -> list[Figure]:
    """Warnings per thousand lines of repositories that no rule came from, and what their rewrites break."""
    lines = warnings = applied = broken = 0
    rows = []
    for folder in folders:
        history = History(Path(folder))
        own_lines = own = 0
        for change in _sample(history, most):
            own_lines += change.text.count("\n")
            findings = check([change], rules)
            own += len(findings)
            for finding in findings:
                applied += 1
                broken += not is_sound(change, finding)
        say(f"{history.name}: {own} warnings on {own_lines:,} lines")
        lines, warnings = lines + own_lines, warnings + own
        rows.append(
            Figure(f"{history.name}: warnings per 1,000 lines", 1000 * own / max(1, own_lines), "", NOISE,
                   note=f"{own} on {own_lines:,} lines")
        )  # fmt: skip
    return [
        Figure("warnings per 1,000 lines elsewhere", 1000 * warnings / max(1, lines), "", NOISE,
               note=f"{len(rules)} rules, {warnings} warnings on {lines:,} lines"),
        *rows,
        Figure("rewrites that break something", broken, "", 0, note=f"of {applied} applied"),
    ]  # fmt: skip


def _sample(history: History, most: int) -> Iterator[Change]:
    head = str(history.repository.revparse_single("HEAD").id)
    files = sorted(history.files(head).items())
    random.Random(11).shuffle(files)
    for path, blob in files[:most]:
        language = language_of(path)
        if language is not None:
            yield Change(path, history.text(blob), language)


def is_sound(change: Change, finding: Finding) -> bool:
    """Whether a rewrite parses where the file did, changes what it says, and leaves all else byte for byte."""
    rows = change.text.split("\n")
    start = sum(len(row) + 1 for row in rows[: finding.line - 1]) + finding.column - 1
    end = start + len(finding.before)
    if change.text[start:end] != finding.before:
        return False
    after = change.text[:start] + finding.after + change.text[end:]
    was_broken = breaks(change.text.encode("utf-8", "replace"), change.language).any
    if breaks(after.encode("utf-8", "replace"), change.language).any and not was_broken:
        return False
    return normalised(after, change.language) != normalised(change.text, change.language)


if __name__ == "__main__":
    main(
        measure,
        ("--learn", {"nargs": "+", "default": [], "help": "histories to learn from"}),
        ("--on", {"nargs": "+", "default": [], "help": "well-kept repositories to run the rules on"}),
        ("--keys", {"type": int, "default": 60, "help": "so many of each history"}),
        ("--files", {"type": int, "default": 150, "help": "so many files of each repository"}),
        ("--cache", {"default": "", "help": "a folder where the keys of a history are kept between runs"}),
    )
