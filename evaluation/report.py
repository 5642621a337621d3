"""What a replay amounts to: figures with their intervals and controls, and the words for them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..store.wording import count
from .figures import Share, word
from .guarding import Flag, curve
from .replayed import Group, Replayed, Rules
from .sweeping import Swept

SCHEMA = 1
#: With fewer corrections than this nobody can say much from shares.
FEW = 100


def report(seen: Replayed) -> dict[str, Any]:
    """The report as JSON prints it: `docs/contracts.md` says what each field is."""
    flags = seen.guard.flags
    all_of = seen.groups.get("learnable", Group())
    out: dict[str, Any] = {
        "schema": SCHEMA,
        "finished": seen.finished,
        "seed": seen.seed,
        "elapsed_s": round(seen.elapsed_s, 1),
        "commits": {
            "total": seen.total,
            "looked_at": seen.total - seen.first,
            "agents": seen.order.agents,
            "wrote": seen.writers,
            "replayed": seen.replayed,
        },
        "written_by": "agents" if seen.order.by_agents else "people",
        "corrections": {
            "total": seen.corrections,
            "learnable": seen.learnable,
            "outside": seen.outside,
            "by_hand": dict(seen.by_hand.most_common()),
            "by_category": dict(seen.by_category.most_common()),
            "by_month": [
                {"month": month, "corrections": number, "recalled": seen.caught_by_month[month]}
                for month, number in sorted(seen.by_month.items())
            ],
        },
        "groups": {name: _group(group) for name, group in sorted(seen.groups.items(), key=_order)},
        "recall": {"asked": seen.asked, "remembered": seen.remembered, "tokens": _tokens(seen)},
        "guard": {
            "files": seen.guard.files,
            "hunks": seen.guard.hunks,
            "rules": {**vars(seen.rules), "reach": seen.rules.reach.plain()},
            "warnings": _flags([flag for flag in flags if flag.active], seen.judged),
            "silent_too": _flags(flags, seen.judged),
            "curve": curve(flags, seen.judged),
            "lift": seen.guard.lift(seen.guard.flagged, seen.seed),
            "lift_silent_too": seen.guard.lift(seen.guard.silent, seen.seed),
        },
        "sweeps": {
            name: value.plain() if isinstance(value, Share) else value
            for name, value in vars(seen.sweeps).items()
        },
        "controls": {
            "shuffled_rules": seen.guard.shuffled_rules,
            "shuffled_right": seen.guard.shuffled.plain(),
            "other_rewrite": Share(sum(flag.swapped for flag in flags), len(flags)).plain(),
            "exact_words": seen.guard.exact.plain(),
            "exact_words_lift": seen.guard.lift(seen.guard.exactly, seen.seed),
            "unflagged_corrected": Share(
                sum(each.k for each in seen.guard.plain.values()),
                sum(each.n for each in seen.guard.plain.values()),
            ).plain(),
        },
        "examples": [*(asdict(each) for each in (*seen.examples, *seen.shown)), *_flagged(flags)],
        "notes": _notes(seen),
    }
    out["verdict"] = _verdict(seen, all_of)
    return out


def _order(named: tuple[str, Group]) -> tuple[int, int, str]:
    name, group = named
    rank = 0 if name == "learnable" else 1 if name.startswith("hand") else 2
    return rank, -group.at_writing.n, name


def _group(group: Group) -> dict[str, object]:
    shares = vars(group).items()
    return {name: share.plain() for name, share in shares if isinstance(share, Share)}


def _tokens(seen: Replayed) -> dict[str, object]:
    drawn = seen.tokens
    answered = [each for each in drawn if each]
    return {
        "drawn": len(drawn),
        "of": seen.tasks,
        "answered": Share(len(answered), len(drawn)).plain(),
        "mean": round(statistics.fmean(drawn), 1) if drawn else None,
        "mean_of_answers": round(statistics.fmean(answered), 1) if answered else None,
        "most": max(drawn, default=None),
        "mean_of_corrected": round(statistics.fmean(seen.tokens_corrected), 1)
        if seen.tokens_corrected
        else None,
        "histogram": _histogram(drawn),
        "in_all": round(statistics.fmean(drawn) * seen.tasks) if drawn else None,
    }


def _histogram(drawn: Sequence[int]) -> list[dict[str, int]]:
    """How many answers have so many tokens: none, up to 100, up to 200, …"""
    bins = [0, 100, 200, 300, 400, 500]
    return [
        {"up_to": top, "tasks": sum(bins[at - 1] < each <= top if at else not each for each in drawn)}
        for at, top in enumerate(bins)
    ]


def _flags(flags: Sequence[Flag], corrections: int) -> dict[str, object]:
    fates = [flag.fate.kind for flag in flags]
    caught = {m for flag in flags for m in flag.caught}
    return {
        "flags": len(flags),
        "rules": len({flag.rule for flag in flags}),
        "right": Share(fates.count("fixed"), len(flags)).plain(),
        "right_by_person": Share(sum(flag.fate.by == "person" for flag in flags), len(flags)).plain(),
        "changed_otherwise": fates.count("changed"),
        "stood": fates.count("stood"),
        "caught": Share(len(caught), corrections).plain(),
    }


def _flagged(flags: Sequence[Flag]) -> list[dict[str, object]]:
    """Flags to be read by a person: those said aloud first, right or not."""
    chosen = sorted(flags, key=lambda flag: (not flag.active, not flag.right))[:40]
    return [
        {
            "via": "warned" if flag.active else "silent rule",
            "commit": flag.commit,
            "path": flag.path,
            "line": flag.line,
            "before": flag.before[:400],
            "after": flag.after[:400],
            "fate": flag.fate.kind,
            "corrected_in": flag.fate.commit,
        }
        for flag in chosen
    ]


def _verdict(seen: Replayed, all_of: Group) -> list[str]:
    """The answer in sentences."""
    if not seen.total:
        return ["There is no commit here yet: nothing to replay."]
    if not seen.corrections:
        return [
            f"In {count(seen.total - seen.first, 'commit')} nobody corrected code that "
            f"{'an agent' if seen.order.by_agents else 'somebody'} had written shortly before: nothing to learn from."
        ]
    warned = [flag for flag in seen.guard.flags if flag.active]
    caught = Share(len({m for flag in warned for m in flag.caught}), seen.judged)
    lines = [
        f"{_said(all_of.at_writing)} of the corrections had an earlier like one when the code was written: "
        f"{word(all_of.at_writing)}.",
        f"Recall would have brought it back for {_said(all_of.recalled)}: {word(all_of.recalled)}.",
    ]
    if warned:
        right = Share(sum(flag.right for flag in warned), len(warned))
        lines.append(
            f"The guard would have warned {count(len(warned), 'time')}, rightly {_said(right)}, and caught "
            f"{_said(caught)} of the corrections: {word(caught)}."
        )
    else:
        lines.append(
            "The guard would not have said a word: no rule that had earned its voice matched a line that was written."
        )
    lines += _of_rules(seen.rules, bool(warned)) + _swept(seen.sweeps)
    if seen.learnable < FEW:
        lines.append(
            f"{count(seen.learnable, 'correction')} of which something can be learnt: too few to say it surely."
        )
    return lines


def _of_rules(rules: Rules, spoke: bool) -> list[str]:
    """Why the guard was silent, or what no guard could have reached."""
    if not rules.alike and not spoke:
        return ["No kind of correction came three times, from two commits: no rule could have been made."]
    return [
        f"{count(rules.alike, 'kind')} of corrections came three times, from two commits, which is what a rule "
        f"takes; so much was known before {_said(rules.reach)} of the corrections."
    ]


def _swept(sweeps: Swept) -> list[str]:
    lines = []
    if sweeps.right.n:
        lines.append(
            f"Sweeps after {count(sweeps.commits, 'commit')} that corrected something would have offered "
            f"{count(sweeps.right.n, 'place')}; {_said(sweeps.right)} later got that very change."
        )
    if sweeps.later:
        lines.append(
            f"In {sweeps.repeating:,} of {count(sweeps.correcting, 'such commit')} something was corrected that "
            f"later ones corrected too; where it stood by then, sweeps would have offered {_said(sweeps.caught)}."
        )
    return lines


def _said(share: Share) -> str:
    return f"{percent(share.value)} ({share.k:,} of {share.n:,})" if share.n else "none"


def percent(value: float) -> str:
    """A share as one says it: `0`, `<0.1%`, `2.7%`, `34%`."""
    if not value:
        return "0%"
    if value < 0.001:
        return "<0.1%"
    return f"{100 * value:.1f}%" if value < 0.1 else f"{100 * value:.0f}%"


def _notes(seen: Replayed) -> list[str]:
    notes = []
    if not seen.finished and seen.total and seen.corrections:
        notes.append(
            f"Stopped early: {count(seen.replayed, 'commit')} of {seen.writers:,} that wrote code were replayed."
        )
    if seen.order.shallow:
        notes.append("The clone is shallow: what was written before its boundary is not known.")
    if seen.outside:
        notes.append(f"{count(seen.outside, 'correction')} could not be placed in time, and were left out.")
    if seen.corrections and not seen.order.by_agents:
        notes.append(
            "Hardly any commit here has an agent's mark: these are people's corrections of people's code."
        )
    if 0 < seen.replayed < seen.writers and seen.finished:
        notes.append(
            f"{seen.replayed:,} of {seen.writers:,} commits that wrote code were drawn by chance (seed {seen.seed})."
        )
    if seen.tokens:
        notes.append(f"Tokens: {count(len(seen.tokens), 'task')} of {seen.tasks:,}, drawn by chance.")
    return notes


def interval(share: Mapping[str, Any]) -> str:
    """The 95% interval of a share of the report, in words."""
    return f"{percent(share['low'])} to {percent(share['high'])}" if share["n"] else ""
