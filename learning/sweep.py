"""The sweep, "you changed this in one of nine places": from the edits of one change the other places, rewritten.

Each edit is read in several ways, from the widest that its tree allows to its very text, and by the tokens around it
where the tree cannot say it. What each reading finds gets a chance of being right, from how rare its words are, how
like its place is to the changed one, how many readings agree, and what was passed over in the files that were changed.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ..analyzers.edits import edits
from ..analyzers.imports import imports_of, names_of
from ..analyzers.languages import is_generated, language_of
from ..analyzers.parse import is_broken
from ..analyzers.patterns import Compiled, Parsed, compile
from ..store.kinds import Correction, Pattern
from .candidates import identity
from .chance import Facts, chance
from .context import Context, Hunk, contexts, hunks
from .generalise import ladder
from .members import family
from .naming import is_keyword
from .needs import Code, Insert, brought, came_along, insert
from .rules import rule_id

MAX_FILE = 512 * 1024
MAX_EDITS = 40  # of one change that are looked into; a larger one is no change of one kind
MAX_PLACES = 800  # of one reading: more says that it is too wide
MAX_IN_FILE = 400
NEAR = 3  # lines: how far from where it should stand another part of the change may be found
MAX_HOLDING = 2_000  # files that hold its words
CHUNK = 2_500  # files that are read before the first is looked through: which words are too common is known by then
SURE = 0.5  # the chance from which a place is offered
_PLAIN = frozenset(
    """and any args as assert await bool break case catch class ctx def dict else err error except false False
    finally float for from get if import in int interface is len list map new nil none None not null number object
    of or print raise return self set str string struct super this throw true True try type undefined while
    with""".split()  # noqa: SIM905 - a hundred quotes would hide the words
)
_TOKEN = re.compile(r"\w+|[^\w\s]")
_QUOTED = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`[^`\n]*`")
#: Family of languages and name → the line that imports it, and the file that has it.
Along = Mapping[tuple[str, str], tuple[str, str]]
_TEST = re.compile(r"(^|[/_.])(tests?|spec)([/_.]|$)")


@dataclass(frozen=True)
class Changed:
    """A file that was changed, before and after."""

    path: str
    before: str
    after: str


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
        return [w for w in re.findall(r"[A-Za-z_]\w+", self.after) if w not in old and not _is_plain(w)][:4]

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
        parts[_part(reading)].add(reading.number)
    for reading in told:
        reading.others = len(parts[_part(reading)]) - 1
        if reading.within == "code" and language_of(reading.path):
            reading.brings = brought(reading.before, reading.after, reading.language)
    return told


def _part(reading: Reading) -> object:
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
                    0, change.path, line, spoken, edit.before, edit.after, _at(lines, line), _run(runs, line),
                    3 * height + width + 1, pattern=found.pattern, words=found.pattern.words,
                    height=_height(runs, line), within=_within(_at(lines, line), edit.before, language),
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
                    within=_within(
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


def _within(line: str, text: str, language: str, at: int = -1) -> str:
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


def _at(lines: Sequence[str], line: int) -> str:
    return lines[line - 1] if 0 < line <= len(lines) else ""


def _is_plain(word: str) -> bool:
    """Whether a word says nothing of what is meant: nearly any file holds it."""
    return is_keyword(word) or word in _PLAIN


def telling(reading: Reading) -> str:
    """The word of a reading by which files are looked for first: a long one is seldom a common one."""
    return max(reading.words, key=len, default="")


def search(
    found: Sequence[Reading],
    changes: Sequence[Changed],
    files: Iterable[tuple[str, str]],
    stop: Callable[[], bool] = lambda: False,
) -> list[Found]:
    """All places of all readings in `files` (path, text as it stands now), each with its chance.

    Ends early, with what was found so far, when `stop` says so.
    """
    done = {each.path: _done(each) for each in changes}
    along = _along(changes)
    compiled: dict[tuple[int, str], Compiled | None] = {}
    waiting: list[tuple[str, str, list[Reading]]] = []
    stopped = False
    for path, text in files:
        stopped = stop()
        if stopped:
            break
        if len(text) <= MAX_FILE and (likely := _likely(path, text, found)):
            waiting.append((path, text, likely))
        if len(waiting) >= CHUNK:
            _look_through(waiting, done, compiled, along, stop)
            waiting = []
        if all(each.wide for each in found):
            break
    _look_through(waiting, done, compiled, along, (lambda: False) if stopped else stop)
    out = [place for each in found if not each.wide for place in each.places]
    _agree(out)
    counts: Counter[int] = Counter(each.number for each in found)
    for place in out:
        place.chance = chance(facts(place, counts[place.reading.number]))
    return out


def _likely(path: str, text: str, found: Sequence[Reading]) -> list[Reading]:
    """The readings whose words a file holds; one that very many files hold is too wide, and dropped at once."""
    spoken = family(language_of(path) or path.rpartition(".")[2])
    held: dict[str, bool] = {}
    out = []
    for reading in found:
        if reading.wide or family(reading.language) != spoken:
            continue
        for word in reading.words:
            if word not in held:
                held[word] = word in text
            if not held[word]:
                break
        else:
            reading.holding += 1
            reading.wide = reading.holding > MAX_HOLDING
            out.append(reading)
    return out


def _look_through(
    waiting: Sequence[tuple[str, str, list[Reading]]],
    done: Mapping[str, frozenset[int]],
    compiled: dict[tuple[int, str], Compiled | None],
    along: Along,
    stop: Callable[[], bool],
) -> None:
    for path, text, likely in waiting:
        if stop():
            break
        found = [each for each in likely if not each.wide]
        if found and not is_generated(path, text[:4096].encode("utf-8", "replace")):
            _look(path, text, found, done.get(path, frozenset()), compiled, along)


def _done(change: Changed) -> frozenset[int]:
    """The lines of the changed file as it is now that the change wrote."""
    return frozenset(
        line
        for hunk in hunks(change.before, change.after)
        for line in range(hunk.line_after, hunk.line_after + max(1, hunk.lines_after))
    )


def _along(changes: Sequence[Changed]) -> Along:
    """The imports that the change brought: family of languages and name → line, and the file that has it now."""
    out: dict[tuple[str, str], tuple[str, str]] = {}
    for each in changes:
        language = language_of(each.path)
        if language is not None and len(each.before) + len(each.after) <= 2 * MAX_FILE:
            for name, line in came_along(each.before, each.after, language).items():
                out.setdefault((family(language), name), (line, each.path))
    return out


def _needed(
    reading: Reading, path: str, code: Code, along: Along
) -> tuple[tuple[str, ...], tuple[Insert, ...]]:
    """The names of a reading that a file does not have, and the lines that bring the others of them."""
    if not code.language or not reading.brings:
        return (), ()
    needs: list[str] = []
    imports: dict[Insert, None] = {}
    for name in code.lacking(reading.brings):
        line, source = along.get((family(code.language), name), ("", ""))
        found = insert(line, code.text, code.language, source, path) if line else None
        if found is None:
            needs.append(name)
        else:
            imports[found] = None
    return tuple(needs), tuple(imports)


def _look(
    path: str,
    text: str,
    found: Sequence[Reading],
    done: frozenset[int],
    compiled: dict[tuple[int, str], Compiled | None],
    along: Along,
) -> None:
    language = language_of(path)
    spoken = language or path.rpartition(".")[2]
    parsed: Parsed | None = None
    lines = text.split("\n")
    last = max(done, default=0)
    code = Code(text, language or "")
    for reading in found:
        knows = bool(reading.came) and all(word in text for word in reading.came)
        places: list[tuple[int, int, int, str]] = []
        if reading.pattern is not None and language is not None:
            if (id(reading), language) not in compiled:
                compiled[id(reading), language] = compile(reading.pattern, language)
            ready = compiled[id(reading), language]
            if ready is None:
                continue
            parsed = parsed or Parsed(text, language)
            places = [(x.start, x.end, x.line, x.rewrite) for x in ready.find(parsed, path=path)]
        elif reading.context is not None:
            places = [
                (start, end, text.count("\n", 0, start) + 1, after)
                for start, end, after in reading.context.find(text)
            ]
        if len(places) > MAX_IN_FILE:
            reading.wide = True
            continue
        needs, imports = _needed(reading, path, code, along) if places else ((), ())
        for start, end, line, after in places:
            before = text[start:end]
            end_line = line + before.count("\n")
            if before == after or any(each in done for each in range(line, end_line + 1)):
                continue
            over = line < last
            reading.over += over
            said = " ".join(lines[line - 1 : end_line])
            column = start - text.rfind("\n", 0, start) - 1
            within = _within(_at(lines, line), before, spoken, column)
            reading.places.append(
                Found(
                    reading, path, line, end_line, start, end, before, after, said, over, knows,
                    within=within, needs=needs, imports=imports,
                )
            )  # fmt: skip
        if len(reading.places) > MAX_PLACES:
            reading.wide = True


def _agree(places: Sequence[Found]) -> None:
    """Count, for each place, the readings of the same edit that find it too."""
    by: defaultdict[tuple[int, str], list[Found]] = defaultdict(list)
    for each in places:
        by[each.reading.number, each.path].append(each)
    for alike in by.values():
        rows: defaultdict[int, set[int]] = defaultdict(set)
        for each in alike:
            for line in range(each.line, min(each.end_line, each.line + 20) + 1):
                rows[line].add(id(each.reading))
        for each in alike:
            each.agree = len(rows[each.line])
    beside: defaultdict[tuple[object, str], list[Found]] = defaultdict(list)
    for each in places:
        if each.reading.others:
            beside[_part(each.reading), each.path].append(each)
    for alike in beside.values():
        numbers: defaultdict[int, set[int]] = defaultdict(set)
        for each in alike:
            numbers[each.line].add(each.reading.number)
        for each in alike:
            reach = NEAR + each.reading.height
            near = set().union(*(numbers.get(each.line + by, ()) for by in range(-reach, reach + 1)))
            each.together = (len(near) - 1) / each.reading.others


def facts(place: Found, rivals: int) -> Facts:
    """What the chance of a place is told from; `rivals` is how many readings its edit has."""
    reading = place.reading
    mine, here = Counter(_TOKEN.findall(reading.said)), Counter(_TOKEN.findall(place.said))
    both = sum((mine | here).values())
    names = [word for word in reading.words if not _is_plain(word)]
    ahead = [each for each in reading.places if not each.over]
    return Facts(
        tree=reading.pattern is not None,
        level=reading.level,
        done=reading.done,
        matches=len(ahead),
        files=len({each.path for each in ahead}),
        here=sum(each.path == place.path for each in ahead),
        over=reading.over,
        holding=reading.holding,
        names=len(names),
        longest=max(map(len, names), default=0),
        same=place.before.split() == reading.before.split(),
        alike=sum((mine & here).values()) / both if both else 0.0,
        agree=place.agree / max(1, rivals),
        same_file=place.path == reading.path,
        same_folder=place.path.rpartition("/")[0] == reading.path.rpartition("/")[0],
        both_tests=bool(_TEST.search(place.path)) == bool(_TEST.search(reading.path)),
        knows=place.knows,
        brings=len(reading.came),
        size=len(_TOKEN.findall(reading.before)),
        passed_over=place.over,
        rest=reading.rest,
        removes=not reading.after.strip(),
        others=reading.others,
        together=place.together,
        text=reading.within != "code",
        within=place.within == reading.within,
        lacks=bool(place.needs),
    )


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
