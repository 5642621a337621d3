"""Who added a line: `learning/lineage/ownership` beside `git blame`, on lines sampled from real histories.

    python benchmarks/ownership.py [REPOSITORY…] [--lines N] [--seed N] [--differing]

Blame runs as `git blame --porcelain`, without -w, -M or -C: it follows renames of whole files, and white space counts.
Lines are taken from text files of any kind (no links; none that is generated or longer than 1 MiB, which learning
never asks about) at the newest commit and at three older ones, so that much of the
history, with its renames, is asked about. `--differing` names the lines that differ.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pygit2
from measuring import ROOT, Figure, main, say
from pygit2.enums import SortMode

from cortex.analyzers.languages import is_generated
from cortex.learning.lineage.ownership import HUGE, Ownership, shallow_commits

LEAST = 0.995
#: Lines taken from one file at most: many files say more than much of one.
OF_A_FILE = 25
#: How far back the lines stand: at the newest commit, and at these shares of the first parents' line.
BACK = (0.0, 0.2, 0.45, 0.7)

Asked = tuple[str, str, int]  # revision, path, line


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """Each repository by itself, then all together."""
    count = given.lines or (300 if given.quick else 1_200)
    figures, all_lines, all_agree, all_renamed, renamed_agree = [], 0, 0, 0, 0
    for source in given.repositories or [str(ROOT)]:
        name = Path(source).name if Path(source).name != "repo" else Path(source).parent.name.split("+")[-1]
        started = time.perf_counter()
        truth = dict(_sampled(source, count, random.Random(given.seed)))
        blamed = time.perf_counter() - started
        started = time.perf_counter()
        found = _owned(source, truth)
        took = time.perf_counter() - started
        agree = [asked for asked, (commit, _) in truth.items() if found.get(asked, ("",))[0] == commit]
        renamed = {asked for asked, (_, path) in truth.items() if path != asked[1]}
        unknown = sum(asked not in found for asked in truth)
        figures.append(
            Figure(
                f"{name}: lines of which both name one commit", len(agree) / max(1, len(truth)), "", LEAST, True,
                f"{len(agree):,} of {len(truth):,}; {len(renamed):,} of them in files renamed since, "
                f"{len(renamed.intersection(agree)):,} the same; {unknown} without an answer; "
                f"{took:.1f} s, blame {blamed:.1f} s",
            )
        )  # fmt: skip
        all_lines, all_agree = all_lines + len(truth), all_agree + len(agree)
        all_renamed, renamed_agree = (
            all_renamed + len(renamed),
            renamed_agree + len(renamed.intersection(agree)),
        )
        if given.differing:
            for asked in sorted(set(truth) - set(agree)):
                say(
                    f"{name} {asked[0][:10]}:{asked[1]}:{asked[2]}\n  blame {truth[asked]}\n  ours  {found.get(asked)}"
                )
    figures.append(
        Figure("all lines", all_agree / max(1, all_lines), "", LEAST, True, f"{all_agree:,} of {all_lines:,}")
    )
    figures.append(
        Figure(
            "lines of files that were renamed since", renamed_agree / max(1, all_renamed), "", LEAST, True,
            f"{renamed_agree:,} of {all_renamed:,}",
        )
    )  # fmt: skip
    return figures


def _sampled(source: str, count: int, chance: random.Random) -> Iterator[tuple[Asked, tuple[str, str]]]:
    """Lines with the commit that blame names, and the path that the file had there."""
    line = _git(source, "rev-list", "--first-parent", "HEAD").split()
    for share in BACK:
        revision = line[int(share * (len(line) - 1))]
        paths = list(_files(source, revision))
        chance.shuffle(paths)
        wanted = count // len(BACK)
        for path in paths:
            if wanted <= 0:
                break
            rows = _blame(source, revision, path)
            taken = chance.sample(sorted(rows), min(wanted, OF_A_FILE, len(rows)))
            wanted -= len(taken)
            yield from (((revision, path, each), rows[each]) for each in taken)


def _files(source: str, revision: str) -> Iterator[str]:
    """The paths of what learning may ask about, as far as the tree says."""
    for row in _git(source, "ls-tree", "-r", "-z", "-l", revision).split("\0"):
        facts, _, path = row.partition("\t")
        mode, _, _, size = facts.split() if facts else ("", "", "", "")
        if mode.startswith("100") and size.isdigit() and int(size) <= HUGE and not is_generated(path):
            yield path


def _blame(source: str, revision: str, path: str) -> dict[int, tuple[str, str]]:
    """(commit, path there) for each line; none for what blame cannot read, or what is not text."""
    done = subprocess.run(
        ["git", "blame", "--porcelain", revision, "--", path], cwd=source, capture_output=True, check=False
    )
    if done.returncode or b"\0" in done.stdout:
        return {}
    found: dict[int, tuple[str, str]] = {}
    text: list[bytes] = []
    paths: dict[str, str] = {}
    commit, number = "", 0
    for row in done.stdout.split(b"\n"):
        if row.startswith(b"\t"):
            found[number] = (commit, paths.get(commit, path))
            text.append(row[1:])
            continue
        words = row.split()
        if row.startswith(b"filename "):
            paths[commit] = row[len(b"filename ") :].decode("utf-8", "replace")
        elif len(words) in (3, 4) and len(words[0]) == 40:
            commit, number = words[0].decode(), int(words[2])
    return {} if is_generated(path, b"\n".join(text)) else found


def _owned(source: str, truth: dict[Asked, tuple[str, str]]) -> dict[Asked, tuple[str, str]]:
    repository = pygit2.Repository(source)
    owners: Ownership[Asked] = Ownership(repository, shallow_commits(repository))
    rows: dict[tuple[str, str], list[tuple[int, Asked]]] = {}
    for asked in truth:
        rows.setdefault(asked[:2], []).append((asked[2], asked))
    for (revision, path), lines in rows.items():
        owners.ask(pygit2.Oid(hex=revision), path, lines)
    found = {}
    for each in repository.walk(repository.head.target, SortMode.TOPOLOGICAL | SortMode.TIME):
        if owners.waits_at(each.id):
            for owned in owners.step(each):
                found[owned.ticket] = (str(owned.commit.id), owned.path)
        if not owners:
            break
    return found


def _git(source: str, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=source, capture_output=True, check=True)
    return done.stdout.decode("utf-8", "surrogateescape")


if __name__ == "__main__":
    main(
        measure,
        ("repositories", {"nargs": "*", "help": "paths of git repositories; without, this one"}),
        ("--lines", {"type": int, "default": 0, "help": "how many of each"}),
        ("--seed", {"type": int, "default": 1, "help": "of the sample"}),
        ("--differing", {"action": "store_true", "help": "name the lines that differ"}),
    )
