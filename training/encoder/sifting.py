"""What is left out of the pairs: near duplicates, and whatever the evaluation repositories hold too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pygit2
from changes import subject_of
from clones import files
from mining import nameless, paragraph, sentence
from records import Pair, squeezed

from cortex.analyzers.functions import units_of
from cortex.analyzers.languages import language_of

#: Shorter code is anybody's: to leave it out would say nothing.
_TELLING = 60
_TELLING_TEXT = 30
_VERSIONS = 20  # of an evaluation repository, evenly over its history


@dataclass
class Apart:
    """The hashes of code and of texts that must not be learnt from."""

    codes: set[bytes] = field(default_factory=set)
    texts: set[bytes] = field(default_factory=set)

    def add(self, source: bytes, language: str) -> None:
        """Set a file's functions and first sentences apart."""
        for unit in units_of(source, language):
            if len(unit.code) > _TELLING:
                self.codes.add(squeezed(unit.code[:1_200]))
            said = sentence(nameless(paragraph(unit.doc), unit.name.split(".")[-1]))
            if len(said) > _TELLING_TEXT:
                self.texts.add(squeezed(said))

    def add_history(self, repository: pygit2.Repository, head: str) -> None:
        """Set apart what a repository holds now, what it held before, and what its commits say."""
        order = pygit2.enums.SortMode.TOPOLOGICAL | pygit2.enums.SortMode.TIME
        commits = list(repository.walk(repository[head].id, order))
        subjects = (subject_of(each.message) for each in commits)
        self.texts |= {squeezed(each) for each in subjects if each}
        seen = set()
        for commit in commits[:: max(1, len(commits) // _VERSIONS)]:
            for path, text in files(repository, str(commit.id)):
                language = language_of(path)
                if language is not None and hash(text) not in seen:
                    seen.add(hash(text))
                    self.add(text.encode(), language)

    def holds(self, pair: Pair) -> bool:
        """Whether a pair's code or its text occurs there."""
        told = sentence(pair.text)
        return (len(pair.code) > _TELLING and squeezed(pair.code[:1_200]) in self.codes) or (
            len(told) > _TELLING_TEXT and squeezed(told) in self.texts
        )


def sifted(
    pairs: Iterable[tuple[str, Pair]], apart: Apart, dropped: Counter[str]
) -> Iterator[tuple[str, Pair]]:
    """(source, pair) without what is set apart and without near duplicates; `dropped` counts these."""
    codes: set[bytes] = set()
    texts: set[bytes] = set()
    for source, pair in pairs:
        if apart.holds(pair):
            dropped["set apart"] += 1
            continue
        # One commit changes several functions, and one function is changed by several commits.
        code = squeezed(pair.code + (pair.text if pair.kind == "change" else ""))
        text = squeezed(f"{pair.kind} {pair.name} {pair.text}") if pair.text else b""
        if code in codes or text in texts:
            dropped["near duplicate"] += 1
            continue
        codes.add(code)
        if text:
            texts.add(text)
        yield source, pair
