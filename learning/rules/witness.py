"""A pattern put to its own examples: it matches where each was corrected, gives what the person wrote, and rests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ...analyzers.fragments import BODY, PLACE, has_body
from ...analyzers.languages import LANGUAGES
from ...analyzers.parse import Node
from ...analyzers.patterns import Compiled, Match, compile
from ...analyzers.rewriting import elements
from ...store.kinds import Pattern
from .antiunify import General
from .members import Member, family
from .naming import KEYWORDS, WORD, runs

_STRING_OR_WORD = re.compile(r"[A-Za-z_]\w*")


def patterns_of(general: General, member: Member, height: int) -> Iterator[Pattern]:
    """The pattern as ast-grep may read it: alone, then inside each wrapper with the kind as selector."""
    language = member.correction.language
    kind = member.chain[height][0].kind
    wrapper = member.sides[0].wrapper
    plain = Pattern(
        language=family(language) if language == "tsx" and "<" not in general.pattern else language,
        pattern=general.pattern,
        rewrite=general.rewrite,
        holes=general.holes,
        words=_prefilter(general.pattern),
    )
    # What parses alone is best alone; where it does not (a call in Go, a clause), alone it may parse as
    # something else, and match nothing, or too much.
    if wrapper == PLACE:
        yield plain
    for each in dict.fromkeys((wrapper, *LANGUAGES[language].wrappers)):
        body = each[: -len(BODY)] if has_body(each) else each
        yield replace(plain, context=body.replace(PLACE, general.pattern, 1), selector=kind)
    if wrapper != PLACE:
        yield plain


def _prefilter(pattern: str) -> tuple[str, ...]:
    """The literal words that a file must hold before a tree is looked at."""
    literal = re.sub(r"\$+[A-Z_][A-Z0-9_]*", " ", pattern)
    found = [word for word in _STRING_OR_WORD.findall(literal) if len(word) > 1]
    return tuple(dict.fromkeys(found or runs(pattern)))[:8]


def witnessed(pattern: Pattern, member: Member, height: int) -> Pattern | None:
    """The pattern, with a guard more where it needs one, if it matches the member where it was corrected and
    rewrites it to what it became, and leaves that alone; else None.
    """
    compiled = compile(pattern, member.correction.language)
    if compiled is None:
        return None
    b, a = member.chain[height]
    match = _match_at(compiled, member, b)
    if match is None or not _equal(match.rewrite, a):
        return None
    program = member.sides[0].program
    done = program[: match.start] + match.rewrite + program[match.end :]
    if _quiet(compiled, done, match, member):
        return pattern
    for word in _new_words(pattern):
        guarded = replace(pattern, guards=(*pattern.guards, f"lacks:{word}"))
        again = compile(guarded, member.correction.language)
        if (
            again is not None
            and _quiet(again, done, match, member)
            and _match_at(again, member, b) is not None
        ):
            return guarded
    return None


def _match_at(compiled: Compiled, member: Member, node: Node) -> Match | None:
    start = len(node.source[: node.start].decode("utf-8", "replace"))
    end = start + len(node.text)
    for match in compiled.find(member.sides[0].program, path=member.correction.path, piece=True):
        if match.start == start and match.kind == node.kind and abs(match.end - end) <= 1:
            return match
    return None


def _quiet(compiled: Compiled, done: str, match: Match, member: Member) -> bool:
    """Whether nothing is found any more in what the match became."""
    end, path = match.start + len(match.rewrite), member.correction.path
    return not any(
        each.start < end and each.end > match.start for each in compiled.find(done, path=path, piece=True)
    )


def _new_words(pattern: Pattern) -> list[str]:
    """The words that the rewrite brings: a place that has one already was seen to."""
    old = set(elements(pattern.pattern))
    new = [token for token in elements(pattern.rewrite) if token not in old]
    return [
        word for word in dict.fromkeys(new) if WORD.match(word) and len(word) > 1 and word not in KEYWORDS
    ]


def _equal(text: str, node: Node) -> bool:
    return text == node.text or _squeezed(text) == _squeezed(node.text)


def _squeezed(text: str) -> str:
    """A text without white space, the formatters' commas, and the choice of quotes."""
    return re.sub(r",(?=[)\]}])|;$", "", re.sub(r"\s+", "", text)).replace("'", '"')
