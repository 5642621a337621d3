"""Asks what developers of a well-known repository would ask, and compares with the places that were noted before.

    python benchmarks/questions.py REPOSITORY… [--show] [--here]

`labels/questions.json` has twenty questions for each of a few repositories, of which five have no answer there. Each
clone is asked in a copy of its own, at the commit that they were written for (`--here`: as it stands). Right is what
was noted: a path, a function, type or heading of it, or a commit. Beside it, in the same run, what BM25 over all
functions, types and sections has among its first five, and what git grep of the best single word has.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from measuring import Figure, git, main, run, say, workplace

from cortex.daemon.engine import Engine
from cortex.daemon.state import Models
from cortex.recall.codequery import read_query
from cortex.repo.places import find
from cortex.store.codeindex import Corpus
from cortex.store.codewords import BODY, DOC, NAME

LABELS = Path(__file__).parent / "labels" / "questions.json"
SOURCES = "memories,code,history"
SHOWN, K1, B = 5, 1.2, 0.75


@dataclass(frozen=True)
class Place:
    """What may be right: a path with what stands there, or a commit."""

    path: str
    name: str
    commit: str = ""


@dataclass
class Counts:
    """What came of one repository's questions."""

    found: list[int] = field(default_factory=list)  # the place of the first right one, from 1; 0 for none
    shown: int = 0
    right: int = 0
    silent: int = 0
    loud: int = 0
    without: int = 0
    tokens: list[int] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    words: list[int] = field(default_factory=list)
    grep: int = 0


def is_right(place: Place, noted: Sequence[str]) -> bool:
    """Whether a place is among those that were noted: `path#name`, `path#` for any of it, `commit:` and its id."""
    for each in noted:
        if each.startswith("commit:"):
            if place.commit.startswith(each.removeprefix("commit:")):
                return True
            continue
        path, _, name = each.partition("#")
        called = {place.name, place.name.rpartition(".")[2], place.name.rpartition(" / ")[2]}
        if place.path == path and (not name or name in called or name.rpartition(".")[2] in called):
            return True
    return False


def first(places: Sequence[Place], noted: Sequence[str]) -> int:
    """The place of the first right one, from 1; 0 where there is none."""
    return next((at for at, place in enumerate(places, 1) if is_right(place, noted)), 0)


def shown(answer: Mapping[str, Any]) -> list[Place]:
    """What an answer shows, memories too."""
    return [
        Place(each["path"], each["title"], each["id"] if each["kind"] == "commit" else "")
        for each in answer["memories"]
    ]


def by_words(corpus: Corpus, text: str) -> list[Place]:
    """The first five by BM25 over the words of each place: its name, its comment and its body as one."""
    asked = [corpus.vocabulary.ids[each] for each in read_query(text).terms if each in corpus.vocabulary.ids]
    table = corpus.units.table(asked, len(corpus.vocabulary))
    counts = table[:, :, NAME] + table[:, :, DOC] + table[:, :, BODY]
    sizes = corpus.units.lengths[:, DOC] + corpus.units.lengths[:, BODY]
    held = (counts > 0).sum(axis=0)
    idf = np.log(1 + (len(counts) - held + 0.5) / (held + 0.5))
    norm = K1 * (1 - B + B * sizes / sizes.mean())
    scores = (counts * (K1 + 1) / (counts + norm[:, None])) @ idf
    best = (corpus.places[at] for at in np.argsort(-scores, kind="stable")[:SHOWN])
    return [Place(entry.path, place.name) for entry, place in best]


def by_grep(repo: Path, corpus: Corpus, word: str) -> list[Place]:
    """The first five lines that git grep has for a word, each with what it stands in."""
    command = ["git", "grep", "-n", "-I", "-i", "-F", "-e", word]
    said = subprocess.run(command, cwd=repo, capture_output=True, check=False).stdout.decode(
        "utf-8", "replace"
    )
    out = []
    for line in said.splitlines()[:SHOWN]:
        path, number, _ = line.split(":", 2)
        around = [
            place.name
            for entry, place in corpus.places
            if entry.path == path and place.first <= int(number) <= place.last
        ]
        out += [Place(path, name) for name in around or [""]]
    return out


@contextlib.contextmanager
def opened(folder: Path, source: Path, commit: str, models: Models) -> Iterator[Engine]:
    """A copy of a clone with Cortex in it, its history read, its code and docs indexed."""
    git(folder, "clone", "--quiet", "--no-hardlinks", str(source), str(folder / "clone"))
    repo = folder / "clone"
    if commit:
        git(repo, "checkout", "--quiet", commit)
    run(["env", "CORTEX_NO_DAEMON=1", sys.executable, "-m", "cortex", "init", str(repo)])
    engine = Engine(find(repo), models)
    try:
        state = engine._state
        while state.searcher.catch_up(state, 10.0):
            pass
        yield engine
    finally:
        engine.close()


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """All repositories that there are questions for."""
    known = {each["repository"]: each for each in json.loads(LABELS.read_text(encoding="utf-8"))}
    figures: list[Figure] = []
    models = Models()
    for source in given.repositories:
        path = source.resolve()
        folder = path.parent.name if path.name in ("repo", ".git") else path.name.removesuffix(".git")
        matching = [
            name for name in known if name.rpartition("/")[2] == folder.replace("+", "/").rpartition("/")[2]
        ]
        if not matching:
            raise SystemExit(f"no questions were noted for {folder}: there are some for {', '.join(known)}")
        asked = known[matching[0]]
        say(matching[0])
        with (
            workplace() as place,
            opened(place, path, "" if given.here else asked["commit"], models) as engine,
        ):
            figures += _figures(
                f"{matching[0]} ({asked['role']})", _count(engine, asked["questions"], given.show)
            )
    return figures


def _count(engine: Engine, questions: Sequence[Mapping[str, Any]], show: bool) -> Counts:
    counts = Counts()
    corpus = engine._state.searcher._index.corpus()
    for each in questions:
        answer = engine.handle("ask", {"question": each["ask"], "sources": SOURCES})
        places = shown(answer)
        counts.took.append(answer["timings_ms"]["total"])
        if show:
            say(f"{first(places, each['right']) if each['right'] else '-'}  {each['ask']}")
            for one in answer["memories"]:
                say(f"      {one['source']}: {one['id'][:70]} {one['title'][:60]}")
        if not each["right"]:
            counts.without += 1
            counts.loud += bool(places)
            continue
        counts.found.append(first(places, each["right"]))
        counts.silent += not places
        counts.shown += len(places)
        counts.right += sum(is_right(place, each["right"]) for place in places)
        counts.tokens.append(answer["tokens"])
        counts.words.append(first(by_words(corpus, each["ask"]), each["right"]))
        counts.grep += bool(first(by_grep(engine._state.place.root, corpus, each["word"]), each["right"]))
    return counts


def _figures(name: str, counts: Counts) -> list[Figure]:
    of = len(counts.found)
    words = sum(bool(at) for at in counts.words)
    return [
        Figure(f"{name}: a noted one is shown", sum(bool(at) for at in counts.found), f"of {of}",
               note=f"{counts.found.count(1)} of them first; {counts.silent} wrongly silent"),
        Figure(f"{name}: BM25's first five hold one", words, f"of {of}",
               note=f"{counts.words.count(1)} of them first; git grep of the best word: {counts.grep}"),
        Figure(f"{name}: shown places that were noted", counts.right, f"of {counts.shown}"),
        Figure(f"{name}: answered with nothing to be found", counts.loud, f"of {counts.without}"),
        Figure(f"{name}: tokens, mean", statistics.mean(counts.tokens), "tokens",
               note=f"{statistics.median(counts.took):.0f} ms inside the engine, median"),
    ]  # fmt: skip


if __name__ == "__main__":
    main(
        measure,
        ("repositories", {"nargs": "+", "type": Path, "help": "clones, or bare copies"}),
        ("--show", {"action": "store_true", "help": "each question and what is shown for it"}),
        (
            "--here",
            {"action": "store_true", "help": "ask HEAD, not the commit that the questions were written for"},
        ),
    )
