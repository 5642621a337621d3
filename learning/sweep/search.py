"""The sweep, "you changed this in one of nine places": from the edits of one change the other places, rewritten.

Each edit is read in several ways, from the widest that its tree allows to its very text, and by the tokens around it
where the tree cannot say it. What each reading finds gets a chance of being right, from how rare its words are, how
like its place is to the changed one, how many readings agree, and what was passed over in the files that were changed.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from ...analyzers.languages import is_generated, language_of
from ...analyzers.patterns import Compiled, Parsed, compile
from ..guard.needs import Code, Insert, came_along, insert
from ..rules.members import family
from .chance import Facts, chance
from .context import hunks
from .readings import MAX_FILE, Changed, Found, Reading, is_plain, line_at, part_of, stands_in

MAX_PLACES = 800  # of one reading: more says that it is too wide
MAX_IN_FILE = 400
NEAR = 3  # lines: how far from where it should stand another part of the change may be found
MAX_HOLDING = 2_000  # files that hold its words
CHUNK = 2_500  # files that are read before the first is looked through: which words are too common is known by then
_TOKEN = re.compile(r"\w+|[^\w\s]")
#: Family of languages and name → the line that imports it, and the file that has it.
Along = Mapping[tuple[str, str], tuple[str, str]]
_TEST = re.compile(r"(^|[/_.])(tests?|spec)([/_.]|$)")


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
            within = stands_in(line_at(lines, line), before, spoken, column)
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
            beside[part_of(each.reading), each.path].append(each)
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
    names = [word for word in reading.words if not is_plain(word)]
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
