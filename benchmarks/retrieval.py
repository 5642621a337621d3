"""Whether code search finds what a docstring describes and what a commit changed, beside BM25 and the encoder alone.

    python benchmarks/retrieval.py REPOSITORY… [--by-repository] [--json]

One system answers both and is not told which it is asked. BM25 is stemmed, without stop words, with the best b for
each set of this very run; "tests last" puts functions of tests behind all others, as ours does.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from measuring import Figure, main, say
from retrieval_sets import Query, Sets, build

from cortex.models import load_encoder
from cortex.recall import codesignals
from cortex.recall.codehistory import History
from cortex.recall.codequery import CodeQuery, read_query
from cortex.store.codeindex import Cosines, bag_of, name_of, text_of, windows
from cortex.store.codewords import BODY, DOC, Bag, Units, Vocabulary
from cortex.store.protocols import Encoder, Floats

BS = (0.25, 0.4, 0.55, 0.75, 0.9, 1.0)
#: More than all signals can give.
FIRST = 1e3
OURS, PLAIN = "ours", "ours, tests not told"
GOALS = {"docstring": (0.62, 0.10), "commit": (0.60, 0.06)}
Scores = Callable[["Asked"], Floats]


@dataclass(frozen=True)
class Asked:
    """One question with all that systems may look at."""

    set: str
    repository: str
    query: Query
    read: CodeQuery
    units: Units
    table: Floats
    cosines: Cosines
    signals: Floats
    pointed: npt.NDArray[np.int64]  # how exactly the question points at each: see `codesignals.pointed`

    @property
    def tests(self) -> Floats:
        """Which candidates are tests."""
        return self.signals[:, codesignals.SIGNALS.index("test")]


class _Embedded:
    """The vectors of one set's functions; texts that are the same are embedded once."""

    def __init__(self, made: Sets, rows: Sequence[int], encoder: Encoder, docs: bool) -> None:
        texts: dict[str, int] = {}
        self.place = {row: at for at, row in enumerate(rows)}
        self.text = np.array(
            [texts.setdefault(text_of(made.units[row][1], docs), len(texts)) for row in rows]
        )
        cut = [windows(text) for text in texts]
        self.starts = np.cumsum([0, *(len(each) for each in cut)])[:-1]
        self.windows = encoder.encode([each for some in cut for each in some], kind="code")
        self.whole = encoder.encode(list(texts), kind="code")
        named = [made.units[row] for row in rows]
        self.names = encoder.encode([name_of(path, unit.name) for path, unit in named])
        self.paths = encoder.encode([path.replace("/", " ") for path, _ in named])

    def cosines(self, query: Floats, as_code: Floats, rows: npt.NDArray[np.int64]) -> Cosines:
        """Those of a question with some of the functions, by their places here."""
        text = self.text[rows]
        best = (np.maximum.reduceat(self.windows @ each, self.starts)[text] for each in (query, as_code))
        window, coded = best
        return Cosines(
            window, (self.whole @ query)[text], self.names[rows] @ query, self.paths[rows] @ query, coded
        )


def asked(made: Sets, encoder: Encoder) -> Iterator[Asked]:
    """Every question of a repository; nothing of one question is seen by another."""
    past = History(made.history)
    for name, queries in made.queries.items():
        docs = name == "commit"
        rows = sorted({row for query in queries for row in query.rows})
        vocabulary = Vocabulary()
        bags: dict[int, Bag] = {row: bag_of(*made.units[row], vocabulary, docs) for row in rows}
        embedded = _Embedded(made, rows, encoder, docs)
        last: tuple[int, ...] = ()
        for query in queries:
            if query.rows is not last:
                last = query.rows
                files: dict[str, int] = {}
                paths = [made.units[row][0] for row in last]
                units = Units([bags[row] for row in last], [files.setdefault(p, len(files)) for p in paths])
                at = np.array([embedded.place[row] for row in last])
                names = [made.units[row][1].name for row in last]
                facts = codesignals.traits(list(zip(paths, names, strict=True)))
                called: dict[str, list[int]] = {}
                for row, each in enumerate(names):
                    called.setdefault(each.rpartition(".")[2], []).append(row)
            read = read_query(query.text)
            known = [vocabulary.ids[word] for word in read.terms if word in vocabulary.ids]
            table = units.table(known, len(vocabulary))
            cosines = embedded.cosines(
                encoder.encode([query.text])[0], encoder.encode([query.text], kind="code")[0], at
            )
            told = past.files(read.terms, query.past)
            history = np.array([told.get(path, 0.0) for path in paths], np.float32)
            named = codesignals.matched(read, names)
            values = codesignals.signals(read, units, table, cosines, facts, named, history)
            pointed = codesignals.pointed(read, names, paths, called)
            yield Asked(name, made.name, query, read, units, table, cosines, values, pointed)


def bm25(each: Asked, b: float) -> Floats:
    """BM25 of the function's text as one field, k1 1.2."""
    counts = each.table[:, :, DOC] + each.table[:, :, BODY]
    sizes = each.units.lengths[:, DOC] + each.units.lengths[:, BODY]
    found = (counts > 0).sum(axis=0)
    idf = np.log(1 + (len(counts) - found + 0.5) / (found + 0.5))
    norm = 1.2 * (1 - b + b * sizes / max(float(sizes.mean()), 1.0))
    return np.asarray((counts * 2.2 / (counts + norm[:, None])) @ idf, np.float32)


def ours(each: Asked) -> Floats:
    """The sum of what each signal gives; what the question names by its name comes first."""
    named = FIRST * (each.pointed > 1)
    return np.asarray(codesignals.shares(each.read, each.signals).sum(axis=1) + named, np.float32)


def _plain(each: Asked) -> Floats:
    given = codesignals.shares(each.read, each.signals)
    given[:, codesignals.SIGNALS.index("test")] = 0
    return np.asarray(given.sum(axis=1), np.float32)


def systems() -> Mapping[str, Scores]:
    """All that are compared."""
    found: dict[str, Scores] = {f"BM25 b={b}": lambda each, b=b: bm25(each, b) for b in BS}
    found |= {f"BM25 b={b}, tests last": lambda each, b=b: bm25(each, b) - 1e3 * each.tests for b in BS}
    found["encoder, best window"] = lambda each: each.cosines.window
    return {**found, PLAIN: _plain, OURS: ours}


def place(scores: Floats, right: Sequence[int]) -> int:
    """The place of the best right candidate, from 1; ties count against the system, at their middle."""
    best = max(scores[at] for at in right)
    level = int((scores == best).sum()) - sum(bool(scores[at] == best) for at in right)
    return 1 + int((scores > best).sum()) + level // 2


def reciprocal(places: Sequence[int]) -> npt.NDArray[np.float64]:
    """For MRR@10."""
    found = np.asarray(places, np.float64)
    return np.where(found <= 10, 1 / found, 0.0)


def interval(values: npt.NDArray[np.float64], rounds: int = 2_000, seed: int = 0) -> tuple[float, float]:
    """The bootstrap's 95% interval of a mean."""
    chance = np.random.default_rng(seed)
    means = values[chance.integers(0, len(values), (rounds, len(values)))].mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """All repositories; the best b of BM25 is chosen on all questions of one kind together."""
    encoder, compared = load_encoder(), systems()
    places: dict[str, dict[str, list[int]]] = {name: {each: [] for each in compared} for name in GOALS}
    of: dict[str, list[str]] = {name: [] for name in GOALS}
    for path in given.repositories:
        name = path.parent.name if path.name in ("repo", ".git") else path.name
        say(f"{name} …")
        for each in asked(build(path, name), encoder):
            of[each.set].append(name)
            for system, scores in compared.items():
                places[each.set][system].append(place(scores(each), each.query.right))
    figures = []
    for name, found in places.items():
        kept = {system: reciprocal(each) for system, each in found.items()}
        plain = max(
            (s for s in kept if s.startswith("BM25") and "last" not in s), key=lambda s: kept[s].mean()
        )
        last = max((s for s in kept if s.endswith("tests last")), key=lambda s: kept[s].mean())
        for system in (plain, last, "encoder, best window", PLAIN, OURS):
            low, high = interval(kept[system])
            fifth = np.mean(np.asarray(found[system]) <= 5)
            note = f"95%: {low:.3f} to {high:.3f}; R@5 {fifth:.3f}"
            what = f"{name} → function: {system}"
            goal = GOALS[name][0] if system == OURS else None
            figures.append(Figure(what, float(kept[system].mean()), "MRR@10", goal, least=True, note=note))
        gain = kept[OURS] - kept[plain]
        low, high = interval(gain)
        note = f"95%: {low:+.3f} to {high:+.3f}; {len(gain)} questions"
        what = f"{name} → function: ours over {plain}"
        figures.append(Figure(what, float(gain.mean()), "MRR@10", GOALS[name][1], least=True, note=note))
        where = np.array(of[name])
        for each in dict.fromkeys(of[name]) if given.by_repository else ():
            at = where == each
            note = f"{plain} {kept[plain][at].mean():.3f}; {int(at.sum())} questions"
            figures.append(Figure(f"{name}, {each}: ours", float(kept[OURS][at].mean()), "MRR@10", note=note))
    return figures


if __name__ == "__main__":
    main(
        measure,
        ("repositories", {"nargs": "*", "type": Path, "help": "clones, or bare copies"}),
        ("--by-repository", {"action": "store_true", "help": "each repository's figures too"}),
    )
