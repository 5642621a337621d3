"""What the graph adds to a question: the memories around files and symbols that it names, and how complex they are."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from ..store.items import Item
from ..store.neighbourhood import is_memory
from ..store.protocols import Graph
from .question import Understood

#: How much a tie counts: to a symbol or a file that is named, to the file under work, to one that is a step away.
SYMBOL, FILE, WORKED_ON, STEP = 1.0, 0.7, 0.5, 0.25
#: What is named so often that it says nothing, and how many memories and files are gone through.
AMBIGUOUS, MEMORIES, FILES = 4, 60, 40
#: For so many candidates complexity is looked up.
MEASURED = 40
_PATH = re.compile(r"[\w@.-]*(?:/[\w@.-]+)*/?[\w@-]+\.[A-Za-z]\w{0,4}\b")
_RUN, LONGEST_PATH = re.compile(r"[\w@./-]+"), 200
_CALLED = re.compile(
    r"`([A-Za-z_$][\w$.]*)(?:\(\))?`|\b([A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)+)|\b([A-Za-z_$][\w$]*)\("
)
_SHAPED = re.compile(r"\b(?:[a-z]+(?:_[a-z0-9]+)+|[a-z]+[A-Z]\w*|[A-Z][a-z0-9]+[A-Z]\w*)\b")


class Code(Protocol):
    """What is asked of the code that is checked out; `store.codegraph` satisfies it."""

    @property
    def graph(self) -> Graph:
        """Files, what they import and what they define."""
        ...

    def called(self, name: str) -> list[tuple[str, str]]:
        """The (path, name) of all that is called so."""
        ...

    def ending(self, name: str) -> list[str]:
        """The paths whose last part is `name`."""
        ...

    def complexity(self, path: str, name: str = "") -> float | None:
        """How complex a function is, or the middle one of a file; None where that is not known."""
        ...


@dataclass(frozen=True)
class Surroundings:
    """Memory id → how strongly the graph ties it to what a question names (0 to 1); and what it names."""

    memories: Mapping[str, float] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    complexity: float | None = None


def surroundings(
    asked: Understood,
    memories: Graph,
    code: Code,
    known: Collection[str],
    among: Collection[str] | None = None,
) -> Surroundings:
    """Look around what a question names: in it, then in files that it imports or that import it, at a lower weight."""
    symbols = [found for name in names(asked.text) if 0 < len(found := code.called(name)) <= AMBIGUOUS]
    places = [each for found in symbols for each in found]
    files = dict.fromkeys([path for name in paths(asked.text) for path in _files(name, memories, code)], FILE)
    files.update((path, max(FILE, files.get(path, 0.0))) for path, _ in places)
    if asked.file:
        files.setdefault(asked.file, WORKED_ON)
    if not files:
        return Surroundings()
    near: dict[str, float] = {}
    for path, name in places:
        _tied(memories, f"symbol:{path}#{name}", SYMBOL, near, known, among)
    for path, strength in files.items():
        _tied(memories, f"file:{path}", strength, near, known, among)
    for path in list(files):
        for node in _beside(code.graph, f"file:{path}"):
            _tied(memories, node, STEP, near, known, among)
    measured = [code.complexity(*each) for each in places] or [code.complexity(path) for path in files]
    told = [each for each in measured if each is not None]
    return Surroundings(near, tuple(files), sum(told) / len(told) if told else None)


def likeness(found: Surroundings, items: Iterable[Item], code: Code) -> dict[str, float]:
    """Memory id → how like in complexity its function is to what the question names: 1 for the same, 0 for 16 times.

    Of `items` only the first are looked at, and none where no complexity is known.
    """
    out: dict[str, float] = {}
    for item in islice(items, MEASURED) if found.complexity is not None else ():
        held = [code.complexity(each.path, each.symbol) for each in item.evidence[:1] if each.symbol]
        if held and held[0] is not None and found.complexity is not None:
            out[item.id] = max(0.0, 1 - abs(math.log2((1 + held[0]) / (1 + found.complexity))) / 4)
    return out


def _tied(
    memories: Graph,
    node: str,
    strength: float,
    near: dict[str, float],
    known: Collection[str],
    among: Collection[str] | None,
) -> None:
    for _, m in memories.sources(node, "seen_in")[-MEMORIES:]:
        if is_memory(m) and m in known and (among is None or m in among):
            if m in near or len(near) < MEMORIES:
                near[m] = max(strength, near.get(m, 0.0))


def _beside(graph: Graph, node: str) -> Iterator[str]:
    out = [to for _, to in graph.targets(node, "imports") if to.startswith("file:")]
    yield from out[:FILES]
    yield from [of for _, of in graph.sources(node, "imports")][:FILES]


def _files(name: str, memories: Graph, code: Code) -> list[str]:
    """The files that a path or the last part of one may mean."""
    path = name.removeprefix("./")
    node = f"file:{path}"
    if memories.sources(node, "seen_in") or code.graph.sources(node, "seen_in") or code.graph.targets(node):
        return [path]
    found = code.ending(path.rpartition("/")[2])
    found = [each for each in found if each.endswith(f"/{path}") or each == path]
    return found if len(found) <= AMBIGUOUS else []


def paths(text: str) -> list[str]:
    """What looks like a path. Each run of such signs is matched from its start: a search is cubic in its length."""
    runs = (run.lstrip("/") if run.startswith("//") else run for run in _RUN.findall(text) if "." in run)
    found = (_PATH.match(run) for run in runs if len(run) <= LONGEST_PATH)
    return list(dict.fromkeys(each[0] for each in found if each))[:8]


def names(text: str) -> list[str]:
    """Words that look like the name of something in code."""
    found = [next(part for part in each if part) for each in _CALLED.findall(text)] + _SHAPED.findall(text)
    return [each for each in dict.fromkeys(found) if len(each) > 2][:12]
