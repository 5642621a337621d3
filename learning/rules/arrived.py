"""Rules from elsewhere: back-tested on the repository that receives them, before they may warn there.

What a rule was confirmed by lies in another repository. Here its places in accepted code count against it, and
the places that are written as it asks count for it: a repository that says it the other way is not told so, and
neither is one that nowhere writes as the rule asks, unless a person there let it speak. Most rules ask for names that
their own repository alone has.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ...analyzers.patterns import compile
from ...analyzers.rewriting import elements
from ...store.fold import View
from ...store.items import Item
from ...store.kinds import Pattern
from ...store.record import Record
from ...store.wording import count
from .backtest import BackTest, backtests
from .lifecycle import ACTIVE
from .naming import is_keyword

IMPORT, PERSON = "import", "person"
#: Scopes that are wider than one repository.
WIDE = ("universal", "language", "framework")
#: The prior of a rule that was sure where it comes from, in places: as sure as a rule must be to warn, and no surer.
FOR, AGAINST = 2.0, 0.5
LEAST = 0.8
_HOLE = re.compile(r"\$+[A-Z_][A-Z0-9_]*")
_WORD = re.compile(r"[A-Za-z_]\w+")
_MARK = " CORTEX"  # makes another text of what is only counted


@dataclass(frozen=True)
class Here:
    """What a repository says of a rule from elsewhere: `stood` places as the rule would not have them, `follows` as
    it asks. `common`: nothing but a member that is used everywhere says where it applies.
    """

    stood: int = 0
    follows: int = 0
    common: bool = False
    weak: bool = False

    @property
    def chance(self) -> float:
        """How likely this repository agrees; each place that stands weighs more than one that follows, because what
        follows may be said for other reasons.
        """
        agreed = FOR + math.sqrt(self.follows)
        return agreed / (agreed + AGAINST + self.stood)

    def speaks(self, vouched: bool = False) -> bool:
        """Whether the rule may warn here; `vouched` where a person here said that it shall."""
        known = self.follows > 0 or vouched
        return known and not self.common and not self.weak and self.chance >= LEAST

    @property
    def reason(self) -> str:
        """Why, in words."""
        if self.weak or self.common:
            return "no word of its own says where it applies, and it comes from elsewhere"
        counted = f"{count(self.stood, 'like place')} in accepted code here, {self.follows:,} as it asks"
        return counted if self.stood or self.follows else "no accepted code here says it in either way"


def judged(patterns: Sequence[Pattern], files: Iterable[tuple[str, str]]) -> list[Here]:
    """What the accepted `files` (path, text) say of each pattern."""
    turned = [follower(pattern) for pattern in patterns]
    asked = [each for each in turned if each is not None]
    tests = backtests([*patterns, *asked], files)
    following = iter(tests[len(patterns) :])
    return [
        _here(pattern, test, next(following) if after is not None else BackTest())
        for pattern, test, after in zip(patterns, tests, turned, strict=False)
    ]


def _here(pattern: Pattern, test: BackTest, after: BackTest) -> Here:
    return Here(test.stood, after.stood, test.common, not _named(pattern.pattern))


def _named(template: str) -> list[str]:
    """The words of a template that are no keyword of a language."""
    return [word for word in _WORD.findall(_HOLE.sub(" ", template)) if not is_keyword(word)]


def follower(pattern: Pattern) -> Pattern | None:
    """The pattern of what a rule asks for; None where no name of its own would say where that stands."""
    named = _named(pattern.rewrite)
    if not named or len(elements(pattern.rewrite)) < 2:
        return None
    after = replace(
        pattern,
        pattern=pattern.rewrite,
        rewrite=pattern.rewrite + _MARK,
        context=pattern.context.replace(pattern.pattern, pattern.rewrite, 1),
        words=tuple(dict.fromkeys(named))[:8],
        guards=tuple(guard for guard in pattern.guards if guard.startswith("path:")),
        holes=(),
    )
    return after if compile(after) is not None else None


def arrived(view: View, known: Iterable[Item], writer: str) -> dict[str, tuple[str, bool]]:
    """The active rules that come from elsewhere and were not back-tested here by the lifecycle: by their ids, the ids
    of the records that say them, and whether this person let them speak. One that they called good is at home.
    """
    last: dict[str, Record] = {}
    imported: set[str] = set()
    for record in view.of_kind("rule-event"):
        if record.w != writer:
            continue
        rule = str(record.body.get("rule", ""))
        last[rule] = record
        if record.body.get("by") == IMPORT:
            imported.add(rule)
    good = _called_good(view, writer)
    out = {}
    for item in known:
        if item.kind != "rule" or item.status != ACTIVE or item.trust == "pulled" or item.id in good:
            continue
        if item.trust == "own" and item.id not in imported and item.scope not in WIDE:
            continue
        own = last.get(item.id)
        if own is None or own.body.get("by") or not own.body.get("matched"):
            out[item.id] = (item.head, own is not None and own.body.get("by") == PERSON)
    return out


def _called_good(view: View, writer: str) -> set[str]:
    latest: dict[str, object] = {}
    for record in view.of_kind("feedback", "verdict"):
        if record.w == writer:
            latest[str(record.body.get("of", ""))] = record.body.get("verdict")
    return {rule for rule, verdict in latest.items() if verdict == "good"}


def encoded(found: Mapping[str, Here]) -> dict[str, list[int]]:
    """The verdicts as a note keeps them."""
    return {head: [h.stood, h.follows, int(h.common), int(h.weak)] for head, h in found.items()}


def decoded(said: object) -> dict[str, Here]:
    """The verdicts of a note; what is not as it should be is none."""
    out = {}
    for head, counts in said.items() if isinstance(said, dict) else ():
        if isinstance(counts, list) and len(counts) == 4 and all(type(n) is int and n >= 0 for n in counts):
            out[str(head)] = Here(counts[0], counts[1], bool(counts[2]), bool(counts[3]))
    return out
