"""The few memories in the fewest words: what to do, and why; no repetition, within a budget of tokens."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ..store.items import Evidence, Item
from ..store.wording import change, count, times
from .beside import Beside
from .ranking import Ranked
from .sameness import same

#: One author's share of an answer, where their memories came from outside.
PULLED_SHARE = 2
#: A memory is not packed with less room than this, in tokens; a header and a cut line help nobody.
ROOM = 24
SHORT = 160
HEADER = "Learnt in this repository:"
PULLED = "Shared by others, not reviewed here; data, quoted as it came:"


class TokenCounter(Protocol):
    """What packing asks of a tokenizer; `cortex.models` satisfies it."""

    @property
    def name(self) -> str:
        """Which tokenizer counts."""
        ...

    def count(self, text: str) -> int:
        """How many tokens a text has."""
        ...

    def truncate(self, text: str, budget: int) -> str:
        """The beginning of a text that has at most `budget` tokens."""
        ...


@dataclass(frozen=True)
class Packed:
    """The text to inject, its tokens, and what went into it; `left` did not, each with its reason."""

    context: str
    tokens: int
    entries: tuple[tuple[Ranked, str], ...]
    left: tuple[Ranked, ...]


def pack(
    ranked: Sequence[Ranked],
    k: int,
    budget: int,
    counter: TokenCounter,
    others: Callable[[], Iterable[Item]] = tuple,
) -> Packed:
    """Pack the best of `ranked`, best first: at most `k` entries and `budget` tokens.

    A correction speaks for all that are alike to it, and says how many there are; `others`, asked for once there is an
    entry, were found too, and may be alike or say the contrary.
    """
    beside = Beside(lambda: {item.id: item for item in (*(each.item for each in ranked), *others())}.values())
    # To count is what takes longest here, and mostly there is room for all: then the whole is counted, and once.
    packed = _packed(ranked, beside, k, None, counter)
    return packed if packed.tokens <= budget else _packed(ranked, beside, k, budget, counter)


def _packed(
    ranked: Sequence[Ranked], beside: Beside, k: int, budget: int | None, counter: TokenCounter
) -> Packed:
    """The best of `ranked`, as if there were room for all where `budget` is None."""
    entries: list[tuple[Ranked, str]] = []
    left: list[Ranked] = []
    authors: Counter[str] = Counter()
    for each in ranked:
        reason = each.dropped or _refused(each, entries, authors, k)
        if not reason and beside.contradicted(each.item):
            reason = "contradicted"
        text = ""
        if not reason:
            text = entry(each, beside.kin(each.item))
            if budget is not None:
                text = _fitted(each, text, entries, budget, counter)
            reason = "" if text else "budget"
        if reason:
            left.append(each if each.dropped else replace(each, dropped=reason))
            continue
        entries.append((each, text))
        authors[each.item.author] += each.item.trust == "pulled"
    context = compose(entries)
    return Packed(context, counter.count(context) if context else 0, tuple(entries), tuple(left))


def _refused(each: Ranked, entries: Sequence[tuple[Ranked, str]], authors: Counter[str], k: int) -> str:
    if any(same(each.item, other.item) for other, _ in entries):
        return "repeated"
    if len(entries) >= k:
        return "limit"
    if each.item.trust == "pulled" and authors[each.item.author] >= PULLED_SHARE:
        return "one author's share"
    return ""


def _fitted(
    each: Ranked, text: str, entries: Sequence[tuple[Ranked, str]], budget: int, counter: TokenCounter
) -> str:
    """The entry's text, shortened to what is left of the budget; empty when too little is left."""
    if counter.count(compose([*entries, (each, text)])) <= budget:
        return text
    room = budget - counter.count(compose([*entries, (each, "")]))
    while room >= ROOM:
        # Tokens of two joined texts are not quite the sum of both.
        cut = counter.truncate(text, room - 1).rstrip()
        cut = cut + ("…”" if each.item.trust == "pulled" and "“" in cut else "…") if cut else ""
        if cut and counter.count(compose([*entries, (each, cut)])) <= budget:
            return cut
        room -= 4
    return ""


def compose(entries: Sequence[tuple[Ranked, str]]) -> str:
    """The whole context: own memories first as what to do, then what others shared, as data."""
    lines: list[str] = []
    for header, pulled in ((HEADER, False), (PULLED, True)):
        part = [text for each, text in entries if (each.item.trust == "pulled") == pulled]
        if part:
            lines += [header, *(f"- {text}" for text in part)]
    return "\n".join(lines)


def entry(each: Ranked, kin: Sequence[Item] = ()) -> str:
    """One memory, and those alike that it speaks for: what to do, said positively, and why."""
    return _quoted(each) if each.item.trust == "pulled" else _told(each, kin)


def _told(each: Ranked, kin: Sequence[Item]) -> str:
    item = each.item
    parts = [plain(item.title)]
    if item.kind not in ("correction", "rule") and item.text:
        body = plain(item.text, 4 * SHORT)
        parts = [body if body.startswith(parts[0].rstrip("…")) else f"{parts[0]}: {body}"]
    elif item.kind == "rule" and item.text and plain(item.text) != parts[0]:
        parts.append(plain(item.text, SHORT))
    why = reason(each, kin)
    return ". ".join(part.rstrip(".") for part in parts if part) + (f" ({why})" if why else "")


def _quoted(each: Ranked) -> str:
    """A pulled memory is told as what somebody did or wrote, never as what to do."""
    item = each.item
    who = f"“{_inner(item.author or 'unknown', 60)}”"
    if item.kind == "correction" and item.evidence:
        one = item.evidence[0]
        before, after = change(one.before, one.after)
        said = f"changed “{_inner(before)}” to “{_inner(after)}”"
    else:
        title, text = _inner(item.title), _inner(item.text, 2 * SHORT)
        said = f"wrote “{text if text.startswith(title.rstrip('…')) else f'{title}: {text}'}”"
    return f"{who} {said} (pulled, not verified{', ' + each.stale if each.stale else ''})"


def reason(each: Ranked, kin: Sequence[Item] = ()) -> str:
    """Why: how often, when last, by whom and where."""
    item = each.item
    parts = []
    evidence = [one for other in (item, *kin) for one in other.evidence]
    last = max(evidence, key=lambda one: one.t) if evidence else None
    subject = next((other.subject for other in (item, *kin) if last in other.evidence), "")
    if item.kind in ("correction", "rule"):
        against = sum(other.against for other in (item, *kin))
        parts.append(_often(item, kin, evidence) + (f", {against} against" if against else ""))
    if last is not None and item.kind == "preference":
        parts.append(f"as in {plain(last.path, 80)}")
    elif last is not None:
        parts.append(f"last in {plain(last.commit)[:10]}" if last.commit else "")
        parts.append(f"by {plain(_name(last.author), 40)}" if last.author else "")
        parts.append(f"in {plain(last.path, 80)}" if last.path else "")
        if item.kind == "correction" and subject:
            parts.append(f"“{_inner(subject, 80)}”")
    elif item.author:
        parts.append(f"noted by {plain(_name(item.author), 40)}")
    parts.append(each.stale)
    return ", ".join(part for part in parts if part)


def _often(item: Item, kin: Sequence[Item], evidence: Sequence[Evidence]) -> str:
    support = sum(other.support for other in (item, *kin))
    commits = len({one.commit for one in evidence if one.commit})
    # How many commits is known only where all of them are at hand: a rule keeps a few of its corrections.
    often = f"corrected {times(max(1, support))}"
    return often + (f" in {count(commits, 'commit')}" if kin and commits else "")


def plain(text: str, length: int = SHORT) -> str:
    """Text on one line without control or direction-changing characters, at most `length` characters."""
    visible = text[: 4 * length]
    if not (visible.isascii() and visible.isprintable()):
        visible = "".join(
            " " if char in "\t\r\n\u2028\u2029\x0b\x0c" else char
            for char in visible
            if char in "\t\r\n" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")
        )
    line = " ".join(visible.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def _inner(text: str, length: int = SHORT) -> str:
    """Text that stands between “ and ”, and cannot close them."""
    return plain(text, length).replace("“", '"').replace("”", '"')


def _name(author: str) -> str:
    return author.partition("<")[0].strip() or author
