"""The next correction: in the last 30% of a history, what do flags on new code say of what was corrected later?

    python benchmarks/next_correction.py REPOSITORY… [--newest N] [--steps N] [--cache FOLDER] [--plot FILE.svg]

In time order: what is flagged at a commit is flagged by what was corrected in commits before it, as it was known at
the last of `--steps` times in the tail. A flag is right when a later commit, of whomever, within 30 days and 500
commits, wrote that very fix there. The lift is how often flagged hunks were corrected over how often unflagged hunks
of like size were; once by anybody's corrections, once by people's alone. Learners: the rules that speak by default,
with those that are silent too, and rules from two corrections up whatever their back-test says, from a confidence on,
so that there is a curve; each taught people's corrections, as the daemon is, or anybody's. Beside them exact keys: the
tree edits of single corrections, as in the field test, and whole lines. The code of a history stays in `--cache`, if
anywhere.
"""

from __future__ import annotations

import argparse
import pickle
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pygit2
from keys import Key, edits_between, family, fits, norm
from measuring import Figure, main, say

from cortex.analyzers.parse import tree
from cortex.evaluation.course import Course
from cortex.evaluation.figures import Share, bootstrap, size_bin
from cortex.evaluation.gathered import Case, Gathered
from cortex.evaluation.guarding import exact_words, vanished, was_corrected
from cortex.evaluation.order import Order, order
from cortex.evaluation.plots import chart
from cortex.evaluation.scratch import Learner
from cortex.evaluation.written import Follower, Written, written
from cortex.learning.guard.findings import Change, check
from cortex.learning.lineage.marks import Marks
from cortex.learning.past.history import branch_tips, walk
from cortex.learning.rules.lifecycle import Settings
from cortex.store.kinds import MILLION

TAIL = 0.3
MOST_COMMITS = 300  # of a tail, evenly over it
LEAST_DRAWN = 5  # flagged hunks of a point of the curve
LIFT, FIX = 1.5, 0.3
ENOUGH = 50  # flags
LARGEST = 64  # sizes of hunks are told apart by fewer bins
LONGEST = 4_000  # characters of a node that a key may describe
#: All that two corrections may mean, whatever speaks against it: what is told apart is how sure each is.
ANY = Settings(
    min_support=2, min_commits=1, active_confidence=0.0, retire_confidence=0.0, history_support=2,
    history_commits=1, history_confidence=0.0, common_support=2, common_commits=1,
)  # fmt: skip
ALOUD = ", aloud"
DRAWN = ("rules", "from two up", "from two up, of anybody", "exact keys")
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Flag:
    """One flag: how sure, and who later wrote that very fix there ("" for nobody)."""

    sure: float
    by: str


@dataclass
class Hunk:
    """One run of added lines: who corrected it, and the flags of each method."""

    commit: str
    size: int
    anybody: bool
    people: bool
    flags: defaultdict[str, list[Flag]] = field(default_factory=lambda: defaultdict(list))


@dataclass
class Known:
    """A history, its corrections by anybody, and which of these are of people."""

    name: str
    repository: pygit2.Repository
    order: Order
    cases: list[Case]
    people: frozenset[str]  # by the case's id
    first: int = 0  # the place of the first commit that is looked at


def name_of(folder: Path) -> str:
    """The name of a history, by its folder."""
    return (folder.parent if folder.name == "repo" else folder).name.rpartition("+")[2]


def known(folder: Path, newest: int = 0) -> Known:
    """Walk a history, or its newest commits; agents' changes of agents' code are corrections as well."""
    name = name_of(folder)
    repository = pygit2.Repository(str(folder))
    tips = branch_tips(repository)
    happened = order(repository, tips)
    first = max(0, len(happened.commits) - newest) if newest else 0
    with tempfile.TemporaryDirectory() as place:
        gathered = Gathered(Path(place) / "found.db")
        for found in walk(
            repository, tips=tips, agents_too=True, since=happened.times[first] if first else None
        ):
            gathered.add(found, happened)
        cases = list(gathered.all())
        gathered.close()
    say(f"{name}: {len(cases):,} corrections")
    marks = Marks(repository)
    by_commit = {
        each: not marks.of(repository[each].peel(pygit2.Commit)).agent
        for each in {case.correction.commit for case in cases}
    }
    people = frozenset(case.m for case in cases if by_commit[case.correction.commit])
    return Known(name, repository, happened, cases, people, first)


class Taught:
    """One learner with its name: what it would flag, and where it would do so aloud."""

    def __init__(
        self, name: str, history: Known, cases: Sequence[Case], settings: Settings | None, place: Path
    ) -> None:
        place.mkdir()
        self.name, self.learner = name, Learner(place, settings)
        ordered = sorted(cases, key=lambda case: (case.known, case.m))
        self._course = Course(
            history.repository, history.order,
            lambda first, end: [case for case in ordered if first <= case.known < end], self.learner,
        )  # fmt: skip

    def up_to(self, before: int) -> None:
        """Know what came before a place."""
        self._course.up_to(before, regular=True, ask=False)

    def flags(self, file: Written) -> Iterator[tuple[str, int, str, str, float]]:
        """Method, line, both texts, and how sure, of each flag."""
        for each in check([Change(file.path, file.text, file.language, file.added)], self.learner.rules):
            yield self.name, each.line, each.before, each.after, each.confidence
            if each.rule in self.learner.active:
                yield self.name + ALOUD, each.line, each.before, each.after, each.confidence


class Exact:
    """Exact keys: the tree edits of corrections before, and their whole lines."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self._waiting = sorted((case for case in cases if case.learnable), key=lambda case: case.known)
        self._keys: defaultdict[str, dict[tuple[str, str, str], tuple[Key, set[str]]]] = defaultdict(dict)
        self.lines: dict[str, str] = {}

    def up_to(self, before: int) -> None:
        """Know what came before a place."""
        fresh = [case for case in self._waiting if case.known < before]
        self._waiting = self._waiting[len(fresh) :]
        self.lines.update(exact_words(fresh))
        for case in fresh:
            said = case.correction
            for key, _ in edits_between(said.before, said.after, said.language):
                if key.literals:
                    told = (key.node, key.before, key.after)
                    held = self._keys[max(key.literals, key=len)].setdefault(told, (key, set()))
                    held[1].add(said.commit)

    def flags(self, file: Written, cases: Sequence[Case]) -> Iterator[tuple[int, int, Case | None]]:
        """Line, in how many commits the key was seen, and the later case that made this very edit there."""
        words = set(_WORD.findall(file.text))
        likely = [
            held
            for word in words & self._keys.keys()
            for held in self._keys[word].values()
            if held[0].literals <= words and held[0].language == family(file.language)
        ]
        if not likely:
            return
        later = {
            (key.before, key.after, gone): case
            for case in cases
            for key, gone in edits_between(
                case.correction.before, case.correction.after, case.correction.language
            )
        }
        by_kind: defaultdict[str, list[tuple[Key, set[str]]]] = defaultdict(list)
        for held in likely:
            by_kind[held[0].node].append(held)
        stack = [tree(file.text.encode("utf-8", "replace"), file.language)]
        while stack:
            node = stack.pop()
            if file.added.isdisjoint(range(node.first_line, node.last_line + 1)):
                continue
            stack.extend(node.children)
            if node.kind not in by_kind or node.end - node.start >= LONGEST:
                continue
            here = set(_WORD.findall(node.text))
            for key, commits in by_kind[node.kind]:
                if key.literals <= here and fits(node, key):
                    done = later.get((key.before, key.after, norm(node.text)))
                    yield node.first_line, len(commits), done


def replayed(history: Known, place: Path, steps: int) -> list[Hunk]:
    """Go through the tail of a history, oldest first; the hunks of its writers with all that was flagged."""
    happened = history.order
    start = history.first + int((1 - TAIL) * (len(happened.commits) - history.first))
    writers = [at for at in happened.writers if at >= start]
    writers = writers[:: max(1, -(-len(writers) // MOST_COMMITS))]
    people = [case for case in history.cases if case.m in history.people]
    # A person's fix of a person's code weighs a quarter; to have a curve at all, not in what is held to nothing.
    whole, whole_people = (
        [replace(case, correction=replace(case.correction, weight=MILLION)) for case in cases]
        for cases in (history.cases, people)
    )
    taught = [
        Taught("rules", history, people, None, place / "rules"),
        Taught("from two up", history, whole_people, ANY, place / "two"),
    ]
    if len(people) < len(whole):
        taught += [
            Taught("rules of anybody", history, history.cases, None, place / "rules-any"),
            Taught("from two up, of anybody", history, whole, ANY, place / "two-any"),
        ]
    exact = Exact(people)
    marks = Marks(history.repository)
    follower = Follower(history.repository, marks, happened)
    by_writer: defaultdict[int, list[Case]] = defaultdict(list)
    for case in history.cases:
        by_writer[case.written].append(case)
    out: list[Hunk] = []
    size = max(1, -(-len(writers) // steps))
    for number, at in enumerate(writers):
        if number % size == 0:
            for each in (*taught, exact):
                each.up_to(at)
            rules = ", ".join(f"{len(each.learner.rules)} {each.name}" for each in taught)
            say(f"{history.name}: {number} of {len(writers)} commits; {rules}")
        for file in written(history.repository, marks, happened, at):
            here = [case for case in by_writer[at] if case.correction.path == file.path]
            out += _hunks(file, here, history, taught, exact, follower)
    return out


def _hunks(
    file: Written,
    cases: Sequence[Case],
    history: Known,
    taught: Sequence[Taught],
    exact: Exact,
    follower: Follower,
) -> list[Hunk]:
    """The hunks of one file with their flags."""
    rows = file.text.split("\n")
    gone = vanished(cases), vanished(case for case in cases if case.m in history.people)
    out, at_line = [], {}
    for first, last in file.runs:
        lines = range(first, last + 1)
        corrected = [was_corrected(each, rows, lines) for each in gone]
        out.append(Hunk(file.commit, size_bin(len(lines)), corrected[0], corrected[1]))
        at_line.update(dict.fromkeys(lines, out[-1]))
    for name, line, before, after, sure in (flag for each in taught for flag in each.flags(file)):
        fate = follower.fate(file.at, file.path, rows[line - 1], before, after)
        at_line[line].flags[name].append(Flag(sure, fate.by if fate.kind == "fixed" else ""))
    for line, commits, done in exact.flags(file, cases):
        by = "" if done is None else "person" if done.m in history.people else "agent"
        if line in at_line:
            at_line[line].flags["exact keys"].append(Flag(commits, by))
    for line in sorted(file.added):
        wanted = exact.lines.get(" ".join(rows[line - 1].split())) if line <= len(rows) else None
        if wanted is not None:
            row = rows[line - 1].strip()
            fate = follower.fate(file.at, file.path, row, row, wanted)
            at_line[line].flags["exact lines"].append(Flag(1.0, fate.by if fate.kind == "fixed" else ""))
    return out


def scored(hunks: Sequence[Hunk], method: str, least: float) -> dict[str, float]:
    """The flags of a method from a level on: how many, right, and the lift, by anybody and by people."""
    flags = [flag for hunk in hunks for flag in hunk.flags.get(method, ()) if flag.sure >= least]
    flagged = [hunk for hunk in hunks if any(flag.sure >= least for flag in hunk.flags.get(method, ()))]
    out = {
        "flags": float(len(flags)),
        "right": float(sum(flag.by != "" for flag in flags)),
        "by people": float(sum(flag.by == "person" for flag in flags)),
        "hunks": float(len(flagged)),
    }
    for label in ("anybody", "people"):
        plain: defaultdict[int, Share] = defaultdict(Share)
        for hunk in hunks:
            if not hunk.flags.get(method):
                plain[hunk.size].add(getattr(hunk, label))
        groups: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
        for hunk in flagged:
            groups[hunk.commit].append((float(getattr(hunk, label)), plain[hunk.size].value))
        got, expected = (sum(pair[k] for group in groups.values() for pair in group) for k in (0, 1))
        low, high = bootstrap(list(groups.values()), lambda a, b: a / b if b else 0.0, 0)
        out |= {
            f"lift {label}": got / expected if expected else 0.0,
            f"low {label}": low,
            f"high {label}": high,
        }
        out[f"corrected {label}"] = got
    return out


ROWS = (
    *((name, 0.0) for name in ("rules" + ALOUD, "rules", "rules of anybody" + ALOUD, "rules of anybody")),
    *((name, level) for name in ("from two up", "from two up, of anybody") for level in (0.9, 0.8, 0.5, 0.0)),
    *(("exact keys", float(level)) for level in (1, 2, 3)),
    ("exact lines", 0.0),
)


def rows(name: str, hunks: Sequence[Hunk]) -> Iterator[str]:
    """One line of a Markdown table for each method."""
    for method, least in ROWS:
        found = scored(hunks, method, least)
        said = f"{method}{f' ≥ {least:g}' if least else ''}"
        if not found["flags"]:
            yield f"| {name} | {said} | 0 | | | | |"
            continue
        lifts = [
            f"{found[f'lift {label}']:.2f} ({found[f'low {label}']:.2f} to {found[f'high {label}']:.2f})"
            for label in ("anybody", "people")
        ]
        share = found["right"] / found["flags"]
        yield (
            f"| {name} | {said} | {found['flags']:,.0f} in {found['hunks']:,.0f} hunks"
            f" | {found['right']:.0f} ({share:.1%}) | {found['by people']:.0f} | {lifts[0]} | {lifts[1]} |"
        )


def points(hunks: Sequence[Hunk], method: str) -> list[tuple[float, float]]:
    """The share of the corrected hunks that were flagged, and of the flagged that were corrected, level by level."""
    all_of = sum(hunk.anybody for hunk in hunks)
    out = []
    levels = sorted(
        {round(flag.sure, 2) for hunk in hunks for flag in hunk.flags.get(method, ())}, reverse=True
    )
    for level in levels:
        found = scored(hunks, method, level - 0.005)
        if found["hunks"] >= LEAST_DRAWN:
            corrected = found["corrected anybody"]
            out.append((corrected / max(1, all_of), corrected / found["hunks"]))
    return out


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """All histories, each by itself and pooled."""
    cache = Path(given.cache) if given.cache else None
    every: list[Hunk] = []
    told = []
    for number, folder in enumerate(map(Path, given.repositories)):
        kept = cache / f"{name_of(folder)}-{given.newest}-{given.steps}.hunks" if cache else None
        if kept and kept.exists():
            hunks: list[Hunk] = pickle.loads(kept.read_bytes())  # our own, written below
        else:
            with tempfile.TemporaryDirectory(prefix="cortex-next-") as place:
                hunks = replayed(known(folder, given.newest), Path(place), given.steps)
            if kept:
                kept.parent.mkdir(parents=True, exist_ok=True)
                kept.write_bytes(pickle.dumps(hunks))
        # Hunks are compared with those of like size of their own history: some are corrected ten times as often.
        every += [replace(hunk, size=hunk.size + LARGEST * number) for hunk in hunks]
        told += rows(name_of(folder), hunks)
        counts = Counter((hunk.anybody, hunk.people) for hunk in hunks)
        by = sum(n for (_, people), n in counts.items() if people)
        anybody = sum(n for (each, _), n in counts.items() if each)
        say(f"{name_of(folder)}: {len(hunks):,} hunks, corrected by anybody {anybody:,}, by people {by:,}")
    if not every:
        return []
    told += rows("all", every)
    head = ["history", "flagged by", "flags", "that very fix", "by people", "lift, anybody", "lift, people"]
    table = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *told]
    say("\n".join(["", *table]))
    if given.plot:
        series = {name: line for name in DRAWN if (line := points(every, name))}
        base = sum(hunk.anybody for hunk in every) / len(every)
        far = max((x for line in series.values() for x, _ in line), default=1.0)
        image = chart(
            "The next correction: how many of the flagged hunks were corrected", "share of corrected hunks flagged",
            "share of flagged hunks corrected", series, {"all hunks": [(0.0, base), (far, base)]},
            logarithmic=False,
        )  # fmt: skip
        Path(given.plot).write_text(image, encoding="utf-8")
    aloud, exact = scored(every, "rules" + ALOUD, 0.0), scored(every, "exact keys", 1.0)
    return [
        Figure("flags of the guard, last 30% of the histories", aloud["flags"], "", ENOUGH, least=True),
        Figure("of these, later got that very fix", aloud["right"] / max(1.0, aloud["flags"]), "", FIX, least=True,
               note=f"exact keys: {exact['right'] / max(1.0, exact['flags']):.3f} of {exact['flags']:,.0f}"),
        Figure("lift over hunks of like size", aloud["lift anybody"], "", LIFT, least=True,
               note=f"exact keys: {exact['lift anybody']:.2f}"),
    ]  # fmt: skip


if __name__ == "__main__":
    main(
        measure,
        ("repositories", {"nargs": "*", "help": "clones, or bare copies"}),
        (
            "--newest",
            {"type": int, "default": 0, "help": "so many commits of each history alone, the newest"},
        ),
        ("--steps", {"type": int, "default": 10, "help": "rules are made so often in a tail"}),
        (
            "--cache",
            {"default": "", "help": "keep what was flagged in the histories here, and take it from here"},
        ),
        ("--plot", {"default": "", "help": "write the curve here, as SVG"}),
    )
