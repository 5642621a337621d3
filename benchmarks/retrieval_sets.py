"""Two sets of questions with known answers, from a repository's own history: docstrings and commit subjects.

A docstring asks for its function among all functions of HEAD, whose docstrings are all left out; a commit's
subject asks for the functions that the commit changed, among all functions of its parent's tree but tests.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pygit2

from cortex.analyzers.functions import Unit, units_of
from cortex.analyzers.languages import language_of
from cortex.recall.codehistory import Commit
from cortex.recall.codesignals import TEST

_SKIPPED = re.compile(
    r"(^|/)(vendor|node_modules|dist|third_party|_vendor|packages)(/|$)|\.min\.js$|\.d\.ts$", re.IGNORECASE
)
_CHORE = re.compile(
    r"""^(v?\d+\.\d|bump|release|merge|revert|version|changelog|update\ (readme|changelog|version|dep)|prepare
    |typo|lint|format|chore\(release)""",
    re.IGNORECASE | re.VERBOSE,
)
_NUMBERS = re.compile(r"\s*\(?(fix(e[sd])?|close[sd]?|refs?|see|gh-?)?:?\s*#\d+\)?", re.IGNORECASE)
_PREFIX = re.compile(
    r"^\s*(feat|fix|docs?|style|refactor|perf|tests?|build|ci|chore|bug|enh|maint|deps)\w*(\([^)]*\))?!?:\s+",
    re.IGNORECASE,
)
_SECTION = re.compile(
    r"""^(@|:param|:return|:rtype|:type|Args:|Parameters$|Returns:?$|>>>|\.\.\ |-{3,}|={3,}|Example|eslint
    |istanbul|jshint|global\ |type:)""",
    re.VERBOSE,
)
LONG_LINE, LARGE = 3_000, 700_000


@dataclass(frozen=True)
class Query:
    """One question: `rows` are its candidates (numbers into the set's units), `right` places in `rows`."""

    text: str
    rows: tuple[int, ...]
    right: tuple[int, ...]
    #: Of the commits in `history`, those before it; None for all.
    past: frozenset[int] | None = None


@dataclass
class Sets:
    """One repository's questions; a unit is a function with its path, and its doc comment where it may be used."""

    name: str
    units: list[tuple[str, Unit]] = field(default_factory=list)
    queries: dict[str, list[Query]] = field(default_factory=dict)
    history: list[Commit] = field(default_factory=list)


def words(text: str) -> list[str]:
    """Words of two letters and more."""
    return re.findall(r"[A-Za-z]{2,}", text)


def subject_of(message: str) -> str:
    """A commit's subject without type prefix, numbers of issues and labels."""
    text = _NUMBERS.sub(" ", message.strip().partition("\n")[0])
    text = re.sub(r"^\s*\[[^\]]*\]\s*", "", _PREFIX.sub("", text))
    return re.sub(r"\s+", " ", text).strip(" .-")


def sentence_of(doc: str, name: str) -> str:
    """The first sentence of a doc comment, without markup, and without the leading name that Go has."""
    kept: list[str] = []
    for line in doc.replace("\r", "").split("\n"):
        text = line.strip()
        if not text or _SECTION.match(text):
            text = re.sub(r"^@desc\w*\s*", "", text) if text.startswith("@desc") else ""
            if not text:
                if kept:
                    break
                continue
        kept.append(text)
    told = " ".join(kept)
    told = re.sub(r":(?:[\w-]+:)?[\w-]+:`~?([^`<]*)(?:<[^>]*>)?`", r"\1", told)
    told = re.sub(r"\{@\w+ ([^}]*)\}", r"\1", told)
    told = re.sub(r"<[^>]{1,40}>", " ", told)
    told = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", told)
    told = re.sub(r"https?://\S+", "", told).replace("`", "").replace("*", "")
    told = re.sub(r"\s+", " ", told).strip()
    found = re.match(r"(.+?[.!?])(\s+[A-Z(\"']|$)", told)
    told = (found[1] if found else told).strip()
    first, _, rest = told.partition(" ")
    return (rest if rest and first.strip("(),.:").split(".")[-1] == name else told)[:300]


class Reader:
    """The functions of a repository's trees; each blob is parsed once."""

    def __init__(self, path: Path) -> None:
        self.repository = pygit2.Repository(str(path))
        self._functions: dict[tuple[str, str], list[Unit]] = {}
        self._trees: dict[str, list[tuple[str, str]]] = {}

    def files(self, tree: pygit2.Tree, prefix: str = "") -> Iterator[tuple[str, str]]:
        """Path and blob of each file of code."""
        for path, blob in self._files(tree):
            yield prefix + path, blob

    def _files(self, tree: pygit2.Tree) -> list[tuple[str, str]]:
        known = self._trees.get(str(tree.id))
        if known is not None:
            return known
        out: list[tuple[str, str]] = []
        for entry in tree:
            name = entry.name or ""
            if entry.type_str == "tree":
                folder = self.repository[entry.id].peel(pygit2.Tree)
                out += [(f"{name}/{path}", blob) for path, blob in self._files(folder)]
            elif entry.type_str == "blob" and entry.filemode != 0o120000 and language_of(name):
                out.append((name, str(entry.id)))
        self._trees[str(tree.id)] = out
        return out

    def functions(self, path: str, blob: str) -> list[Unit]:
        """The functions of one file; none of a file that is huge or minified."""
        language = language_of(path) or ""
        key = (blob, language)
        if key not in self._functions:
            data = self.repository[blob].data if blob in self.repository else b""
            bad = len(data) > LARGE or max(map(len, data.split(b"\n")), default=0) > LONG_LINE
            found = [] if bad else [unit for unit in units_of(data, language) if unit.kind == "function"]
            self._functions[key] = found
        return self._functions[key]


def build(path: Path, name: str, docs: int = 500, commits: int = 150, seed: int = 0) -> Sets:
    """The questions of the repository at `path`."""
    reader, made = Reader(path), Sets(name)
    known: dict[tuple[str, int], int] = {}

    def row(path: str, unit: Unit) -> int:
        key = (path, id(unit))
        if key not in known:
            known[key] = len(made.units)
            made.units.append((path, unit))
        return known[key]

    head = reader.repository.head.peel(pygit2.Commit)
    made.history = _history(reader, head)
    made.queries["docstring"] = _docstrings(reader, head.tree, row, docs, random.Random(seed))
    made.queries["commit"] = _commits(reader, head, row, commits, random.Random(seed), made)
    return made


def _history(reader: Reader, head: pygit2.Commit) -> list[Commit]:
    """The commits with one parent on the way to HEAD, newest first, and the files of code that they changed."""
    out = []
    for commit in reader.repository.walk(head.id, pygit2.enums.SortMode.TOPOLOGICAL):
        if len(commit.parents) != 1:
            continue
        try:
            deltas = reader.repository.diff(commit.parents[0], commit, context_lines=0).deltas
            paths = tuple(path for each in deltas if language_of(path := each.new_file.path))
        except (KeyError, pygit2.GitError):
            paths = ()  # a thin clone lacks a tree of it
        told = subject_of(commit.message)
        out.append(Commit(str(commit.id), commit.commit_time * 1000, "", told, "", paths))
    return out


def _docstrings(
    reader: Reader, tree: pygit2.Tree, row: Callable[[str, Unit], int], most: int, chance: random.Random
) -> list[Query]:
    functions = [
        (path, unit)
        for path, blob in reader.files(tree)
        if not _SKIPPED.search(path)
        for unit in reader.functions(path, blob)
    ]
    rows = tuple(row(path, unit) for path, unit in functions)
    asked = []
    by_text, by_code = defaultdict(list), defaultdict(list)
    for at, (path, unit) in enumerate(functions):
        by_code[unit.code].append(at)
        if not unit.doc or TEST.search(path):
            continue
        text = sentence_of(unit.doc, unit.name.split(".")[-1])
        plain = sum(ord(char) > 127 for char in text) < 0.1 * len(text)
        if len(words(text)) >= 4 and len(unit.code) >= 40 and plain:
            by_text[text.lower()].append(at)
            asked.append(text)
    asked = list({text.lower(): text for text in asked}.values())
    chance.shuffle(asked)
    return [Query(text, rows, _same(by_text[text.lower()], functions, by_code)) for text in asked[:most]]


def _same(
    asked: Sequence[int], functions: Sequence[tuple[str, Unit]], by_code: Mapping[str, Sequence[int]]
) -> tuple[int, ...]:
    """All functions with a doc comment that asks so, and those whose code is the same."""
    return tuple(sorted({other for at in asked for other in by_code[functions[at][1].code]}))


def _commits(
    reader: Reader,
    head: pygit2.Commit,
    row: Callable[[str, Unit], int],
    most: int,
    chance: random.Random,
    made: Sets,
) -> list[Query]:
    found = []
    numbers = {each.id: at for at, each in enumerate(made.history)}
    for commit in reader.repository.walk(head.id, pygit2.enums.SortMode.TOPOLOGICAL):
        if len(commit.parent_ids) != 1:
            continue
        text = subject_of(commit.message)
        if 4 <= len(words(text)) <= 25 and not _CHORE.search(commit.message.strip()):
            found.append((commit, text))
    found = found[:: max(1, len(found) // (most * 3))]
    chance.shuffle(found)
    out: list[Query] = []
    for commit, text in found:
        if len(out) >= most:
            break
        parent = commit.parents[0]
        changed = _changed(reader, parent, commit)
        if not 1 <= len(changed) <= 6:
            continue
        rows: list[int] = []
        right: list[int] = []
        for path, blob in reader.files(parent.tree):
            if _SKIPPED.search(path) or TEST.search(path):
                continue
            functions = reader.functions(path, blob)
            hit = _hit(functions, changed.get(path, ()))
            right += [len(rows) + at for at in sorted(hit)]
            rows += [row(path, unit) for unit in functions]
        if 1 <= len(right) <= 10 and len(rows) >= 30:
            before = (numbers.get(str(each.id)) for each in reader.repository.walk(parent.id))
            past = frozenset(at for at in before if at is not None and made.history[at].subject != text)
            out.append(Query(text, tuple(rows), tuple(right), past))
    return out


def _changed(
    reader: Reader, parent: pygit2.Commit, commit: pygit2.Commit
) -> dict[str, list[tuple[int, int]]]:
    """The lines of each file of code that a commit replaced (first, how many), by the parent's numbers."""
    out: dict[str, list[tuple[int, int]]] = defaultdict(list)
    try:
        for patch in reader.repository.diff(parent, commit, context_lines=0):
            path = patch.delta.old_file.path
            if patch.delta.status_char() != "A" and language_of(path):
                if not (_SKIPPED.search(path) or TEST.search(path)):
                    out[path] += [(hunk.old_start, hunk.old_lines) for hunk in patch.hunks]
    except (KeyError, pygit2.GitError):
        return {}  # a thin clone lacks a blob of it
    return out


def _hit(functions: Sequence[Unit], hunks: Sequence[tuple[int, int]]) -> set[int]:
    """The innermost functions around the lines of hunks."""
    hit = set()
    for start, count in hunks:
        for line in (start,) if count == 0 else range(start, start + count):
            around = [
                (unit.last - unit.first, at)
                for at, unit in enumerate(functions)
                if unit.first <= line <= unit.last and not (count == 0 and line == unit.last)
            ]
            if around:
                hit.add(min(around)[1])
    return hit
