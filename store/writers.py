"""Whose store this is: the file `writer`, and what else in the store speaks for the id in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from . import layout, segments, wal
from .durable import SYSTEM, System, names, read

#: Ids are random: two that differ in so few bits of their text are one, damaged.
ALIKE = 8


def fault(store: Path, system: System = SYSTEM) -> tuple[str, str]:
    """What is wrong with the file `writer`, and the id that belongs there; both empty when all is well, the
    id when nobody knows it.

    The clock names the writer under a checksum of its own, and so do the names of its logs and segments.
    """
    try:
        data = read(system, store / layout.WRITER)
    except OSError as error:
        return f"{store} is not a store: {error.strerror}", ""
    said = data.decode("ascii", "replace").strip()
    clock = layout.read_clock(store, system)
    noted = clock.w if clock is not None else ""
    if not layout.is_writer(said):
        near = [each for each in _wrote(store, system) if _bits(each, data[:32]) <= ALIKE]
        return "holds no writer id", noted or (near[0] if near else "")
    if noted and noted != said:
        wrote = set(_wrote(store, system))
        kept = noted if _bits(noted, data[:32]) <= ALIKE or (noted in wrote and said not in wrote) else said
        return "is not the id that the clock names", kept
    if not noted:
        wrote = set(_wrote(store, system))
        near = sorted(each for each in wrote if _bits(each, data[:32]) <= ALIKE)
        if said not in wrote and near:
            return f"is {near[0]}, who wrote here, but for a bit or two", near[0]
    return ("holds more than the id", said) if data != said.encode() + b"\n" else ("", "")


def _wrote(store: Path, system: System) -> Iterator[str]:
    """The ids in the names of logs and segments."""
    for log in wal.logs(store, system):
        yield log.writer
    for top in (segments.PRIVATE, segments.SHARED):
        yield from (name for name in names(system, store / top) if layout.is_writer(name))


def _bits(text: str, data: bytes) -> int:
    """In how many bits a text and bytes differ; many when they are not of one length."""
    a = text.encode()
    return sum(bin(x ^ y).count("1") for x, y in zip(a, data, strict=True)) if len(a) == len(data) else 1_000
