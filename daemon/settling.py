"""Conflicts: memories that two people, or two clones, changed at once; both sides shown, and one word settles it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..repo.errors import UsageError
from ..store.fold import View
from ..store.kinds import Correction, Memory
from ..store.record import Record
from ..store.secrets import clean
from ..store.wording import count, headline, one_line
from .contracts import SCHEMA
from .contracts.keeping import ConflictResult, VersionResult
from .memories import resolve, written_for
from .state import State

#: How much of a body that is neither a memory nor a correction is shown, in characters.
SHOWN = 400


def conflicts(view: View, own_writer: str) -> list[ConflictResult]:
    """All memories in conflict, the one that was last written to first."""
    found = [(view.heads(m), m) for m in view.conflicts()]
    found.sort(key=lambda pair: pair[0][-1].order, reverse=True)
    return [conflict(m, heads, own_writer) for heads, m in found]


def conflict(m: str, heads: Sequence[Record], own_writer: str) -> ConflictResult:
    """One conflict: its versions, the one that counts meanwhile first."""
    return {
        "id": m,
        "kind": heads[-1].kind,
        "versions": [
            _version(head, own_writer, counts=head is heads[-1]) for head in sorted(heads, key=_order)[::-1]
        ],
    }


def settle(
    state: State, *, id: str, take: str = "", text: str = "", origin: str = "cli", request: str = ""
) -> Mapping[str, object]:
    """Write a new version in place of both sides: one of them (`take`), or a memory with a new text.

    `take` is the beginning of a version's record id, "mine" (written in this clone), or "theirs". `request` names
    what asked for it: asked twice, it is done once. Raises `UsageError` where there is no conflict, or the words do
    not name one version.
    """
    done = written_for(state, id, request)
    if done is not None:
        return _settled(done, clean([text])[1])
    m = resolve(state, id)
    view = state.view()
    heads = view.heads(m)
    if m not in view.conflicts():
        raise UsageError(f"{m[:12]} is not in conflict", "List what is with `cortex log --conflicts`.")
    before = state.journal.redactions
    if text.strip():
        if take:
            raise UsageError("either --take or --text", "--text is written in place of all versions.")
        body = next(
            (each for each in (head.decoded() for head in heads[::-1]) if isinstance(each, Memory)), None
        )
        if body is None:
            raise UsageError("only a memory has a text", "Take one of the versions with --take.")
        title = text.strip().splitlines()[0][:80]
        record = state.journal.edit(m, replace(body, text=text.strip(), title=title), origin, request=request)
    else:
        chosen = _chosen(heads, take, state.journal.writer)
        record = state.journal.settle(m, chosen.id, origin, request=request)
    return _settled(record, state.journal.redactions - before)


def _settled(record: Record, redacted: int) -> Mapping[str, object]:
    return {
        "schema": SCHEMA,
        "id": record.m,
        "record": record.id,
        "parents": list(record.parents),
        "deleted": record.op == "del",
        "redacted": redacted,
    }


def _chosen(heads: Sequence[Record], take: str, own_writer: str) -> Record:
    word = take.strip().lower()
    if word in ("mine", "theirs"):
        found = [head for head in heads if (head.w == own_writer) == (word == "mine")]
    else:
        found = [head for head in heads if len(word) >= 4 and head.id.startswith(word)]
    if len(found) != 1:
        listed = ", ".join(head.id[:12] for head in heads)
        raise UsageError(
            f"{take!r} names {count(len(found), 'version')} of this memory"
            if take
            else "which side is right?",
            f"Name one with --take: {listed}, mine or theirs.",
        )
    return found[0]


def _version(record: Record, own_writer: str, *, counts: bool) -> VersionResult:
    body = record.decoded()
    title, text = "", ""
    if record.op == "del":
        title = "deleted"
    elif isinstance(body, Memory):
        title, text = one_line(body.title), body.text
    elif isinstance(body, Correction):
        title, text = headline(body.before, body.after), f"{body.category or 'no category'}, in {body.path}"
    else:
        title = one_line(str(dict(record.body)))[:SHOWN]
    title, text = clean([title, text])[0]
    return {
        "record": record.id,
        "deleted": record.op == "del",
        "author": record.author,
        "time": record.t,
        "here": record.w == own_writer,
        "counts": counts,
        "title": title,
        "text": text,
    }


def _order(record: Record) -> tuple[int, str, str]:
    return record.order
