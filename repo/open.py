"""Opening a repository with libgit2, and saying clearly when it cannot be."""

from __future__ import annotations

import pygit2

from .errors import PlaceError
from .places import Place


def open_repository(place: Place) -> pygit2.Repository:
    """The repository of `place`.

    Raises `PlaceError` where libgit2 cannot open it: SHA-256 object names, reftable, unknown extensions.
    """
    try:
        # A partial clone is an ordinary repository that lacks some blobs.
        pygit2.settings.set_extensions(["partialclone"])
        return pygit2.Repository(str(place.root or place.gitdir))
    except pygit2.GitError as error:
        raise PlaceError(
            f"{place.root or place.gitdir} cannot be opened: {error}",
            "Cortex reads repositories with SHA-1 object names and ordinary refs; SHA-256 and reftable ones it cannot.",
        ) from error


def signature(repository: pygit2.Repository) -> str:
    """The person as git knows them, "Name <email>"; empty when git was never told."""
    found = []
    for key in ("user.name", "user.email"):
        try:
            found.append(repository.config[key] or "")
        except KeyError:
            found.append("")
    name, email = found
    return f"{name} <{email}>" if name and email else name or email
