"""Rules from alike corrections: clustered, anti-unified, and checked against each of them.

Hierarchical, after Getafix (Bader, Scott, Pradel, Chandra: "Getafix: learning to fix bugs automatically",
OOPSLA 2019): corrections are clustered by the words that vanished and appeared, then by the words that stood
around them; in each cluster the heights are tried from the smallest changed expression up to the statement,
and at each height the widths from the most general. What none of these explains is tried once more by the
smallest nodes that differ, which may be no expressions of their own (`flask.Markup` in a call and out of one).
A candidate exists only when it matches each example
where it was corrected, rewrites it to what the person wrote, and does not match its own rewrite again.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ...analyzers.parse import Node
from ...analyzers.rewriting import elements
from ...store.kinds import Correction, Pattern
from ...store.wording import headline, shown, tick
from .anchors import anchored, says_itself
from .antiunify import WIDEST, WIDTHS, antiunify
from .members import (
    MAX_HEIGHT,
    Member,
    abstract,
    family,
    implied,
    members_of,
    names_interface,
    own_words,
    walk,
)
from .naming import is_name
from .witness import patterns_of, witnessed

LEAST = 3
MAX_EXAMPLES = 12  # that are anti-unified together; the others of a cluster are only checked
MAX_CANDIDATES = 4  # of one cluster
# Any narrower pattern separates three examples from what stands elsewhere, by chance: narrowing from few examples
# made learners worse on real histories. It takes this many to be offered beside the first.
NARROW = 8
_Words = tuple[str, tuple[str, ...], tuple[str, ...]]  # the language, what vanished, what appeared


@dataclass(frozen=True)
class Candidate:
    """A rule that may be. `cluster` names the corrections it was made of together with its rivals, of which
    the earlier is preferred; `reversed_by` counts corrections the other way round.
    """

    pattern: Pattern
    support: tuple[str, ...]
    title: str
    text: str
    cluster: str = ""
    reversed_by: int = 0
    weak: bool = False  # no word of its own holds it down: an operator, a keyword
    wide: bool = False  # whatever both sides share is left open: for a change that is under way alone


def generalise(corrections: Sequence[tuple[str, Correction]], least: int = LEAST) -> list[Candidate]:
    """Candidates from corrections (memory id, correction) of which at least `least` are alike.

    They come cluster by cluster, in a cluster from the one to be preferred; the same input gives the same.
    """
    clusters: defaultdict[tuple[str, tuple[str, ...], tuple[str, ...]], list[Member]] = defaultdict(list)
    loose: defaultdict[tuple[str, tuple[str, ...], tuple[str, ...]], list[Member]] = defaultdict(list)
    for m, correction in sorted(corrections, key=lambda each: each[0]):
        for member in members_of(m, correction):
            clusters[(family(correction.language), member.gone, member.came)].append(member)
    out: list[Candidate] = []
    sizes = {key: len({member.m for member in members}) for key, members in clusters.items()}
    for key, members in sorted(clusters.items(), key=lambda each: each[0]):
        reverse = _reverse(sizes, key)
        found = list(_of_cluster(members, least, "/".join([key[0], " ".join(key[1]), " ".join(key[2])])))
        out += [replace(each, reversed_by=reverse) for each in found]
        covered = {m for each in found for m in each.support}
        for member in members:
            if member.m not in covered:
                gone, came = abstract(member)
                loose[(key[0], gone, came)].append(member)
    for key, members in sorted(loose.items(), key=lambda each: each[0]):
        out += _of_cluster(members, least, "~" + "/".join([key[0], " ".join(key[1]), " ".join(key[2])]))
    out += _of_cores(corrections, {m for each in out for m in each.support}, least)
    return _unique(out)


def _reverse(sizes: Mapping[_Words, int], key: _Words) -> int:
    """How many corrections go the other way round; what only puts in brackets is not its own reverse."""
    return sizes.get((key[0], key[2], key[1]), 0) if key[1] != key[2] else 0


def ladder(correction: Correction) -> Iterator[tuple[int, int, Candidate]]:
    """All that one correction alone may mean, with height and width: from the smallest edit up to the statement,
    and at each height from the widest; whether or not any of it would make a rule.
    """
    seen: set[tuple[str, str, str]] = set()
    for cores in (False, True):
        for member in members_of("", correction, cores):
            for height in range(min(len(member.chain), MAX_HEIGHT)):
                for width in (WIDEST, 0, 2):
                    found = _candidate([member], height, width, 1, "")
                    if found is None:
                        continue
                    key = (found.pattern.pattern, found.pattern.rewrite, found.pattern.selector)
                    if key not in seen:
                        seen.add(key)
                        yield height, width, found


def _of_cores(
    corrections: Sequence[tuple[str, Correction]], covered: Collection[str], least: int
) -> Iterator[Candidate]:
    """Candidates from the smallest nodes that differ, for corrections that nothing larger explains."""
    clusters: defaultdict[tuple[str, tuple[str, ...], tuple[str, ...]], list[Member]] = defaultdict(list)
    for m, correction in sorted(corrections, key=lambda each: each[0]):
        if m not in covered:
            for member in members_of(m, correction, cores=True):
                clusters[(family(correction.language), member.gone, member.came)].append(member)
    sizes = {key: len({member.m for member in members}) for key, members in clusters.items()}
    for key, members in sorted(clusters.items(), key=lambda each: each[0]):
        name = "^" + "/".join([key[0], " ".join(key[1]), " ".join(key[2])])
        for each in _of_cluster(members, least, name):
            yield replace(each, reversed_by=_reverse(sizes, key))


def _of_cluster(members: Sequence[Member], least: int, name: str) -> Iterator[Candidate]:
    """Candidates of a cluster: of the parts that share the words around the edit, else of the whole."""
    if len({member.m for member in members}) < least:
        return
    parts: defaultdict[tuple[str, ...], list[Member]] = defaultdict(list)
    for member in members:
        roles = {node.text for node in walk(member.chain[0][0]) if names_interface(node)}
        parts[tuple(sorted(roles & own_words(member)))].append(member)
    covered: set[str] = set()
    for around, part in sorted(parts.items()):
        for candidate in _of_part(part, least, f"{name}/{' '.join(around)}"):
            covered.update(candidate.support)
            yield candidate
    rest = [member for member in members if member.m not in covered]
    if len(parts) > 1:
        yield from _of_part(rest, least, f"{name}/*")


def _of_part(members: Sequence[Member], least: int, name: str) -> Iterator[Candidate]:
    """What may become a rule for good, and last the widest, which speaks only while a change is under way."""
    seen: set[tuple[str, ...]] = set()
    wide: Candidate | None = None
    for height, alike in _shapes(members, least):
        wide = wide or _candidate(alike, height, WIDEST, least, name)
        for width in WIDTHS:
            candidate = _candidate(alike, height, width, least, name)
            if candidate is None or (seen and len(candidate.support) < NARROW):
                continue
            if len(seen) < MAX_CANDIDATES and (said := _said(candidate)) not in seen:
                seen.add(said)
                yield candidate
        if len(seen) == MAX_CANDIDATES:
            break
    if wide is not None and _said(wide) not in seen:
        yield replace(wide, wide=True)


def _shapes(members: Sequence[Member], least: int) -> Iterator[tuple[int, list[Member]]]:
    """The heights from the smallest edit up, each with its members of one shape, the most common first."""
    for height in range(MAX_HEIGHT + 1):
        shapes: defaultdict[tuple[str, str], list[Member]] = defaultdict(list)
        for member in members:
            if height < len(member.chain):
                b, a = member.chain[height]
                shapes[(b.kind, a.kind)].append(member)
        for _, alike in sorted(shapes.items(), key=lambda each: (-len(each[1]), each[0])):
            if len({member.m for member in alike}) >= least:
                yield height, alike


def _said(candidate: Candidate) -> tuple[str, ...]:
    pattern = candidate.pattern
    return (pattern.language, pattern.pattern, pattern.rewrite, pattern.selector, *pattern.guards)


def _candidate(members: Sequence[Member], height: int, width: int, least: int, name: str) -> Candidate | None:
    general = antiunify([member.example(height) for member in members[:MAX_EXAMPLES]], width)
    if general is None:
        return None
    anchor = anchored(general, members[0].correction.language)
    if not says_itself(general, members[0].chain[height][0]):
        return None
    if anchor is None or (general.pattern[0] == "$" and members[0].chain[height][0].field == "function"):
        return None
    for pattern in patterns_of(general, members[0], height):
        support: list[str] = []
        checked = pattern
        for member in members:
            guarded = witnessed(checked, member, height)
            if guarded is not None:
                checked = guarded
                support.append(member.m)
        distinct = tuple(dict.fromkeys(support))
        if width != WIDEST:
            checked = _near(checked, [x.correction.path for x in members if x.m in set(distinct)])
        if len(distinct) >= least and all(
            witnessed(checked, x, height) == checked for x in members if x.m in distinct
        ):
            checked = _of_module(checked, [x for x in members if x.m in set(distinct)])
            title = headline(shown(pattern.pattern), shown(pattern.rewrite))
            return Candidate(
                checked, distinct, title, _text(members[0].chain[height][1]), name, weak=not anchor
            )
    return None


def _near(pattern: Pattern, paths: Sequence[str]) -> Pattern:
    """A member renamed on a receiver of unknown type is another member elsewhere: such a rule stays in the
    folder that its examples share.
    """
    before, after = elements(pattern.pattern), elements(pattern.rewrite)
    changed = [(x, y) for x, y in zip(before, after, strict=False) if x != y]
    if (
        len(before) != len(after)
        or len(changed) != 1
        or before[:2] != ["$A", "."]
        or before[2] != changed[0][0]
    ):
        return pattern
    folder = posixpath.commonpath([posixpath.dirname(path) or "." for path in paths]) if paths else ""
    if folder in ("", ".") or any(guard.startswith("path:") for guard in pattern.guards):
        return pattern
    return replace(pattern, guards=(*pattern.guards, f"path:{folder}/*"))


def _of_module(pattern: Pattern, members: Sequence[Member]) -> Pattern:
    """A rule that begins with a name that the imports of all its examples bind is a rule about that module: a
    parameter or a local of the same name is another thing.
    """
    first = elements(pattern.pattern)[:1]
    if not first or not is_name(first[0]) or not all(first[0] in x.correction.bound for x in members):
        return pattern
    # A module's path says more than its name, where all files import the one that implies the name.
    one = members[0].correction
    paths = [
        f"import:{path}"
        for path in one.imports
        if path[:1] != "."  # what is relative reads otherwise in each folder
        and first[0] in implied(path, one.language)
        and all(path in x.correction.imports for x in members)
    ]
    guards = [f"bound:{first[0]}", *paths]
    return replace(pattern, guards=(*pattern.guards, *guards))


def _text(example: Node) -> str:
    """What a person wrote in one of the examples: a model copies from code better than from a pattern."""
    return f"For example {tick(' '.join(example.text.split())[:160])}."


def _unique(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The first of those that say the same, with the support of all; nothing is wide that another says for good."""
    out: dict[tuple[str, ...], Candidate] = {}
    lasting = {_said(each) for each in candidates if not each.wide}
    for each in candidates:
        if each.wide and _said(each) in lasting:
            continue
        key = _said(each) if each.wide else _said(each)[:4]
        known = out.get(key)
        if known is None:
            out[key] = each
        else:
            out[key] = replace(known, support=tuple(dict.fromkeys((*known.support, *each.support))))
    return list(out.values())
