"""What rules do elsewhere: warnings on well-kept code, rewrites that must not break it, defects put back and found.

    python benchmarks/rewrites.py --learn REPOSITORY… --on REPOSITORY… [--cache FOLDER]

Rules are learnt from the first edits of every key of the histories to learn from, and are active as if a person had
made those corrections now. Each is run over today's files of the other repositories, every line taken as added. A
defect is an edit that the rule had not seen, undone: the file as it was before that edit.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from pathlib import Path

import parsers
import pygit2
from keys import Edit, History, Key, family, keys_of
from learners import corrected
from measuring import Figure, main, say

from cortex.analyzers.languages import COMMENTS, language_of
from cortex.analyzers.normalise import normalised
from cortex.analyzers.parse import breaks, tree
from cortex.analyzers.patterns import apply, compile
from cortex.daemon.changed import added_lines
from cortex.learning.guard.findings import ActiveRule, Change, Finding, check
from cortex.learning.rules.arrived import follower, judged
from cortex.learning.rules.backtest import backtests
from cortex.learning.rules.generalise import Candidate, generalise
from cortex.learning.rules.lifecycle import ACTIVE, Evidence, Settings, decide

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
    figures, warned = elsewhere(given.on, [each.rule for each in rules], given.files)
    if given.draw:
        _draw(warned, Path(given.draw))
    return [*figures, _defects(found, tried)]


def _draw(warned: Sequence[Warned], file: Path) -> None:
    """Write fifty warnings of each table to be labelled, with their code: the file belongs to no repository."""
    chance = random.Random(20261121)
    with file.open("w") as out:
        for table in sorted({each.table for each in warned}):
            mine = [each for each in warned if each.table == table]
            for each in chance.sample(mine, min(50, len(mine))):
                said = {k: v for k, v in asdict(each.finding).items() if k != "others"}
                out.write(json.dumps({**asdict(replace(each, finding=None)), "of": len(mine), **said}) + "\n")


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
        # The widest forms speak only while their change is under way, and this is of rules that stay.
        lasting = [each for each in generalise(list(seen.items())) if not each.wide]
        candidates = [each for each in lasting if 2 * len(each.support) >= len(seen)][:3]
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


@dataclass
class Counts:
    """What the rules said in one repository, with the gate of `learning.arrived` and without it."""

    lines: int = 0
    every: int = 0  # warnings on every line of the sample, without the gate
    gated: int = 0  # the same with it, decided by the files outside of the sample
    added: int = 0  # lines that the last year added
    new: int = 0  # warnings on these, without the gate
    new_gated: int = 0  # the same with it, decided by the tree of a year ago
    put: int = 0  # places that follow a rule, turned back
    seen: int = 0  # of these found without the gate
    seen_gated: int = 0


@dataclass(frozen=True)
class Warned:
    """A warning in a table that labels are drawn from; `table` says which."""

    table: str
    repository: str
    commit: str
    path: str
    finding: Finding


def elsewhere(
    folders: Sequence[str], rules: Sequence[ActiveRule], most: int
) -> tuple[list[Figure], list[Warned]]:
    """Warnings per thousand lines of repositories that no rule came from, and what their rewrites break."""
    counts: dict[str, Counts] = {}
    warned: list[Warned] = []
    edits: list[tuple[Change, Finding]] = []
    for folder in folders:
        history = History(Path(folder))
        counts[history.name] = _one(history, rules, most, warned, edits)
        say(f"{history.name}: {counts[history.name]}")
    return [*_figures(counts, len(rules)), *_broken(edits)], warned


def _one(
    history: History,
    rules: Sequence[ActiveRule],
    most: int,
    warned: list[Warned],
    edits: list[tuple[Change, Finding]],
) -> Counts:
    head = str(history.repository.revparse_single("HEAD").id)
    files = sorted(history.files(head).items())
    random.Random(11).shuffle(files)
    sample = [Change(path, history.text(blob), language_of(path) or "") for path, blob in files[:most]]
    if 2 * most > len(files):  # something must be left to decide by
        sample = sample[: len(files) // 2]
    inside = {change.path for change in sample}
    said = judged(
        [rule.pattern for rule in rules], [(p, history.text(b)) for p, b in files if p not in inside]
    )
    spoken = {rule.id for rule, here in zip(rules, said, strict=True) if here.speaks()}
    out = Counts()
    for change in sample:
        out.lines += change.text.count("\n")
        findings = check([change], rules)
        out.every += len(findings)
        edits += [(change, finding) for finding in findings]
        for finding in check([change], [rule for rule in rules if rule.id in spoken]):
            out.gated += 1
            warned.append(Warned("unseen files", history.name, head, change.path, finding))
    before = _a_year_ago(history)
    old = history.files(before)
    said = judged([rule.pattern for rule in rules], [(p, history.text(b)) for p, b in sorted(old.items())])
    late = [rule for rule, here in zip(rules, said, strict=True) if here.speaks()]
    for path, blob in files:
        if old.get(path) == blob:
            continue
        text = history.text(blob)
        lines = added_lines(history.text(old[path]).encode() if path in old else b"", text.encode())
        out.added += len(lines)
        change = Change(path, text, language_of(path) or "", lines)
        out.new += len(check([change], rules))
        for finding in check([change], late):
            out.new_gated += 1
            warned.append(Warned("lines of a year", history.name, head, path, finding))
    for rule in rules:
        _turn_back(rule, rule.id in spoken, sample, out, warned, history.name, head)
    return out


def _a_year_ago(history: History) -> str:
    """The newest commit that is a year older than what is checked out, along first parents."""
    commit = history.repository[history.repository.head.target].peel(pygit2.Commit)
    oldest = commit.commit_time - 365 * 86_400
    while commit.commit_time > oldest and commit.parent_ids:
        commit = commit.parents[0]
    return str(commit.id)


def _turn_back(
    rule: ActiveRule,
    speaks: bool,
    sample: Sequence[Change],
    out: Counts,
    warned: list[Warned],
    name: str,
    head: str,
) -> None:
    """Places of the sample that are written as the rule asks, written the other way: at most three a rule."""
    after = follower(rule.pattern)
    ready = compile(replace(after, rewrite=rule.pattern.pattern)) if after is not None else None
    if ready is None or after is None:
        return
    tried = 0
    for change in sample:
        if family(change.language) != family(after.language) or tried == 3:
            continue
        for match in ready.find(change.text, path=change.path)[:1]:
            text = apply(change.text, [match])
            put = replace(
                change,
                text=text,
                added=frozenset(range(match.line, match.line + 1 + match.rewrite.count("\n"))),
            )
            if breaks(text.encode("utf-8", "replace"), change.language).any:
                continue
            tried += 1
            out.put += 1
            found = check([put], [rule])
            out.seen += bool(found)
            out.seen_gated += bool(found) and speaks
            if found and speaks:
                warned.append(Warned("put back", name, head, change.path, found[0]))


def _figures(counts: Mapping[str, Counts], rules: int) -> list[Figure]:
    whole = Counts(*(sum(getattr(each, field.name) for each in counts.values()) for field in fields(Counts)))

    def rate(what: str, warnings: int, lines: int) -> Figure:
        return Figure(f"warnings per 1,000 {what}", 1000 * warnings / max(1, lines), "", NOISE,
                      note=f"{rules} rules, {warnings} on {lines:,} lines")  # fmt: skip

    return [
        rate("lines elsewhere, every line as added, without the gate", whole.every, whole.lines),
        rate("lines elsewhere, every line as added, decided by the other files", whole.gated, whole.lines),
        rate("lines added within a year, without the gate", whole.new, whole.added),
        rate("lines added within a year, decided by the tree before", whole.new_gated, whole.added),
        *(
            rate(f"lines of {name}, decided by the other files", each.gated, each.lines)
            for name, each in counts.items()
        ),
        Figure("defects put back elsewhere, where the code follows the rule: found without the gate",
               whole.seen / max(1, whole.put), "", FOUND, True, note=f"{whole.seen} of {whole.put}"),
        Figure("the same with the gate", whole.seen_gated / max(1, whole.put), "", FOUND, True,
               note=f"{whole.seen_gated} of {whole.put}"),
    ]  # fmt: skip


def _broken(edits: Sequence[tuple[Change, Finding]]) -> list[Figure]:
    """Each rewrite applied alone, and looked at by us and by the parsers of the languages themselves."""
    texts = [(change, _done(change, finding)) for change, finding in edits]
    own = sum(not is_sound(change, finding) for change, finding in edits)
    out = [Figure("rewrites that no longer parse, change nothing, lose a comment or touch more than their place",
                  own, "", 0, note=f"of {len(edits)} applied")]  # fmt: skip
    for name, languages, parser in (
        ("Python's", ("python",), parsers.python),
        ("Go's", ("go",), parsers.go),
        ("TypeScript's", ("typescript", "tsx", "javascript"), parsers.typescript),
    ):
        mine = [each for each in texts if each[0].language in languages]
        said = (
            parser([(change.text, change.language) for change, _ in mine]),
            parser([(after, change.language) for change, after in mine]),
        )
        if said[0] is None or said[1] is None:
            out.append(
                Figure(f"rewrites that {name} own parser refuses", 0, "", None, note="it is not at hand")
            )
            continue
        refused = [k for k, (was, now) in enumerate(zip(*said, strict=True)) if was and not now]
        for k in refused:
            say(f"refused: {mine[k][0].path}")
        out.append(
            Figure(f"rewrites that {name} own parser refuses", len(refused), "", 0, note=f"of {len(mine)}")
        )
    return out


def _done(change: Change, finding: Finding) -> str:
    return change.text[: finding.start] + finding.after + change.text[finding.end :]


def is_sound(change: Change, finding: Finding) -> bool:
    """Whether a rewrite parses where the file did, changes what it says, keeps the comments, and leaves all else
    byte for byte.
    """
    rows = change.text.split("\n")
    start = sum(len(row) + 1 for row in rows[: finding.line - 1]) + finding.column - 1
    if start != finding.start or change.text[finding.start : finding.end] != finding.before:
        return False
    after = _done(change, finding)
    was_broken = breaks(change.text.encode("utf-8", "replace"), change.language).any
    if breaks(after.encode("utf-8", "replace"), change.language).any and not was_broken:
        return False
    if not was_broken and _comments(after, change.language) != _comments(change.text, change.language):
        return False
    return normalised(after, change.language) != normalised(change.text, change.language)


@lru_cache(maxsize=64)
def _comments(text: str, language: str) -> list[str]:
    out, stack = [], [tree(text.encode("utf-8", "replace"), language)]
    while stack:
        node = stack.pop()
        if node.kind in COMMENTS:
            out.append(node.text)
        stack.extend(node.children)
    return sorted(out)


if __name__ == "__main__":
    main(
        measure,
        ("--learn", {"nargs": "+", "default": [], "help": "histories to learn from"}),
        ("--on", {"nargs": "+", "default": [], "help": "well-kept repositories to run the rules on"}),
        ("--keys", {"type": int, "default": 60, "help": "so many of each history"}),
        ("--files", {"type": int, "default": 150, "help": "so many files of each repository"}),
        ("--draw", {"default": "", "help": "a file for fifty warnings of each table, to be labelled"}),
        ("--cache", {"default": "", "help": "a folder where the keys of a history are kept between runs"}),
    )
