"""Which commits are on the branches, and which of two came first."""

from __future__ import annotations

import pygit2


class Branches:
    """The branches of a repository, and what is checked out, as they are at one time."""

    def __init__(self, repository: pygit2.Repository) -> None:
        self._repository = repository
        self._tips: list[pygit2.Oid] | None = None
        self._gone: dict[str, bool] = {}

    def off(self, oid: str) -> bool:
        """Whether a commit is on no branch any more."""
        if oid not in self._gone:
            self._gone[oid] = not any(self.within(oid, str(tip)) for tip in self._heads())
        return self._gone[oid]

    def within(self, old: str, new: str) -> bool:
        """Whether `old` is `new` or an ancestor of it."""
        if old == new or not new:
            return old == new
        try:
            return bool(self._repository.descendant_of(pygit2.Oid(hex=new), pygit2.Oid(hex=old)))
        except (KeyError, ValueError, pygit2.GitError):
            return False  # collected since

    def _heads(self) -> list[pygit2.Oid]:
        if self._tips is None:
            names = [name for name in self._repository.references if name.startswith("refs/heads/")]
            self._tips = [self._repository.references[name].peel().id for name in names]
            if not self._repository.head_is_unborn:
                self._tips.append(pygit2.Oid(hex=str(self._repository.head.target)))
        return self._tips
