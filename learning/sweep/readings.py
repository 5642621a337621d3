"""All ways to read the edits of a change: patterns of trees at each height and width, and contexts of tokens."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ...analyzers.edits import edits
from ...analyzers.imports import imports_of, names_of
from ...analyzers.languages import is_generated, language_of
from ...store.kinds import Correction, Pattern
from ..guard.needs import Insert, brought
from ..past.candidates import identity
from ..rules.generalise import ladder
from ..rules.members import family
from ..rules.naming import is_keyword
from ..rules.revising import rule_id
from .context import Context, Hunk, contexts, hunks

MAX_FILE = 512 * 1024
MAX_EDITS = 40  # of one change that are looked into; a larger one is no change of one kind
_PLAIN = frozenset(
    """and any args as assert await bool break case catch class ctx def dict else err error except false False
    finally float for from get if import in int interface is len list map new nil none None not null number object
    of or print raise return self set str string struct super this throw true True try type undefined while
    with""".split()  # noqa: SIM905 - a hundred quotes would hide the words
)
_QUOTED = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`[^`\n]*`")


@dataclass(frozen=True)
class Changed:
    """A file that was changed, before and after."""

    path: str
    before: str
    after: str


@dataclass(eq=False)
class Reading:
    """One way to read an edit: a tree pattern at some height and width, or a context of tokens."""

    number: int  # of the edit
    path: str
    line: int
    language: str
    before: str
    after: str
    said: str  # the changed line, as it was
    run: int  # of changed lines, which holds the edit
    level: int
    pattern: Pattern | None = None
    context: Context | None = None
    words: tuple[str, ...] = ()
    done: int = 1
    rest: int = 0  # other differences in the same run of lines
    height: int = 1  # lines of that run
    others: int = 0  # other edits of its kind in the same run
    within: str = "code"  # where the edit stands: code, a string, a comment
    brings: tuple[str, ...] = ()  # names that it begins to use
    places: list[Found] = field(default_factory=list)
    over: int = 0
    holding: int = 0
    wide: bool = False

    @cached_property
    def came(self) -> list[str]:
        """The first words that the edit brings."""
        old = set(re.findall(r"\w+", self.before))
        return [w for w in re.findall(r"[A-Za-z_]\w+", self.after) if w not in old and not is_plain(w)][:4]

    @property
    def rule(self) -> str:
        """The id of what is read: a rule's own where it is a tree pattern."""
        if self.pattern is not None:
            return rule_id(self.pattern)
        assert self.context is not None
        held = self.context
        return identity("context", " ".join(held.left), " ".join(held.gone), " ".join(held.right), held.came)


@dataclass(eq=False)
class Found:
    """A place that a reading finds."""

    reading: Reading
    path: str
    line: int
    end_line: int
    start: int
    end: int
    before: str
    after: str
    said: str
    over: bool  # it stands in a changed file, above what was changed there
    knows: bool  # the file holds the words that the edit brought
    agree: int = 1
    together: float = 1.0  # the share of the other edits of the run that are found around it
    within: str = "code"
    needs: tuple[str, ...] = ()
    imports: tuple[Insert, ...] = ()
    chance: float = 0.0


def readings(changes: Sequence[Changed]) -> list[Reading]:
    """All ways to read the edits of a change; of equal ones the first, with how often it was done."""
    out: dict[object, Reading] = {}
    number = 0
    for change in changes:
        for group in _of_file(change):
            number += 1
            if number > MAX_EDITS:
                break
            for each in {_key(reading): reading for reading in group}.items():
                key, reading = each
                reading.number = number
                known = out.get(key)
                if known is None:
                    out[key] = reading
                else:
                    known.done += 1
        if number > MAX_EDITS:
            break
    told = list(out.values())
    parts: defaultdict[object, set[int]] = defaultdict(set)
    for reading in told:
        parts[part_of(reading)].add(reading.number)
    for reading in told:
        reading.others = len(parts[part_of(reading)]) - 1
        if reading.within == "code" and language_of(reading.path):
            reading.brings = brought(reading.before, reading.after, reading.language)
    return told


def part_of(reading: Reading) -> object:
    """The run of lines that a reading is a part of the change of; what trees and what tokens say are two."""
    return reading.path, reading.run, reading.pattern is None


def _key(reading: Reading) -> object:
    pattern = reading.pattern
    if pattern is not None:
        return family(pattern.language), pattern.pattern, pattern.rewrite, pattern.selector
    context = reading.context
    assert context is not None
    return reading.language, context.left, context.gone, context.right, context.came


def _of_file(change: Changed) -> Iterator[list[Reading]]:
    """The readings of each edit of a file."""
    if len(change.before) > MAX_FILE or len(change.after) > MAX_FILE or is_generated(change.path):
        return
    language = language_of(change.path)
    lines = change.before.split("\n")
    spoken = language or change.path.rpartition(".")[2]
    runs = hunks(change.before, change.after)
    if language is not None:
        imports = imports_of(change.after, language)
        names = {*names_of(change.before, language), *names_of(change.after, language)}
        for edit in edits(change.before, change.after, language):
            if not edit.before.strip() or not edit.after.strip():
                continue
            line = edit.lines_before[0]
            told = set(re.findall(r"\w+", edit.context_before + " " + edit.context_after))
            correction = Correction(
                before=edit.context_before or edit.before, after=edit.context_after or edit.after,
                path=change.path, line=line, language=language, imports=imports,
                bound=tuple(sorted(told & names)), enclosing=edit.enclosing,
            )  # fmt: skip
            group = [
                Reading(
                    0, change.path, line, spoken, edit.before, edit.after, line_at(lines, line), _run(runs, line),
                    3 * height + width + 1, pattern=found.pattern, words=found.pattern.words,
                    height=_height(runs, line), within=stands_in(line_at(lines, line), edit.before, language),
                )
                for height, width, found in ladder(correction)
            ]  # fmt: skip
            if group:
                yield group
    for run, hunk in enumerate(runs):
        if not hunk.lines or hunk.lines > 40:
            continue
        by_edit: defaultdict[tuple[object, ...], list[Reading]] = defaultdict(list)
        for width, rest, context in contexts(hunk):
            by_edit[context.gone, context.came].append(
                Reading(
                    0, change.path, hunk.line, spoken, " ".join(context.gone), context.came,
                    " ".join(lines[hunk.line - 1 : hunk.line - 1 + hunk.lines]), run, 100 + width,
                    context=context, words=context.words, rest=rest, height=max(1, hunk.lines),
                    within=stands_in(
                        _holding(lines[hunk.line - 1 : hunk.line - 1 + hunk.lines], context), context.said, spoken
                    ),
                )
            )  # fmt: skip
        yield from by_edit.values()


def _run(runs: Sequence[Hunk], line: int) -> int:
    """The run of changed lines that a line of the text before lies in, or comes after."""
    return max((k for k, hunk in enumerate(runs) if hunk.line <= line), default=0)


def _height(runs: Sequence[Hunk], line: int) -> int:
    at = _run(runs, line)
    return max(1, runs[at].lines) if at < len(runs) else 1


def _holding(lines: Sequence[str], context: Context) -> str:
    """The first of the lines that holds the first token of a context, as far as can be told."""
    return next((line for line in lines if context.said in line), lines[0] if lines else "")


def stands_in(line: str, text: str, language: str, at: int = -1) -> str:
    """Whether a text on a line is code, or stands inside a string or a comment, as far as the line says."""
    at = line.find(text.split("\n", 1)[0]) if at < 0 else at
    head = line[: max(0, at)]
    if head.lstrip()[:1] == "*" or (not head.strip() and text[:1] in "#*") or text.startswith(("//", "/*")):
        return "comment"
    bare = _QUOTED.sub("", head)
    if re.search(r"(^|\s)#" if language == "python" else r"(^|[^:])//|/\*", bare):
        return "comment"
    if any(bare.count(sign) % 2 for sign in "\"'`"):
        return "string"
    return "string" if text[:1] in "\"'`" and text[-1:] == text[:1] else "code"


def line_at(lines: Sequence[str], line: int) -> str:
    """A line by its number from 1; empty where there is none."""
    return lines[line - 1] if 0 < line <= len(lines) else ""


def is_plain(word: str) -> bool:
    """Whether a word says nothing of what is meant: nearly any file holds it."""
    return is_keyword(word) or word in _PLAIN


def telling(reading: Reading) -> str:
    """The word of a reading by which files are looked for first: a long one is seldom a common one."""
    return max(reading.words, key=len, default="")
