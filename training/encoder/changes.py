"""Pairs from histories: the subject of a commit with each function that it changed, as it was before."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pygit2
from mining import said, taken
from records import Pair

from cortex.analyzers.functions import Unit, units_of
from cortex.analyzers.languages import language_of

COMMITS = 400  # of a repository, evenly over its history
_FILES, _FUNCTIONS = 6, 6  # a commit that changes more says little of each
_LARGEST = 150_000
_LONGEST_CODE = 1_600
_NUMBERS = re.compile(r"\s*\(?(fix(e[sd])?|close[sd]?|refs?|see|gh-?)?:?\s*#\d+\)?", re.I)
_PREFIX = re.compile(
    r"^\s*(feat|fix|docs?|style|refactor|perf|tests?|build|ci|chore|bug|enh|maint|deps)\w*(\([^)]*\))?!?:\s+",
    re.I,
)
_BRACKETS = re.compile(r"^\s*\[[^\]]*\]\s*")
_BUMP = re.compile(
    r"^(v?\d+\.\d|bump|release|merge|revert|version|changelog|update (readme|changelog|version|dep)|prepare|typo"
    r"|lint|format|chore\(release)",
    re.I,
)


def subject_of(message: str) -> str | None:
    """What a commit says that it does, without type and numbers; None for releases, bumps and the like."""
    line = message.strip().split("\n", 1)[0]
    text = " ".join(_BRACKETS.sub("", _PREFIX.sub("", _NUMBERS.sub(" ", line))).split()).strip(" .-")
    return text if said(text, 4) and len(text) <= 200 and not _BUMP.search(line) else None


def innermost(units: list[Unit], lines: set[int]) -> list[Unit]:
    """The functions that lines lie in, each line's smallest one."""
    found = {}
    functions = [unit for unit in units if unit.kind == "function"]
    for line in lines:
        within = [unit for unit in functions if unit.first <= line <= unit.last]
        if within:
            best = min(within, key=lambda unit: unit.last - unit.first)
            found[best.first, best.name] = best
    return [found[key] for key in sorted(found)]


def changed(repository: pygit2.Repository, commit: str, most: int = COMMITS) -> Iterator[Pair]:
    """The pairs of a history, newest first."""
    order = pygit2.enums.SortMode.TOPOLOGICAL | pygit2.enums.SortMode.TIME
    told = [
        (each.id, subject)
        for each in repository.walk(repository[commit].id, order)
        if len(each.parents) == 1 and (subject := subject_of(each.message))
    ]
    for identity, subject in told[:: max(1, len(told) // most)][:most]:
        try:
            yield from _of_commit(repository, repository[identity].peel(pygit2.Commit), subject)
        except (KeyError, pygit2.GitError):
            continue  # a thin clone lists files that it does not have


def _of_commit(repository: pygit2.Repository, commit: pygit2.Commit, subject: str) -> Iterator[Pair]:
    difference = commit.parents[0].tree.diff_to_tree(commit.tree, context_lines=0)
    if len(difference) > 3 * _FILES:
        return
    at = [
        number
        for number, delta in enumerate(difference.deltas)
        if delta.status_char() == "M" and taken(delta.old_file.path)
    ]
    patches = [difference[number] for number in at] if len(at) <= _FILES else []
    found = []
    for patch in patches:
        file = patch.delta.old_file
        language = language_of(file.path)
        blob = repository[file.id].peel(pygit2.Blob)
        if language is None or blob.size > _LARGEST or blob.is_binary:
            continue
        lines = {
            line
            for hunk in patch.hunks
            for line in range(hunk.old_start, hunk.old_start + max(1, hunk.old_lines))
        }
        found += [(unit, language) for unit in innermost(units_of(blob.data, language), lines)]
    if len(found) <= _FUNCTIONS:
        for unit, language in found:
            code = f"{unit.doc[:400]}\n{unit.code}" if unit.doc else unit.code
            if len(code) >= 40:
                yield Pair("change", language, unit.name.split(".")[-1], subject, code[:_LONGEST_CODE])
