"""Rules narrowed where people said no: a guard that every counter-example falls to, and no example.

Any guard separates three examples from what stands elsewhere, by chance; so a guard is learnt from places that
were shown and left as they were, and only from a trait that several of them share, or from what eight examples
have in common. The most specific trait comes first: that two places share it by chance is the least likely.
One place alone narrows nothing: it lowers the rule.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ...analyzers.rewriting import elements
from ...store.kinds import Correction, Pattern
from ...store.wording import times

#: So many places have to share what keeps the rule away from them.
COUNTER_EXAMPLES = 2
#: Imports are shared more easily by chance than a name, a definition or a folder.
COUNTER_IMPORTS = 3
#: So many examples may say by what they share where a rule holds.
EXAMPLES = 8
#: A rule with more guards than this that were learnt so is no rule: what is left of it only falls.
MOST = 3
_WORD = re.compile(r"[A-Za-z_]\w{2,}")
_LEARNT = ("lacks:", "not-in:", "not-import:", "not-path:")


@dataclass(frozen=True)
class Where:
    """A place that was corrected, or shown: what stood there, and what was around it."""

    path: str = ""
    text: str = ""
    enclosing: str = ""  # the definitions around it, outermost first, joined by dots
    imports: tuple[str, ...] = ()


def place(correction: Correction) -> Where:
    """Where a correction was made."""
    return Where(correction.path, correction.before, correction.enclosing, correction.imports)


def is_kept_out(pattern: Pattern, where: Where) -> bool:
    """Whether a guard of the pattern keeps it from this place."""
    return any(_falls(guard, where) for guard in pattern.guards)


def narrowed(pattern: Pattern, kept: Sequence[Where], left: Sequence[Where]) -> tuple[Pattern, str] | None:
    """The pattern with one guard more, and why; None where nothing tells the places that were `left` from those that
    were `kept` as the rule would have them.
    """
    against = [each for each in left if not is_kept_out(pattern, each)]
    if not against or sum(guard.startswith(_LEARNT) for guard in pattern.guards) >= MOST:
        return None
    for guard, words in _guards(pattern, kept, against):
        held = guard.startswith(("path:", "import:"))
        if guard not in pattern.guards and all(_falls(guard, each) for each in against):
            if not any(_falls(guard, each) for each in kept):
                why = f"as all {len(kept)} examples" if held else f"left as it was {times(len(against))}"
                return replace(pattern, guards=(*pattern.guards, guard)), f"narrowed: {words}, {why}"
    return None


def _guards(pattern: Pattern, kept: Sequence[Where], left: Sequence[Where]) -> Iterator[tuple[str, str]]:
    """The guards that may be, each with its words: from what counter-examples share, then from many examples."""
    if len(left) >= COUNTER_EXAMPLES:
        own = {*elements(pattern.pattern), *elements(pattern.rewrite)}
        for word in _shared([_WORD.findall(each.text) for each in left]):
            if word not in own:
                yield f"lacks:{word}", f"not with `{word}`"
        for name in reversed(_shared([each.enclosing.split(".") for each in left])):
            if name:
                yield f"not-in:{name}", f"not in `{name}`"
        if len(left) >= COUNTER_IMPORTS:
            for name in _shared([each.imports for each in left]):
                yield f"not-import:{name}", f"not where `{name}` is imported"
        if folder := _folder(left):
            yield f"not-path:{folder}/*", f"not in {folder}/"
    if len(kept) >= EXAMPLES:
        if folder := _folder(kept):
            yield f"path:{folder}/*", f"only in {folder}/"
        for name in _shared([each.imports for each in kept]):
            yield f"import:{name}", f"only where `{name}` is imported"


def _shared(rows: Sequence[Sequence[str]]) -> list[str]:
    """What all of the rows hold, in the order of the first."""
    return [each for each in dict.fromkeys(rows[0]) if all(each in row for row in rows[1:])] if rows else []


def _folder(places: Sequence[Where]) -> str:
    """The folder that holds all of the places; empty where that is the whole repository, or unknown."""
    if not all(each.path for each in places):
        return ""
    try:
        found = posixpath.commonpath([posixpath.dirname(each.path) or "." for each in places])
    except ValueError:  # one of them is absolute
        return ""
    return "" if found in ("", ".") or re.search(r"[*?\[]", found) else found


def _falls(guard: str, where: Where) -> bool:
    """Whether a guard keeps a rule from a place; what is not known of a place keeps no rule from it."""
    kind, _, said = guard.partition(":")
    if kind == "lacks":
        return re.search(rf"(?<!\w){re.escape(said)}(?!\w)", where.text) is not None
    if kind == "not-in":
        return said in where.enclosing.split(".")
    if kind == "not-import":
        return said in where.imports
    if kind == "not-path":
        return where.path.startswith(said[:-1])
    if kind == "path":
        return bool(where.path) and not where.path.startswith(said[:-1]) and said.endswith("/*")
    return kind == "import" and bool(where.imports) and said not in where.imports
