"""The files of a tree of git."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pygit2


def files(
    tree: pygit2.Tree, enter: Callable[[str], bool] = lambda _: True
) -> Iterator[tuple[str, pygit2.Blob]]:
    """Path and blob of each file and link, folder by folder.

    Submodules are left out, and names that are not UTF-8. `enter` says of a folder's path whether it is looked into.
    """
    folders = [("", tree)]
    while folders:
        prefix, folder = folders.pop()
        for entry in folder:
            try:
                path = prefix + (entry.raw_name or b"").decode()
            except UnicodeDecodeError:
                continue
            if isinstance(entry, pygit2.Tree):
                if enter(path):
                    folders.append((path + "/", entry))
            elif isinstance(entry, pygit2.Blob):
                yield path, entry
