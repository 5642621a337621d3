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

import keyword
import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..analyzers.difference import Found, Pair, difference, parents, unit_pairs
from ..analyzers.fragments import BODY, PLACE, Fragment, fragments, has_body
from ..analyzers.imports import go_names
from ..analyzers.languages import INTERFACE_NAMES, LANGUAGES, LISTS, words
from ..analyzers.parse import Node
from ..analyzers.patterns import Compiled, Match, compile, elements
from ..store.kinds import Correction, Pattern
from ..store.wording import headline, shown, tick
from .antiunify import MEMBERS, WIDEST, WIDTHS, Example, General, antiunify

LEAST = 3
MAX_HEIGHT = 4
MAX_EXAMPLES = 12  # that are anti-unified together; the others of a cluster are only checked
MAX_CANDIDATES = 4  # of one cluster
# Any narrower pattern separates three examples from what stands elsewhere, by chance: narrowing from few examples
# made learners worse on real histories. It takes this many to be offered beside the first.
NARROW = 8

_Words = tuple[str, tuple[str, ...], tuple[str, ...]]  # the language, what vanished, what appeared
_WORD = re.compile(r"[A-Za-z_]\w*\Z")
_QUOTED = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'|`[^`]*`")
_STRING_OR_WORD = re.compile(r"[A-Za-z_]\w*")
_OPERATORS = words("== != === !== <> ! is ||")
_KEYWORDS = frozenset(keyword.kwlist) | words(
    """var let const function async new typeof instanceof func defer go range package struct interface map
    chan select switch case default fallthrough goto throw catch void delete this extends implements
    public private protected static readonly enum export"""
)
_PARAMETERS = words("formal_parameters parameters parameter_list")
#: Words that are keywords in Python, and may be names elsewhere.
_PYTHON_ALONE = words("assert raise pass del elif except lambda nonlocal global and or not is")
#: Names that stand in nearly every file of their language.
_ANYWHERE = words("self cls this super")


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


@dataclass(frozen=True)
class _Member:
    """One edit of a correction: the pairs from the smallest unit up, in the fragments that hold it."""

    m: str
    correction: Correction
    sides: tuple[Fragment, Fragment]
    chain: tuple[Pair, ...]
    gone: tuple[str, ...]
    came: tuple[str, ...]
    imports: frozenset[str]

    def example(self, height: int) -> Example:
        b, a = self.chain[height]
        return Example(b, a, self.imports)


def family(language: str) -> str:
    """Languages of one family share their rules: TypeScript with and without JSX."""
    return "typescript" if language == "tsx" else language


def generalise(corrections: Sequence[tuple[str, Correction]], least: int = LEAST) -> list[Candidate]:
    """Candidates from corrections (memory id, correction) of which at least `least` are alike.

    They come cluster by cluster, in a cluster from the one to be preferred; the same input gives the same.
    """
    clusters: defaultdict[tuple[str, tuple[str, ...], tuple[str, ...]], list[_Member]] = defaultdict(list)
    loose: defaultdict[tuple[str, tuple[str, ...], tuple[str, ...]], list[_Member]] = defaultdict(list)
    for m, correction in sorted(corrections, key=lambda each: each[0]):
        for member in _members(m, correction):
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
                gone, came = _abstract(member)
                loose[(key[0], gone, came)].append(member)
    for key, members in sorted(loose.items(), key=lambda each: each[0]):
        out += _of_cluster(members, least, "~" + "/".join([key[0], " ".join(key[1]), " ".join(key[2])]))
    out += _of_cores(corrections, {m for each in out for m in each.support}, least)
    return _unique(out)


def _reverse(sizes: Mapping[_Words, int], key: _Words) -> int:
    """How many corrections go the other way round; what only puts in brackets is not its own reverse."""
    return sizes.get((key[0], key[2], key[1]), 0) if key[1] != key[2] else 0


def is_keyword(word: str) -> bool:
    """Whether a word belongs to one of the languages."""
    return word in _KEYWORDS


def ladder(correction: Correction) -> Iterator[tuple[int, int, Candidate]]:
    """All that one correction alone may mean, with height and width: from the smallest edit up to the statement,
    and at each height from the widest; whether or not any of it would make a rule.
    """
    seen: set[tuple[str, str, str]] = set()
    for cores in (False, True):
        for member in _members("", correction, cores):
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
    clusters: defaultdict[tuple[str, tuple[str, ...], tuple[str, ...]], list[_Member]] = defaultdict(list)
    for m, correction in sorted(corrections, key=lambda each: each[0]):
        if m not in covered:
            for member in _members(m, correction, cores=True):
                clusters[(family(correction.language), member.gone, member.came)].append(member)
    sizes = {key: len({member.m for member in members}) for key, members in clusters.items()}
    for key, members in sorted(clusters.items(), key=lambda each: each[0]):
        name = "^" + "/".join([key[0], " ".join(key[1]), " ".join(key[2])])
        for each in _of_cluster(members, least, name):
            yield replace(each, reversed_by=_reverse(sizes, key))


def _members(m: str, correction: Correction, cores: bool = False) -> Iterator[_Member]:
    if correction.language not in LANGUAGES or not correction.before.strip() or not correction.after.strip():
        return
    if len(correction.before) + len(correction.after) > 2_000:
        return
    sides = fragments(correction.before, correction.after, correction.language)
    if sides is None:
        return
    left, right = sides
    imports = _bound(correction)
    pairs = (core_pairs if cores else unit_pairs)(left.node, right.node)
    for pair in pairs:
        chain = _chain(pair, left.node)
        core = _core(pair)
        if core is not None:
            chain = (core, *chain)
        before, after = Counter(pair[0].tokens), Counter(pair[1].tokens)
        gone, came = tuple(sorted(before - after)), tuple(sorted(after - before))
        if gone or came:
            yield _Member(m, correction, sides, chain, _telling(gone), _telling(came), imports)


def core_pairs(b: Node, a: Node) -> list[Pair]:
    """The smallest pairs of nodes in which two fragments differ; a lone name takes what it is a member of along."""
    if b.kind != a.kind:
        return []
    found = Found()
    difference(b, a, found)
    out: dict[tuple[int, int], Pair] = {}
    for pair in found.pairs:
        while not pair[0].children or not pair[0].named:
            above = parents(pair)
            if above is None or above[0].kind not in MEMBERS:
                break
            pair = above
        if pair[0].children and pair[0].named and pair[0].kind not in LISTS:
            out[pair[0].start, pair[0].end] = pair
    return list(out.values())


def _core(pair: Pair) -> Pair | None:
    """The part of a pair that says it all, where one part alone differs: a member that is called, so that no number of
    arguments holds the rule down, or what became a mere name, so that what stood around it does not.
    """
    b, a = pair
    if b.kind != a.kind:
        return None
    if b.kind in b.language.calls and len(b.children) == len(a.children):
        parts = [(x, y) for x, y in zip(b.children, a.children, strict=True) if x.tokens != y.tokens]
        if len(parts) == 1 and parts[0][0].field in ("function", "constructor"):
            return parts[0] if parts[0][0].kind in MEMBERS else None
    found = Found()
    difference(b, a, found)
    if len(found) != 1 or not found.pairs:
        return None
    x, y = found.pairs[0]
    if not x.children:
        above = parents((x, y))
        if above is None or above[0].kind not in MEMBERS:
            return None
        x, y = above
    if x.start < b.start or (x.start, x.end, x.kind) == (b.start, b.end, b.kind):
        return None
    return (x, y) if not y.children and (x.kind in MEMBERS or x.kind in x.language.calls) else None


def _bound(correction: Correction) -> frozenset[str]:
    """The names that the file's imports bind; what a module's path implies stands in for older records."""
    implied = (name for path in correction.imports for name in _implied(path, correction.language))
    return frozenset((*correction.bound, *implied))


def _implied(path: str, language: str) -> list[str]:
    """The names that a module's path implies."""
    return go_names(path) if language == "go" else [re.split(r"[./]", path)[-1]]


def _chain(pair: Pair, root: Node) -> tuple[Pair, ...]:
    """The pair and what is around it inside the fragment; a node that only wraps another is passed over."""
    chain = [pair]
    above = parents(pair)
    while (
        above is not None
        and len(chain) < MAX_HEIGHT
        and root.start <= above[0].start
        and above[0].end <= root.end
    ):
        if (above[0].start, above[0].end) != (chain[-1][0].start, chain[-1][0].end):
            chain.append(above)
        above = parents(above)
    return tuple(chain)


def _telling(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """The tokens that name a change: words and operators; punctuation only where there is nothing else."""
    telling = tuple(token for token in tokens if re.search(r"\w", token) or token in _OPERATORS)
    return telling or tuple(token for token in tokens if token not in ("(", ")", ",", "INDENT", "DEDENT"))


def _abstract(member: _Member) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tokens that vanished and appeared with names that mean something here alone blotted out.

    What is there only once more, or once less, is chance: it stands in a part that the edit took over.
    """
    pair = member.chain[0]
    before, after = set(pair[0].tokens), set(pair[1].tokens)
    gone = tuple(token for token in member.gone if token not in after) or member.gone
    came = tuple(token for token in member.came if token not in before) or member.came
    roles = {node.text for side in pair for node in _walk(side) if _names_interface(node)}

    def blot(token: str) -> str:
        if token[:1] in "\"'`":
            return "STR"
        if token[:1].isdigit():
            return "NUM"
        return token if token in roles or token in _KEYWORDS or not _WORD.match(token) else "ID"

    return tuple(sorted(map(blot, gone))), tuple(sorted(map(blot, came)))


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _names_interface(node: Node) -> bool:
    if node.kind in INTERFACE_NAMES or node.field in ("attribute", "property", "constructor"):
        return True
    if node.field == "function" and not node.children:
        return True
    return node.field == "name" and node.parent is not None and node.parent.kind == "keyword_argument"


def _of_cluster(members: Sequence[_Member], least: int, name: str) -> Iterator[Candidate]:
    """Candidates of a cluster: of the parts that share the words around the edit, else of the whole."""
    if len({member.m for member in members}) < least:
        return
    parts: defaultdict[tuple[str, ...], list[_Member]] = defaultdict(list)
    for member in members:
        roles = {node.text for node in _walk(member.chain[0][0]) if _names_interface(node)}
        parts[tuple(sorted(roles & _own_words(member)))].append(member)
    covered: set[str] = set()
    for around, part in sorted(parts.items()):
        for candidate in _of_part(part, least, f"{name}/{' '.join(around)}"):
            covered.update(candidate.support)
            yield candidate
    rest = [member for member in members if member.m not in covered]
    if len(parts) > 1:
        yield from _of_part(rest, least, f"{name}/*")


def _own_words(member: _Member) -> set[str]:
    """The words of the edit that are not inside something that both sides share whole."""
    b, a = member.chain[0]
    shared = {node.tokens for node in _walk(a) if node.named and node.children}
    out: set[str] = set()
    stack = [b]
    while stack:
        node = stack.pop()
        if node is not b and node.children and node.tokens in shared and node.field != "function":
            continue
        if not node.children:
            out.add(node.text)
        stack.extend(node.children)
    return out


def _of_part(members: Sequence[_Member], least: int, name: str) -> Iterator[Candidate]:
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


def _shapes(members: Sequence[_Member], least: int) -> Iterator[tuple[int, list[_Member]]]:
    """The heights from the smallest edit up, each with its members of one shape, the most common first."""
    for height in range(MAX_HEIGHT + 1):
        shapes: defaultdict[tuple[str, str], list[_Member]] = defaultdict(list)
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


def _candidate(
    members: Sequence[_Member], height: int, width: int, least: int, name: str
) -> Candidate | None:
    general = antiunify([member.example(height) for member in members[:MAX_EXAMPLES]], width)
    if general is None:
        return None
    anchor = _anchored(general, members[0].correction.language)
    if not _says_itself(general, members[0].chain[height][0]):
        return None
    if anchor is None or (general.pattern[0] == "$" and members[0].chain[height][0].field == "function"):
        return None
    for pattern in _patterns(general, members[0], height):
        support: list[str] = []
        checked = pattern
        for member in members:
            guarded = _check(checked, member, height)
            if guarded is not None:
                checked = guarded
                support.append(member.m)
        distinct = tuple(dict.fromkeys(support))
        if width != WIDEST:
            checked = _near(checked, [x.correction.path for x in members if x.m in set(distinct)])
        if len(distinct) >= least and all(
            _check(checked, x, height) == checked for x in members if x.m in distinct
        ):
            checked = _of_module(checked, [x for x in members if x.m in set(distinct)])
            title = headline(shown(pattern.pattern), shown(pattern.rewrite))
            return Candidate(
                checked, distinct, title, _text(members[0].chain[height][1]), name, weak=not anchor
            )
    return None


def _says_itself(general: General, node: Node) -> bool:
    """Whether a pattern means by itself what it meant where it stood: not a parameter that gets another name, whose
    body is not seen, and not a lone name in brackets, which were those of a call or a class.
    """
    before, after = (["(", *elements(each)] for each in (general.pattern, general.rewrite))
    if node.kind not in _PARAMETERS:
        return before[1] != "(" or len(before) > 4
    if len(before) != len(after):
        return True
    changed = [k for k, (x, y) in enumerate(zip(before, after, strict=True)) if x != y]
    return not all(_is_name(before[k]) and _is_name(after[k]) and before[k - 1] in "(," for k in changed)


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


def _of_module(pattern: Pattern, members: Sequence[_Member]) -> Pattern:
    """A rule that begins with a name that the imports of all its examples bind is a rule about that module: a
    parameter or a local of the same name is another thing.
    """
    first = elements(pattern.pattern)[:1]
    if not first or not _is_name(first[0]) or not all(first[0] in x.correction.bound for x in members):
        return pattern
    # A module's path says more than its name, where all files import the one that implies the name.
    one = members[0].correction
    paths = [
        f"import:{path}"
        for path in one.imports
        if path[:1] != "."  # what is relative reads otherwise in each folder
        and first[0] in _implied(path, one.language)
        and all(path in x.correction.imports for x in members)
    ]
    guards = [f"bound:{first[0]}", *paths]
    return replace(pattern, guards=(*pattern.guards, *guards))


def _text(example: Node) -> str:
    """What a person wrote in one of the examples: a model copies from code better than from a pattern."""
    return f"For example {tick(' '.join(example.text.split())[:160])}."


def _anchored(general: General, language: str) -> bool | None:
    """Whether a word holds the pattern down; False for an operator alone, or a variable; None for nothing at all.

    A change of keywords alone is a linter's, and a keyword holds a pattern down only where a name came to it
    (`except:`, which became `except Exception:`). Words in a string hold nothing, and neither does a lone name, or
    one that every class has (`self.$A = {}`).
    """
    before = [token for token in elements(_QUOTED.sub("$_", general.pattern)) if not token.startswith("$")]
    if len(elements(_QUOTED.sub("$_", general.pattern))) < 2:
        return None
    gone = set(Counter(elements(general.pattern)) - Counter(elements(general.rewrite)))
    came = set(Counter(elements(general.rewrite)) - Counter(elements(general.pattern)))
    if not (gone | came) or all(token in _KEYWORDS for token in gone | came):
        return None
    named = [k for k, token in enumerate(before) if _is_name(token, language) and token not in _ANYWHERE]
    if named:
        return any(_names_thing(before, k) for k in named)
    if "$" not in general.pattern and len(before) > 2 and any(_is_name(token) for token in came):
        return False  # numbers and operators alone, but these very ones
    # Of an import that keywords alone hold down nothing is known.
    if any(token in _KEYWORDS - {"from", "import"} for token in before) and any(
        _is_name(token) for token in came
    ):
        return True
    kept = _runs(general.rewrite)
    return False if any(run in _OPERATORS and run not in kept for run in _runs(general.pattern)) else None


def _is_name(token: str, language: str = "") -> bool:
    if not _WORD.match(token) or len(token) < 2:
        return False
    return token not in _KEYWORDS or (token in _PYTHON_ALONE and language not in ("python", ""))


def _names_thing(tokens: Sequence[str], at: int) -> bool:
    """Whether a name is of something that is called, taken from, imported or a type: not of a variable, which is
    another thing elsewhere.
    """
    last, following = tokens[at - 1] if at else "", tokens[at + 1] if at + 1 < len(tokens) else ""
    return last in (".", "@", "new", "import", "from") or following in ("(", ".") or tokens[at][:1].isupper()


def _runs(template: str) -> list[str]:
    """The operators of a template: runs of punctuation between spaces, words and holes."""
    return re.findall(r"(?<![^\w\s)\]])[!=<>|&]+(?![^\w\s($\[\"'])", template)


def _patterns(general: General, member: _Member, height: int) -> Iterator[Pattern]:
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
    return tuple(dict.fromkeys(found or _runs(pattern)))[:8]


def _check(pattern: Pattern, member: _Member, height: int) -> Pattern | None:
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


def _match_at(compiled: Compiled, member: _Member, node: Node) -> Match | None:
    start = len(node.source[: node.start].decode("utf-8", "replace"))
    end = start + len(node.text)
    for match in compiled.find(member.sides[0].program, path=member.correction.path, piece=True):
        if match.start == start and match.kind == node.kind and abs(match.end - end) <= 1:
            return match
    return None


def _quiet(compiled: Compiled, done: str, match: Match, member: _Member) -> bool:
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
        word for word in dict.fromkeys(new) if _WORD.match(word) and len(word) > 1 and word not in _KEYWORDS
    ]


def _equal(text: str, node: Node) -> bool:
    return text == node.text or _squeezed(text) == _squeezed(node.text)


def _squeezed(text: str) -> str:
    """A text without white space, the formatters' commas, and the choice of quotes."""
    return re.sub(r",(?=[)\]}])|;$", "", re.sub(r"\s+", "", text)).replace("'", '"')


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
