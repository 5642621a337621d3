"""The edit script on real commits: is it exact, how long does it take, and how near is it to the shortest one?

    python benchmarks/edit_script.py [REPOSITORY…] [--commits N] [--seed N]

Commits are drawn from all of each history, the same number from each. Every changed source file of a commit is
rewritten from its version before by the script, and compared with the version after, byte for byte.

Small trees (at most 60 nodes) are the changed definitions and statements of the same files. Their scripts are
compared with APTED's optimum (Pawlik, Augsten: "Tree edit distance: robust and memory-efficient", Inf. Syst. 56, 2016;
`pip install ".[bench]"`), with the same costs: inserting or deleting a node 1, changing a token's text 1, and a node of
one kind never becomes one of another. APTED knows no moves: what our script moves with one action costs it
a deletion and an insertion of every node moved, so a script may be shorter than its optimum. Scripts that
move are therefore also told apart.
"""

from __future__ import annotations

import argparse
import random
import statistics
import textwrap
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pygit2
from measuring import ROOT, Figure, main, percentile, say
from pygit2.enums import SortMode

from cortex.analyzers.difference import name_of
from cortex.analyzers.edits import edits
from cortex.analyzers.flat import Flat, read
from cortex.analyzers.languages import LANGUAGES, is_generated, language_of
from cortex.analyzers.matching import match
from cortex.analyzers.parse import tree
from cortex.analyzers.script import Move, apply, of_mapping, script
from cortex.learning.lineage.ownership import changes, text_blob

SMALL = 60
NEAR = 1.2
#: Small trees of one file at most.
OF_A_FILE = 10


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """All commits: first whether scripts are exact, then how long they are."""
    count = given.commits or (60 if given.quick else 500)
    times: list[float] = []
    rates: list[float] = []
    forms: Counter[str] = Counter()
    exact = commits = 0
    small: dict[tuple[str, bytes, bytes], None] = {}
    worst = (0.0, "")
    sources = given.repositories or [str(ROOT)]
    for number, source in enumerate(sources):
        share = count * (number + 1) // len(sources) - count * number // len(sources)
        repository = pygit2.Repository(source)
        here = 0
        for name, files in _drawn(repository, random.Random(given.seed)):
            for path, before, after in files:
                language = language_of(path)
                started = time.process_time()
                found = script(before, after, language)
                took = time.process_time() - started
                times.append(took)
                rates.append(1e6 * took / sum(found.nodes))
                worst = max(worst, (took, f"{path}, {sum(found.nodes):,} nodes, by {found.form}"))
                forms[found.form] += 1
                if apply(found, before) == after:
                    exact += 1
                else:
                    say(f"not exact: {name} {path}")
                small.update(dict.fromkeys(_small(before, after, language or "")))
            here += 1
            if here == share:
                break
        commits += here
        say(f"{Path(source).parent.name}: {here} commits")
    rows = [
        Figure("files rewritten exactly", exact / max(1, len(times)), "", 1.0, True,
               f"{exact:,} of {len(times):,} in {commits} commits; read as "
               + ", ".join(f"{form} {n}" for form, n in forms.most_common())),
        Figure("a file, median, of processor", 1e3 * statistics.median(times), "ms",
               note=f"mean {1e3 * statistics.fmean(times):.0f} ms, "
               f"95% within {1e3 * percentile(times, 0.95):.0f} ms, worst {worst[0]:.1f} s ({worst[1]})"),
        Figure("a node of both versions, median", statistics.median(rates), "µs"),
    ]  # fmt: skip
    return [*rows, *_optimum(list(small), given)]


def _drawn(
    repository: pygit2.Repository, chance: random.Random
) -> Iterator[tuple[str, list[tuple[str, bytes, bytes]]]]:
    """Commits in random order, with the source files that they changed (those with a grammar)."""
    order = [each.id for each in repository.walk(repository.head.target, SortMode.TOPOLOGICAL)]
    chance.shuffle(order)
    for oid in order:
        commit = repository[oid]
        assert isinstance(commit, pygit2.Commit)
        if len(commit.parents) != 1:
            continue
        files = []
        try:
            found = changes(repository, commit.parents[0].tree, commit.tree)
        except (KeyError, pygit2.GitError):  # not in a partial clone
            continue
        for change in found:
            if language_of(change.new_path) is None or change.old_id is None or change.new_id is None:
                continue
            old, new = text_blob(repository, change.old_id), text_blob(repository, change.new_id)
            if (
                old is None
                or new is None
                or old.id == new.id
                or is_generated(change.new_path, new.data[:8192])
            ):
                continue
            files.append((change.new_path, old.data, new.data))
        if files and len(files) <= 50:
            yield str(oid), files


def _small(before: bytes, after: bytes, language: str) -> list[tuple[str, bytes, bytes]]:
    """Changed definitions and statements that are small trees on both sides."""
    found: list[tuple[str, bytes, bytes]] = []
    named = [_definitions(data, language) for data in (before, after)]
    pairs = [(old, named[1][key]) for key, old in named[0].items() if key in named[1]]
    for edit in edits(before.decode("utf-8", "replace"), after.decode("utf-8", "replace"), language):
        pairs.append((edit.context_before.encode(), edit.context_after.encode()))
    for old, new in pairs:
        if old == new or not old or not new:
            continue
        trees = read(old, language), read(new, language)
        if all(each is not None and 2 < len(each) <= SMALL for each in trees):
            found.append((language, old, new))
    return found[:OF_A_FILE]


def _definitions(data: bytes, language: str) -> dict[tuple[str, str], bytes]:
    found: dict[tuple[str, str], list[bytes]] = {}
    stack = [tree(data, language)]
    while stack:
        node = stack.pop()
        if node.kind in LANGUAGES[language].definitions and node.end - node.start < 2_000:
            text = " " * node.raw.start_point.column + node.text
            found.setdefault((node.kind, name_of(node)), []).append(textwrap.dedent(text).encode())
        stack.extend(node.children)
    return {key: texts[0] for key, texts in found.items() if len(texts) == 1}


def _optimum(small: list[tuple[str, bytes, bytes]], given: argparse.Namespace) -> list[Figure]:
    """How the scripts of small trees compare with the optimum."""
    try:
        from apted import APTED, Config  # type: ignore[import-not-found]
    except ImportError:
        say("without apted, sizes are not compared: pip install '.[bench]'")
        return []

    class Costs(Config):  # type: ignore[misc]
        def rename(self, one: tuple[str, bytes, object], other: tuple[str, bytes, object]) -> int:
            return 2 if one[0] != other[0] else int(one[1] != other[1])

        def children(self, node: tuple[str, bytes, list[object]]) -> list[object]:
            return node[2]

    random.Random(given.seed).shuffle(small)
    ratios, sizes, optima, moving, still = [], 0, 0, 0, []
    for language, old, new in small[: 150 if given.quick else 600]:
        before, after = read(old, language), read(new, language)
        assert before is not None and after is not None
        found = of_mapping(before, after, match(before, after), language)
        assert apply(found, old) == new
        best = APTED(_nested(before), _nested(after), Costs()).compute_edit_distance()
        if not best:
            assert not found.size
            continue
        ratios.append(found.size / best)
        sizes, optima = sizes + found.size, optima + int(best)
        if any(isinstance(action, Move) for action in found.actions):
            moving += 1
        else:
            still.append(found.size / best)
    near = sum(ratio <= NEAR for ratio in ratios)
    return [
        Figure("small trees: actions, all together, over the optimum's", sizes / max(1, optima), "", NEAR,
               note=f"{sizes:,} over {optima:,} in {len(ratios):,} pairs; at most {max(ratios, default=0):.2f} of one"),
        Figure("small trees within 1.2 × of the optimum", near / max(1, len(ratios)), "", 0.99, True,
               f"{sum(ratio <= 1 for ratio in ratios):,} of {len(ratios):,} are no longer; {moving} move something; "
               f"of the {len(still):,} others {sum(r <= NEAR for r in still) / max(1, len(still)):.4f}"),
    ]  # fmt: skip


def _nested(flat: Flat) -> tuple[str, bytes, list[object]]:
    nodes: list[tuple[str, bytes, list[object]]] = [
        (kind, text, []) for kind, text in zip(flat.kinds, flat.texts, strict=True)
    ]
    for number, parent in enumerate(flat.parents[1:], 1):
        nodes[parent][2].append(nodes[number])
    return nodes[0]


if __name__ == "__main__":
    main(
        measure,
        ("repositories", {"nargs": "*", "help": "paths of git repositories; without, this one"}),
        ("--commits", {"type": int, "default": 0, "help": "how many in all"}),
        ("--seed", {"type": int, "default": 1, "help": "of the sample"}),
    )
