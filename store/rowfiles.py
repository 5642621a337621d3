"""The files of embedded rows: each is written once, and small ones are merged, so that a write stays small."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

from . import derived
from .derived import Entry, Manifest
from .protocols import Floats

#: No merge makes a file of more memories than this: at width 256 it is 8 MiB, written in tens of milliseconds.
FULL = 4_096


class RowFiles:
    """Which memories each file of rows that the manifest names holds; a later file's rows replace an earlier's."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._folder = folder
        self._manifest = manifest
        self._live: dict[str, set[str]] = {}
        self._sizes: dict[str, int] = {}
        self._where: dict[str, str] = {}  # memory → the file that holds it

    def read(self, damaged: Callable[[str], None]) -> Iterator[tuple[list[Entry], Floats]]:
        """What the files hold, newest first; one that is not what the manifest says is forgotten and told."""
        seen: set[str] = set()
        for name in reversed(list(self._manifest.rows)):
            digest = self._manifest.files.get(name, "")
            found = derived.read_rows(self._folder / name, digest, self._manifest.width)
            if found is None:
                self._manifest.rows.remove(name)
                self._manifest.files.pop(name, None)
                damaged(name)
                continue
            self._live[name] = {entry.id for entry in found[0]} - seen
            self._sizes[name] = len(found[0])
            seen |= self._live[name]
            self._where.update(dict.fromkeys(self._live[name], name))
            yield found

    def held(self) -> Collection[str]:
        """The memories whose rows are on disk as they should be."""
        return self._where.keys()

    def drop(self, ids: Collection[str]) -> None:
        """What the files hold of these counts no longer."""
        for m in ids:
            name = self._where.pop(m, None)
            if name is not None:
                self._live[name].discard(m)

    def add(
        self, ids: Sequence[str], made: Callable[[Sequence[str]], tuple[Sequence[Entry], Floats]]
    ) -> None:
        """Write the rows of `ids`, as far as no file holds them; `made` gives the entries and rows of ids.

        Like the digits of a number: files as small as what is written go into it, and so do those of which
        most is dead. Each memory is so written a few times in all, however they come.
        """
        new = [m for m in ids if m not in self._where]
        for name in reversed(list(self._manifest.rows)):
            live = self._live[name]
            small = len(live) <= len(new) or 2 * len(live) <= self._sizes[name]
            if small and len(new) + len(live) <= FULL:
                new += sorted(live)
                self._manifest.rows.remove(name)
                del self._live[name], self._sizes[name], self._manifest.files[name]
        if new:
            entries, rows = made(new)
            name, digest = derived.write_rows(self._folder, entries, rows)
            self._manifest.rows.append(name)
            self._manifest.files[name] = digest
            self._live[name], self._sizes[name] = set(new), len(new)
            self._where.update(dict.fromkeys(new, name))


def places(entries: Sequence[Entry]) -> Mapping[str, tuple[list[str], list[int]]]:
    """The ids that have rows of code and of text in a file, and the numbers of those rows."""
    out: dict[str, tuple[list[str], list[int]]] = {"code": ([], []), "text": ([], [])}
    number = 0
    for entry in entries:
        for name, has in (("code", entry.code), ("text", entry.text)):
            if has:
                out[name][0].append(entry.id)
                out[name][1].append(number)
                number += 1
    return out
