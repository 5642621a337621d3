"""What a sweep offers of the places that it found: the surest of those that exclude each other, as edits of a text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...analyzers.languages import language_of
from ...analyzers.parse import is_broken
from ..guard.needs import Insert
from ..past.candidates import identity
from .readings import Found

SURE = 0.5  # the chance from which a place is offered


@dataclass(frozen=True)
class Offer:
    """A place like one that was changed, and what it would become. Lines from 1; `start` and `end` are characters.

    `place` names this very offer, `rule` what it is an instance of; `like` is where the change was seen.
    """

    path: str
    line: int
    end_line: int
    start: int
    end: int
    before: str
    after: str
    chance: float
    place: str
    rule: str
    like: str
    like_line: int
    needs: tuple[str, ...] = ()  # names that the rewrite uses and the file does not have
    imports: tuple[Insert, ...] = ()  # the lines that bring those of them that the change brought as well


def offers(places: Sequence[Found], least: float = SURE) -> list[Offer]:
    """Of places that overlap the surest, from the chance `least` on; the surest first, in a file by line."""
    taken: defaultdict[str, list[Found]] = defaultdict(list)
    chosen: list[Found] = []
    for each in sorted(places, key=lambda x: (-x.chance, -(x.end - x.start), x.path, x.start)):
        if each.chance < least:
            break
        if not any(_collide(each, other) for other in taken[each.path]):
            taken[each.path].append(each)
            chosen.append(each)
    return [_offer(each) for each in chosen]


def _collide(one: Found, other: Found) -> bool:
    """Whether one place rules the other out: they touch, or say in two ways what one edit did to a line."""
    if one.start <= other.end and other.start <= one.end:
        return True
    if one.line > other.end_line or other.line > one.end_line or one.reading is other.reading:
        return False
    mine, theirs = one.reading, other.reading
    if (mine.path, mine.run) != (theirs.path, theirs.run):
        return False
    return mine.number == theirs.number or (mine.pattern is None) != (theirs.pattern is None)


def place_id(each: Found) -> str:
    """What names this very offer: the place in its file, by what stands there, and what it would become."""
    return identity("sweep", each.path, each.before, each.after, each.said)


def _offer(each: Found) -> Offer:
    return Offer(
        each.path, each.line, each.end_line, each.start, each.end, each.before, each.after, each.chance,
        place_id(each), each.reading.rule,
        each.reading.path, each.reading.line, each.needs, each.imports,
    )  # fmt: skip


def applied(text: str, chosen: Iterable[Offer]) -> str:
    """The text with these offers of its file taken, and the imports that they bring, each once."""
    taken = [each for each in chosen if text[each.start : each.end] == each.before]
    edits = [(each.start, each.end, each.after) for each in taken]
    edits += dict.fromkeys((x.start, x.start, x.text) for each in taken for x in each.imports)
    for start, end, after in sorted(edits, key=lambda x: (-x[0], -x[1])):
        text = text[:start] + after + text[end:]
    return text


def parses(path: str, text: str, each: Offer) -> bool:
    """Whether the file parses with the offer taken, if it does without."""
    language = language_of(path)
    if language is None:
        return True
    after = applied(text, [each]).encode("utf-8", "replace")
    return not is_broken(after, language, None) or is_broken(text.encode("utf-8", "replace"), language, None)
