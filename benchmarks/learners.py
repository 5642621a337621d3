"""Learners beside each other on one key: given some edits of it, which other places do they offer?"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from keys import Edit, History, Key, Spot, family, matches, norm, repeats_itself, spots

from cortex.analyzers.fragments import fragments
from cortex.analyzers.languages import language_of
from cortex.learning.corrections.extraction import corrections
from cortex.learning.rules.backtest import BackTest, Place, backtests
from cortex.learning.rules.generalise import Candidate, generalise
from cortex.learning.rules.lifecycle import Evidence
from cortex.learning.rules.underway import wraps
from cortex.store.kinds import Correction

MOST_SEEDS = 24
MOST_CANDIDATES = 5
MOST_PLACES = 4_000
CAP = 20
LONGEST = 2_000  # characters of both sides
_ALL = 10**9


#: What a learner flags: places of the key by index, and the labels of what is no place of the key.
Choice = tuple[Collection[int], Sequence[str]]


@dataclass(frozen=True)
class Offer:
    """One rule that might be: what is known for and against it, and what it would flag."""

    pattern: str
    evidence: Evidence
    test: BackTest
    flagged: tuple[int, ...]  # places of the key, by index
    beside: tuple[str, ...]  # labels of what it flags that is no place of the key


@dataclass(frozen=True)
class Case:
    """One key, seen so many times: its other places with their labels, and what each learner has to say.

    `progress`: the commit of the last seed goes on; `within`: all seeds are of one commit.
    """

    history: str
    key: str
    language: str
    progress: bool
    within: bool
    spots: tuple[Spot, ...]
    offers: tuple[Offer, ...]
    literal: frozenset[int]
    narrowest: frozenset[int]
    reference: float  # what the prototype's learner A gives as its chance
    paths: tuple[str, ...]
    seeds: int = 3

    def labels(self) -> Counter[str]:
        """How many places of each label there are."""
        return Counter(spot.label for spot in self.spots)

    @property
    def floor(self) -> float:
        """The share of the places with a fate that were migrated."""
        counts = self.labels()
        return counts["migrated"] / max(1, counts["migrated"] + counts["kept"])


@dataclass(frozen=True)
class Score:
    """What a learner reached over many keys: `decoys` are keys of which less than .3 was migrated, and `handled` those
    where it said nothing, or was right in .8 of what it said.
    """

    keys: int
    spoke: int
    precision: float
    capped: float
    recall: float
    migrations: int
    decoys: int
    handled: int


def score(cases: Sequence[Case], choices: Sequence[Choice]) -> Score:
    """Pooled precision, also with each rule counted as at most 20 places, and the mean recall of true migrations."""
    right = wrong = capped_right = capped_wrong = 0.0
    recalls: list[float] = []
    spoke = decoys = handled = 0
    for each, (flagged, beside) in zip(cases, choices, strict=True):
        labels, counts = each.labels(), Counter(each.spots[k].label for k in flagged)
        good, bad = counts["migrated"], counts["kept"] + list(beside).count("kept")
        if each.floor >= 0.9:
            recalls.append(good / labels["migrated"])
        elif each.floor < 0.3:
            decoys += 1
            handled += good + bad == 0 or good / (good + bad) >= 0.8
        cap = min(1.0, CAP / max(1, good + bad))
        spoke += good + bad > 0
        right, wrong = right + good, wrong + bad
        capped_right, capped_wrong = capped_right + cap * good, capped_wrong + cap * bad
    return Score(
        keys=len(cases),
        spoke=spoke,
        precision=right / max(1.0, right + wrong),
        capped=capped_right / max(1.0, capped_right + capped_wrong),
        recall=sum(recalls) / max(1, len(recalls)),
        migrations=len(recalls),
        decoys=decoys,
        handled=handled,
    )


def case(
    history: History, key: Key, seeds: Sequence[Edit], at: str, progress: bool, known: int = 0
) -> Case | None:
    """The key as it was at commit `at`, when the first `known` edits were made (the seeds, unless more are given);
    None where no other place of it was left.
    """
    places = spots(history, key, at, key.edits[: known or len(seeds)])
    if not places or not any(spot.label != "gone" for spot in places):
        return None
    told = _seed_bindings(history, key, seeds)
    texts = {seed.before for seed in seeds}
    agreed = {
        name: value
        for name, value in (told[0].items() if told else ())
        if all(each.get(name) == value for each in told)
    }
    return Case(
        history.name,
        f"{key.before} => {key.after}",
        key.language,
        progress,
        len({seed.commit for seed in seeds}) == 1,
        tuple(places),
        tuple(_offers(history, key, seeds, at, progress, places)),
        frozenset(k for k, spot in enumerate(places) if spot.text in texts),
        frozenset(
            k
            for k, spot in enumerate(places)
            if all(spot.bound.get(name) == value for name, value in agreed.items())
        ),
        _reference(history, key, seeds, at, progress, places),
        tuple(spot.path for spot in places),
        len(seeds),
    )


def _seed_bindings(history: History, key: Key, seeds: Sequence[Edit]) -> list[dict[str, str]]:
    out = []
    for seed in seeds[:MOST_SEEDS]:
        language = language_of(seed.old_path)
        if language is None:
            continue
        found = matches(history.root(seed.old, language), key)
        alike = [each for each in found if norm(each[0].text) == seed.before]
        if alike:
            nearest = min(alike, key=lambda each: abs(each[0].first_line - seed.line))
            out.append(dict(nearest[1]))
    return out


def corrected(history: History, seed: Edit) -> Correction:
    """The correction that the learner would have seen for a seed: with its statement, out of the whole file; the seed
    alone where that is longer than the learner reads, or joined with other edits.
    """
    old, new = history.text(seed.old), history.text(seed.new)
    found = corrections(old, new, seed.path, commit=seed.commit)
    near = [
        each
        for each in found
        if len(each.before) + len(each.after) <= LONGEST
        and seed.before in norm(each.before)
        and seed.after in norm(each.after)
        and fragments(each.before, each.after, each.language) is not None
    ]
    if near:
        return min(near, key=lambda each: abs(each.line - seed.line))
    language = language_of(seed.path) or ""
    return Correction(
        before=seed.before, after=seed.after, path=seed.path, line=seed.line, language=language,
        commit=seed.commit, weight=1_000_000,
    )  # fmt: skip


def _offers(
    history: History, key: Key, seeds: Sequence[Edit], at: str, progress: bool, places: Sequence[Spot]
) -> Iterator[Offer]:
    seen = {f"{n:03}": corrected(history, seed) for n, seed in enumerate(seeds[:MOST_SEEDS])}
    candidates = [
        each for each in generalise(list(seen.items())) if 2 * len(each.support) >= min(len(seen), MOST_SEEDS)
    ][:MOST_CANDIDATES]
    if not candidates:
        return
    touched = {
        seed.path: max(other.line for other in seeds if other.path == seed.path) if progress else _ALL
        for seed in seeds
    }
    files = [
        (path, history.text(blob))
        for path, blob in history.files(at).items()
        if family(language_of(path)) == key.language
    ]
    tests = backtests(
        [each.pattern for each in candidates],
        files,
        list(seen.values()),
        [touched] * len(candidates),
        [_earlier(history, seeds[0].parent)] * len(candidates),
        MOST_PLACES,
    )
    # As `revise` chooses: the widest first, which may speak only while its change is under way.
    for candidate, test in sorted(
        zip(candidates, tests, strict=True), key=lambda each: not (progress and each[0].wide)
    ):
        yield _offer(history, candidate, test, seeds, places, at, seen)


def _earlier(history: History, commit: str) -> Callable[[str], str | None]:
    files = history.files(commit)
    named: dict[str, list[str]] = {}
    for path, blob in files.items():
        named.setdefault(path.rpartition("/")[2], []).append(blob)

    def before(path: str) -> str | None:
        blobs = [files[path]] if path in files else named.get(path.rpartition("/")[2], [])[:5]
        return "\n".join(map(history.text, blobs)) if blobs else None

    return before


def _offer(
    history: History,
    candidate: Candidate,
    test: BackTest,
    seeds: Sequence[Edit],
    places: Sequence[Spot],
    at: str,
    seen: dict[str, Correction],
) -> Offer:
    """What a candidate flags: its matches at the key's places, and beside them; the seeds themselves are neither."""
    own = {(seed.old_path, seed.line) for seed in seeds if seed.parent == at}
    stand = [each for each in test.places if not any((each.path, n) in own for n in _lines(each))]
    by_path: dict[str, list[tuple[int, Spot]]] = {}
    for k, spot in enumerate(places):
        by_path.setdefault(spot.path, []).append((k, spot))
    flagged: set[int] = set()
    beside = []
    for place in stand:
        hit = [
            k
            for k, spot in by_path.get(place.path, ())
            if spot.line <= place.end_line and place.line <= spot.end_line
        ]
        flagged.update(hit)
        if not hit:
            line = place.text.split("\n", 1)[0]
            beside.append("kept" if _stands(history, place.path, line) else "gone")
    commits = {seen[m].commit for m in candidate.support}
    evidence = Evidence(
        len(candidate.support), float(len(candidate.support)), len(commits), True, False, 0, 0,
        candidate.reversed_by, candidate.weak, wraps=wraps(candidate.pattern), wide=candidate.wide,
    )  # fmt: skip
    counted = replace(
        test,
        stood=len(stand),
        left=sum(each.left for each in stand),
        fresh=sum(each.fresh for each in stand),
        far=sum(each.far for each in stand),
        places=(),
    )
    return Offer(candidate.pattern.pattern, evidence, counted, tuple(sorted(flagged)), tuple(beside))


def _lines(place: Place) -> range:
    return range(place.line, place.end_line + 1)


def _stands(history: History, path: str, line: str) -> bool:
    blobs = history.files(str(history.repository.revparse_single("HEAD").id))
    return path in blobs and line.strip() in history.text(blobs[path])


def _reference(
    history: History, key: Key, seeds: Sequence[Edit], at: str, progress: bool, places: Sequence[Spot]
) -> float:
    """The chance that the prototype's learner A gives: a Beta posterior, with what was left, passed over and freshly
    written against it, and a prior from how rare the vanishing words are.
    """
    n = min(len(seeds), 12)
    reached = {s.old_path: max(o.line for o in seeds if o.old_path == s.old_path) for s in seeds}
    over = left = 0
    for spot in places:
        if progress and spot.path in reached and spot.line < reached[spot.path]:
            over += 1
        elif not progress and spot.path in {seed.path for seed in seeds}:
            left += 1
    fresh = sum(spot.fresh for spot in places)
    total = max(1, len(places))
    against = float(left + over) + 8.0 * math.sqrt(n) * (fresh / total) ** 2
    words = sorted(key.literals - {"self", "this", "err", "ctx", "t"})
    after = set(key.after.split(" "))
    texts = [history.text(b) for p, b in history.files(at).items() if family(language_of(p)) == key.language]
    share = {word: sum(word in text for text in texts) / max(1, len(texts)) for word in words}
    rare = min(share.values(), default=1.0)
    if any(word not in after for word in words) and rare <= 0.35:
        a, b = 3.0, 0.3
    elif words and rare <= 0.6:
        a, b = 2.0, 0.5
    else:
        a, b = (1.0, 1.0) if words else (0.5, 3.0)
    b += repeats_itself(key)
    b += 0.5 * any(token[:1] == "$" and token not in key.before.split(" ") for token in key.after.split(" "))
    b += 0.5 * any(token in ("STR", "NUM", "DOC") for token in key.after.split(" "))
    b += 0.5 * max(0.0, math.log10((total + 1) / (n + 1)) - 1)
    return (a + n) / (a + b + n + against)
