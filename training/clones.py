"""Reading the sources: bare clones in a folder of your choice, made when they are not there yet."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pygit2
from sources import Source

_FILES = (pygit2.enums.FileMode.BLOB, pygit2.enums.FileMode.BLOB_EXECUTABLE)
_LARGEST = 1_000_000


def clone(source: Source, folder: Path) -> pygit2.Repository:
    """The clone of a source in `folder/owner+name` (or `repo` in it), made from GitHub when not there."""
    place = folder / source.repository.replace("/", "+")
    for path in (place / "repo", place):
        if (path / "objects").is_dir():
            return pygit2.Repository(str(path))
    url = f"https://github.com/{source.repository}.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", url, str(place)], check=True)
    return pygit2.Repository(str(place))


def files(
    repository: pygit2.Repository, commit: str, named: re.Pattern[str] | None = None
) -> Iterator[tuple[str, str]]:
    """(path, text) of every UTF-8 text file at a commit, in the order of the tree; of all, or those named so."""
    folders = [("", repository[commit].peel(pygit2.Tree))]
    while folders:
        prefix, tree = folders.pop()
        for entry in tree:
            path = f"{prefix}{entry.name}"
            if isinstance(entry, pygit2.Tree):
                folders.append((f"{path}/", entry))
            # A thin clone lists large files that it does not have.
            elif named is not None and not named.search(path):
                continue
            elif entry.filemode in _FILES and entry.id in repository:
                blob = repository[entry.id].peel(pygit2.Blob)
                if blob.size < _LARGEST and not blob.is_binary:
                    try:
                        yield path, blob.data.decode("utf-8")
                    except UnicodeDecodeError:
                        continue


def messages(repository: pygit2.Repository, commit: str) -> Iterator[str]:
    """The message of every commit with at most one parent, newest first."""
    order = pygit2.enums.SortMode.TOPOLOGICAL | pygit2.enums.SortMode.TIME
    for each in repository.walk(repository[commit].id, order):
        if len(each.parents) <= 1:
            yield each.message.strip()
