"""An item of the store as it may be shown: without secrets, nor what is left of one that was cut."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from .items import Item
from .secrets import MARK, find, redact_all, secrets_of

#: So much of a secret's beginning tells that the rest of it was cut off.
CUT = 8


def without_secrets(item: Item) -> Item:
    """The item with its texts redacted; the same one when there is nothing to redact."""
    sides = [side for each in item.evidence for side in (each.before, each.after, each.path)]
    # Most hold none: one look at all of it says so, and a store of thousands is looked through at each start.
    if not find("\n\n".join((item.title, item.text, item.code, item.words, item.subject, *sides))):
        return item
    told = (item.title, item.text, item.code, item.words, item.subject, *sides)
    whole = sorted({secret for text in told for secret in secrets_of(text)}, key=len, reverse=True)
    evidence = tuple(
        dataclasses.replace(
            each,
            before=_without(each.before, whole),
            after=_without(each.after, whole),
            path=_without(each.path, whole),
        )
        for each in item.evidence
    )
    cleaned = dataclasses.replace(
        item,
        title=_without(item.title, whole),
        text=_without(item.text, whole),
        code=_without(item.code, whole),
        words=_without(item.words, whole),
        subject=_without(item.subject, whole),
        evidence=evidence,
    )
    return item if cleaned == item else cleaned


def _without(text: str, secrets: Sequence[str]) -> str:
    """A text without secrets, nor the beginnings of these: a title is cut, and a cut token has lost its shape."""
    (text,), _ = redact_all([text], secrets)
    for secret in secrets:
        while len(secret) >= CUT and (start := text.find(secret[:CUT])) >= 0:
            size = next(n for n in range(len(secret), 0, -1) if text.startswith(secret[:n], start))
            text = f"{text[:start]}{MARK}cut]{text[start + size :]}"
    return text
