"""Strict reading of a tree that somebody else made: names, modes and sizes first, then the bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pygit2
from pygit2.enums import FileMode

from ..repo.errors import DamagedError
from ..repo.git import git
from . import segments, wal
from .layout import FORMAT, FORMAT_FILE, format_of
from .record import DamagedLine, from_line

MAX_SEGMENT = 4 * 1024 * 1024  # bytes
MAX_RECORDS = 50_000  # a pull
MAX_BYTES = 256 * 1024 * 1024  # a pull
MAX_TREE = 4 * 1024 * 1024  # bytes of one tree object
MAX_TREES = 10_000
MAX_NAMED = 100_000  # segments in one tree
MAX_REJECTED = 1000  # reasons kept

_Check = Callable[[bytes], "re.Match[bytes] | None"]
_LEVELS: tuple[_Check, ...] = (
    re.compile(rb"seg\Z").match,
    re.compile(rb"[0-9a-f]{32}\Z").match,
    re.compile(rb"[0-9]{6}\Z").match,
    re.compile(rb"[0-9]{8}-[0-9a-f]{16}\.jsonl\Z").match,
)


@dataclass
class Listing:
    """What a tree names: segments by path with their blob, the format it says it has, and what was wrong."""

    format: int = FORMAT
    segments: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    rejected: list[tuple[str, str]] = field(default_factory=list)

    def reject(self, path: str, reason: str) -> None:
        """Note why something was not taken; a tree full of junk does not fill the memory."""
        if len(self.rejected) < MAX_REJECTED:
            self.rejected.append((path, reason))


@dataclass(frozen=True)
class Arrival:
    """One segment that passed: `count` good records, the largest time among them, and its lines' faults."""

    segment: segments.Segment
    oid: str
    data: bytes
    count: int
    t: int
    faults: tuple[tuple[str, str], ...]


def list_tree(repository: pygit2.Repository, commit: str, trusted: Mapping[str, str]) -> Listing:
    """What the tree of `commit` names, level by level; `trusted` are path → blob pairs that need no size.

    Nothing is read before its size is known, and only names of the one strict pattern are followed.
    """
    found = Listing()
    top = repository[commit].peel(pygit2.Commit).tree_id
    level = [("", str(top))]
    for depth, fits in enumerate(_LEVELS):
        last = depth == len(_LEVELS) - 1
        sizes = _sizes(repository, [oid for _, oid in level])
        deeper: list[tuple[str, str]] = []
        for prefix, oid in level[:MAX_TREES]:
            kind, size = sizes.get(oid, ("missing", 0))
            if kind != "tree" or size > MAX_TREE:
                found.reject(prefix, f"a {kind} of {size} bytes where a folder should be")
                continue
            for name, mode, each in _entries(repository, oid):
                path = prefix + name.decode("utf-8", "backslashreplace")
                if depth == 0 and name == FORMAT_FILE.encode():
                    _read_format(repository, found, mode, each)
                elif not fits(name):
                    found.reject(path, "not a name of the format")
                elif mode != (FileMode.BLOB if last else FileMode.TREE):
                    found.reject(path, f"its mode is {mode:06o}")
                elif last:
                    found.segments[path] = each
                else:
                    deeper.append((f"{path}/", each))
            if len(found.segments) > MAX_NAMED:
                found.reject(prefix, f"more than {MAX_NAMED} segments in one tree")
                break
        if len(level) > MAX_TREES:
            found.reject(level[MAX_TREES][0], f"more than {MAX_TREES} folders in one level")
        level = deeper
    unknown = [oid for path, oid in found.segments.items() if trusted.get(path) != oid]
    found.sizes = {oid: size for oid, (kind, size) in _sizes(repository, unknown).items() if kind == "blob"}
    return found


def arrivals(
    repository: pygit2.Repository, listing: Listing, wanted: Mapping[str, str], limit: int
) -> Iterator[Arrival]:
    """The segments of `wanted` that are what they say, one at a time; the others go to `listing.rejected`.

    `limit` is the latest time (ms) that is adopted.
    """
    for path, oid in wanted.items():
        segment = segments.parse(path)
        size = listing.sizes.get(oid)
        if segment is None or size is None:
            listing.reject(path, "there is no blob behind it")
            continue
        if size > MAX_SEGMENT:
            listing.reject(path, f"{size:,} bytes, more than {MAX_SEGMENT:,} for one segment")
            continue
        blob = repository.get(oid)
        if not isinstance(blob, pygit2.Blob):
            listing.reject(path, "there is no blob behind it")
            continue
        arrival = _verify(segment, oid, blob.data, limit)
        for where, reason in arrival.faults:
            listing.reject(where, reason)
        if arrival.count:
            yield arrival


def _verify(segment: segments.Segment, oid: str, data: bytes, limit: int) -> Arrival:
    if not segment.fits(data):
        fault = (segment.path, "its content is not what its name says")
        return Arrival(segment, oid, data, 0, 0, (fault,))
    if not data.endswith(b"\n") or data.count(b"\n") > MAX_RECORDS:
        fault = (segment.path, "not whole lines, or too many of them")
        return Arrival(segment, oid, data, 0, 0, (fault,))
    count, latest = 0, 0
    faults: list[tuple[str, str]] = []
    for number, line in wal.lines(data):
        try:
            record = from_line(line, private=False)
        except DamagedLine as error:
            if len(faults) < MAX_REJECTED:
                faults.append((f"{segment.path}:{number}", error.message))
            continue
        count += 1
        if latest < record.t <= limit:
            latest = record.t
    return Arrival(segment, oid, data, count, latest, tuple(faults))


def _entries(repository: pygit2.Repository, oid: str) -> list[tuple[bytes, int, str]]:
    tree = repository.get(oid)
    if not isinstance(tree, pygit2.Tree):
        return []
    return [(each.raw_name or b"", int(each.filemode), str(each.id)) for each in tree]


def _read_format(repository: pygit2.Repository, found: Listing, mode: int, oid: str) -> None:
    kind, size = _sizes(repository, [oid]).get(oid, ("missing", 0))
    blob = repository.get(oid) if mode == FileMode.BLOB and kind == "blob" and size <= 4096 else None
    try:
        if not isinstance(blob, pygit2.Blob):
            raise DamagedError(f"a {kind} of {size} bytes, mode {mode:06o}")
        found.format = format_of(blob.data)
    except DamagedError as error:
        found.reject(FORMAT_FILE, error.message)


def _sizes(repository: pygit2.Repository, oids: list[str]) -> dict[str, tuple[str, int]]:
    """Type and size of objects, by their headers alone."""
    if not oids:
        return {}
    said = git(
        "--no-replace-objects",
        *("cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)", "--buffer"),
        cwd=Path(repository.path),
        stdin="".join(f"{oid}\n" for oid in dict.fromkeys(oids)).encode(),
    )
    found = {}
    for line in said.decode("ascii", "replace").splitlines():
        parts = line.split(" ")
        if len(parts) == 3 and parts[2].isdigit():
            found[parts[0]] = (parts[1], int(parts[2]))
    return found
