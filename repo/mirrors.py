"""Remotes that a push takes all refs to: what Cortex keeps for itself would go along."""

from __future__ import annotations

import pygit2

from .open import open_repository
from .places import Place

#: Where Cortex's own refs are; generated code is held below it, as it was written.
OURS = "refs/cortex/"


def warnings(place: Place) -> list[str]:
    """One sentence for each remote of `place` to which a push would take Cortex's own refs."""
    return [
        f"{why}: a push to {name!r} takes {OURS}*, and with it generated code that is kept as it was written; "
        f"name what it may take (`git config remote.{name}.push '+refs/heads/*:refs/heads/*'`), or lay nothing "
        "private there"
        for name, why in _takers(open_repository(place))
    ]


def _takers(repository: pygit2.Repository) -> list[tuple[str, str]]:
    found = []
    for name in repository.remotes.names():
        if name is None:
            continue
        if _flag(repository, f"remote.{name}.mirror"):
            found.append((name, f"remote.{name}.mirror is true"))
            continue
        specs = [each or "" for each in repository.config.get_multivar(f"remote.{name}.push")]
        sources = [each.lstrip("+").partition(":")[0] for each in specs]
        if any(each.startswith("^") and _covers(each[1:]) for each in sources):
            continue
        taken = [spec for spec, source in zip(specs, sources, strict=True) if _meets(source)]
        if taken:
            found.append((name, f"remote.{name}.push is {taken[0]}"))
    return found


def _meets(source: str) -> bool:
    """Whether a refspec's source may name one of ours; it has at most one star."""
    before, star, _ = source.partition("*")
    return source.startswith(OURS) or (bool(star) and OURS.startswith(before))


def _covers(source: str) -> bool:
    before, star, after = source.partition("*")
    return bool(star) and not after and OURS.startswith(before)


def _flag(repository: pygit2.Repository, name: str) -> bool:
    try:
        return repository.config.get_bool(name)
    except (KeyError, ValueError, pygit2.GitError):
        return False
