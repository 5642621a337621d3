"""From a question to the places of a repository's own code, docs and history that answer it, or none."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from ..store.codeindex import Corpus
from ..store.codewords import NAME
from ..store.protocols import Encoder, Floats
from . import codesignals
from .codehistory import Commit, History
from .codequery import CodeQuery
from .codesignals import SIGNALS

CODE, DOCS, HISTORY = "code", "docs", "history"
#: Names this ranking in exposure records; it changes whenever a weight or a threshold does.
RANKER = "code-2"
#: So many of each source are looked at closely.
EACH = 20
#: Of sections of prose so many stand in an answer at most, beside code.
SECTIONS = 2
#: And so many commits, where code is searched too.
COMMITS = 2
#: How a place's own signals say how likely it is right: constant, window, name, share of the question's words,
#: named. A logistic regression (`benchmarks/retrieval_abstain.py`, on requests, gin and cobra).
EVIDENCE: Final = (-4.23, 4.98, 0.46, 0.49, 0.77)
#: What is called just as the question has it is at least so sure.
CALLED = 0.5
#: What has less of the score of the best of its source is not shown beside it.
NEAR = 0.7
#: So many places of a file that the question names stand before all others.
OF_FILE = 3
#: Of a function of a file and a method of its name, one of so many lines only calls the other.
WRAPPER = 3
#: Where a place is asked for, a commit counts as so much less sure.
BEHIND = 0.6
#: Lines of what has no functions say less than a function that scores the same.
LINES = -0.7
#: For a commit, by hand on the same scale: constant, similarity of its message, share of the question's words.
COMMIT_EVIDENCE: Final = (-7.1, 5.0, 4.0)
#: A commit that took another one back counts for a trifle more than that.
TOOK_BACK = 0.001
_REVERT = re.compile(r'Revert "(.+)"')
#: What is less sure is not shown: with this, one in twenty questions about other worlds gets an answer.
ENOUGH = 0.13
#: Where the past is asked for, a commit needs so much of that, and a place so much.
OF_THE_PAST, BESIDE_IT = 0.65, 1.4


@dataclass(frozen=True)
class Found:
    """One place; for a commit `first` is 0 and `commit` says which. `chance` is how likely it helps."""

    source: str
    kind: str
    path: str
    name: str
    first: int
    last: int
    blob: str
    score: float
    why: Mapping[str, float]
    chance: float
    commit: Commit | None = None
    needed: float = ENOUGH  # the chance that is enough for it
    pointed: int = 0  # how exactly the question points at it: see `codesignals.pointed`


@dataclass(frozen=True)
class Looked:
    """What was found, the best first, and how many candidates were left out, by reason; `left` are these."""

    found: Sequence[Found]
    dropped: Mapping[str, int] = field(default_factory=dict)
    left: Sequence[tuple[Found, str]] = ()


def search(
    asked: CodeQuery,
    corpus: Corpus,
    history: History | None,
    encoder: Encoder,
    code: bool = True,
    past: bool = True,
    folder: str = "",
    endings: Sequence[str] = (),
    enough: float = ENOUGH,
) -> Looked:
    """Look in a repository's files (`code`), and for commits (`past`); `history` speaks for files in any case.

    `folder` and `endings` of paths are hard filters, of places alone. What is below `enough` is dropped as weak.
    """
    query = encoder.encode([asked.text])[0]
    found: list[Found] = []
    if code and len(corpus):
        found += _places(asked, corpus, history, encoder, query, folder, endings)
    if past and history is not None and (asked.vague or not asked.general):
        found += _commits(asked, history, encoder, query)
    found = [replace(each, needed=_needed(asked, each, enough)) for each in found]
    found.sort(key=lambda each: (*_turn(asked, each), -each.score, each.path, each.first))
    sure = [] if asked.vague else [each for each in found if each.chance >= each.needed]
    near = [each for each in sure if each.pointed or _is_near(each, sure)]
    kept = _mixed(near, COMMITS + asked.past if code else len(near))
    chosen, nearer = {_key(each) for each in kept}, {_key(each) for each in near}
    left = [
        (each, "repeated" if _key(each) in nearer else "behind") for each in sure if _key(each) not in chosen
    ]
    left += [(each, "vague") for each in found if asked.vague]
    left += [(each, "weak") for each in found if not asked.vague and each.chance < each.needed]
    return Looked(kept, dict(Counter(reason for _, reason in left)), left)


def _needed(asked: CodeQuery, each: Found, enough: float) -> float:
    return enough * ((OF_THE_PAST if each.commit else BESIDE_IT) if asked.past else 1.0)


def _is_near(each: Found, among: Sequence[Found]) -> bool:
    best = max(other.score for other in among if other.source == each.source)
    return each.score >= best - (1 - NEAR) * abs(best)


def _key(each: Found) -> tuple[str, str, int]:
    return (each.commit.id if each.commit else "", each.path, each.first)


def _turn(asked: CodeQuery, each: Found) -> tuple[float, ...]:
    """What comes first: commits where the past is asked for, then what is named, then what is surest."""
    commit = each.commit is not None
    prose = each.source == DOCS and (asked.code or asked.testing)
    doubt = BEHIND if (commit and asked.place) or prose else 1.0
    return float(not (commit and asked.past)), -each.pointed, -each.chance * doubt


def evidence(values: Floats) -> Floats:
    """How likely each place is worth showing, by its own signals alone."""
    columns = (values[:, SIGNALS.index(name)] for name in ("window", "name", "share", "named"))
    total = EVIDENCE[0] + sum(weight * each for weight, each in zip(EVIDENCE[1:], columns, strict=True))
    return np.asarray(1 / (1 + np.exp(-total)), np.float32)


def _places(
    asked: CodeQuery,
    corpus: Corpus,
    history: History | None,
    encoder: Encoder,
    query: Floats,
    folder: str,
    endings: Sequence[str],
) -> list[Found]:
    known = [corpus.vocabulary.ids[word] for word in asked.terms if word in corpus.vocabulary.ids]
    table = corpus.units.table(known, len(corpus.vocabulary))
    cosines = corpus.cosines(query, encoder.encode([asked.text], kind="code")[0])
    told = history.files(asked.terms) if history is not None else {}
    past = np.array([told.get(entry.path, 0.0) for entry, _ in corpus.places], np.float32)
    facts = corpus.facts(codesignals.traits)
    between = np.array([place.kind == "lines" for _, place in corpus.places], np.bool_)
    pointed = codesignals.pointed(asked, corpus.names, corpus.paths, corpus.called)
    pointed[between & (facts[:, 0] > 0)] &= 1  # a case of a test that is called so does not define it
    named = np.maximum(codesignals.matched(asked, corpus.names), codesignals.on_path(asked, corpus.paths))
    values = codesignals.signals(asked, corpus.units, table, cosines, facts, named, past)
    allowed = corpus.among(folder, endings)
    sections = corpus.sections
    out = []
    for source, group in ((CODE, ~sections), (DOCS, sections)):
        rows = np.flatnonzero(group & allowed)
        if not len(rows):
            continue
        # Prose is longer than code, and `docs/` is where it belongs: each kind is compared with its like.
        if source == DOCS:
            values[rows, SIGNALS.index("test")] = 0
        shares = codesignals.shares(asked, values[rows])
        lines = between[rows] * np.float32(LINES)
        chances = np.maximum(evidence(values[rows]), CALLED * _called(asked, table[rows]))
        for at, aim in _first(shares.sum(axis=1) + lines, pointed[rows]):
            entry, place = corpus.places[rows[at]]
            why = {name: float(share) for name, share in zip(SIGNALS, shares[at], strict=True)}
            if lines[at]:
                why["lines"] = float(lines[at])
            chance = max(float(chances[at]), CALLED * bool(aim))
            found = Found(
                source, place.kind, entry.path, place.name, place.first, place.last, entry.blob,
                sum(why.values()), why, chance, pointed=aim,
            )  # fmt: skip
            out.append(found)
    return _in_order(out)


def _first(scores: Floats, pointed: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """The best places and how exactly the question points at each: what it names first, of a file that it names few."""
    order = [int(at) for at in np.argsort(-scores, kind="stable")]
    of_file = [at for at in order if pointed[at] == 1][:OF_FILE]
    aimed = {at: int(pointed[at]) for at in order if pointed[at] > 1} | dict.fromkeys(of_file, 1)
    order.sort(key=lambda at: -aimed.get(at, 0))
    return [(at, aimed.get(at, 0)) for at in order[:EACH]]


def _called(asked: CodeQuery, table: Floats) -> Floats:
    """Whether a place's name holds all of a question's words, of which there are several."""
    several = len(asked.terms) > 1 and table.shape[1] == len(asked.terms)
    return np.asarray((table[:, :, NAME] > 0).all(axis=1) & several, np.float32)


def _in_order(found: Sequence[Found]) -> list[Found]:
    """A better placed one is no less sure than the next of its source: the ranking orders them, not the evidence."""
    out = []
    for source in (CODE, DOCS):
        mine = [each for each in found if each.source == source]
        best = 0.0
        for each in reversed(mine):
            best = max(best, each.chance if not each.pointed else 0.0)
            out.append(replace(each, chance=max(best, each.chance)))
    return out


def _commits(asked: CodeQuery, history: History, encoder: Encoder, query: Floats) -> list[Found]:
    scores = history.alike(asked.terms)
    best = sorted(scores, key=lambda at: (-scores[at], at))[: 5 * EACH]
    if not best:
        return []
    commits = [history.commits[at] for at in best]
    rows = encoder.encode([f"{each.subject}\n{each.body[:300]}" for each in commits])
    out = []
    for at, commit, cosine in zip(best, commits, rows @ query, strict=True):
        share = history.share(asked.terms, at)
        similarity = max(0.0, float(cosine))
        total = COMMIT_EVIDENCE[0] + COMMIT_EVIDENCE[1] * similarity + COMMIT_EVIDENCE[2] * share
        why = {"similarity": similarity, "share": share}
        chance = 1 / (1 + math.exp(-total))
        out.append(
            Found(HISTORY, "commit", "", commit.subject, 0, 0, "", sum(why.values()), why, chance, commit)
        )
    return sorted(_with_what_took_back(out), key=lambda each: -each.chance)[:EACH]


def _with_what_took_back(found: Sequence[Found]) -> list[Found]:
    """Commits; one that was taken back does not come without, nor before, the one that did it."""
    known = {each.name: each for each in found}
    out = []
    for each in found:
        undone = _REVERT.match(each.name)
        first = known.get(undone[1]) if undone else None
        if first is not None and first.score >= each.score:
            more = first.score - each.score + TOOK_BACK
            why = {**each.why, "took back": more}
            each = replace(each, score=each.score + more, why=why, chance=first.chance + TOOK_BACK)
        out.append(each)
    return out


def _mixed(found: Sequence[Found], commits: int) -> list[Found]:
    """Without what lies within a better one; few sections, so many commits, and what these say once."""
    kept: list[Found] = []
    for each in found:
        inside = any(
            other.path == each.path and other.first <= each.last and each.first <= other.last
            for other in kept
            if each.path
        )
        said = any(other.name == each.name for other in kept if each.commit and other.commit)
        full = each.source == DOCS and sum(other.source == DOCS for other in kept) >= SECTIONS
        full |= each.commit is not None and sum(other.commit is not None for other in kept) >= commits
        at = next((at for at, other in enumerate(kept) if _passes_on(each, other)), None)
        if at is not None and _long(each) > _long(kept[at]) and not inside:
            kept[at] = replace(each, chance=max(each.chance, kept[at].chance))
        elif at is None and not (inside or said or full):
            kept.append(each)
    return kept


def _passes_on(one: Found, other: Found) -> bool:
    """Whether one of two does nothing but call the other of its name, as far as their owners and lengths tell."""
    (mine, _, name), (its, _, other_name) = one.name.rpartition("."), other.name.rpartition(".")
    return (
        one.kind == other.kind == "function"
        and (one.path, name) == (other.path, other_name)
        and (not mine or not its)
        and min(_long(one), _long(other)) <= WRAPPER
    )


def _long(each: Found) -> int:
    return each.last - each.first + 1
