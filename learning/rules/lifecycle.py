"""The state that a rule has earned: candidate → shadow → active → retired.

A rule's chance of being right is the mean of a Beta posterior: corrections count for it; matches that people left
in files that they corrected, matches that they wrote since, and their "wrong" count against it; the prior says how
telling its words are (learner A of the field test on real histories). While a change is in progress what stands
elsewhere was not passed over, and the chance is that of the key as a whole (`underway`), fitted on every key of the
development histories that was seen three times, whatever came later (`benchmarks/field.py`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...store.wording import count, times
from . import underway
from .backtest import BackTest

CANDIDATE, SHADOW, ACTIVE, RETIRED = "candidate", "shadow", "active", "retired"


@dataclass(frozen=True)
class Settings:
    """Thresholds of the lifecycle; confidence and weights are shares."""

    min_support: int = 3
    min_commits: int = 2
    active_confidence: float = 0.8
    retire_confidence: float = 0.3
    retire_wrong: int = 2
    # Scattered repeats in a history rarely go on (11 of 83), so history alone has to say more.
    history_support: int = 6
    history_commits: int = 3
    history_confidence: float = 0.95
    left_weight: float = 1.0
    stood_weight: float = 0.25
    fresh_weight: float = 8.0
    wrong_weight: float = 4.0
    shown_weight: float = 2.0  # of a place that was shown, and committed as it was
    telling_share: float = 0.35
    everywhere_share: float = 0.6
    # While a change is in progress, its other places are wanted all, and what is wrong is seen at once: of what is
    # offered from here on, .88 is right (keys of histories that the fit had not seen).
    progress_confidence: float = 0.7
    progress_weights: Mapping[str, float] = field(default_factory=lambda: underway.WEIGHTS)
    # What every receiver may have (`$A.get($B)`) takes a person's word, or so many corrections and no like place.
    common_support: int = 12
    common_commits: int = 6
    common_confidence: float = 0.9  # of the widest form of a change that is under way


@dataclass(frozen=True)
class Evidence:
    """What is known for and against a rule, beside its back-test."""

    support: int
    weight: float
    commits: int
    confirmed: bool = True  # a correction of generated code was seen live, or a person said "good"
    in_progress: bool = False
    wrong: int = 0
    good: int = 0
    reversed_by: int = 0
    weak: bool = False
    habit: float = 0.0  # the share of the corrections that were of an assistant's code
    shown_left: int = 0  # places of which the guard warned, and that were committed as they were
    shown_taken: int = 0  # and those that were committed as it offered
    wraps: bool = False  # nothing of the pattern goes
    wide: bool = False  # whatever both sides share is left open


@dataclass(frozen=True)
class Decision:
    """A state, the chance of being right, and the reason in words."""

    state: str
    confidence: float
    reason: str


def decide(evidence: Evidence, backtest: BackTest, settings: Settings | None = None) -> Decision:
    """The state that the evidence earns; it depends on nothing else, so deciding twice changes nothing."""
    settings = settings or Settings()
    confidence = chance(evidence, backtest, settings)
    if evidence.wrong >= settings.retire_wrong:
        return Decision(RETIRED, confidence, f"{times(evidence.wrong)} said to be wrong")
    if evidence.support < settings.min_support or evidence.weight < settings.min_support:
        return Decision(
            CANDIDATE, confidence, f"{evidence.support} of {settings.min_support} corrections needed"
        )
    if evidence.commits < settings.min_commits:
        return Decision(
            CANDIDATE, confidence, f"from {evidence.commits} of {settings.min_commits} commits needed"
        )
    if evidence.reversed_by >= evidence.support:
        return Decision(RETIRED, confidence, f"corrected the other way round {times(evidence.reversed_by)}")
    if confidence < settings.retire_confidence:
        return Decision(RETIRED, confidence, _shown(evidence) or _standing(backtest))
    sure = confidence >= settings.common_confidence or not backtest.common
    if evidence.wide and not (evidence.in_progress and sure):
        return Decision(SHADOW, confidence, "so general a form speaks only while its change is under way")
    if confidence < (settings.progress_confidence if evidence.in_progress else settings.active_confidence):
        reason = "not often enough for so general a pattern" if evidence.weak else _standing(backtest)
        return Decision(SHADOW, confidence, _shown(evidence) or reason)
    if backtest.common and not evidence.in_progress and not _sure_though_common(evidence, backtest, settings):
        return Decision(SHADOW, confidence, "only a common member says where it applies, on whatever it is")
    if not evidence.confirmed and not evidence.in_progress and not _strong(evidence, confidence, settings):
        return Decision(
            SHADOW, confidence, "seen in history alone; silent until a new correction confirms it"
        )
    return Decision(
        ACTIVE,
        confidence,
        "; ".join(
            each
            for each in (
                corrected(evidence.support, evidence.commits),
                _shown(evidence),
                _standing(backtest),
            )
            if each
        ),
    )


def _shown(evidence: Evidence) -> str:
    """What became of the places that the guard showed; empty where none was left as it was."""
    if not evidence.shown_left:
        return ""
    taken = f", taken {times(evidence.shown_taken)}" if evidence.shown_taken else ""
    return f"shown and left as it was {times(evidence.shown_left)}{taken}"


def _sure_though_common(evidence: Evidence, backtest: BackTest, settings: Settings) -> bool:
    if evidence.good and not evidence.wrong:
        return True
    many = evidence.support >= settings.common_support and evidence.commits >= settings.common_commits
    return many and not backtest.stood


def chance(evidence: Evidence, backtest: BackTest, settings: Settings | None = None) -> float:
    """The chance that the person would correct what the rule finds: the posterior, or while a change is in progress
    what that and the rest of the evidence come to.
    """
    settings = settings or Settings()
    mean = posterior(evidence, backtest, settings)
    if not evidence.in_progress:
        return mean
    support = evidence.weight + evidence.good + evidence.shown_taken
    whole = underway.Whole(
        mean, support, backtest.stood, backtest.far, backtest.rarity, evidence.weak, evidence.wraps
    )
    return underway.chance(whole, settings.progress_weights)


def posterior(evidence: Evidence, backtest: BackTest, settings: Settings) -> float:
    """The mean of the Beta posterior of a match being one that the person would correct."""
    if evidence.weak:
        a, b = 0.5, 3.0
    elif backtest.rarity <= settings.telling_share:
        a, b = 3.0, 0.3
    elif evidence.in_progress and backtest.rarity > settings.everywhere_share:
        a, b = 1.0, 1.0
    else:
        a, b = 2.0, 0.5
    support = evidence.weight + evidence.good + evidence.shown_taken
    if evidence.in_progress:
        # What lies ahead of the change was not passed over; but what is very much more than was corrected, in words
        # that say little, is hardly all meant.
        many = max(0.0, math.log10((backtest.stood + 1) / (support + 1)) - 1)
        b += many * (0.5 if backtest.rarity <= settings.telling_share else 2.0)
        standing = 0.0
    else:
        standing = settings.stood_weight * max(0, backtest.stood - backtest.left - backtest.fresh)
    against = settings.left_weight * backtest.left + standing + _fresh(evidence, backtest, settings)
    against += settings.wrong_weight * evidence.wrong + evidence.reversed_by
    against += settings.shown_weight * evidence.shown_left
    return (a + support) / (a + b + support + against)


def _fresh(evidence: Evidence, backtest: BackTest, settings: Settings) -> float:
    """What freshly written matches count against: much when most matches are fresh, little when few are.

    Where it is an assistant's code that people keep correcting, fresh use is the habit that the rule is for.
    """
    if not backtest.fresh:
        return 0.0
    share = backtest.fresh / backtest.stood
    return settings.fresh_weight * math.sqrt(evidence.weight) * share * share * (1 - evidence.habit)


def _strong(evidence: Evidence, confidence: float, settings: Settings) -> bool:
    return (
        confidence >= settings.history_confidence
        and evidence.support >= settings.history_support
        and evidence.commits >= settings.history_commits
    )


def _standing(backtest: BackTest) -> str:
    if not backtest.stood:
        return "no accepted code says otherwise"
    if backtest.stood == 1:
        return "1 like place stands in accepted code"
    return f"{backtest.stood} like places stand in accepted code"


def corrected(support: int, commits: int) -> str:
    """How often and in how many commits, in words."""
    return f"corrected {times(support)} in {count(commits, 'commit')}"
