"""What became of the places of which the guard warned: left as they were, or written as it offered.

A commit decides, on the lines that it adds: a warning is heeded before them, and what somebody else wrote long ago
is not theirs to change. Each place counts once, by its rule, its file and what stood there.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from ...analyzers.difference import enclosing
from ...analyzers.imports import imports_of
from ...analyzers.languages import language_of
from ...analyzers.parse import Node, tree
from ...store.fold import View
from ...store.kinds import Exposure, Reaction
from .narrowing import Where

#: How long a warning is remembered, in ms: who commits later than that thinks of something else.
WITHIN = 30 * 86_400_000
#: Characters of a place that is followed: a longer one is hardly committed as it was.
LONGEST = 2_000

Place = tuple[str, str, str]  # rule, path, digest of what stood there
Shown = dict[Place, tuple[str, str]]  # → what stood there, and what was offered


def place_of(rule: str, path: str, before: str) -> Place:
    """The address of a place, white space aside."""
    return rule, path, hashlib.sha256("".join(before.split()).encode("utf-8", "replace")).hexdigest()


def shown(view: View, own_writer: str, now: int) -> Shown:
    """The places that were shown here lately, and that no commit has decided."""
    decided = set(_last(view, own_writer))
    out: Shown = {}
    for record in view.of_kind(Exposure.KIND):
        if record.w != own_writer or record.t < now - WITHIN:
            continue
        body = record.decoded()
        for each in body.items if isinstance(body, Exposure) else ():
            place = place_of(each.memory, each.path, each.before)
            if each.path and each.before and place not in decided:
                out[place] = (each.before, each.after)
    return out


def reactions(
    waiting: Shown, path: str, text: str, added: Collection[int], commit: str
) -> Iterator[Reaction]:
    """What a commit made of the places in one file; nothing is said of those that it does not hold."""
    plain = text.replace("\r\n", "\n")
    for (rule, where, digest), sides in waiting.items():
        if where != path:
            continue
        before, after = (side.replace("\r\n", "\n") for side in sides)
        offered = [span for span in _spans(plain, after) if _touches(plain, span, added)]
        stands = [
            span
            for span in _spans(plain, before)
            if _touches(plain, span, added) and not any(a <= span[0] and span[1] <= b for a, b in offered)
        ]
        if stands or offered:
            verdict = "left" if stands else "taken"
            around, imports = _surroundings(path, plain, (stands or offered)[0])
            yield Reaction(
                rule=rule, path=path, place=digest, verdict=verdict, commit=commit,
                enclosing=around, imports=imports,
            )  # fmt: skip


def answered(view: View, own_writer: str) -> Mapping[tuple[str, str], list[Where]]:
    """Each rule's places that were left and taken, with what is known of each: (rule, verdict) → places."""
    texts: dict[Place, str] = {}
    for record in view.of_kind(Exposure.KIND):
        body = record.decoded()
        for each in body.items if isinstance(body, Exposure) else ():
            if each.path and each.before:
                texts[place_of(each.memory, each.path, each.before)] = each.before
    out: defaultdict[tuple[str, str], list[Where]] = defaultdict(list)
    for place, body in _last(view, own_writer).items():
        out[body.rule, body.verdict].append(
            Where(body.path, texts.get(place, ""), body.enclosing, body.imports)
        )
    return out


def _surroundings(path: str, text: str, span: tuple[int, int]) -> tuple[str, tuple[str, ...]]:
    """The names of the definitions around a place, and what its file imports."""
    language = language_of(path)
    if language is None:
        return "", ()
    at = len(text[: span[0]].encode("utf-8", "replace"))
    node: Node | None = tree(text.encode("utf-8", "replace"), language)
    inner = node
    while node is not None:
        inner = node
        node = next((child for child in node.children if child.start <= at < child.end), None)
    return enclosing(inner), imports_of(text, language)


def _last(view: View, own_writer: str) -> dict[Place, Reaction]:
    out: dict[Place, Reaction] = {}
    for record in view.of_kind(Reaction.KIND):
        body = record.decoded()
        if isinstance(body, Reaction) and (not own_writer or record.w == own_writer):
            out[body.rule, body.path, body.place] = body
    return out


def _spans(text: str, wanted: str) -> Iterable[tuple[int, int]]:
    at = text.find(wanted) if wanted else -1
    while at >= 0:
        end = at + len(wanted)
        # Not the end or the beginning of a longer name.
        whole = not (at and _joins(text[at - 1], wanted[0])) and not (
            end < len(text) and _joins(wanted[-1], text[end])
        )
        if whole:
            yield at, end
        at = text.find(wanted, at + 1)


def _joins(one: str, other: str) -> bool:
    return (one.isalnum() or one == "_") and (other.isalnum() or other == "_")


def _touches(text: str, span: tuple[int, int], added: Collection[int]) -> bool:
    first = text.count("\n", 0, span[0]) + 1
    return any(line in added for line in range(first, first + text.count("\n", *span) + 1))
