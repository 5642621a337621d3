"""What records carry: one frozen dataclass for each kind, and the codec between them and JSON bodies.

Numbers are integers: times in milliseconds since the epoch, shares and scores in millionths. A field that
is empty is left out of the body; a field that this version does not know stays in the record it came in.
"""

from __future__ import annotations

import dataclasses
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, TypeVar, Union, get_args, get_origin, get_type_hints

MILLION = 1_000_000


@dataclass(frozen=True)
class Body:
    """The base of all kinds; `KIND` is the body's field `kind`, `PRIVATE` says that it never leaves the machine."""

    KIND: ClassVar[str] = ""
    PRIVATE: ClassVar[bool] = False


@dataclass(frozen=True)
class Execution(Body):
    """One task given to an assistant."""

    KIND = "execution"
    PRIVATE = True

    task: str = ""
    task_type: str = ""
    agent: str = ""
    model: str = ""
    settings: str = ""  # canonical JSON of the agent's settings, as it gave them
    template: str = ""
    template_version: str = ""
    conversation: str = ""
    prompt: str = ""  # the agent's own id of the prompt, where it gives one
    started: int = 0
    duration: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    plan: str = ""
    tests: str = ""  # passed, failed, or empty when not known


@dataclass(frozen=True)
class Generation(Body):
    """One piece of code that an assistant wrote; `before` and `after` are blob ids, empty for no file."""

    KIND = "generation"
    PRIVATE = True

    execution: str = ""
    path: str = ""
    before: str = ""
    after: str = ""
    ranges: tuple[tuple[int, int], ...] = ()  # lines of `after` that it wrote, from 1, both ends included
    tool: str = ""
    altered: bool = False  # the person changed the proposal before accepting it
    proposed: str = ""  # then: the blob of what the assistant had proposed
    head: str = ""  # the commit that was checked out


@dataclass(frozen=True)
class Outcome(Body):
    """What became of a generation at a commit."""

    KIND = "outcome"
    PRIVATE = True

    generation: str = ""
    commit: str = ""
    path: str = ""
    also: tuple[str, ...] = ()  # other files that hold parts of it
    verdict: str = ""  # accepted, edited, rejected
    distance: int = 0  # normalised edit distance, in millionths: 0 equal, 1,000,000 nothing kept
    reward: int = 0
    diff: int = 0
    tests: int = 0
    revert: int = 0
    remark: int = 0
    time: int = 0
    took: int = 0  # from the generation to the commit that decided, in ms
    second_thoughts: int = 0  # 1: it re-edited the assistant's own earlier lines with no new prompt between
    formatted: int = 0  # lines of it that differ in formatting alone


@dataclass(frozen=True)
class Correction(Body):
    """One edit that a person made to generated code, or that a later commit made to an earlier one."""

    KIND = "correction"

    before: str = ""
    after: str = ""
    path: str = ""
    line: int = 0
    language: str = ""
    framework: str = ""
    category: str = ""  # bug, style, preference, evolution, or empty for not decided
    confidence: int = 0
    hand: str = ""  # person, directed, second-thought; people where no assistant wrote
    weight: int = MILLION
    commit: str = ""
    committed: int = 0  # when, in ms; 0 where there is no commit
    author: str = ""
    written: str = ""  # the commit that wrote what was corrected, where history says so
    reverted: str = ""  # the commit that took it back before it was brought again in another form
    agent: str = ""
    subject: str = ""
    enclosing: str = ""
    imports: tuple[str, ...] = ()
    bound: tuple[str, ...] = ()  # names in the edit that the file's imports bind
    count: int = 1  # equal edits of the same commit


@dataclass(frozen=True)
class Reason(Body):
    """Why a correction was made: what the person had told the assistant. Never a part of the shared record."""

    KIND = "reason"
    PRIVATE = True

    of: str = ""  # the correction
    text: str = ""
    execution: str = ""


@dataclass(frozen=True)
class Trial(Body):
    """One run of tests, or of a command, over what was generated; `status` below 0 is a signal's number."""

    KIND = "trial"
    PRIVATE = True

    source: str = ""  # junit, run
    command: str = ""
    status: int = 0
    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    failing: tuple[str, ...] = ()  # names of the first test cases that did not pass
    duration: int = 0
    commit: str = ""  # what was checked out
    generations: tuple[str, ...] = ()
    executions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hole:
    """One hole of a pattern: `kind` is what syntax fills it in the examples, `values` some fillings."""

    name: str = ""
    kind: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pattern(Body):
    """A rule's tree pattern and rewrite, in ast-grep's terms; guards narrow where it applies."""

    KIND = "pattern"

    language: str = ""
    pattern: str = ""
    rewrite: str = ""
    context: str = ""  # ast-grep's `context` and `selector`, where the pattern alone does not parse
    selector: str = ""
    holes: tuple[Hole, ...] = ()
    words: tuple[str, ...] = ()  # literal words a matching file must hold: the prefilter
    guards: tuple[str, ...] = ()  # "path:tests/**", "import:requests", "bound:requests", "lacks:timeout"


@dataclass(frozen=True)
class Example(Body):
    """One place that shows what a memory says: both sides of an edit, or what stands there."""

    KIND = "example"

    commit: str = ""
    path: str = ""
    line: int = 0
    before: str = ""
    after: str = ""
    author: str = ""
    time: int = 0  # in ms; 0 where there is no commit


@dataclass(frozen=True)
class Memory(Body):
    """Anything else that can be recalled: rule, pattern, preference, fix, decision, task, note."""

    KIND = "memory"

    type: str = "note"
    scope: str = "project"  # universal, language, framework, project, user
    title: str = ""
    text: str = ""
    language: str = ""
    framework: str = ""
    path: str = ""
    reason: str = ""
    provenance: tuple[str, ...] = ()  # memory ids of what it was learnt from
    rule: Pattern | None = None
    private: bool = False
    support: int = 0  # of a preference: the places that chose so, and those that chose otherwise
    against: int = 0
    examples: tuple[Example, ...] = ()  # of what was read from code and history themselves
    supersedes: tuple[str, ...] = ()  # ids of memories in whose place it is
    requires: tuple[str, ...] = ()  # those that it does not help without
    causes: tuple[str, ...] = ()  # those that come of it


@dataclass(frozen=True)
class RuleEvent(Body):
    """One step of a rule's life, with the back-test that led to it."""

    KIND = "rule-event"

    rule: str = ""
    from_state: str = ""
    to_state: str = ""  # candidate, shadow, active, retired
    reason: str = ""
    support: int = 0
    commits: int = 0
    matched: int = 0
    stood: int = 0
    changed: int = 0
    against: int = 0
    confidence: int = 0
    by: str = ""  # person, import: who decided, where the lifecycle did not


@dataclass(frozen=True)
class Shown(Body):
    """One memory in an exposure, or one place or commit: where it stood, how it scored, what each feature gave."""

    KIND = "shown"

    memory: str = ""
    rank: int = 0  # from 1; 0 for a dropped one
    score: int = 0
    dropped: str = ""  # why it was dropped; empty for a shown one
    features: tuple[tuple[str, int], ...] = ()
    path: str = ""  # of a warning: where it was, what stood there, and what was offered
    before: str = ""
    after: str = ""
    source: str = ""  # code, docs, history: `memory` is empty, and what follows names the place or the commit
    blob: str = ""  # what the file at `path` was
    line: int = 0  # the first, from 1, and the last
    last: int = 0
    commit: str = ""


@dataclass(frozen=True)
class Exposure(Body):
    """What one recall, or one warning of the guard, showed and dropped."""

    KIND = "exposure"
    PRIVATE = True

    query: str = ""  # SHA-256 of the question: the text itself is not kept
    task_type: str = ""
    channel: str = ""  # ask, mcp, hook, guard, python
    ranker: str = ""
    encoder: str = ""
    tokens: int = 0
    abstained: bool = False
    items: tuple[Shown, ...] = ()


@dataclass(frozen=True)
class Reaction(Body):
    """What a commit made of a place of which the guard had warned; the last one of a place counts."""

    KIND = "reaction"
    PRIVATE = True

    rule: str = ""
    path: str = ""
    place: str = ""  # SHA-256 of what stood there, white space aside
    verdict: str = ""  # left, taken
    commit: str = ""
    enclosing: str = ""
    imports: tuple[str, ...] = ()


@dataclass(frozen=True)
class Feedback(Body):
    """What a person said of a memory or a generation; the remark is private."""

    KIND = "feedback"
    PRIVATE = True

    of: str = ""
    verdict: str = ""  # good, bad, wrong
    category: str = ""
    remark: str = ""
    feeling: str = ""
    guess: str = ""  # where a category is given: what was guessed before it, and how surely, in millionths
    guessed: int = 0


@dataclass(frozen=True)
class Verdict(Body):
    """The part of a feedback that is shared."""

    KIND = "verdict"

    of: str = ""
    verdict: str = ""
    category: str = ""


@dataclass(frozen=True)
class Trust(Body):
    """Whose word counts: an author, a memory, or one version of a memory (its record) accepted or revoked."""

    KIND = "trust"

    who: str = ""
    what: str = ""
    why: str = ""


@dataclass(frozen=True)
class Purge(Body):
    """Something that must be gone everywhere."""

    KIND = "purge"

    who: str = ""
    what: str = ""
    why: str = ""


@dataclass(frozen=True)
class Scope(Body):
    """A memory moved to a wider or narrower scope."""

    KIND = "scope"

    who: str = ""
    what: str = ""
    scope: str = ""
    why: str = ""


KINDS: Mapping[str, type[Body]] = {
    kind.KIND: kind
    for kind in (
        Execution,
        Generation,
        Outcome,
        Correction,
        Reason,
        Trial,
        Memory,
        RuleEvent,
        Exposure,
        Reaction,
        Feedback,
        Verdict,
        Trust,
        Purge,
        Scope,
    )
}

B = TypeVar("B", bound=Body)


def is_private(body: Body) -> bool:
    """Whether a record with this body stays on this machine."""
    return body.PRIVATE or bool(getattr(body, "private", False))


def encode(body: Body) -> dict[str, object]:
    """The JSON form of a body: `kind` and the fields that differ from their defaults."""
    return {"kind": body.KIND, **_fields(body)}


def _fields(value: object) -> dict[str, object]:
    out: dict[str, object] = {}
    kind: Any = type(value)
    for name, default in _defaults(kind):
        given = getattr(value, name)
        if given != default:
            out[name] = given if type(given) in _LEAVES else _plain(given)
    return out


@cache
def _defaults(cls: type[Any]) -> tuple[tuple[str, object], ...]:
    return tuple((field.name, field.default) for field in dataclasses.fields(cls))


#: What is its own JSON form; of such is most of what an answer leaves: hundreds of names and numbers.
_LEAVES = frozenset({str, int, bool})


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [each if type(each) in _LEAVES else _plain(each) for each in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fields(value)
    return value


def decode(cls: type[B], body: Mapping[str, object]) -> B:
    """A body from its JSON form. Unknown fields are passed over, and one of the wrong type takes its default:
    a record from outside is data, and must not stop the rest from loading.
    """
    built: B = _build(cls, body)
    return built


def decode_any(body: Mapping[str, object]) -> Body | None:
    """The body by its own `kind`; None for a kind that this version does not know."""
    kind = body.get("kind")
    cls = KINDS.get(kind) if isinstance(kind, str) else None
    return decode(cls, body) if cls else None


def _build(cls: type[Any], given: Mapping[str, object]) -> Any:
    values = {}
    for name, fit in _fits(cls):
        if name in given:
            fits, value = fit(given[name])
            if fits:
                values[name] = value
    return cls(**values)


_Fit = Callable[[Any], "tuple[bool, Any]"]
_known_fits: dict[type, tuple[tuple[str, _Fit], ...]] = {}


def _fits(cls: type[Any]) -> tuple[tuple[str, _Fit], ...]:
    known = _known_fits.get(cls)
    if known is None:
        hints = get_type_hints(cls, vars(sys.modules[cls.__module__]))
        known = tuple((field.name, _fit(hints[field.name])) for field in dataclasses.fields(cls))
        _known_fits[cls] = known
    return known


def _fit(hint: Any) -> _Fit:
    """What says whether a value is of the type `hint`, and its Python form; made once for each field."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        inner = _fit(next(each for each in arguments if each is not type(None)))
        return lambda value: (True, None) if value is None else inner(value)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return _fit_many(_fit(arguments[0]))
    if origin is tuple:
        return _fit_each([_fit(each) for each in arguments])
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        cls: type[Any] = hint
        return lambda value: (True, _build(cls, value)) if isinstance(value, Mapping) else (False, None)
    if hint is int:
        return lambda value: (isinstance(value, int) and not isinstance(value, bool), value)
    return lambda value: (isinstance(value, hint), value)


def _fit_many(one: _Fit) -> _Fit:
    def fit(value: Any) -> tuple[bool, Any]:
        if not isinstance(value, list):
            return False, None
        return True, tuple(item for fits, item in map(one, value) if fits)

    return fit


def _fit_each(each: Sequence[_Fit]) -> _Fit:
    def fit(value: Any) -> tuple[bool, Any]:
        if not isinstance(value, list) or len(value) != len(each):
            return False, None
        pairs = [one(item) for one, item in zip(each, value, strict=True)]
        return all(fits for fits, _ in pairs), tuple(item for _, item in pairs)

    return fit
