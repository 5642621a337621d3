"""Patterns of tokens: what a syntax tree cannot say, as a run of tokens and the run that it becomes.

Words in comments and strings, lists of arguments, base classes. What the pattern and the rewrite begin and end with in
common is context, and keeps its bytes; white space between tokens is free. `$A` holds one word, the same in each of its
places. Nothing of a pattern is taken as a regular expression.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cached_property

from ast_grep_py import SgNode

from ..store.ends import common_ends
from ..store.kinds import Pattern
from .languages import COMMENTS, LANGUAGES, Language
from .patterns import MAX_FOUND, MAX_MATCHES, TOKENS, Compiled, Match, Parsed
from .rewriting import Element

CODE, STRING, COMMENT = "code", "string", "comment"
#: What stands inside a string, and is code again.
_INSIDE = frozenset({"interpolation", "template_substitution", "format_expression"})


class CompiledTokens(Compiled):
    """A pattern of tokens made ready to match; the guard `within:` keeps it to code, strings or comments."""

    def __init__(self, pattern: Pattern, language: Language) -> None:
        super().__init__(pattern, language)
        self._within = frozenset(each[7:] for each in pattern.guards if each.startswith("within:"))

    @cached_property
    def _parts(self) -> tuple[int, int]:
        """How many elements pattern and rewrite begin with in common, and end with."""
        return common_ends([x.text for x in self._template.before], [x.text for x in self._template.after])

    @cached_property
    def _search(self) -> re.Pattern[str]:
        first, last = self._parts
        elements = self._template.before
        runs = (elements[:first], elements[first : len(elements) - last], elements[len(elements) - last :])
        seen: set[str] = set()
        out = r"(?<!\w)" if _is_word(elements[0]) else ""
        before: Element | None = None
        for name, run in zip(("left", "gone", "right"), runs, strict=True):
            gap, said = "", ""
            for each in run:
                between = "" if before is None else self._gap(before, each)
                gap, said = (gap, said + between) if said else (between, "")
                said += self._said(each, seen)
                before = each
            out += f"{gap}(?P<{name}>{said})"
        return re.compile(out + (r"(?!\w)" if _is_word(elements[-1]) else ""))

    def _gap(self, one: Element, other: Element) -> str:
        space = r"[^\S\n]" if self._within == {COMMENT} else r"\s"
        return space + ("+" if _is_word(one) and _is_word(other) else "*")

    def _said(self, each: Element, seen: set[str]) -> str:
        if not each.hole:
            return re.escape(each.text)
        if each.hole in seen:
            return f"(?P={_group(each.hole)})"
        seen.add(each.hole)
        return rf"(?P<{_group(each.hole)}>\w+)"

    def find(
        self,
        source: Parsed | str,
        lines: Collection[int] | None = None,
        path: str = "",
        *,
        piece: bool = False,
    ) -> list[Match]:
        """The places in `source`, in their order, with what each would become; none where it stands already."""
        parsed = Parsed(source, self.language.name) if isinstance(source, str) else source
        text = parsed.text
        if not all(word in text for word in self.pattern.words) or not self._speaks(parsed, path, piece):
            return []
        out: list[Match] = []
        size = line = at = 0
        for tried, found in enumerate(self._search.finditer(text)):
            size += len(found[0])
            if tried >= MAX_MATCHES or size > MAX_FOUND:
                break
            start, end = found.span()
            if not any(self._parts) and not self._template.after and text[start - 1 : start] in " \t(":
                while text[end : end + 1] in (" ", "\t"):  # where something stood before, its space is enough
                    end += 1
            line, at = line + text.count("\n", at, start), start
            if (lines is not None and line + 1 not in lines) or self._is_lacking(found[0]):
                continue
            first, last, came = self._edit(found, text)
            if came is None:
                continue
            last = end if last == found.end() else last
            at_edit = first if last > first else start
            if self._within and not piece and _kind(parsed, at_edit) not in self._within:
                continue
            rewrite = text[start:first] + came + text[last:end]
            if rewrite != text[start:end]:
                out.append(_match(text, start, end, line, rewrite))
        return out

    def _is_lacking(self, found: str) -> bool:
        return self._lacks is not None and self._lacks.search(found) is not None

    def _edit(self, found: re.Match[str], text: str) -> tuple[int, int, str | None]:
        """Start and end of what is replaced, and by what; None where that stands there already."""
        first, last = self._parts
        was, new = self._template.before, self._template.after
        gone = was[first : len(was) - last]
        came = new[first : len(new) - last]
        middle = "".join(
            (each.space if k else "") + (found[_group(each.hole)] if each.hole else each.text)
            for k, each in enumerate(came)
        )
        if gone and came:
            (start, end), left, right = found.span("gone"), len(was) - last, len(new) - last
            if first and gone[0].space != came[0].space:
                start, middle = found.end("left"), came[0].space + middle
            if last and was[left].space != new[right].space:
                end, middle = found.start("right"), middle + new[right].space
            return start, end, middle
        if gone:  # of the white space around it what the examples left stays
            start, end = found.span("gone")
            if first and (not last or new[first].space != was[first].space):
                return found.end("left"), end, ""
            return start, found.start("right") if last else end, ""
        if not first:
            at, behind = found.start("right"), new[len(came)].space
            return at, at, None if _ends(text, at, middle) else middle + behind
        at, before = found.end("left"), came[0].space
        if _begins(text, at, middle):
            return at, at, None
        behind = new[first + len(came)].space if last else ""
        if last and behind != was[first].space:
            return at, found.start("right"), before + middle + behind
        return at, at, before + middle


def _begins(text: str, at: int, came: str) -> bool:
    return "".join(text[at : at + 4 * len(came) + 80].split()).startswith("".join(came.split()))


def _ends(text: str, at: int, came: str) -> bool:
    return "".join(text[max(0, at - 4 * len(came) - 80) : at].split()).endswith("".join(came.split()))


def _group(hole: str) -> str:
    return f"hole_{hole}"


def _is_word(element: Element) -> bool:
    return bool(element.hole) or element.text[0].isalnum() or element.text[0] == "_"


def _kind(parsed: Parsed, at: int) -> str:
    """Whether code, a string or a comment stands at an offset."""
    node: SgNode | None = parsed.root
    found = CODE
    strings = LANGUAGES[parsed.language].strings
    while node is not None:
        kind = node.kind()
        if kind in COMMENTS:
            return COMMENT
        found = STRING if kind in strings else CODE if kind in _INSIDE else found
        node = next((each for each in node.children() if _holds(each, at)), None)
    return found


def _holds(node: SgNode, at: int) -> bool:
    place = node.range()
    return place.start.index <= at < place.end.index


def _match(text: str, start: int, end: int, line: int, rewrite: str) -> Match:
    found = text[start:end]
    newlines = found.count("\n")
    return Match(
        line=line + 1,
        column=start - text.rfind("\n", 0, start),
        end_line=line + newlines + 1,
        end_column=end - text.rfind("\n", 0, end),
        text=found,
        rewrite=rewrite,
        start=start,
        end=end,
        kind=TOKENS,
    )
