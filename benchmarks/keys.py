"""What the rules of a history were: edits by abstract key, and every place of a key with what became of it.

Each commit's files are compared as trees; an edit's key is its two sides with what they share as `$0`, `$1` … and
one-sided literals as STR and NUM. A place of a key at some commit was *migrated* (this very text was edited so
later), *kept* (its line stands to this day) or is *gone* otherwise. The code of the history stays in memory, and
in the file that `--cache` names; neither belongs into the repository.
"""

from __future__ import annotations

import contextlib
import pickle
import re
import textwrap
import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pygit2
from measuring import say
from pygit2.enums import SortMode

from cortex.analyzers.difference import Found, difference, units
from cortex.analyzers.languages import INTERFACE_NAMES, LISTS, is_generated, language_of, words
from cortex.analyzers.parse import Node, tree
from cortex.repo import trees

LARGEST = 300_000
MANY_FILES = 1_000
LONGEST_KEY = 300
MAX_TOKENS = 60
LARGE_HUNK = 12  # lines of a side
WHOLE_FILES = 1_000  # so many files are compared whole, where a hunk does not parse by itself
_META = re.compile(r"\$\d+\Z")
_WORD = re.compile(r"[A-Za-z_]\w*\Z")
_CLASSES = words("STR NUM FSTR DOC")
_KEEP = words("self cls this None True False nil null undefined true false super err ctx t")


_Said = tuple[str, str, str, str]  # language, kind, before, after
_Told = tuple[_Said, int, str, str]  # with the line and both texts


@dataclass(frozen=True)
class Edit:
    """One edit of a commit: where it was, what it said, and both versions of its file by blob."""

    number: int
    commit: str
    parent: str
    old_path: str
    path: str
    line: int
    before: str
    after: str
    old: str
    new: str


@dataclass(frozen=True)
class Key:
    """All edits of a history that are alike, oldest first."""

    language: str
    node: str
    before: str
    after: str
    edits: tuple[Edit, ...]
    inverse: int = 0

    @property
    def literals(self) -> frozenset[str]:
        """The words that every place holds."""
        return frozenset(
            token for token in self.before.split(" ") if _WORD.match(token) and token not in _CLASSES
        )


@dataclass(frozen=True)
class Spot:
    """One place of a key, by its lines (from 1); `bound` is what its holes and literals hold, and `fresh` says
    that it came after the first edit.
    """

    path: str
    line: int
    end_line: int
    text: str
    label: str
    fresh: bool
    bound: Mapping[str, str]


class History:
    """A repository's commits, trees and blobs, with the texts that were asked for last kept."""

    def __init__(self, folder: Path) -> None:
        self.name = (folder.parent if folder.name == "repo" else folder).name.rpartition("+")[2]
        self.folder = folder
        self.repository = pygit2.Repository(str(folder))
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._roots: OrderedDict[tuple[str, str], Node] = OrderedDict()
        self._trees: OrderedDict[str, dict[str, str]] = OrderedDict()
        self._head: dict[str, set[str]] = {}

    def text(self, blob: str) -> str:
        """A blob as text; empty when it is too large, or not there."""
        found = self._texts.get(blob)
        if found is None:
            held = self.repository.get(blob)
            data = held.data if isinstance(held, pygit2.Blob) and held.size <= LARGEST else b""
            found = self._texts[blob] = data.decode("utf-8", "replace")
            if len(self._texts) > 6_000:
                self._texts.popitem(last=False)
        return found

    def root(self, blob: str, language: str) -> Node:
        """The syntax tree of a blob."""
        found = self._roots.get((blob, language))
        if found is None:
            found = self._roots[blob, language] = tree(self.text(blob).encode("utf-8", "replace"), language)
            if len(self._roots) > 400:
                self._roots.popitem(last=False)
        return found

    def files(self, commit: str) -> dict[str, str]:
        """Path and blob of the sources of a commit; nothing for no commit."""
        if not commit:
            return {}
        known = self._trees.get(commit)
        if known is None:
            known = self._trees[commit] = dict(self._listed(self.repository[commit].peel(pygit2.Tree)))
            if len(self._trees) > 60:
                self._trees.popitem(last=False)
        return known

    def _listed(self, root: pygit2.Tree) -> Iterator[tuple[str, str]]:
        for path, blob in trees.files(root):
            if language_of(path) and not is_generated(path):
                yield path, str(blob.id)

    def stands_today(self, path: str, line: str) -> bool:
        """Whether a line stands to this day in a file of this name, wherever it was moved."""
        base = path.rpartition("/")[2]
        if not self._head:
            for each, blob in self.files(str(self.repository.revparse_single("HEAD").id)).items():
                self._head.setdefault(each.rpartition("/")[2], set()).add(blob)
        blobs = self._head.get(base, set())
        return any(line in (each.strip() for each in self.text(blob).split("\n")) for blob in blobs)


def family(language: str | None) -> str:
    """Languages of one family share their keys."""
    return "typescript" if language == "tsx" else language or ""


def keys_of(history: History, least: int, cache: Path | None = None) -> list[Key]:
    """The keys with at least `least` edits, in the order of their third edit; from the cache where it has them."""
    head = str(history.repository.revparse_single("HEAD").id)
    kept = cache / f"{history.name}-{head[:12]}.pickle" if cache else None
    if kept and kept.exists():
        found: list[Key] = pickle.loads(kept.read_bytes())  # our own, written below
    else:
        began = time.monotonic()
        found = _gathered(_mined(history))
        say(f"{history.name}: {len(found)} keys of three edits or more, in {time.monotonic() - began:.0f} s")
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(pickle.dumps(found))
    return [key for key in found if len(key.edits) >= least]


def _gathered(found: Iterator[tuple[_Said, Edit]]) -> list[Key]:
    by: defaultdict[_Said, list[Edit]] = defaultdict(list)
    for key, edit in found:
        by[key].append(edit)
    counts = {(key[0], key[2], key[3]): len(edits) for key, edits in by.items()}
    out = []
    for (language, node, before, after), edits in by.items():
        if len(edits) >= 3:
            ordered = sorted(edits, key=lambda each: (each.number, each.path, each.line))
            inverse = counts.get((language, after, before), 0)
            out.append(Key(language, node, before, after, tuple(ordered), inverse))
    return sorted(out, key=lambda key: (key.edits[2].number, key.before, key.after))


def _mined(history: History) -> Iterator[tuple[_Said, Edit]]:
    repository = history.repository
    walker = repository.walk(repository.head.target, SortMode.TOPOLOGICAL | SortMode.REVERSE)
    whole = WHOLE_FILES
    for number, commit in enumerate(walker):
        if len(commit.parent_ids) != 1:
            continue
        parent = commit.parents[0]
        diff = parent.tree.diff_to_tree(commit.tree, context_lines=0)
        if len(diff) > MANY_FILES:
            continue
        for patch in _patches(diff):
            old, new = patch.delta.old_file, patch.delta.new_file
            language = language_of(new.path)
            if patch.delta.status_char() not in "MR" or language is None or is_generated(new.path):
                continue
            found, failed = _of_hunks(patch, language)
            if failed and whole > 0:
                whole -= 1
                texts = history.text(str(old.id)), history.text(str(new.id))
                found = _differing(*texts, language, 0) or found
            for key, line, before, after in found:
                yield (
                    key,
                    Edit(number, str(commit.id), str(parent.id), old.path, new.path, line, before, after,
                         str(old.id), str(new.id)),
                )  # fmt: skip


def _patches(diff: pygit2.Diff) -> Iterator[pygit2.Patch]:
    """The patches of a diff, without those of blobs that a partial copy lacks."""
    with contextlib.suppress(KeyError, ValueError, pygit2.GitError):
        diff.find_similar(rename_limit=200)
    for k in range(len(diff)):
        with contextlib.suppress(KeyError, ValueError, pygit2.GitError):
            patch = diff[k]
            if patch is not None:
                yield patch


def _of_hunks(patch: pygit2.Patch, language: str) -> tuple[list[_Told], bool]:
    """The edits of the hunks that parse by themselves, and whether there was one that does not."""
    out: list[_Told] = []
    failed = False
    for hunk in patch.hunks:
        if not 0 < hunk.old_lines <= LARGE_HUNK or not 0 < hunk.new_lines <= LARGE_HUNK:
            continue
        lines = [(line.origin, line.content) for line in hunk.lines]
        sides = [_dedented("".join(text for sign, text in lines if sign == wanted)) for wanted in "-+"]
        found = _differing(*sides, language, hunk.old_start - 1)
        if found is None:
            failed = True
        else:
            out += found
    return out, failed


def edits_between(before: str, after: str, language: str) -> list[tuple[Key, str]]:
    """The keys of the edits between two pieces of code, each with the text that went; none where one does not parse."""
    found = _differing(_dedented(before), _dedented(after), language, 0) or []
    return [(Key(*said, ()), gone) for said, _, gone, _ in found]


def _dedented(text: str) -> str:
    return textwrap.dedent(text.expandtabs(8)) if "\t" in text else textwrap.dedent(text)


def _differing(old: str, new: str, language: str, offset: int) -> list[_Told] | None:
    """The edits between two texts; None where one of them does not parse."""
    if not old or not new or old == new:
        return []
    left, right = (tree(text.encode("utf-8", "replace"), language) for text in (old, new))
    if left.raw.has_error or right.raw.has_error:
        return None
    found = Found()
    try:
        difference(left, right, found)
    except RecursionError:
        return []
    out = []
    for b, a in units(found.pairs):
        if len(b.tokens) > MAX_TOKENS or len(a.tokens) > MAX_TOKENS:
            continue
        before, after = _rendered(b, a)
        if before != after and max(len(before), len(after)) <= LONGEST_KEY and _says(before, after):
            said = (family(language), b.kind, before, after)
            out.append((said, offset + b.first_line, norm(b.text), norm(a.text)))
    return out


def norm(text: str) -> str:
    """A text with single spaces."""
    return " ".join(text.split())


def _says(before: str, after: str) -> bool:
    """Whether a key holds a word beyond holes and classes."""
    told = [token for token in (*before.split(" "), *after.split(" ")) if token not in _CLASSES]
    return len(before.split(" ")) > 1 and any(_WORD.match(token) for token in told)


def _rendered(b: Node, a: Node) -> tuple[str, str]:
    shared = (_parts(b) & _parts(a)) - {b.tokens, a.tokens}
    names: dict[tuple[str, ...], str] = {}

    def tell(node: Node) -> Iterator[str]:
        if _may_be_hole(node) and node.tokens in shared:
            yield names.setdefault(node.tokens, f"${len(names)}")
        elif node.children:
            for child in node.children:
                yield from tell(child)
        elif token := token_of(node):
            yield token

    return " ".join(tell(b)), " ".join(tell(a))


def token_of(node: Node) -> str:
    """A leaf as keys name it."""
    if node.kind in node.language.strings:
        return "DOC" if node.text.lstrip("rRbBfF")[:3] in ('"""', "'''") else "STR"
    return "NUM" if node.kind in node.language.numbers else norm(node.text)


def _parts(node: Node) -> set[tuple[str, ...]]:
    out, stack = set(), [node]
    while stack:
        here = stack.pop()
        if _may_be_hole(here):
            out.add(here.tokens)
        stack.extend(here.children)
    return out


def _may_be_hole(node: Node) -> bool:
    if not node.named or node.is_block or node.kind in LISTS or node.kind in INTERFACE_NAMES:
        return False
    if node.kind == "keyword_argument" or node.text in _KEEP:
        return False
    return node.field not in ("function", "attribute", "property", "constructor")


def matches(root: Node, key: Key) -> list[tuple[Node, Mapping[str, str]]]:
    """The nodes of a tree that a key's before describes, in their order, with what its holes and literals hold."""
    wanted = tuple(key.before.split(" "))
    out, stack = [], [root]
    while stack:
        node = stack.pop()
        if node.kind == key.node and node.end - node.start < 4_000:
            bound = _fits(node, wanted)
            if bound is not None:
                out.append((node, bound))
        stack.extend(node.children)
    return sorted(out, key=lambda each: each[0].start)


def fits(node: Node, key: Key) -> bool:
    """Whether a key's before describes this very node."""
    return node.kind == key.node and _fits(node, tuple(key.before.split(" "))) is not None


def _fits(node: Node, wanted: tuple[str, ...]) -> Mapping[str, str] | None:
    budget = [4_000]

    def walk(here: Node, at: int, bound: Mapping[str, str]) -> Iterator[tuple[int, Mapping[str, str]]]:
        budget[0] -= 1
        if at >= len(wanted) or budget[0] < 0:
            return
        token = wanted[at]
        if _META.match(token) and _may_be_hole(here):
            text = norm(here.text)
            if bound.get(token, text) == text:
                yield at + 1, {**bound, token: text}
        if here.children:
            yield from row(here.children, 0, at, bound)
        elif not (told := token_of(here)):
            yield at, bound
        elif told == token:
            yield at + 1, {**bound, f"#{at}": norm(here.text)} if token in _CLASSES else bound

    def row(
        nodes: Sequence[Node], k: int, at: int, bound: Mapping[str, str]
    ) -> Iterator[tuple[int, Mapping[str, str]]]:
        if k == len(nodes):
            yield at, bound
            return
        for after, more in walk(nodes[k], at, bound):
            yield from row(nodes, k + 1, after, more)

    return next((bound for at, bound in walk(node, 0, {}) if at == len(wanted)), None)


def spots(history: History, key: Key, at: str, seeds: Sequence[Edit]) -> list[Spot]:
    """Every place of a key in the tree of commit `at`, without the seeds themselves, with its label."""
    first = history.files(seeds[0].parent)
    named: defaultdict[str, list[str]] = defaultdict(list)
    for path, blob in first.items():
        named[path.rpartition("/")[2]].append(blob)
    later = Counter((edit.old_path, edit.before) for edit in key.edits[len(seeds) :])
    done = Counter((edit.old_path, edit.before) for edit in seeds if edit.parent == at)
    out = []
    for path, blob in sorted(history.files(at).items()):
        language = language_of(path)
        if family(language) != key.language or language is None:
            continue
        text = history.text(blob)
        if not all(word in text for word in key.literals):
            continue
        found = matches(history.root(blob, language), key)
        if not found:
            continue
        before = [first[path]] if path in first else named[path.rpartition("/")[2]][:5]
        known = {line.strip() for each in before for line in history.text(each).split("\n")}
        lines = text.split("\n")
        for node, bound in found:
            said = norm(node.text)
            line = lines[node.first_line - 1].strip()
            if done[path, said] > 0:
                done[path, said] -= 1
                continue
            if later[path, said] > 0:
                later[path, said] -= 1
                label = "migrated"
            else:
                label = "kept" if history.stands_today(path, line) else "gone"
            fresh = line not in known
            out.append(Spot(path, node.first_line, node.last_line, said, label, fresh, bound))
    return out


def repeats_itself(key: Key) -> bool:
    """Whether the after form is a before again, by the words alone: it wraps what was there."""
    before, after = Counter(key.before.split(" ")), Counter(key.after.split(" "))
    return not before - after
