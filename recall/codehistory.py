"""What a repository's commits say of a question: those whose subject is like it, and the files that they changed."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ..store.words import query_terms

#: So many commits speak for files, the most alike ones.
SPEAKING = 30
#: A commit of more files says little of each.
WIDEST = 30
#: How much a subject's own length counts against it.
LENGTH = 0.15


@dataclass(frozen=True)
class Commit:
    """One commit: `t` in ms; `paths` are those that it changed."""

    id: str
    t: int
    author: str
    subject: str
    body: str
    paths: tuple[str, ...]


class History:
    """Commits, newest first, and the words of their subjects."""

    def __init__(self, commits: Sequence[Commit]) -> None:
        self.commits = commits
        self._bags = [frozenset(query_terms(each.subject)) for each in commits]
        self._holding: dict[str, list[int]] = {}
        for at, words in enumerate(self._bags):
            for word in words:
                self._holding.setdefault(word, []).append(at)

    def alike(self, terms: Sequence[str], among: Collection[int] | None = None) -> dict[int, float]:
        """The commits (their places) that share words with a question, and how much these say."""
        count = len(self.commits)
        scores: dict[int, float] = {}
        for word in terms:
            holding = self._holding.get(word, ())
            weight = math.log(1 + count / len(holding)) if holding else 0.0
            for at in holding:
                if among is None or at in among:
                    scores[at] = scores.get(at, 0.0) + weight / (1 + LENGTH * len(self._bags[at]))
        return scores

    def share(self, terms: Sequence[str], at: int) -> float:
        """Of what the question's words weigh, how much a commit's subject and body hold, 0 to 1."""
        count = len(self.commits)
        there = self._bags[at] | frozenset(query_terms(self.commits[at].body[:2_000]))
        got = total = 0.0
        for word in terms:
            weight = math.log(1 + count / (1 + len(self._holding.get(word, ()))))
            total += weight
            got += weight * (word in there)
        return got / total if total else 0.0

    def files(self, terms: Sequence[str], among: Collection[int] | None = None) -> Mapping[str, float]:
        """How much the commits most alike to a question speak for each path."""
        scores = self.alike(terms, among)
        out: dict[str, float] = {}
        told = [at for at in sorted(scores, key=lambda at: (-scores[at], at)) if self.commits[at].paths]
        for at in told[:SPEAKING]:
            paths = self.commits[at].paths
            if len(paths) <= WIDEST:
                for path in paths:
                    out[path] = out.get(path, 0.0) + scores[at] / math.sqrt(len(paths))
        return out
