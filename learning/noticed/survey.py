"""Counting the conventions of a repository's accepted code: what is checked out, and what came in lately.

A sample of the files is read, the same from one time to the next. What came in lately is the difference to the tree of
half a year before the newest commit: files that are the same in both are read once, and count as old.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import pygit2
from pygit2.enums import SortMode

from ...analyzers.conventions import Use, is_aside, uses
from ...analyzers.languages import is_generated, language_of
from ...repo import trees
from .configured import FILES_OF_CONFIGURATION, configured

#: Files of one language that are read, and the largest of them in bytes.
FILES, LARGEST = 400, 120_000
#: What came in since so long before the newest commit is new, in seconds and in words.
LATELY_S, LATELY = 182 * 86_400, "6 months"
#: How far back a history is followed to find the tree of that time, in commits of the first line.
_FAR = 20_000
_CONFIGURATION = 256 * 1024
#: Packages with a configuration of their own, so deep and so many.
_DEEP, _PACKAGES = 3, 50
_PLACES = 3
_SHOWN = 120
#: Of these a file says one thing, however often.
_ONCE = re.compile(r"library\.|tests\.(framework|assertions)$|imports\.(typing|future)$")

Key = tuple[str, str, str]  # language, topic, value


@dataclass(frozen=True)
class Spot:
    """One place of a choice: where, and the line itself."""

    path: str
    line: int
    text: str


@dataclass
class Tally:
    """How often each choice was made: in all, in how many files, and among what came in lately."""

    head: str = ""
    uses: Counter[Key] = field(default_factory=Counter)
    files: Counter[Key] = field(default_factory=Counter)
    recent: Counter[Key] = field(default_factory=Counter)
    places: dict[Key, list[Spot]] = field(default_factory=lambda: defaultdict(list))
    configured: dict[tuple[str, str], str] = field(default_factory=dict)
    own: frozenset[str] = frozenset()  # names of the repository's own packages
    read: int = 0
    compared: bool = False  # whether there was an older tree to compare with


def survey(
    repository: pygit2.Repository,
    tally: Tally,
    ignored: Callable[[str], bool] = lambda _: False,
    most: int = FILES,
) -> Iterator[None]:
    """Fill `tally` from what is checked out; yields after each file, so that whoever asks may stop, or go on later.

    Files that are missing (a partial clone) are passed over.
    """
    try:
        head = repository.revparse_single("HEAD").peel(pygit2.Commit)
        tree = head.tree
    except (KeyError, pygit2.GitError):
        return
    tally.head = str(head.id)
    now = _listed(tree)
    for folder in _configured_folders(tree):
        for said, path in configured(partial(_below, tree, folder)).items():
            tally.configured.setdefault(said, folder + path)
    tally.own = _own(tree, [path for path, _ in now])
    before = _before(repository, head)
    tally.compared = before is not None
    old = dict(_listed(before)) if before is not None else {}
    moved = set(old.values())
    yield
    for path, oid in _sample(now, ignored, most):
        language = language_of(path) or ""
        found = _uses(repository, path, oid, language)
        if found is None:
            continue
        tally.read += 1
        data, counted = found
        _add(tally, path, data, counted)
        if before is not None and oid not in moved:
            earlier = _uses(repository, path, old[path], language) if path in old else None
            fresh = Counter(key for key, _ in counted) - Counter(key for key, _ in (earlier or (b"", []))[1])
            tally.recent.update(fresh)
        yield


def _listed(tree: pygit2.Tree) -> list[tuple[str, pygit2.Oid]]:
    """Path and blob of the code of a tree."""
    return [
        (path, blob.id) for path, blob in trees.files(tree) if language_of(path) and not is_generated(path)
    ]


def _sample(
    listed: list[tuple[str, pygit2.Oid]], ignored: Callable[[str], bool], most: int
) -> Iterator[tuple[str, pygit2.Oid]]:
    """At most so many files of each language, chosen by their names: the same ones every time."""
    taken: Counter[str] = Counter()
    for path, oid in sorted(
        listed, key=lambda each: hashlib.sha1(each[0].encode(), usedforsecurity=False).digest()
    ):
        language = language_of(path) or ""
        if taken[language] < most and not ignored(path):
            taken[language] += 1
            yield path, oid


def _uses(
    repository: pygit2.Repository, path: str, oid: pygit2.Oid, language: str
) -> tuple[bytes, list[tuple[Key, int]]] | None:
    try:
        blob = repository.get(oid)
    except pygit2.GitError:
        return None
    if not isinstance(blob, pygit2.Blob) or blob.size > LARGEST:
        return None
    data = blob.data
    if is_generated(path, data[:8192]) or b"\0" in data[:8192]:
        return None
    once: set[Key] = set()
    out = []
    for use in uses(path, data, language):
        key = _key(use, language)
        if _ONCE.match(use.topic):
            if key in once:
                continue
            once.add(key)
        out.append((key, use.line))
    return data, out


def _key(use: Use, language: str) -> Key:
    if language == "tsx":
        topic = "naming.components" if use.topic == "naming.files" else use.topic
        return "typescript", topic, use.value
    return language, use.topic, use.value


def _add(tally: Tally, path: str, data: bytes, counted: list[tuple[Key, int]]) -> None:
    rows: list[bytes] | None = None
    seen: set[Key] = set()
    for key, line in counted:
        tally.uses[key] += 1
        if key in seen:
            continue
        seen.add(key)
        tally.files[key] += 1
        if len(tally.places[key]) < (1 if is_aside(path) else _PLACES):
            rows = data.split(b"\n") if rows is None else rows
            text = rows[line - 1].decode("utf-8", "replace").strip() if line <= len(rows) else ""
            tally.places[key].append(Spot(path, line, text[:_SHOWN]))


def _before(repository: pygit2.Repository, head: pygit2.Commit) -> pygit2.Tree | None:
    """The tree of half a year before the newest commit; None where the history does not go back so far."""
    try:
        walk = repository.walk(head.id, SortMode.TOPOLOGICAL)
        walk.simplify_first_parent()
        for number, commit in enumerate(walk):
            if commit.commit_time < head.commit_time - LATELY_S:
                return commit.tree
            if number > _FAR:
                break
    except (KeyError, pygit2.GitError):  # a shallow or partial clone ends somewhere
        pass
    return None


def _configured_folders(tree: pygit2.Tree) -> list[str]:
    """The folders that hold a formatter's or linter's configuration: the top, and packages of their own below it."""
    found: list[str] = []
    folders = [("", tree)]
    while folders and len(found) < _PACKAGES:
        prefix, folder = folders.pop(0)
        names = {entry.name for entry in folder if entry.type_str == "blob"}
        if not prefix or names & FILES_OF_CONFIGURATION:
            found.append(prefix)
        if prefix.count("/") < _DEEP:
            below = [(f"{prefix}{entry.name}/", entry) for entry in folder if isinstance(entry, pygit2.Tree)]
            folders += [each for each in below if not is_aside(each[0])]
    return found


def _below(tree: pygit2.Tree, folder: str, path: str) -> str | None:
    return _text(tree, folder + path)


def _text(tree: pygit2.Tree, path: str) -> str | None:
    try:
        entry = tree[path]
    except (KeyError, ValueError, pygit2.GitError):
        return None
    if not isinstance(entry, pygit2.Blob) or entry.size > _CONFIGURATION:
        return None
    return entry.data.decode("utf-8", "replace")


def _own(tree: pygit2.Tree, paths: list[str]) -> frozenset[str]:
    """What the repository's own packages are called: that it uses itself is no choice."""
    names = {
        path.split("/")[-2] for path in paths if re.match(r"((src|lib|python)/)?[^/]+/__init__\.py$", path)
    }
    if module := re.search(r"^module\s+(\S+)", _text(tree, "go.mod") or "", re.M):
        names |= {part for part in module[1].split("/")[1:] if not re.match(r"v\d+$", part)} | {module[1]}
    try:
        package = json.loads(_text(tree, "package.json") or "{}")
    except (ValueError, RecursionError):
        package = {}
    if isinstance(package, dict) and isinstance(package.get("name"), str):
        names |= {package["name"], package["name"].rpartition("/")[2]}
    top = {path.split("/")[1] for path in paths if path.startswith("packages/") and path.count("/") > 1}
    return frozenset(names | top)
