"""What code, history and documents say of themselves, kept as memories: preferences, fixes, decisions.

All is derived, under ids that are always the same for the same thing. A person's word stands: what somebody deleted is
not written again, what somebody reworded is left alone. What is the same as this clone wrote or read last time is left
alone too, so that two clones at different commits do not answer each other for ever.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pygit2

from ..learning.noticed import decided, mended
from ..learning.noticed.preferences import SHARE, Preference, memory, notable, preferences
from ..learning.noticed.survey import Tally, survey
from ..repo.files import write_whole
from ..store import notes
from ..store.codec import encode
from ..store.durable import SYSTEM
from ..store.durable import read as read_file
from ..store.items import NOTICED
from ..store.kinds import Memory, RuleEvent
from ..store.record import Draft, canonical
from ..store.secrets import secrets_of
from .state import State

PREFERENCES, FIXES, DECISIONS = ORIGINS = NOTICED
#: Memories that were read from code, history or documents say so in the type.
TYPES: Mapping[str, str] = {PREFERENCES: "preference", FIXES: "fix", DECISIONS: "decision"}
NOTE = "noticed.json"
#: Grows when what is noticed changes, so that a repository is looked at anew.
VERSION = 2
#: Code is counted anew once a day at most, where there are new commits.
EACH_MS = 86_400_000
_BATCH = 50
#: How long `cortex learn` looks, in seconds.
BUDGET_S = 20.0
#: A preference that was one stays one down to so little less.
_LINGERS = 0.05
RETIRED, ACTIVE = "retired", "active"


@dataclass
class Noticed:
    """What the last look left: of which commit, when, and what it wrote (memory → digest of what it said)."""

    read: str = ""  # decisions and fixes are as of this commit
    counted: str = ""  # preferences are
    time: int = 0
    kept: str = ""
    said: dict[str, str] = field(default_factory=dict)
    written: Counter[str] = field(default_factory=Counter)


def look(
    state: State, *, now: bool = False, again: bool = False, written: Counter[str] | None = None
) -> Iterator[None]:
    """Notice what is new at HEAD; yields in between, so that whoever asks may stop, or go on later.

    Code is counted once a day, or `now`; `again` looks at everything, whatever was seen before. Nothing is lost where
    it is not gone on with: the next look begins anew. `written` counts what became a record, by the type of memory.
    """
    kept = state.settings().text("learn.conventions")
    head = state.head()
    if not head or kept == "off":
        return
    noticed = _read(state)
    noticed.written = written if written is not None else Counter()
    if again or noticed.kept != kept:
        noticed.read = noticed.counted = ""
    noticed.kept = kept
    if noticed.read != head:
        yield from _decisions(state, noticed)
        yield from _fixes(state, noticed)
        noticed.read = head
        _save(state, noticed)
    due = now or not noticed.counted or state.clock() - noticed.time >= EACH_MS
    if noticed.counted != head and due:
        yield from _preferences(state, noticed)
        noticed.counted, noticed.time = head, state.clock()
        _save(state, noticed)


def notice(state: State, *, again: bool = False, budget_s: float = BUDGET_S) -> Counter[str]:
    """Notice what is new now, for so long at most: how many memories were written, by their type."""
    written: Counter[str] = Counter()
    end = time.monotonic() + budget_s
    for _ in look(state, now=True, again=again, written=written):
        if time.monotonic() > end:
            break  # the daemon begins anew, and takes its time
    return +written


def due(state: State) -> bool:
    """Whether there is anything to look at: cheap, for the daemon's every round."""
    if state.settings().text("learn.conventions") == "off":
        return False
    head, noticed = state.head(), _read(state)
    if not head or noticed.read != head or noticed.kept != state.settings().text("learn.conventions"):
        return bool(head)
    return noticed.counted != head and state.clock() - noticed.time >= EACH_MS


def unite(state: State) -> int:
    """Settle what two clones noticed at once: the later version counts, and a person's deletion before both."""
    view, settled = state.view(), 0
    for m in view.conflicts():
        heads = view.heads(m)
        gone = [head for head in heads if head.op == "del" and head.origin not in ORIGINS]
        if not any(head.op == "put" and head.origin in ORIGINS for head in heads):
            continue
        if any(head.op == "put" and head.origin not in ORIGINS for head in heads):
            continue  # somebody's own words: not for us to choose
        chosen = gone[-1] if gone else heads[-1]
        state.journal.settle(m, chosen.id, origin=chosen.origin)
        settled += 1
    return settled


def _decisions(state: State, noticed: Noticed) -> Iterator[None]:
    secrets: set[str] = set()
    wanted: dict[str, Memory] = {}
    held: dict[str, tuple[bool, str]] = {}
    tree = _tree(state)
    private = noticed.kept == "private"
    found: list[decided.Decision] = []
    for each in decided.decisions(tree, state.ignored.matches, secrets) if tree is not None else ():
        found.append(each)
        yield
    instead = decided.successions(found)
    for each in found:
        wanted[each.m] = decided.memory(each, private, instead.get(each.m, ()))
        held[each.m] = (each.holds, f"superseded by {each.by}" if each.by else each.status)
    state.journal.beware(secrets)
    _write(state, noticed, DECISIONS, wanted, lambda before, after: before != after)
    for m in _own(state, DECISIONS):
        if m not in wanted:
            state.journal.delete(m, origin=DECISIONS)
            noticed.said.pop(m, None)
    _move(state, DECISIONS, held)
    yield


def _fixes(state: State, noticed: Noticed) -> Iterator[None]:
    wanted: dict[str, Memory] = {}
    secrets: set[str] = set()
    seen = [noticed.read] if noticed.read else []
    for number, each in enumerate(
        mended.mended(state.repository, seen, noticed.kept == "private", secrets), 1
    ):
        if each is not None and not state.ignored.matches(each.memory.path):
            wanted[each.m] = each.memory
        if number % 20 == 0:
            yield
    state.journal.beware(secrets)
    _write(state, noticed, FIXES, wanted, lambda before, after: before.private != after.private)
    yield


def _preferences(state: State, noticed: Noticed) -> Iterator[None]:
    tally = Tally()
    yield from survey(state.repository, tally, state.ignored.matches)
    found = {each.m: each for each in preferences(tally)}
    strong = {m: each for m, each in found.items() if each.strong}
    tree = _tree(state)
    secrets: set[str] = set()
    for path in {spot.path for each in strong.values() for spot in each.places}:
        blob = _blob(tree, path)  # a line of it is told: what is a secret there is told by the whole
        secrets.update(secrets_of(blob.data.decode("utf-8", "replace")) if blob is not None else ())
        yield
    state.journal.beware(secrets)
    private = noticed.kept == "private"
    wanted = {m: memory(each, private) for m, each in strong.items()}
    _write(state, noticed, PREFERENCES, wanted, notable)
    steps: dict[str, tuple[bool, str]] = dict.fromkeys(strong, (True, "holds again"))
    for m, before in _own(state, PREFERENCES).items():
        if m not in strong and not _lingers(found.get(m), before):
            steps[m] = (False, found[m].why if m in found else "it is not seen any more")
    _move(state, PREFERENCES, steps)
    yield


def _lingers(found: Preference | None, before: Memory) -> bool:
    """Whether a preference that is a little weaker than it has to be is still what it was."""
    if found is None or found.share < SHARE - _LINGERS:
        return False
    return memory(found).title == before.title and found.weak


def _write(
    state: State,
    noticed: Noticed,
    origin: str,
    wanted: Mapping[str, Memory],
    differs: Callable[[Memory, Memory], bool],
) -> None:
    """Write what is new or changed, as new versions of the same memories."""
    view = state.view()
    drafts: list[Draft] = []
    said: dict[str, str] = {}
    for m, body in wanted.items():
        heads, current = view.heads(m), view.current(m)
        if any(head.op == "del" and head.origin != origin for head in heads):
            continue
        digest = hashlib.sha256(canonical(encode(body))).hexdigest()[:16]
        if heads and noticed.said.get(m) == digest:
            continue
        if current is not None:
            before = current.decoded()
            if current.origin != origin or not isinstance(before, Memory) or not differs(before, body):
                continue
        drafts.append(Draft(body, m=m, parents=tuple(head.id for head in heads), origin=origin))
        said[m] = digest
    for start in range(0, len(drafts), _BATCH):
        state.journal.append(drafts[start : start + _BATCH])
    noticed.written[TYPES[origin]] += len(drafts)
    noticed.said.update(said)


def _move(state: State, origin: str, holds: Mapping[str, tuple[bool, str]]) -> None:
    """Retire memories that hold no longer, and bring those back that hold again; not those that a person retired."""
    view, writer = state.view(), state.journal.writer
    last: dict[str, RuleEvent] = {}
    for record in view.of_kind(RuleEvent.KIND):
        event = record.decoded()
        if isinstance(event, RuleEvent) and event.rule in holds and record.w == writer:
            last[event.rule] = event
    drafts = []
    for m, (well, why) in holds.items():
        was = last[m].to_state if m in last else ACTIVE
        now = ACTIVE if well else RETIRED
        if view.current(m) is None or was == now or (m in last and last[m].by == "person"):
            continue
        drafts.append(Draft(RuleEvent(rule=m, from_state=was, to_state=now, reason=why), origin=origin))
    if drafts:
        state.journal.append(drafts)


def _own(state: State, origin: str) -> dict[str, Memory]:
    """The memories that were noticed so, and stand."""
    found = {}
    for record in state.view().of_kind(Memory.KIND):
        if record.origin == origin and isinstance(body := record.decoded(), Memory):
            found[record.m] = body
    return found


def _tree(state: State) -> pygit2.Tree | None:
    try:
        return state.repository.revparse_single("HEAD").peel(pygit2.Tree)
    except (KeyError, pygit2.GitError):
        return None


def _blob(tree: pygit2.Tree | None, path: str) -> pygit2.Blob | None:
    try:
        held = tree[path] if tree is not None else None
    except (KeyError, ValueError, pygit2.GitError):
        return None
    return held if isinstance(held, pygit2.Blob) else None


def _read(state: State) -> Noticed:
    try:
        given: Mapping[str, Any] = notes.read(read_file(SYSTEM, state.place.store / "index" / NOTE)) or {}
    except OSError:
        given = {}
    if given.get("version") != VERSION:
        return Noticed()
    said = given.get("said")
    return Noticed(
        read=str(given.get("read", "")),
        counted=str(given.get("counted", "")),
        time=given["time"] if isinstance(given.get("time"), int) else 0,
        kept=str(given.get("kept", "")),
        said={str(m): str(digest) for m, digest in said.items()} if isinstance(said, dict) else {},
    )


def _save(state: State, noticed: Noticed) -> None:
    file = state.place.store / "index" / NOTE
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = {
        "version": VERSION,
        "read": noticed.read,
        "counted": noticed.counted,
        "time": noticed.time,
        "kept": noticed.kept,
        "said": noticed.said,
    }
    write_whole(file, notes.write(kept), durable=False)
