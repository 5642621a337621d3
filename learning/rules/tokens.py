"""Rules of tokens, from corrections that no tree pattern explains: a word in strings, in lists that differ.

What went and what came is told by the difference of tokens; corrections that agree in it are one cluster. Around it
stands what all of them agree on, with a hole where a word differs in each. A candidate exists only when it rewrites its
corrections to what the person wrote, and leaves that alone.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ...analyzers.languages import LANGUAGES, words
from ...analyzers.patterns import TOKENS, apply, compile
from ...analyzers.tokens import COMMENT, STRING
from ...store.kinds import Correction, Hole, Pattern
from ...store.wording import headline, shown, tick
from .generalise import LEAST, Candidate
from .members import family
from .naming import is_keyword

MAX_TEXT = 1_000  # characters of a side
MAX_PARTS = 3  # differences of one correction: with more of them none says what was meant
MAX_TOKENS = 24
REACH = 4  # tokens of context on either side
_TOKEN = re.compile(r"\w+|[^\w\s]")
_NAME = re.compile(r"[A-Za-z_]\w*\Z")
_HOLE = re.compile(r"\$[A-Z_$]")
_QUOTES = "\"'`"
#: Words of any prose: they say nothing of where a rule applies.
_PROSE = words(
    """the and are was for not that this with from has have but can will its all any use used see when then than
    into only also must may should would could one two new old set get returns return value name"""
)


@dataclass(frozen=True)
class _Part:
    """One difference of a correction: its tokens with their spans on both sides, and the index where it begins."""

    m: str
    correction: Correction
    old: Sequence[re.Match[str]]
    gone: tuple[int, int]
    came: str  # as it was written
    tokens: tuple[str, ...]
    within: str

    def at(self, by: int) -> str:
        """The token of the old side so far from what went: from -1 to the left, from 0 to the right; empty for none."""
        k = self.gone[0] + by if by < 0 else self.gone[1] + by
        return self.old[k][0] if 0 <= k < len(self.old) else ""


def token_rules(
    corrections: Sequence[tuple[str, Correction]], covered: Collection[str], least: int = LEAST
) -> list[Candidate]:
    """Candidates from those corrections (memory id, correction) that are not `covered` by others."""
    clusters: defaultdict[tuple[str, str, str, str], list[_Part]] = defaultdict(list)
    for m, correction in sorted(corrections, key=lambda each: each[0]):
        if m not in covered:
            for part in _parts(m, correction):
                said = " ".join(each[0] for each in part.old[slice(*part.gone)])
                key = (family(correction.language), part.within, said, " ".join(part.tokens))
                clusters[key].append(part)
    out: list[Candidate] = []
    sizes = {key: len({part.m for part in parts}) for key, parts in clusters.items()}
    for key, parts in sorted(clusters.items()):
        if sizes[key] >= least:
            found = _candidate(parts, least, "#" + "/".join(key))
            if found is not None:
                back = sizes.get((key[0], key[1], key[3], key[2]), 0)
                out.append(Candidate(**{**vars(found), "reversed_by": back}))
    return out


def rewrites(pattern: Pattern, correction: Correction) -> bool:
    """Whether a pattern of tokens makes of a correction's before what the person wrote: all of it, for one part of a
    change that has several is no correction.
    """
    compiled = compile(pattern, correction.language)
    if compiled is None:
        return False
    found = compiled.find(correction.before, path=correction.path, piece=True)
    after = _squeezed(correction.after)
    each = ([one] for one in found)
    return any(_squeezed(apply(correction.before, some)) == after for some in (found, *each) if some)


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _parts(m: str, correction: Correction) -> Iterator[_Part]:
    before, after = correction.before, correction.after
    if correction.language not in LANGUAGES or max(len(before), len(after)) > MAX_TEXT:
        return
    if not before.strip() or not after.strip() or _HOLE.search(before) or _HOLE.search(after):
        return
    old, new = list(_TOKEN.finditer(before)), list(_TOKEN.finditer(after))
    a, b = [each[0] for each in old], [each[0] for each in new]
    codes = difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    parts = [each[1:] for each in codes if each[0] != "equal"]
    if not 0 < len(parts) <= MAX_PARTS:
        return
    for part in parts:
        i1, i2, j1, j2 = _slid(a, b, *part)
        names = {each for each in (*a[i1:i2], *b[j1:j2]) if _NAME.match(each)}
        if not names or i2 - i1 + j2 - j1 > MAX_TOKENS or all(is_keyword(each) for each in names):
            continue
        came = after[new[j1].start() : new[j2 - 1].end()] if j2 > j1 else ""
        if "\n" in came:
            continue
        at = old[i1].start() if i1 < i2 else old[i1 - 1].end() if i1 else 0
        yield _Part(m, correction, old, (i1, i2), came, tuple(b[j1:j2]), _within(correction, at))


def _slid(
    a: Sequence[str], b: Sequence[str], i1: int, i2: int, j1: int, j2: int
) -> tuple[int, int, int, int]:
    """A mere deletion or insertion as far to the right as it reads the same: `, x` and `x ,` are one."""
    while i1 == i2 and j2 < len(b) and i2 < len(a) and b[j1] == b[j2]:
        i1, i2, j1, j2 = i1 + 1, i2 + 1, j1 + 1, j2 + 1
    while j1 == j2 and i2 < len(a) and j2 < len(b) and a[i1] == a[i2]:
        i1, i2, j1, j2 = i1 + 1, i2 + 1, j1 + 1, j2 + 1
    return i1, i2, j1, j2


def _within(correction: Correction, at: int) -> str:
    """Where a difference stands: in a comment, in a string, or empty for code."""
    head = correction.before[:at]
    line = head[head.rfind("\n") + 1 :]
    language = LANGUAGES[correction.language]
    bare = re.sub(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`[^`]*`", "", line)
    if language.line_comment in bare or line.lstrip().startswith(("*", "/*")):
        return COMMENT
    return STRING if any(bare.count(sign) % 2 for sign in _QUOTES) or head.count('"""') % 2 else ""


def _candidate(parts: Sequence[_Part], least: int, cluster: str) -> Candidate | None:
    """What all of the parts agree on around their difference: the least of it that tells where it applies."""
    first = parts[0]
    left, right = _agreed(parts, -1), _agreed(parts, 0)
    gone = [each[0] for each in first.old[slice(*first.gone)]]
    for reach in range(REACH + 1):
        here, there = left[:reach], right[:reach]
        if not _tells([each for each in (*here, *gone, *there) if each], bool(here and there)):
            continue
        pattern = _pattern(first, here, there)
        if pattern is None or compile(pattern) is None:
            continue
        support = tuple(dict.fromkeys(each.m for each in parts if rewrites(pattern, each.correction)))
        if len(support) >= least and _is_quiet(pattern, [each for each in parts if each.m in support]):
            said = " ".join(first.correction.after.strip().split("\n")[0].split())[:160]
            title = headline(shown(pattern.pattern), shown(pattern.rewrite))
            return Candidate(pattern, support, title, f"For example {tick(said)}.", cluster)
    return None


def _agreed(parts: Sequence[_Part], by: int) -> list[str]:
    """The tokens beside the difference, from the nearest on, as far as all agree; empty where a word differs."""
    out: list[str] = []
    step = -1 if by < 0 else 1
    while len(out) < REACH:
        here = {part.at(by) for part in parts}
        if len(here) == 1 and "" not in here:
            out.append(here.pop())
        elif "" not in here and all(_NAME.match(each) for each in here) and "" not in out:
            out.append("")  # a hole, one on a side
        else:
            break
        by += step
    while out and not out[-1]:
        out.pop()  # a hole at the end says nothing
    return out


def _tells(held: Sequence[str], both: bool) -> bool:
    """Whether words say where it applies: a rare one, or several."""
    names = [
        each
        for each in held
        if _NAME.match(each) and not is_keyword(each) and len(each) > 3 and each.lower() not in _PROSE
    ]
    if len(held) > 1 and (len(names) > 1 or both or any(len(each) > 4 for each in names)):
        return bool(names)
    return any(len(each) >= 8 or "_" in each.strip("_") or re.search(r"[a-z][A-Z]", each) for each in names)


def _pattern(part: _Part, left: Sequence[str], right: Sequence[str]) -> Pattern | None:
    """The pattern with so much context, in the white space of this example."""
    low, high = part.gone[0] - len(left), part.gone[1] + len(right)
    if low < 0 or high > len(part.old) or low == high:
        return None
    text = part.correction.before
    holes: list[Hole] = []
    said: list[str] = []
    spaces: list[str] = []
    for k in range(low, high):
        token = part.old[k][0]
        inside = part.gone[0] <= k < part.gone[1]
        if not inside and not (left[part.gone[0] - 1 - k] if k < part.gone[0] else right[k - part.gone[1]]):
            name = chr(ord("A") + len(holes))
            holes.append(Hole(name=name, values=(token,)))
            token = "$" + name
        spaces.append(_space(text[part.old[k - 1].end() : part.old[k].start()]) if k > low else "")
        said.append(token)
    before, behind = (_space(each) for each in _gaps(part))
    split, end = len(left), len(left) + part.gone[1] - part.gone[0]
    tokens = list(zip(spaces, said, strict=True))
    head, tail = (_joined(each) for each in (tokens[:split], tokens[end:]))
    pattern = _joined(tokens)
    rewrite = head + (before if head and part.came else "") + part.came
    rewrite += (behind if part.came or head else "") + tail if tail else ""
    literal = tuple(dict.fromkeys(each for each in said if _NAME.match(each) and len(each) > 1))
    if not literal or pattern == rewrite:
        return None
    return Pattern(
        language=part.correction.language,
        pattern=pattern,
        rewrite=rewrite,
        selector=TOKENS,
        holes=tuple(holes),
        words=literal[:8],
        guards=(f"within:{part.within}",) if part.within else (),
    )


def _joined(tokens: Sequence[tuple[str, str]]) -> str:
    return "".join(space + said for space, said in tokens).strip()


def _space(gap: str) -> str:
    return " " if "\n" in gap else gap


def _gaps(part: _Part) -> tuple[str, str]:
    """The white space that the person left before what came, and after it."""
    after = part.correction.after
    new = list(_TOKEN.finditer(after))
    count = len(part.tokens)
    wanted = [each[0] for each in part.old[max(0, part.gone[0] - 3) : part.gone[0]]]
    for k in range(len(new) - count + 1):
        before = [each[0] for each in new[max(0, k - len(wanted)) : k]]
        if tuple(each[0] for each in new[k : k + count]) == part.tokens and before == wanted:
            low = after[new[k - 1].end() : new[k].start()] if 0 < k < len(new) else ""
            high = (
                after[new[k + count - 1].end() : new[k + count].start()]
                if k + count < len(new) and count
                else low
            )
            return low, high
    return "", ""


def _is_quiet(pattern: Pattern, parts: Sequence[_Part]) -> bool:
    """Whether nothing is found any more in what its places became."""
    for part in parts:
        compiled = compile(pattern, part.correction.language)
        before = part.correction.before
        for match in compiled.find(before, piece=True) if compiled is not None else ():
            done = before[: match.start] + match.rewrite + before[match.end :]
            end = match.start + len(match.rewrite)
            if any(x.start < end and x.end > match.start for x in compiled.find(done, piece=True)):  # type: ignore[union-attr]
                return False
    return True
