"""Where a question looks: in memories, in the repository's code and documents, in its history."""

from __future__ import annotations

from collections.abc import Sequence

from ..repo.errors import UsageError

MEMORIES, CODE, HISTORY = SOURCES = ("memories", "code", "history")


def wanted(given: str | Sequence[str]) -> tuple[str, ...]:
    """The sources that `--in` names, in the order of `SOURCES`; raises `UsageError` for another one, or none."""
    words = given.split(",") if isinstance(given, str) else given
    named = {str(word).strip().lower() for word in words} - {""}
    unknown = sorted(named - set(SOURCES))
    if unknown or not named:
        said = f"nothing is searched in {', '.join(unknown)}" if unknown else "no source is named"
        raise UsageError(said, f"Give some of {', '.join(SOURCES)}, with commas between them.")
    return tuple(each for each in SOURCES if each in named)
