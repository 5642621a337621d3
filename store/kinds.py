"""What records carry: one frozen dataclass for each kind; `codec` makes JSON bodies of them, and them of these.

Numbers are integers: times in milliseconds since the epoch, shares and scores in millionths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

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


def is_private(body: Body) -> bool:
    """Whether a record with this body stays on this machine."""
    return body.PRIVATE or bool(getattr(body, "private", False))
