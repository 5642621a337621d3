"""The sweep: from the first hunk alone of a commit that repeats itself, what is found of the rest, and what beside it.

    python benchmarks/sweeps.py [REPOSITORY…] [--sweeps 60] [--cache FOLDER] [--each] [--fit]

What repeats is told twice: by the abstract key of the tree edit (as in the field test), and by the difference of
tokens in the changed lines, which knows nothing of trees. A commit counts once in each, with what it repeats most
often. The tree before the commit is searched, with the first hunk done. An offer is right when a repeat becomes what
it became, white space aside; it is wrong where nothing was changed, and where something else was written. An offer in
another changed hunk that has the text offered, with the token on either side, is neither. `--fit` prints new weights.
"""

from __future__ import annotations

import argparse
import difflib
import pickle
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pygit2
from keys import History, family, keys_of
from measuring import Figure, main, say

from cortex.analyzers.languages import is_generated, language_of
from cortex.learning.guard.needs import LACKS
from cortex.learning.sweep import chance as chances
from cortex.learning.sweep.context import Context
from cortex.learning.sweep.offers import offers
from cortex.learning.sweep.readings import Changed, Found, Reading, readings
from cortex.learning.sweep.search import facts, search

COMMITS = 2_500  # of each history, the newest
MANY_HUNKS = 600
LARGE = 12
SECONDS = 20.0  # of one sweep
_TOKEN = re.compile(r"\w+|[^\w\s]")
_NAME = re.compile(r"[A-Za-z_]\w")


@dataclass(frozen=True)
class Change:
    """One hunk of a commit: lines (from 1) of the old file, and both texts."""

    path: str
    start: int
    lines: int
    before: str
    after: str


@dataclass(frozen=True)
class Repeat:
    """An edit that was made again: the hunk that holds it, and the text of its node where a key told it."""

    hunk: Change
    line: int = 0
    before: str = ""
    after: str = ""


@dataclass
class Sweep:
    """One commit that repeats itself, with what each method offers."""

    kind: str
    parent: str
    first: Change
    repeats: list[Repeat]
    hunks: list[Change]
    language: str
    found: list[Found] = field(default_factory=list)
    labels: list[bool | None] = field(default_factory=list)
    counts: dict[str, Score] = field(default_factory=dict)
    rows: list[tuple[list[float], float, float]] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True)
class Score:
    """What one method made of one sweep."""

    repeats: int
    right: int
    edits: int
    wrong: int


def squeezed(text: str) -> str:
    """A text without white space and the choice of quotes."""
    return "".join(text.split()).replace("'", '"')


def commits_of(history: History) -> Iterator[tuple[pygit2.Commit, list[Change]]]:
    """The newest commits with the hunks of their sources, old path by old path."""
    walker = history.repository.walk(history.repository.head.target, pygit2.enums.SortMode.TOPOLOGICAL)
    seen = 0
    for commit in walker:
        if len(commit.parent_ids) != 1:
            continue
        seen += 1
        if seen > COMMITS:
            return
        diff = commit.parents[0].tree.diff_to_tree(commit.tree, context_lines=0)
        if len(diff) > 300:
            continue
        out: list[Change] = []
        for number in range(len(diff)):
            try:
                patch = diff[number]
            except KeyError:  # not in this partial clone
                continue
            if patch is None:
                continue
            old = patch.delta.old_file
            if patch.delta.status_char() != "M" or language_of(old.path) is None or is_generated(old.path):
                continue
            for hunk in patch.hunks:
                sides = ["".join(line.content for line in hunk.lines if line.origin == sign) for sign in "-+"]
                out.append(Change(old.path, hunk.old_start, hunk.old_lines, *sides))
            if len(out) > MANY_HUNKS:
                break
        if 3 <= len(out) <= MANY_HUNKS:
            yield commit, sorted(out, key=lambda each: (each.path, each.start))


def differences(hunk: Change) -> set[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The token differences of a hunk that hold a word."""
    if not 0 < hunk.lines <= LARGE or not 0 < hunk.after.count("\n") <= LARGE:
        return set()
    a, b = _TOKEN.findall(hunk.before), _TOKEN.findall(hunk.after)
    if len(a) + len(b) > 400:
        return set()
    out = set()
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        x, y = tuple(a[i1:i2]), tuple(b[j1:j2])
        if tag != "equal" and len(x) + len(y) <= 24 and any(_NAME.match(token) for token in x + y):
            out.add((x, y))
    return out


def sweeps_of(history: History, most: int, seed: int, cache: Path | None) -> list[Sweep]:
    """A sample of both kinds."""
    head = str(history.repository.revparse_single("HEAD").id)[:12]
    kept = cache / f"{history.name}-{head}-sweeps.pickle" if cache else None
    if kept and kept.exists():
        told: tuple[list[Sweep], list[Sweep]] = pickle.loads(kept.read_bytes())  # our own, written below
    else:
        told = _mined(history, cache)
        if kept:
            kept.write_bytes(pickle.dumps(told))
    out = []
    for group in told:
        drawn = list(group)
        random.Random(seed).shuffle(drawn)
        out += drawn[:most]
    return out


def _mined(history: History, cache: Path | None) -> tuple[list[Sweep], list[Sweep]]:
    by_commit: defaultdict[str, list[list[tuple[str, int, str, str]]]] = defaultdict(list)
    for key in keys_of(history, 3, cache):
        groups: defaultdict[str, list[tuple[str, int, str, str]]] = defaultdict(list)
        for edit in key.edits:
            groups[edit.commit].append((edit.old_path, edit.line, edit.before, edit.after))
        for commit, edits in groups.items():
            if len(edits) >= 3:
                by_commit[commit].append(edits)
    by_key, by_token = [], []
    for commit, hunks in commits_of(history):
        parent = str(commit.parent_ids[0])
        best: list[Repeat] = []
        for group in sorted(by_commit.get(str(commit.id), ()), key=lambda each: (-len(each), each)):
            placed = [
                Repeat(hunk, line, before, after)
                for path, line, before, after in sorted(group)
                for hunk in hunks
                if hunk.path == path and hunk.start <= line < hunk.start + max(1, hunk.lines)
            ]
            if len({id(each.hunk) for each in placed}) >= 3:
                best = placed
                break
        if best:
            rest = [each for each in best if each.hunk is not best[0].hunk]
            by_key.append(_sweep("tree key", parent, best[0].hunk, rest, hunks))
        groups_: defaultdict[object, list[Change]] = defaultdict(list)
        for hunk in hunks:
            for said in differences(hunk):
                groups_[family(language_of(hunk.path)), said].append(hunk)
        most = max(groups_.items(), key=lambda each: (len(each[1]), str(each[0])), default=(None, []))[1]
        if len(most) >= 3:
            by_token.append(_sweep("token difference", parent, most[0], [Repeat(x) for x in most[1:]], hunks))
    return by_key, by_token


def _sweep(kind: str, parent: str, first: Change, rest: list[Repeat], hunks: list[Change]) -> Sweep:
    return Sweep(kind, parent, first, rest, hunks, family(language_of(first.path)))


class Judge:
    """One sweep's tree, and what is right in it."""

    def __init__(self, history: History, sweep: Sweep) -> None:
        self.sweep = sweep
        first = sweep.first
        blobs = {
            path: blob
            for path, blob in history.files(sweep.parent).items()
            if family(language_of(path)) == sweep.language
        }
        self.texts = {path: history.text(blob) for path, blob in blobs.items()}
        old = self.texts[first.path]
        lines = old.split("\n")
        self.start = sum(len(line) + 1 for line in lines[: first.start - 1])
        end = self.start + sum(
            len(line) + 1 for line in lines[first.start - 1 : first.start - 1 + first.lines]
        )
        self.now = old[: self.start] + first.after + old[end:]
        self.moved = len(self.now) - len(old)
        self.change = Changed(first.path, old, self.now)
        self.by_path: defaultdict[str, list[Change]] = defaultdict(list)
        for hunk in sweep.hunks:
            self.by_path[hunk.path].append(hunk)

    def files(self) -> Iterator[tuple[str, str]]:
        """The tree with the first hunk done."""
        for path, text in self.texts.items():
            yield path, self.now if path == self.sweep.first.path else text

    def span(self, path: str, start: int, end: int) -> tuple[int, int]:
        """A place in the tree before the commit."""
        by = self.moved if path == self.sweep.first.path and start > self.start else 0
        return start - by, end - by

    def hunk(self, path: str, start: int, end: int) -> Change | None:
        """The hunk of the commit that holds a place."""
        text = self.texts[path]
        line = text.count("\n", 0, start) + 1
        last = line + text.count("\n", start, end)
        return next(
            (x for x in self.by_path[path] if x.lines and x.start <= last and line < x.start + x.lines), None
        )

    def label(self, path: str, start: int, end: int, after: str) -> bool:
        """Whether the commit wrote at this place what is offered, with the token on either side."""
        hunk = self.hunk(path, start, end)
        if hunk is None or hunk == self.sweep.first:
            return False
        text = self.texts[path]
        head = text[text.rfind("\n", 0, start) + 1 : start]
        stop = text.find("\n", end)
        tail = text[end : stop if stop >= 0 else len(text)]
        left, right = _TOKEN.findall(head)[-1:], _TOKEN.findall(tail)[:1]
        return squeezed("".join(left) + after + "".join(right)) in squeezed(hunk.after)

    def score(self, chosen: Sequence[tuple[str, int, int, str]]) -> Score:
        """What offers (path, start, end, after; as they stand after the first hunk) are worth."""
        placed: defaultdict[str, list[tuple[int, int, str]]] = defaultdict(list)
        wrong = 0
        for path, start, end, after in chosen:
            start, end = self.span(path, start, end)
            placed[path].append((start, end, after))
        right = edits = 0
        used: set[tuple[str, int, int]] = set()
        for repeat in self.sweep.repeats:
            path = repeat.hunk.path
            lines = self.texts[path].split("\n")
            low = sum(len(line) + 1 for line in lines[: repeat.hunk.start - 1])
            high = low + len(
                "\n".join(lines[repeat.hunk.start - 1 : repeat.hunk.start - 1 + repeat.hunk.lines])
            )
            if repeat.before:
                span = self._node(repeat, lines)
                if span is None:
                    continue
                near = [x for x in placed[path] if x[0] < span[1] and span[0] < max(x[1], x[0] + 1)]
                if not near:
                    continue
                a, b = min(span[0], *(x[0] for x in near)), max(span[1], *(x[1] for x in near))
                text = self.texts[path]
                done = self._apply(path, a, b, near)
                wanted = text[a : span[0]] + repeat.after + text[span[1] : b]
                labelled = [x for x in near if self.label(path, *x)]
                if squeezed(done) == squeezed(wanted) or (labelled and len(labelled) == len(near)):
                    right += 1
                edits += bool(labelled) or squeezed(done) == squeezed(wanted)
                used.update((path, x[0], x[1]) for x in near if squeezed(done) == squeezed(wanted))
            else:
                near = [x for x in placed[path] if low <= x[0] and x[1] <= high]
                if near:
                    right += squeezed(self._apply(path, low, high, near)) == squeezed(repeat.hunk.after)
                    edits += any(self.label(path, *x) for x in near)
        for path, each in placed.items():
            wrong += sum((path, x[0], x[1]) not in used and not self.label(path, *x) for x in each)
        return Score(len(self.sweep.repeats), right, edits, wrong)

    def _apply(self, path: str, low: int, high: int, near: Sequence[tuple[int, int, str]]) -> str:
        text, out, at = self.texts[path], "", low
        for start, end, after in sorted(near):
            if start >= at:
                out, at = out + text[at:start] + after, end
        return out + text[at:high]

    def _node(self, repeat: Repeat, lines: Sequence[str]) -> tuple[int, int] | None:
        at = sum(len(line) + 1 for line in lines[: repeat.line - 1])
        found = re.compile(r"\s+".join(map(re.escape, repeat.before.split()))).search(
            self.texts[repeat.hunk.path], at
        )
        return found.span() if found else None


def look(history: History, sweep: Sweep) -> bool:
    """Let all methods speak of one sweep; False where the tree is not there."""
    if sweep.first.path not in history.files(sweep.parent):
        return False
    judge = Judge(history, sweep)
    began = time.monotonic()
    told = readings([judge.change])
    found = search(told, [judge.change], judge.files(), lambda: time.monotonic() > began + SECONDS)
    sweep.seconds = time.monotonic() - began
    found = [each for each in found if not (each.over and each.path == sweep.first.path)]
    sweep.found = found
    rivals = Counter(each.number for each in told)
    for each in found:
        label = judge.label(each.path, *judge.span(each.path, each.start, each.end), each.after)
        share = min(1.0, (30 / len(each.reading.places)) ** 0.5) / max(1, rivals[each.reading.number]) * 5
        sweep.rows.append((chances.row(facts(each, rivals[each.reading.number])), float(label), share))
    sweep.counts = {
        "no gate": judge.score(_plain(_widest(told))),
        "literal": judge.score(_literal(judge, told)),
    }
    sweep.labels = []
    sweep.judge = judge  # type: ignore[attr-defined]
    return True


def _widest(told: Sequence[Reading]) -> list[Found]:
    """What the widest reading of each edit finds, whatever its chance."""
    first: dict[int, Reading] = {}
    for each in told:
        if each.pattern is not None and (each.number not in first or each.level < first[each.number].level):
            first[each.number] = each
    return [place for each in first.values() for place in each.places if not place.over]


def _literal(judge: Judge, told: Sequence[Reading]) -> list[tuple[str, int, int, str]]:
    """The very text of each edit, wherever it stands."""
    out = []
    sides = {(each.before, each.after) for each in told if each.pattern is not None}
    for before, after in sides:
        rule = Context((), tuple(_TOKEN.findall(before)), (), after, "")
        for path, text in judge.files():
            if all(word in text for word in rule.words):
                out += [
                    (path, start, end, came)
                    for start, end, came in rule.find(text)
                    if path != judge.sweep.first.path or start > judge.start + len(judge.sweep.first.after)
                ]
    return out


def _plain(found: Sequence[Found]) -> list[tuple[str, int, int, str]]:
    return list({(x.path, x.start, x.end): (x.path, x.start, x.end, x.after) for x in found}.values())


def gated(sweep: Sweep, least: float, weights: Sequence[float] | None = None) -> Score:
    """What Cortex offers."""
    if weights is not None:
        table = np.array([row for row, _, _ in sweep.rows]) if sweep.rows else np.zeros((0, 1))
        shifts = {
            id(each): chances.shift(each.pattern is not None, sum(not x.over for x in each.places))
            for each in {id(found.reading): found.reading for found in sweep.found}.values()
        }
        fitted = table @ np.array(weights) if len(table) else ()
        for each, by_fit in zip(sweep.found, fitted, strict=True):
            value = by_fit + shifts[id(each.reading)]
            each.chance = float(1 / (1 + np.exp(-np.clip(value, -30, 30))))
            each.chance *= LACKS if each.needs else 1.0
    chosen = offers(sweep.found, least)
    judge: Judge = sweep.judge  # type: ignore[attr-defined]
    return judge.score([(x.path, x.start, x.end, x.after) for x in chosen])


def fit(rows: Sequence[tuple[list[float], float, float]], ridge: float = 3.0) -> list[float]:
    """Weights of a logistic, by Newton's method."""
    x, y, w = (np.array([row[k] for row in rows]) for k in range(3))
    beta = np.zeros(x.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        slope = x.T @ (w * (y - p)) - ridge * beta
        curve = (x * (w * p * (1 - p))[:, None]).T @ x + ridge * np.eye(len(beta))
        step = np.linalg.solve(curve, slope)
        beta += step
        if np.abs(step).max() < 1e-6:
            break
    return [float(each) for each in beta]


def total(scores: Sequence[Score]) -> tuple[float, float, float]:
    """The mean share that is right over sweeps, that of the right edits, and false places per true one."""
    if not scores:
        return 0.0, 0.0, 0.0
    right = sum(x.right / x.repeats for x in scores) / len(scores)
    edits = sum(x.edits / x.repeats for x in scores) / len(scores)
    return right, edits, sum(x.wrong for x in scores) / max(1, sum(x.edits for x in scores))


def pooled(scores: Sequence[Score]) -> float:
    """The share of all repeats that is right."""
    return sum(x.right for x in scores) / max(1, sum(x.repeats for x in scores))


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """All histories together, and each by itself."""
    cache = Path(given.cache) if given.cache else None
    everything: list[tuple[str, Sweep]] = []
    for folder in given.repositories:
        history = History(Path(folder))
        found = sweeps_of(history, 10 if given.quick else given.sweeps, given.seed, cache)
        began = time.monotonic()
        kept = [each for each in found if look(history, each)]
        say(f"{history.name}: {len(kept)} sweeps, {time.monotonic() - began:.0f} s")
        everything += [(history.name, each) for each in kept]
    if given.fit:
        return _fitted(everything)
    figures: list[Figure] = []
    names = list(dict.fromkeys(name for name, _ in everything))
    for name in [*(names if given.each else ()), ""]:
        for kind in ("tree key", "token difference"):
            group = [each for at, each in everything if each.kind == kind and name in ("", at)]
            if group:
                figures += _table(f"{name + ': ' if name else ''}{kind}", group, kind == "tree key")
    slow = max((each.seconds for _, each in everything), default=0.0)
    return [*figures, Figure("the longest sweep", slow, "s")]


def _table(what: str, group: Sequence[Sweep], by_key: bool) -> list[Figure]:
    out = []
    methods = {
        "key without a gate": [each.counts["no gate"] for each in group],
        "literal text": [each.counts["literal"] for each in group],
        **{f"Cortex, chance ≥ {least}": [gated(each, least) for each in group] for least in (0.3, 0.5, 0.7)},
    }
    for method, scores in methods.items():
        right, edits, wrong = total(scores)
        ours = method.endswith("0.5")
        repeats = sum(x.repeats for x in scores)
        note = f"{len(group)} sweeps; of all {repeats} repeats {pooled(scores):.2f}; the edit right in {edits:.2f}"
        least, most = (0.75, 0.5) if by_key else (0.65, 1.0)
        out.append(
            Figure(f"{what}, {method}: rewritten exactly", right, "", least if ours else None, True, note)
        )
        out.append(Figure(f"{what}, {method}: false for each true one", wrong, "", most if ours else None))
    return out


def _fitted(everything: Sequence[tuple[str, Sweep]]) -> list[Figure]:
    """New weights, printed; and what they would be worth on histories that they were not fitted on."""
    names = list(dict.fromkeys(name for name, _ in everything))
    out: list[Figure] = []
    for least in (0.3, 0.4, 0.5, 0.6):
        for kind in ("tree key", "token difference"):
            scores = []
            for name in names:
                rest = [row for at, each in everything if at != name or len(names) == 1 for row in each.rows]
                weights = fit(rest)
                scores += [
                    gated(each, least, weights) for at, each in everything if at == name and each.kind == kind
                ]
            right, edits, wrong = total(scores)
            out.append(
                Figure(
                    f"{kind}, left out, ≥ {least}",
                    right,
                    "",
                    note=f"edit {edits:.2f}, false {wrong:.2f}, pooled {pooled(scores):.2f}",
                )
            )
    weights = fit([row for _, each in everything for row in each.rows])
    print("WEIGHTS =", [round(each, 3) for each in weights])
    return out


if __name__ == "__main__":
    main(
        measure,
        ("repositories", {"nargs": "+", "help": "folders of git repositories"}),
        (
            "--sweeps",
            {"type": int, "default": 60, "help": "so many of each kind and repository, drawn by the seed"},
        ),
        ("--seed", {"type": int, "default": 7}),
        ("--each", {"action": "store_true", "help": "say each repository by itself as well"}),
        ("--cache", {"default": "", "help": "a folder where the keys of a history are kept between runs"}),
        ("--fit", {"action": "store_true", "help": "fit the chance anew, and print its weights"}),
    )
